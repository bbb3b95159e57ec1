"""The operator's pages: queue, sessions, throttled addresses, grants, changes, owners, operators, domains."""

from __future__ import annotations

from typing import Any

from tests.web.facts import MINE, PASSWORD, THEIRS
from tests.web.fakes import Browser, PanelCase


class OperatorTests(PanelCase):
    login = "root"

    def asked(self, verb: str) -> list[dict[str, Any]]:
        """What the verb was asked for, each time."""
        return [arguments for name, arguments in self.admin.calls if name == verb]

    def test_queue(self) -> None:
        """What waits is shown with the other servers' words as text, and changed by the filter that is shown."""
        text = self.browser.get("/queue?filter=to:@far.test").text
        for words in ("&lt;b&gt;x&lt;/b&gt;@far.test", "451 &lt;i&gt;later&lt;/i&gt;", "&lt;u&gt;busy&lt;/u&gt;"):
            self.assertIn(words, text)
        self.assertEqual(self.asked("queue.list"), [{"pattern": "to:@far.test", "most": 1000}])
        for action in ("retry", "hold", "release"):
            self.assertEqual(self.browser.fill("/queue", action, filter="to:@far.test").status, 303)
            self.assertEqual(self.asked(f"queue.{action}"), [{"pattern": "to:@far.test"}])
        self.browser.fill("/queue", "hold", filter="")
        self.assertEqual(self.asked("queue.hold")[-1], {"all": True})

    def test_what_cannot_be_undone(self) -> None:
        """Returning and deleting waits for a tick."""
        for action in ("bounce", "delete"):
            self.assertIn("Tick that you mean it", self.browser.fill("/queue", action, filter="x").text)
            self.assertEqual(self.asked(f"queue.{action}"), [])
            self.browser.fill("/queue", action, filter="x", sure="yes")
            self.assertEqual(self.asked(f"queue.{action}"), [{"pattern": "x"}])

    def test_waiting_message(self) -> None:
        """A message is shown as text, whatever it is made of."""
        text = self.browser.get("/queue/message?id=Q7").text
        self.assertIn("Subject: &lt;script&gt;alert(1)&lt;/script&gt;", text)
        self.assertEqual(self.browser.get("/queue/message").headers["location"], "/queue")

    def test_sessions(self) -> None:
        """A session is ended by its number, by a button that says whose it is; all of an account by its address."""
        text = self.browser.get("/sessions").text
        self.assertIn("&lt;b&gt;x&lt;/b&gt;", text)
        self.assertRegex(text, r'<button[^>]*>Disconnect <span class="unseen">&lt;b&gt;x&lt;/b&gt;</span>')
        self.browser.fill("/sessions", "disconnect", which="7")
        self.browser.fill("/sessions", "disconnect", which=f"Ann@{MINE}")
        self.assertEqual(self.asked("session.kick"), [{"id": 7}, {"address": f"Ann@{MINE}"}])

    def test_addresses(self) -> None:
        """Throttled addresses are forgiven; relay grants are opened and closed."""
        text = self.browser.get("/throttled").text
        self.assertIn("192.0.2.66/32", text)
        self.assertIn("<div>20</div>", text)
        self.browser.fill("/throttled", "forgive", ip="192.0.2.66")
        self.assertEqual(self.asked("throttle.forgive"), [{"ip": "192.0.2.66"}])
        self.browser.fill("/grants", "allow", ip="192.0.2.1", seconds="2h")
        self.browser.fill("/grants", "allow", ip="192.0.2.1", seconds="")
        self.assertEqual(self.asked("relay.allow"), [{"ip": "192.0.2.1", "seconds": 7_200}, {"ip": "192.0.2.1"}])
        self.browser.fill("/grants", "revoke", ip="192.0.2.1")
        self.assertEqual(self.asked("relay.revoke"), [{"ip": "192.0.2.1"}])

    def test_status_and_changes(self) -> None:
        """How the server is, and who changed what."""
        text = self.browser.get("/status").text
        self.assertIn("IMAP 3", text)
        self.assertIn("it ends in 3 days", text)
        text = self.browser.get(f"/audit?about={MINE}").text
        self.assertIn("&lt;b&gt;root&lt;/b&gt; (operator)", text)
        self.assertIn("quota 1, keep copy yes, targets a@x.test, b@x.test", text)
        self.assertEqual(self.asked("audit.list")[0]["about"], MINE)

    def test_certificates(self) -> None:
        """Each certificate with who signed it and until when; what ends soon stands on top, and names without a good one below."""
        text = self.browser.get("/certificates").text
        for words in ("it ends in 3 days", "itself", "&lt;b&gt;CA&lt;/b&gt;", "mail.two.test", "all other names"):
            self.assertIn(words, text)

    def test_owners(self) -> None:
        """An owner gets a login, domains and limits; each is changed on his page."""
        typed = {"make": "yes", "domains": MINE, "accounts": "10", "quota": "2G"}
        reply = self.browser.fill("/owners", "add", login="olga", **typed)
        self.assertIn(self.asked("owner.add")[0]["password"], reply.text)
        page = "/owners/one?login=olga"
        text = self.browser.get(page).text
        self.assertIn(f'value="{MINE}" checked', text)
        self.assertIn('value="2G"', text)
        self.browser.fill(page, "domains", domains=THEIRS)
        self.assertEqual(self.admin.owners["olga"]["domains"], [THEIRS])
        self.browser.fill(page, "limits", accounts="", forwards="5", lists="0", quota="")
        told = self.admin.owners["olga"]
        self.assertEqual((told["accounts"], told["forwards"], told["lists"], told["quota"]), (None, 5, 0, None))
        self.browser.fill(page, "access")
        self.assertTrue(told["suspended"])
        self.browser.fill(page, "access", may="yes")
        self.assertFalse(told["suspended"])
        new = {"make": "no", "password": "Another-Horse-8", "password_again": "Another-Horse-8"}
        self.assertEqual(self.browser.fill(page, "password", **new).headers["location"], page)
        self.assertIn("to confirm", self.browser.fill(page, "remove", confirm="x").text)
        self.browser.fill(page, "remove", confirm="olga")
        self.assertEqual(self.admin.owners, {})
        self.assertEqual(self.browser.get("/owners/one").headers["location"], "/owners")

    def test_operators(self) -> None:
        """Another operator is added, suspended, let in again and removed; nobody shuts himself out."""
        wrong = self.browser.fill("/operators", "add", login="rolf", make="yes", current="wrong")
        self.assertEqual((wrong.status, wrong.text.count('value="rolf"')), (403, 1))
        reply = self.browser.fill("/operators", "add", login="rolf", make="yes", current=PASSWORD)
        self.assertIn(self.asked("operator.add")[1]["password"], reply.text)
        self.assertIn('id="suspend-sure-wrong"', self.browser.fill("/operators", "remove", login="rita").text)
        for action in ("suspend", "resume", "remove"):
            self.assertEqual(self.browser.fill("/operators", action, login="rita", sure="yes").status, 303)
            self.assertIn("That is you", self.browser.fill("/operators", action, login="root").text)
        self.assertEqual([one["suspended"] for one in self.asked("operator.set")], [True, False])
        self.assertEqual(self.asked("operator.remove"), [{"login": "rita"}])

    def test_domains(self) -> None:
        """A domain is added, limited, and given up by typing its name; its owner may do none of that."""
        reply = self.browser.fill("/", "add", name="new.example", quota="10G")
        self.assertEqual(reply.headers["location"], "/domains/new.example/accounts")
        page = f"/domains/{MINE}/limits"
        self.browser.fill(page, "change", quota="5G", main_login="boss", login="yes", incoming="yes", active="yes")
        told = self.admin.domains[MINE]
        self.assertEqual((told["quota"], told["main_login"], told["active"]), (5 << 30, "boss", True))
        self.assertEqual((told["login_suspended"], told["outgoing_suspended"]), (False, True))
        self.assertIn("to confirm", self.browser.fill(page, "remove", confirm="no").text)
        owner = Browser(self.site)
        owner.sign_in("owen")
        settings = f"/domains/{MINE}/settings"
        owner.fill(settings, "change", default_mailbox=f"Ann@{MINE}")
        self.assertEqual((told["default_mailbox"], told["pop_before_smtp"]), (f"Ann@{MINE}", False))
        self.assertEqual(owner.post("/", csrf=owner.csrf(settings), action="add", name="x.example").status, 303)
        self.assertNotIn("x.example", self.admin.domains)
        self.browser.fill(page, "remove", confirm=MINE)
        self.assertNotIn(MINE, self.admin.domains)
