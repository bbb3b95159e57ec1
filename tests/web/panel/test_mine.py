"""What mailbox users do themselves: forward, sessions and logins, password."""

from __future__ import annotations

from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from tests.web.facts import MINE, PASSWORD
from tests.web.fakes import Browser, Site

ANN = f"Ann@{MINE}"


class MineTests(SynchronousTestCase):
    def setUp(self) -> None:
        folder = Path(self.mktemp())
        folder.mkdir()
        self.site = Site(folder)
        self.admin = self.site.admin
        self.browser = Browser(self.site)
        self.browser.sign_in(ANN)

    def test_forward(self) -> None:
        """A user sends his mail on, with a copy or without, and stops that."""
        self.assertIn(f"far@{MINE}</textarea>", self.browser.get("/mailbox/forward").text)
        self.browser.fill("/mailbox/forward", "change", targets="carl@far.test", keep_copy="yes")
        row = self.admin.addresses[ANN]
        self.assertEqual((row["forwards"], row["keep_copy"]), (["carl@far.test"], True))
        self.browser.fill("/mailbox/forward", "change", targets="")
        self.assertNotIn(ANN, self.admin.addresses)

    def test_logins(self) -> None:
        """He sees who is connected and the last attempts, with what to do, and can end all connections."""
        text = self.browser.get("/mailbox/logins").text
        for words in ("IMAP", "192.0.2.9", "wrong case", "Spell it as it is.", "&lt;u&gt;Ann&lt;/u&gt;"):
            self.assertIn(words, text)
        self.browser.fill("/mailbox/logins", "disconnect")
        self.assertIn(("session.kick", {"address": ANN}), self.admin.calls)

    def test_password(self) -> None:
        """A new password needs the one he has; a made one is shown once."""
        for fields, words in (
            ({"current": "", "make": "yes"}, "the password you have now"),
            ({"current": "wrong", "make": "yes"}, "not the password you have now"),
            ({"current": PASSWORD, "make": "no", "password": "a", "password_again": "b"}, "not the same"),
        ):
            self.assertIn(words, self.browser.fill("/password", "change", **fields).text)
        new = {"make": "no", "password": "Another-Horse-8", "password_again": "Another-Horse-8"}
        self.assertEqual(self.browser.fill("/password", "change", current=PASSWORD, **new).status, 303)
        self.assertEqual(self.browser.get("/password").status, 200)
        reply = self.browser.fill("/password", "change", current=PASSWORD, make="yes")
        made = [arguments["password"] for verb, arguments in self.admin.calls if verb == "own.passwd"][-1]
        self.assertIn(made, reply.text)
