"""HTTP in front of the pages: who asks, one transaction, the page, its headers."""

import asyncio
import functools
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import Any, Final
from urllib.parse import parse_qs, quote, unquote

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response, StreamingResponse
from starlette.routing import Route

from patchwindow.console import refusals
from patchwindow.console.door import Cookies, address_of, check_origin, proof_of
from patchwindow.console.lives import Lives, Looked, Made
from patchwindow.console.pages import me
from patchwindow.console.render import Frame, render_page, render_part
from patchwindow.console.site import ADMIN_SECTIONS, FORMS, LIVES, PAGES, SECTIONS
from patchwindow.console.site_types import Form, Live, Page
from patchwindow.console.static import static_route
from patchwindow.console.tables import to_csv, to_json
from patchwindow.console.threshold import Threshold
from patchwindow.console.times import zone_of
from patchwindow.console.view import Act, Again, Done, Once, Shown, View
from patchwindow.domain.errors import Denied, LimitExceeded, PatchwindowError
from patchwindow.operations.call import Answer, Caller
from patchwindow.operations.service import Ask, Service
from patchwindow.operations.sign_in import NotSignedIn, SignedIn, SignIn
from patchwindow.protocol.service import OperationModel

ROOT: Final = "/console"
ZONE_COOKIE: Final = "patchwindow-zone"
FORM_BYTES_MAX: Final = 256 * 1024
FIELDS_MAX: Final = 2000

_FLASH: Final = "patchwindow-said"
_THREADS: Final = 4
_LOG: Final = logging.getLogger(__name__)

_HEADERS: Final[Mapping[str, str]] = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
        "form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
    ),
    "Cross-Origin-Opener-Policy": "same-origin",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}

Handler = Callable[[Request], Awaitable[Response]]


class Console:
    """The pages of one server."""

    def __init__(self, service: Service, operations: Mapping[str, OperationModel]) -> None:
        self._service = service
        self._models = {model.name: model for model in operations.values()}
        self._sign_in = SignIn(service.database, service.clock, service.ids)
        self._cookies = Cookies(is_secure=service.site.public_url.startswith("https:"))
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="console")
        self._lives = Lives()

    def routes(self) -> list[Route]:
        """Return where everything is."""
        threshold = Threshold(self._sign_in, self._cookies, self._service.clock, self._work, home=f"{ROOT}/")
        return [
            # Forms first: what is new, such as /windows/new, must not be taken for the id of something.
            *(
                Route(ROOT + form.path, self._safely(functools.partial(self._form, form)), methods=["GET", "POST"])
                for form in FORMS
            ),
            *(Route(ROOT + page.path, self._safely(functools.partial(self._get, page))) for page in PAGES),
            *(Route(ROOT + live.path, self._safely(functools.partial(self._live, live))) for live in LIVES),
            *(
                Route(ROOT + path, self._safely(handler), methods=list(methods))
                for path, handler, methods in threshold.handlers()
            ),
            Route(f"{ROOT}/zone", self._safely(self._choose_zone), methods=["POST"]),
            Route(f"{ROOT}/password", self._safely(self._change_password), methods=["POST"]),
            static_route(f"{ROOT}/static"),
            Route(ROOT, self._to_home),
            Route(ROOT + "/{rest:path}", self._safely(self._nowhere)),
        ]

    def stop_waiting(self) -> None:
        """End live views soon; from any thread."""
        self._lives.stop()

    def close(self) -> None:
        """Let the threads end."""
        self._threads.shutdown(wait=False)
        self._lives.close()

    async def _work(self, job: Callable[[], Any]) -> Any:
        return await asyncio.get_running_loop().run_in_executor(self._threads, job)

    def _safely(self, handler: Handler) -> Handler:
        """Return *handler* with our headers on whatever it answers, and a page for what it raises."""

        @functools.wraps(handler)
        async def answer(request: Request) -> Response:
            try:
                found = await handler(request)
            except PatchwindowError as problem:
                found = refusals.page(problem, home=f"{ROOT}/")
            except Exception:  # noqa: BLE001  (whatever it is, there is a page for it, and the log has the rest)
                _LOG.exception("%s %s failed", request.method, request.url.path)
                found = refusals.defect(home=f"{ROOT}/")
            for name, value in _HEADERS.items():
                found.headers.setdefault(name, value)
            return found

        return answer

    async def _get(self, page: Page, request: Request) -> Response:
        signed = await self._who(request)
        if signed is None:
            return _to_sign_in(request)

        def make() -> Response:
            with self._asking(signed, writes=False) as run:
                view = self._view(request, signed, run)
                shown = page.show(view)
                kind = view.first("format")
                if kind and shown.table is not None:
                    return _download(shown, kind)
            return self._answer(shown, request, view)

        answered: Response = await self._work(make)
        return answered

    async def _form(self, form: Form, request: Request) -> Response:
        signed = await self._who(request)
        if signed is None:
            return _to_sign_in(request)
        if request.method == "GET":
            return await self._get(Page(form.path, form.show), request)
        fields = await self._fields(request)
        self._check_proof(request, fields)

        def make() -> Response:
            kept = dict(fields)
            try:
                with self._asking(signed, writes=True, address=address_of(request)) as run:
                    done = _submit(form, Act(view=self._view(request, signed, run), form=kept))
            except _NotYet as only:
                with self._asking(signed, writes=False) as run:
                    view = self._view(request, signed, run)
                    shown = only.again(view)
                    status = 400 if only.problems else None
                    return self._answer(shown, request, view, problems=only.problems, kept=kept, status=status)
            except PatchwindowError as problem:
                problems = refusals.by_field(problem, kept)
                with self._asking(signed, writes=False) as run:
                    view = self._view(request, signed, run)
                    shown = form.show(view)
                return self._answer(shown, request, view, problems=problems, kept=kept, status=400)
            if isinstance(done, Once):
                with self._asking(signed, writes=False) as run:
                    return self._answer(done.shown, request, self._view(request, signed, run))
            return _go(done, self._cookies)

        answered: Response = await self._work(make)
        return answered

    async def _live(self, live: Live, request: Request) -> Response:
        def look() -> Looked:
            signed = self._sign_in.signed_in(request.cookies.get(self._cookies.session, ""))
            if signed is None:
                return None
            with self._asking(signed, writes=False) as run:
                view = self._view(request, signed, run)
                seen_as = (request.url.path, request.url.query, view.zone.key, str(signed.role))
                return self._lives.shared(seen_as, lambda: _part(live, view))

        return StreamingResponse(self._lives.events(look), media_type="text/event-stream")

    async def _who(self, request: Request) -> SignedIn | None:
        token = request.cookies.get(self._cookies.session)
        if not token:
            return None
        found: SignedIn | None = await self._work(functools.partial(self._sign_in.signed_in, token))
        return found

    async def _fields(self, request: Request) -> dict[str, list[str]]:
        body = b""
        async for piece in request.stream():
            body += piece
            if len(body) > FORM_BYTES_MAX:
                raise LimitExceeded(f"the form is larger than {FORM_BYTES_MAX} bytes; send less at a time")
        text = body.decode("utf-8", "replace")
        try:
            return parse_qs(text, keep_blank_values=True, max_num_fields=FIELDS_MAX)
        except ValueError:
            raise LimitExceeded(f"the form has more than {FIELDS_MAX} fields; send less at a time") from None

    def _check_proof(self, request: Request, fields: Mapping[str, Sequence[str]]) -> None:
        check_origin(request.headers)
        proof = proof_of(self._service.site.seal_key, request.cookies.get(self._cookies.session, ""))
        if fields.get("csrf") != [proof]:
            raise Denied(
                "this form is of another sign-in, and nothing was done; go back, reload the page and try again"
            )

    def _asking(self, signed: SignedIn, *, writes: bool, address: str = "") -> Any:
        caller = Caller(id=f"person/{signed.name}", role=signed.role, address=address)
        return self._service.asking(caller, writes=writes)

    def _view(self, request: Request, signed: SignedIn, run: Ask) -> View:
        def checked(name: str, members: Mapping[str, Any]) -> Answer:
            return run(name, self._models[name].read(_as_sent(members)))

        return View(
            person=signed,
            path=request.path_params,
            query=parse_qs(request.url.query, keep_blank_values=True),
            now=self._service.clock.now(),
            zone=zone_of(unquote(request.cookies.get(ZONE_COOKIE, ""))),
            public_url=self._service.site.public_url,
            run=checked,
        )

    def _answer(
        self,
        shown: Shown,
        request: Request,
        view: View,
        *,
        problems: Mapping[str, str] | None = None,
        kept: Mapping[str, Sequence[str]] | None = None,
        status: int | None = None,
    ) -> Response:
        frame = Frame(
            view=view,
            csrf=proof_of(self._service.site.seal_key, request.cookies.get(self._cookies.session, "")),
            path=request.url.path,
            query=request.url.query,
            flash=unquote(request.cookies.get(_FLASH, "")),
            sections=(*SECTIONS, *(ADMIN_SECTIONS if view.person.role == "admin" else ())),
            root=ROOT,
            problems=problems or {},
            kept=kept,
        )
        answer = Response(render_page(shown, frame), status or shown.status, media_type="text/html")
        if frame.flash:
            answer.delete_cookie(_FLASH, path="/")
        return answer

    async def _choose_zone(self, request: Request) -> Response:
        fields = await self._fields(request)
        check_origin(request.headers)
        zone = zone_of(fields.get("zone", [""])[0]).key
        back = fields.get("back", [""])[0]
        answer = RedirectResponse(back if back.startswith(f"{ROOT}/") else f"{ROOT}/", 303)
        self._cookies.keep(answer, ZONE_COOKIE, quote(zone, safe=""), timedelta(days=400))
        return answer

    async def _change_password(self, request: Request) -> Response:
        """Change a password: not a form like others, as hashing takes long on purpose and a new session comes of it."""
        signed = await self._who(request)
        if signed is None:
            return _to_sign_in(request)
        fields = await self._fields(request)
        self._check_proof(request, fields)
        old, new = (fields.get(name, [""])[0] for name in ("Present", "New"))

        def make() -> Response:
            try:
                token = self._sign_in.change_password(signed.name, old=old, new=new)
            except PatchwindowError as problem:
                field = "Present" if isinstance(problem, NotSignedIn) else "New"
                with self._asking(signed, writes=False) as run:
                    view = self._view(request, signed, run)
                    return self._answer(me.show(view), request, view, problems={field: str(problem)}, status=400)
            answer = _go(Done(url=f"{ROOT}/me", said="The password is changed"), self._cookies)
            self._cookies.let_in(answer, token)
            return answer

        answered: Response = await self._work(make)
        return answered

    async def _to_home(self, _: Request) -> Response:
        return RedirectResponse(f"{ROOT}/", 308)

    async def _nowhere(self, request: Request) -> Response:
        return refusals.nowhere(request.url.path, home=f"{ROOT}/")


class _NotYet(Exception):
    """A form was answered with a page: leaves the transaction, of which nothing is kept."""

    def __init__(self, again: Again, problems: Mapping[str, str]) -> None:
        super().__init__()
        self.again = again
        self.problems = problems


def _submit(form: Form, act: Act) -> Done | Once:
    outcome = form.submit(act)
    if isinstance(outcome, Done | Once):
        return outcome
    raise _NotYet(outcome, act.problems)


def _to_sign_in(request: Request) -> Response:
    if request.headers.get("hx-request"):
        # Of a page to sign in it would take nothing, and show nothing: the whole page is to be loaded.
        return Response(headers={"HX-Refresh": "true"})
    back = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    return RedirectResponse(f"{ROOT}/sign-in?next={quote(back, safe='')}", 303)


def _go(done: Done, cookies: Cookies) -> Response:
    answer = RedirectResponse(done.url, 303)
    if done.said:
        cookies.keep(answer, _FLASH, quote(done.said, safe=""), timedelta(minutes=1))
    return answer


def _download(shown: Shown, kind: str) -> Response:
    assert shown.table is not None, "the caller has looked"
    if kind == "csv":
        return Response(to_csv(shown.table), media_type="text/csv; charset=utf-8", headers=_saved_as(shown, kind))
    return Response(to_json(shown.table), media_type="application/json")


def _saved_as(shown: Shown, kind: str) -> dict[str, str]:
    plain = "".join(letter if letter.isascii() and letter.isalnum() else "-" for letter in shown.title.lower())
    return {"Content-Disposition": f'attachment; filename="{plain.strip("-") or "page"}.{kind}"'}


def _part(live: Live, view: View) -> Made:
    part = live.look(view)
    return Made(render_part(part.template, part.page, view), part.is_over)


def _as_sent(value: Any) -> Any:
    """Return *value* as JSON on the wire has it: an instant in seconds since 1970."""
    match value:
        case datetime():
            return value.timestamp()
        case Mapping():
            return {name: _as_sent(member) for name, member in value.items()}
        case list() | tuple():
            return [_as_sent(member) for member in value]
        case _:
            return value
