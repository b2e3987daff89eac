"""Where a webhook may be."""

from ipaddress import ip_address

import pytest

from patchwindow.domain.errors import Invalid
from patchwindow.domain.webhook_address import check_address, parse_url


@pytest.mark.parametrize(
    "url",
    [
        "https://hooks.example/drain",
        "https://hooks.example:8443/drain?queue=1",
        "https://10.0.0.7/",
        "https://[2001:db8::7]/",
        "http://127.0.0.1:9000/",
        "http://127.8.8.8",
        "http://[::1]:9000/x",
        "http://localhost:9000/x",
    ],
)
def test_a_webhook_is_encrypted_or_on_this_machine(url: str) -> None:
    assert parse_url(url).hostname


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("http://hooks.example/", "is not encrypted; use https://"),
        ("http://10.0.0.7/", "is not loopback; use https://"),
        ("http://localhost.example/", "is not encrypted; use https://"),
        ("https://169.254.169.254/latest", "is link-local or a metadata service"),
        ("http://169.254.169.254/latest", "is link-local or a metadata service"),
        ("https://[::ffff:169.254.169.254]/", "is link-local or a metadata service"),
        ("https://[64:ff9b::a9fe:a9fe]/", "is link-local or a metadata service"),
        ("https://[2002:a9fe:a9fe::]/", "is link-local or a metadata service"),
        ("http://[64:ff9b::7f00:1]/", "is not loopback; use https://"),
        ("http://[2002:7f00:1::]/", "is not loopback; use https://"),
        ("https://[fe80::1]/", "is link-local or a metadata service"),
        ("https://[fd00:ec2::254]/", "is link-local or a metadata service"),
        ("https://100.100.100.200/", "is link-local or a metadata service"),
        ("https://0.0.0.0/", "is not the address of one host"),
        ("https://224.0.0.1/", "is not the address of one host"),
        ("ftp://hooks.example/", "is not https:// with a host"),
        ("hooks.example/drain", "is not https:// with a host"),
        ("https:///drain", "is not https:// with a host"),
        ("https://hooks.example:0/", "is not https:// with a host"),
        ("https://hooks.example:99999/", "cannot be read"),
        ("https://[::1/", "cannot be read"),
        ("https://user:secret@hooks.example/", "has a user or a fragment"),
        ("https://hooks.example/#top", "has a user or a fragment"),
        ("https://hooks.example/a b", "is not one; use"),
        ("https://hooks.example/\r\nHost: other", "is not one; use"),
        ("https://hooks.example/ü", "is not one; use"),
        (f"https://hooks.example/{'x' * 2000}", "is not one; use"),
    ],
)
def test_other_places_are_refused_with_the_reason(url: str, reason: str) -> None:
    with pytest.raises(Invalid) as refused:
        parse_url(url)
    assert reason in str(refused.value)


@pytest.mark.parametrize("address", ["127.0.0.1", "::1", "::ffff:127.0.0.1"])
def test_what_is_not_encrypted_stays_on_this_machine(address: str) -> None:
    check_address(ip_address(address), is_plain=True)
    with pytest.raises(Invalid, match="is not loopback"):
        check_address(ip_address("192.168.1.1"), is_plain=True)


def test_a_name_may_stand_for_any_other_address() -> None:
    check_address(ip_address("192.168.1.1"), is_plain=False)
