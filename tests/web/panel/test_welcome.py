"""The letter that new mailboxes begin with."""

from __future__ import annotations

from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from tests.web.facts import MINE
from tests.web.fakes import Browser, Site

PAGE = f"/domains/{MINE}/welcome"


class WelcomeTests(SynchronousTestCase):
    def setUp(self) -> None:
        folder = Path(self.mktemp())
        folder.mkdir()
        self.site = Site(folder)
        self.letters = self.site.admin.letters
        self.browser = Browser(self.site)
        self.browser.sign_in("owen")

    def test_written(self) -> None:
        """Subject and text are changed apart from each other, and saved as one template."""
        text = self.browser.get(PAGE).text
        for words in ('value="Hello"', "Hello {login}.", "server&#39;s letter", "{login}"):
            self.assertIn(words, text)
        reply = self.browser.fill(PAGE, "set", subject="Welcome", text="Dear {login}:\r\n\r\nHere you are.")
        self.assertEqual(reply.headers["location"], PAGE)
        self.assertEqual(self.letters[MINE], "Subject: Welcome\n\nDear {login}:\n\nHere you are.\n")
        text = self.browser.get(PAGE).text
        for words in ("own.", 'value="Welcome"', "Dear {login}:\n\nHere you are."):
            self.assertIn(words, text)

    def test_preview(self) -> None:
        """A preview shows the letter as it would arrive, as text, and keeps what was typed; nothing is saved."""
        text = self.browser.fill(PAGE, "preview", subject="Welcome", text="For {login}", address="").text
        for words in (f"For your.name@{MINE}", "&lt;b&gt;s&lt;/b&gt;", 'value="Welcome"', "For {login}</textarea>"):
            self.assertIn(words, text)
        self.assertEqual(self.letters, {})

    def test_refused(self) -> None:
        """What cannot be filled in is refused, in the preview and when it is saved, and stays where it was typed."""
        for action in ("preview", "set"):
            text = self.browser.fill(PAGE, action, subject="Mine", text="{odd}").text
            self.assertIn("{odd} is no placeholder", text)
            self.assertIn("{odd}</textarea>", text)
            self.assertIn('value="Mine"', text)
        self.assertIn("A letter needs a subject", self.browser.fill(PAGE, "set", subject="", text="x").text)

    def test_off_and_back(self) -> None:
        """Mailboxes may begin empty, or as everywhere."""
        self.browser.fill(PAGE, "off")
        self.assertIn("<strong>empty</strong>", self.browser.get(PAGE).text)
        self.browser.fill(PAGE, "reset")
        self.assertEqual(self.letters, {})

    def test_sent_again(self) -> None:
        """One mailbox gets the letter once more."""
        self.browser.fill(PAGE, "send", address=f"Ann@{MINE}")
        self.assertIn(("welcome.send", {"address": f"Ann@{MINE}"}), self.site.admin.calls)
