"""Tokens for programs, and the folders of one's mailbox."""

from __future__ import annotations

from typing import Any

from tests.web.facts import MINE
from tests.web.fakes import Browser, PanelCase

ANN = f"Ann@{MINE}"


class TokenTests(PanelCase):
    login = ""

    def asked(self, verb: str) -> list[dict[str, Any]]:
        """What the verb was asked for, each time."""
        return [arguments for name, arguments in self.site.admin.calls if name == verb]

    def test_made_once(self) -> None:
        """A token is shown on the page that made it, and nowhere after."""
        self.browser.sign_in("owen")
        typed = {"name": "backup", "scope": "domains", "domains": f"{MINE}\n", "read_only": "yes", "days": "30"}
        typed["current"] = " my password "
        self.assertIn("hm_secret", self.browser.fill("/tokens", "add", **typed).text)
        self.assertEqual(
            self.asked("token.add"),
            [{"name": "backup", "current": " my password ", "read_only": True, "days": 30, "domains": [MINE]}],
        )
        text = self.browser.get("/tokens").text
        self.assertIn("backup", text)
        self.assertNotIn("hm_secret", text)

    def test_scopes(self) -> None:
        """An operator's token is for everything only if he says so; a user's is for his mailbox, whatever he sends."""
        self.browser.sign_in("root")
        self.browser.fill("/tokens", "add", name="all", scope="all", days="")
        self.browser.fill("/tokens", "add", name="one", scope="account", address=ANN, days="")
        self.assertIn("Type the domains", self.browser.fill("/tokens", "add", name="x", scope="domains").text)
        user = Browser(self.site)
        user.sign_in(ANN)
        user.fill("/tokens", "add", name="mine", scope="all", operator="yes", days="")
        common = {"current": "", "read_only": False, "days": None}
        self.assertEqual(
            self.asked("token.add"),
            [
                common | {"name": "all", "operator": True},
                common | {"name": "one", "address": ANN},
                common | {"name": "mine"},
            ],
        )

    def test_revoked(self) -> None:
        """A button in its row takes a token away; one that is gone says so."""
        self.browser.sign_in("root")
        self.browser.fill("/tokens", "add", name="old", scope="all")
        self.assertIn("Revoke", self.browser.get("/tokens").text)
        self.browser.fill("/tokens", "revoke", id="1")
        self.assertEqual(self.site.admin.tokens, [])
        self.assertIn("There is no token 1", self.browser.fill("/tokens", "revoke", id="1").text)

    def test_no_end(self) -> None:
        """A token for no day at all is refused beside the field; what was typed stays."""
        self.browser.sign_in("root")
        text = self.browser.fill("/tokens", "add", name="mine", scope="all", days="0").text
        self.assertIn("At least one day", text)
        self.assertIn('value="mine"', text)

    def test_folders(self) -> None:
        """Whoever has a mailbox sees how much is in which folder; names are shown as text."""
        self.browser.sign_in(ANN)
        text = self.browser.get("/mailbox").text
        for words in ("INBOX", "1\u202f234", "5\xa0MB", "&lt;i&gt;Odd&lt;/i&gt;/one"):
            self.assertIn(words, text)
