"""The pictures of the documentation, made of the console of a fleet on its patch night: `make screenshots`."""

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final, Literal

from playwright.sync_api import Page, sync_playwright
from tests.console.places import places
from tests.console.serving import served
from tests.fakes.chromium import NARROW, WIDE, NoChromiumError, guarded, launch, sign_in
from tests.fakes.databases import migrated_url
from tests.fakes.fleet import Fleet

FOLDER: Final = Path(__file__).parents[2] / "docs" / "screenshots"
BYTES_MAX: Final = 1_500_000
"""All of them together: they are cloned by everybody."""
_ZONE: Final = "Europe/Berlin"


def _nothing(_: Page) -> None:
    """Take the page as it is loaded."""


def _weigh(page: Page) -> None:
    """Ask what an installation on the database servers would do."""
    page.get_by_label("Patch groups").fill("Database Server")
    page.get_by_label("Operation").select_option("Install")
    page.get_by_label("At a time").fill("10%")
    page.get_by_role("button", name="Show what happens").click()
    page.locator("#consequences").wait_for()


def _forecast(page: Page) -> None:
    """Wait for what is worked out."""
    page.locator("#forecast table, #forecast dl").first.wait_for()


@dataclass(frozen=True, slots=True, kw_only=True)
class Shot:
    """One picture."""

    name: str
    path: str
    prepare: Callable[[Page], None] = _nothing
    height: int = 800
    width: int = WIDE
    scheme: Literal["light", "dark"] = "light"


SHOTS: Final = (
    Shot(name="tonight", path="/", height=620),
    Shot(name="tonight-dark", path="/", height=620, scheme="dark"),
    Shot(name="attention", path="/attention", height=640),
    Shot(name="compliance", path="/compliance"),
    Shot(name="exposure", path="/exposure"),
    Shot(name="calendar", path="/calendar"),
    Shot(name="opening", path="/openings/{window_id}/{at}", prepare=_forecast),
    Shot(name="execution", path="/executions/{execution_id}", height=700),
    Shot(name="execution-narrow", path="/executions/{execution_id}", width=NARROW, height=1120),
    Shot(name="node", path="/nodes/{lacking}", height=900),
    Shot(name="explained", path="/nodes/{lacking}/patches/{lacked}", height=640),
    Shot(name="patch-now", path="/patch-now", prepare=_weigh),
    Shot(name="changes", path="/changes", height=640),
)


def _lacking(fleet: Fleet) -> dict[str, str]:
    """Return a node that lacks a patch which a window will install, and that patch."""
    filters = [{"Key": "State", "Values": ["Missing"]}, {"Key": "PatchGroup", "Values": ["Application Server"]}]
    node_id = fleet.world.perform("GetFleetCompliance", Filters=filters, MaxResults=1)["Nodes"][0]["InstanceId"]
    missing = [{"Key": "State", "Values": ["Missing"]}]
    patches = fleet.world.perform("DescribeInstancePatches", InstanceId=node_id, Filters=missing)["Patches"]
    return {"lacking": node_id, "lacked": patches[0]["Title"]}


def take(folder: Path) -> int:
    """Write every picture to *folder*, and return how many bytes they have together.

    Raises:
        NoChromiumError: there is no Chromium here.
    """
    folder.mkdir(exist_ok=True)
    with TemporaryDirectory() as scratch, migrated_url("sqlite", Path(scratch)) as url, sync_playwright() as playwright:
        browser = launch(playwright)
        fleet = Fleet(url)
        there = {**places(fleet), **_lacking(fleet)}
        with served(fleet) as site, guarded(browser, site.url, base_url=site.url) as (page, _):
            sign_in(page, site.link())
            page.goto("/console/me")
            page.get_by_label("Show times in").fill(_ZONE)
            page.get_by_role("button", name="Use this zone").click()
            for shot in SHOTS:
                page.set_viewport_size({"width": shot.width, "height": shot.height})
                page.emulate_media(color_scheme=shot.scheme, reduced_motion="reduce")
                page.goto("/console" + shot.path.format(**there))
                shot.prepare(page)
                page.screenshot(path=folder / f"{shot.name}.png")
        browser.close()
        fleet.close()
    return sum((folder / f"{shot.name}.png").stat().st_size for shot in SHOTS)


def main() -> int:
    """Take them, and return the exit code."""
    try:
        size = take(FOLDER)
    except NoChromiumError as problem:
        print(problem, file=sys.stderr)  # noqa: T201  (for who runs it by hand)
        return 1
    print(f"{len(SHOTS)} pictures in docs/screenshots, {size / 1e6:.1f} MB")  # noqa: T201  (for who runs it by hand)
    return int(size > BYTES_MAX)


if __name__ == "__main__":
    sys.exit(main())
