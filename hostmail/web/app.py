"""Routes of klein: requests of twisted.web become values, and the answers that come of them go back."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from klein import Klein
from twisted.internet.defer import Deferred
from twisted.logger import Logger
from twisted.python.failure import Failure
from twisted.web.resource import IResource
from werkzeug.exceptions import HTTPException
from werkzeug.routing import BaseConverter, Map

from hostmail.errors import BadValue, TemporaryFailure
from hostmail.web.answers import Answer, cookie_name, write
from hostmail.web.asked import Asked, Proxies, cookies_of, read_request
from hostmail.web.fields import Fields, TooManyFields
from hostmail.web.limits import BODY_OCTETS, UPLOAD_OCTETS
from hostmail.web.sessions import WebSessions

log = Logger(namespace="web")

Work = Callable[[Asked, Mapping[str, str]], Awaitable[Answer]]
Missing = Callable[[Asked, int], Awaitable[Answer]]


@dataclass(frozen=True, slots=True)
class Route:
    """What answers requests for a path, a werkzeug rule, whose variable parts it gets. It answers for its own errors.

    Without `methods` it is asked whatever the method is.

    The body of a POST is read as a form, or with `takes_form` off left as it is in `Asked.body`. One with `uploads` takes large bodies
    from who is signed in. `error` makes its answer for a status, where that is no page.
    """

    name: str
    path: str
    work: Work
    methods: tuple[str, ...] = ("GET",)
    takes_form: bool = True
    uploads: bool = False
    error: Callable[[int], Answer] | None = None


class AnyCase(BaseConverter):
    """A part of a path that is one word, in capital or small letters: `<nocase("word"):name>`."""

    def __init__(self, url_map: Map, word: str) -> None:
        super().__init__(url_map)
        self.regex = f"(?i:{re.escape(word)})"


class Anything(BaseConverter):
    """The rest of a path, whatever is in it: `<anything:name>`."""

    part_isolating = False
    regex = "(?s:.*)"


def unhurried(work: Coroutine[Any, Any, Any]) -> Deferred[Any]:
    """Work that goes on to its end when the browser has gone: klein cancels what it waits for, and a change must not stop half-way."""
    outside: Deferred[Any] = Deferred()
    Deferred.fromCoroutine(work).addBoth(outside.callback)
    return outside


class WebApp:
    """All routes of a site. `error` makes the page for a status, `missing` that for what is not there, if it depends on who asks."""

    def __init__(
        self,
        routes: Sequence[Route],
        *,
        proxies: Proxies,
        error: Callable[[int], Answer],
        missing: Missing | None = None,
    ) -> None:
        self._proxies = proxies
        self._error = error
        self._missing = missing
        self._klein = app = Klein()
        app.url_map.strict_slashes = False
        # A path that is not quite ours is not there: what werkzeug would redirect to has the browser's own Host in it.
        app.url_map.converters |= {"nocase": AnyCase, "anything": Anything}
        app.url_map.merge_slashes = app.url_map.redirect_defaults = False
        for route in routes:
            app.route(route.path, methods=list(route.methods) or None, endpoint=route.name)(self._handler(route))
        app.handle_errors(HTTPException)(self._no_page)

    def resource(self) -> IResource:
        """For the site."""
        return self._klein.resource()

    def _handler(self, route: Route) -> Callable[..., Deferred[bytes]]:
        def handler(request: Any, **parts: str) -> Deferred[bytes]:
            return unhurried(self._answer(route, request, parts))

        return handler

    async def _answer(self, route: Route, request: Any, parts: Mapping[str, str]) -> bytes:
        secure, error = False, route.error or self._error
        try:
            asked = self._read(route, request)
            secure = asked.secure
            answer = await route.work(asked, parts)
        except BadValue as refusal:
            answer = error(refusal.code if refusal.code == TooManyFields.code else 400)
        except Exception:  # noqa: BLE001 - routes answer for their own errors: this is one of ours
            log.failure("request_failed: {path}", path=request.path[:200])
            answer = error(500)
        return write(request, answer, secure)

    def _read(self, route: Route, request: Any) -> Asked:
        """The request as a value; raises BadValue, TooManyFields."""
        if request.too_large:
            raise TooManyFields
        asked = read_request(request, self._proxies)
        if request.method in (b"GET", b"HEAD"):
            return asked
        if not route.takes_form:
            return replace(asked, body=request.content.read())
        kind = (request.getHeader(b"content-type") or b"").decode("latin-1")
        return replace(asked, form=Fields.read_body(kind, request.content))

    def _no_page(self, request: Any, failure: Failure) -> Deferred[bytes]:
        """No such path, or not with this method."""
        is_method = getattr(failure.value, "code", 404) == 405
        allowed = getattr(failure.value, "valid_methods", None)
        if is_method and allowed:
            request.setHeader(b"allow", ", ".join(sorted(allowed)).encode("ascii"))
        return unhurried(self._answer_missing(request, 405 if is_method else 404))

    async def _answer_missing(self, request: Any, status: int) -> bytes:
        answer, secure = self._error(status), bool(request.isSecure())
        if self._missing is not None:
            try:
                asked = read_request(request, self._proxies)
                answer, secure = await self._missing(asked, status), asked.secure
            except BadValue:
                answer = self._error(400)
        return write(request, answer, secure)


def body_limit(routes: Sequence[Route], sessions: WebSessions) -> Callable[[Any], int]:
    """How much a request may bring: a form, or a file for the routes that take files, from somebody who is signed in."""
    patterns = [(route.path.partition("<")[0], route.path.rpartition("/")[2]) for route in routes if route.uploads]

    def limit(request: Any) -> int:
        path = request.uri.partition(b"?")[0].decode("ascii", "replace").rstrip("/")
        if not any(path.startswith(first) and path.endswith(last) for first, last in patterns):
            return BODY_OCTETS
        cookies = cookies_of(request.received_cookies)
        tokens = {cookies.get(cookie_name(secure), "") for secure in (True, False)}
        try:
            known = [session for token in tokens if (session := sessions.find(token)) is not None]
            return UPLOAD_OCTETS if any(not session.is_half for session in known) else BODY_OCTETS
        except TemporaryFailure:
            return BODY_OCTETS

    return limit
