"""Signing in and out: the pages that nobody need be signed in for."""

import functools
import logging
from collections.abc import Awaitable, Callable, Iterator, Sequence
from typing import Any, Final
from urllib.parse import parse_qs

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from patchwindow.console.door import Cookies, Tries, address_of, check_origin
from patchwindow.console.render import render_plain
from patchwindow.domain.errors import LimitExceeded
from patchwindow.operations.sign_in import NotSignedIn, SignIn
from patchwindow.ports import Clock

_BYTES_MAX: Final = 16 * 1024
_FIELDS_MAX: Final = 20
_TOLD_APART: Final = 80
"""Tries are remembered by so many letters of a name, which is more than any has, however long a stranger's is."""
_LOG: Final = logging.getLogger(__name__)

Work = Callable[[Callable[[], Any]], Awaitable[Any]]
Handler = Callable[[Request], Awaitable[Response]]


class Threshold:
    """The way in by password or link, and the way out."""

    def __init__(self, sign_in: SignIn, cookies: Cookies, clock: Clock, work: Work, *, home: str) -> None:
        self._sign_in = sign_in
        self._cookies = cookies
        self._clock = clock
        self._work = work
        self._home = home
        self._tries = Tries()

    def handlers(self) -> Iterator[tuple[str, Handler, Sequence[str]]]:
        """Yield path, handler and methods of each page."""
        yield "/sign-in", self._password, ("GET", "POST")
        yield "/link/{secret}", self._link, ("GET", "POST")
        yield "/sign-out", self._out, ("POST",)

    async def _password(self, request: Request) -> Response:
        following = self._following(request.query_params.get("next", ""))
        if request.method == "GET":
            return self._ask(following, "", "", 200)
        fields = await self._fields(request)
        name, password = fields.get("name", ""), fields.get("password", "")
        address, now = address_of(request), self._clock.now()
        whose = (f"name {name[:_TOLD_APART]}", f"address {address}")
        try:
            self._tries.begin(now, *whose)
            token = await self._work(functools.partial(self._sign_in.by_password, name, password))
        except NotSignedIn as problem:
            # Not as whom: people write a password into the wrong field.
            _LOG.warning("a sign-in to the console failed, from %s", address)
            return self._ask(following, name, str(problem), 401)
        except LimitExceeded as problem:
            return self._ask(following, name, str(problem), 429)
        self._tries.succeed(now, *whose)
        await self._note(token, "by password", address)
        return self._let_in(token, following)

    async def _link(self, request: Request) -> Response:
        secret = request.path_params["secret"]
        if request.method == "GET":
            # Opened by the button alone: programs that look at links before people do would use it up.
            name = await self._work(functools.partial(self._sign_in.person_of_link, secret))
            status = 200 if name else 410
            return Response(render_plain("link.html", name=name, home=self._home), status, media_type="text/html")
        check_origin(request.headers)
        try:
            token = await self._work(functools.partial(self._sign_in.by_link, secret))
        except NotSignedIn:
            return Response(render_plain("link.html", name=None, home=self._home), 410, media_type="text/html")
        await self._note(token, "by a link", address_of(request))
        return self._let_in(token, self._home)

    async def _out(self, request: Request) -> Response:
        check_origin(request.headers)
        token = request.cookies.get(self._cookies.session)
        if token:
            await self._work(functools.partial(self._sign_in.end, token))
        answer = RedirectResponse(f"{self._home}sign-in", 303)
        self._cookies.let_out(answer)
        return answer

    async def _note(self, token: str, how: str, address: str) -> None:
        signed = await self._work(functools.partial(self._sign_in.signed_in, token))
        if signed is not None:
            _LOG.info("%s (%s) signed in to the console %s, from %s", signed.name, signed.role, how, address)

    def _ask(self, following: str, name: str, problem: str, status: int) -> Response:
        text = render_plain("sign_in.html", following=following, name=name, problem=problem, home=self._home)
        return Response(text, status, media_type="text/html")

    def _let_in(self, token: str, following: str) -> Response:
        answer = RedirectResponse(following, 303)
        self._cookies.let_in(answer, token)
        return answer

    def _following(self, wanted: str) -> str:
        """Return where to go after signing in: a page of ours, wherever a link says."""
        is_ours = wanted.startswith(self._home) and "\\" not in wanted and "//" not in wanted.partition("?")[0]
        return wanted if is_ours else self._home

    async def _fields(self, request: Request) -> dict[str, str]:
        check_origin(request.headers)
        body = b""
        async for piece in request.stream():
            body += piece
            if len(body) > _BYTES_MAX:
                raise LimitExceeded(f"the form is larger than {_BYTES_MAX} bytes; a name and a password are not")
        try:
            found = parse_qs(body.decode("utf-8", "replace"), keep_blank_values=True, max_num_fields=_FIELDS_MAX)
        except ValueError:
            raise LimitExceeded(
                f"the form has more than {_FIELDS_MAX} fields; it needs a name and a password"
            ) from None
        return {name: values[0] for name, values in found.items()}
