"""Dates as mail writes them: the Date field (RFC 5322 3.3 and 4.3) and IMAP's INTERNALDATE (RFC 3501 9, date-time)."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta, timezone
from typing import NamedTuple

MAX_DATE = 256

_DAYS = (b"Mon", b"Tue", b"Wed", b"Thu", b"Fri", b"Sat", b"Sun")
_MONTHS = (b"Jan", b"Feb", b"Mar", b"Apr", b"May", b"Jun", b"Jul", b"Aug", b"Sep", b"Oct", b"Nov", b"Dec")
_MONTH_NUMBERS = {name.lower(): number for number, name in enumerate(_MONTHS, 1)}
_ZONES = {b"edt": -4, b"est": -5, b"cdt": -5, b"cst": -6, b"mdt": -6, b"mst": -7, b"pdt": -7, b"pst": -8}

_COMMENT = re.compile(rb"\([^()]*+\)")
_TIME = rb"(\d{1,2})[:.](\d{1,2})(?:[:.](\d{1,2}))?(?:\.\d+)?"
_ZONE = rb"\s*(?:([+-])(\d{2}):?(\d{2})\b|([A-Za-z]{1,5})\b)?"
_USUAL = re.compile(rb"\b(\d{1,2})[\s-]+([A-Za-z]{3})[a-z]*[\s.,-]+(\d{2,4})[\s,T]+" + _TIME + _ZONE)
_CTIME = re.compile(rb"\b([A-Za-z]{3})\s+(\d{1,2})\s+" + _TIME + rb"\s+(?:([A-Za-z]{1,5})\s+)?(\d{4})\b")
_INTERNAL = re.compile(rb'"?([ \d]\d)-([A-Za-z]{3})-(\d{4}) (\d\d):(\d\d):(\d\d) ([+-])(\d\d)(\d\d)"?')


class SentDate(NamedTuple):
    """A Date field's moment, and its day as written: SENTON and its like disregard time and zone (RFC 3501 6.4.4)."""

    timestamp: int
    day: date


def parse_date(value: bytes) -> SentDate | None:
    """The date in a field's value, obsolete and common wrong forms included; None if there is none."""
    text = value[:MAX_DATE]
    if b"(" in text:
        text = _COMMENT.sub(b" ", text)
    match = _USUAL.search(text)
    if match is not None:
        day, month, year, hour, minute, second, sign, hours, minutes, zone = match.groups()
    else:
        match = _CTIME.search(text)
        if match is None:
            return None
        month, day, hour, minute, second, zone, year = match.groups()
        sign = hours = minutes = None
    offset = _offset(sign, hours, minutes) if sign and hours and minutes else _named_offset(zone)
    return _sent_date(_full_year(year), month, int(day), int(hour), int(minute), int(second or 0), offset)


def format_date(timestamp: float, offset_minutes: int = 0) -> bytes:
    """A Date field's value, e.g. `Tue, 14 Nov 2023 22:13:20 +0000`."""
    when = _local(timestamp, offset_minutes)
    return b"%b, %d %b %04d %02d:%02d:%02d %b" % (
        _DAYS[when.weekday()],
        when.day,
        _MONTHS[when.month - 1],
        when.year,
        when.hour,
        when.minute,
        when.second,
        _zone(offset_minutes),
    )


def parse_internaldate(value: bytes) -> int | None:
    """The Unix time of an IMAP date-time, with or without its quotes; None if it is not one."""
    match = _INTERNAL.fullmatch(value)
    if match is None:
        return None
    day, month, year, hour, minute, second, sign, hours, minutes = match.groups()
    sent = _sent_date(int(year), month, int(day), int(hour), int(minute), int(second), _offset(sign, hours, minutes))
    return None if sent is None else sent.timestamp


def _local(timestamp: float, offset_minutes: int) -> datetime:
    return datetime.fromtimestamp(int(timestamp), UTC).astimezone(timezone(timedelta(minutes=offset_minutes)))


def _zone(offset_minutes: int) -> bytes:
    hours, minutes = divmod(abs(offset_minutes), 60)
    return b"%b%02d%02d" % (b"-" if offset_minutes < 0 else b"+", hours, minutes)


def _full_year(text: bytes) -> int:
    """RFC 5322 4.3: two digits from 50 up, and three digits, count from 1900; lower ones from 2000."""
    year = int(text)
    if len(text) == 2 and year < 50:
        return year + 2000
    return year + 1900 if len(text) < 4 else year


def _offset(sign: bytes, hours: bytes, minutes: bytes) -> int:
    offset = int(hours) * 60 + int(minutes)
    return -offset if sign == b"-" else offset


def _named_offset(zone: bytes | None) -> int:
    """Minutes for the few zone names with a meaning (RFC 5322 4.3); all others count as UTC."""
    return 0 if zone is None else _ZONES.get(zone.lower(), 0) * 60


def _sent_date(year: int, month: bytes, day: int, hour: int, minute: int, second: int, offset: int) -> SentDate | None:
    try:
        local = datetime(year, _MONTH_NUMBERS[month.lower()], day, hour, minute, min(second, 59), tzinfo=UTC)
    except (KeyError, ValueError):
        return None
    return SentDate(int(local.timestamp()) - offset * 60, local.date())
