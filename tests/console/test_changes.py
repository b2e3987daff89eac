"""Question 10: who changed what, when and from where."""

import csv
import io
import json
import re
from datetime import timedelta

import pytest
from tests.fakes.browser import ADDRESS, Browser
from tests.fakes.fleet import HOSTILE, Fleet
from tests.fakes.site import Installation

from patchwindow.operations.call import Caller
from patchwindow.store.settings import AccessKey, Role

EVE = Caller(id="person/eve", role=Role.ADMIN, address="192.0.2.9")


def window(here: Installation, caller: Caller = EVE, name: str = "web") -> str:
    made: str = here.perform(
        "CreateMaintenanceWindow",
        caller,
        Name=name,
        Schedule="rate(1 day)",
        Duration=4,
        Cutoff=1,
        AllowUnassociatedTargets=False,
    )["WindowId"]
    return made


def listed(browser: Browser, **query: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(browser.get("/console/changes", format="csv", **query).body)))


def test_a_change_is_shown_with_who_from_where_and_both_values(browser: Browser, here: Installation) -> None:
    made = window(here)
    here.perform("UpdateMaintenanceWindow", EVE, WindowId=made, Cutoff=2)
    body = browser.get("/console/changes").body
    row = next(part for part in body.split("<tr>") if "UpdateMaintenanceWindow<br>" in part)
    assert "person/eve" in row
    assert "192.0.2.9" in row
    assert f'href="/console/windows/{made}"' in row
    assert re.search(r"Cutoff</span>\s*<del>1</del>\s*<ins>2</ins>", row)


def test_what_is_done_in_the_console_is_on_record_with_the_address_of_the_browser(
    console: Browser, fleet: Fleet
) -> None:
    execution = fleet.world.execution(fleet.windows["Web Server"])["WindowExecutionId"]
    assert console.post(f"/console/executions/{execution}").status == 303
    (first, *_) = json.loads(console.get("/console/changes", format="json").body)
    assert (first["Caller"], first["Address"], first["Resource"]) == ("person/eve", ADDRESS, execution)


def test_a_key_is_shown_with_what_it_is_for(browser: Browser, here: Installation) -> None:
    key = AccessKey(access_key_id="AKIA1", secret_access_key="s", role=Role.OPERATOR, comment=HOSTILE)
    with here.database.write() as work:
        work.access_keys.add(key, here.clock.now())
    window(here, Caller(id="AKIA1", role=Role.OPERATOR))
    body = browser.get("/console/changes").body
    assert "AKIA1" in body
    assert "&lt;script&gt;" in body
    assert HOSTILE not in body


def test_filters_leave_just_what_passes(browser: Browser, here: Installation) -> None:
    first = window(here)
    window(here, Caller(id="AKIA1", role=Role.OPERATOR))
    assert [one["Resource"] for one in listed(browser, who="person/eve")] == [first]
    assert [one["Caller"] for one in listed(browser, of=first)] == ["person/eve"]
    assert listed(browser, operation="DeleteMaintenanceWindow") == []
    today = here.clock.now().date()
    assert len(listed(browser, **{"from": today.isoformat(), "to": today.isoformat()})) == 2
    assert listed(browser, to=(today - timedelta(days=1)).isoformat()) == []


def test_csv_has_all_that_passes_and_not_one_page_alone(browser: Browser, here: Installation) -> None:
    for number in range(45):
        window(here, name=f"window-{number}")
    assert browser.get("/console/changes").body.count("CreateMaintenanceWindow<br>") == 40
    assert len(listed(browser)) == 45


def test_the_next_page_goes_on(browser: Browser, here: Installation) -> None:
    for number in range(45):
        window(here, name=f"window-{number}")
    found = re.search(r'rel="next" href="([^"]+)"', browser.get("/console/changes").body)
    assert found is not None
    query = found[1].replace("&amp;", "&").partition("after=")[2]
    assert browser.get("/console/changes", after=query).body.count("CreateMaintenanceWindow<br>") == 5


def test_a_deleted_thing_is_told_as_it_was_and_has_no_link(browser: Browser, here: Installation) -> None:
    made = window(here)
    here.perform("DeleteMaintenanceWindow", EVE, WindowId=made)
    row = browser.get("/console/changes", operation="DeleteMaintenanceWindow").body
    assert "Gone; as it was" in row
    assert f'href="/console/windows/{made}"' not in row


@pytest.mark.parametrize(("name", "value"), [("from", "yesterday"), ("to", "2026-13-01")])
def test_what_is_no_day_is_refused_with_how_to_write_one(browser: Browser, name: str, value: str) -> None:
    answer = browser.get("/console/changes", **{name: value})
    assert answer.status == 400
    assert value in answer.body
    assert "2026-12-03" in answer.body


def test_nothing_is_told_where_nothing_was_changed(browser: Browser) -> None:
    assert "Nothing was changed yet" in browser.get("/console/changes").body


def test_a_viewer_sees_it_too(viewer: Browser) -> None:
    assert viewer.get("/console/changes").status == 200
