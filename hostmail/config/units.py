"""Sizes and durations as people write them (`20M`, `30m`), both ways.

Sizes are binary, because quotas are promised that way: 20M is 20 * 1024 * 1024 octets (BEHAVIOURS D2, D3).
"""

from __future__ import annotations

import re
from fractions import Fraction
from typing import NewType

Octets = NewType("Octets", int)
Seconds = NewType("Seconds", int)

MAX_SIZE = 1 << 60
MAX_DURATION = 100 * 366 * 86400

_SIZE_UNITS = (("T", 1 << 40), ("G", 1 << 30), ("M", 1 << 20), ("K", 1 << 10))
_DURATION_UNITS = (("w", 604800), ("d", 86400), ("h", 3600), ("m", 60), ("s", 1))
_SIZE = re.compile(r"([0-9]{1,19}(?:\.[0-9]{1,6})?)\s*(?:([kmgt])(?:i?b)?|b)?\Z", re.IGNORECASE | re.ASCII)
_PART = re.compile(r"([0-9]{1,12})\s*([wdhms])\s*", re.IGNORECASE | re.ASCII)


def parse_size(text: str) -> Octets:
    """Octets from `20M`, `1.5G`, `20 MiB` or `20971520`; raises ValueError with what would be right."""
    match = _SIZE.match(text.strip())
    if not match:
        raise ValueError(f"{text!r} is no size; write it like 20M, 1.5G or 20971520")
    factor = dict(_SIZE_UNITS)[match[2].upper()] if match[2] else 1
    octets = Fraction(match[1]) * factor
    if octets > MAX_SIZE:
        raise ValueError(f"{text!r} is too large; the most is {format_size(MAX_SIZE)}")
    if octets.denominator != 1 and factor == 1:
        raise ValueError(f"{text!r} is no whole number of octets; write it like 20M, 1.5G or 20971520")
    return Octets(int(octets))


def format_size(octets: int) -> str:
    """The shortest text that `parse_size` reads back as exactly `octets`."""
    for unit, factor in _SIZE_UNITS:
        if octets and octets % factor == 0:
            return f"{octets // factor}{unit}"
    return str(octets)


def human_size(octets: int) -> str:
    """About how much that is, for tables: three significant places at most."""
    for unit, factor in _SIZE_UNITS:
        if octets >= factor:
            number = octets / factor
            return f"{number:.0f}{unit}" if number >= 100 or octets % factor == 0 else f"{number:.1f}{unit}"
    return f"{octets}B"


def parse_duration(text: str) -> Seconds:
    """Seconds from `30m`, `1h30m`, `14d` or a bare number of seconds; raises ValueError with what would be right."""
    stripped = text.strip()
    if stripped.isascii() and stripped.isdigit() and len(stripped) < 13:
        return _bounded(int(stripped), text)
    seconds, position, seen = 0, 0, ""
    while match := _PART.match(stripped, position):
        unit = match[2].lower()
        if unit in seen:
            break
        seen += unit
        seconds += int(match[1]) * dict(_DURATION_UNITS)[unit]
        position = match.end()
    if not seen or position != len(stripped):
        raise ValueError(f"{text!r} is no duration; write it like 45s, 30m, 1h30m or 14d")
    return _bounded(seconds, text)


def _bounded(seconds: int, text: str) -> Seconds:
    if seconds > MAX_DURATION:
        raise ValueError(f"{text!r} is more than a hundred years")
    return Seconds(seconds)


def format_duration(seconds: int) -> str:
    """A text that `parse_duration` reads back as exactly `seconds`: at most two units, else all in the smaller one."""
    if not seconds:
        return "0s"
    for unit, factor in _DURATION_UNITS[1:]:
        if seconds % factor == 0:
            return f"{seconds // factor}{unit}" if seconds < factor * 120 else _mixed(seconds)
    return f"{seconds}s"


def _mixed(seconds: int) -> str:
    parts = []
    for unit, factor in _DURATION_UNITS[1:]:
        count, seconds = divmod(seconds, factor)
        if count:
            parts.append(f"{count}{unit}")
    return "".join(parts)
