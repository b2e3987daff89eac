"""The real machine's own node, from `patchwindow up`'s sign-in link to why a patch is missing on it."""

import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect
from tests.fakes.chromium import guarded, sign_in
from tests.fakes.commandline import PATCHWINDOW, environment, line_of

pytestmark = pytest.mark.slow


@dataclass(frozen=True, slots=True)
class Up:
    """What `up` said of this machine."""

    url: str
    link: str
    node_id: str
    counts: dict[str, int]
    """Patches by state."""


@pytest.fixture(scope="module")
def up(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Up]:
    """Let `up` scan this machine with its own packages, which changes none of them."""
    folder = tmp_path_factory.mktemp("up")
    process = subprocess.Popen(
        [*PATCHWINDOW, "up", "--data", str(folder / "data")],
        env=environment(Path(folder)),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None, "it is a pipe"
    assert process.stdout is not None, "it is a pipe"
    try:
        fourth = line_of(process.stderr, "4. ")
        if not fourth.startswith("4. Scanning"):
            pytest.skip(f"the machine cannot be scanned, which needs a package manager and its mirrors: {fourth}")
        # The last line but one, where it is seen.
        link = line_of(process.stderr, "The console").split()[-1]
        assert line_of(process.stderr, "").startswith("Serving until")
        printed = line_of(process.stdout, "patches: ")
        yield Up(
            url=link.partition("/console/")[0],
            link=link,
            node_id=fourth.split()[2].rstrip(":"),
            counts={state: int(count) for count, state in re.findall(r"(\d+) (\w+)", printed)},
        )
    finally:
        process.terminate()
        process.communicate(timeout=20)


def test_the_link_leads_to_this_machine_s_node_with_what_up_printed(chromium: Browser, up: Up) -> None:
    with guarded(chromium, up.url, base_url=up.url) as (page, _):
        sign_in(page, up.link)
        expect(page.get_by_role("heading", level=1)).to_have_text("Tonight")
        page.get_by_role("searchbox").fill(up.node_id)
        page.keyboard.press("Enter")
        page.locator("main").get_by_role("link").filter(has_not_text="CSV").first.click()
        expect(page.locator("main")).to_contain_text(up.node_id)
        tabs = page.locator("#patches .tabs a")
        shown = {
            text.rsplit(maxsplit=1)[0]: int(text.rsplit(maxsplit=1)[1].replace(",", ""))
            for text in tabs.all_inner_texts()
        }
        assert sorted(shown.values()) == sorted(count for count in up.counts.values() if count)
        first = page.locator("#patches tbody a").first
        title = first.inner_text()
        first.click()
        expect(page.get_by_role("heading", level=1)).to_contain_text(title)
        expect(page.locator(".said").first).not_to_be_empty()
        page.goto(up.link)
        expect(page.get_by_text("This link is over")).to_be_visible()
