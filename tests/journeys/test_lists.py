"""A mailing list's life: people subscribe by mail, post, are held, bounce and leave (E3), over real sockets."""

from __future__ import annotations

import email
import http.client
import poplib
import re
import smtplib
from email import policy
from email.message import EmailMessage
from typing import ClassVar
from urllib.parse import SplitResult, urlsplit

from hostmail.queue.lanes import PER_DESTINATION
from tests.journeys.base import ANN, BOB, letter, trusting, until
from tests.journeys.behind import SinkJourney
from tests.support.appliance import PASSWORD
from tests.support.zone import Zone

TEAM, CARL, DAVE = "team@example.test", "carl@far.test", "dave@strict.test"
NO_SUCH_USER = "550 5.1.1 no such user"


class ListJourney(SinkJourney):
    """ann owns the list; bob has his mailbox here, carl and dave theirs behind the smarthost."""

    more = ("panel",)
    zone: ClassVar[Zone]

    @classmethod
    def setUpClass(cls) -> None:
        cls.zone = Zone()
        cls.zone.add("_dmarc.strict.test", "TXT", '"v=DMARC1; p=reject"')
        cls.zone.open()
        cls.further = f'dns: {{servers: ["127.0.0.1:{cls.zone.port}"]}}\n'
        super().setUpClass()

    @classmethod
    def tearDownClass(cls) -> None:
        super().tearDownClass()
        cls.zone.close()

    def setUp(self) -> None:
        super().setUp()
        self.here.command("list", "add", TEAM, "--owner", ANN, "--description", "Our team")
        self.addCleanup(self.here.command, "list", "remove", TEAM)

    def write(self, who: str, to: str, subject: str = "x", body: str = "Hello.\n") -> None:
        with self.smtp() as client:
            client.send_message(letter(subject, body, sender=who, to=to))

    def mailbox(self, login: str) -> list[EmailMessage]:
        client = poplib.POP3("127.0.0.1", self.here.ports["pop3"], timeout=30)
        client.user(login)
        client.pass_(PASSWORD)
        found = []
        for number in range(1, client.stat()[0] + 1):
            found.append(email.message_from_bytes(b"\r\n".join(client.retr(number)[1]), policy=policy.default))
        client.quit()
        return found

    def waits_for(self, login: str, subject: str) -> EmailMessage:
        """The last message of that subject in a mailbox."""
        found: list[EmailMessage] = []

        def there() -> bool:
            found[:] = [one for one in self.mailbox(login) if subject in str(one["Subject"])]
            return bool(found)

        until(there, lambda: f"{subject} is not in {login}: {[m['Subject'] for m in self.mailbox(login)]}")
        return found[-1]

    def outside(self, who: str, subject: str) -> EmailMessage:
        """What the next server got for somebody."""

        def taken() -> list[EmailMessage]:
            mine = [one.octets for one in self.sink.taken if who in "".join(one.to)]
            parsed = [email.message_from_bytes(each, policy=policy.default) for each in mine]
            return [one for one in parsed if subject in str(one["Subject"])]

        until(lambda: bool(taken()), lambda: f"{subject} did not come to {who}: {self.sink.taken}")
        return taken()[-1]

    def members(self) -> dict[str, int]:
        return {row["address"]: row["bounces"] for row in self.here.json("list", "member", "list", TEAM)}

    def test_subscribe_and_leave(self) -> None:
        """Asked by mail, confirmed by an answer: bob, who is here, and carl, who is not; then carl leaves the same way."""
        self.write(BOB, "team-subscribe@example.test")
        self.write(BOB, str(self.waits_for(BOB, "Please confirm")["Reply-To"]))
        self.waits_for(BOB, "Welcome")
        self.write(CARL, "team-subscribe@example.test")
        self.write(CARL, str(self.outside(CARL, "Please confirm: subscribe")["Reply-To"]))
        self.outside(CARL, "Welcome")
        self.assertEqual(self.members(), {BOB: 0, CARL: 0})
        self.write(CARL, "team-unsubscribe@example.test")
        self.write(CARL, str(self.outside(CARL, "Please confirm: unsubscribe")["Reply-To"]))
        self.outside(CARL, "You have left")
        self.assertEqual(self.members(), {BOB: 0})

    def test_post(self) -> None:
        """A member's post reaches everybody, each under a reverse-path of his own; a strict domain's author is named in the list's From."""
        out = self.here.command("list", "member", "import", TEAM, stdin=f"{BOB}\n{CARL}\n{DAVE}\n")
        self.assertIn("3 added", out.stdout)
        self.write(BOB, TEAM, "a post")
        here, there = self.waits_for(BOB, "a post"), self.outside(CARL, "a post")
        self.outside(DAVE, "a post")
        paths = {str(here["Return-Path"]), *(f"<{one.sender}>" for one in self.sink.taken)}
        self.assertEqual(len(paths), 3)
        for path in paths:
            self.assertRegex(path, r"<team-bounces\+\d+=[a-z2-7]{8}@example\.test>")
        for message in (here, there):
            self.assertEqual(message["List-Id"], "Our team <team.example.test>")
            self.assertIn("<mailto:team-unsubscribe@example.test>", message["List-Unsubscribe"])
            self.assertEqual(message["From"], BOB)
        self.write(DAVE, TEAM, "strict")
        strict = self.outside(CARL, "strict")
        self.assertEqual((strict["From"], strict["Reply-To"]), ("dave via team <team@example.test>", DAVE))
        story = self.here.command("trace", TEAM).stdout
        self.assertIn("mailing list team@example.test: sent to its members: 3", story)

    def test_one_click(self) -> None:
        """Each copy has a link; a mail program's POST there takes its reader off, and nobody else (RFC 8058)."""
        self.here.command("list", "member", "add", TEAM, BOB, CARL, DAVE)
        self.write(BOB, TEAM, "click")
        for who, message in ((CARL, self.outside(CARL, "click")), (BOB, self.waits_for(BOB, "click"))):
            self.assertEqual(message["List-Unsubscribe-Post"], "List-Unsubscribe=One-Click")
            link = urlsplit(str(message["List-Unsubscribe"]).partition(">")[0][1:])
            self.assertEqual((link.scheme, link.port), ("https", self.here.ports["panel"]))
            self.assertIn(who, self.members())
            self.assertIn("Leave the list", self.web("GET", link))
            self.assertIn(who, self.members())
            self.assertIn("You have left", self.web("POST", link))
            self.assertNotIn(who, self.members())
        self.assertEqual(list(self.members()), [DAVE])
        self.outside(CARL, "You have left")
        self.assertIn(f"{CARL} has left, with one click from 127.0.0.1", self.here.command("trace", TEAM).stdout)

    def web(self, method: str, link: SplitResult) -> str:
        """The page behind a link, as a mail program asks for it."""
        line = http.client.HTTPSConnection("127.0.0.1", link.port, timeout=30, context=trusting())
        headers = {"host": link.netloc, "content-type": "application/x-www-form-urlencoded"}
        line.request(method, link.path, "List-Unsubscribe=One-Click" if method == "POST" else None, headers)
        answer = line.getresponse()
        text = answer.read().decode()
        line.close()
        self.assertEqual(answer.status, 200, text)
        return text

    def test_held(self) -> None:
        """A stranger's post waits, through kill -9 as well, until the owner lets it go by mail; or he rejects it."""
        self.here.command("list", "member", "add", TEAM, BOB)
        self.write("eve@evil.test", TEAM, "strange")
        notice = self.waits_for(ANN, "waits for you")
        [row] = self.here.json("queue", "list", "state:held")
        self.assertEqual((row["recipient"], row["sender"]), (TEAM, "eve@evil.test"))
        self.here.kill()
        self.here.start()
        text = str(notice.get_body().get_content())  # type: ignore[union-attr]
        [approve] = re.findall(r"team-approve\+\S+@example\.test", text)
        with self.assertRaises(smtplib.SMTPDataError):
            self.write(ANN, approve.replace("@", "x@"))
        self.write(ANN, approve)
        self.waits_for(BOB, "strange")
        self.write("eve@evil.test", TEAM, "stranger still")
        until(lambda: len(self.mailbox(ANN)) > 1, lambda: "no second notice")
        text = str(self.mailbox(ANN)[-1].get_body().get_content())  # type: ignore[union-attr]
        [reject] = re.findall(r"team-reject\+\S+@example\.test", text)
        self.write(ANN, reject)
        until(lambda: self.here.json("queue", "list") == [], lambda: str(self.here.json("queue", "list")))
        self.assertEqual([one["Subject"] for one in self.mailbox(BOB) if "stranger" in one["Subject"]], [])
        self.decided_by_command()

    def decided_by_command(self) -> None:
        """The operator sees what waits and lets it go; once, and while the service is stopped he rejects another."""
        for subject in ("kind words", "a kinder word"):
            self.write("eve@evil.test", TEAM, subject)
        until(lambda: len(self.here.json("list", "posts", TEAM)) == 2, lambda: str(self.here.json("queue", "list")))
        kind, kinder = self.here.json("list", "posts", TEAM)
        self.assertEqual((kind["subject"], kinder["sender"]), ("kind words", "eve@evil.test"))
        self.here.command("list", "approve", TEAM, kind["queue_id"])
        self.waits_for(BOB, "kind words")
        again = self.here.command("list", "approve", TEAM, kind["queue_id"], expect=1)
        self.assertIn("somebody may have decided about it already", again.stderr)
        self.here.stop()
        self.assertEqual(self.here.json("list", "reject", TEAM, kinder["queue_id"])["returned_to"], "")
        self.here.start()
        self.assertEqual(self.here.json("queue", "list"), [])
        self.assertIn("rejected it, which is deleted", self.here.command("trace", TEAM).stdout)

    def test_bounce(self) -> None:
        """A member whom the next server refuses for good has that counted; the author hears nothing."""
        self.here.command("list", "member", "add", TEAM, BOB, CARL)
        self.sink.answers[f"RCPT {CARL}"] = NO_SUCH_USER
        before = len(self.mailbox(BOB))
        self.write(BOB, TEAM, "bouncing")
        until(lambda: self.members()[CARL] == 1, lambda: str(self.members()))
        self.waits_for(BOB, "bouncing")
        self.assertEqual(len(self.mailbox(BOB)), before + 1)

    def test_crash(self) -> None:
        """kill -9 just after the 250, whatever the list has done by then: all members get the post, and only what was on its way then is
        sent twice."""
        members = {f"m{number}@far.test" for number in range(30)}
        self.here.command("list", "member", "import", TEAM, stdin="\n".join([BOB, *members]))
        for number in range(3):
            self.sink.taken.clear()
            self.write(BOB, TEAM, f"crash {number}")
            self.here.kill()
            self.here.start()
            until(lambda: self.here.json("queue", "list") == [], lambda: str(self.here.json("queue", "list")))
            reached = [one for each in self.sink.taken for one in each.to]
            self.assertEqual(set(reached), members)
            self.assertLessEqual(len(reached), len(members) + PER_DESTINATION)

    def test_refused(self) -> None:
        """What a machine sent is refused where it is given to us."""
        message = letter("away", sender=BOB, to=TEAM)
        message["Auto-Submitted"] = "auto-replied"
        with self.smtp() as client:
            client.ehlo()
            client.mail(BOB)
            client.rcpt(TEAM)
            code, words = client.data(message.as_bytes(policy=policy.SMTP))
        self.assertEqual((code, words[:5]), (550, b"5.7.1"))
