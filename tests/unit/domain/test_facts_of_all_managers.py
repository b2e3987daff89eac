"""Facts of schema 2: what they mean for each package manager, their one order, and what they are refused for."""

import json
from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.domain.node_samples import kb, node, node_data, notice, package, update

from patchwindow.domain.errors import Invalid
from patchwindow.domain.facts import canonical, digest
from patchwindow.domain.facts_patches import patches_of
from patchwindow.domain.facts_reading import aligned, parse
from patchwindow.domain.operating_system import OperatingSystem

REPOSITORIES = [{"id": "baseos", "label": "Rocky Linux 9 - BaseOS", "site": "mirror.example.net"}, {"id": "appstream"}]
OPENSSL = notice("RLSA-2026:0101", severity="Important", cves=["CVE-2026-0002", "CVE-2026-0001"], bugs=["2210001"])
BASH = notice("RLBA-2026:0300", kind="bugfix", severity="", issued="2026-02-01", updated="2026-02-03")


def test_an_rpm_package_has_epoch_version_and_release_and_what_its_notice_says() -> None:
    facts = node(
        "rocky",
        origins=REPOSITORIES,
        advisories=[OPENSSL],
        updates=[update("openssl", "0:3.0.7-1.el9", "1:3.0.7-27.el9", 0, origins=[0], built="2025-12-20")],
    )
    ((offered,),) = patches_of(facts).offered
    assert facts.operating_system is OperatingSystem.ROCKY_LINUX
    assert (offered.epoch, offered.version, offered.release) == ("1", "3.0.7", "27.el9")
    assert offered.title == "openssl.x86_64:1:3.0.7-27.el9"
    assert (offered.classification, offered.severity, offered.product) == ("Security", "Important", "RockyLinux9.5")
    assert offered.advisory_ids == ("RLSA-2026:0101",)
    assert offered.cve_ids == ("CVE-2026-0001", "CVE-2026-0002")
    assert offered.bugzilla_ids == ("2210001",)
    assert (offered.released_on, offered.built_on) == (date(2026, 1, 5), date(2025, 12, 20))
    assert offered.is_security
    assert offered.repository == "baseos"


def test_what_no_notice_names_is_no_security_patch_and_is_dated_by_its_build() -> None:
    ((bash,),) = patches_of(node("rocky", packages=[package("bash", "5.1.8-9.el9", built="2024-05-01")])).installed
    assert (bash.is_security, bash.classification, bash.built_on) == (False, "", date(2024, 5, 1))


def test_a_version_of_several_notices_is_read_one_at_a_time_the_gravest_first() -> None:
    urgent = BASH | {"severity": "Critical"}
    facts = node("rocky", advisories=[urgent, OPENSSL], updates=[update("openssl", "3-1", "3-2", 0, 1)])
    (readings,) = patches_of(facts).offered
    assert [(one.classification, one.severity) for one in readings] == [
        ("Security", "Important"),
        ("Bugfix", "Critical"),
    ]
    assert readings[1].updated_on == date(2026, 2, 3)
    assert {one.advisory_ids for one in readings} == {("RLSA-2026:0101", "RLBA-2026:0300")}
    assert {one.cve_ids for one in readings} == {("CVE-2026-0001", "CVE-2026-0002")}


def test_kernels_stand_beside_each_other() -> None:
    facts = node("rocky", packages=[package("kernel", "5.14.0-503.el9"), package("kernel", "5.14.0-427.el9")])
    assert [one.version for one in facts.packages] == ["5.14.0-427.el9", "5.14.0-503.el9"]


@pytest.mark.parametrize("epoch", ["0:", "(none):"])
def test_an_epoch_of_0_is_not_written(epoch: str) -> None:
    plain = node("rocky", packages=[package("bash", "5.1.8-9.el9")])
    assert digest(node("rocky", packages=[package("bash", f"{epoch}5.1.8-9.el9")])) == digest(plain)


def test_a_windows_update_has_its_number_however_it_is_written() -> None:
    facts = node(
        "windows", windowsUpdates=[kb(1, "missing", kb="kb5034123", bulletins=["MS26-001"], cves=["CVE-2026-1"])]
    )
    ((found,),) = patches_of(facts).windows
    assert (found.kb_id, found.title) == ("KB5034123", "2026-01 Cumulative Update (KB1)")
    assert (found.product, found.product_family, found.patch_set) == ("WindowsServer2022", "Windows", "OS")
    assert (found.severity, found.advisory_ids, found.released_on) == ("Critical", ("MS26-001",), date(2026, 1, 13))
    assert node("windows", windowsUpdates=[kb(1, "missing", kb="5034123")]).windows_updates[0].kb == "KB5034123"


def test_an_update_without_a_number_is_called_by_its_title() -> None:
    ((found,),) = patches_of(node("windows", windowsUpdates=[kb(1, "missing", kb="", title="Some driver")])).windows
    assert (found.kb_id, found.title) == ("Some driver", "Some driver")


def test_apple_says_of_its_updates_whether_they_are_recommended() -> None:
    facts = node(
        "macos",
        advisories=[notice("macOS Sonoma 14.4.1", severity="")],
        updates=[
            update("macOS Sonoma", "14.4", "14.4.1", 0, arch="arm64", kind="softwareupdate", recommended=True),
            update("Safari", "17.3", "17.4", arch="arm64", kind="softwareupdate", recommended=True),
            update("wget", "1.21", "1.24.5_1", arch="arm64", kind="brew"),
        ],
    )
    assert [(one.name, one.classification) for (one,) in patches_of(facts).offered] == [
        ("Safari", "Recommended"),
        ("macOS Sonoma", "Security"),
        ("wget", ""),
    ]


def test_notices_that_nothing_refers_to_are_left_out_and_equal_ones_are_one() -> None:
    item = update("openssl", "3-1", "3-2")
    once = node("rocky", advisories=[OPENSSL], updates=[item | {"advisories": [0]}])
    thrice = node("rocky", advisories=[BASH, OPENSSL, OPENSSL], updates=[item | {"advisories": [2, 1]}])
    assert thrice == once
    assert len(once.advisories) == 1


def example() -> dict[str, Any]:
    """Return facts in which everything refers to something, fit to be changed."""
    facts = node_data(
        "rocky",
        origins=REPOSITORIES,
        advisories=[OPENSSL, BASH, notice("RLSA-2026:0200", cves=["CVE-2026-0009"])],
        packages=[
            package("openssl", "3.0.7-1.el9", origins=[0]),
            package("bash", "5.1.8-6.el9", 1, origins=[1, 0]),
            package("zlib", "1.2.11-40.el9"),
        ],
        additions=[package("libnew", "1-1", 2, origins=[1]), package("libother", "1-1", origins=[0])],
        updates=[
            update("openssl", "3.0.7-1.el9", "3.0.7-27.el9", 0, 2, origins=[0], pulls=[1, 2], adds=[1], size=7),
            update("bash", "5.1.8-6.el9", "5.1.8-9.el9", 1, origins=[1], held=True),
            update("zlib", "1.2.11-40.el9", "1.2.11-41.el9", pulls=[1], adds=[0, 1], reboot="always"),
        ],
        held=["bash"],
        reboot={"required": True, "reasons": ["glibc was replaced", "the kernel is newer"]},
    )
    copy: dict[str, Any] = json.loads(json.dumps(facts))
    return copy


LISTS = {"origins": ["origins"], "advisories": ["advisories"], "additions": ["adds"], "updates": ["pulls"]}


def shuffled(data: dict[str, Any], chance: Any) -> dict[str, Any]:
    """Return the same facts with every list in another order, and all indexes after them."""
    other: dict[str, Any] = json.loads(json.dumps(data))
    places: dict[str, list[int]] = {}
    for name in (*LISTS, "packages"):
        order = list(range(len(data[name])))
        chance.shuffle(order)
        other[name] = [other[name][index] for index in order]
        places[name] = [order.index(index) for index in range(len(order))]
    for item in (*other["packages"], *other["additions"], *other["updates"]):
        for name, (member,) in LISTS.items():
            item[member] = [places[name][index] for index in item.get(member, [])]
            chance.shuffle(item[member])
    for entry in other["advisories"]:
        chance.shuffle(entry.get("cves", []))
    return other


@given(st.randoms())
def test_the_order_of_facts_is_irrelevant(chance: Any) -> None:
    """ "Equal for nodes in the same state"."""
    facts = parse(example())
    other = parse(shuffled(example(), chance))
    assert canonical(other) == canonical(facts)
    assert other == facts


def test_what_was_written_is_read_back_and_indexes_still_mean_the_same() -> None:
    facts = parse(example())
    assert parse(json.loads(canonical(facts))) == facts
    (zlib,) = (one for one in facts.updates if one.name == "zlib")
    assert [facts.updates[index].name for index in zlib.pulls] == ["bash"]
    assert [facts.additions[index].name for index in zlib.adds] == ["libnew", "libother"]
    (openssl,) = (one for one in facts.updates if one.name == "openssl")
    assert {facts.advisories[index].id for index in openssl.advisories} == {"RLSA-2026:0101", "RLSA-2026:0200"}


def test_times_of_installation_stand_beside_the_updates_on_windows() -> None:
    data = node_data("windows", windowsUpdates=[kb(2, "installed", title="A"), kb(1, "missing", title="B")])
    assert aligned(data, [1790000000, 0]) == (0.0, 1790000000.0)
    with pytest.raises(Invalid, match="installedAt: expected one number for each of the 2 updates"):
        aligned(data, [0])


def test_times_of_installation_follow_versions_that_stand_beside_each_other() -> None:
    data = node_data("rocky", packages=[package("kernel", "5.14.0-503.el9"), package("kernel", "5.14.0-427.el9")])
    assert aligned(data, [2, 1]) == (1.0, 2.0)


Spoil = Callable[[Any], object]


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda data: data.update(schema=True), "facts.schema: True is not known; this server reads schemas 1 and 2"),
        (
            lambda data: data.update(manager="pacman"),
            "facts.manager: 'pacman' is not known; write one of apt, dnf, yum",
        ),
        (lambda data: data.pop("manager"), "facts.manager: '' is not known"),
        (lambda data: data.update(manager=[]), "facts.manager: a list is not known"),
        (lambda data: data.pop("packages"), "facts.packages: expected a list, got nothing"),
        (lambda data: data.pop("updates"), "facts.updates: expected a list, got nothing"),
        (lambda data: data.pop("reboot"), "facts.reboot: expected an object, got nothing"),
        (lambda data: data.update(reboot={}), "facts.reboot.required: expected true or false, got nothing"),
        (lambda data: data.update(held=["a"] * 20001), "facts.held: has 20001 entries; at most 20000 are read"),
        (lambda data: data["advisories"][0].pop("id"), "facts.advisories[0].id: expected at most"),
        (
            lambda data: data["advisories"][0].update(issued="2026-02-30"),
            "facts.advisories[0].issued: '2026-02-30' is no day; write it as YYYY-MM-DD, or leave it out",
        ),
        (
            lambda data: data["advisories"][0].update(updated="20260201"),
            "facts.advisories[0].updated: '20260201' is no day",
        ),
        (lambda data: data["advisories"][0].update(cves=[1]), "facts.advisories[0].cves[0]: expected at most"),
        (lambda data: data["packages"][0].update(version="3.0.7"), "facts.packages[0].version: '3.0.7' has no release"),
        (lambda data: data["packages"][0].update(kind="brew"), "facts.packages[0].kind: is for macos"),
        (lambda data: data["packages"][0].update(built=7), "facts.packages[0].built: expected at most"),
        (
            lambda data: data["packages"][0].update(advisories=[3]),
            "advisories: 3 is no index of one of the 3 advisories",
        ),
        (
            lambda data: data["updates"][0].update(pulls=[3]),
            "facts.updates[0].pulls: 3 is no index of one of the 3 updates",
        ),
        (
            lambda data: data["updates"][0].update(adds=[2]),
            "facts.updates[0].adds: 2 is no index of one of the 2 additions",
        ),
        (lambda data: data["updates"][0].update(reboot="maybe"), "'maybe' is not known; write one of never, possible"),
        (lambda data: data["updates"][0].update(installed=""), "facts.updates[0].installed: is empty; each has one"),
        (
            lambda data: data["additions"].append(data["additions"][0]),
            "facts.additions[2]: libnew x86_64 1-1 is there already, at 0",
        ),
    ],
)
def test_malformed_facts_are_refused_by_their_place(spoil: Spoil, words: str) -> None:
    data = example()
    spoil(data)
    with pytest.raises(Invalid) as refused:
        parse(data)
    assert words in str(refused.value)


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"state": "wanted"}, "windowsUpdates[0].state: 'wanted' is not known; write one of installed, pendingReboot"),
        ({"title": ""}, "facts.windowsUpdates[0].title: is empty"),
        ({"kb": "KB12x"}, "facts.windowsUpdates[0].kb: '12X' is no number of an article; write it like KB5034123"),
        ({"patchSet": "ALL"}, "facts.windowsUpdates[0].patchSet: 'ALL' is not known; write one of OS, APPLICATION"),
        ({"released": "today"}, "facts.windowsUpdates[0].released: 'today' is no day"),
    ],
)
def test_malformed_windows_updates_are_refused_by_their_place(more: dict[str, Any], words: str) -> None:
    with pytest.raises(Invalid) as refused:
        node("windows", windowsUpdates=[kb(1, "missing") | more])
    assert words in str(refused.value)


def test_no_windows_update_is_there_twice() -> None:
    with pytest.raises(Invalid, match=r"facts.windowsUpdates\[1\]: KB1 .* is there already, at 0"):
        node("windows", windowsUpdates=[kb(1, "missing"), kb(1, "installed")])


def test_windows_facts_are_its_updates() -> None:
    data = node_data("windows")
    with pytest.raises(Invalid, match=r"facts\.windowsUpdates: expected a list, got nothing"):
        parse(data)


def test_on_macos_each_package_says_how_it_came_and_installers_offer_no_updates() -> None:
    with pytest.raises(Invalid, match=r"facts.packages\[0\].kind: is for macos, and there each package has one"):
        node("macos", packages=[package("wget", "1.24.5", arch="arm64")])
    with pytest.raises(Invalid, match=r"facts.updates\[0\].kind: pkg has no updates"):
        node("macos", updates=[update("com.example.tool", "1", "2", arch="arm64", kind="pkg")])
