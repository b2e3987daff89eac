"""`GET /calendar/TOKEN.ics`: the calendar of all windows, for calendar programs that have the URL.

A text is put together once a minute at most, whoever asks; a token is asked for each time, so that it ends when it is
revoked.  Who asks more often than a calendar program does is told to wait.
"""

import hashlib
import threading
from collections import Counter
from datetime import datetime, timedelta
from typing import Final

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from patchwindow.operations.calendar_feeds import is_token, text_of
from patchwindow.operations.service import Service

PER_MINUTE_MAX: Final = 30
"""So many answers of one feed within a minute; calendar programs ask a few times an hour."""

_MINUTE: Final = timedelta(minutes=1)
_MAX_AGE_S: Final = 900
_HEADERS: Final = {
    "Cache-Control": f"private, max-age={_MAX_AGE_S}",
    # The URL is the secret; no page may hand it on.
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
_NONE: Final = "There is no calendar here: the URL is wrong, or was revoked\n"
_TOO_OFTEN: Final = f"This calendar was asked for more than {PER_MINUTE_MAX} times in a minute; ask again in a minute\n"


class CalendarFeed:
    """The one page."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._lock = threading.Lock()
        self._made_at: datetime | None = None
        self._text, self._etag = b"", ""
        self._minute: datetime | None = None
        self._asked: Counter[str] = Counter()

    async def get(self, request: Request) -> Response:
        """GET /calendar/….ics."""
        token = request.path_params["token"]
        return await run_in_threadpool(self._answer, token, request.headers.get("If-None-Match", ""))

    def _answer(self, token: str, known: str) -> Response:
        with self._service.call_of_bearer() as call:
            if not is_token(call.work, token):
                return PlainTextResponse(_NONE, 404)
            with self._lock:
                if self._count(token, call.now) > PER_MINUTE_MAX:
                    return PlainTextResponse(_TOO_OFTEN, 429, {"Retry-After": "60"})
                if self._made_at is None or not self._made_at <= call.now < self._made_at + _MINUTE:
                    self._text = text_of(call.work, call.now).encode()
                    self._etag = f'"{hashlib.sha256(self._text).hexdigest()[:32]}"'
                    self._made_at = call.now
                text, headers = self._text, {**_HEADERS, "ETag": self._etag}
        if headers["ETag"] in known:
            return Response(status_code=304, headers=headers)
        return Response(text, headers=headers, media_type="text/calendar")

    def _count(self, token: str, now: datetime) -> int:
        minute = now.replace(second=0, microsecond=0)
        if minute != self._minute:
            self._minute = minute
            self._asked.clear()
        self._asked[token] += 1
        return self._asked[token]
