"""Sizes and durations as people write them."""

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from hostmail.config.units import format_duration, format_size, human_size, parse_duration, parse_size


class SizeTests(SynchronousTestCase):
    def test_binary(self) -> None:
        """20M is 20 MiB, the quota people were promised (D2)."""
        self.assertEqual(parse_size("20M"), 20 * 1024 * 1024)

    def test_spellings(self) -> None:
        """Case, blanks, B and iB do not matter, and fractions work."""
        for text in ("1.5G", "1.5 GiB", "1.5gb", " 1536M ", "1610612736", "1610612736B"):
            self.assertEqual(parse_size(text), 1610612736, text)

    def test_refused(self) -> None:
        """What is no size is refused with an example of one."""
        for text in ("", "M", "-1M", "20X", "1e3", "twenty", "1.5", "٢M", "1 000"):
            with self.assertRaisesRegex(ValueError, "write it like 20M"):
                parse_size(text)

    def test_too_large(self) -> None:
        """A size that no database column holds is refused."""
        with self.assertRaisesRegex(ValueError, "too large"):
            parse_size("9999999T")

    @given(st.integers(0, 1 << 60))
    def test_both_ways(self, octets: int) -> None:
        """What is written is read back exactly."""
        self.assertEqual(parse_size(format_size(octets)), octets)

    def test_for_people(self) -> None:
        """Tables show about three places."""
        sizes = [0, 1023, 1024, 20 << 20, int(19.84 * (1 << 20)), 123456789, 5 << 40]
        self.assertEqual([human_size(size) for size in sizes], ["0B", "1023B", "1K", "20M", "19.8M", "118M", "5T"])


class DurationTests(SynchronousTestCase):
    def test_spellings(self) -> None:
        """One unit, several units, or bare seconds."""
        for text in ("30m", "1800", "1800s", "20m 600s", "30M"):
            self.assertEqual(parse_duration(text), 1800, text)
        self.assertEqual(parse_duration("1h30m"), 5400)
        self.assertEqual(parse_duration("2w"), 1209600)

    def test_refused(self) -> None:
        """What is no duration is refused with an example of one."""
        for text in ("", "m", "30x", "1m30", "5m5m", "-5m", "1.5h", "30 minutes"):
            with self.assertRaisesRegex(ValueError, "write it like 45s"):
                parse_duration(text)

    def test_too_long(self) -> None:
        """Centuries are a slip of the finger."""
        with self.assertRaisesRegex(ValueError, "hundred years"):
            parse_duration("999999999d")

    @given(st.integers(0, 100 * 366 * 86400))
    def test_both_ways(self, seconds: int) -> None:
        """What is written is read back exactly."""
        self.assertEqual(parse_duration(format_duration(seconds)), seconds)

    def test_shortest(self) -> None:
        """Durations are written in the unit people would use."""
        self.assertEqual(
            [format_duration(seconds) for seconds in (0, 5, 90, 1800, 5400, 14 * 86400, 90061 * 60)],
            ["0s", "5s", "90s", "30m", "90m", "14d", "62d13h1m"],
        )
