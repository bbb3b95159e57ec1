"""Lists that lead to each other by ways that nobody could refuse when they were made (E3): each post goes round once, and stops."""

from __future__ import annotations

from hostmail.address import Address
from hostmail.interfaces.autoresponders import Autoresponder
from hostmail.interfaces.lists import MayPost
from tests.delivery.test_lists import BEA, FAR, OWNER, POST, TEAM, ListCase

CREW = "crew@example.com"


class LoopTests(ListCase):
    def test_under_two_names(self) -> None:
        """A post for a list and for an alias of it is one post."""
        self.directory.lead("all@example.com", TEAM)
        self.send(TEAM, "all@example.com", message=POST, sender=BEA)
        self.settle()
        self.assertEqual(len(self.mail(BEA)), 1)

    def test_two_lists_on_each_other(self) -> None:
        """Each has a member whose address has become an alias of the other: a list's mail is no post for another one."""
        crew = self.directory.add_list(CREW, OWNER, post=MayPost.ANYONE)
        self.wait(self.members.add(self.team.id, Address.parse("to-crew@example.com")))
        self.wait(self.members.add(crew.id, Address.parse("to-team@example.com")))
        self.wait(self.members.add(crew.id, Address.parse("cleo@example.com")))
        self.directory.lead("to-crew@example.com", CREW)
        self.directory.lead("to-team@example.com", TEAM)
        self.change(post=MayPost.ANYONE)
        self.post()
        self.settle(60)
        self.assertEqual([len(self.mail(one)) for one in (BEA, "cleo@example.com")], [1, 0])
        self.assertEqual(self.rows(), [])

    def test_a_list_on_itself(self) -> None:
        """A member's address that has become an alias of the list itself."""
        self.wait(self.members.add(self.team.id, Address.parse("again@example.com")))
        self.directory.lead("again@example.com", TEAM)
        self.change(post=MayPost.ANYONE)
        self.post()
        self.settle(60)
        self.assertEqual(len(self.mail(BEA)), 1)

    def test_a_member_who_forwards_to_the_list(self) -> None:
        """He has his copy, and nobody a second one; that is counted as a bounce of his, so that it ends."""
        self.directory.lead(BEA, TEAM, keep_copy=True)
        self.change(post=MayPost.ANYONE)
        self.post(sender=FAR)
        self.settle(60)
        self.assertEqual((len(self.mail(BEA)), self.sender.calls, self.rows()), (1, [[FAR]], []))
        self.assertEqual(self.members.known[self.team.id][BEA].bounces, 1)

    def test_a_member_with_an_autoresponder(self) -> None:
        """He answers neither the list nor the author."""
        account = self.wait(self.directory.account_for(Address.parse(BEA)))
        self.directory.autoresponders[account.id] = Autoresponder(account.id, "away", "I am away.")
        self.change(post=MayPost.ANYONE)
        self.post(POST.replace(b"To: team@example.com", b"To: team@example.com, bea@example.com"), FAR)
        self.settle(60)
        self.assertEqual((self.answered.claimed, self.sender.calls), (set(), [[FAR]]))

    def test_a_command_on_a_list(self) -> None:
        """A member's address that leads to NAME-request: authors of posts are not written to."""
        self.wait(self.members.add(self.team.id, Address.parse("help@example.com")))
        self.directory.lead("help@example.com", "team-request@example.com")
        self.change(post=MayPost.ANYONE)
        self.post(b"From: cleo@example.com\r\nTo: team@example.com, help@example.com\r\n\r\n", "cleo@example.com")
        self.assertEqual(self.mail("cleo@example.com"), [])
