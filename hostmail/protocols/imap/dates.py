"""Dates as IMAP writes them (RFC 3501 section 9): the days of SEARCH, and INTERNALDATE, whatever a file's time is.

`hostmail.message.dates` reads INTERNALDATE; writing is here, for whole columns of them.
"""

from __future__ import annotations

import re
from datetime import date
from functools import lru_cache

MONTHS = (b"Jan", b"Feb", b"Mar", b"Apr", b"May", b"Jun", b"Jul", b"Aug", b"Sep", b"Oct", b"Nov", b"Dec")
DATE = re.compile(rb"([0-9]{1,2})-([A-Za-z]{3})-([0-9]{4})\Z")
_EPOCH = date(1970, 1, 1).toordinal()
_MINUTES = [b"%02d:%02d:" % divmod(minute, 60) for minute in range(1440)]
_SECONDS = [b'%02d +0000"' % second for second in range(60)]
_NUMBER_OF = {name.upper(): number for number, name in enumerate(MONTHS, 1)}


def parse_date(text: bytes) -> date:
    """The day of a SEARCH key, as 1-Feb-1994; ValueError when there is no such day."""
    found = DATE.match(text)
    if found is None:
        raise ValueError("not a date")
    day, month, year = found.groups()
    number = _NUMBER_OF.get(month.upper())
    if number is None:
        raise ValueError("no such month")
    return date(int(year), number, int(day))


def format_date_time(seconds: int) -> bytes:
    """An INTERNALDATE in UTC, quoted; what no calendar holds becomes 1970."""
    day, rest = divmod(seconds, 86_400)
    minute, second = divmod(rest, 60)
    return _day_text(day) + _MINUTES[minute] + _SECONDS[second]


@lru_cache(1024)
def _day_text(day: int) -> bytes:
    try:
        when = date.fromordinal(day + _EPOCH)
    except (OverflowError, ValueError):
        when = date(1970, 1, 1)
    return b'"%2d-%b-%04d ' % (when.day, MONTHS[when.month - 1], when.year)
