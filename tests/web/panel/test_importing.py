"""Many accounts from a file."""

from __future__ import annotations

import re

from twisted.trial.unittest import SynchronousTestCase

from hostmail.web.panel.keptrows import KEPT_SECONDS, MOST, KeptRows
from tests.web.facts import MINE, THEIRS
from tests.web.fakes import Browser, PanelCase

PAGE = f"/domains/{MINE}/accounts/import"
FILE = f"address,password,quota\r\ncarl@{MINE},Correct-Horse-7,5M\r\ndora@{MINE},,\r\neve@{THEIRS},Correct-Horse-7,\r\n"


class ImportTests(PanelCase):
    def key(self, text: str) -> str:
        found = re.search(r'name="key" value="([^"]+)"', text)
        return found[1] if found else ""

    def test_tried_then_done(self) -> None:
        """A file is only tried at first, with each problem and its line; then the same rows are taken, without choosing it again."""
        text = self.browser.upload(PAGE, "try", FILE.encode()).text
        for words in (
            "nothing has been written",
            "1 created",
            "2 not possible",
            "&lt;i&gt;needs&lt;/i&gt; one",
            "Line 4:",
        ):
            self.assertIn(words, text)
        self.assertNotIn("Correct-Horse", text)
        self.assertEqual(self.admin.imported, [])
        text = self.browser.fill(PAGE, "do", key=self.key(text)).text
        self.assertIn("Done.", text)
        self.assertEqual([row["address"] for row in self.admin.imported], [f"carl@{MINE}"])

    def test_only_once(self) -> None:
        """A file that was done, or is another session's, is not there any more."""
        key = self.key(self.browser.upload(PAGE, "try", FILE.encode()).text)
        other = Browser(self.site)
        other.sign_in("owen")
        self.assertIn("choose it again", other.fill(PAGE, "do", key=key).text)
        self.browser.fill(PAGE, "do", key=key)
        self.assertIn("choose it again", self.browser.fill(PAGE, "do", key=key).text)
        self.assertEqual(len(self.admin.imported), 1)

    def test_not_for_long(self) -> None:
        """Who thinks about it for more than a quarter of an hour chooses the file again."""
        key = self.key(self.browser.upload(PAGE, "try", FILE.encode()).text)
        self.site.clock.advance(KEPT_SECONDS)
        self.assertIn("choose it again", self.browser.fill(PAGE, "do", key=key).text)
        self.assertEqual(self.admin.imported, [])

    def test_no_such_file(self) -> None:
        """What is no such list is refused beside the field, with the line."""
        for content, words in (
            (b"", "Choose a CSV file"),
            (b"a,b\n1,2\n", "Line 1: has an unknown column"),
            (b"address,password\n\xff,x\n", "Line 2: is not UTF-8"),
            (b"address,password\n", "no account in that file"),
            (b"address,password\n" + b"a@b,c\n" * 1, "not possible"),
            (b"x" * (1 << 20) + b"x", "too large"),
            (b"address,password\n" + b"".join(b"a%d@b.test,c\n" % each for each in range(501)), "At most 500"),
        ):
            self.assertIn(words, self.browser.upload(PAGE, "try", content).text)
        self.assertIn("Choose a CSV file", self.browser.fill(PAGE, "try").text)

    def test_stops_half_way(self) -> None:
        """If the server is too busy in between, what is done is told, and that the same file may be sent again."""
        rows = "".join(f"a{number}@{MINE},Correct-Horse-7\n" for number in range(60))
        key = self.key(self.browser.upload(PAGE, "try", f"address,password\n{rows}".encode()).text)
        taken, self.admin.imported = self.admin.account_import, []

        def busy(actor: object, rows: list[dict[str, object]], dry_run: bool) -> object:
            return taken(actor, [rows[0] | {"address": "busy"}] if len(rows) < 50 else rows, dry_run)  # type: ignore[arg-type]

        self.admin.account_import = busy  # type: ignore[method-assign, assignment]
        text = self.browser.fill(PAGE, "do", key=key).text
        self.assertIn("It stopped before 10 of the rows", text)
        self.assertIn("50 created", text)


class KeptTests(SynchronousTestCase):
    def test_few_and_not_for_long(self) -> None:
        """Rows are gone after a quarter of an hour, and the oldest when there are too many."""
        time = [0.0]
        kept = KeptRows(lambda: time[0])
        first = kept.keep(1, "one.test", [])
        self.assertIsNone(kept.take(1, "two.test", first))
        keys = [kept.keep(each, "one.test", [{"line": each}]) for each in range(2, MOST + 2)]
        self.assertIsNone(kept.take(1, "one.test", first))
        self.assertEqual(kept.take(2, "one.test", keys[0]), [{"line": 2}])
        time[0] = KEPT_SECONDS
        self.assertIsNone(kept.take(3, "one.test", keys[1]))

    def test_each_his_own(self) -> None:
        """Who tries many files loses his own first ones, and nobody else's."""
        kept = KeptRows(lambda: 0.0)
        other = kept.keep(1, "one.test", [])
        keys = [kept.keep(2, "one.test", [{"line": each}]) for each in range(MOST + 1)]
        self.assertIsNone(kept.take(2, "one.test", keys[-3]))
        self.assertEqual(kept.take(2, "one.test", keys[-2]), [{"line": MOST - 1}])
        self.assertEqual(kept.take(1, "one.test", other), [])
