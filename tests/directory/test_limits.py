"""What the owners of a domain may have, over all their domains."""

from __future__ import annotations

import threading
from typing import Any

from zope.interface.verify import verifyObject

from hostmail.actor import Role
from hostmail.directory.people import People
from hostmail.errors import BadValue, NotAllowed, NotFound, Refusal, TooMany
from hostmail.interfaces.directory import IDirectoryChanges
from tests.directory.support import HASH, DirectoryTestCase


class LimitTests(DirectoryTestCase):
    """max owns example.com and more.example."""

    def setUp(self) -> None:
        super().setUp()
        self.people = People(database=self.database, in_thread=self.threads, now=self.clock.seconds)
        self.get(self.changes.add_domain("more.example"))
        self.get(self.changes.add_domain("other.example"))
        self.get(self.people.add("max", Role.OWNER, password_hash=HASH))
        for domain in ("example.com", "more.example"):
            self.get(self.people.grant("max", domain))
        self.bounded = self.changes.within_limits()

    def limit(self, **limits: int | None) -> None:
        self.get(self.people.set("max", **limits))

    def add(self, address: str, **more: Any) -> Any:
        return self.bounded.add_account(address, password_hash=HASH, **more)

    def test_accounts(self) -> None:
        """So many accounts, counted over all his domains; other domains do not count, and removing makes room."""
        verifyObject(IDirectoryChanges, self.bounded)
        self.limit(max_accounts=2)
        self.get(self.add("a@example.com"))
        self.get(self.add("a@other.example"))
        self.get(self.add("b@more.example"))
        refusal = self.refused(self.add("c@example.com"), TooMany)
        self.assertIn("2 accounts", refusal.public)
        self.assertEqual(len(self.get(self.directory.accounts("example.com"))), 1)
        self.get(self.bounded.remove_account("b@more.example"))
        self.get(self.add("c@example.com"))

    def test_restored(self) -> None:
        """A removed account that is restored counts like a new one."""
        self.limit(max_accounts=1)
        self.get(self.add("a@example.com"))
        self.get(self.bounded.remove_account("a@example.com"))
        (gone,) = self.get(self.directory.removed_accounts(0.0))
        self.get(self.add("b@example.com"))
        self.refused(self.bounded.restore_account(gone.id), TooMany)
        self.get(self.bounded.remove_account("b@example.com"))
        self.get(self.bounded.restore_account(gone.id))

    def test_catch_all(self) -> None:
        """A catch-all that leads out of its domain is a forward, too: who may have none gets none by that way."""
        self.limit(max_forwards=0)
        self.get(self.add("a@example.com"))
        self.get(self.bounded.set_domain("example.com", catch_all="a@example.com"))
        self.refused(self.bounded.set_domain("example.com", catch_all="x@far.test"), TooMany)
        self.limit(max_forwards=1)
        self.get(self.bounded.set_domain("example.com", catch_all="x@far.test"))
        self.refused(self.bounded.set_domain("more.example", catch_all="x@far.test"), TooMany)
        self.get(self.bounded.set_domain("example.com", catch_all="refuse"))
        self.get(self.bounded.set_domain("more.example", catch_all="x@far.test"))

    def test_suspended_by_an_operator(self) -> None:
        """What an operator has suspended no owner allows again: not by a switch, nor by removing the account, nor by another way back."""
        ann = "ann@example.com"
        self.get(self.add(ann))
        self.get(self.bounded.set_account(ann, login_suspended=True))
        self.get(self.bounded.set_account(ann, login_suspended=False))
        account = self.get(self.changes.set_account(ann, outgoing_suspended=True))
        self.assertEqual(account.operator_suspended, "outgoing")
        refusal = self.refused(self.bounded.set_account(ann, outgoing_suspended=False), NotAllowed)
        self.assertIn("an operator has suspended", refusal.public)
        self.refused(self.bounded.remove_account(ann), NotAllowed)
        self.get(self.bounded.set_account(ann, outgoing_suspended=True, quota_bytes=1 << 20))
        self.get(self.changes.remove_account(ann))
        (gone,) = self.get(self.directory.removed_accounts(0.0))
        back = self.get(self.bounded.restore_account(gone.id, "other@example.com"))
        self.assertEqual((back.outgoing_suspended, back.operator_suspended), (True, "outgoing"))

    def test_suspended_by_both(self) -> None:
        """Each switch is for itself: what an operator has not suspended stays the owner's, and what he says once more becomes his."""
        ann = "ann@example.com"
        self.get(self.add(ann))
        self.get(self.bounded.set_account(ann, login_suspended=True))
        self.assertEqual(
            self.get(self.changes.set_account(ann, incoming_suspended=True)).operator_suspended, "incoming"
        )
        self.get(self.bounded.set_account(ann, login_suspended=False, incoming_suspended=True))
        self.get(self.bounded.set_account(ann, login_suspended=True))
        both = self.get(self.changes.set_account(ann, login_suspended=True))
        self.assertEqual(both.operator_suspended, "login incoming")
        self.refused(self.bounded.set_account(ann, login_suspended=False), NotAllowed)
        lifted = self.get(self.changes.set_account(ann, login_suspended=False, incoming_suspended=False))
        self.assertEqual((lifted.operator_suspended, lifted.login_suspended), ("", False))
        self.get(self.bounded.set_account(ann, login_suspended=True))
        self.get(self.bounded.remove_account(ann))

    def test_operators_are_free(self) -> None:
        """What an operator does is not limited, and what is there may stay, and be changed."""
        self.limit(max_accounts=0, quota_bytes=1)
        for name in "ab":
            self.get(self.changes.add_account(f"{name}@example.com", password_hash=HASH))
        self.get(self.bounded.set_account("a@example.com", login_suspended=True))
        self.get(self.bounded.set_password("a@example.com", HASH))
        self.get(self.bounded.remove_account("b@example.com"))

    def test_forwards_and_lists(self) -> None:
        """The same for addresses that mail is forwarded to, and for lists; aliases are free."""
        self.get(self.add("a@example.com"))
        self.limit(max_forwards=2, max_lists=1)
        forward = self.bounded.add_targets
        self.get(forward("a@example.com", ["x@elsewhere.test"], forward=True, keep_copy=True))
        self.get(forward("n@more.example", ["a@example.com"], forward=False))
        self.refused(forward("b@example.com", ["y@elsewhere.test", "z@elsewhere.test"], forward=True), TooMany)
        self.get(forward("b@example.com", ["y@elsewhere.test"], forward=True))
        self.get(self.bounded.add_list("l@example.com", owners=["a@example.com"]))
        self.refused(self.bounded.add_list("m@more.example", owners=["a@example.com"]), TooMany)
        self.get(self.bounded.set_list("l@example.com", description="still here"))

    def test_quota(self) -> None:
        """What he gives to accounts is limited together; less than there is may always be given."""
        self.limit(quota_bytes=100)
        self.refused(self.add("a@example.com"), BadValue)
        self.get(self.add("a@example.com", quota_bytes=60))
        self.refused(self.add("b@more.example", quota_bytes=41), TooMany)
        self.get(self.add("b@more.example", quota_bytes=40))
        self.refused(self.bounded.set_account("a@example.com", quota_bytes=61), TooMany)
        self.refused(self.bounded.set_account("a@example.com", quota_bytes=None), BadValue)
        self.limit(quota_bytes=10)
        self.get(self.bounded.set_account("a@example.com", quota_bytes=59))

    def test_domains_quota(self) -> None:
        """No account gets more than the whole domain has; without a limit it has what the domain has."""
        self.get(self.changes.set_domain("example.com", quota_bytes=100))
        self.refused(self.add("a@example.com", quota_bytes=101), BadValue)
        self.get(self.add("a@example.com", quota_bytes=100))
        self.get(self.add("b@example.com"))

    def test_other_domains_are_elsewhere(self) -> None:
        """Whether another domain has an address is told to nobody who forwards there; his own he may not misspell."""
        self.get(self.add("a@example.com"))
        for target in ("nobody@other.example", "x@elsewhere.test"):
            self.get(self.bounded.add_targets("a@example.com", [target], forward=True))
            self.get(self.bounded.set_domain("example.com", catch_all=target))
        self.refused(self.changes.set_domain("example.com", catch_all="nobody@other.example"), NotFound)
        self.refused(self.bounded.add_targets("b@example.com", ["nobody@example.com"], forward=True), NotFound)
        self.refused(self.bounded.set_domain("example.com", catch_all="nobody@example.com"), NotFound)
        self.refused(self.bounded.add_targets("b@example.com", ["nobody@other.example"], forward=False), NotFound)

    def test_several_owners(self) -> None:
        """Whoever manages the domain, too: the narrowest limit counts, also for who comes by its main login."""
        self.get(self.people.add("moritz", Role.OWNER, password_hash=HASH, max_accounts=1))
        self.get(self.people.grant("moritz", "example.com"))
        self.limit(max_accounts=3)
        self.get(self.add("a@example.com"))
        self.refused(self.add("b@example.com"), TooMany)
        self.get(self.add("b@more.example"))

    def test_at_once(self) -> None:
        """Of many who come at the same moment, as many get through as there is room for."""
        self.limit(max_accounts=5)
        outcomes: list[str] = []

        def one(number: int) -> None:
            try:
                # Each thread waits for the write lock, as requests in different threads do.
                self.add(f"n{number}@example.com").send(None)
            except StopIteration:
                outcomes.append("made")
            except Refusal:
                outcomes.append("refused")

        threads = [threading.Thread(target=one, args=(number,)) for number in range(12)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual((outcomes.count("made"), outcomes.count("refused")), (5, 7))
        self.assertEqual(len(self.get(self.directory.accounts("example.com"))), 5)
