"""The setting for a server that takes our mail and sends it on (C9)."""

from __future__ import annotations

from dataclasses import dataclass, field
from urllib.parse import SplitResult, parse_qs, unquote, urlsplit

from hostmail.address import parse_domain
from hostmail.errors import BadAddress, ConfigurationError

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
    password: str = field(default="", repr=False)

    @property
    def name(self) -> str:
        """For logs and lists, without the password."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


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
