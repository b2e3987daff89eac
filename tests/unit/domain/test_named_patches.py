"""The patches of a node by what people call them."""

from datetime import date
from typing import Any, Final

import pytest
from tests.fakes.scans import SECURITY, facts_of, package, update

from patchwindow.domain.baseline import Baseline, PatchFilter, PatchFilterGroup, PatchRule, PatchRuleGroup
from patchwindow.domain.decision import decide
from patchwindow.domain.evaluation import evaluate
from patchwindow.domain.facts_patches import patches_of
from patchwindow.domain.facts_reading import parse
from patchwindow.domain.filter_values import FilterKey
from patchwindow.domain.named_patches import NodePatch, Standing, named, near, node_patches
from patchwindow.domain.operating_system import OperatingSystem
from patchwindow.domain.patch_state import PatchState
from patchwindow.domain.predefined import default_for

TODAY: Final = date(2026, 3, 14)
DEBIAN: Final = facts_of(
    [package("openssl", origin=SECURITY), package("libssl3", origin=SECURITY)],
    [update("openssl"), update("libssl3", origin=0)],
)
WINDOWS: Final[dict[str, Any]] = {
    "schema": 2,
    "manager": "windows",
    "os": {
        "id": "windows",
        "name": "Microsoft Windows Server 2022 Datacenter",
        "versionId": "10.0.20348",
        "arch": "amd64",
    },
    "windowsUpdates": [
        {
            "title": f"Cumulative Update {number}",
            "kb": f"KB500{number}",
            "state": state,
            "classification": classification,
            "severity": "Critical",
            "product": "WindowsServer2022",
            "released": "2026-01-01",
            "cves": [f"CVE-2026-{number}"],
        }
        for number, (state, classification) in enumerate(
            [
                ("missing", "SecurityUpdates"),
                ("installed", "SecurityUpdates"),
                ("notApplicable", "SecurityUpdates"),
                ("notApplicable", "Drivers"),
                ("missing", "Drivers"),
                ("missing", "FeaturePacks"),
            ]
        )
    ],
    "reboot": {"required": False},
}
SYSTEMS: Final = {id(DEBIAN): OperatingSystem.DEBIAN, id(WINDOWS): OperatingSystem.WINDOWS}


def of(data: Any) -> list[NodePatch]:
    facts = parse(data)
    evaluation = evaluate(facts, default_for(SYSTEMS[id(data)]), TODAY)
    return list(node_patches(patches_of(facts), evaluation))


def standings(found: list[NodePatch]) -> list[tuple[str, Standing]]:
    return [(one.readings[0].title, one.standing) for one in found]


def test_there_is_a_standing_for_every_state_of_the_api_and_one_more() -> None:
    assert {standing.value for standing in Standing} == {state.value for state in PatchState} | {"NotApproved"}


def test_what_is_installed_and_what_is_offered_are_two_patches_the_offered_one_first() -> None:
    assert standings(named(of(DEBIAN), "openssl")) == [
        ("openssl.amd64:2", Standing.MISSING),
        ("openssl.amd64:1", Standing.INSTALLED),
    ]
    assert standings(named(of(DEBIAN), "libssl3")) == [
        ("libssl3.amd64:2", Standing.NOT_APPROVED),
        ("libssl3.amd64:1", Standing.INSTALLED),
    ]


@pytest.mark.parametrize(
    ("term", "standing"),
    [
        ("KB5000", Standing.MISSING),
        ("kb5001", Standing.INSTALLED),
        ("cve-2026-2", Standing.NOT_APPLICABLE),
        ("Cumulative Update 3", Standing.NOT_APPLICABLE),
        ("KB5005", Standing.NOT_APPROVED),
    ],
)
def test_an_update_of_windows_is_named_by_its_number_its_title_or_a_cve(term: str, standing: Standing) -> None:
    (one,) = named(of(WINDOWS), term)
    assert one.standing is standing


def test_all_that_a_node_reported_is_there_once() -> None:
    assert len(of(WINDOWS)) == len(WINDOWS["windowsUpdates"])
    assert len(of(DEBIAN)) == 4


def test_of_several_approved_versions_the_older_one_is_none_to_install() -> None:
    facts = parse(facts_of([package("openssl")], [update("openssl", "2"), update("openssl", "3")]))
    rule = PatchRule(
        patch_filter_group=PatchFilterGroup(patch_filters=(PatchFilter(key=FilterKey.PRODUCT, values=("*",)),)),
        approve_after_days=0,
    )
    every = Baseline(
        name="every", operating_system=OperatingSystem.DEBIAN, approval_rules=PatchRuleGroup(patch_rules=(rule,))
    )
    found = named(list(node_patches(patches_of(facts), evaluate(facts, every, TODAY))), "openssl")
    assert standings(found) == [
        ("openssl.amd64:3", Standing.MISSING),
        ("openssl.amd64:1", Standing.INSTALLED_OTHER),
        ("openssl.amd64:2", Standing.NOT_APPLICABLE),
    ]
    decision = decide(found[2].readings[0], every, TODAY)
    assert found[2].reason(decision).endswith("; a newer version that is approved is installed in its place")


@pytest.mark.parametrize(
    ("term", "names"),
    [
        ("ssl", ["libssl3", "openssl"]),
        ("opensl", ["openssl"]),
        ("openssl.amd64:9", ["openssl"]),
        ("openssl.arm64", ["openssl"]),
        ("openssl:2", ["openssl"]),
        ("LIBSSL", ["libssl3"]),
        ("CVE-2026-1", []),
        ("bash", []),
    ],
)
def test_names_that_are_near_are_those_that_hold_the_term_and_those_like_it(term: str, names: list[str]) -> None:
    assert near(of(DEBIAN), term) == names
