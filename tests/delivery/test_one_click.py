"""Leaving a mailing list with one click (RFC 8058): the link in each member's copy, and what following it does."""

from __future__ import annotations

from urllib.parse import urlsplit

from hostmail.address import Address
from hostmail.decisions import Forward
from hostmail.delivery.lists.oneclick import OneClick
from hostmail.delivery.redelivery import Redelivery
from hostmail.errors import NoSuchRecipient, TemporaryFailure
from hostmail.listnames import UNSUBSCRIBE_PATH, bounce_address, unsubscribe_path
from hostmail.message.headers import count_fields, field_value
from tests.delivery.fakes import FakeSenders
from tests.delivery.test_lists import BEA, FAR, TEAM, ListCase
from tests.queue.support import at_once

PANEL = "https://mail.example.net:8443"
BY_MAIL = "<mailto:team-unsubscribe@example.com>"


def parts_of(url: str) -> tuple[str, str]:
    """The list and the token of a link."""
    address, _, token = urlsplit(url).path.removeprefix(f"{UNSUBSCRIBE_PATH}/").partition("/")
    return address, token


class FieldsTests(ListCase):
    def setUp(self) -> None:
        super().setUp()
        self.one_click = self.make_one_click()

    def path(self, number: int = 1, secret: bytes = b"secret") -> str:
        return str(bounce_address(self.team.parsed, number, secret))

    def fields(self, sender: str) -> bytes:
        found: bytes = self.wait(self.one_click.fields(sender))
        return found

    def test_copy_here(self) -> None:
        """A member's copy has one List-Unsubscribe, with an https link of his own before the mailto, and says that one click will do."""
        self.post()
        [mine] = self.letters(BEA)
        [leave] = mine.get_all("List-Unsubscribe")
        self.assertEqual(
            leave, f"<{PANEL}{unsubscribe_path(self.team.parsed, self.path().split('+')[1][:-12])}>, {BY_MAIL}"
        )
        self.assertEqual(mine["List-Unsubscribe-Post"], "List-Unsubscribe=One-Click")

    def test_without_panel(self) -> None:
        """With no panel that speaks TLS there is the mailto alone."""
        for web in ("", "http://mail.example.net"):
            self.web = web
            self.assertEqual(self.fields(self.path()), f"List-Unsubscribe: {BY_MAIL}\r\n".encode())

    def test_other_mail(self) -> None:
        """Nothing goes above mail that is no list's, or only says so: anybody may send from such an address."""
        forged = self.path(secret=b"guess")
        for sender in ("", BEA, "team-bounces@example.com", "team-bounces+x@example.com", forged):
            self.assertEqual(self.fields(sender), b"", sender)

    def test_lines(self) -> None:
        """However long the list's address is, no line is too long for anybody (RFC 5322 2.1.1), and it is plain."""
        team = Address("a" * 30, ".".join(["b" * 60] * 3))
        fields = self.fields(str(bounce_address(team, 1 << 40, b"secret")))
        self.assertLess(max(map(len, fields.split(b"\r\n"))), 998)
        self.assertTrue(fields.isascii())

    def test_forwarded_member(self) -> None:
        """A member's address that leads elsewhere by now: the copy that leaves under a reverse-path of ours has the link in it."""
        redelivery = Redelivery(
            directory=self.directory,
            store=self.store,
            answering=self.intake.answering,
            senders=FakeSenders(),
            one_click=self.one_click,
            forward_spam=False,
            in_thread=at_once,
        )
        self.sender.way_out = False
        self.post()
        row = next(row for row in self.rows() if row.recipient == FAR)
        spooled = self.wait(self.waiting.open(row))
        for forwarder, count in ((Address("bea", "other.example"), 1), (Address("bea", "example.com"), 0)):
            forward = Forward(Address("bea", "far.example"), forwarder)
            [leaving] = self.wait(redelivery.send_on(spooled, row, [forward]))
            self.assertEqual(count_fields(leaving.mark + b"\r\n", b"list-unsubscribe"), count)


class FollowingTests(ListCase):
    def setUp(self) -> None:
        super().setUp()
        self.one_click: OneClick = self.make_one_click()
        fields = self.wait(self.one_click.fields(str(bounce_address(self.team.parsed, 1, b"secret"))))
        url = (field_value(fields + b"\r\n", b"list-unsubscribe") or b"").decode().strip().partition(">")[0][1:]
        self.link = parts_of(url)

    def on_it(self) -> list[str]:
        return list(self.members.known[self.team.id])

    def test_leave(self) -> None:
        """The member is off the list, hears of it, and the history knows from where it was done; the others stay."""
        self.assertEqual(self.wait(self.one_click.leave(*self.link, "192.0.2.9")), self.team)
        self.assertEqual(self.on_it(), [FAR])
        self.settle()
        [goodbye] = self.letters(BEA)
        self.assertEqual(goodbye["Auto-Submitted"], "auto-generated")
        self.assertIn("team-subscribe@example.com", goodbye.get_content())
        self.assertEqual(self.told(), [f"unsubscribe: {BEA} has left, with one click from 192.0.2.9"])

    def test_twice(self) -> None:
        """A second click is answered as the first, and is nothing new; nor does it touch him if he has come back since."""
        self.wait(self.one_click.leave(*self.link, ""))
        self.wait(self.members.add(self.team.id, Address.parse("new@example.com")))
        self.assertEqual(self.wait(self.one_click.leave(*self.link, "")), self.team)
        self.settle()
        self.assertEqual((len(self.letters(BEA)), self.on_it()), (1, [FAR, "new@example.com"]))

    def test_looking(self) -> None:
        """To look at a link is not to follow it."""
        self.assertEqual(self.wait(self.one_click.list_of(*self.link)), self.team)
        self.assertIn(BEA, self.on_it())

    def test_no_link_of_ours(self) -> None:
        """Another's link, one for another list, for a list that is gone, and nonsense lead nowhere."""
        address, token = self.link
        other = self.directory.add_list("other@example.com", BEA)
        forged = [
            (address, "2=" + token.partition("=")[2]),
            (other.address, token),
            (address, ""),
            (address, "1"),
            ("nobody", token),
            ("", token),
            ("a" * 300 + "@example.com", token),
        ]
        for link in forged:
            self.assertIsNone(self.wait(self.one_click.list_of(*link)), link)
            self.assertIsNone(self.wait(self.one_click.leave(*link, "")), link)
        del self.directory.lists[TEAM]
        self.assertIsNone(self.wait(self.one_click.leave(*self.link, "")))
        self.assertEqual(self.on_it(), [BEA, FAR])

    def test_no_goodbye(self) -> None:
        """Who cannot be written to has left all the same."""
        for refusal in (NoSuchRecipient(), TemporaryFailure()):
            self.wait(self.members.add(self.team.id, Address.parse(BEA)))
            self.store.refusals[BEA] = refusal
            number = self.members.known[self.team.id][BEA].number
            token = str(bounce_address(self.team.parsed, number, b"secret")).partition("+")[2].partition("@")[0]
            self.assertEqual(self.wait(self.one_click.leave(TEAM, token, "")), self.team)
            self.assertEqual(self.on_it(), [FAR])
