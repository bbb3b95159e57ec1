"""What counts as one client, and as one client's surroundings."""

from __future__ import annotations

import ipaddress
from functools import lru_cache


def client(ip: str) -> str:
    """Who is slowed: an IPv4 address, or the /64 of an IPv6 address, whose owner has all of it. "" for no IP address."""
    return _network(ip, 32)


def neighbourhood(ip: str) -> str:
    """What is trusted after a good login: the /24 or /64 around it, since dynamic addresses move within theirs."""
    return _network(ip, 24)


@lru_cache(4096)
def _network(ip: str, ipv4_bits: int) -> str:
    try:
        address = ipaddress.ip_address(ip)
    except ValueError:
        return ""
    return str(ipaddress.ip_network((address, ipv4_bits if address.version == 4 else 64), strict=False))
