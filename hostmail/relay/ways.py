"""The hosts that a message may be handed to: the smarthost, or those that the DNS names for a domain."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from random import Random
from typing import Any

from twisted.internet.defer import Deferred, DeferredList
from twisted.internet.endpoints import HostnameEndpoint, TCP4ClientEndpoint, TCP6ClientEndpoint, wrapClientTLS
from twisted.internet.interfaces import IStreamClientEndpoint
from twisted.logger import Logger

from hostmail.errors import Refusal
from hostmail.relay.client import Way
from hostmail.relay.contracts import Dns
from hostmail.relay.conversation import Manners
from hostmail.relay.failures import NotAllowed
from hostmail.relay.hosts import Policy, Target, candidates, literal_target, targets
from hostmail.relay.smarthost import LOCAL_HOSTS, SmarthostSettings
from hostmail.relay.tls import client_tls

log = Logger(namespace="relay")

CONNECT_SECONDS = 30.0

Connect = Callable[[str, int, tuple[str, ...]], IStreamClientEndpoint]
"""An endpoint for a host name or an IP address and a port, from one of the given addresses of ours."""


@dataclass(frozen=True, slots=True)
class Names:
    """How this server introduces itself: `by_source` where it speaks from an address that has a name of its own, else as `hostname`.

    Many servers take no mail from a client whose name in EHLO is not that of its address (PTR).
    """

    hostname: str
    by_source: Mapping[str, str] = field(default_factory=dict)

    def towards(self, host: str, sources: Sequence[str]) -> str:
        """The name on connections to `host` from one of our addresses `sources`."""
        return self.by_source.get(_source(host, sources), self.hostname)

    def __contains__(self, host: str) -> bool:
        return host == self.hostname or host in self.by_source.values()


def connecting(reactor: Any) -> Connect:
    """Real endpoints."""

    def connect(host: str, port: int, sources: tuple[str, ...]) -> IStreamClientEndpoint:
        kinds = {4: TCP4ClientEndpoint, 6: TCP6ClientEndpoint}
        source = _source(host, sources)
        bind = (source, 0) if source else None
        kind: Any = kinds.get(_version(host), HostnameEndpoint)
        made: IStreamClientEndpoint = kind(reactor, host, port, timeout=CONNECT_SECONDS, bindAddress=bind)
        return made

    return connect


def _source(host: str, sources: Sequence[str]) -> str:
    """Which of our addresses a connection to `host` comes from; "" where the system chooses."""
    version = _version(host)
    return next((source for source in sources if not version or _version(source) == version), "")


def _version(host: str) -> int:
    if ":" in host:
        return 6
    return 4 if host.replace(".", "").isdecimal() else 0


def smarthost_way(settings: SmarthostSettings, sources: tuple[str, ...], names: Names, connect: Connect) -> Way:
    """The one host that takes everything."""
    opportunistic = settings.tls == "opportunistic"
    options = client_tls(settings.host, verified=settings.tls not in ("never", "opportunistic", "required"))
    endpoint = connect(settings.host, settings.port, sources)
    manners = Manners(
        host=settings.host,
        hostname=names.towards(settings.host, sources),
        tls="never" if settings.implicit_tls or settings.tls == "never" else "may" if opportunistic else "must",
        tls_options=options,
        user=settings.user,
        password=settings.password,
        open_login=settings.tls == "never" or settings.host in LOCAL_HOSTS,
    )
    return Way(wrapClientTLS(options, endpoint) if settings.implicit_tls else endpoint, manners)


class MxWays:
    """The hosts that the DNS names for a domain, with opportunistic TLS (RFC 7435)."""

    def __init__(
        self, *, dns: Dns, policy: Policy, random: Random, names: Names, connect: Connect, port: int = 25
    ) -> None:
        self._dns = dns
        self._policy = policy
        self._random = random
        self._names = names
        self._connect = connect
        self._port = port

    async def find(self, domain: str, sources: tuple[str, ...] = ()) -> Sequence[Way]:
        """The ways to `domain`, best first; raises a Refusal if there is none, for now or for good."""
        policy = self._policy
        if sources:
            policy = replace(policy, families=frozenset(map(_version, sources)))
        try:
            found = await self._targets(domain, policy)
        except Refusal as refusal:
            tell = log.warn if isinstance(refusal, NotAllowed) else log.info
            tell("no_way_to: {domain}: {why} {more}", domain=domain, why=refusal.public, more=refusal.private)
            raise
        return [self._way(target, sources) for target in found]

    async def _targets(self, domain: str, policy: Policy) -> list[Target]:
        literal = literal_target(domain)
        if literal is not None:
            exchanges, addresses = candidates(domain, (), self._random), {domain: [literal.ip]}
            return targets(domain, exchanges, addresses, policy)
        exchanges = candidates(domain, await self._dns.exchanges(domain), self._random)
        asked = [Deferred.fromCoroutine(self._addresses(each.host)) for each in exchanges]
        answers = await DeferredList(asked, fireOnOneErrback=True)
        by_host = {each.host: answer for each, (_, answer) in zip(exchanges, answers, strict=True)}
        return targets(domain, exchanges, by_host, policy)

    async def _addresses(self, host: str) -> Sequence[str] | Refusal:
        try:
            return await self._dns.addresses(host)
        except Refusal as refusal:
            return refusal

    def _way(self, target: Target, sources: tuple[str, ...]) -> Way:
        manners = Manners(
            host=target.host,
            hostname=self._names.towards(target.ip, sources),
            tls_options=client_tls(target.host, verified=False),
            ourselves=self._names.hostname,
        )
        line = f"{target.ip} from {_source(target.ip, sources)}"
        return Way(self._connect(target.ip, self._port, sources), manners, line, target.preference)
