"""Who may come in: cookies, proofs that a form is ours, and how often one may try."""

import hashlib
import hmac
from collections import OrderedDict
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import Response

from patchwindow.domain.errors import Denied, LimitExceeded
from patchwindow.operations.sign_in import SESSION_MAX

TRIES: Final = 10
"""How many wrong passwords a name, or an address, may give in a while."""
TRIES_IN: Final = timedelta(minutes=15)

_KNOWN_MAX: Final = 10_000


class TooManyTries(LimitExceeded):
    """So many sign-ins failed that this one is not looked at."""


@dataclass(frozen=True, slots=True)
class Cookies:
    """The names of our cookies, and how they are set."""

    is_secure: bool
    """Whether browsers reach us by TLS."""

    @property
    def session(self) -> str:
        """The cookie of the session. With TLS no other host, nor anybody without TLS, can set it."""
        return "__Host-patchwindow" if self.is_secure else "patchwindow"

    def let_in(self, answer: Response, token: str) -> None:
        """Give a browser its session."""
        self._set(answer, self.session, token, SESSION_MAX)

    def let_out(self, answer: Response) -> None:
        """Take the session from a browser."""
        answer.delete_cookie(self.session, path="/", secure=self.is_secure, httponly=True, samesite="lax")

    def keep(self, answer: Response, name: str, value: str, life: timedelta) -> None:
        """Let a browser remember something that is no secret."""
        self._set(answer, name, value, life)

    def _set(self, answer: Response, name: str, value: str, life: timedelta) -> None:
        # Lax, so that a link from a message opens the page; what changes anything is a POST with a proof.
        seconds = int(life.total_seconds())
        answer.set_cookie(name, value, max_age=seconds, path="/", secure=self.is_secure, httponly=True, samesite="lax")


def proof_of(seal_key: bytes, token: str) -> str:
    """Return the proof that a form was made for this session: no other site can know it."""
    return hmac.digest(seal_key, f"console form\n{token}".encode("utf-8", "surrogatepass"), hashlib.sha256).hex()


def check_origin(headers: Headers) -> None:
    """Check that a form was sent by a page of ours, as far as the browser says.

    Raises:
        Denied: another site sent it.
    """
    origin = headers.get("origin")
    sent_by_other = headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none")
    if sent_by_other or (origin is not None and urlsplit(origin).netloc != headers.get("host", "")):
        raise Denied(
            "this form was sent by a page of another site, and nothing was done; open the console and try again"
        )


def address_of(request: Request) -> str:
    """Return from where a request came; of a proxy in between, the proxy's."""
    return request.client.host if request.client else ""


class Tries:
    """How often signing in has failed of late, by name and by address; in this process alone."""

    def __init__(self) -> None:
        self._failed: OrderedDict[str, list[datetime]] = OrderedDict()

    def begin(self, now: datetime, *whose: str) -> None:
        """Count a try against all of *whose* before it is looked at, so that many at once are not many more than allowed.

        Raises:
            TooManyTries: not now; the message says when again. Nothing is counted.
        """
        for who in whose:
            recent = self._recent(who, now)
            if len(recent) >= TRIES:
                wait = recent[-TRIES] + TRIES_IN - now
                minutes = max(1, round(wait.total_seconds() / 60))
                raise TooManyTries(f"too many sign-ins failed; try again in {minutes} min, or use a sign-in link")
        for who in whose:
            self._failed[who] = [*self._recent(who, now), now]
            self._failed.move_to_end(who)
        while len(self._failed) > _KNOWN_MAX:
            self._failed.popitem(last=False)

    def succeed(self, now: datetime, *whose: str) -> None:
        """Take back the try that began at *now*: it was right."""
        for who in whose:
            tries = self._failed.get(who, [])
            if now in tries:
                tries.remove(now)

    def _recent(self, who: str, now: datetime) -> list[datetime]:
        return [at for at in self._failed.get(who, ()) if now - at < TRIES_IN]
