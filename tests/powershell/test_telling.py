"""What the patch operation for Windows tells of updates, and what the server makes of it."""

from datetime import UTC, datetime

from tests.fakes.edge import Edge
from tests.powershell import update_agent
from tests.powershell.node import WindowsNode
from tests.powershell.some_updates import CUMULATIVE, OTHER, TOY, cumulative, installed_titles, other, toy
from tests.powershell.update_agent import Behaviour, Category, Event, Update

from patchwindow.domain import facts_reading
from patchwindow.domain.facts import RebootBehaviour, UpdateState, WindowsUpdate


def test_hidden_updates_are_neither_told_nor_installed(edge: Edge) -> None:
    node = WindowsNode(edge, toy(is_hidden=True))
    node.approve("KB5034002")
    assert node.operate().code == 0
    assert installed_titles(node) == set()
    assert node.report()["facts"]["windowsUpdates"] == []


def test_what_an_installed_update_replaces_is_not_applicable(edge: Edge) -> None:
    old = toy()
    node = WindowsNode(edge, old, cumulative(is_installed=True, supersedes=[old.id]))
    node.approve("KB5034001", "KB5034002")
    assert node.operate().code == 0
    assert installed_titles(node) == set()
    assert node.states() == {TOY: "NotApplicable", CUMULATIVE: "Installed"}


def test_of_two_that_replace_each_other_the_later_is_installed_alone(edge: Edge) -> None:
    old = toy()
    node = WindowsNode(edge, old, cumulative(supersedes=[old.id]))
    node.approve("KB5034001", "KB5034002")
    assert node.operate().code == 0
    assert installed_titles(node) == {CUMULATIVE}


def test_drivers_follow_the_baseline_as_their_own_class(edge: Edge) -> None:
    driver = Update("Toys Inc. - Net - 1.2.3", kinds=(update_agent.DRIVERS, update_agent.SERVER_2022))
    node = WindowsNode(edge, driver, toy())
    rules = {
        "PatchRules": [
            {
                "PatchFilterGroup": {"PatchFilters": [{"Key": "CLASSIFICATION", "Values": ["Drivers"]}]},
                "ApproveAfterDays": 0,
            }
        ]
    }
    node.approve(ApprovalRules=rules)
    assert node.operate().code == 0
    assert installed_titles(node) == {"Toys Inc. - Net - 1.2.3"}


def test_the_predefined_baseline_waits_seven_days_by_the_date_of_the_update(edge: Edge) -> None:
    # The server's day is 2026-03-14.
    fresh, ripe = datetime(2026, 3, 10, tzinfo=UTC), datetime(2026, 3, 1, tzinfo=UTC)
    node = WindowsNode(edge, toy(last_deployment_change_time=fresh), other(last_deployment_change_time=ripe))
    assert node.operate().code == 0
    assert installed_titles(node) == {OTHER}
    assert node.states() == {TOY: "AvailableSecurityUpdate", OTHER: "Installed"}


def test_an_update_is_told_as_facts_in_full(edge: Edge) -> None:
    changed = datetime(2026, 2, 10, 18, tzinfo=UTC)
    office = Category("ProductFamily", "Office")
    node = WindowsNode(
        edge,
        cumulative(
            last_deployment_change_time=changed,
            cves=["CVE-2026-0001"],
            bulletins=["MS26-001"],
            installation_behavior=Behaviour(1),
        ),
        other(
            kinds=(update_agent.CRITICAL, Category("Product", "Office 2016", parent=office)),
            msrc_severity=None,
            is_installed=True,
            installation_behavior=None,
        ),
    )
    node.machine.updates.history = [
        Event(node.machine.updates.updates[1].identity, 2, datetime(2026, 1, 2, tzinfo=UTC)),
        Event(node.machine.updates.updates[1].identity, 2, datetime(2025, 1, 2, tzinfo=UTC)),
        Event(node.machine.updates.updates[0].identity, 4, datetime(2026, 1, 3, tzinfo=UTC)),
    ]
    node.operate("Scan")
    facts = facts_reading.parse(node.report()["facts"])
    assert (facts.os.name, facts.os.version_id, facts.os.arch) == (
        "Microsoft Windows Server 2022 Datacenter",
        "10.0.20348",
        "amd64",
    )
    by_title = {update.title: update for update in facts.windows_updates}
    first, second = node.machine.updates.updates
    assert by_title[CUMULATIVE] == WindowsUpdate(
        title=CUMULATIVE,
        kb="KB5034001",
        id=first.id,
        state=UpdateState.MISSING,
        classification="SecurityUpdates",
        severity="Critical",
        product="WindowsServer2022",
        product_family="Windows",
        updated="2026-02-10",
        cves=("CVE-2026-0001",),
        bulletins=("MS26-001",),
        size=1000,
        reboot=RebootBehaviour.ALWAYS,
    )
    assert by_title[OTHER] == WindowsUpdate(
        title=OTHER,
        kb="KB5034003",
        id=second.id,
        state=UpdateState.INSTALLED,
        classification="CriticalUpdates",
        product="Office2016",
        product_family="Office",
        patch_set="APPLICATION",
        size=1000,
    )
    told = {
        one["title"]: at
        for one, at in zip(node.report()["facts"]["windowsUpdates"], node.report()["installedAt"], strict=True)
    }
    assert told == {CUMULATIVE: 0, OTHER: datetime(2026, 1, 2, tzinfo=UTC).timestamp()}


def test_a_title_of_odd_characters_is_told_as_one_line(edge: Edge) -> None:
    node = WindowsNode(edge, Update("Toy\u00a0for\r\n\u200bWindows \U0001f600 ", "5034009"))
    assert node.operate("Scan").code == 0
    assert [one["title"] for one in node.report()["facts"]["windowsUpdates"]] == ["Toy for Windows"]


def test_the_source_of_the_updates_is_said(edge: Edge) -> None:
    node = WindowsNode(edge)
    assert "source: Windows Update" in node.operate("Scan").output
    policy = r"SOFTWARE\Policies\Microsoft\Windows\WindowsUpdate"
    node.machine.registry.put(policy, WUServer="http://wsus.example.net:8530")
    assert "source: Windows Update" in node.operate("Scan").output
    node.machine.registry.put(rf"{policy}\AU", UseWUServer=1)
    assert "source: WSUS at http://wsus.example.net:8530" in node.operate("Scan").output
