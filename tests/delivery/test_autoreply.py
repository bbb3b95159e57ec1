"""hostmail.delivery.autoreply: who has an answer (RFC 3834), and what it says."""

from __future__ import annotations

from email import message_from_bytes
from email.policy import default

from twisted.trial.unittest import SynchronousTestCase

from hostmail.address import Address
from hostmail.delivery.autoreply import From, answer, is_on, why_not
from hostmail.interfaces.autoresponders import Autoresponder

ANN = Address("Ann", "example.com")
BOB = Address("bob", "x.example")
ORIGIN = From("Ann@example.com", 1_700_000_000.0, "q1.abc@mail.example.net")


def header(*fields: str, to: str = "Ann <ann@example.com>") -> bytes:
    return "".join(f"{field}\r\n" for field in (f"To: {to}", *fields, "")).encode()


class WhyNotTests(SynchronousTestCase):
    def why(self, *fields: str, sender: Address | None = BOB, to: str = "ann@example.com", caught: str = "") -> str:
        return why_not(header(*fields, to=to), sender, [ANN, Address("ann+shop", "example.com")], caught)

    def test_person(self) -> None:
        """Somebody who writes to the mailbox has an answer, whatever way he spelled its name or copied it."""
        self.assertEqual(self.why(), "")
        self.assertEqual(self.why(to="Team: bob@x.example, ANN@Example.com;"), "")
        self.assertEqual(self.why("Cc: ann+shop@example.com", to="carl@x.example"), "")
        self.assertEqual(self.why("Resent-To: ann@example.com", to="carl@x.example"), "")
        self.assertEqual(self.why("Auto-Submitted: no", "Precedence: first-class", "X-Spam-Flag: NO"), "")

    def test_null_sender(self) -> None:
        """Bounces have none, nor do the answers of other autoresponders."""
        self.assertEqual(self.why(sender=None), "null sender")

    def test_itself(self) -> None:
        """A mailbox does not answer itself."""
        self.assertEqual(self.why(sender=Address("ann", "example.com")), "from the mailbox itself")
        self.assertEqual(self.why(sender=Address("ANN+shop", "example.com")), "from the mailbox itself")

    def test_caught(self) -> None:
        """Never from a catch-all match."""
        self.assertEqual(self.why(caught="nobody@example.com"), "caught by the default address")

    def test_machines(self) -> None:
        """Senders whose names are those of programs."""
        for local in (
            "owner-list", "list-owner", "list-request", "MAILER-DAEMON", "bounces+123-ann=example.com", "x-bounces", "bounce",
            "club-bounces+1=olp3hscy",
            "listserv", "Majordomo", "no-reply", "noreply", "do-not-reply-1",
        ):  # fmt: skip
            self.assertEqual(self.why(sender=Address(local, "x.example")), "sent by a machine", local)
        for local in ("bob", "bouncer", "norbert", "owner", "srs0=abc=xy=y.example=eve", "prvs=123456=bob"):
            self.assertEqual(self.why(sender=Address(local, "x.example")), "", local)

    def test_machines_by_their_from(self) -> None:
        """A shop's mail, whose reverse-path is a number at another company, but which says that nobody reads answers."""
        for author in ("Shop <no-reply@shop.example>", "noreply@shop.example", "Postman <MAILER-DAEMON@x.example>"):
            self.assertEqual(self.why(f"From: {author}"), "sent by a machine", author)
        for author in ("Bob <bob@x.example>", "No Reply <bob@x.example>", "", "\xff <@"):
            self.assertEqual(self.why(f"From: {author}"), "", author)

    def test_automatic(self) -> None:
        """Auto-Submitted other than no, with or without parameters."""
        for value in ("auto-replied", "auto-generated", "Auto-Notified; owner-email=x@y", "something-new"):
            self.assertEqual(self.why(f"Auto-Submitted: {value}"), "sent automatically", value)
        self.assertEqual(self.why("auto-submitted: No ; x=y"), "")

    def test_older_programs(self) -> None:
        """Programs that are older than RFC 3834 said it in fields of their own."""
        for field in ("X-Autoreply: yes", "X-Autorespond: Re: x"):
            self.assertEqual(self.why(field), "sent automatically", field)
        self.assertEqual(self.why("Precedence: auto_reply"), "bulk mail")
        for field in ("Mailing-List: contact x-help@y.example; run by ezmlm", "X-Mailing-List: x@y.example"):
            self.assertEqual(self.why(field), "from a mailing list", field)

    def test_automatic_said_twice(self) -> None:
        """One field that calls it automatic is enough, whatever another one says."""
        self.assertEqual(self.why("Auto-Submitted: no", "Auto-Submitted: auto-replied"), "sent automatically")

    def test_lists_and_bulk(self) -> None:
        """Any List- field, and Precedence."""
        for field in (
            "List-Id: <x>",
            "List-Unsubscribe: <mailto:x@y>",
            "list-post: NO",
            "List-Help: x",
            "List-Archive: x",
        ):
            self.assertEqual(self.why(field), "from a mailing list", field)
        for value in ("bulk", "List", "junk"):
            self.assertEqual(self.why(f"Precedence: {value}"), "bulk mail", value)

    def test_suppressed(self) -> None:
        """X-Auto-Response-Suppress, as other servers' programs send it."""
        for value in ("All", "DR, RN, NRN, OOF, AutoReply", "oof"):
            self.assertIn("wants no", self.why(f"X-Auto-Response-Suppress: {value}"), value)
        self.assertEqual(self.why("X-Auto-Response-Suppress: DR, RN"), "")

    def test_spam(self) -> None:
        """What a filter has called spam."""
        self.assertEqual(self.why("X-Spam-Flag: YES"), "spam")

    def test_not_addressed(self) -> None:
        """Whoever is not named has got a blind copy or a list's mail."""
        for to in ("carl@x.example", "undisclosed-recipients:;", '"ann@example.com" <carl@x.example>', "@@", ""):
            self.assertEqual(self.why(to=to), "not addressed to the mailbox by name", to)

    def test_many_fields(self) -> None:
        """A header made of thousands of them is not worth reading to its end."""
        self.assertEqual(self.why(*["To: x"] * 19), "")
        self.assertNotEqual(self.why(*["To: ann@example.com"], to="x\r\n" + "To: x\r\n" * 30 + "To: x"), "")

    def test_nonsense(self) -> None:
        """A header that is none has no answer, and breaks nothing."""
        for octets in (b"", b"\xff\x00\r\n", b"To:" + b"<" * 10_000):
            self.assertNotEqual(why_not(octets, BOB, [ANN], ""), "")


class TimeTests(SynchronousTestCase):
    def test_from_and_until(self) -> None:
        """It answers from its beginning on, until its end, either of which may be open."""
        times = [is_on(Autoresponder(1, "", "x", 10.0, 20.0), now) for now in (9.0, 10.0, 19.0, 20.0)]
        self.assertEqual(times, [False, True, True, False])
        self.assertTrue(is_on(Autoresponder(1, "", "x"), 0.0))


class AnswerTests(SynchronousTestCase):
    def answer(self, original: bytes, subject: str = "", text: str = "I am away.\nAnn", sender: Address = BOB) -> bytes:
        return answer(Autoresponder(1, subject, text), original, sender, ORIGIN)

    def test_fields(self) -> None:
        """From the mailbox, to the sender, threaded, and marked as automatic (RFC 3834 3)."""
        made = message_from_bytes(
            self.answer(b"Message-ID: <m2@x>\r\nReferences: <m0@x> <m1@x>\r\nSubject: Lunch?\r\n\r\n"), policy=default
        )
        self.assertEqual((made["From"], made["To"]), ("Ann@example.com", "bob@x.example"))
        self.assertEqual(made["Subject"], "Auto: Lunch?")
        self.assertEqual((made["In-Reply-To"], made["References"]), ("<m2@x>", "<m0@x> <m1@x> <m2@x>"))
        self.assertEqual((made["Auto-Submitted"], made["X-Auto-Response-Suppress"]), ("auto-replied", "All"))
        self.assertEqual(made["Message-ID"], "<q1.abc@mail.example.net>")
        self.assertEqual(made["Date"], "Tue, 14 Nov 2023 22:13:20 +0000")
        self.assertEqual(made.get_content().splitlines(), ["I am away.", "Ann"])

    def test_own_subject(self) -> None:
        """The subject that was set, in any script; the text, too; and all of it in ASCII lines ended by CRLF."""
        octets = self.answer(b"Subject: Lunch?\r\n\r\n", "Urlaub bis 6. März", "Grüße\r\nA\n" + "x" * 2000)
        self.assertTrue(octets.isascii())
        self.assertEqual(octets.count(b"\n"), octets.count(b"\r\n"))
        self.assertLessEqual(max(map(len, octets.split(b"\r\n"))), 998)
        made = message_from_bytes(octets, policy=default)
        self.assertEqual(made["Subject"], "Urlaub bis 6. März")
        self.assertEqual(made.get_content().splitlines()[:2], ["Grüße", "A"])

    def test_encoded_and_hostile_subjects(self) -> None:
        """The original's subject is decoded, cut, and cannot bring fields of its own."""
        made = message_from_bytes(
            self.answer(b"Subject: =?utf-8?q?Gr=C3=BC=C3=9Fe=0D=0AEvil:_1?=\r\n\r\n"), policy=default
        )
        self.assertEqual(made["Subject"], "Auto: Grüße Evil: 1")
        self.assertNotIn("Evil", made)
        self.assertLess(len(self.answer(b"Subject: " + b"x" * 100_000 + b"\r\n\r\n")), 5000)

    def test_nothing_to_refer_to(self) -> None:
        """A message without Message-ID and Subject has an answer all the same; endless References are cut."""
        made = message_from_bytes(self.answer(b""), policy=default)
        self.assertEqual((made["Subject"], made["In-Reply-To"]), ("Auto: ", None))
        references = b" ".join(b"<%d@x>" % number for number in range(1000))
        made = message_from_bytes(
            self.answer(b"Message-ID: <m@x>\r\nReferences: " + references + b"\r\n\r\n"), policy=default
        )
        words = made["References"].split()
        self.assertEqual((words[0], words[-2], words[-1]), ("<0@x>", "<999@x>", "<m@x>"))
        self.assertLess(len(words), 25)

    def test_long_message_ids(self) -> None:
        """Message-IDs of more than a line's usual length, as large servers make them, come back unchanged."""
        long, first = b"<" + b"AM0PR03MB" * 12 + b"@x.example>", b"<" + b"f" * 200 + b"@x>"
        octets = self.answer(b"Message-ID: " + long + b"\r\nReferences: " + first + b" <m1@x>\r\n\r\n")
        self.assertIn(b"In-Reply-To: " + long + b"\r\n", octets)
        self.assertIn(b"References: " + first + b"\r\n <m1@x>\r\n " + long + b"\r\n", octets)

    def test_hostile_message_ids(self) -> None:
        """What is no Message-ID is not repeated, whatever characters or length it has."""
        bad = (b"<a\x1cb@x>", b"<a\x0bb@x>", b"<a\rBcc:e@x>", "<ä@x>".encode(), b"<" + b"a" * 200_000 + b"@x>")
        for each in bad:
            made = self.answer(b"Message-ID: <m@x>\r\nReferences: <r@x> " + each + b"\r\n\r\n")
            self.assertIn(b"References: <r@x>\r\n <m@x>\r\n", made, each[:20])
            made = self.answer(b"Message-ID: " + each + b"\r\n\r\n")
            self.assertNotIn(b"References", made, each[:20])

    def test_long_addresses(self) -> None:
        """Addresses as long as they may be are written whole."""
        long = Address("b" * 64, ".".join(["x" * 60] * 3))
        self.assertIn(f" {long}\r\n".encode(), self.answer(b"", sender=long))

    def test_sender_in_utf8(self) -> None:
        """A sender beyond ASCII is answered in UTF-8 (RFC 6532)."""
        octets = self.answer(b"", sender=Address("jürgen", "x.example"))
        self.assertIn("To: jürgen@x.example".encode(), octets)
