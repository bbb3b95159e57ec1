"""The control socket: POST /v1/VERB with JSON over a UNIX socket that only the service's own user (and root) may open.

The socket's permissions are the authentication. Whoever may open it may read the mail anyway.
"""

from __future__ import annotations

import os
import pwd
import socket
import struct
from http import HTTPStatus
from pathlib import Path
from typing import Any

import msgspec
from twisted.application.service import Service
from twisted.internet.defer import Deferred, maybeDeferred
from twisted.internet.interfaces import IListeningPort
from twisted.logger import Logger
from twisted.python import context
from twisted.python.failure import Failure
from twisted.python.log import ILogContext
from twisted.web.resource import Resource
from twisted.web.server import NOT_DONE_YET, Request, Site

from hostmail.actor import command_actor
from hostmail.admin.control_path import socket_path
from hostmail.errors import BadValue, ConfigurationError, NotFound, Refusal, as_refusal
from hostmail.interfaces.admin import IAdmin

MAX_BODY, MAX_PATH = 1 << 20, 107
IDLE_SECONDS = 60
BACKLOG = 1000
PREFIX = b"/v1/"
# struct ucred: pid, uid, gid.
_CREDENTIALS = struct.Struct("3i")

log = Logger(namespace="admin")


def http_status(refusal: Refusal) -> int:
    """The HTTP status for a refusal: its own if it is one of ours, else 503 for now and 422 for good."""
    if refusal.code in (403, 404, 409, 422):
        return refusal.code
    return 422 if refusal.permanent else 503


def error_body(refusal: Refusal) -> dict[str, Any]:
    """What the peer reads about a refusal."""
    return {"error": refusal.public, "code": refusal.code, "suggestion": getattr(refusal, "suggestion", "")}


class BoundedRequest(Request):
    """A request whose body is thrown away beyond 1 MiB."""

    too_large = False
    _taken = 0

    def gotLength(self, length: int | None) -> None:
        """Called with Content-Length; a length that is too much is not even begun."""
        self.too_large = length is not None and length > MAX_BODY
        super().gotLength(0 if self.too_large else length)

    def handleContentChunk(self, data: bytes) -> None:
        """Called with octets of the body."""
        self._taken += len(data)
        self.too_large = self.too_large or self._taken > MAX_BODY
        if not self.too_large:
            super().handleContentChunk(data)


class ControlResource(Resource):
    """Everything below /v1/: the rest of the path is the verb."""

    isLeaf = True

    def __init__(self, admin: IAdmin) -> None:
        super().__init__()
        self._admin = admin

    def render(self, request: BoundedRequest) -> int:
        """Answer once the verb has been carried out."""
        working: Deferred[Any] = maybeDeferred(lambda: Deferred.fromCoroutine(self._answer(request)))
        gone: list[Failure] = []
        request.notifyFinish().addErrback(gone.append)
        working.addBoth(self._write, request, gone)
        return NOT_DONE_YET

    async def _answer(self, request: BoundedRequest) -> Any:
        if request.too_large:
            raise BadValue("the request is larger than 1M")
        if request.method != b"POST" or not request.path.startswith(PREFIX):
            raise NotFound("ask with POST /v1/VERB")
        verb = request.path.removeprefix(PREFIX).decode("ascii", "replace")
        assert request.content is not None
        try:
            arguments = msgspec.json.decode(request.content.read() or b"{}", type=dict[str, Any])
        except (msgspec.MsgspecError, RecursionError) as error:
            raise BadValue(f"the body is no JSON object: {error}") from None
        return await self._admin.call(verb, arguments, command_actor(_who(request)))

    def _write(self, result: Any, request: BoundedRequest, gone: list[Failure]) -> None:
        if isinstance(result, Failure):
            error = result.value or RuntimeError("nothing")
            refusal = as_refusal(error)
            if refusal is not error:
                log.failure("verb_failed: {path}", failure=result, path=request.path)
            status = HTTPStatus(http_status(refusal))
            request.setResponseCode(status, status.phrase.encode("ascii"))
            result = error_body(refusal)
        if gone:
            return
        request.setHeader(b"content-type", b"application/json")
        request.write(msgspec.json.encode(result))
        request.finish()


class ControlService(Service):
    """Listens on the control socket, from after the privileges were dropped: the socket belongs to the service's user."""

    def __init__(self, reactor: Any, admin: IAdmin, data_dir: Path) -> None:
        self._reactor = reactor
        self._admin = admin
        self._path = socket_path(data_dir)
        self._port: IListeningPort | None = None

    def startService(self) -> None:
        """Bind the socket; raises ConfigurationError if another service answers there. A dead one's socket is replaced."""
        super().startService()
        if len(os.fsencode(self._path)) > MAX_PATH:
            raise ConfigurationError(
                f"data_dir: {self._path} is longer than the {MAX_PATH} octets a UNIX socket may have"
            )
        self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        if is_answered(self._path):
            raise ConfigurationError(f"data_dir: another hostmail is running with {self._path.parent.parent}")
        self._path.unlink(missing_ok=True)
        site = Site(ControlResource(self._admin), requestFactory=BoundedRequest, timeout=IDLE_SECONDS)
        site.noisy = False
        # The requests are in our own log by verb; twisted.web's log line would say nothing more.
        site.log = lambda request: None  # type: ignore[method-assign]
        # Without the reactor's line "Site starting on ...": an event with an empty format is not written.
        quiet = {ILogContext: {**(context.get(ILogContext) or {}), "log_format": ""}}
        self._port = context.call(quiet, self._reactor.listenUNIX, os.fspath(self._path), site, BACKLOG, 0o600)

    async def _close(self) -> None:
        port, self._port = self._port, None
        if port is not None:
            closing = port.stopListening()
            if isinstance(closing, Deferred):
                await closing

    def stopService(self) -> Deferred[None]:
        """Close and remove the socket."""
        super().stopService()
        return Deferred.fromCoroutine(self._close())


def _who(request: Request) -> str:
    """The name of the system user at the other end of the socket, as the kernel knows it."""
    transport: Any = request.transport
    peer = transport.socket.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
    return system_user(_CREDENTIALS.unpack(peer)[1])


def system_user(uid: int) -> str:
    """His name, or his number if he has none."""
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"uid {uid}"


def is_answered(path: Path) -> bool:
    """True if some process listens on this socket."""
    with socket.socket(socket.AF_UNIX) as probe:
        probe.settimeout(2)
        try:
            probe.connect(os.fspath(path))
        except OSError:
            return False
    return True
