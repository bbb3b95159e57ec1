"""Dates of messages."""

from __future__ import annotations

from datetime import date

from twisted.trial.unittest import SynchronousTestCase

from hostmail.message.dates import format_date, parse_date, parse_internaldate

MOMENT = 1_700_000_000


class DateTests(SynchronousTestCase):
    def check(self, *values: bytes, expected: int = MOMENT) -> None:
        for value in values:
            sent = parse_date(value)
            assert sent is not None, value
            self.assertEqual(sent.timestamp, expected, value)

    def test_forms_of_one_moment(self) -> None:
        """RFC 5322, its obsolete forms, and what else is seen."""
        self.check(
            b"Tue, 14 Nov 2023 22:13:20 +0000",
            b"14 Nov 2023 22:13:20 GMT",
            b"Tue, 14 Nov 2023 23:13:20 +0100 (CET)",
            b"tue,14 nov 23 17:13:20 EST",
            b"Tue, 14 November 2023 22:13:20",
            b"14-Nov-2023 22:13:20 +00:00",
            b"Tue (day) , 14 (x) Nov 2023 22:13:20 Z",
            b"Tue Nov 14 22:13:20 2023",
            b"Tue Nov 14 17:13:20 EST 2023",
            b"Tue, 14 Nov 123 22:13:20 -0000",
        )
        self.check(b"14 Nov 2023 22:13 +0000", expected=MOMENT - 20)
        self.check(b"31 Dec 1998 23:59:60 +0000", expected=915148799)
        self.check(b"1 Jan 70 00:00:00 +0100", expected=-3600)

    def test_day_is_as_written(self) -> None:
        """SENTON looks at the sender's day, not at UTC's (RFC 3501 6.4.4)."""
        sent = parse_date(b"Wed, 15 Nov 2023 00:30:00 +0200")
        assert sent is not None
        self.assertEqual(sent.day, date(2023, 11, 15))

    def test_no_dates(self) -> None:
        """None for what is none."""
        for value in (
            *(b"", b"yesterday", b"32 Nov 2023 22:13:20 +0000", b"14 Foo 2023 22:13:20", b"14 Nov 2023"),
            *(b"14 Nov 2023 25:00:00 +0000", b"14 Nov 0000 22:13:20 +0000", b"Tue Foo 14 22:13:20 2023"),
        ):
            self.assertIsNone(parse_date(value), value)

    def test_format(self) -> None:
        """A Date field's value, in any zone; it reads back."""
        self.assertEqual(format_date(MOMENT), b"Tue, 14 Nov 2023 22:13:20 +0000")
        self.assertEqual(format_date(MOMENT + 0.9, -570), b"Tue, 14 Nov 2023 12:43:20 -0930")
        self.check(format_date(MOMENT, 345))

    def test_internal_date(self) -> None:
        """IMAP's form, the day padded with a space, in any zone, with or without quotes."""
        self.assertEqual(parse_internaldate(b'" 1-Jan-1970 01:00:00 +0100"'), 0)
        for value in (b"14-Nov-2023 22:13:20 +0000", b"14-Nov-2023 12:43:20 -0930", b"15-Nov-2023 03:58:20 +0545"):
            self.assertEqual((parse_internaldate(value), parse_internaldate(b'"%b"' % value)), (MOMENT, MOMENT))

    def test_bad_internal_dates(self) -> None:
        """None for what is none."""
        for value in (
            b"",
            b'"x"',
            b'"31-Feb-2023 22:13:20 +0000"',
            b'"14-Nov-2023 22:13:20"',
            b'"14-Foo-2023 22:13:20 +0000"',
        ):
            self.assertIsNone(parse_internaldate(value), value)
