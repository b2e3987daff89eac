"""Names of platforms and products."""

import pytest

from patchwindow.domain.operating_system import FAMILIES, OperatingSystem, from_platform, product


@pytest.mark.parametrize(
    ("name", "version", "expected"),
    [
        ("Debian GNU/Linux", "12", OperatingSystem.DEBIAN),
        ("Ubuntu", "22.04", OperatingSystem.UBUNTU),
        ("Raspbian GNU/Linux", "11", OperatingSystem.RASPBIAN),
        ("Red Hat Enterprise Linux", "9.4", OperatingSystem.REDHAT_ENTERPRISE_LINUX),
        ("Red Hat Enterprise Linux Server", "7.9", OperatingSystem.REDHAT_ENTERPRISE_LINUX),
        ("Amazon Linux AMI", "2018.03", OperatingSystem.AMAZON_LINUX),
        ("Amazon Linux", "2", OperatingSystem.AMAZON_LINUX_2),
        ("Amazon Linux", "2022", OperatingSystem.AMAZON_LINUX_2022),
        ("Amazon Linux", "2023.6.20250101", OperatingSystem.AMAZON_LINUX_2023),
        ("CentOS Stream", "9", OperatingSystem.CENTOS),
        ("Oracle Linux Server", "8.5", OperatingSystem.ORACLE_LINUX),
        ("Rocky Linux", "8.5", OperatingSystem.ROCKY_LINUX),
        ("AlmaLinux", "9.1", OperatingSystem.ALMA_LINUX),
        ("SLES", "15.5", OperatingSystem.SUSE),
        ("openSUSE Leap", "15.6", OperatingSystem.SUSE),
        ("openSUSE Tumbleweed", "20260301", OperatingSystem.SUSE),
        ("Microsoft Windows Server 2019 Datacenter", "10.0.17763", OperatingSystem.WINDOWS),
        ("macOS", "14.1.2", OperatingSystem.MACOS),
        ("Mac OS X", "10.15.7", OperatingSystem.MACOS),
    ],
)
def test_a_platform_is_known_by_the_name_that_agents_report(name: str, version: str, expected: OperatingSystem) -> None:
    assert from_platform(name, version) is expected


@pytest.mark.parametrize(("name", "version"), [("Amazon Linux", "2031"), ("Gentoo", "2.15"), ("", "")])
def test_a_platform_that_the_api_does_not_have_is_none(name: str, version: str) -> None:
    assert from_platform(name, version) is None


@pytest.mark.parametrize(
    ("system", "version", "expected"),
    [
        (OperatingSystem.DEBIAN, "12", "Debian12"),
        (OperatingSystem.DEBIAN, "11.9", "Debian11"),
        (OperatingSystem.DEBIAN, "", "Debian"),
        (OperatingSystem.UBUNTU, "22.04", "Ubuntu22.04"),
        (OperatingSystem.AMAZON_LINUX, "2018.03", "AmazonLinux2018.03"),
        (OperatingSystem.AMAZON_LINUX_2, "2", "AmazonLinux2"),
        (OperatingSystem.AMAZON_LINUX_2023, "2023.6.20250101", "AmazonLinux2023"),
        (OperatingSystem.REDHAT_ENTERPRISE_LINUX, "8.4", "RedhatEnterpriseLinux8.4"),
        (OperatingSystem.SUSE, "12.7", "Suse12.7"),
        (OperatingSystem.CENTOS, "7.4.1708", "CentOS7.4"),
        (OperatingSystem.WINDOWS, "10.0.17763", "WindowsServer2019"),
        (OperatingSystem.WINDOWS, "6.3.9600", "WindowsServer2012R2"),
        (OperatingSystem.WINDOWS, "10.0.99999", "Windows10.0.99999"),
    ],
)
def test_a_product_is_the_system_and_as_much_of_its_version_as_the_api_shows(
    system: OperatingSystem, version: str, expected: str
) -> None:
    assert product(system, version) == expected


@pytest.mark.parametrize("system", OperatingSystem)
def test_every_system_has_a_family_and_a_product(system: OperatingSystem) -> None:
    assert system in FAMILIES
    assert product(system, "9.1")
