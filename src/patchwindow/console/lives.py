"""Live views: parts of pages that are sent anew when they change, as server-sent events.

All looks are taken on one thread of their own, one after another, and who would see the same shares one. So however many
views there are, pages have their threads; where a round of looks takes longer than a second, views are renewed less often.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final

from patchwindow.domain.errors import NotFound

LIVES_MAX: Final = 200
"""Live views at once."""
LIVE_EVERY_S: Final = 1.0
STILL_EVERY_S: Final = 15.0
"""So often a view says that it is there, however little changes; `console.js` gives up on one that is silent for longer."""

_LOG: Final = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Made:
    """What a part of a page looks like now, as HTML, and whether nothing will change any more."""

    html: str
    is_over: bool


Looked = Made | None
"""What a look tells; None where nobody is signed in any more."""
SeenAs = tuple[str, ...]
"""By what looks are the same: what is looked at, and all of its reader that a page depends on."""


class Lives:
    """The live views of one server."""

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="console-live")
        self._shared: dict[SeenAs, Made] = {}
        self._shared_since_s = 0.0
        self._is_stopping = False
        self._count = 0

    def stop(self) -> None:
        """End all views soon; from any thread. Browsers connect again when a server is there."""
        self._is_stopping = True

    def close(self) -> None:
        """Let the thread end."""
        self._thread.shutdown(wait=False)

    def shared(self, seen_as: SeenAs, make: Callable[[], Made]) -> Made:
        """Return what another has seen a moment ago, or else what *make* makes; only from within a look."""
        if seen_as not in self._shared:
            self._shared[seen_as] = make()
        return self._shared[seen_as]

    async def events(self, look: Callable[[], Looked]) -> AsyncIterator[str]:
        """Yield the part whenever it has changed (`update`), until the page is to be loaded again (`over`): nothing changes
        any more, nobody is signed in, or what it shows is not there any more. `full` says that there are too many.
        """
        if self._count >= LIVES_MAX:
            yield _event(
                "full", f"There are {LIVES_MAX} live views already: this page stays as it is. Reload it by hand."
            )
            return
        self._count += 1
        try:
            async for event in self._changes(look):
                yield event
        except NotFound:
            yield _event("over", "")
        except Exception:  # noqa: BLE001  (whatever it is, the browser tries again, and the log has the rest)
            _LOG.exception("a live view failed; its browser tries again")
        finally:
            self._count -= 1

    async def _changes(self, look: Callable[[], Looked]) -> AsyncIterator[str]:
        loop = asyncio.get_running_loop()
        last, told_at_s = "", loop.time()
        while not self._is_stopping:
            found = await loop.run_in_executor(self._thread, self._take, look, loop.time())
            if found is not None and found.html != last:
                yield _event("update", found.html)
                last, told_at_s = found.html, loop.time()
            if found is None or found.is_over:
                yield _event("over", "")
                return
            if loop.time() - told_at_s >= STILL_EVERY_S:
                yield _event("still", "")
                told_at_s = loop.time()
            await asyncio.sleep(LIVE_EVERY_S)

    def _take(self, look: Callable[[], Looked], asked_at_s: float) -> Looked:
        # Looks that were asked for within a second of the first of them see the same.
        if asked_at_s - self._shared_since_s >= LIVE_EVERY_S:
            self._shared.clear()
            self._shared_since_s = asked_at_s
        return look()


def _event(name: str, text: str) -> str:
    return f"event: {name}\n" + "".join(f"data: {line}\n" for line in text.split("\n")) + "\n"
