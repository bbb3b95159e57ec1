"""HTTP as twisted.web speaks it, with an end to everything a peer may do: octets, headers, bodies, time, connections.

What is wrong below the level of a page (a line that is too long, a body that never ends) is answered here in a few plain octets; everything
that came in whole goes to the resource.
"""

from __future__ import annotations

from collections.abc import Callable
from io import BytesIO
from typing import IO, Any
from urllib.parse import unquote_to_bytes

from twisted.internet.interfaces import IAddress
from twisted.internet.protocol import connectionDone
from twisted.logger import Logger
from twisted.python.failure import Failure
from twisted.web.http import HTTPChannel
from twisted.web.resource import IResource
from twisted.web.server import Request, Site

from hostmail.address import normal_ip
from hostmail.envelope import Peer
from hostmail.errors import TooMany
from hostmail.interfaces.admin import ISessions, SessionInfo
from hostmail.web import limits
from hostmail.web.asked import host_of

log = Logger(namespace="web")

BodyLimit = Callable[["BoundedRequest"], int]
"""How many octets of body a request may have, whose headers are all there is of it so far."""


class BoundedRequest(Request):
    """A request whose body is thrown away beyond its limit; `too_large` tells the resource to say so.

    What is far too large, and nobody would wait for, ends the connection.
    """

    channel: Any
    too_large = False
    _limit = limits.BODY_OCTETS
    _taken = 0

    def gotLength(self, length: int | None) -> None:
        """Called with Content-Length (None for chunks) when the headers are complete."""
        self._limit = self.channel.site.body_limit(self)
        self.too_large = length is not None and length > self._limit
        self.content = BytesIO() if self._limit <= limits.BODY_OCTETS else self._large_file(length)
        if self.too_large and (length or 0) > limits.UPLOAD_OCTETS:
            self.channel.give_up(413, "Content Too Large")

    def handleContentChunk(self, data: bytes) -> None:
        """Called with octets of the body."""
        self._taken += len(data)
        self.too_large = self.too_large or self._taken > self._limit
        if self._taken > limits.UPLOAD_OCTETS:
            self.channel.give_up(413, "Content Too Large")
        elif not self.too_large:
            super().handleContentChunk(data)

    def process(self) -> None:
        """It is here in whole. A path or Host that is no text is not even looked at: klein would log each as a fault of ours."""
        if is_path(self.path) and all(map(is_host, self.requestHeaders.getRawHeaders(b"host", []))):
            super().process()
        else:
            self.channel.give_up(400, "Bad Request")

    def setHeader(self, name: bytes, value: bytes) -> None:
        """A header of the answer; which program answers is nobody's business."""
        super().setHeader(name, b"hostmail" if name.lower() == b"server" else value)

    def _large_file(self, length: int | None) -> IO[bytes]:
        super().gotLength(length)
        assert self.content is not None
        return self.content


def is_path(path: bytes) -> bool:
    """Whether it is text."""
    try:
        return "\0" not in unquote_to_bytes(path).decode()
    except UnicodeDecodeError:
        return False


def is_host(netloc: bytes) -> bool:
    """Whether it is a host, with a port or without, or none at all (RFC 9110, 7.2)."""
    return not netloc or bool(host_of(netloc.decode("utf-8", "replace")))


class BoundedChannel(HTTPChannel):
    """One connection, counted as `connection`. Each phase has its time: headers, body, pause, taking the last answer."""

    site: BoundedSite
    transport: Any
    maxHeaders = limits.HEADER_FIELDS
    totalHeadersSize = limits.HEADER_OCTETS
    MAX_LENGTH = limits.LINE_OCTETS
    timeOut = None  # every phase has a deadline of its own

    _deadline: Any = None
    connection: SessionInfo | None = None
    _counted = 0
    _is_pausing = _is_closing = _has_given_up = False

    @property
    def peer_ip(self) -> str:
        """Whom we talk to, "" on a UNIX socket."""
        return normal_ip(getattr(self.getPeer(), "host", "") or "")

    def connectionMade(self) -> None:
        """Count it in, or say that there are too many."""
        super().connectionMade()
        peer = Peer(ip=self.site.counted_as(self.peer_ip), protocol=self.site.service, tls=bool(self.isSecure()))
        try:
            self.connection = self.site.connections.admit(peer, self.kick)
        except TooMany as refusal:
            log.info("connection_refused: {ip}: {reason}", ip=self.peer_ip, reason=refusal.private or refusal.public)
            self.give_up(503, "Too Many Connections")
            return
        self._within(limits.HEADER_SECONDS)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """Count it out."""
        self._within(None)
        if self.connection is not None:
            self.site.connections.leave(self.connection)
        super().connectionLost(reason)

    def kick(self, words: str) -> None:
        """End it, after the answer that is under way."""
        self.persistent = 0
        if not self._handlingRequest:
            self.loseConnection()
            self._within(limits.FAREWELL_SECONDS)

    def give_up(self, status: int, words: str) -> None:
        """A few octets and the end, for a peer that goes too far; what it still sends is not looked at."""
        if self._has_given_up:
            return
        self._has_given_up = True
        self.transport.write(
            f"HTTP/1.1 {status} {words}\r\nconnection: close\r\ncontent-length: 0\r\n\r\n".encode("ascii")
        )
        self._within(limits.IDLE_SECONDS)
        self.loseConnection()

    def _respondToBadRequestAndDisconnect(self) -> None:
        """What is no request: the end, where twisted.web would go on reading what follows."""
        self.give_up(400, "Bad Request")

    def loseConnection(self) -> None:
        """Close it once: whoever has given up may be kicked as well."""
        if not self._is_closing:
            self._is_closing = True
            super().loseConnection()

    def dataReceived(self, data: bytes) -> None:
        """The first octets after a pause begin a request."""
        if self._has_given_up:
            return
        if self._is_pausing:
            self._is_pausing = False
            self._within(limits.HEADER_SECONDS)
        super().dataReceived(data)

    def lineReceived(self, line: bytes) -> None:
        """A line of the request's head."""
        if not self._has_given_up:
            super().lineReceived(line)

    def rawDataReceived(self, data: bytes) -> None:
        """Octets of the body, or of a request that comes before the answer to the last one."""
        if not self._has_given_up:
            super().rawDataReceived(data)

    def lineLengthExceeded(self, line: bytes) -> None:
        """A line of more than 8 KiB."""
        self.give_up(431, "Request Header Fields Too Large")

    def allHeadersReceived(self) -> None:
        """The body's time begins."""
        request = self.requests[-1]
        request.method, request.uri = self._command, self._path
        super().allHeadersReceived()
        if not self._has_given_up:
            is_upload = request._limit > limits.BODY_OCTETS
            self._within(limits.UPLOAD_SECONDS if is_upload else limits.BODY_SECONDS)

    def allContentReceived(self) -> None:
        """It is our turn: no peer is to blame for the time this takes."""
        if self._has_given_up:
            return
        self._within(None)
        super().allContentReceived()

    def requestDone(self, request: Any) -> None:
        """The answer is written."""
        self._is_pausing = bool(self.persistent)
        self._within(limits.IDLE_SECONDS if self.persistent else limits.SENDING_SECONDS)
        super().requestDone(request)

    def checkPersistence(self, request: Any, version: bytes) -> bool:
        """Whether another request may follow; not for ever."""
        self._counted += 1
        is_last = self._counted >= limits.REQUESTS_PER_CONNECTION or not self.persistent
        if not super().checkPersistence(request, version):
            return False
        if is_last:
            request.responseHeaders.setRawHeaders(b"connection", [b"close"])
        return not is_last

    def _within(self, seconds: float | None) -> None:
        """The connection is cut off unless something else happens within this time."""
        if self._deadline is not None and self._deadline.active():
            self._deadline.cancel()
        self._deadline = None if seconds is None else self.site.reactor.callLater(seconds, self._late)

    def _late(self) -> None:
        self.transport.abortConnection()


class BoundedSite(Site):
    """The connections of one listener. `service` is its name, `connections` counts them with those of the mail services.

    Those of a proxy in front of us (`is_proxy`) are many people's, and are not limited by its address.
    """

    noisy = False

    def __init__(
        self,
        resource: IResource,
        *,
        reactor: Any,
        connections: ISessions,
        service: str,
        body_limit: BodyLimit,
        is_proxy: Callable[[str], bool],
    ) -> None:
        super().__init__(
            resource,
            requestFactory=BoundedRequest,
            timeout=None,  # type: ignore[arg-type] # the channel has deadlines of its own
            parsePOSTFormSubmission=False,
            reactor=reactor,
        )
        self.connections = connections
        self.service = service
        self.body_limit = body_limit
        self._is_proxy = is_proxy

    def counted_as(self, ip: str) -> str:
        """The address a connection counts for."""
        return "" if self._is_proxy(ip) else ip

    def buildProtocol(self, addr: IAddress | None) -> Any:
        """A connection; HTTP/1.1 only, so that these limits are all there are."""
        channel = BoundedChannel()
        channel.requestFactory = self.requestFactory  # type: ignore[assignment]
        channel.site = channel.factory = self
        channel.callLater = self.reactor.callLater  # type: ignore[method-assign,assignment]
        return channel

    def acceptableProtocols(self) -> list[bytes]:
        """What is said to browsers in the TLS handshake: the same."""
        return [b"http/1.1"]

    def startFactory(self) -> None:
        """No access log in a file: the log has what matters, and no clock has to tick for it."""

    def stopFactory(self) -> None:
        """Nothing was begun."""

    def log(self, request: Any) -> None:
        """One line for each answer, without what was sent."""
        log.debug(
            "answered: {method} {path} {code}",
            method=request.method.decode("ascii", "replace"),
            path=request.path.decode("ascii", "replace")[:200],
            code=request.code,
        )
