"""A browser without a screen: it keeps cookies, sends forms as pages have them, and shows what it got."""

import asyncio
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from http.cookies import SimpleCookie
from typing import Any, Final
from urllib.parse import urlencode, urlsplit

from starlette.applications import Starlette
from tests.engine.world import World
from tests.fakes.site import SITE, Installation

from patchwindow.console.app import Console
from patchwindow.operations.sign_in import add_person, make_link
from patchwindow.protocol.service import load_operations
from patchwindow.store.settings import Role

HOST: Final = urlsplit(SITE.public_url).netloc
ADDRESS: Final = "192.0.2.7"
_FORM: Final = {"Content-Type": "application/x-www-form-urlencoded", "Origin": f"https://{HOST}"}
_CSRF: Final = re.compile(r'name="csrf" value="([0-9a-f]+)"')


@dataclass(frozen=True, slots=True)
class Loaded:
    """What came back."""

    status: int
    headers: Mapping[str, str]
    body: str

    @property
    def location(self) -> str:
        """Where it leads."""
        return self.headers["location"]


class Browser:
    """One browser in front of the console of *here*."""

    def __init__(self, here: Installation | World) -> None:
        self.here = here
        self.console = Console(here.service, load_operations())
        self.app = Starlette(routes=self.console.routes())
        self.cookies: dict[str, str] = {}
        self.csrf = ""

    def sign_in(self, name: str = "eve", role: Role = Role.ADMIN) -> None:
        """Come in as somebody, who is made where unknown."""
        with self.here.database.write() as work:
            if work.people.get(name) is None:
                add_person(work, name, role, now=self.here.clock.now())
            secret = make_link(work, name, now=self.here.clock.now(), ids=self.here.ids)
        assert self.post(f"/console/link/{secret}").location == "/console/"
        # Every page with a form of ours has the proof; this one always does.
        self.csrf = _csrf(self.get("/console/me"))

    def get(self, path: str, headers: Mapping[str, str] | None = None, /, **query: str | Sequence[str]) -> Loaded:
        """Load a page."""
        return self._send("GET", path, urlencode(query, doseq=True), b"", headers or {})

    def post(
        self,
        path: str,
        fields: Mapping[str, str | Sequence[str]] | None = None,
        *,
        query: str = "",
        headers: Mapping[str, str] | None = None,
    ) -> Loaded:
        """Send a form, with the proof that it is ours unless the fields say another."""
        filled = {"csrf": self.csrf, **(fields or {})}
        return self._send("POST", path, query, urlencode(filled, doseq=True).encode(), {**_FORM, **(headers or {})})

    def post_at_once(self, path: str, forms: Sequence[Mapping[str, str]]) -> list[Loaded]:
        """Send many forms before any of them is answered."""

        async def sent() -> list[tuple[Loaded, list[str]]]:
            scope = self._scope("POST", path, "", _FORM)
            return await asyncio.gather(*(_exchange(self.app, dict(scope), urlencode(one).encode()) for one in forms))

        return [loaded for loaded, _ in asyncio.run(sent())]

    def follow(self, loaded: Loaded) -> Loaded:
        """Go where an answer leads."""
        parts = urlsplit(loaded.location)
        return self._send("GET", parts.path, parts.query, b"", {})

    def close(self) -> None:
        """Give up the threads."""
        self.console.close()

    def _send(self, method: str, path: str, query: str, body: bytes, headers: Mapping[str, str]) -> Loaded:
        loaded, cookies = asyncio.run(_exchange(self.app, self._scope(method, path, query, headers), body))
        self.take_cookies(cookies)
        return loaded

    def _scope(self, method: str, path: str, query: str, headers: Mapping[str, str]) -> dict[str, Any]:
        sent = {"Host": HOST, **headers}
        if self.cookies:
            sent["Cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        return {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": method,
            "scheme": "https",
            "path": path,
            "raw_path": path.encode(),
            "query_string": query.encode(),
            "root_path": "",
            "headers": [(name.lower().encode(), value.encode()) for name, value in sent.items()],
            "server": (HOST, 443),
            "client": (ADDRESS, 40000),
        }

    def take_cookies(self, lines: Sequence[str]) -> None:
        """Keep cookies, or forget those that are over."""
        for line in lines:
            for name, morsel in SimpleCookie(line).items():
                if morsel["max-age"] == "0":
                    self.cookies.pop(name, None)
                else:
                    self.cookies[name] = morsel.coded_value


async def _exchange(app: Starlette, scope: dict[str, Any], body: bytes) -> tuple[Loaded, list[str]]:
    messages = [{"type": "http.request", "body": body, "more_body": False}]
    status, headers, pieces = 0, list[tuple[bytes, bytes]](), list[bytes]()

    async def receive() -> dict[str, Any]:
        if not messages:
            # It waits for all of the answer.
            await asyncio.Event().wait()
        return messages.pop()

    async def send(message: Any) -> None:
        nonlocal status, headers
        if message["type"] == "http.response.start":
            status, headers = message["status"], message["headers"]
        else:
            pieces.append(message.get("body", b""))

    await app(scope, receive, send)
    told = {name.decode(): value.decode() for name, value in headers}
    cookies = [value.decode() for name, value in headers if name == b"set-cookie"]
    return Loaded(status, told, b"".join(pieces).decode()), cookies


def _csrf(loaded: Loaded) -> str:
    found = _CSRF.search(loaded.body)
    assert found is not None, loaded.body
    return found[1]
