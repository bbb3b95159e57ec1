"""hostmail autoreply ..."""

from __future__ import annotations

import datetime

from tests.admin.commanding import Base


class AutoreplyTests(Base):
    def test_set_show_off(self) -> None:
        """All that is set is shown, with who was answered."""
        text = self.folder / "away.txt"
        text.write_bytes("Grüße\nAnn\n".encode())
        told = self.json(
            "autoreply", "set", "ann@one.test", "--subject", "Away", "--text-file", str(text),
            "--from", "2026-12-20 18:00", "--until", "2027-01-06", "--every", "3d",
        )  # fmt: skip
        local = datetime.datetime(2027, 1, 7).timestamp()
        self.assertEqual((told["text"], told["every"], told["until"]), ("Grüße\nAnn\n", 259200, local))
        self.world.answered.claimed.add((told["account_id"], "bob@x.example"))
        shown = self.run_command("autoreply", "show", "ann@one.test")
        for words in (
            "subject      Away",
            "from         2026-12-20 18:00:00",
            "once in 3d",
            "    Grüße\n    Ann",
            "bob@x.example",
        ):
            self.assertIn(words, shown)
        self.run_command("autoreply", "off", "ann@one.test")
        self.run_command("autoreply", "show", "ann@one.test", code=1)
        self.run_command("autoreply", "off", "ann@one.test", code=1)

    def test_defaults(self) -> None:
        """A text is enough; it may come from stdin."""
        shown = self.run_command("autoreply", "set", "ann@one.test", "--text-file", "-", stdin="away")
        for words in ("Auto: and the subject of the message", "now on", "told otherwise", "once in 7d"):
            self.assertIn(words, shown)

    def test_refused(self) -> None:
        """Wrong dates, texts and addresses are told."""
        text = self.folder / "away.txt"
        text.write_bytes(b"\xff")
        self.run_command("autoreply", "set", "ann@one.test", "--text-file", str(text), code=2)
        self.assertIn("not UTF-8", self.talk)
        self.run_command("autoreply", "set", "ann@one.test", "--text-file", "-", "--until", "soon", stdin="x", code=2)
        self.assertIn("2026-12-20", self.talk)
        self.run_command("autoreply", "set", "nobody@one.test", "--text-file", "-", stdin="x", code=1)
        self.run_command("autoreply", "set", "ann@one.test", code=2)
