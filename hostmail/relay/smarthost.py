"""Sending everything that is not ours through one other server: the setting, and the sender made from it (C9)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from urllib.parse import SplitResult, parse_qs, unquote, urlsplit

from twisted.internet.endpoints import HostnameEndpoint, wrapClientTLS
from twisted.internet.interfaces import IReactorTime, IStreamClientEndpoint

from hostmail.address import parse_domain
from hostmail.errors import BadAddress, ConfigurationError
from hostmail.interfaces import InThread, Queued
from hostmail.relay.client import Destination
from hostmail.relay.content import FileContent
from hostmail.relay.conversation import Manners
from hostmail.relay.failures import Sent
from hostmail.relay.tls import client_tls

CONNECT_SECONDS = 30.0
TLS_CHOICES = ("never", "opportunistic", "required", "verified")
LOCAL_HOSTS = frozenset({"localhost", "127.0.0.1", "::1"})
FORMS = "write host:port, or smtp://user:password@host:port?tls=required, or smtps://user:password@host"


@dataclass(frozen=True, slots=True)
class SmarthostSettings:
    """A parsed setting. `tls` is never, opportunistic (if it is offered), required, or verified (with a certificate for `host`).

    A word that is none of these means verified, the strictest.
    """

    host: str
    port: int = 25
    tls: str = "opportunistic"
    implicit_tls: bool = False
    user: str = ""
    password: str = ""

    @property
    def name(self) -> str:
        """For logs and lists, without the password."""
        return f"{self.host}:{self.port}"


def parse_smarthost(text: str) -> SmarthostSettings:
    """Read `host`, `host:port`, `[ipv6]:port` or an smtp:// or smtps:// URL; raises ConfigurationError.

    User and password are percent-encoded. With a password, and for smtps, TLS is verified, unless the host is this machine or
    `?tls=` says otherwise.
    """
    url = _split(text)
    secure = url.scheme == "smtps"
    user, password = unquote(url.username or ""), unquote(url.password or "")
    host = _host(url.hostname or "")
    try:
        port = url.port
    except ValueError:
        raise ConfigurationError(f"smarthost: the port must be a number from 1 to 65535; {FORMS}") from None
    if port == 0 or bool(user) != bool(password):
        raise ConfigurationError(f"smarthost: a port is never 0, and user and password go together; {FORMS}")
    usual = "verified" if (secure or user) and host not in LOCAL_HOSTS else "opportunistic"
    tls = _tls(url.query, usual)
    if secure and tls == "never":
        raise ConfigurationError("smarthost: smtps:// is TLS; use smtp:// with tls=never")
    return SmarthostSettings(host, port or (465 if secure else 25), tls, secure, user, password)


def _split(text: str) -> SplitResult:
    try:
        url = urlsplit(text if "://" in text else f"smtp://{text}")
    except ValueError:
        raise ConfigurationError(f"smarthost: {text} cannot be read; {FORMS}") from None
    if url.scheme not in ("smtp", "smtps") or not url.hostname or url.path not in ("", "/") or url.fragment:
        raise ConfigurationError(f"smarthost: {FORMS}")
    return url


def _host(host: str) -> str:
    if ":" in host:
        return host
    try:
        return parse_domain(host)
    except BadAddress:
        raise ConfigurationError(f"smarthost: {host} is no host name; {FORMS}") from None


def _tls(query: str, usual: str) -> str:
    given = parse_qs(query, keep_blank_values=True)
    choice = given.pop("tls", [usual])
    if given or choice[-1] not in TLS_CHOICES:
        raise ConfigurationError(f"smarthost: the only option is tls={'|'.join(TLS_CHOICES)}; {FORMS}")
    return choice[-1]


class Smarthost:
    """The queue's sender: one destination for all mail."""

    def __init__(
        self,
        settings: SmarthostSettings,
        *,
        endpoint: IStreamClientEndpoint,
        clock: IReactorTime,
        hostname: str,
        in_thread: InThread,
    ) -> None:
        self._settings = settings
        self._in_thread = in_thread
        opportunistic = settings.tls == "opportunistic"
        options = client_tls(settings.host, verified=settings.tls not in ("never", "opportunistic", "required"))
        self._destination = Destination(
            endpoint=wrapClientTLS(options, endpoint) if settings.implicit_tls else endpoint,
            clock=clock,
            manners=Manners(
                host=settings.host,
                hostname=hostname,
                tls="never" if settings.implicit_tls or settings.tls == "never" else "may" if opportunistic else "must",
                tls_options=options,
                user=settings.user,
                password=settings.password,
                open_login=settings.tls == "never" or settings.host in LOCAL_HOSTS,
            ),
        )

    def destination(self, row: Queued) -> str:
        """Everything goes the same way."""
        return self._settings.name

    async def send(self, rows: Sequence[Queued]) -> list[Sent]:
        """Send one message to these recipients; a result for each, in order."""
        content = FileContent(rows[0].path, self._in_thread)
        try:
            return await self._destination.send(rows, content)
        finally:
            await content.close()

    def abort(self) -> None:
        """End all connections at once."""
        self._destination.abort()

    def close(self) -> None:
        """Close idle connections; for shutdown, after the runner has stopped."""
        self._destination.close()


def make_smarthost(
    reactor: IReactorTime,
    text: str,
    *,
    hostname: str,
    in_thread: InThread,
    connect: Callable[..., IStreamClientEndpoint] = HostnameEndpoint,
) -> Smarthost:
    """The sender for the setting `smarthost: text`; raises ConfigurationError."""
    settings = parse_smarthost(text)
    endpoint = connect(reactor, settings.host, settings.port, timeout=CONNECT_SECONDS)
    return Smarthost(settings, endpoint=endpoint, clock=reactor, hostname=hostname, in_thread=in_thread)
