"""Mailing lists as facts, and who is on them (E3)."""

from __future__ import annotations

from zope.interface.verify import verifyObject

from hostmail.address import Address
from hostmail.directory.members import DAY_SECONDS, MOST_FOR_ONE, MOST_QUESTIONS, ListMembers
from hostmail.errors import AlreadyExists, BadValue, NotFound
from hostmail.interfaces.lists import IListMembers, MailingList, MayPost
from hostmail.listnames import ListWord, around
from tests.delivery.listfakes import FakeMembers
from tests.directory.support import HASH, DirectoryTestCase

TEAM, ANN, BOB = "team@example.com", Address("ann", "example.com"), Address("bob", "far.example")


class ListCase(DirectoryTestCase):
    """With a list."""

    def setUp(self) -> None:
        super().setUp()
        self.members = ListMembers(database=self.database, in_thread=self.threads, now=self.clock.seconds)
        self.team: MailingList = self.get(self.changes.add_list(TEAM, owners=["ann@example.com"]))
        self.events.published.clear()


class FactTests(ListCase):
    def test_a_new_list(self) -> None:
        """It takes posts of members up to a megabyte, and is found in any case."""
        found = self.get(self.directory.mailing_list(Address("TEAM", "example.com")))
        self.assertEqual(found, MailingList(1, TEAM, "example.com", (ANN,)))
        self.assertEqual(self.get(self.directory.mailing_lists("example.com")), [found])
        self.assertEqual(self.get(self.directory.mailing_lists("far.example")), [])

    def test_counts_at_once(self) -> None:
        """What was remembered of the list, and that a domain has none, is forgotten with the change (E7)."""
        self.get(self.changes.add_domain("second.example"))
        news = Address("news", "second.example")
        self.assertIsNone(self.get(self.directory.mailing_list(news)))
        self.assertFalse(self.get(self.directory.domain("second.example")).has_lists)
        self.get(self.changes.add_list(str(news), owners=["ann@example.com"]))
        self.assertTrue(self.get(self.directory.domain("second.example")).has_lists)
        self.get(self.changes.set_list(str(news), post="anyone", description="News", size_bytes=20_000))
        found = self.get(self.directory.mailing_list(news))
        self.assertEqual((found.post, found.description, found.size_bytes), (MayPost.ANYONE, "News", 20_000))
        self.get(self.changes.remove_list(str(news)))
        self.assertIsNone(self.get(self.directory.mailing_list(news)))

    def test_owners(self) -> None:
        """They are replaced together, and at least one stays."""
        changed = self.get(self.changes.set_list(TEAM, owners=["bob@far.example", "Bob@far.example"]))
        self.assertEqual(changed.owners, (Address("Bob", "far.example"),))
        self.refused(self.changes.set_list(TEAM, owners=[]), BadValue)
        self.refused(self.changes.set_list(TEAM, owners=["team-owner@example.com"]), BadValue)
        self.refused(self.changes.set_list(TEAM, owners=[TEAM]), BadValue)

    def test_owners_lead_to_people(self) -> None:
        """No owner's address leads back to the owners, nor to any list, which would never hear of its own posts that wait."""
        self.get(self.changes.add_list("news@example.com", owners=["ann@example.com"]))
        for target in ("team-owner@example.com", TEAM, "news-request@example.com", "news-owner@example.com"):
            self.get(self.changes.add_targets("boss@example.com", [target], forward=False))
            self.get(self.changes.add_targets("chief@example.com", ["boss@example.com"], forward=False))
            self.refused(self.changes.set_list(TEAM, owners=["chief+x@example.com"]), BadValue)
            self.refused(self.changes.add_list("more@example.com", owners=["boss@example.com", TEAM]), BadValue)
            for gone in ("chief@example.com", "boss@example.com"):
                self.get(self.changes.remove_targets(gone, [], forward=False))
        found = self.get(self.directory.mailing_list(self.team.parsed))
        self.assertEqual(found.owners, (ANN,))
        self.assertIsNone(self.get(self.directory.mailing_list(Address("more", "example.com"))))

    def test_aliases_of_owners(self) -> None:
        """Nor can an owner's address be made to lead back to the owners later."""
        self.get(self.changes.set_list(TEAM, owners=["boss@example.com"]))
        words = self.refused(
            self.changes.add_targets("boss@example.com", ["team-owner@example.com"], forward=False), BadValue
        ).public
        self.assertIn("boss@example.com -> team-owner@example.com -> boss@example.com", words)

    def test_tells_of_held_posts(self) -> None:
        """It does, unless told not to."""
        self.assertTrue(self.team.tell_held)
        self.assertFalse(self.get(self.changes.set_list(TEAM, tell_held=False)).tell_held)
        self.refused(self.changes.set_list(TEAM, tell_held="no"), BadValue)

    def test_senseless_values(self) -> None:
        """Each is refused with words about it."""
        for wrong in (
            {"post": "nobody"},
            {"size_bytes": 3},
            {"size_bytes": True},
            {"description": "a\nb"},
            {"description": "<x>"},
            {"x": 1},
        ):
            self.refused(self.changes.set_list(TEAM, **wrong), BadValue)
        for name in ("team-owner", "a+b", "n" * 31, "grün", '"a,b"', '"a<b"', "team-", "-", "a'b"):
            self.refused(self.changes.add_list(f"{name}@example.com", owners=["ann@example.com"]), BadValue)
        self.refused(self.changes.set_list("other@example.com", post="anyone"), NotFound)
        self.refused(self.changes.remove_list("no address"), NotFound)

    def test_names_do_not_collide(self) -> None:
        """Neither a list's address nor one of those around it can be an account's or an alias's, whichever was first."""
        self.get(self.changes.add_account("ann@example.com", password_hash=HASH))
        self.get(self.changes.add_account("news-request@example.com", password_hash=HASH))
        self.get(self.changes.add_targets("club@example.com", ["ann@example.com"], forward=False))
        for address in (TEAM, "news@example.com", "club@example.com", "ann@example.com"):
            self.refused(self.changes.add_list(address, owners=["ann@example.com"]), AlreadyExists)
        for word in ListWord:
            taken = str(around(self.team.parsed, word))
            self.refused(self.changes.add_account(taken, password_hash=HASH), AlreadyExists)
            self.refused(self.changes.add_targets(taken, ["ann@example.com"], forward=False), AlreadyExists)
        self.refused(self.changes.add_account(TEAM, password_hash=HASH), AlreadyExists)

    def test_an_alias_may_lead_to_a_list(self) -> None:
        """A list's address is somebody's."""
        name = self.get(self.changes.add_targets("all@example.com", [TEAM], forward=False))
        self.assertEqual(name.aliases, (self.team.parsed,))

    def test_goes_with_its_domain(self) -> None:
        """Nothing of it stays, and its number is not used again."""
        self.get(self.members.add(self.team.id, BOB))
        self.get(self.changes.remove_domain("example.com"))
        self.assertEqual(self.get(self.members.members(self.team.id)), [])
        self.get(self.changes.add_domain("example.com"))
        again = self.get(self.changes.add_list(TEAM, owners=["ann@example.com"]))
        self.assertGreater(again.id, self.team.id)


class MemberTests(ListCase):
    def test_contract(self) -> None:
        """It is the contract's, and so is the one that stands in for it."""
        self.assertTrue(verifyObject(IListMembers, self.members))
        self.assertTrue(verifyObject(IListMembers, FakeMembers()))

    def test_come_and_go(self) -> None:
        """Twice changes nothing, in whatever case."""
        self.assertTrue(self.get(self.members.add(self.team.id, BOB)))
        self.assertFalse(self.get(self.members.add(self.team.id, Address("BOB", "far.example"))))
        self.assertEqual([one.address for one in self.get(self.members.members(self.team.id))], ["bob@far.example"])
        self.assertTrue(self.get(self.members.remove(self.team.id, BOB)))
        self.assertFalse(self.get(self.members.remove(self.team.id, BOB)))
        self.assertIsNone(self.get(self.members.member(self.team.id, BOB)))

    def test_leaves_by_number(self) -> None:
        """Who it was is told once; his number is nobody else's afterwards, and good for this list alone."""
        self.get(self.members.add(self.team.id, BOB))
        bob = self.get(self.members.member(self.team.id, BOB))
        self.assertIsNone(self.get(self.members.leave(self.team.id + 1, bob.number)))
        self.assertEqual(self.get(self.members.leave(self.team.id, bob.number)), bob)
        self.assertIsNone(self.get(self.members.leave(self.team.id, bob.number)))
        self.get(self.members.add(self.team.id, BOB))
        self.assertIsNone(self.get(self.members.leave(self.team.id, bob.number)))
        self.assertIsNotNone(self.get(self.members.member(self.team.id, BOB)))

    def test_no_list_on_a_list(self) -> None:
        """Neither it nor its addresses can be members; nor can anybody be on a list that is gone."""
        self.refused(self.members.add(self.team.id, self.team.parsed), BadValue)
        self.refused(self.members.add(self.team.id, around(self.team.parsed, ListWord.OWNER)), BadValue)
        self.refused(self.members.add(99, BOB), NotFound)

    def test_dropped_after_three_days_of_bounces(self) -> None:
        """A day counts once, however many bounces it brings; the third drops the member, and no more is counted then."""
        self.get(self.members.add(self.team.id, BOB))
        number = self.get(self.members.member(self.team.id, BOB)).number
        for day, dropped in ((1, False), (2, False), (3, True)):
            member, is_dropped = self.get(self.members.bounced(self.team.id, number))
            self.assertEqual((member.bounces, is_dropped, member.active), (day, dropped, not dropped))
            self.assertIsNone(self.get(self.members.bounced(self.team.id, number)))
            self.clock.advance(DAY_SECONDS)
        self.assertIsNone(self.get(self.members.bounced(self.team.id, number)))
        self.assertEqual(self.get(self.members.counts(self.team.id)), (0, 1))

    def test_forgiven(self) -> None:
        """A bounce once a month drops nobody."""
        self.get(self.members.add(self.team.id, BOB))
        number = self.get(self.members.member(self.team.id, BOB)).number
        for _ in range(4):
            member, dropped = self.get(self.members.bounced(self.team.id, number))
            self.assertEqual((member.bounces, dropped), (1, False))
            self.clock.advance(30 * DAY_SECONDS)

    def test_comes_back_with_a_clean_record(self) -> None:
        """Who was dropped and subscribes again starts anew."""
        self.get(self.members.add(self.team.id, BOB))
        number = self.get(self.members.member(self.team.id, BOB)).number
        for _ in range(3):
            self.get(self.members.bounced(self.team.id, number))
            self.clock.advance(DAY_SECONDS)
        self.assertTrue(self.get(self.members.add(self.team.id, BOB)))
        member = self.get(self.members.member(self.team.id, BOB))
        self.assertEqual((member.number, member.active, member.bounces), (number, True, 0))

    def test_questions(self) -> None:
        """One for each address and action a day, and a bounded number in all."""
        self.assertTrue(self.get(self.members.ask(self.team.id, BOB, "subscribe")))
        self.assertFalse(self.get(self.members.ask(self.team.id, BOB, "subscribe")))
        self.assertTrue(self.get(self.members.ask(self.team.id, BOB, "unsubscribe")))
        self.get(self.members.not_asked(self.team.id, BOB, "unsubscribe"))
        self.assertTrue(self.get(self.members.ask(self.team.id, BOB, "unsubscribe")))
        self.clock.advance(DAY_SECONDS)
        self.assertTrue(self.get(self.members.ask(self.team.id, BOB, "subscribe")))
        asked = [
            self.get(self.members.ask(self.team.id, Address(f"u{i}", "x.test"), "s")) for i in range(MOST_QUESTIONS)
        ]
        self.assertEqual(asked.count(True), MOST_QUESTIONS - 1)

    def test_questions_of_many_lists(self) -> None:
        """All lists here together write to one address a few times a day: nobody can have a stranger flooded by them."""
        lists = [
            self.get(self.changes.add_list(f"l{number}@example.com", owners=["ann@example.com"]))
            for number in range(MOST_FOR_ONE + 2)
        ]
        asked = [self.get(self.members.ask(each.id, BOB, "subscribe")) for each in lists]
        self.assertEqual(asked.count(True), MOST_FOR_ONE)
        self.assertTrue(self.get(self.members.ask(lists[0].id, ANN, "subscribe")))
        self.clock.advance(DAY_SECONDS)
        self.assertTrue(self.get(self.members.ask(lists[0].id, BOB, "subscribe")))

    def test_one_secret_for_all(self) -> None:
        """Every process signs with the same one."""
        other = ListMembers(database=self.database, in_thread=self.threads, now=self.clock.seconds)
        self.assertEqual(self.get(self.members.secret()), self.get(other.secret()))
