"""Question 2: what needs me, each with the one next action."""

import csv
import io
import re
from collections.abc import Iterator

import pytest
from tests.console.test_every_page import Page
from tests.fakes.browser import Browser
from tests.fakes.fleet import Fleet
from tests.fakes.scans import facts_of, package, scan
from tests.fakes.site import Installation, as_node

from patchwindow.console.pages.attention import ADVICE
from patchwindow.operations.concerns import Kind

URL = "/console/attention"


@pytest.fixture
def cards(console: Browser) -> dict[str, str]:
    return dict(cards_of(console.get(URL).body))


def cards_of(body: str) -> Iterator[tuple[str, str]]:
    """Yield the kind of each card, and what stands in it."""
    for card in re.findall(r'<section class="card concern.*?</section>', body, re.DOTALL):
        found = re.search(r'id="about-(\w+)"', card)
        assert found is not None
        yield found[1], card


def test_there_is_advice_for_every_kind() -> None:
    assert list(ADVICE) == list(Kind)


def test_every_concern_of_the_api_has_its_card_the_worst_first(console: Browser, fleet: Fleet) -> None:
    told = fleet.world.perform("ListConcerns")["Concerns"]
    shown = list(cards_of(console.get(URL).body))
    assert [kind for kind, _ in shown] == [one["Kind"] for one in told]
    assert len(told) >= 10, "the fleet of the patch night has nearly all of them"
    for (_, card), one in zip(shown, told, strict=True):
        assert re.search(rf"</svg> {one['Count']} \w+", card)
        assert all(each.get("InstanceId", "") in card for each in one["Worst"])


def test_each_card_has_one_next_action(cards: dict[str, str]) -> None:
    assert [kind for kind, card in cards.items() if card.count('class="button"') != 1] == []
    assert 'href="/console/patch-now?Operation=Scan">Scan now' in cards["StaleScans"]
    assert 'href="/console/patch-now?RebootOption=RebootIfNeeded"' in cards["PendingReboots"]


def test_the_action_is_filled_in_with_the_nodes_where_they_are_few(here: Installation, browser: Browser) -> None:
    nodes = sorted(here.node() for _ in range(5))
    asked = "&amp;".join(["Operation=Scan", *(f"node={node}" for node in nodes)])
    assert f'href="/console/patch-now?{asked}">Scan now' in browser.get(URL).body
    here.node()
    assert 'href="/console/patch-now?Operation=Scan">Scan now' in browser.get(URL).body


def test_the_worst_lead_to_their_pages(console: Browser, cards: dict[str, str]) -> None:
    for kind in ("LostDuringPatch", "FailedNodes", "MissedWindows"):
        links = Page(cards[kind]).links
        assert [link for link in links if console.get(link.split("?")[0]).status not in (200, 404)] == []
        assert console.get(links[-1].split("?")[0]).status == 200, links


def test_a_node_that_went_silent_at_work_leads_to_what_it_was_at(cards: dict[str, str]) -> None:
    assert re.search(r'/console/commands/[0-9a-f-]+/nodes/mi-\w{17}">its command', cards["LostDuringPatch"])


def test_the_missed_window_says_why(cards: dict[str, str]) -> None:
    assert "Missed: no server was running from the opening to the cutoff." in cards["MissedWindows"]


def test_a_stopped_command_says_how_many_it_did_not_reach(cards: dict[str, str]) -> None:
    assert "1 failed, 19 not reached" in cards["ErrorBudgetReached"]


def test_a_viewer_is_shown_no_action_that_he_may_not_do(viewer: Browser) -> None:
    body = viewer.get(URL).body
    assert "/console/patch-now" not in body
    assert "StaleScans" in body
    assert "/console/nodes?State=Stale" in body


def test_its_table_names_the_worst_of_each_kind(console: Browser, fleet: Fleet) -> None:
    rows = list(csv.DictReader(io.StringIO(console.get(URL, format="csv").body)))
    told = fleet.world.perform("ListConcerns")["Concerns"]
    assert [(row["Kind"], row["Count"]) for row in rows] == [
        (one["Kind"], str(one["Count"])) for one in told for _ in one["Worst"]
    ]


def test_without_nodes_nothing_is_called_well(browser: Browser) -> None:
    body = browser.get(URL).body
    assert "No node is registered yet" in body
    assert "Nothing needs you" not in body


def test_where_all_is_well_it_says_so(here: Installation, browser: Browser) -> None:
    node = here.node(tags={"Patch Group": "web"})
    scan(here, node, facts_of([package("bash")]))
    here.perform("UpdateInstanceInformation", as_node(node), InstanceId=node)
    assert dict(cards_of(browser.get(URL).body)).keys() == {"UnpatchedNodes"}
    here.perform(
        "CreateAssociation",
        Name="AWS-RunPatchBaseline",
        Targets=[{"Key": "InstanceIds", "Values": [node]}],
        Parameters={"Operation": ["Install"]},
        ScheduleExpression="rate(7 days)",
    )
    assert "Nothing needs you. The one node is heard of" in browser.get(URL).body
