"""The operating systems of the API: how nodes name them, which family patches them, and their product names."""

import re
from collections.abc import Callable
from enum import Enum, StrEnum, auto
from typing import Final


class OperatingSystem(StrEnum):
    """The API's OperatingSystem."""

    WINDOWS = "WINDOWS"
    AMAZON_LINUX = "AMAZON_LINUX"
    AMAZON_LINUX_2 = "AMAZON_LINUX_2"
    AMAZON_LINUX_2022 = "AMAZON_LINUX_2022"
    AMAZON_LINUX_2023 = "AMAZON_LINUX_2023"
    UBUNTU = "UBUNTU"
    REDHAT_ENTERPRISE_LINUX = "REDHAT_ENTERPRISE_LINUX"
    SUSE = "SUSE"
    CENTOS = "CENTOS"
    ORACLE_LINUX = "ORACLE_LINUX"
    DEBIAN = "DEBIAN"
    MACOS = "MACOS"
    RASPBIAN = "RASPBIAN"
    ROCKY_LINUX = "ROCKY_LINUX"
    ALMA_LINUX = "ALMA_LINUX"


class Family(Enum):
    """What patches an operating system; rules differ by this and by little else."""

    WINDOWS = auto()
    RPM = auto()
    ZYPPER = auto()
    APT = auto()
    MACOS = auto()


FAMILIES: Final[dict[OperatingSystem, Family]] = {
    OperatingSystem.WINDOWS: Family.WINDOWS,
    OperatingSystem.AMAZON_LINUX: Family.RPM,
    OperatingSystem.AMAZON_LINUX_2: Family.RPM,
    OperatingSystem.AMAZON_LINUX_2022: Family.RPM,
    OperatingSystem.AMAZON_LINUX_2023: Family.RPM,
    OperatingSystem.UBUNTU: Family.APT,
    OperatingSystem.REDHAT_ENTERPRISE_LINUX: Family.RPM,
    OperatingSystem.SUSE: Family.ZYPPER,
    OperatingSystem.CENTOS: Family.RPM,
    OperatingSystem.ORACLE_LINUX: Family.RPM,
    OperatingSystem.DEBIAN: Family.APT,
    OperatingSystem.MACOS: Family.MACOS,
    OperatingSystem.RASPBIAN: Family.APT,
    OperatingSystem.ROCKY_LINUX: Family.RPM,
    OperatingSystem.ALMA_LINUX: Family.RPM,
}

LINUX: Final = frozenset({Family.RPM, Family.ZYPPER, Family.APT})

AMAZON_FAMILY: Final = frozenset(
    {
        OperatingSystem.AMAZON_LINUX,
        OperatingSystem.AMAZON_LINUX_2,
        OperatingSystem.AMAZON_LINUX_2022,
        OperatingSystem.AMAZON_LINUX_2023,
    }
)

# How platform names begin, in lower case; agents append editions to them ("Server", "Stream", "Datacenter").
_PLATFORMS: Final[dict[str, OperatingSystem]] = {
    "debian": OperatingSystem.DEBIAN,
    "raspbian": OperatingSystem.RASPBIAN,
    "raspberry pi os": OperatingSystem.RASPBIAN,
    "ubuntu": OperatingSystem.UBUNTU,
    "red hat enterprise linux": OperatingSystem.REDHAT_ENTERPRISE_LINUX,
    "centos": OperatingSystem.CENTOS,
    "oracle linux": OperatingSystem.ORACLE_LINUX,
    "rocky linux": OperatingSystem.ROCKY_LINUX,
    "almalinux": OperatingSystem.ALMA_LINUX,
    "sles": OperatingSystem.SUSE,
    "suse linux enterprise": OperatingSystem.SUSE,
    # The API has none for it alone; it has the same package manager and the same classes of patches.
    "opensuse": OperatingSystem.SUSE,
    "microsoft windows": OperatingSystem.WINDOWS,
    "windows": OperatingSystem.WINDOWS,
    "macos": OperatingSystem.MACOS,
    "mac os x": OperatingSystem.MACOS,
}

_AMAZON_MAJORS: Final[dict[str, OperatingSystem]] = {
    "2": OperatingSystem.AMAZON_LINUX_2,
    "2022": OperatingSystem.AMAZON_LINUX_2022,
    "2023": OperatingSystem.AMAZON_LINUX_2023,
} | {str(year): OperatingSystem.AMAZON_LINUX for year in range(2010, 2019)}


def from_platform(platform_name: str, platform_version: str) -> OperatingSystem | None:
    """Return the operating system that an agent names so, `None` where the API has none for it."""
    name = platform_name.strip().casefold()
    if name.startswith("amazon linux"):
        return _AMAZON_MAJORS.get(platform_version.partition(".")[0])
    return next((system for prefix, system in _PLATFORMS.items() if name.startswith(prefix)), None)


def _from_parts(prefix: str, part_count: int) -> Callable[[str], str]:
    return lambda version: prefix + ".".join(version.split(".")[:part_count])


# Build numbers, since the version of Windows says nothing else about the release.
_WINDOWS_BUILDS: Final[dict[str, str]] = {
    "6003": "WindowsServer2008",
    "7601": "WindowsServer2008R2",
    "9200": "WindowsServer2012",
    "9600": "WindowsServer2012R2",
    "14393": "WindowsServer2016",
    "17763": "WindowsServer2019",
    "20348": "WindowsServer2022",
    "26100": "WindowsServer2025",
}


def _windows_product(version: str) -> str:
    parts = re.findall(r"[0-9]+", version)
    return next((_WINDOWS_BUILDS[part] for part in parts if part in _WINDOWS_BUILDS), f"Windows{version}")


_PRODUCTS: Final[dict[OperatingSystem, Callable[[str], str]]] = {
    OperatingSystem.WINDOWS: _windows_product,
    OperatingSystem.AMAZON_LINUX: _from_parts("AmazonLinux", 2),
    OperatingSystem.AMAZON_LINUX_2: _from_parts("AmazonLinux", 1),
    OperatingSystem.AMAZON_LINUX_2022: _from_parts("AmazonLinux", 1),
    OperatingSystem.AMAZON_LINUX_2023: _from_parts("AmazonLinux", 1),
    OperatingSystem.UBUNTU: _from_parts("Ubuntu", 2),
    OperatingSystem.REDHAT_ENTERPRISE_LINUX: _from_parts("RedhatEnterpriseLinux", 2),
    OperatingSystem.SUSE: _from_parts("Suse", 2),
    OperatingSystem.CENTOS: _from_parts("CentOS", 2),
    OperatingSystem.ORACLE_LINUX: _from_parts("OracleLinux", 2),
    OperatingSystem.DEBIAN: _from_parts("Debian", 1),
    OperatingSystem.MACOS: _from_parts("macOS", 2),
    OperatingSystem.RASPBIAN: _from_parts("Raspbian", 1),
    OperatingSystem.ROCKY_LINUX: _from_parts("RockyLinux", 2),
    OperatingSystem.ALMA_LINUX: _from_parts("AlmaLinux", 2),
}


def product(operating_system: OperatingSystem, version: str) -> str:
    """Return the PRODUCT of a node, such as `Debian12` or `Ubuntu22.04`."""
    return _PRODUCTS[operating_system](version)
