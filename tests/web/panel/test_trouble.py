"""Where people look when something is wrong: the history, sessions and logins, grants, deleted accounts (F4)."""

from __future__ import annotations

from tests.web.facts import MINE, THEIRS
from tests.web.fakes import Browser, PanelCase

ANN, HOME = f"Ann@{MINE}", f"/domains/{MINE}"


class TroubleTests(PanelCase):
    def test_history(self) -> None:
        """A message's story is told in plain words, its arrival first, with what strangers wrote as text."""
        text = self.browser.get(f"{HOME}/history?about={ANN}&span=86400").text
        told = f"delivered into the mailbox of {ANN}"
        self.assertLess(text.index("accepted from &lt;i&gt;far&lt;/i&gt;"), text.index(told))
        self.assertIn("&lt;b&gt;eve&lt;/b&gt;", text)
        self.assertIn(("trace", {"text": ANN, "seconds": 86_400, "most": 1000}), self.admin.calls)

    def test_history_of_a_list(self) -> None:
        """What came of no message is about its list; only what was refused is said not to have been taken."""
        plain = dict.fromkeys(("queue_id", "message_id", "sender", "recipient", "words"), "") | {"at": 1.7e9, "more": 0}
        left = plain | {"what": "list", "recipient": "team@example.com", "words": "bea has left"}
        self.patch(self.admin, "trace", lambda actor, **asked: [left])
        text = self.browser.get(f"{HOME}/history?about=team@example.com").text
        self.assertIn("<h2>Mailing list team@example.com</h2>", text)
        self.assertNotIn("Not taken", text)
        refused = plain | {"what": "refused", "sender": "eve@far.test", "words": "550 no"}
        self.patch(self.admin, "trace", lambda actor, **asked: [refused])
        self.assertIn("Not taken", self.browser.get(f"{HOME}/history?about=eve@far.test").text)

    def test_history_of_nothing(self) -> None:
        """Before anything is asked for nothing is looked up; an odd time is the last week."""
        self.browser.get(f"{HOME}/history")
        self.assertNotIn("trace", [verb for verb, _ in self.admin.calls])
        self.browser.get(f"{HOME}/history?about=x&span=9999999999")
        self.assertEqual(self.admin.calls[-1][1]["seconds"], 7 * 86_400)

    def test_history_of_a_user(self) -> None:
        """A user sees the history of his own address at once; the operator that of the whole server."""
        user, operator = Browser(self.site), Browser(self.site)
        user.sign_in(ANN)
        self.assertIn(f"delivered into the mailbox of {ANN}", user.get("/mailbox/history").text)
        operator.sign_in("root")
        self.assertIn("Q7", operator.get("/history?about=Q7").text)
        self.assertEqual(
            operator.get("/history?about=Q7&format=csv").headers["content-type"], "text/csv; charset=utf-8"
        )

    def test_logins(self) -> None:
        """An account's page has its sessions and attempts; one of its connections can be ended, or all."""
        page = f"{HOME}/accounts/{ANN}"
        text = self.browser.get(page).text
        for words in ("Connected now", "wrong case", "Spell it as it is."):
            self.assertIn(words, text)
        self.assertEqual(self.browser.fill(page, "disconnect").status, 303)
        self.assertIn(("session.kick", {"address": ANN}), self.admin.calls)
        self.assertEqual(self.browser.fill(page, "disconnect", session="7").status, 303)
        self.assertIn(("session.kick", {"id": 7}), self.admin.calls)

    def test_the_lock(self) -> None:
        """A POP3 session, which locks the mailbox for others, says so and can be ended by that name (D10)."""
        page = f"{HOME}/accounts/{ANN}"
        self.assertNotIn("Unlock", self.browser.get(page).text)
        self.admin.protocol = "pop3"
        text = self.browser.get(page).text
        self.assertIn("locks the mailbox", text)
        self.assertIn("Unlock", text)

    def test_grants(self) -> None:
        """Grants that this domain's accounts opened, and a way to close one (C4)."""
        text = self.browser.get(f"{HOME}/grants").text
        self.assertIn(ANN, text)
        self.assertNotIn(THEIRS, text)
        self.assertEqual(self.browser.fill(f"{HOME}/grants", "close", ip="192.0.2.9").status, 303)
        self.assertIn(("relay.revoke", {"ip": "192.0.2.9"}), self.admin.calls)

    def test_deleted(self) -> None:
        """A deleted account is brought back, under another address if need be (D13)."""
        page = f"{HOME}/deleted"
        self.assertIn(f"old@{MINE}", self.browser.get(page).text)
        reply = self.browser.fill(page, "restore", number="4", target="")
        self.assertEqual(reply.headers["location"], f"{HOME}/accounts/old@{MINE}")
        self.browser.fill(page, "restore", number="4", target=f"older@{MINE}")
        self.assertEqual(self.admin.calls[-1][1]["target"], f"older@{MINE}")
        self.assertEqual(self.browser.fill(page, "restore", number="99").status, 422)
