"""The other end of a connection: who it is, whether it is still there, whether it still receives (tcp(7), Linux).

Twisted's buffers tell only what has not been handed to the kernel yet. On a slow line the kernel itself holds minutes of output, and a
peer that vanished without a word stays "connected" for hours. All of it is a hint: where the system does not say, nothing is known.
"""

from __future__ import annotations

import fcntl
import socket
import struct
import termios
from functools import lru_cache
from typing import Any

from hostmail.address import normal_ip
from hostmail.envelope import Peer

IDLE_SECONDS, INTERVAL_SECONDS, PROBES = 60, 15, 4
ASKED_SECONDS = 1
UNANSWERED = 3
SILENT_MILLISECONDS = 2_500

_normal = lru_cache(4096)(normal_ip)
"""The same few clients and our own address come with every connection."""

_INFO = struct.Struct("=8B13I")
_RETRANSMITS, _PROBES, _LAST_ACK = 2, 3, 8 + 12


def peer_of(transport: Any, protocol: str, tls: bool) -> Peer:
    """Who is at the other end; addresses canonical, empty for a UNIX socket (S18)."""
    remote, local = transport.getPeer(), transport.getHost()
    return Peer(
        ip=_normal(str(getattr(remote, "host", "") or "")),
        port=int(getattr(remote, "port", 0) or 0),
        local_ip=_normal(str(getattr(local, "host", "") or "")),
        local_port=int(getattr(local, "port", 0) or 0),
        protocol=protocol,
        tls=tls,
    )


def socket_of(transport: Any) -> socket.socket | None:
    """The socket under a transport, TLS or not; None in memory."""
    found = getattr(transport, "socket", None)
    return found if isinstance(found, socket.socket) and found.family in (socket.AF_INET, socket.AF_INET6) else None


def keep_alive(transport: Any) -> None:
    """Have the kernel find out within two minutes that a silent peer is gone."""
    _keep_alive(transport, IDLE_SECONDS, INTERVAL_SECONDS, PROBES)


def unacknowledged(transport: Any) -> int:
    """Octets that the kernel has and the peer has not."""
    found = socket_of(transport)
    if found is None:
        return 0
    try:
        (left,) = struct.unpack("i", fcntl.ioctl(found, termios.TIOCOUTQ, b"\0\0\0\0"))
    except (OSError, ValueError):
        return 0
    return int(left)


def seems_gone(transport: Any) -> bool:
    """Ask the peer, and say whether it has failed to answer so far: call it again and again for some seconds.

    A live peer's kernel answers probes in a round trip, however busy its program is, and even if that reads nothing.
    """
    found = socket_of(transport)
    if found is None:
        return False
    _keep_alive(transport, ASKED_SECONDS, ASKED_SECONDS, PROBES)
    try:
        info = _INFO.unpack(found.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _INFO.size))
    except (OSError, AttributeError, struct.error):
        return False
    return max(info[_RETRANSMITS], info[_PROBES]) >= UNANSWERED and info[_LAST_ACK] >= SILENT_MILLISECONDS


def _keep_alive(transport: Any, idle: int, interval: int, probes: int) -> None:
    found = socket_of(transport)
    if found is None:
        return
    try:
        found.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        found.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, idle)
        found.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, interval)
        found.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPCNT, probes)
    except (OSError, AttributeError):
        return
