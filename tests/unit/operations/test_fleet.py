"""Our own views of a fleet: seven states, by group, environment and system; and how it was."""

from collections import Counter
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.fakes.clock import FixedClock
from tests.fakes.scans import SECURITY, facts_of, package, scan, update
from tests.fakes.site import Installation, as_node

from patchwindow.domain.errors import Invalid, InvalidFilter, UnknownNode
from patchwindow.domain.fleet_state import FleetState
from patchwindow.engine.engine import Engine
from patchwindow.operations import retention
from patchwindow.operations.retention import Retention

BAD = facts_of([package("bash"), package("openssl", origin=SECURITY)], [update("openssl")])
CLEAN = facts_of([package("bash")])
GROUPS = ("PatchGroup", "Environment", "OperatingSystem")


def ping(here: Installation, *nodes: str) -> None:
    """Let nodes be heard of now."""
    for node in nodes:
        here.perform("UpdateInstanceInformation", as_node(node), InstanceId=node)


def counted(here: Installation, **request: Any) -> dict[str, int]:
    """Return the states in which there are nodes."""
    counts = here.perform("GetFleetCompliance", **request)["Counts"]
    return {state: count for state, count in counts.items() if count}


def nodes(here: Installation, *filters: tuple[str, Iterable[str]], **request: Any) -> dict[str, str]:
    """Return the states of the nodes that pass, by id."""
    given = [{"Key": key, "Values": list(values)} for key, values in filters]
    pages = here.pages("GetFleetCompliance", "Nodes", Filters=given, **request)
    return {node["InstanceId"]: node["State"] for page in pages for node in page}


def test_every_node_is_in_one_of_seven_states(here: Installation) -> None:
    clean, bad, failed, waits, never, old, lost = (here.node() for _ in range(7))
    scan(here, old, CLEAN)
    scan(here, lost, CLEAN)
    here.clock.advance(timedelta(days=7, seconds=1))
    scan(here, clean, CLEAN)
    scan(here, bad, BAD)
    scan(here, failed, BAD, failed={"openssl.amd64:2": "no space"})
    scan(here, waits, CLEAN, pendingReboot=["bash.amd64:1"])
    ping(here, clean, bad, failed, waits, never, old)
    assert nodes(here) == {
        clean: "Compliant",
        bad: "Missing",
        failed: "Failed",
        waits: "PendingReboot",
        never: "NeverScanned",
        old: "Stale",
        lost: "Offline",
    }
    assert counted(here) == {**{str(state): 1 for state in FleetState}, "Total": 7}


def test_a_scan_is_stale_when_it_is_older_than_what_is_set(here: Installation) -> None:
    node = here.node()
    scan(here, node, CLEAN)
    with here.database.write() as work:
        retention.keep(work, Retention(stale_after_days=2))
    here.clock.advance(timedelta(days=2))
    ping(here, node)
    assert nodes(here) == {node: "Compliant"}
    here.clock.advance(timedelta(seconds=1))
    assert nodes(here) == {node: "Stale"}
    (told,) = here.perform("ListComplianceSummaries")["ComplianceSummaryItems"]
    assert told["CompliantSummary"]["CompliantCount"] == 1, "answers of the API stay AWS's"


def test_counts_are_told_apart_by_what_is_asked_for(here: Installation) -> None:
    for group, environment, facts in (("web", "live", BAD), ("web", "test", CLEAN), ("db", "live", BAD)):
        scan(here, here.node(tags={"Patch Group": group, "Environment": environment}), facts)
    here.node()
    answer = here.perform("GetFleetCompliance", GroupBy=["Environment", "PatchGroup"])
    found = [
        (one["Environment"], one["PatchGroup"], {name: count for name, count in one["Counts"].items() if count})
        for one in answer["Groups"]
    ]
    assert found == [
        ("", "", {"NeverScanned": 1, "Total": 1}),
        ("live", "db", {"Missing": 1, "Total": 1}),
        ("live", "web", {"Missing": 1, "Total": 1}),
        ("test", "web", {"Compliant": 1, "Total": 1}),
    ]
    assert here.perform("GetFleetCompliance")["Groups"] == []


def test_the_environment_is_a_tag_that_the_request_may_name(here: Installation) -> None:
    node = here.node(tags={"Stage": "live", "Environment": "other"})
    answer = here.perform("GetFleetCompliance", GroupBy=["Environment"], EnvironmentTagKey="Stage")
    assert [group["Environment"] for group in answer["Groups"]] == ["live"]
    assert [one["Environment"] for one in answer["Nodes"]] == ["live"]
    assert nodes(here, ("Environment", ["other"])) == {node: "NeverScanned"}


def test_filters_are_for_counts_and_nodes_alike(here: Installation) -> None:
    for group, environment, facts in (("web", "live", BAD), ("web", "test", CLEAN), ("db", "live", BAD)):
        scan(here, here.node(tags={"Patch Group": group, "Environment": environment}), facts)
    for filters, count in (
        ([("State", ["Missing"])], 2),
        ([("State", ["Missing", "Compliant"]), ("PatchGroup", ["web"])], 2),
        ([("Environment", ["test"])], 1),
        ([("OperatingSystem", ["UBUNTU"])], 0),
    ):
        given = [{"Key": key, "Values": values} for key, values in filters]
        assert len(nodes(here, *filters)) == count
        assert counted(here, Filters=given).get("Total", 0) == count


def test_nodes_come_in_pages_and_counts_with_the_first(here: Installation) -> None:
    ids = [here.node() for _ in range(7)]
    for node in ids:
        scan(here, node, BAD if node in ids[:5] else CLEAN)
    wanted = [{"Key": "State", "Values": ["Missing"]}]
    first = here.perform("GetFleetCompliance", Filters=wanted, MaxResults=3)
    assert [len(first["Nodes"]), first["Counts"]["Total"]] == [3, 5]
    second = here.perform("GetFleetCompliance", Filters=wanted, MaxResults=3, NextToken=first["NextToken"])
    assert [len(second["Nodes"]), "Counts" in second, "NextToken" in second] == [2, False, False]
    assert sorted(nodes(here, ("State", ["Missing"]), MaxResults=2)) == sorted(ids[:5])


def test_a_node_says_what_its_state_was_computed_from(here: Installation) -> None:
    node = here.node(tags={"Patch Group": "web"})
    own = here.perform("CreatePatchBaseline", Name="own", OperatingSystem="DEBIAN")["BaselineId"]
    here.perform("RegisterPatchBaselineForPatchGroup", BaselineId=own, PatchGroup="web")
    scan(here, node, BAD)
    scanned_at = here.clock.now()
    here.clock.advance(timedelta(minutes=5))
    here.perform("UpdatePatchBaseline", BaselineId=own, ApprovedPatches=["openssl"])
    Engine(database=here.database, clock=here.clock, ids=here.ids).turn()
    (told,) = here.perform("GetFleetCompliance")["Nodes"]
    assert {
        "InstanceId": node,
        "State": "Missing",
        "Status": "NON_COMPLIANT",
        "BaselineId": own,
        "BaselineRevision": 2,
        "FactsTime": scanned_at,
        "ComputedTime": here.clock.now(),
        "PatchGroup": "web",
        "OperatingSystem": "DEBIAN",
    }.items() <= told.items()


@pytest.mark.parametrize(
    ("request_", "problem"),
    [
        ({"Filters": [{"Key": "State", "Values": ["Fine"]}]}, "'Fine'; use one of Compliant, Missing"),
        ({"Filters": [{"Key": "Name", "Values": ["a"]}]}, "'Name' is not known here"),
        ({"GroupBy": ["Region"]}, "GroupBy has 'Region'; use one of PatchGroup"),
    ],
)
def test_what_is_not_known_is_refused(here: Installation, request_: dict[str, Any], problem: str) -> None:
    with pytest.raises((Invalid, InvalidFilter), match=problem):
        here.perform("GetFleetCompliance", **request_)


_nodes = st.lists(
    st.tuples(
        st.sampled_from(["web", "db", ""]),
        st.sampled_from(["live", "test", ""]),
        st.sampled_from([BAD, CLEAN, None]),
        st.booleans(),
        st.booleans(),
    ),
    max_size=6,
)


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(several=_nodes)
def test_the_counts_are_those_of_the_nodes(
    several: list[tuple[str, str, Any, bool, bool]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    here = Installation(tmp_path_factory.mktemp("fleet"))
    ids = []
    for group, environment, facts, is_old, _ in several:
        tags = {"Patch Group": group, "Environment": environment}
        node = here.node(tags={key: value for key, value in tags.items() if value})
        ids.append(node)
        if facts is not None and is_old:
            scan(here, node, facts)
    here.clock.advance(timedelta(days=8))
    for node, (_, _, facts, is_old, is_lost) in zip(ids, several, strict=True):
        if facts is not None and not is_old:
            scan(here, node, facts)
        if not is_lost:
            ping(here, node)
    answer = here.perform("GetFleetCompliance", GroupBy=list(GROUPS))
    by_groups = Counter(
        {
            (*(one[name] for name in GROUPS), state): count
            for one in answer["Groups"]
            for state, count in one["Counts"].items()
            if count and state != "Total"
        }
    )
    by_nodes = Counter((*(node[name] for name in GROUPS), node["State"]) for node in answer["Nodes"])
    assert by_groups == by_nodes
    assert sum(by_nodes.values()) == len(ids) == answer["Counts"]["Total"]
    here.close()


# History


def history(here: Installation, **request: Any) -> list[dict[str, Any]]:
    member = "Scans" if "InstanceId" in request else "Days"
    return [entry for page in here.pages("GetComplianceHistory", member, **request) for entry in page]


def test_every_scan_of_a_node_is_told_the_last_one_first(here: Installation) -> None:
    node, began_at = here.node(), here.clock.now()
    for facts in (BAD, CLEAN, BAD):
        scan(here, node, facts)
        here.clock.advance(timedelta(hours=1))
    told = history(here, InstanceId=node, MaxResults=2)
    assert [one["Status"] for one in told] == ["NON_COMPLIANT", "COMPLIANT", "NON_COMPLIANT"]
    assert [one["Time"] for one in told] == [began_at + timedelta(hours=hours) for hours in (2, 1, 0)]
    assert {
        "Operation": "Scan",
        "MissingCount": 1,
        "OverallSeverity": "UNSPECIFIED",
        "BaselineRevision": 1,
    }.items() <= told[0].items()
    middle = {"After": began_at + timedelta(hours=1), "Before": began_at + timedelta(hours=2)}
    assert [one["Status"] for one in history(here, InstanceId=node, **middle)] == ["COMPLIANT"]


def test_a_changed_baseline_does_not_change_the_past(here: Installation) -> None:
    node = here.node()
    scan(here, node, BAD)
    own = here.perform("CreatePatchBaseline", Name="own", OperatingSystem="DEBIAN")["BaselineId"]
    here.perform("RegisterDefaultPatchBaseline", BaselineId=own)
    Engine(database=here.database, clock=here.clock, ids=here.ids).turn()
    assert nodes(here) == {node: "Compliant"}
    (told,) = history(here, InstanceId=node)
    assert (told["Status"], told["BaselineId"] == own) == ("NON_COMPLIANT", False)


def test_the_history_of_a_node_outlives_it_and_who_never_was_one_has_none(here: Installation) -> None:
    node, never = here.node(), here.node()
    scan(here, node, BAD)
    here.perform("DeregisterManagedInstance", InstanceId=node)
    assert len(history(here, InstanceId=node)) == 1
    assert history(here, InstanceId=never) == []
    with pytest.raises(UnknownNode, match="no scan of it is kept"):
        history(here, InstanceId="mi-fffffffffffffffff")


def test_a_time_that_ends_before_it_begins_is_refused(here: Installation) -> None:
    now = FixedClock().now()
    with pytest.raises(Invalid, match=r"After, 2026-03-14T09:00:00Z, is not before Before"):
        here.perform("GetComplianceHistory", After=now, Before=now)


def test_the_fleet_is_told_day_by_day(here: Installation) -> None:
    engine = Engine(database=here.database, clock=here.clock, ids=here.ids)
    web, db = here.node(tags={"Patch Group": "web"}), here.node(tags={"Patch Group": "db"})
    scan(here, web, BAD)
    scan(here, db, CLEAN)
    engine.turn()
    here.clock.advance(timedelta(days=1))
    ping(here, web, db)
    scan(here, web, CLEAN)
    engine.turn()
    told = [
        (one["Day"], one["PatchGroup"], {state for state, count in one["Counts"].items() if count})
        for one in history(here, MaxResults=1)
    ]
    assert told == [
        ("2026-03-14", "db", {"Compliant", "Total"}),
        ("2026-03-14", "web", {"Missing", "Total"}),
        ("2026-03-15", "db", {"Compliant", "Total"}),
        ("2026-03-15", "web", {"Compliant", "Total"}),
    ]
    assert [one["Day"] for one in history(here, After=here.clock.now())] == ["2026-03-15"] * 2


def test_the_fleet_is_told_together_with_each_day_once(here: Installation) -> None:
    days = [date(2026, 3, 12), date(2026, 3, 13)]
    with here.database.write() as work:
        for number, day in enumerate(days):
            work.trend.put(
                day,
                [("web", "DEBIAN", "Compliant", 3), ("", "UBUNTU", "Compliant", number), ("db", "DEBIAN", "Stale", 2)],
            )
    for size in (1, 2, 50):
        told = history(here, Together=True, MaxResults=size)
        assert [
            (one["Day"], one["Counts"]["Compliant"], one["Counts"]["Stale"], one["Counts"]["Total"]) for one in told
        ] == [
            ("2026-03-12", 3, 2, 5),
            ("2026-03-13", 4, 2, 6),
        ]
        assert all("PatchGroup" not in one for one in told)
    assert [one["Day"] for one in history(here, Together=True, After=datetime(2026, 3, 13, tzinfo=UTC))] == [
        "2026-03-13"
    ]
