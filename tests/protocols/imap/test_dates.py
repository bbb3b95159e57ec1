"""Dates."""

from __future__ import annotations

from datetime import date

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from hostmail.message.dates import parse_internaldate
from hostmail.protocols.imap import dates


class Dates(SynchronousTestCase):
    """RFC 3501 section 9: date and date-time."""

    def test_reads_days(self) -> None:
        """Day, month in any case, year."""
        self.assertEqual(dates.parse_date(b"1-feb-1994"), date(1994, 2, 1))

    def test_senseless_dates_are_refused(self) -> None:
        """No 31st of June, no year of two digits."""
        for text in (b"31-Jun-2020", b"1-Foo-2020", b"x", b"1-Feb-94", b"1-Feb-0000", b"0-Jan-2020"):
            with self.assertRaises(ValueError):
                dates.parse_date(text)

    def test_absurd_times_are_written_all_the_same(self) -> None:
        """A file with a senseless time does not break FETCH."""
        for seconds in (86_400 * 10**13, -86_400 * 10**9, 86_400 * 10**7):
            self.assertEqual(dates.format_date_time(seconds), b'" 1-Jan-1970 00:00:00 +0000"')

    @given(st.integers(0, 2**32))
    def test_what_is_written_is_read_back(self, seconds: int) -> None:
        """Any ordinary time survives."""
        self.assertEqual(parse_internaldate(dates.format_date_time(seconds)), seconds)
