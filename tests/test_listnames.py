"""The addresses around a mailing list."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from hostmail.address import MAX_LOCAL, Address
from hostmail.errors import NoSuchRecipient
from hostmail.listnames import (
    MAX_NAME,
    VALID_DAYS,
    ListWord,
    around,
    bounce_address,
    bouncing_member,
    confirm_address,
    confirmed,
    moderated,
    moderation_address,
    taken_apart,
)

TEAM, OTHER, BOB = Address("team", "example.com"), Address("news", "example.com"), Address("bob", "far.example")
ANN = Address("ann", "example.com")
SECRET, NOW, DAY = b"s" * 32, 1_800_000_000.0, 86_400.0
QUEUE_ID = "01kabcdefghjkm"


def tag(address: Address) -> str:
    apart = taken_apart(address)
    assert apart is not None
    return apart[2]


class FormTests(SynchronousTestCase):
    def test_taken_apart(self) -> None:
        """Any case; a name may have dashes itself; what has no such word is no list's."""
        self.assertEqual(
            taken_apart(Address("The-Team-SUBSCRIBE", "x.test")), (Address("The-Team", "x.test"), "subscribe", "")
        )
        self.assertEqual(taken_apart(around(TEAM, ListWord.CONFIRM, "x-y+z")), (TEAM, "confirm", "x-y+z"))
        for local in ("team", "team-", "-owner", "team-owners", "team+x-owner", ""):
            self.assertIsNone(taken_apart(Address(local, "x.test")), local)

    def test_the_longest_fit(self) -> None:
        """With the longest name all are valid addresses (RFC 5321 4.5.3.1.1)."""
        long = Address("n" * MAX_NAME, "example.com")
        made = (
            bounce_address(long, 10**9, SECRET),
            moderation_address(long, ListWord.APPROVE, QUEUE_ID, BOB, SECRET, NOW),
            confirm_address(long, ListWord.UNSUBSCRIBE, BOB, SECRET, NOW),
        )
        for address in made:
            self.assertLessEqual(len(address.local), MAX_LOCAL)
            self.assertEqual(Address.parse(str(address)), address)

    @given(st.text(max_size=40))
    def test_any_tag_is_answered(self, text: str) -> None:
        """Whatever somebody writes there, it is refused as no address of ours."""
        for read in (
            lambda: bouncing_member(TEAM, text, SECRET),
            lambda: moderated(TEAM, ListWord.APPROVE, text, [BOB], SECRET, NOW),
            lambda: confirmed(TEAM, text, BOB, SECRET, NOW),
        ):
            self.assertRaises(NoSuchRecipient, read)


class TokenTests(SynchronousTestCase):
    def test_bounces(self) -> None:
        """The member is read again, after any change of case; another list's secret address is nobody's."""
        text = tag(bounce_address(TEAM, 42, SECRET))
        self.assertEqual(bouncing_member(TEAM, text.upper(), SECRET), 42)
        self.assertRaises(NoSuchRecipient, bouncing_member, OTHER, text, SECRET)
        self.assertRaises(NoSuchRecipient, bouncing_member, TEAM, text.replace("42", "43"), SECRET)

    def test_moderation(self) -> None:
        """Good for one post, one list, one answer and two weeks, and as long as the owner who was given it is one: he did it."""
        text, owners = tag(moderation_address(TEAM, ListWord.APPROVE, QUEUE_ID, BOB, SECRET, NOW)), [ANN, BOB]
        late = NOW + VALID_DAYS * DAY
        self.assertEqual(moderated(TEAM, ListWord.APPROVE, text.upper(), owners, SECRET, late), (QUEUE_ID, BOB))
        for wrong in (
            (OTHER, ListWord.APPROVE, text, owners, SECRET, NOW),
            (TEAM, ListWord.REJECT, text, owners, SECRET, NOW),
            (TEAM, ListWord.APPROVE, text, [ANN], SECRET, NOW),
            (TEAM, ListWord.APPROVE, text, owners, b"other", NOW),
            (TEAM, ListWord.APPROVE, text, owners, SECRET, NOW + (VALID_DAYS + 1) * DAY),
        ):
            self.assertRaises(NoSuchRecipient, moderated, *wrong)

    def test_letters_that_look_like_others(self) -> None:
        """Letters that are ours when case does not count are ours, such as the long s and the Kelvin sign."""
        for day in range(VALID_DAYS):
            now = NOW + day * DAY
            text = tag(confirm_address(TEAM, ListWord.SUBSCRIBE, BOB, SECRET, now))
            strange = text[0] + text[1:].replace("s", "\N{LATIN SMALL LETTER LONG S}").replace("k", "\N{KELVIN SIGN}")
            self.assertEqual(confirmed(TEAM, strange, BOB, SECRET, now), ListWord.SUBSCRIBE)

    def test_confirmation(self) -> None:
        """Good for who was asked, and for what."""
        for action in (ListWord.SUBSCRIBE, ListWord.UNSUBSCRIBE):
            text = tag(confirm_address(TEAM, action, BOB, SECRET, NOW))
            self.assertEqual(confirmed(TEAM, text, BOB, SECRET, NOW + DAY), action)
            self.assertRaises(NoSuchRecipient, confirmed, TEAM, text, Address("eve", "far.example"), SECRET, NOW)
            self.assertRaises(NoSuchRecipient, confirmed, TEAM, text, BOB, SECRET, NOW + (VALID_DAYS + 1) * DAY)
