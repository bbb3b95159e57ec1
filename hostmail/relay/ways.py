"""The hosts that a message may be handed to: the smarthost, or those that the DNS names for a domain."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
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


def connecting(reactor: Any) -> Connect:
    """Real endpoints."""

    def connect(host: str, port: int, sources: tuple[str, ...]) -> IStreamClientEndpoint:
        kinds = {4: TCP4ClientEndpoint, 6: TCP6ClientEndpoint}
        version = _version(host)
        wanted = [source for source in sources if not version or _version(source) == version]
        bind = (wanted[0], 0) if wanted else None
        kind: Any = kinds.get(version, HostnameEndpoint)
        made: IStreamClientEndpoint = kind(reactor, host, port, timeout=CONNECT_SECONDS, bindAddress=bind)
        return made

    return connect


def _version(host: str) -> int:
    if ":" in host:
        return 6
    return 4 if host.replace(".", "").isdecimal() else 0


def smarthost_way(settings: SmarthostSettings, sources: tuple[str, ...], hostname: str, connect: Connect) -> Way:
    """The one host that takes everything."""
    opportunistic = settings.tls == "opportunistic"
    options = client_tls(settings.host, verified=settings.tls not in ("never", "opportunistic", "required"))
    endpoint = connect(settings.host, settings.port, sources)
    manners = Manners(
        host=settings.host,
        hostname=hostname,
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
        self, *, dns: Dns, policy: Policy, random: Random, hostname: str, connect: Connect, port: int = 25
    ) -> None:
        self._dns = dns
        self._policy = policy
        self._random = random
        self._hostname = hostname
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
            hostname=self._hostname,
            tls_options=client_tls(target.host, verified=False),
            ourselves=self._hostname,
        )
        return Way(self._connect(target.ip, self._port, sources), manners)
