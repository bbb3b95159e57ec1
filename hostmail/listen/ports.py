"""Opening the ports: all of them before privileges are dropped, or none and a clear word about the one that failed."""

from __future__ import annotations

import errno
import os
import re
import resource
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from twisted.application.service import Service
from twisted.internet.defer import Deferred, gatherResults
from twisted.internet.endpoints import serverFromString
from twisted.internet.error import CannotListenError
from twisted.internet.interfaces import IListeningPort, IOpenSSLServerConnectionCreator, IProtocolFactory
from twisted.logger import Logger
from twisted.python import context
from twisted.python.failure import Failure
from twisted.python.log import ILogContext

from hostmail.config.schema import Listener, begins_with_tls
from hostmail.errors import ConfigurationError
from hostmail.listen.handshake import HANDSHAKE_SECONDS, implicit_tls
from hostmail.listen.prompt import Outbox, make_prompt
from hostmail.listen.proxy import ProxiedFactory

T = TypeVar("T")

ENDPOINT_ERRORS = (ValueError, TypeError, IndexError)
"""What `serverFromString` raises for texts that are no endpoint."""

LEAST_FILES, WANTED_FILES = 4_096, 65_536
BACKLOG = 1_024

log = Logger(namespace="listen")


@dataclass(frozen=True, slots=True)
class Opening:
    """A port to open. `key` is where the configuration asks for it: listen.imap. `factory` makes its sessions."""

    key: str
    listener: Listener
    factory: IProtocolFactory
    tls_first: bool = False


def openings(
    service: str, listeners: Sequence[Listener], make: Callable[[Listener], IProtocolFactory]
) -> list[Opening]:
    """The openings of one service (`smtp`, `imaps`...); `make` gives each listener the factory of its sessions."""
    key = f"listen.{service}"
    return [Opening(key, listener, make(listener), begins_with_tls(service, listener)) for listener in listeners]


def raise_file_limit(get: Callable[[int], tuple[int, int]] = resource.getrlimit, put: Any = resource.setrlimit) -> int:
    """Allow this process as many open files as it may have; raises ConfigurationError below 4,096 (LIMITS, Connections)."""
    soft, hard = get(resource.RLIMIT_NOFILE)
    wanted = WANTED_FILES if hard == resource.RLIM_INFINITY else min(hard, WANTED_FILES)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        put(resource.RLIMIT_NOFILE, (wanted, hard))
        soft = wanted
    if soft != resource.RLIM_INFINITY and soft < LEAST_FILES:
        raise ConfigurationError(
            f"only {soft} open files are allowed, {LEAST_FILES} are needed: raise it with LimitNOFILE= or `ulimit -n`"
        )
    return soft


class Ports(Service):
    """All listening ports. Stopping closes them first, then waits for `drain`, so that sessions finish what they do.

    Ports are opened in privilegedStartService, while twistd is still root. One that fails raises ConfigurationError there,
    after closing the others, which ends the process with exit code 1 (TWISTED.md 5).
    """

    def __init__(
        self,
        reactor: Any,
        wanted: Sequence[Opening],
        certificates: IOpenSSLServerConnectionCreator,
        drain: Callable[[], Awaitable[None]] | None = None,
        handshake_seconds: float = HANDSHAKE_SECONDS,
    ) -> None:
        self._reactor = reactor
        self._outbox = Outbox(reactor)
        self._wanted = wanted
        self._certificates = certificates
        self._drain = drain
        self._handshake_seconds = handshake_seconds
        self._ports: list[tuple[Opening, IListeningPort]] = []
        self._opened = False

    def privilegedStartService(self) -> None:
        """Open every port."""
        super().privilegedStartService()
        self._open()

    def startService(self) -> None:
        """Open them now, if nobody did with more privileges."""
        super().startService()
        self._open()

    async def _stop(self) -> None:
        ports = [port for _, port in self._ports]
        self._ports, self._opened = [], False
        for port in ports:
            await _as_deferred(port.stopListening())
        if self._drain is not None:
            await self._drain()

    def stopService(self) -> Deferred[None]:
        """Stop listening, then let the sessions finish."""
        super().stopService()
        return Deferred.fromCoroutine(self._stop())

    def addresses(self) -> dict[str, list[Any]]:
        """Where we listen, by service: what port 0 became, for tests and `status`."""
        found: dict[str, list[Any]] = {}
        for opening, port in self._ports:
            found.setdefault(opening.key.removeprefix("listen."), []).append(port.getHost())
        return found

    def _open(self) -> None:
        if self._opened:
            return
        self._opened = True
        for opening in self._wanted:
            try:
                self._listen(opening)
            except ConfigurationError:
                gatherResults([_as_deferred(port.stopListening()) for _, port in self._ports])
                self._ports = []
                raise

    def _listen(self, opening: Opening) -> None:
        failures: list[Failure] = []
        opened: list[IListeningPort] = []
        try:
            endpoint = serverFromString(self._reactor, with_backlog(opening.listener.endpoint))
        except ENDPOINT_ERRORS as error:
            raise ConfigurationError(f"{opening.key}: {no_endpoint(opening.listener.endpoint, error)}") from None
        without_twisteds_words(endpoint.listen, self._wrapped(opening)).addCallbacks(opened.append, failures.append)
        if failures:
            raise ConfigurationError(refused(opening, failures[0].value)) from None
        if not opened:
            raise ConfigurationError(f"{opening.key}: {opening.listener.endpoint} did not open at once")
        make_prompt(opened[0], self._outbox)
        self._ports.append((opening, opened[0]))
        log.info("port_opened: {key} {address}", key=opening.key, address=shown(opened[0].getHost()))

    def _wrapped(self, opening: Opening) -> IProtocolFactory:
        factory = opening.factory
        if opening.tls_first:
            factory = implicit_tls(factory, self._certificates, self._reactor, self._handshake_seconds)
        if opening.listener.proxy_from:
            factory = ProxiedFactory(factory, opening.listener.proxy_from, self._reactor)
        return factory


def no_endpoint(endpoint: str, error: BaseException) -> str:
    """Why Twisted cannot read an endpoint, whose own words are about its functions."""
    kind, _, rest = endpoint.partition(":")
    words = str(error)
    option = re.search(r"argument '(\w+)'", words)
    if option and "multiple values" in words:
        return f"{endpoint} gives {option[1]} twice; a colon inside a value is written \\:"
    if option and "unexpected" in words:
        return f"{endpoint}: there is no option {option[1]!r} for {kind}:"
    if words.startswith("Unknown endpoint type"):
        return f"{endpoint} is no endpoint: there is no kind {kind!r}; write it like tcp:{rest or '25'}"
    return f"{endpoint} is no endpoint Twisted knows: {words}"


def without_twisteds_words(begin: Callable[..., T], *arguments: Any) -> T:
    """Call `begin` without Twisted's line "X starting on 25" in the log: `port_opened` says more.

    That line comes from the reactor's port whatever the factory's `noisy`; an event with an empty format is not written.
    """
    before = context.get(ILogContext) or {}
    done: T = context.call({ILogContext: {**before, "log_format": ""}}, begin, *arguments)
    return done


def shown(address: Any) -> str:
    """An address for people: 192.0.2.1:25, [::1]:25, /run/x.sock."""
    host, port = getattr(address, "host", None), getattr(address, "port", 0)
    if host is None:
        return os.fsdecode(getattr(address, "name", None) or str(address))
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _as_deferred(value: Any) -> Deferred[Any]:
    if isinstance(value, Deferred):
        return value
    done: Deferred[Any] = Deferred()
    done.callback(value)
    return done


def with_backlog(endpoint: str) -> str:
    """A TCP endpoint with room for a burst of connections; Twisted's own default is 50."""
    if re.match(r"tcp6?:", endpoint) and "backlog=" not in endpoint:
        return f"{endpoint}:backlog={BACKLOG}"
    return endpoint


def refused(opening: Opening, error: BaseException | None) -> str:
    """Why a port cannot be opened and what to do, naming the key and the port."""
    cause = error.socketError if isinstance(error, CannotListenError) else error
    hints = {
        errno.EACCES: "ports below 1024 need root: start as root with --uid and --gid, or with CAP_NET_BIND_SERVICE",
        errno.EADDRINUSE: "another program listens there already (tcp6: takes IPv4 as well)",
        errno.EADDRNOTAVAIL: "this machine does not have that address",
    }
    hint = hints.get(getattr(cause, "errno", 0) or 0, "")
    words = getattr(cause, "strerror", "") or str(cause)
    return f"{opening.key}: cannot listen on {opening.listener.endpoint}: {words}" + (f"; {hint}" if hint else "")
