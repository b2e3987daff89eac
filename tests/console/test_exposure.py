"""Question 4: how long we have been exposed, and to what."""

import csv
import io
import re
from urllib.parse import unquote

from tests.fakes.browser import Browser
from tests.fakes.fleet import EXPLOITED, Fleet

URL = "/console/exposure"


def test_every_node_is_in_one_bar(console: Browser, fleet: Fleet) -> None:
    told = fleet.world.perform("GetExposure")
    body = console.get(URL).body
    shown = re.findall(r'class="label">([^<]+)</span>.*?class="number">([\d,]+)</span>', body, re.DOTALL)
    assert [label for label, _ in shown] == [
        "none is missing",
        "less than 7 days",
        "7 to 13 days",
        "14 to 29 days",
        "30 to 89 days",
        "90 days and more",
        "not known",
    ]
    counts = [told["NoneMissingCount"], *(one["InstanceCount"] for one in told["Ages"]), told["UnknownCount"]]
    assert [int(count.replace(",", "")) for _, count in shown] == counts
    assert sum(counts) == 1000


def test_what_is_exploited_comes_first_and_says_what_is_overdue(console: Browser, fleet: Fleet) -> None:
    told = fleet.world.perform("GetExposure")
    body = console.get(URL).body
    first, rest = body.split("Nodes by the oldest security patch", 1)
    for cve, _, due in EXPLOITED:
        assert cve in first
        assert cve not in rest
        assert f"due {due}" in first
    assert "was due 2026-12-01" in first
    assert "was due 2026-12-16" not in first
    assert f"{told['ExploitedInstanceCount']} nodes lack a patch of what is known to be exploited" in first
    assert f"On {told['OverdueInstanceCount']} of them one is overdue" in first


def test_each_patch_leads_to_the_nodes_that_lack_it(console: Browser) -> None:
    links = re.findall(r'href="(/console/patches/[^?"]+)\?state=Missing"', console.get(URL).body)
    assert len(links) > 10
    for link in links[:3]:
        answer = console.get(unquote(link), state="Missing")
        assert answer.status == 200
        assert "/console/nodes/mi-" in answer.body


def test_its_table_has_all_patches_with_the_nodes_that_lack_them(console: Browser, fleet: Fleet) -> None:
    told = fleet.world.perform("GetExposure", MaxResults=500)["Patches"]
    rows = list(csv.DictReader(io.StringIO(console.get(URL, format="csv").body)))
    assert [(row["Title"], int(row["InstanceCount"])) for row in rows] == [
        (one["Title"], one["InstanceCount"]) for one in told
    ]
    assert {row["DueOn"] for row in rows} == {"", *(due for _, _, due in EXPLOITED)}


def test_a_viewer_is_not_offered_to_patch(console: Browser, viewer: Browser) -> None:
    assert "/console/patch-now" in console.get(URL).body
    assert "/console/patch-now" not in viewer.get(URL).body


def test_without_nodes_it_claims_nothing(browser: Browser) -> None:
    body = browser.get(URL).body
    assert "nothing is known" in body
    assert "No node is known to lack" not in body
