"""The table of pages as routes of klein, and requests of twisted.web as what the panel reads and writes."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine, Sequence
from dataclasses import replace
from typing import Any

from klein import Klein
from twisted.internet.defer import Deferred
from twisted.python.failure import Failure
from twisted.web.resource import IResource
from werkzeug.exceptions import HTTPException

from hostmail.errors import BadValue
from hostmail.web.answers import Answer, cookie_name, write
from hostmail.web.asked import Asked, Proxies, cookies_of, read_request
from hostmail.web.fields import Fields, TooManyFields
from hostmail.web.limits import BODY_OCTETS, UPLOAD_OCTETS
from hostmail.web.panel.page import Page
from hostmail.web.panel.panel import CODE_PATH, LOGIN_PATH, Panel
from hostmail.web.panel.signing import Signing
from hostmail.web.sessions import WebSessions
from hostmail.web.static import PREFIX, StaticFiles

LOGOUT_PATH = "/logout"

Handler = Callable[..., Any]


def unhurried(work: Coroutine[Any, Any, Any]) -> Deferred[Any]:
    """Work that goes on to its end when the browser has gone: klein cancels what it waits for, and a change must not stop half-way."""
    outside: Deferred[Any] = Deferred()
    Deferred.fromCoroutine(work).addBoth(outside.callback)
    return outside


class PanelApp:
    """The routes."""

    def __init__(self, panel: Panel, pages: Sequence[Page], static: StaticFiles, proxies: Proxies) -> None:
        self._panel = panel
        self._static = static
        self._proxies = proxies
        self._app = app = Klein()
        app.url_map.strict_slashes = False
        # A path that is not quite ours is not there: what werkzeug would redirect to has the browser's own Host in it.
        app.url_map.merge_slashes = app.url_map.redirect_defaults = False
        for page in pages:
            methods = ["GET", "POST"] if page.actions else ["GET"]
            app.route(page.path, methods=methods, endpoint=page.name)(self._page(page))
        signing = Signing(panel)
        app.route(LOGIN_PATH, methods=["GET", "POST"], endpoint="login")(self._plain(signing.login))
        app.route(CODE_PATH, methods=["GET", "POST"], endpoint="code")(self._plain(signing.code))
        app.route(LOGOUT_PATH, methods=["POST"], endpoint="logout")(self._plain(signing.logout))
        app.route(f"{PREFIX}<name>", methods=["GET"], endpoint="static")(self._file)
        app.handle_errors(HTTPException)(self._no_page)

    def resource(self) -> IResource:
        """For the site."""
        return self._app.resource()

    def _page(self, page: Page) -> Handler:
        def handler(request: Any, **parts: str) -> Deferred[bytes]:
            return self._answer(request, lambda asked: self._panel.answer(page, asked, parts))

        return handler

    def _plain(self, work: Callable[[Asked], Awaitable[Answer]]) -> Handler:
        return lambda request: self._answer(request, work)

    def _answer(self, request: Any, work: Callable[[Asked], Awaitable[Answer]]) -> Deferred[bytes]:
        async def whole() -> bytes:
            try:
                asked = read_request(request, self._proxies)
                if request.too_large:
                    return self._write(request, self._panel.error(413))
                if request.method == b"POST":
                    kind = request.getHeader(b"content-type") or b""
                    asked = replace(asked, form=Fields.read_body(kind.decode("latin-1"), request.content))
            except TooManyFields:
                return self._write(request, self._panel.error(413))
            except BadValue:
                return self._write(request, self._panel.error(400))
            answer = await self._panel.guarded(asked, lambda: work(asked))
            return self._write(request, answer, asked.secure)

        return unhurried(whole())

    def _write(self, request: Any, answer: Answer, secure: bool = False) -> bytes:
        return write(request, answer, secure)

    def _file(self, request: Any, name: str) -> bytes:
        known = (request.getHeader(b"if-none-match") or b"").decode("latin-1")
        answer = self._static.find(name, known)
        return self._write(request, answer or self._panel.error(404), bool(request.isSecure()))

    def _no_page(self, request: Any, failure: Failure) -> bytes:
        """No such path, or not with this method; also what klein could not read."""
        status = getattr(failure.value, "code", 404)
        allowed = getattr(failure.value, "valid_methods", None)
        if status == 405 and allowed:
            request.setHeader(b"allow", ", ".join(sorted(allowed)).encode("ascii"))
        return self._write(
            request, self._panel.error(status if status in (404, 405) else 404), bool(request.isSecure())
        )


def body_limit(pages: Sequence[Page], sessions: WebSessions) -> Callable[[Any], int]:
    """How much a request may bring: a form, or a file for the pages that take files, from somebody who is signed in."""
    prefixes = tuple(page.path.partition("<")[0] for page in pages if page.uploads)
    endings = tuple(page.path.rpartition("/")[2] for page in pages if page.uploads)

    def limit(request: Any) -> int:
        path = request.uri.partition(b"?")[0].decode("ascii", "replace").rstrip("/")
        if not (prefixes and path.startswith(prefixes) and path.endswith(endings)):
            return BODY_OCTETS
        cookies = cookies_of(request.received_cookies)
        tokens = {cookies.get(cookie_name(secure), "") for secure in (True, False)}
        return UPLOAD_OCTETS if any(sessions.find(token) is not None for token in tokens) else BODY_OCTETS

    return limit
