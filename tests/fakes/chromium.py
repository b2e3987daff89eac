"""Debian's Chromium without a screen, which goes nowhere but to the console under test, and notes what must not happen there."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Dialog, Page, Playwright, Request, Route

WIDE: Final = 1280
NARROW: Final = 390
"""Widths in pixels: of a laptop, and of a telephone."""
HEIGHT: Final = 800
PATIENCE_MS: Final = 15_000
"""So long a page may take while other tests use the processor."""

_ARGS: Final = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
# A server that is away while its return is waited for, and pages that refuse, are told of in Chromium's own console.
_EXPECTED: Final = ("net::ERR_", "Failed to load resource", "Response Status Error Code")


class NoChromiumError(Exception):
    """There is no Chromium on this machine."""


def launch(playwright: Playwright) -> Browser:
    """Start it.

    Raises:
        NoChromiumError: it is not installed.
    """
    found = shutil.which("chromium")
    if found is None:
        raise NoChromiumError("there is no chromium here: run .ci/install-needs, or apt-get install chromium")
    return playwright.chromium.launch(executable_path=found, args=_ARGS)


class Guard:
    """What one browser window did that it must not do."""

    def __init__(self, context: BrowserContext, origin: str) -> None:
        self.problems: list[str] = []
        self.asked: list[str] = []
        """The questions that pages asked before an act; all were answered with yes."""
        self._origin = f"{origin}/"
        context.route(lambda url: not url.startswith((self._origin, "data:")), self._refuse)
        context.on("page", self._watch)

    def _refuse(self, route: Route, request: Request) -> None:
        self.problems.append(f"asked for {request.url}")
        route.abort()

    def _watch(self, page: Page) -> None:
        page.on("pageerror", lambda error: self.problems.append(f"{page.url}: {error}"))
        page.on("console", self._note)
        page.on("dialog", self._answer)

    def _note(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning") and not any(part in message.text for part in _EXPECTED):
            self.problems.append(f"console: {message.text}")

    def _answer(self, dialog: Dialog) -> None:
        # Only our own question before an act is one to be confirmed; anything else was written by somebody else's script.
        if dialog.type == "confirm":
            self.asked.append(dialog.message)
            dialog.accept()
        else:
            self.problems.append(f"{dialog.type}: {dialog.message}")
            dialog.dismiss()


@contextmanager
def guarded(browser: Browser, origin: str, **options: Any) -> Iterator[tuple[Page, Guard]]:
    """Open a window in which nothing may leave *origin*, fail or be said by a script; see what did when it is closed."""
    context = browser.new_context(**{"viewport": {"width": WIDE, "height": HEIGHT}, **options})
    context.set_default_timeout(PATIENCE_MS)
    guard = Guard(context, origin)
    try:
        yield context.new_page(), guard
    finally:
        context.close()
    assert not guard.problems, guard.problems


def sign_in(page: Page, link: str) -> None:
    """Come in by a link."""
    page.goto(link)
    page.get_by_role("button").click()
