"""What people, owners and other servers write to the addresses around a mailing list (E3)."""

from __future__ import annotations

from email.message import EmailMessage
from typing import Any

from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase

from hostmail.address import Address
from hostmail.delivery.bounce import Origin, Original, Outcome, report
from hostmail.delivery.lists.dmarc import is_strict
from hostmail.delivery.lists.reports import is_hard_failure
from hostmail.errors import BadValue, NoSuchRecipient, Refusal, TemporaryFailure
from hostmail.listnames import bounce_address
from tests.delivery.test_lists import BEA, FAR, OWNER, TEAM, ListCase, by
from tests.queue.support import Result

CLEO = "cleo@example.com"
NEVER = Result(Refusal("no such user", code=550, enhanced="5.1.1"))


class SubscribingTests(ListCase):
    def write(self, word: str, who: str = CLEO, **more: Any) -> None:
        address = f"team-{word}@example.com" if "@" not in word else word
        self.send(address, message=by(who, address, **more), sender=who)
        self.settle()

    def last(self, who: str = CLEO) -> EmailMessage:
        return self.letters(who)[-1]

    def on_it(self) -> list[str]:
        return list(self.members.known[self.team.id])

    def test_subscribe(self) -> None:
        """Who asks is asked whether he means it, answers that mail, and is welcome."""
        self.write("subscribe")
        question = self.last()
        self.assertEqual((question["Return-Path"], question["Auto-Submitted"]), ("<>", "auto-replied"))
        self.assertNotIn(CLEO, self.on_it())
        self.write(str(question["Reply-To"]))
        self.assertIn(CLEO, self.on_it())
        self.assertIn("Welcome", self.last()["Subject"])
        self.assertEqual([words[:17] for words in self.told()], ["subscribe: cleo@e", "confirm: cleo@exa"])

    def test_unsubscribe(self) -> None:
        """The same the other way; the address in List-Unsubscribe does it."""
        self.write("unsubscribe", BEA)
        self.assertIn(BEA, self.on_it())
        self.write(str(self.last(BEA)["Reply-To"]), BEA)
        self.assertNotIn(BEA, self.on_it())
        self.assertIn("You have left", self.last(BEA)["Subject"])

    def test_once_a_day(self) -> None:
        """An address is asked once a day: nobody can flood another through a list."""
        for _ in range(3):
            self.write("subscribe")
        self.assertEqual(len(self.mail(CLEO)), 1)
        self.assertIn("was answered today already", self.told()[-1])

    def test_nothing_to_do(self) -> None:
        """Who is on it already hears that, and who is not, too."""
        self.write("subscribe", BEA)
        self.write("unsubscribe")
        for who in (BEA, CLEO):
            self.assertIsNone(self.last(who)["Reply-To"])
            self.assertIn("Nothing had to be done", self.last(who).get_content())

    def test_somebody_else_confirms(self) -> None:
        """A token is good for the address that was asked."""
        self.write("subscribe")
        address, ann = str(self.last()["Reply-To"]), "ann@example.com"
        refusal = self.send_refused(address, message=by(ann, address), sender=ann)
        self.assertIn("was given to another address", refusal.public)
        self.assertNotIn(ann, self.on_it())

    def test_machines(self) -> None:
        """What a machine writes is ignored: a vacation notice confirms nothing, and gets no answer."""
        self.write("subscribe", extra="Auto-Submitted: auto-replied\r\n")
        self.send("team-request@example.com", message=by(CLEO, TEAM), sender="")
        self.settle()
        self.assertEqual(self.mail(CLEO), [])
        self.assertEqual(self.told(), ["subscribe: ignored: sent automatically", "request: ignored: null sender"])

    def test_help(self) -> None:
        """NAME-request tells how all of it is done, once a day."""
        self.write("request")
        self.write("request")
        [letter] = self.letters(CLEO)
        self.assertIn("team-unsubscribe@example.com", letter.get_content())

    def test_under_another_name(self) -> None:
        """A domain that stands for the list's, or an alias of such an address, serves as well."""
        self.directory.aliases["example.net"] = "example.com"
        self.write("team-subscribe@example.net")
        self.assertIn("Please confirm", self.last()["Subject"])
        self.directory.lead("help@example.com", "team-request@example.com")
        self.write("help@example.com")
        self.assertIn("This is the mailing list", self.last().get_content())

    def test_list_is_full(self) -> None:
        """What forbids it is said."""
        self.write("subscribe")
        self.members.refusal = BadValue("the list is full")
        self.write(str(self.last()["Reply-To"]))
        self.assertIn("the list is full", self.last().as_string())

    def test_owner(self) -> None:
        """NAME-owner reaches the owners, whoever writes."""
        self.write("owner", "eve@evil.example")
        self.assertEqual(len(self.mail(OWNER)), 1)

    def test_letters_to_nobody(self) -> None:
        """Somebody who takes no mail cannot be asked; that is the end of it."""
        self.store.refusals[CLEO] = NoSuchRecipient()
        self.write("subscribe")
        self.assertEqual(self.rows(), [])

    def test_letters_later(self) -> None:
        """What cannot be written now is written with the next try."""
        self.fail_once()
        self.write("subscribe")
        self.assertEqual(([row.attempts for row in self.rows()], self.mail(CLEO)), ([1], []))
        self.settle(100)
        self.assertIn("Please confirm", self.last()["Subject"])


class BounceTests(ListCase):
    def bounce(self, to: Address, message: bytes) -> None:
        self.send(str(to), message=message, sender="")
        self.settle()

    def far_path(self) -> Address:
        return bounce_address(self.team.parsed, self.members.known[self.team.id][FAR].number, b"secret")

    def test_dropped(self) -> None:
        """A member whose server refuses him for good on three days gets no more mail, and the owners hear of it."""
        self.sender.results[FAR] = NEVER
        for day in range(3):
            self.members.day = day
            self.post()
            self.post()
        self.assertEqual(self.members.known[self.team.id][FAR].bounces, 3)
        self.assertFalse(self.members.known[self.team.id][FAR].active)
        [letter] = self.letters(OWNER)
        self.assertEqual(letter["Subject"], f"{FAR} was dropped from {TEAM}")
        self.sender.calls.clear()
        self.post()
        self.assertEqual(self.sender.calls, [])
        self.assertEqual(self.rows(), [])

    def test_made_up(self) -> None:
        """Who was dropped for reports that somebody has made up hears of it, and is back with an answer to that."""
        path = bounce_address(self.team.parsed, self.members.known[self.team.id][BEA].number, b"secret")
        for day in range(3):
            self.members.day = day
            self.bounce(path, dsn("failed", "5.1.1"))
        self.assertFalse(self.members.known[self.team.id][BEA].active)
        [letter] = self.letters(BEA)
        self.assertEqual(letter["Subject"], "You get no more mail from team@example.com")
        self.assertEqual(letter["Auto-Submitted"], "auto-generated")
        back = str(letter["Reply-To"])
        self.assertIn(back, letter.get_content())
        self.send(back, message=by(BEA, back), sender=BEA)
        self.settle()
        self.assertTrue(self.members.known[self.team.id][BEA].active)

    def test_owners_cannot_be_told(self) -> None:
        """The member is dropped all the same, and the history says what failed."""
        for day in range(2):
            self.members.day = day
            self.bounce(self.far_path(), dsn("failed", "5.1.1"))
        self.members.day = 2
        self.fail_once()
        self.bounce(self.far_path(), dsn("failed", "5.1.1"))
        self.assertIn("not everybody could be told", self.told()[-1])
        self.assertEqual((self.rows(), self.members.known[self.team.id][FAR].active), ([], False))

    def test_not_counted(self) -> None:
        """Trouble that may pass, mail that is no report, and addresses that we did not make count nothing."""
        self.bounce(self.far_path(), dsn("delayed", "4.4.1"))
        self.bounce(self.far_path(), b"Subject: your mail came back\r\n\r\n550 5.1.1 unknown\r\n")
        forged = Address(self.far_path().local[:-1] + "1", "example.com")
        refusal = self.send_refused(str(forged), message=dsn("failed", "5.1.1"), sender="")
        self.assertIsInstance(refusal, NoSuchRecipient)
        self.bounce(Address("team-bounces", "example.com"), dsn("failed", "5.1.1"))
        self.assertEqual(self.members.known[self.team.id][FAR].bounces, 0)
        self.assertEqual(self.rows(), [])

    def test_counted_once_a_day(self) -> None:
        """Several reports on one day are one."""
        for _ in range(3):
            self.bounce(self.far_path(), dsn("failed", "5.1.1"))
        self.assertEqual(self.members.known[self.team.id][FAR].bounces, 1)
        self.assertIn("came back today already", self.told()[-1])

    def test_mailbox_full(self) -> None:
        """A member here bounces as one elsewhere does."""
        self.store.refusals[BEA] = Refusal("no", code=550, enhanced="5.2.1")
        self.post()
        self.assertEqual(self.members.known[self.team.id][BEA].bounces, 1)


def dsn(action: str, status: str) -> bytes:
    """A report as we write them ourselves."""
    original = Original("q1", "team-bounces@example.com", b"Subject: x\r\n\r\n", 1e9)
    return report(original, action, [Outcome(FAR, status, "no")], Origin("mx.else.example", 1e9, "u"))


class ReportTests(SynchronousTestCase):
    def test_ours(self) -> None:
        """Failures for good count; delays, failures of now and successes do not."""
        self.assertTrue(is_hard_failure(dsn("failed", "5.1.1")))
        for action, status in (("failed", "4.4.1"), ("delayed", "4.4.1"), ("delivered", "2.0.0"), ("delayed", "5.0.0")):
            self.assertFalse(is_hard_failure(dsn(action, status)), (action, status))

    def test_not_about_the_member(self) -> None:
        """A server that dislikes the message, or us, says nothing about the address: whoever can post would empty the list else."""
        for status in ("5.7.1", "5.7.26", "5.6.0", "5.3.4", "5.5.0"):
            self.assertFalse(is_hard_failure(dsn("failed", status)), status)
        for status in ("5.0.0", "5.1.10", "5.2.2", "5.4.4"):
            self.assertTrue(is_hard_failure(dsn("failed", status)), status)

    def test_with_utf8_addresses(self) -> None:
        """The kind for internationalized addresses is read as well (RFC 6533)."""
        self.assertTrue(is_hard_failure(dsn("failed", "5.1.1").replace(b"delivery-status", b"global-delivery-status")))

    def test_several_recipients(self) -> None:
        """Action and status must be of one recipient."""
        mixed = dsn("failed", "4.4.1").replace(
            b"\r\n--=_u\r\nContent-Type: text/rfc822",
            b"\r\n\r\nAction: delayed\r\nStatus: 5.1.1\r\n--=_u\r\nContent-Type: text/rfc822",
        )
        self.assertFalse(is_hard_failure(mixed))

    def test_anything(self) -> None:
        """Nonsense is no report."""
        for octets in (
            b"",
            b"\xff\x00",
            b"Content-Type: multipart/report; boundary=\r\n\r\n",
            b"Content-Type: \xff/\xff\r\n\r\n",
        ):
            self.assertFalse(is_hard_failure(octets))


class DmarcTests(SynchronousTestCase):
    def strict(self, domain: str, **zone: list[str]) -> bool:
        async def texts(name: str) -> list[str]:
            if name.replace(".", "_").startswith("_dmarc_down"):
                raise TemporaryFailure
            if name not in zone:
                raise NoSuchRecipient
            return zone[name]

        return self.successResultOf(Deferred.fromCoroutine(is_strict(domain, texts)))

    def test_policies(self) -> None:
        """quarantine and reject are strict; none is not, nor is a domain without a record, or with two."""
        for policy, strict in (("reject", True), ("Quarantine", True), ("none", False)):
            self.assertEqual(self.strict("a.test", **{"_dmarc.a.test": [f"v=DMARC1; p={policy}"]}), strict)
        self.assertFalse(self.strict("a.test"))
        self.assertFalse(self.strict("a.test", **{"_dmarc.a.test": ["v=spf1 -all", ""]}))
        self.assertFalse(self.strict("a.test", **{"_dmarc.a.test": ["v=DMARC1; p=reject"] * 2}))

    def test_above(self) -> None:
        """A domain without a record has that of the one above it, and the policy for subdomains there."""
        self.assertTrue(self.strict("x.y.a.test", **{"_dmarc.a.test": ["v=DMARC1;p=reject"]}))
        self.assertFalse(self.strict("x.a.test", **{"_dmarc.a.test": ["v=DMARC1; p=reject; sp=none"]}))
        self.assertFalse(self.strict("x.a.test", **{"_dmarc.test": ["v=DMARC1; p=reject"]}))

    def test_far_above(self) -> None:
        """However many names are below it, a domain's record is found, with few questions; an address literal has none."""
        self.assertTrue(self.strict("a.b.c.d.e.f.g.h.a.test", **{"_dmarc.a.test": ["v=DMARC1; p=reject"]}))
        self.assertTrue(
            self.strict("a.b.c.d.e.f.g.h.a.test", **{"_dmarc.a.b.c.d.e.f.g.h.a.test": ["v=DMARC1; p=reject"]})
        )
        self.assertFalse(self.strict("[192.0.2.1]", **{"_dmarc.[192.0.2.1]": ["v=DMARC1; p=reject"]}))

    def test_broken_records(self) -> None:
        """What cannot be read as a policy is none."""
        for record in ("v=DMARC1; p=", "v=DMARC1; p=strange; sp=reject", "p=reject; v=DMARC2", "v=DMARC1", ";;="):
            self.assertFalse(self.strict("a.test", **{"_dmarc.a.test": [record]}), record)

    def test_no_answer(self) -> None:
        """Without an answer it is taken as strict."""
        self.assertTrue(self.strict("down.test"))
