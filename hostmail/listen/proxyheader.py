"""The PROXY protocol's header, versions 1 and 2 (haproxy's proxy-protocol.txt): octets to addresses, no I/O."""

from __future__ import annotations

import ipaddress
import struct
from dataclasses import dataclass

V1_MAX = 107
V2_SIGNATURE = b"\r\n\r\n\x00\r\nQUIT\n"
V2_MAX = 2048


class BadHeader(ValueError):
    """What came is no PROXY header."""


@dataclass(frozen=True, slots=True)
class Header:
    """Who really is at both ends, and how many octets that took. `source` empty: a health check, keep the connection's own."""

    length: int
    source: str = ""
    source_port: int = 0
    target: str = ""
    target_port: int = 0


def parse(data: bytes) -> Header | None:
    """The header at the start of `data`; None while more octets are needed; raises BadHeader."""
    if data[: len(V2_SIGNATURE)] == V2_SIGNATURE[: len(data)]:
        return _parse_v2(data) if len(data) >= 16 else None
    if data[:6] == b"PROXY "[: len(data)]:
        return _parse_v1(data)
    raise BadHeader("no PROXY header")


def _parse_v1(data: bytes) -> Header | None:
    end = data.find(b"\r\n", 0, V1_MAX)
    if end < 0:
        if len(data) >= V1_MAX:
            raise BadHeader("version 1 header is too long")
        return None
    words = data[:end].split(b" ")
    if words[1:2] == [b"UNKNOWN"]:
        return Header(end + 2)
    if len(words) != 6 or words[1] not in (b"TCP4", b"TCP6"):
        raise BadHeader("version 1 header has not the right fields")
    version = 4 if words[1] == b"TCP4" else 6
    return Header(end + 2, _ip(words[2], version), _port(words[4]), _ip(words[3], version), _port(words[5]))


def _ip(word: bytes, version: int) -> str:
    try:
        ip = ipaddress.ip_address(word.decode("ascii"))
    except ValueError:
        raise BadHeader("version 1 header has a bad address") from None
    if ip.version != version:
        raise BadHeader("version 1 header has an address of the other family")
    return str(ip)


def _port(word: bytes) -> int:
    if not word.isdigit() or len(word) > 5 or int(word) > 65535:
        raise BadHeader("version 1 header has a bad port")
    return int(word)


def _parse_v2(data: bytes) -> Header | None:
    command, family, length = data[12], data[13], int.from_bytes(data[14:16], "big")
    if command >> 4 != 2 or command & 15 > 1:
        raise BadHeader("version 2 header has an unknown version or command")
    if length > V2_MAX:
        raise BadHeader("version 2 header is too long")
    if len(data) < 16 + length:
        return None
    body, whole = data[16 : 16 + length], 16 + length
    if command & 15 == 0 or family not in (0x11, 0x21):
        return Header(whole)
    size = 4 if family == 0x11 else 16
    if length < 2 * size + 4:
        raise BadHeader("version 2 header is too short for its addresses")
    source, target = (str(ipaddress.ip_address(body[at : at + size])) for at in (0, size))
    source_port, target_port = struct.unpack_from(">HH", body, 2 * size)
    return Header(whole, source, source_port, target, target_port)
