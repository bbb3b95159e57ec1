"""How values are written on pages."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from hostmail.web.panel.templating import LONG, of, pieces, size


class TemplatingTests(SynchronousTestCase):
    def test_where_lines_may_end(self) -> None:
        """Short words stay whole; a long one may be broken after a dot or hyphen, or at last anywhere, so that no column gets too wide."""
        self.assertEqual(pieces("Bob@example.test"), ["Bob", "@example.test"])
        self.assertEqual(pieces("person003.of-the-sales-department"), ["person003.of-the-", "sales-department"])
        for text in (
            "",
            "451 not now",
            "x" * 100,
            "an-even-longer-host-name.of-some-company.example has no answer @ all",
        ):
            found = pieces(text)
            self.assertEqual("".join(found), text)
            self.assertTrue(all(len(word) <= LONG for piece in found for word in piece.split(" ")), found)
        self.assertEqual(pieces("451 not now, please"), ["451 not now, please"])

    def test_one_of_many(self) -> None:
        """What is counted is said in the singular where there is one."""
        self.assertEqual([of("addresses", 1), of("changes", 1), of("lists", 2)], ["address", "change", "lists"])

    def test_sizes(self) -> None:
        """A size has its unit, which no line end parts from it."""
        found = [size(octets) for octets in (None, 0, 2048, 5 * 1024**3)]
        self.assertEqual(found, ["no limit", "0\xa0B", "2\xa0KB", "5\xa0GB"])
