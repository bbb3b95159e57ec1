"""The owner of a domain looks after his mail for a day, in a real Chromium against a running service (F1-F4): with scripts and without."""

from __future__ import annotations

import imaplib
import smtplib

from tests.journeys.base import SECONDS, letter, trusting, until
from tests.journeys.browsing import Browsing
from tests.support.appliance import PASSWORD
from tests.support.surfer import Surfer

NEW = "Another-Horse-8"
WITH, WITHOUT = "with.test", "without.test"


class OwnersDay(Browsing):
    """One domain for each way of browsing."""

    accounts = (f"post@{WITH}", f"post@{WITHOUT}")

    def test_with_scripts(self) -> None:
        """A whole day's work, in a browser as people have it; nothing in the console."""
        self.day(WITH, scripts=True)

    def test_without_scripts(self) -> None:
        """The same day with scripts switched off."""
        self.day(WITHOUT, scripts=False)

    def day(self, domain: str, *, scripts: bool) -> None:
        self.surfer = Surfer(self.here.ports["panel"], scripts=scripts)
        self.domain, self.dora, self.post = f"/domains/{domain}", f"Dora@{domain}", f"post@{domain}"
        self.surfer.sign_in(self.here.json("domain", "show", domain)["main_login"], PASSWORD)
        self.assertEqual(self.surfer.path, self.domain)
        password = self.makes_an_account(scripts=scripts)
        self.forwards(password)
        self.begins_a_list(password)
        self.has_mail_answered(password)
        self.gives_a_caught_name_away(password)
        self.lowers_the_quota()
        self.changes_the_password(password)
        self.disconnects()
        self.deletes_and_restores()
        self.signs_out()
        self.assertEqual(self.surfer.browser.complaints(), [])

    # ------------------------------------------------------------------------------------------------- hour by hour

    def makes_an_account(self, *, scripts: bool) -> str:
        """With a password that is made for it: its first mail can be read at once."""
        self.opens("accounts")
        self.surfer.sends("add", name="Dora", make="yes")
        self.assertEqual(self.surfer.one("#login").text, self.dora)
        password = str(self.surfer.one("#password").text)
        self.assertEqual(self.surfer.driver.find_elements("css selector", ".lead"), [])
        copying = [each.is_displayed() for each in self.surfer.driver.find_elements("css selector", "dl [data-copy]")]
        self.assertEqual(copying, [scripts] * 2)
        self.arrives("welcome", self.dora)
        self.assertEqual(self.inbox(self.dora, password), ["welcome"])
        return password

    def forwards(self, password: str) -> None:
        """An address that leads to two people."""
        self.opens("addresses")
        self.surfer.sends("add", name="info", targets=f"{self.dora}\n{self.post}")
        self.assertIn(f"info@{self.domain.rpartition('/')[2]}", self.surfer.text)
        self.arrives("for both", f"info@{self.dora.partition('@')[2]}")
        self.comes("for both", self.dora, password)
        self.comes("for both", self.post)

    def begins_a_list(self, password: str) -> None:
        """A mailing list with members."""
        self.opens("lists")
        self.surfer.sends("add", name="team", post="anyone", description="All of us")
        self.assertEqual(self.surfer.path, f"{self.domain}/lists/team@{self.dora.partition('@')[2]}")
        self.surfer.sends("add_members", members=f"{self.dora}\n{self.post}\nnot an address")
        self.assertIn("2 added. 1 not taken", self.surfer.one(".notice").text)
        self.arrives("for the team", f"team@{self.dora.partition('@')[2]}")
        self.comes("for the team", self.dora, password)

    def has_mail_answered(self, password: str) -> None:
        """An autoresponder: seen first, then switched on."""
        self.opens(f"autoresponders/{self.dora}")
        self.writes("set", subject="Away", text="Back on Monday.\n\nDora")
        self.surfer.press(self.surfer.button("preview"))
        self.assertIn("Nothing has been saved yet", self.surfer.text)
        self.assertEqual(self.surfer.one(".letter-text").text, "Back on Monday.\n\nDora")
        self.surfer.press(self.surfer.button("set"))
        self.assertIn("answers so from now on", self.surfer.one(".notice").text)
        self.submits("are you there?", self.post, self.dora)
        self.comes("Away", self.post)

    def gives_a_caught_name_away(self, password: str) -> None:
        """The default address catches a name, which then is somebody's."""
        name = f"Sails@{self.dora.partition('@')[2]}"
        self.opens("default")
        self.surfer.sends("choose", choice="default")
        self.arrives("misspelt", name)
        self.comes("misspelt", self.post)
        self.opens("default")
        self.surfer.follow(name)
        self.surfer.sends("alias", targets=self.dora)
        self.arrives("well spelt", name)
        self.comes("well spelt", self.dora, password)

    def lowers_the_quota(self) -> None:
        """The next mail is refused for good; with room again, mail comes again."""
        self.opens(f"accounts/{self.dora}")
        self.surfer.sends("quota", quota="1K")
        with self.assertRaises(smtplib.SMTPRecipientsRefused) as raised:
            self.arrives("too much", self.dora)
        self.assertEqual(raised.exception.recipients[self.dora][0], 552)
        self.surfer.sends("quota", quota="100M")
        self.arrives("room again", self.dora)

    def changes_the_password(self, password: str) -> None:
        """The old one is refused at once."""
        self.surfer.sends("password", make="no", password=NEW, password_again="something else")
        self.assertEqual(self.surfer.one("#password-password_again-wrong").text, "The two are not the same")
        [refused] = self.surfer.browser.complaints()
        self.assertIn("422", refused)
        self.surfer.sends("password", make="no", password=NEW, password_again=NEW)
        with self.assertRaises(imaplib.IMAP4.error):
            self.inbox(self.dora, password)
        self.assertIn("room again", self.inbox(self.dora, NEW))

    def disconnects(self) -> None:
        """Whoever is connected is not any more."""
        client = imaplib.IMAP4("127.0.0.1", self.here.ports["imap"], timeout=SECONDS)
        self.addCleanup(self._close, client)
        client.login(self.dora, NEW)
        self.opens(f"accounts/{self.dora}")
        self.assertIn("IMAP", self.surfer.text)
        self.surfer.sends("disconnect")
        with self.assertRaises((imaplib.IMAP4.abort, OSError)):
            client.noop()
            client.noop()

    def deletes_and_restores(self) -> None:
        """A deleted account comes back with all its mail."""
        before = self.inbox(self.dora, NEW)
        self.opens(f"accounts/{self.dora}")
        self.surfer.sends("remove", confirm=self.dora)
        self.assertIn(f"{self.dora} has been deleted", self.surfer.one(".notice").text)
        with self.assertRaises(imaplib.IMAP4.error):
            self.inbox(self.dora, NEW)
        self.surfer.follow("Deleted accounts")
        self.surfer.sends("restore")
        self.assertEqual(self.surfer.path, f"{self.domain}/accounts/{self.dora}")
        self.assertEqual(self.inbox(self.dora, NEW), before)

    def signs_out(self) -> None:
        """And nobody reads on in his place."""
        self.surfer.press(self.surfer.one('form[action="/logout"] button'))
        self.opens("accounts")
        self.assertTrue(self.surfer.path.startswith("/login?next="))

    # ------------------------------------------------------------------------------------------------------- by hand

    def opens(self, page: str) -> None:
        self.surfer.open(f"{self.domain}/{page}")

    def writes(self, action: str, **fields: str) -> None:
        for name, value in fields.items():
            self.surfer.fill(f"{action}-{name}", value)

    def arrives(self, subject: str, to: str) -> None:
        """One message from outside."""
        with self.smtp() as client:
            client.send_message(letter(subject, to=to))

    def submits(self, subject: str, sender: str, to: str) -> None:
        """One message by somebody who is signed in."""
        with smtplib.SMTP("127.0.0.1", self.here.ports["submission"], timeout=SECONDS) as client:
            client.starttls(context=trusting())
            client.login(sender, PASSWORD)
            client.send_message(letter(subject, sender=sender, to=to))

    def inbox(self, login: str, password: str = PASSWORD) -> list[str]:
        """The subjects in an INBOX."""
        client = imaplib.IMAP4("127.0.0.1", self.here.ports["imap"], timeout=SECONDS)
        try:
            client.login(login, password)
            client.select("INBOX", readonly=True)
            answer = client.fetch("1:*", "(BODY.PEEK[HEADER.FIELDS (SUBJECT)])")[1]
        finally:
            client.shutdown()
        return [part[1].decode().partition(":")[2].strip() for part in answer if isinstance(part, tuple)]

    def comes(self, subject: str, login: str, password: str = PASSWORD) -> None:
        """Wait for it."""
        until(lambda: any(subject in each for each in self.inbox(login, password)), self.here.text)
