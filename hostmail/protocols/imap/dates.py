"""Dates as IMAP writes them (RFC 3501 section 9): INTERNALDATE with a time and a zone, SEARCH with days only."""

from __future__ import annotations

import re
from calendar import timegm
from datetime import date
from time import gmtime

MONTHS = (b"Jan", b"Feb", b"Mar", b"Apr", b"May", b"Jun", b"Jul", b"Aug", b"Sep", b"Oct", b"Nov", b"Dec")
DATE_TIME = re.compile(
    rb"([ 0-3]?[0-9])-([A-Za-z]{3})-([0-9]{4}) ([0-9]{2}):([0-9]{2}):([0-9]{2}) ([+-])([0-9]{2})([0-9]{2})\Z"
)
DATE = re.compile(rb"([0-9]{1,2})-([A-Za-z]{3})-([0-9]{4})\Z")
_NUMBER_OF = {name.upper(): number for number, name in enumerate(MONTHS, 1)}


def _day(day: bytes, month: bytes, year: bytes) -> date:
    number = _NUMBER_OF.get(month.upper())
    if number is None:
        raise ValueError("no such month")
    return date(int(year), number, int(day))


def parse_date(text: bytes) -> date:
    """The day of a SEARCH key, as 1-Feb-1994; ValueError when there is no such day."""
    found = DATE.match(text)
    if found is None:
        raise ValueError("not a date")
    return _day(*found.groups())


def parse_date_time(text: bytes) -> int:
    """Seconds since 1970 of an APPEND's date, as ` 1-Feb-1994 21:52:25 -0800`; ValueError when it is none."""
    found = DATE_TIME.match(text)
    if found is None:
        raise ValueError("not a date with a time")
    day, month, year, hours, minutes, seconds, sign, zone_hours, zone_minutes = found.groups()
    when = _day(day.strip(), month, year)
    clock = (int(hours), int(minutes), int(seconds))
    if clock > (23, 59, 60) or clock[1] > 59 or clock[2] > 60 or int(zone_minutes) > 59:
        raise ValueError("no such time")
    offset = (int(zone_hours) * 60 + int(zone_minutes)) * 60
    return timegm((when.year, when.month, when.day, *clock)) - (offset if sign == b"+" else -offset)


def format_date_time(seconds: int) -> bytes:
    """An INTERNALDATE in UTC, quoted; what no calendar holds becomes 1970."""
    try:
        when = gmtime(seconds)
    except (OverflowError, ValueError, OSError):
        when = gmtime(0)
    if not 0 < when.tm_year <= 9999:
        when = gmtime(0)
    day = b"%2d-%s-%04d" % (when.tm_mday, MONTHS[when.tm_mon - 1], when.tm_year)
    return b'"%s %02d:%02d:%02d +0000"' % (day, when.tm_hour, when.tm_min, when.tm_sec)
