"""The ten questions of who answers for the fleet, each answered on one screen, held against the API."""

import re
from datetime import timedelta
from typing import Any, Final

from playwright.sync_api import Locator, Page, expect
from tests.fakes.fleet import NOW, Fleet

_DAY: Final = timedelta(hours=24)


def texts(found: Locator) -> list[str]:
    """Return what each says, blanks made one."""
    return [" ".join(text.split()) for text in found.all_inner_texts()]


def lacking(fleet: Fleet) -> tuple[str, str]:
    """Return a node that lacks a patch which its window will install, and the patch."""
    filters = [{"Key": "State", "Values": ["Missing"]}, {"Key": "PatchGroup", "Values": ["Application Server"]}]
    found: Any = fleet.world.perform("GetFleetCompliance", Filters=filters, MaxResults=1)
    node_id = str(found["Nodes"][0]["InstanceId"])
    missing = [{"Key": "State", "Values": ["Missing"]}]
    patches = fleet.world.perform("DescribeInstancePatches", InstanceId=node_id, Filters=missing)["Patches"]
    return node_id, str(patches[0]["Title"])


def test_1_what_is_open_tonight_and_how_far_it_is(page: Page, fleet: Fleet) -> None:
    page.goto("/console/")
    told = fleet.world.perform("ListOpenings", After=NOW - timedelta(hours=1), Before=NOW + _DAY)["Openings"]
    rows = page.locator(".night:not(.head)")
    expect(rows).to_have_count(len(told))
    one = next(one for one in told if one["Status"] == "IN_PROGRESS")
    row = rows.filter(has_text=one["Name"])
    expect(row).to_contain_text(f"{one['CompletedCount']} of {one['TargetCount']} nodes done")
    expect(row).to_contain_text("At this pace done")
    # Its cutoff stands right of now, and left of its end.
    places = [row.locator(f"path.{name}").bounding_box() for name in ("now", "cutoff")]
    assert places[0] is not None
    assert places[1] is not None
    assert places[0]["x"] < places[1]["x"]


def test_2_what_needs_me_and_the_one_next_action(page: Page, fleet: Fleet) -> None:
    page.goto("/console/attention")
    told = fleet.world.perform("ListConcerns")["Concerns"]
    cards = page.locator("section.concern")
    expect(cards).to_have_count(len(told))
    for card, one in zip(cards.all(), told, strict=True):
        expect(card.get_by_role("heading")).to_contain_text(f"{one['Count']} ")
        expect(card.locator("a.button")).to_have_count(1)
    cards.first.locator("a.button").click()
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    assert not page.url.endswith("/attention")


def test_3_how_compliant_we_are_honestly(page: Page, fleet: Fleet) -> None:
    page.goto("/console/compliance")
    counts = fleet.world.perform("GetFleetCompliance", MaxResults=1)["Counts"]
    shown = texts(page.locator(".tally"))
    assert len(shown) == len(counts) - 1
    assert sum(int(re.sub(r"\D", "", text)) for text in shown) == counts["Total"] == len(fleet.members)
    page.locator(".tally", has_text="Never scanned").click()
    expect(page.locator("#list .pager")).to_contain_text(f"of {counts['NeverScanned']} shown")


def test_4_how_long_we_have_been_exposed(page: Page, fleet: Fleet) -> None:
    page.goto("/console/exposure")
    bars = page.locator(".bars .line .number")
    assert sum(int(text.replace(",", "")) for text in texts(bars)) == len(fleet.members)
    # What is known to be exploited comes first.
    assert "exploited" in page.get_by_role("heading", level=2).first.inner_text()
    title = page.locator("tbody a").first.inner_text()
    page.locator("tbody a").first.click()
    expect(page.get_by_role("heading", level=1)).to_have_text(title)
    expect(page.get_by_text("exploited").first).to_be_visible()


def test_5_when_what_opens_and_what_it_will_do(page: Page) -> None:
    page.goto("/console/calendar")
    expect(page.locator("td.frozen").first).to_contain_text("year-end")
    expect(page.get_by_text("Frozen", exact=True).first).to_be_visible()
    page.get_by_role("link", name=re.compile("Application Server patching")).first.click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Application Server patching")
    # The forecast comes by itself.
    expect(page.get_by_text("How long it takes")).to_be_visible()
    expect(page.get_by_text("nodes take part")).to_be_visible()


def test_6_how_this_rollout_goes(page: Page, fleet: Fleet) -> None:
    page.goto("/console/")
    page.get_by_role("link", name="Web Server patching").click()
    (task,) = fleet.world.tasks(fleet.windows["Web Server"])
    (part,) = fleet.world.invocations(task)
    told = fleet.world.perform("GetCommandStates", CommandId=part["ExecutionId"], MaxResults=1000)
    expect(page.locator(".cells a")).to_have_count(len(told["Instances"]))
    for one in told["Counts"]:
        if one["StatusDetails"] in ("Failed", "Success"):
            cells = page.locator(f".cells a[aria-label$=': {one['StatusDetails']}']")
            expect(cells).to_have_count(one["InstanceCount"])
    expect(page.get_by_text(f"of {told['Concurrency']} allowed")).to_be_visible()
    expect(page.get_by_role("button", name="Cancel this opening")).to_be_visible()


def test_7_what_about_this_node(page: Page, fleet: Fleet) -> None:
    node_id, title = lacking(fleet)
    page.goto(f"/console/nodes/{node_id}")
    expect(page.locator("main")).to_contain_text("Application Server patching")
    page.locator("#patches").get_by_role("link", name=title, exact=True).click()
    told = fleet.world.perform("ExplainPatch", InstanceId=node_id, Patch=title)
    expect(page.locator(".said").first).to_have_text(told["Patches"][0]["Reason"])
    expect(page.locator("main")).to_contain_text(told["Baseline"]["Name"])


def test_8_what_about_this_patch(page: Page, fleet: Fleet) -> None:
    node_id, title = lacking(fleet)
    page.goto("/console/")
    page.get_by_role("searchbox").fill(title)
    page.keyboard.press("Enter")
    page.locator("main").get_by_role("link", name=title, exact=True).first.click()
    told = fleet.world.perform("ListPatchInstances", Title=title, States=["Missing"], MaxResults=500)["Instances"]
    assert node_id in {one["InstanceId"] for one in told}
    page.locator(".tabs").get_by_role("link", name=re.compile("Missing")).click()
    expect(page.locator(".pager")).to_contain_text(f"of {len(told)} shown")
    expect(page.locator("tbody")).to_contain_text("patching")


def test_9_what_this_change_will_do(page: Page) -> None:
    page.goto("/console/patch-now")
    page.get_by_label("Patch groups").fill("Database Server")
    page.get_by_label("Operation").select_option("Install")
    page.get_by_role("button", name="Show what happens").click()
    expect(page.locator("#consequences")).to_contain_text("This installs patches on 200 nodes, now")
    expect(page.locator("#consequences")).to_contain_text("A node reboots where a patch needs it")
    # Nothing is done until it is confirmed.
    page.get_by_role("link", name="Leave it").click()
    expect(page.locator("#list tbody tr")).to_have_count(2)


def test_10_who_did_what(page: Page, fleet: Fleet) -> None:
    page.goto("/console/changes")
    told = fleet.world.perform("ListChanges", MaxResults=5)["Changes"]
    first = page.locator("tbody tr").first
    expect(first).to_contain_text(told[0]["Operation"])
    expect(first).to_contain_text(told[0]["Caller"])
    page.get_by_label("Operation").select_option("CreateDocument")
    page.get_by_role("button", name="Show").click()
    expect(page.locator("tbody tr")).to_have_count(1)
    with page.expect_download() as loading:
        page.get_by_role("link", name="CSV").click()
    assert loading.value.path().read_text(encoding="utf-8").count("CreateDocument") == 1
