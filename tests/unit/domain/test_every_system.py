"""Every operating system with a node as its publisher fills it, and every value that a rule may name there.

The packages, notices and dates are made up in the manner of each publisher.  What a rule must find missing is written
down beside it, and not worked out.
"""

from datetime import date
from typing import Final

import pytest
from tests.unit.domain.node_samples import kb, node, notice, update
from tests.unit.domain.test_decision import baseline, rule

from patchwindow.domain.baseline import Baseline, PatchFilter, PatchFilterGroup, PatchRule
from patchwindow.domain.baseline_check import check
from patchwindow.domain.evaluation import evaluate
from patchwindow.domain.facts import Facts
from patchwindow.domain.filter_values import FILTERS, FilterKey
from patchwindow.domain.operating_system import FAMILIES, Family, OperatingSystem
from patchwindow.domain.patch_state import PatchState
from patchwindow.domain.predefined import default_for

TODAY: Final = date(2026, 3, 14)
LATELY: Final = "2026-03-11"

SYSTEM_OF: Final[dict[str, OperatingSystem]] = {
    "amazon1": OperatingSystem.AMAZON_LINUX,
    "amazon2": OperatingSystem.AMAZON_LINUX_2,
    "amazon2022": OperatingSystem.AMAZON_LINUX_2022,
    "amazon2023": OperatingSystem.AMAZON_LINUX_2023,
    "redhat": OperatingSystem.REDHAT_ENTERPRISE_LINUX,
    "rocky": OperatingSystem.ROCKY_LINUX,
    "alma": OperatingSystem.ALMA_LINUX,
    "centos": OperatingSystem.CENTOS,
    "oracle": OperatingSystem.ORACLE_LINUX,
    "suse": OperatingSystem.SUSE,
    "debian": OperatingSystem.DEBIAN,
    "ubuntu": OperatingSystem.UBUNTU,
    "raspbian": OperatingSystem.RASPBIAN,
    "macos": OperatingSystem.MACOS,
    "windows": OperatingSystem.WINDOWS,
}
PRODUCT_OF: Final[dict[str, str]] = {
    "amazon1": "AmazonLinux2018.03",
    "amazon2": "AmazonLinux2",
    "amazon2022": "AmazonLinux2022",
    "amazon2023": "AmazonLinux2023",
    "redhat": "RedhatEnterpriseLinux9.5",
    "rocky": "RockyLinux9.5",
    "alma": "AlmaLinux9.5",
    "centos": "CentOS9",
    "oracle": "OracleLinux9.5",
    "suse": "Suse15.6",
    "debian": "Debian12",
    "ubuntu": "Ubuntu22.04",
    "raspbian": "Raspbian12",
    "macos": "macOS14.4",
    "windows": "WindowsServer2022",
}

# By the notice that names it: kind, severity, package and candidate. The severities are those of Red Hat, in whose
# place Amazon writes Medium; kinds are as updateinfo.xml has them.
RPM: Final = (
    ("security", "Critical", "openssl-libs", "1:3.0.7-28.el9_5"),
    ("security", "Important", "kernel-core", "5.14.0-503.22.1.el9_5"),
    ("security", "Moderate", "curl", "7.76.1-31.el9_5.2"),
    ("security", "Low", "vim-minimal", "2:8.2.2637-22.el9_5"),
    ("security", "None", "less", "590-5.el9"),
    ("bugfix", "", "tzdata", "2026a-1.el9"),
    ("enhancement", "", "bash", "5.1.8-10.el9"),
    ("newpackage", "", "git-core", "2.47.1-1.el9"),
    ("recommended", "", "cloud-init", "23.4-19.el9_5.1"),
)
ZYPPER: Final = (
    ("security", "critical", "libopenssl3", "3.1.4-150600.5.24.1"),
    ("security", "important", "kernel-default", "6.4.0-150600.23.33.1"),
    ("security", "moderate", "curl", "8.6.0-150600.4.21.1"),
    ("security", "low", "vim-small", "9.1.0836-150500.20.18.1"),
    ("recommended", "moderate", "timezone", "2026a-150600.91.1"),
    ("optional", "low", "cloud-init", "23.3-150100.8.85.4"),
    ("feature", "low", "python3", "3.6.15-150300.10.78.1"),
    ("document", "low", "release-notes-sles", "15.6.20260101-150600.3.1"),
    ("yast", "low", "yast2-trans", "84.87.20260101-150600.3.1"),
)
PRIORITIES: Final = ("required", "important", "standard", "optional", "extra")
SECTIONS: Final = ("libs", "net", "editors", "kernel", "utils")
NAMES: Final = ("libssl3", "openssh-server", "vim", "linux-image-amd64", "tzdata")


def of_rpm(system: str) -> Facts:
    """Return a node with an update for each notice, one that a notice named three days ago, and one that none names."""
    is_amazon = system.startswith("amazon")
    rows = ZYPPER if system == "suse" else RPM
    prefix = {"suse": "SUSE-2026-", "oracle": "ELSA-2026-", "alma": "ALSA-2026:", "rocky": "RLSA-2026:"}.get(
        system, "ALAS-2026-" if is_amazon else "RHSA-2026:"
    )
    severities = {"Moderate": "Medium"} if is_amazon else {}
    notices = [
        notice(f"{prefix}{index}", kind, severities.get(severity, severity))
        for index, (kind, severity, _, _) in enumerate(rows)
    ]
    notices.append(notice(f"{prefix}900", "security", "Critical", issued=LATELY))
    return node(
        system,
        advisories=notices,
        updates=[
            *(update(name, "0-1", candidate, index) for index, (_, _, name, candidate) in enumerate(rows)),
            update("glibc", "0-1", "2.34-125.el9_5.1", len(rows)),
            update("nano", "0-1", "5.6.1-6.el9", built="2026-01-20"),
        ],
    )


def of_apt(system: str) -> Facts:
    """Return a node with a package of each priority from the security source, and one from the main archive."""
    label, codename = {"ubuntu": ("Ubuntu", "jammy")}.get(system, ("Debian-Security", "bookworm"))
    origins = [
        {"label": label, "suite": f"{codename}-security", "codename": codename},
        {"label": label.removesuffix("-Security"), "suite": f"{codename}-updates", "codename": codename},
    ]
    secure = [
        update(name, "1", "2", arch="amd64", priority=priority, section=section, origins=[0])
        for name, priority, section in zip(NAMES, PRIORITIES, SECTIONS, strict=True)
    ]
    plain = update("bash", "5.2-1", "5.2-2", arch="amd64", priority="required", section="shells", origins=[1])
    return node(system, origins=origins, updates=[*secure, plain])


CLASSES: Final = (
    *("CriticalUpdates", "DefinitionUpdates", "Drivers", "FeaturePacks", "SecurityUpdates", "ServicePacks"),
    *("Tools", "UpdateRollups", "Updates", "Upgrades"),
)
SEVERITIES: Final = ("Critical", "Important", "Moderate", "Low", "Unspecified")


def of_windows() -> Facts:
    """Return a node with an update of each class that is Critical, KB1 and up, and one of each severity, KB11 and up."""
    by_class = [kb(number, "missing", name) for number, name in enumerate(CLASSES, start=1)]
    by_severity = [
        kb(number, "missing", "UpdateRollups", "" if name == "Unspecified" else name)
        for number, name in enumerate(SEVERITIES, start=11)
    ]
    others = [
        kb(21, "missing", released=LATELY),
        kb(22, "missing", "Updates", "", patchSet="APPLICATION", product="Office2021", productFamily="Office"),
    ]
    return node("windows", windowsUpdates=[*by_class, *by_severity, *others])


def of_macos() -> Facts:
    """Return a Mac with what Apple calls security, what it recommends, and one update of Homebrew."""
    return node(
        "macos",
        advisories=[notice("macOS Sonoma 14.4.1", severity=""), notice("XProtect 5287", "bugfix", "")],
        updates=[
            update("macOS Sonoma", "14.4", "14.4.1", 0, arch="arm64", kind="softwareupdate", recommended=True),
            update("XProtectPlistConfigData", "5286", "5287", 1, arch="arm64", kind="softwareupdate"),
            update("Safari", "17.3", "17.4", arch="arm64", kind="softwareupdate", recommended=True),
            update("wget", "1.21.4", "1.24.5", arch="arm64", kind="brew"),
        ],
    )


def sample(system: str) -> Facts:
    match FAMILIES[SYSTEM_OF[system]]:
        case Family.RPM | Family.ZYPPER:
            return of_rpm(system)
        case Family.APT:
            return of_apt(system)
        case Family.WINDOWS:
            return of_windows()
        case Family.MACOS:
            return of_macos()


def missing(facts: Facts, own: Baseline) -> set[str]:
    """Return what is missing, by name alone."""
    check(own)
    entries = evaluate(facts, own, TODAY).entries
    return {entry.kb_id.rpartition(".")[0] or entry.kb_id for entry in entries if entry.state is PatchState.MISSING}


SEVERE: Final = {"openssl-libs", "kernel-core", "tzdata"}
BY_DEFAULT: Final[dict[str, set[str]]] = {
    **dict.fromkeys(("amazon1", "amazon2", "amazon2022", "amazon2023", "redhat", "rocky", "alma"), SEVERE),
    "oracle": {"kernel-core", "curl", "tzdata"},
    "centos": {*(name for _, _, name, _ in RPM), "nano"},
    "suse": {"libopenssl3", "kernel-default"},
    **{name: {*NAMES} for name in ("debian", "ubuntu", "raspbian")},
    "macos": {"macOS Sonoma"},
    "windows": {"KB1", "KB5"},
}


def test_every_operating_system_has_a_sample() -> None:
    assert {sample(name).operating_system for name in SYSTEM_OF} == set(OperatingSystem)
    assert all(sample(name).operating_system is system for name, system in SYSTEM_OF.items())


@pytest.mark.parametrize("system", SYSTEM_OF)
def test_the_default_baseline_finds_what_the_guide_says_it_approves(system: str) -> None:
    assert missing(sample(system), default_for(SYSTEM_OF[system])) == BY_DEFAULT[system]


RPM_BY_VALUE: Final[dict[tuple[str, str], set[str]]] = {
    ("CLASSIFICATION", "Security"): {"openssl-libs", "kernel-core", "curl", "vim-minimal", "less", "glibc"},
    ("CLASSIFICATION", "Bugfix"): {"tzdata"},
    ("CLASSIFICATION", "Enhancement"): {"bash"},
    ("CLASSIFICATION", "Newpackage"): {"git-core"},
    ("CLASSIFICATION", "Recommended"): {"cloud-init"},
    ("SEVERITY", "Critical"): {"openssl-libs", "glibc"},
    ("SEVERITY", "Important"): {"kernel-core"},
    ("SEVERITY", "Moderate"): {"curl"},
    ("SEVERITY", "Medium"): {"curl"},
    ("SEVERITY", "Low"): {"vim-minimal"},
    ("SEVERITY", "None"): {"less"},
}
ZYPPER_BY_VALUE: Final[dict[tuple[str, str], set[str]]] = {
    ("CLASSIFICATION", "Security"): {"libopenssl3", "kernel-default", "curl", "vim-small", "glibc"},
    ("CLASSIFICATION", "Recommended"): {"timezone"},
    ("CLASSIFICATION", "Optional"): {"cloud-init"},
    ("CLASSIFICATION", "Feature"): {"python3"},
    ("CLASSIFICATION", "Document"): {"release-notes-sles"},
    ("CLASSIFICATION", "Yast"): {"yast2-trans"},
    ("SEVERITY", "Critical"): {"libopenssl3", "glibc"},
    ("SEVERITY", "Important"): {"kernel-default"},
    ("SEVERITY", "Moderate"): {"curl", "timezone"},
    ("SEVERITY", "Low"): {"vim-small", "cloud-init", "python3", "release-notes-sles", "yast2-trans"},
}
APT_BY_VALUE: Final[dict[tuple[str, str], set[str]]] = {
    ("PRIORITY", "Required"): {"libssl3"},
    ("PRIORITY", "Important"): {"openssh-server"},
    ("PRIORITY", "Standard"): {"vim"},
    ("PRIORITY", "Optional"): {"linux-image-amd64"},
    ("PRIORITY", "Extra"): {"tzdata"},
}
WINDOWS_BY_VALUE: Final[dict[tuple[str, str], set[str]]] = {
    ("CLASSIFICATION", "CriticalUpdates"): {"KB1"},
    ("CLASSIFICATION", "DefinitionUpdates"): {"KB2"},
    ("CLASSIFICATION", "Drivers"): {"KB3"},
    ("CLASSIFICATION", "FeaturePacks"): {"KB4"},
    ("CLASSIFICATION", "SecurityUpdates"): {"KB5", "KB21"},
    ("CLASSIFICATION", "ServicePacks"): {"KB6"},
    ("CLASSIFICATION", "Tools"): {"KB7"},
    ("CLASSIFICATION", "UpdateRollups"): {"KB8", "KB11", "KB12", "KB13", "KB14", "KB15"},
    ("CLASSIFICATION", "Updates"): {"KB9"},
    ("CLASSIFICATION", "Upgrades"): {"KB10"},
    ("MSRC_SEVERITY", "Critical"): {*(f"KB{number}" for number in range(1, 12)), "KB21"},
    ("MSRC_SEVERITY", "Important"): {"KB12"},
    ("MSRC_SEVERITY", "Moderate"): {"KB13"},
    ("MSRC_SEVERITY", "Low"): {"KB14"},
    ("MSRC_SEVERITY", "Unspecified"): {"KB15"},
    ("PATCH_SET", "OS"): {*(f"KB{number}" for number in range(1, 16)), "KB21"},
    ("PATCH_SET", "APPLICATION"): {"KB22"},
}
MACOS_BY_VALUE: Final[dict[tuple[str, str], set[str]]] = {
    ("CLASSIFICATION", "Security"): {"macOS Sonoma"},
    ("CLASSIFICATION", "Bugfix"): {"XProtectPlistConfigData"},
    ("CLASSIFICATION", "Recommended"): {"Safari"},
}
BY_VALUE: Final = {
    Family.RPM: RPM_BY_VALUE,
    Family.ZYPPER: ZYPPER_BY_VALUE,
    Family.APT: APT_BY_VALUE,
    Family.WINDOWS: WINDOWS_BY_VALUE,
    Family.MACOS: MACOS_BY_VALUE,
}


EVERY_VALUE: Final = [
    (name, key.value, value)
    for name, system in SYSTEM_OF.items()
    for key, values in FILTERS[system].items()
    # Others take any text, and have tests of their own below.
    for value in values or ()
]


@pytest.mark.parametrize(("system", "key", "value"), EVERY_VALUE)
def test_a_rule_of_one_value_finds_what_the_publisher_calls_so(system: str, key: str, value: str) -> None:
    filters = PatchFilterGroup(patch_filters=(PatchFilter(key=FilterKey(key), values=(value,)),))
    own = baseline(SYSTEM_OF[system], PatchRule(patch_filter_group=filters, approve_after_days=0))
    table = BY_VALUE[FAMILIES[SYSTEM_OF[system]]]
    assert missing(sample(system), own) == table.get((key, value), set())


def test_every_value_of_the_tables_is_one_that_some_system_lists() -> None:
    listed: dict[Family, set[tuple[str, str]]] = {family: set() for family in Family}
    for name, key, value in EVERY_VALUE:
        listed[FAMILIES[SYSTEM_OF[name]]].add((key, value))
    for family, table in BY_VALUE.items():
        assert table.keys() <= listed[family]


@pytest.mark.parametrize(("system", "product"), [*PRODUCT_OF.items()])
def test_a_rule_for_a_product_is_for_its_nodes_alone(system: str, product: str) -> None:
    facts, own = sample(system), SYSTEM_OF[system]
    every = missing(facts, baseline(own, rule(days=0)))
    assert every
    assert missing(facts, baseline(own, rule(PRODUCT=product, days=0))) == every
    assert missing(facts, baseline(own, rule(PRODUCT="*", days=0))) == every
    assert missing(facts, baseline(own, rule(PRODUCT=f"{product}0", days=0))) == set()


@pytest.mark.parametrize(("section", "name"), [*zip(SECTIONS, NAMES, strict=True)])
@pytest.mark.parametrize("system", ["debian", "ubuntu", "raspbian"])
def test_a_rule_for_a_section_finds_its_packages(system: str, section: str, name: str) -> None:
    assert missing(sample(system), baseline(SYSTEM_OF[system], rule(SECTION=section))) == {name}


def test_a_rule_for_a_family_of_products_finds_its_updates() -> None:
    office = rule(PATCH_SET="APPLICATION", PRODUCT_FAMILY="Office", days=0)
    assert missing(sample("windows"), baseline(OperatingSystem.WINDOWS, office)) == {"KB22"}


LINUX: Final = [name for name, system in SYSTEM_OF.items() if FAMILIES[system] in {Family.RPM, Family.APT}]


@pytest.mark.parametrize("system", LINUX)
def test_with_non_security_what_the_publisher_does_not_call_security_is_found_too(system: str) -> None:
    def found(*, more: bool) -> set[str]:
        some: PatchRule = rule(days=0, enable_non_security=more)
        return missing(sample(system), baseline(SYSTEM_OF[system], some))

    plain = "bash" if FAMILIES[SYSTEM_OF[system]] is Family.APT else "nano"
    assert found(more=True) - found(more=False) == {plain}
    assert found(more=False) <= found(more=True)


@pytest.mark.parametrize("system", SYSTEM_OF)
def test_a_delay_keeps_what_is_younger_from_being_missing_where_there_are_dates(system: str) -> None:
    young = {"glibc", "KB21"}
    now = missing(sample(system), baseline(SYSTEM_OF[system], rule(days=0)))
    waiting = missing(sample(system), baseline(SYSTEM_OF[system], rule(days=7)))
    assert now - waiting == now & young
    in_time = missing(sample(system), baseline(SYSTEM_OF[system], rule(until="2026-03-10")))
    assert in_time == waiting
