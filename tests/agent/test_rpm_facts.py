"""How facts of dnf and yum are put together."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from patchwindow.domain import facts_reading
from patchwindow_agent import rpm_facts
from patchwindow_agent.dnf_output import Offer, Repository
from patchwindow_agent.machine import System
from patchwindow_agent.rpm_database import Installed
from patchwindow_agent.updateinfo import Named, Notice

SYSTEM = System("rocky", "Rocky Linux", "9.5", "")
REPOSITORIES = [Repository("appstream", "AppStream", "one.example.org"), Repository("baseos", "BaseOS", "")]


def installed(name: str, version: str, arch: str = "x86_64") -> Installed:
    return Installed(name, arch, version, 1767225600, 1767225601)


def offer(name: str, version: str, repository: str = "baseos", arch: str = "x86_64") -> Offer:
    return Offer(name, arch, version, repository, "2026-01-01", 1000)


def notice(id: str, *packages: Named) -> tuple[Notice, list[Named]]:
    return Notice(id, "security", "Important", "2026-01-05", "", f"About {id}", ["CVE-2026-0001"], []), list(packages)


def facts(
    packages: list[Installed], offers: list[Offer], notices: list[tuple[Notice, list[Named]]] | None = None
) -> dict[str, Any]:
    candidates = rpm_facts.candidates(packages, offers)
    scan = rpm_facts.Scan(
        manager="dnf",
        system=SYSTEM,
        arch="x86_64",
        repositories=REPOSITORIES,
        installed=packages,
        offers=offers,
        candidates=candidates,
        along=[rpm_facts.Along() for _ in candidates],
        notices=notices or [],
        updatable=frozenset({("tool", "x86_64"), ("tool", "noarch")}),
        reboot=[],
    )
    found = rpm_facts.facts(scan)
    facts_reading.parse(found)
    return found


def advisories(found: dict[str, Any]) -> dict[str, list[str]]:
    return {
        update["candidate"]: [found["advisories"][index]["id"] for index in update["advisories"]]
        for update in found["updates"]
    }


def test_an_update_has_the_notices_that_name_it() -> None:
    found = facts(
        [installed("tool", "1-1")],
        [offer("tool", "2-1"), offer("tool", "3-1")],
        [notice("A", ("tool", "x86_64", "2-1")), notice("B", ("tool", "x86_64", "3-1"))],
    )
    assert advisories(found) == {"2-1": ["A"], "3-1": ["B"]}


def test_an_update_that_no_notice_names_has_the_last_before_it() -> None:
    """docs/facts.md: "to the last notice that names a version between the installed one and the candidate"."""
    found = facts(
        [installed("tool", "1-1")],
        [offer("tool", "4-1")],
        [
            notice(id, ("tool", "x86_64", version))
            for id, version in (("OLD", "1-1"), ("A", "2-1"), ("B", "3-1"), ("NEW", "5-1"))
        ],
    )
    assert advisories(found) == {"4-1": ["B"]}


def test_a_notice_in_two_repositories_is_one() -> None:
    named = ("tool", "x86_64", "2-1")
    found = facts([installed("tool", "1-1")], [offer("tool", "2-1")], [notice("A", named), notice("A", named)])
    assert [one["id"] for one in found["advisories"]] == ["A"]
    assert advisories(found) == {"2-1": ["A"]}


def test_a_version_that_two_repositories_offer_is_one_update_with_two_origins() -> None:
    found = facts([installed("tool", "1-1")], [offer("tool", "2-1"), offer("tool", "2-1", "appstream")])
    assert [update["origins"] for update in found["updates"]] == [[0, 1]]


def test_of_kernels_beside_each_other_only_what_is_newer_than_the_newest_is_an_update() -> None:
    kernels = [installed("kernel", "5-1"), installed("kernel", "5-3")]
    found = facts(kernels, [offer("kernel", "5-2"), offer("kernel", "5-4")])
    assert [(update["installed"], update["candidate"]) for update in found["updates"]] == [("5-3", "5-4")]


def test_a_package_may_become_one_for_any_processor_and_back_but_not_one_for_another() -> None:
    found = facts([installed("tool", "1-1")], [offer("tool", "2-1", arch="noarch"), offer("tool", "2-1", arch="i686")])
    assert [update["arch"] for update in found["updates"]] == ["noarch"]
    found = facts([installed("tool", "1-1", "noarch")], [offer("tool", "2-1")])
    assert [update["arch"] for update in found["updates"]] == ["x86_64"]


def test_what_the_package_manager_would_not_update_is_held() -> None:
    found = facts([installed("tool", "1-1"), installed("other", "1-1")], [offer("tool", "2-1"), offer("other", "2-1")])
    assert found["held"] == ["other"]


VERSIONS = st.lists(st.sampled_from(["1-1", "1-2", "2-1", "1:1-1", "2~rc1-1"]), unique=True, max_size=5)


@given(present=VERSIONS, offered=VERSIONS)
def test_facts_of_any_versions_are_read_by_the_server(present: list[str], offered: list[str]) -> None:
    offers = [offer("tool", version) for version in offered]
    found = facts([installed("tool", version) for version in present], offers)
    assert len(found["packages"]) == len(present)
    assert {update["candidate"] for update in found["updates"]} <= set(offered) - set(present)
