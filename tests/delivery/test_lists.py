"""Mailing lists, from a post or a command by SMTP to what members, owners and strangers get (E3)."""

from __future__ import annotations

import re
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

from hostmail.address import Address
from hostmail.delivery.lists import holding
from hostmail.delivery.lists.posts import MEMBERS_A_SECOND
from hostmail.envelope import Envelope, Recipient
from hostmail.errors import MailLoop, MessageTooBig, NoSuchRecipient, Refusal, TemporaryFailure
from hostmail.interfaces.lists import MailingList, MayPost
from hostmail.listnames import bounce_address
from tests.delivery.test_whole_way import WholeWayCase

TEAM, OWNER, BEA, FAR = "team@example.com", "ann@example.com", "bea@example.com", "far@else.example"
POST = b"From: Bea <bea@example.com>\r\nTo: team@example.com\r\nMessage-ID: <m@x>\r\nSubject: hello\r\n\r\nHi all\r\n"


def by(author: str, to: str, subject: str = "x", extra: str = "") -> bytes:
    return f"From: {author}\r\nTo: {to}\r\nSubject: {subject}\r\n{extra}\r\n\r\n".encode()


class ListCase(WholeWayCase):
    """A list of bea, who is here, and far, who is not; ann owns it."""

    def setUp(self) -> None:
        super().setUp()
        self.team = self.directory.add_list(TEAM, OWNER)
        for member in (BEA, FAR):
            self.wait(self.members.add(self.team.id, Address.parse(member)))
        self.wait(self.runner.start())

    def change(self, **facts: Any) -> None:
        found = self.directory.lists[TEAM]
        values = {name: getattr(found, name) for name in MailingList.__slots__}
        self.directory.lists[TEAM] = MailingList(**(values | facts))

    def post(self, message: bytes = POST, sender: str = BEA, to: str = TEAM, **more: Any) -> None:
        self.send(to, message=message, sender=sender, **more)
        self.settle()

    def settle(self, seconds: int = 3) -> None:
        for _ in range(seconds * 2):
            self.clock.advance(0.5)

    def fail_once(self) -> None:
        """Nothing can be written for what comes of the next message."""
        create, calls = self.real_spool.create, []

        def once(prefix: bytes) -> Any:
            calls.append(prefix)
            if len(calls) == 2:
                raise TemporaryFailure
            return create(prefix)

        self.patch(self.real_spool, "create", once)

    def letters(self, address: str) -> list[EmailMessage]:
        return [message_from_bytes(octets, policy=policy.default) for octets in self.mail(address)]

    def told(self) -> list[str]:
        return [words for what, _, words in self.history.story if what == "list"]

    def tagged(self, word: str, text: str) -> str:
        found = re.search(rf"team-{word}\+\S+@example\.com", text)
        assert found is not None, text
        return found[0]


class PostTests(ListCase):
    def test_reaches_everybody(self) -> None:
        """A member's post comes to members here and elsewhere, each with a reverse-path of his own, and nothing is left waiting."""
        self.post()
        [mine] = self.letters(BEA)
        paths = [str(bounce_address(self.team.parsed, number, b"secret")) for number in (1, 2)]
        self.assertEqual(mine["Return-Path"], f"<{paths[0]}>")
        self.assertEqual(self.sender.calls, [[FAR]])
        self.assertEqual(self.rows(), [])
        self.assertIn("sent to its members: 2", self.told())

    def test_fields(self) -> None:
        """The list says what it is and where to write (RFC 2369, 2919); the message itself is as it was."""
        self.change(description="Team née Gang")
        self.post(
            POST.replace(
                b"Subject", b"List-Unsubscribe: <mailto:eve@evil.example>\r\nReturn-Receipt-To: b@x\r\nSubject"
            )
        )
        [mine] = self.letters(BEA)
        self.assertEqual(str(mine["List-Id"]), "Team née Gang <team.example.com>")
        self.assertEqual(mine["List-Post"], "<mailto:team@example.com>")
        [leave] = mine.get_all("List-Unsubscribe")
        self.assertTrue(leave.endswith(", <mailto:team-unsubscribe@example.com>"))
        self.assertEqual(mine["Precedence"], "list")
        self.assertIsNone(mine["Return-Receipt-To"])
        self.assertEqual((mine["From"], mine["Subject"]), ("Bea <bea@example.com>", "hello"))
        self.assertIn("Hi all", mine.get_content())

    def test_paced(self) -> None:
        """Many members get it a little at a time, so that other mail goes in between."""
        for number in range(3 * MEMBERS_A_SECOND):
            self.wait(self.members.add(self.team.id, Address(f"m{number:03}", "else.example")))
        self.send(TEAM, message=POST, sender=BEA)
        self.clock.advance(0)
        self.assertLess(sum(map(len, self.sender.calls)), 5)
        self.settle(1)
        self.assertLess(sum(map(len, self.sender.calls)), 2 * MEMBERS_A_SECOND)
        self.settle(30)
        self.assertEqual(sum(map(len, self.sender.calls)), 3 * MEMBERS_A_SECOND + 1)

    def test_an_alias_of_a_list(self) -> None:
        """What leads to a list is posted there, and goes to its other ends as well."""
        self.directory.lead("all@example.com", TEAM, "cleo@example.com")
        self.post(to="all@example.com")
        self.assertEqual([len(self.mail(one)) for one in (BEA, "cleo@example.com")], [1, 1])

    def test_address_that_needs_utf8(self) -> None:
        """It changes nothing for the others."""
        self.wait(self.members.add(self.team.id, Address("grün", "else.example")))
        self.post()
        self.assertEqual(sorted(one for call in self.sender.calls for one in call), [FAR, "grün@else.example"])

    def test_no_members(self) -> None:
        """A post to nobody is done with."""
        self.members.known.clear()
        self.change(post=MayPost.ANYONE)
        self.post()
        self.assertEqual((self.rows(), self.mail(BEA)), ([], []))

    def test_strict_domains(self) -> None:
        """An author whose domain lets nobody else send in its name is named, and gets the replies, but From is the list (DMARC)."""
        self.zone["_dmarc.example.com"] = "v=DMARC1; p=reject"
        self.post()
        [mine] = self.letters(BEA)
        self.assertEqual(mine["From"], "Bea via team <team@example.com>")
        self.assertEqual(mine["Reply-To"], "Bea <bea@example.com>")
        self.assertEqual(mine["X-Original-From"], "Bea <bea@example.com>")
        self.assertIn("Hi all", mine.get_content())

    def test_strict_domains_and_long_authors(self) -> None:
        """No line becomes longer than lines may be; an answer address that there is stays."""
        self.zone["_dmarc.example.com"] = "v=DMARC1; p=quarantine"
        name = b"\r\n ".join([b"Bea" * 20] * 30)
        self.post(POST.replace(b"From: Bea <", b'Reply-To: other@x.example\r\nFrom: "' + name + b'" <'))
        [mine] = self.letters(BEA)
        self.assertIn(" via team", mine["From"])
        self.assertEqual((mine["X-Original-From"], mine.get_all("Reply-To")), (BEA, ["other@x.example"]))
        self.assertLess(max(map(len, self.mail(BEA)[0].split(b"\r\n"))), 998)

    def test_strict_domains_of_further_authors(self) -> None:
        """Whichever of several authors it is (RFC 7489 6.6.1)."""
        self.zone["_dmarc.else.example"] = "v=DMARC1; p=reject"
        self.post(POST.replace(b"From: Bea <bea@example.com>", b"From: Bea <bea@example.com>, far@else.example"))
        [mine] = self.letters(BEA)
        self.assertEqual(mine["From"], "Bea via team <team@example.com>")
        self.assertEqual(mine["Reply-To"], "Bea <bea@example.com>, far@else.example")

    def test_dns_fails(self) -> None:
        """What cannot be asked is taken as strict."""
        self.dns_fails = True
        self.post()
        self.assertIn("via team", self.letters(BEA)[0]["From"])


class RefusedTests(ListCase):
    def refusal(self, message: bytes, sender: str = BEA) -> type[Refusal]:
        refused = type(self.send_refused(TEAM, message=message, sender=sender))
        self.assertEqual(self.rows(), [])
        return refused

    def test_automatic_mail(self) -> None:
        """Nothing that a machine sent is multiplied: no loops with autoresponders, bounces and other lists."""
        for extra in (b"Auto-Submitted: auto-replied\r\n", b"Precedence: bulk\r\n", b"List-Id: <o.example>\r\n"):
            self.assertEqual(self.refusal(extra + POST).__name__, "NotForLists")
        self.assertEqual(self.refusal(POST, sender="").__name__, "NotForLists")
        self.assertEqual(self.history.story[-1][0], "refused")

    def test_its_own_mail(self) -> None:
        """What has been through the list does not go through it again."""
        self.assertEqual(self.refusal(b"List-ID: Team <Team.example.com>\r\n" + POST), MailLoop)

    def test_size(self) -> None:
        """A post over the list's limit is refused at RCPT where its size was said, else at the end."""
        self.change(size_bytes=100)
        said = self.intake.recipient(self.peer, Envelope(None, size=101), Recipient(self.team.parsed))
        self.assertIsInstance(self.refused(said), MessageTooBig)
        self.assertEqual(self.refusal(POST + b"x" * 100), MessageTooBig)

    def test_beside_others(self) -> None:
        """A recipient that is no list gets it all the same, and the sender a report about the list."""
        self.send(TEAM, "cleo@example.com", message=b"Precedence: junk\r\n" + POST, sender=BEA)
        self.settle()
        self.assertEqual(len(self.mail("cleo@example.com")), 1)
        self.assertIn("could not be delivered", self.letters(BEA)[0]["Subject"])

    def test_a_list_that_goes(self) -> None:
        """A post that waits when its list is given up is returned."""
        self.wait(self.runner.stop())
        self.send(TEAM, message=POST, sender=BEA)
        self.directory.lists.clear()
        self.directory.set("example.com", has_lists=False)
        self.wait(self.runner.start())
        self.settle()
        self.assertIn("could not be delivered", self.letters(BEA)[0]["Subject"])


class ModerationTests(ListCase):
    def hold(self, sender: str = "eve@evil.example", author: str = "eve@evil.example") -> str:
        """The text of what the owner gets."""
        self.post(by(author, TEAM, "buy"), sender)
        [row] = self.rows()
        self.assertEqual((row.state, row.recipient), ("held", TEAM))
        letter = self.letters(OWNER)[-1]
        part = letter.get_body()
        assert part is not None
        return str(part.get_content())

    def decide(self, address: str, **more: Any) -> None:
        self.send(address, message=by(OWNER, address, **more), sender=OWNER)
        self.settle()

    def test_held(self) -> None:
        """A stranger's post waits, visible in the queue; each owner gets it with two addresses to decide."""
        text = self.hold()
        self.assertIn("eve@evil.example is not a member", self.rows()[0].last_answer)
        [letter] = self.letters(OWNER)
        [attached] = list(letter.iter_attachments())
        self.assertEqual(attached.get_content_type(), "message/rfc822")
        self.assertIn("buy", attached.as_string())
        self.assertNotEqual(self.tagged("approve", text), self.tagged("reject", text))
        self.assertEqual(letter["Return-Path"], "<>")
        self.assertEqual(self.mail(BEA), [])

    def test_approved(self) -> None:
        """It goes to the members then, once."""
        text = self.hold()
        address, reject = self.tagged("approve", text), self.tagged("reject", text)
        self.decide(address.upper())
        self.assertEqual([one["Subject"] for one in self.letters(BEA)], ["buy"])
        self.decide(address)
        self.decide(reject)
        self.assertEqual(len(self.mail(BEA)), 1)
        for word in ("approve", "reject"):
            self.assertIn(f"{word}: that post does not wait any more", self.told())

    def test_rejected(self) -> None:
        """A stranger's post is deleted: his address may be anybody's."""
        self.change(tell_held=False)
        self.decide(self.tagged("reject", self.hold()))
        self.assertEqual((self.rows(), self.mail(BEA), self.sender.calls), ([], [], []))

    def test_rejected_member(self) -> None:
        """A member gets his back, with the reason."""
        self.change(post=MayPost.OWNERS)
        self.decide(self.tagged("reject", self.hold(BEA, BEA)))
        _, back = self.letters(BEA)
        self.assertEqual(back["Subject"], "Your message to team@example.com was not sent to its members")
        text = str(back.get_body().get_content()).replace("\r\n", "\n")  # type: ignore[union-attr]
        self.assertIn("    subject:  buy\n\nwas not sent to its members: its owners did not let it through.", text)
        self.assertEqual(next(iter(back.iter_attachments())).get_content()["Subject"], "buy")
        self.assertEqual(self.rows(), [])

    def test_machines_decide_nothing(self) -> None:
        """An autoresponder's answer neither approves nor rejects."""
        text = self.hold()
        for word in ("approve", "reject"):
            self.decide(self.tagged(word, text), extra="Auto-Submitted: auto-replied\r\n")
        self.assertEqual([row.state for row in self.rows()], ["held"])

    def test_forged(self) -> None:
        """An address that we did not make is refused as nobody's while its sender still listens: he gets no mail about that."""
        self.change(tell_held=False)
        address = self.tagged("approve", self.hold())
        forged = address.replace("@", "x@") if address[-13] != "x" else address.replace("@", "y@")
        for each in (forged, "team-approve@example.com", "team-reject+x@example.com"):
            self.assertIsInstance(self.send_refused(each, message=by(OWNER, each), sender=OWNER), NoSuchRecipient)
        self.assertEqual(([row.state for row in self.rows()], len(self.mail(OWNER))), (["held"], 1))

    def test_no_owner_any_more(self) -> None:
        """Who was an owner decides nothing any more, and who is one is named, whoever writes."""
        self.change(owners=(Address.parse(OWNER), Address.parse("cleo@example.com")), tell_held=False)
        mine = self.tagged("approve", self.hold())
        [others] = self.letters("cleo@example.com")
        hers = self.tagged("approve", others.get_body().get_content())  # type: ignore[union-attr]
        self.change(owners=(Address.parse("cleo@example.com"),))
        self.assertIsInstance(self.send_refused(mine, message=by(OWNER, mine), sender=OWNER), NoSuchRecipient)
        self.decide(hers)
        self.assertIn("cleo@example.com let it go", self.told())

    def test_owners_cannot_be_told(self) -> None:
        """Then nothing is held unknown to everybody: the post waits, and is judged again."""
        self.fail_once()
        self.send(TEAM, message=by("eve@evil.example", TEAM), sender="eve@evil.example")
        self.settle()
        self.assertEqual(([row.state for row in self.rows()], self.mail(OWNER)), (["waiting"], []))
        self.settle(100)
        self.assertEqual(([row.state for row in self.rows()], len(self.mail(OWNER))), (["held"], 1))

    def test_both_count(self) -> None:
        """A member's name over a stranger's reverse-path is looked at, and so is the opposite, and mail of nobody."""
        self.post(by(BEA, TEAM), "eve@evil.example")
        self.post(by("eve@evil.example", TEAM), BEA)
        self.post(b"Subject: x\r\n\r\n", BEA)
        self.assertEqual([row.state for row in self.rows()], ["held"] * 3)
        self.post(by("eve@evil.example", TEAM), "dan@evil.example")
        self.assertTrue(self.rows()[-1].last_answer.endswith("dan@evil.example and eve@evil.example are not members"))

    def test_owners_only(self) -> None:
        """A list of news takes them from its owners, and says that nobody else can post."""
        self.change(post=MayPost.OWNERS)
        self.post(by(OWNER, TEAM), OWNER, peer=self.login)
        self.assertEqual(self.letters(BEA)[0]["List-Post"], "NO")
        self.post()
        self.assertEqual([row.state for row in self.rows()], ["held"])

    def test_owners_only_and_forged(self) -> None:
        """Anybody can write an owner's name: one who has his mailbox here must have signed in, or he is asked; one elsewhere cannot."""
        self.directory.add("dora@example.com")
        boss = "boss@example.com"
        owners = tuple(map(Address.parse, (OWNER, "dora@example.com", boss, FAR)))
        self.change(post=MayPost.OWNERS, owners=owners)
        for author, peer in ((OWNER, self.peer), ("dora@example.com", self.login), (boss, self.peer)):
            self.post(by(author, TEAM), author, peer=peer)
            self.assertIn(f"{author} has not signed in here", self.rows()[-1].last_answer)
        self.assertEqual((self.mail(BEA), len(self.rows())), ([], 3))
        for author, peer in ((OWNER, self.login), (boss, self.login), (FAR, self.peer)):
            self.mail(BEA).clear()
            self.post(by(author, TEAM), author, peer=peer)
            self.assertEqual(len(self.mail(BEA)), 1, author)

    def test_anyone(self) -> None:
        """An open list takes everything that people write."""
        self.change(post=MayPost.ANYONE)
        self.post(by("eve@evil.example", TEAM), "eve@evil.example")
        self.assertEqual(len(self.mail(BEA)), 1)

    def test_spam(self) -> None:
        """What was judged spam waits, whoever may post."""
        self.change(post=MayPost.ANYONE)
        self.post(b"X-Spam-Flag: YES\r\n" + POST)
        self.assertEqual([row.last_answer for row in self.rows()], ["held for the list's owners: judged spam"])

    def test_large(self) -> None:
        """The owners get the beginning of a large post."""
        self.patch(holding, "MAX_SHOWN", 500)
        self.post(by("eve@evil.example", TEAM) + b"\xc3\xa9 line\r\n" * 1000, "eve@evil.example")
        self.assertLess(len(self.mail(OWNER)[0]), 3000)
        self.assertIn(b"8bit", self.mail(OWNER)[0])
