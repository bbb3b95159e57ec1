"""Autoresponders, as owners and users set them up (E4)."""

from __future__ import annotations

from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from tests.web.facts import MINE
from tests.web.fakes import Browser, Site

ANN = f"Ann@{MINE}"
LIST, MY = f"/domains/{MINE}/autoresponders", "/mailbox/autoresponder"
ANSWER = {"subject": "Away", "text": "I am away.\r\nAnn", "starts": "2026-12-20", "until": "2026-12-31", "every": "7"}


class AutoreplyTests(SynchronousTestCase):
    def setUp(self) -> None:
        folder = Path(self.mktemp())
        folder.mkdir()
        self.site = Site(folder)
        self.there = self.site.admin.autoreplies
        self.owner, self.user = Browser(self.site), Browser(self.site)
        self.owner.sign_in("owen")
        self.user.sign_in(ANN)

    def test_owner(self) -> None:
        """An owner finds every account in the list, sets its answer up, sees it there, and switches it off."""
        page = f"{LIST}/{ANN}"
        self.assertIn(f'href="{page}"', self.owner.get(LIST).text)
        self.assertEqual(self.owner.fill(page, "set", **ANSWER).headers["location"], page)
        told = self.there[ANN]
        self.assertEqual((told["subject"], told["text"], told["every"]), ("Away", "I am away.\nAnn", 7 * 86_400.0))
        self.assertEqual(told["until"] - told["starts"], 12 * 86_400.0)
        text = self.owner.get(page).text
        for value in ('value="2026-12-20"', 'value="2026-12-31"', '<option value="7" selected>'):
            self.assertIn(value, text)
        self.assertIn("Away", self.owner.get(LIST).text)
        self.assertEqual(self.owner.fill(page, "off").headers["location"], LIST)
        self.assertEqual(self.there, {})

    def test_user(self) -> None:
        """A user does the same with his own."""
        self.assertEqual(self.user.fill(MY, "set", **ANSWER | {"starts": "", "until": ""}).status, 303)
        self.assertEqual((self.there[ANN]["starts"], self.there[ANN]["until"]), (None, None))
        self.user.fill(MY, "off")
        self.assertEqual(self.there, {})

    def test_preview(self) -> None:
        """What a sender would get is shown before anything is saved, with what was typed still in the form."""
        for browser, page in ((self.owner, f"{LIST}/{ANN}"), (self.user, MY)):
            text = browser.fill(page, "preview", **ANSWER | {"subject": "", "text": "Back <b>soon</b>"}).text
            self.assertIn("Auto: (the subject of the message)", text)
            self.assertIn('<pre class="letter-text">Back &lt;b&gt;soon&lt;/b&gt;</pre>', text)
            self.assertIn("Back &lt;b&gt;soon&lt;/b&gt;</textarea>", text)
            self.assertIn('value="2026-12-31"', text)
        self.assertEqual(self.there, {})

    def test_refused(self) -> None:
        """What makes no sense is said beside its field, and what was typed stays."""
        for wrong, words in (
            ({"text": " "}, "Type what is to be answered"),
            ({"until": "soon"}, "Write the day like 2026-12-20"),
            ({"every": "0"}, "Choose how often"),
        ):
            text = self.user.fill(MY, "set", **ANSWER | wrong).text
            self.assertIn(words, text)
            self.assertIn('value="Away"', text)
        self.assertEqual(self.there, {})
