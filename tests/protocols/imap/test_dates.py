"""Dates."""

from __future__ import annotations

from datetime import date

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from hostmail.protocols.imap import dates


class Dates(SynchronousTestCase):
    """RFC 3501 section 9: date and date-time."""

    def test_reads_the_rfcs_examples(self) -> None:
        """Day, month in any case, year; the zone is subtracted."""
        self.assertEqual(dates.parse_date(b"1-feb-1994"), date(1994, 2, 1))
        self.assertEqual(dates.parse_date_time(b"17-Jul-1996 02:44:25 -0700"), 837596665)
        self.assertEqual(dates.parse_date_time(b" 7-Feb-1994 21:52:25 +0100"), 760654345)

    def test_senseless_dates_are_refused(self) -> None:
        """No 31st of June, no 25th hour, no missing zone."""
        for text in (b"31-Jun-2020", b"1-Foo-2020", b"x", b"1-Feb-94", b"1-Feb-0000", b"0-Jan-2020"):
            with self.assertRaises(ValueError):
                dates.parse_date(text)
        for clock in (b"25:00:00 +0000", b"00:60:00 +0000", b"00:00:61 +0000", b"00:00:00", b"00:00:00 +0099"):
            with self.assertRaises(ValueError):
                dates.parse_date_time(b" 1-Feb-2020 " + clock)

    def test_absurd_times_are_written_all_the_same(self) -> None:
        """A file with a senseless time does not break FETCH."""
        for seconds in (10**18, -(10**18), 2**62, -62_200_000_000, 300_000_000_000):
            self.assertEqual(dates.format_date_time(seconds), b'" 1-Jan-1970 00:00:00 +0000"')

    @given(st.integers(0, 2**32))
    def test_what_is_written_is_read_back(self, seconds: int) -> None:
        """Any ordinary time survives."""
        self.assertEqual(dates.parse_date_time(dates.format_date_time(seconds)[1:-1]), seconds)
