"""A request as the pages see it: plain values, read once, whoever stands between us and the browser."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from ipaddress import ip_address, ip_network
from typing import Any
from urllib.parse import unquote

from hostmail.address import normal_ip, parse_domain
from hostmail.errors import BadAddress
from hostmail.interfaces.admin import SessionInfo
from hostmail.web.fields import NO_FIELDS, Fields

CONDITIONS = ("if-match", "if-none-match", "if-unmodified-since")
FOR_PROGRAMS = ("accept", "authorization", "content-encoding", "content-type", "idempotency-key", *CONDITIONS)
_HOST = re.compile(r"(\[[0-9A-Fa-f:.]{2,45}\]|[A-Za-z0-9._-]{1,253})(?::[0-9]{0,5})?\Z", re.ASCII)


@dataclass(frozen=True, slots=True)
class Asked:
    """One request. `host` is the name it was sent to, without the port, "" if that is no name or address; `netloc` has the port.
    `raw_path` is as it came, percent signs and all.

    `ip` is who asks, "" on a UNIX socket. `origin` and `fetch_site` are what browsers tell about the page that sends a form.
    `known_etag` is what the browser has already, `connection` what it came by. `headers` are those that programs send, if they do.
    """

    method: str
    path: str
    raw_path: str = "/"
    netloc: str = ""
    host: str = ""
    ip: str = ""
    secure: bool = False
    origin: str | None = None
    fetch_site: str = ""
    program: str = ""
    cookies: dict[str, str] = field(default_factory=dict)
    query: Fields = NO_FIELDS
    form: Fields = NO_FIELDS
    body: bytes = b""
    known_etag: str = ""
    connection: SessionInfo | None = None
    headers: dict[str, str] = field(default_factory=dict)

    @property
    def own_origin(self) -> str:
        """What `Origin` says for a form on one of our pages."""
        return f"{'https' if self.secure else 'http'}://{self.netloc}"


class Proxies:
    """The reverse proxies whose word we take about who asks: those in these networks, and whoever may open our UNIX sockets."""

    def __init__(self, networks: Sequence[str]) -> None:
        self._networks = [ip_network(network) for network in networks]

    def trusts(self, ip: str) -> bool:
        """Whether the peer with this address is one."""
        if not ip:
            return True
        try:
            address = ip_address(ip)
        except ValueError:
            return False
        return any(address in network for network in self._networks)

    def client(self, ip: str, forwarded: Sequence[str]) -> str:
        """Who asks: the last address in X-Forwarded-For that is none of the proxies'; what comes before it, anybody may have written."""
        claimed = [part.strip() for text in forwarded for part in text.split(",") if part.strip()]
        while claimed and self.trusts(ip):
            ip = claimed_ip(claimed.pop())
            if not ip:
                break
        return ip


def claimed_ip(text: str) -> str:
    """An address as proxies write it, some with a port; "" for anything else."""
    bare = text.removeprefix("[").partition("]")[0] if text.startswith("[") else text
    if bare.count(":") == 1:
        bare = bare.partition(":")[0]
    return normal_ip(bare) if is_ip(bare) else ""


def host_of(netloc: str) -> str:
    """The name in a Host header, in lower case; an IPv6 address without its brackets; "" for what is none."""
    found = _HOST.match(netloc)
    if found is None:
        return ""
    if found[1].startswith("["):
        return normal_ip(found[1][1:-1])
    try:
        return parse_domain(found[1].rstrip("."))
    except BadAddress:
        return ""


def is_ip(host: str) -> bool:
    """Whether a host is an address: those cannot be made to mean another machine, as names can (DNS rebinding)."""
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


def read_request(request: Any, proxies: Proxies) -> Asked:
    """What a request of twisted.web asks, but for its form. A proxy's word counts only if it is one of ours. Raises TooManyFields."""

    def all_of(name: bytes) -> list[str]:
        return [one.decode("utf-8", "replace") for one in request.requestHeaders.getRawHeaders(name, [])]

    def last(name: bytes) -> str:
        return (all_of(name) or [""])[-1]

    ip = request.channel.peer_ip
    secure, hosts = bool(request.isSecure()), all_of(b"host")
    netloc = hosts[0] if len(hosts) == 1 else ""
    if proxies.trusts(ip):
        ip = proxies.client(ip, all_of(b"x-forwarded-for"))
        secure = secure or last(b"x-forwarded-proto").strip().lower() == "https"
        netloc = last(b"x-forwarded-host").rpartition(",")[2].strip() or netloc
    raw_path, _, raw_query = request.uri.partition(b"?")
    origins = all_of(b"origin")
    return Asked(
        method=request.method.decode("ascii", "replace"),
        raw_path=raw_path.decode("ascii", "replace"),
        path=unquote(raw_path.decode("ascii", "replace"), errors="replace"),
        netloc=netloc.lower(),
        host=host_of(netloc),
        ip=ip,
        secure=secure,
        origin=origins[0] if len(origins) == 1 else ("null" if origins else None),
        fetch_site=last(b"sec-fetch-site"),
        program=last(b"user-agent")[:200],
        known_etag=last(b"if-none-match"),
        connection=request.channel.connection,
        cookies=cookies_of(request.received_cookies),
        query=Fields.read(raw_query),
        headers={name: ", ".join(found) for name in FOR_PROGRAMS if (found := all_of(name.encode("ascii")))},
    )


def cookies_of(received: dict[bytes, bytes]) -> dict[str, str]:
    """Cookies as text."""
    return {
        name.strip().decode("ascii", "replace"): value.strip().decode("ascii", "replace")
        for name, value in received.items()
    }
