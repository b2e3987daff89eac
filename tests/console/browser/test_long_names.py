"""Names as long as the API lets them be: no page grows wider than its screen."""

from dataclasses import replace
from pathlib import Path
from typing import Final

import pytest
from playwright.sync_api import Browser
from tests.console.places import PATHS, places
from tests.console.serving import served
from tests.fakes.chromium import HEIGHT, NARROW, WIDE, guarded, sign_in
from tests.fakes.databases import migrated_url
from tests.fakes.fleet import Fleet

pytestmark = pytest.mark.slow

_OVER: Final = "() => document.documentElement.scrollWidth - document.documentElement.clientWidth"
_LONG: Final = 128
_COMPUTER: Final = 255


def lengthen(fleet: Fleet, there: dict[str, str]) -> None:
    """Give windows, a baseline, a tag and nodes names without a blank."""
    with fleet.world.database.write() as work:
        for one in fleet.members:
            node = work.nodes.get(one.node_id)
            assert node is not None, "it was registered"
            named = replace(node, computer_name="n" * _COMPUTER)
            work.nodes.put(named, operating_system=one.system, patch_group=one.group)
    for window in fleet.windows.values():
        fleet.world.perform("UpdateMaintenanceWindow", WindowId=window, Name="W" * _LONG, Description="D" * _LONG)
    fleet.world.perform("UpdatePatchBaseline", BaselineId=there["baseline_id"], Name="B" * _LONG)
    tag = {"Key": "K" * _LONG, "Value": "V" * _LONG}
    fleet.world.perform("AddTagsToResource", ResourceType="ManagedInstance", ResourceId=there["node_id"], Tags=[tag])


def test_no_page_grows_wider_than_its_screen(chromium: Browser, tmp_path: Path) -> None:
    with migrated_url("sqlite", tmp_path) as url:
        fleet = Fleet(url, count=60)
        there = places(fleet)
        lengthen(fleet, there)
        over: dict[tuple[int, str], int] = {}
        with served(fleet) as site, guarded(chromium, site.url, base_url=site.url) as (page, _):
            sign_in(page, site.link())
            for width in (NARROW, WIDE):
                page.set_viewport_size({"width": width, "height": HEIGHT})
                for path in PATHS:
                    page.goto(f"/console{path.format(**there)}")
                    if by := page.evaluate(_OVER):
                        over[width, path] = by
        fleet.close()
        assert over == {}
