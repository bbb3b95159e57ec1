"""Makes the way out from the settings."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Sequence
from functools import partial
from ipaddress import ip_address
from random import Random
from typing import Any

from hostmail.config.kinds import tcp_port
from hostmail.config.schema import Dns as DnsSettings
from hostmail.config.schema import Settings
from hostmail.interfaces.directory import IDirectory
from hostmail.interfaces.threads import InThread
from hostmail.interfaces.waysout import IWaysOut
from hostmail.relay.asking import Asker, system_servers
from hostmail.relay.contracts import Above, Dns
from hostmail.relay.dispatch import Dispatch
from hostmail.relay.dns import CachedDns
from hostmail.relay.hosts import Policy
from hostmail.relay.live import LiveDns
from hostmail.relay.routes import SenderRoutes, servers_route, silenced
from hostmail.relay.ways import MxWays, Names, connecting


def make_asker(settings: DnsSettings, reactor: Any) -> Asker:
    """What asks the DNS as the settings want it asked."""
    own = [(host.strip("[]"), int(port)) for host, _, port in (each.rpartition(":") for each in settings.servers)]
    return Asker(reactor, (lambda: own) if own else system_servers, settings.timeout)


def make_dns(settings: DnsSettings, reactor: Any) -> CachedDns:
    """The DNS with its answers kept as long as they hold."""
    return CachedDns(lookup=make_asker(settings, reactor), now=time.monotonic)


def make_live_dns(settings: DnsSettings, reactor: Any) -> LiveDns:
    """The DNS as it is now."""
    return LiveDns(make_asker(settings, reactor), reactor)


def make_dispatch(
    settings: Settings,
    *,
    reactor: Any,
    in_thread: InThread,
    dns: Dns,
    random: Random,
    directory: IDirectory,
    ways_out: IWaysOut,
    above: Above,
) -> Dispatch:
    """The queue's sender. Raises OSError for the smarthost's password."""
    connect = connecting(reactor)
    names = Names(settings.hostname, dict(each.split(" ") for each in settings.source_names))
    policy = Policy(
        is_us=names.__contains__,
        is_ours=ours(settings.mx_port, [listener.endpoint for listener in settings.listen.get("smtp", ())]),
        private_addresses=settings.private_addresses == "allow",
    )
    return Dispatch(
        silenced=partial(silenced, directory),
        above=above,
        routes=SenderRoutes(
            directory=directory,
            ways_out=ways_out,
            server=servers_route(settings),
            sources=settings.source_addresses,
        ),
        mx=MxWays(
            dns=dns,
            policy=policy,
            random=random,
            names=names,
            connect=connect,
            port=settings.mx_port,
        ),
        connect=connect,
        clock=reactor,
        names=names,
        in_thread=in_thread,
    )


def ours(port: int, endpoints: Sequence[str]) -> Callable[[str], bool]:
    """Whether mail sent to an address at `port` comes in by one of our own ports; what a port given by the system is, nobody knows."""
    listening = [tcp_port(endpoint) for endpoint in endpoints]
    return is_local if port in listening or None in listening else lambda ip: False


def is_local(ip: str) -> bool:
    """Whether `ip` is this machine's: to its own addresses the kernel goes from the very same one. Nothing is sent.

    What is unspecified (0.0.0.0) leads to whoever listens here.
    """
    if ip_address(ip).is_unspecified:
        return True
    family = socket.AF_INET6 if ":" in ip else socket.AF_INET
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.connect((ip, 9))
            return bool(probe.getsockname()[0] == ip)
    except OSError:
        return False
