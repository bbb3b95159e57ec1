"""What owners and users see of the ways of mail: their own, and nothing of other customers' (F1)."""

from __future__ import annotations

import dataclasses
from typing import Any

from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase

from hostmail.actor import Actor, Role
from hostmail.admin.theirs import facts_of, refusal_for, route_of
from hostmail.errors import BadValue, NotAllowed, NotFound, Refusal, TemporaryFailure
from hostmail.interfaces.history import Happened, MailFact
from tests.admin.facts import NOW
from tests.admin.fakes import World

OWNER = Actor(Role.OWNER, "one", "panel", domains=frozenset({"one.test"}))
USER = Actor(Role.USER, "bob@one.test", "panel", address="bob@one.test")
OPERATOR = Actor(Role.OPERATOR, "root", "command")
BOB, EVE, FAR = "bob@one.test", "eve@two.test", "x@far.test"


def reaches(address: str) -> bool:
    return address.endswith("@one.test")


def hosted(address: str) -> bool:
    return address.endswith(("@one.test", "@two.test"))


class FactsTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.facts: list[MailFact] = []

    def tell(self, what: Happened, recipient: str = "", words: str = "", queue_id: str = "q", **more: Any) -> None:
        self.facts.append(MailFact(float(len(self.facts)), what, queue_id, recipient=recipient, words=words, **more))

    def seen(self) -> list[tuple[str, str]]:
        found = facts_of(self.facts, reaches, hosted)
        self.assertEqual([fact.at for fact in found], sorted(fact.at for fact in found))
        return [(fact.what.value, fact.recipient) for fact in found]

    def test_his_mail_to_elsewhere(self) -> None:
        """What his people write to other servers is told to its end."""
        self.tell(Happened.ACCEPTED, sender=BOB, words=f"192.0.2.1 by submission as {BOB}, 20 octets")
        self.tell(Happened.QUEUED, FAR)
        self.tell(Happened.POSTPONED, FAR, "450 later")
        self.tell(Happened.SENT, FAR, "250 ok")
        self.tell(Happened.SENT, more=12)
        self.assertEqual(len(self.seen()), 5)
        self.assertIn("192.0.2.1", facts_of(self.facts, reaches, hosted)[0].words)

    def test_others_forwards(self) -> None:
        """Where another customer's address leads is not told to whoever writes to it, nor what became of it there."""
        self.tell(Happened.ACCEPTED, sender=BOB)
        self.tell(Happened.LED_TO, EVE, "secret@far.test")
        self.tell(Happened.QUEUED, "secret@far.test", f"forwarded by {EVE}")
        self.tell(Happened.DELIVERED, "office@two.test", f"the catch-all takes mail for {EVE}")
        self.tell(Happened.SENT, "secret@far.test", "250 ok")
        self.assertEqual(self.seen(), [("accepted", "")])

    def test_his_forwards(self) -> None:
        """Where his own addresses send it on is told, and how that went; not beyond."""
        self.tell(Happened.ACCEPTED, sender="stranger@far.test")
        self.tell(Happened.LED_TO, BOB, FAR)
        self.tell(Happened.LED_TO, BOB, EVE)
        self.tell(Happened.LED_TO, EVE, "secret@far.test")
        self.tell(Happened.QUEUED, FAR, f"forwarded by {BOB}")
        self.tell(Happened.QUEUED, "secret@far.test", f"forwarded by {EVE}, the catch-all takes mail for z@two.test")
        self.tell(Happened.SENT, FAR, "250 ok")
        self.tell(Happened.SENT, more=12)
        self.assertEqual(
            self.seen(), [("accepted", ""), ("led to", BOB), ("led to", BOB), ("queued", FAR), ("sent", FAR)]
        )

    def test_forwards_in_other_letters(self) -> None:
        """What came of mail where his addresses lead is told, whichever case its letters have here and there."""
        self.tell(Happened.ACCEPTED, sender="stranger@far.test")
        self.tell(Happened.LED_TO, BOB, "J\u00d6RG@far.test")
        self.tell(Happened.FAILED, "j\u00f6rg@far.test", "550 no")
        self.tell(Happened.LED_TO, BOB, "eve@far.test")
        self.tell(Happened.SENT, "Eve@far.test", "250 ok")
        self.assertEqual([what for what, _ in self.seen()], ["accepted", "led to", "failed", "led to", "sent"])

    def test_asked_once(self) -> None:
        """However many facts have an address, it is looked at once."""
        asked: list[str] = []

        def noted(address: str) -> bool:
            asked.append(address)
            return reaches(address)

        for number in range(50):
            self.tell(Happened.QUEUED, BOB, queue_id=f"q{number}", sender="stranger@far.test")
        self.assertEqual(len(facts_of(self.facts, noted, hosted)), 50)
        self.assertEqual(sorted(asked), [BOB, "stranger@far.test"])

    def test_other_recipients(self) -> None:
        """A recipient does not learn who else got it: that may be a blind copy."""
        self.tell(Happened.ACCEPTED, sender="stranger@far.test")
        self.tell(Happened.DELIVERED, BOB)
        self.tell(Happened.DELIVERED, EVE)
        self.tell(Happened.QUEUED, FAR)
        self.assertEqual(self.seen(), [("accepted", ""), ("delivered", BOB)])

    def test_not_concerned(self) -> None:
        """Messages of others are not told, whatever was asked for."""
        self.tell(Happened.ACCEPTED, sender=EVE)
        self.tell(Happened.QUEUED, FAR)
        self.tell(Happened.REFUSED, FAR, "550 no", queue_id="", sender=EVE)
        self.assertEqual(self.seen(), [])

    def test_refused(self) -> None:
        """What was refused belongs to no message: each is told to whom it concerns."""
        self.tell(Happened.REFUSED, BOB, "550 no (192.0.2.1 by smtp)", queue_id="", sender=FAR)
        self.tell(Happened.REFUSED, FAR, "550 relaying prohibited (192.0.2.1 by smtp)", queue_id="", sender=BOB)
        self.tell(Happened.REFUSED, "", "550 no", queue_id="", sender=BOB)
        self.tell(Happened.REFUSED, EVE, "550 no", queue_id="", sender=BOB)
        self.assertEqual(self.seen(), [("refused", BOB), ("refused", FAR), ("refused", "")])

    def test_who_brought_it(self) -> None:
        """Another customer's login and address are his own affair; a stranger's address is told, for that helps."""
        self.tell(Happened.ACCEPTED, sender=EVE, words=f"203.0.113.7 by submission as {EVE}, 20 octets")
        self.tell(Happened.DELIVERED, BOB)
        self.tell(Happened.REFUSED, BOB, f"550 no (203.0.113.7 by submission as {EVE}); more", queue_id="", sender=EVE)
        self.tell(Happened.REFUSED, BOB, "550 no (192.0.2.1 by smtp)", queue_id="", sender=FAR)
        words = [fact.words for fact in facts_of(self.facts, reaches, hosted)]
        self.assertEqual(
            words,
            [
                "a user of this server, 20 octets",
                "",
                "550 no (a user of this server); more",
                "550 no (192.0.2.1 by smtp)",
            ],
        )


class RefusalTests(SynchronousTestCase):
    def said(self, refusal: Refusal, said: str = "") -> str:
        return refusal_for(refusal, said, reaches, hosted).public

    def test_suggestions(self) -> None:
        """A near miss out of reach is left out, one within reach stays."""
        told = refusal_for(NotFound("no x", EVE), "", reaches, hosted)
        self.assertEqual((told.public, getattr(told, "suggestion", "?")), ("no x", ""))
        self.assertEqual(self.said(NotFound("no x", BOB)), f"no x (did you mean {BOB}?)")

    def test_addresses(self) -> None:
        """Of other customers' addresses he reads those only that he wrote himself."""
        refusal = BadValue(f"that would make a loop: {BOB} -> {EVE} -> z@two.test, {FAR} -> {BOB}")
        told = self.said(refusal, "{'targets': ['Eve@Two.test']}")
        self.assertEqual(told, f"that would make a loop: {BOB} -> {EVE} -> somebody else's address, {FAR} -> {BOB}")
        self.assertEqual(refusal_for(refusal, "", reaches, hosted).code, BadValue.code)
        self.assertIn("z@two.test", refusal.public)

    def test_whole_words(self) -> None:
        """What stands around an address stays, and so does what only looks like one."""
        told = self.said(BadValue(f"is it <{EVE}>? or {EVE}? a@ @b @ {FAR}? {BOB}?"))
        others = "somebody else's address"
        self.assertEqual(told, f"is it <{others}>? or {others}? a@ @b @ {FAR}? {BOB}?")

    def test_long_words(self) -> None:
        """A refusal that repeats what somebody typed is read through once, and not again from each of its letters."""
        letters = "a" * 2_000_000
        self.assertEqual(self.said(BadValue(f"{letters}: no address")), f"{letters}: no address")


class RouteTests(SynchronousTestCase):
    def route(self, steps: list[tuple[int, str]], *ends: dict[str, Any]) -> Any:
        told = [{"depth": depth, "address": address, "rule": "r", "words": "w"} for depth, address in steps]
        return route_of({"address": BOB, "steps": told, "ends": list(ends)}, reaches, hosted)

    def test_own(self) -> None:
        """His own steps and ends, and where mail leaves for other servers."""
        end = {"kind": "forward", "address": FAR}
        told = self.route([(0, "info@one.test"), (1, BOB), (2, FAR)], {"kind": "mailbox", "address": BOB}, end)
        self.assertEqual([step["words"] for step in told["steps"]], ["w", "w", "w"])
        self.assertEqual(len(told["ends"]), 2)

    def test_others(self) -> None:
        """Another customer's address is where it ends, though it went on from there, even back to him."""
        steps = [(0, "info@one.test"), (1, EVE), (2, "secret@far.test"), (2, BOB), (1, "ann@one.test")]
        told = self.route(
            steps, {"kind": "mailbox", "address": "office@two.test"}, {"kind": "forward", "address": "secret@far.test"}
        )
        self.assertEqual([step["address"] for step in told["steps"]], ["info@one.test", EVE, "ann@one.test"])
        self.assertEqual(told["steps"][1]["words"], "somebody else's, on this server")
        self.assertEqual(told["ends"], [])


class VerbTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.world = World()
        self.world.populate()
        self.world.call("domain.add", name="two.test")
        self.world.call("account.add", address=EVE, password="long enough")

    def test_trace(self) -> None:
        """An owner asks for anything, and gets what concerns his domains; a user his mailbox; an operator all."""
        for recipient in (BOB, "ann@one.test", EVE):
            self.world.history.tell(MailFact(NOW, Happened.DELIVERED, "q1", recipient=recipient, sender=FAR))
        for actor, seen in ((OWNER, ["ann@one.test", BOB]), (USER, [BOB])):
            found = self.world.call_as(actor, "trace", text="q1")
            self.assertEqual(sorted(fact["recipient"] for fact in found), seen)
            self.assertEqual(self.world.call_as(actor, "trace", text=EVE), [])
        self.assertEqual(len(self.world.call("trace", text="q1")), 3)

    def test_one_at_a_time(self) -> None:
        """What others than operators ask takes one thread at most; an operator waits for none of them."""
        waits: list[Deferred[list[MailFact]]] = []

        def find(*_: Any) -> Deferred[list[MailFact]]:
            waits.append(Deferred())
            return waits[-1]

        self.world.history.find = find  # type: ignore[method-assign,assignment]
        asked = [self.ask(actor) for actor in (OWNER, USER, OWNER, OPERATOR)]
        self.assertEqual(len(waits), 2)
        waits[1].callback([])
        self.assertEqual(self.successResultOf(asked[3]), [])
        waits[0].errback(TemporaryFailure())
        self.failureResultOf(asked[0], TemporaryFailure)
        self.assertEqual(len(waits), 3)
        waits[2].callback([])
        waits[3].callback([])
        self.assertEqual([self.successResultOf(each) for each in asked[1:3]], [[], []])

    def ask(self, actor: Actor) -> Deferred[Any]:
        return Deferred.fromCoroutine(self.world.admin.call("trace", {"text": "q1"}, actor))

    def test_alias_domain(self) -> None:
        """Mail to a domain that stands for his is his (E6)."""
        self.world.facts.standing["stands.test"] = "one.test"
        self.world.history.tell(MailFact(NOW, Happened.REFUSED, recipient="x@stands.test", sender=FAR))
        self.assertEqual(len(self.world.call_as(OWNER, "trace", text="x@stands.test")), 1)

    def test_route(self) -> None:
        """Of his own addresses, without ways out; of others not even whether they are there."""
        self.world.store.room = self.room  # type: ignore[method-assign]
        self.assertEqual(self.world.call_as(OWNER, "route", address=BOB)["ends"][0]["address"], BOB)
        self.assertEqual(self.world.call_as(USER, "route", address=BOB)["ends"][0]["address"], BOB)
        for actor in (OWNER, USER):
            with self.assertRaises(NotFound):
                self.world.call_as(actor, "route", address=EVE)
            with self.assertRaises(NotAllowed):
                self.world.call_as(actor, "route", address=BOB, sender=BOB)

    async def room(self, account: Any, wanted: int | None = None) -> Any:
        return _Room()

    def test_queue(self) -> None:
        """An owner sees what his domains send and what waits for their mailboxes, and moves nothing."""
        for number, (recipient, domain) in enumerate(((FAR, "one.test"), (FAR, "two.test"), (BOB, ""), (FAR, ""))):
            self.world.queue.add(recipient)
            self.world.queue.rows[number] = dataclasses.replace(self.world.queue.rows[number], for_domain=domain)
        self.assertEqual([row["id"] for row in self.world.call_as(OWNER, "queue.list")], [1, 3])
        self.assertEqual([row["id"] for row in self.world.call_as(OWNER, "queue.list", most=1)], [1])
        self.assertEqual([row["id"] for row in self.world.call_as(OWNER, "queue.show", pattern="far")], [1])
        self.assertEqual(len(self.world.call("queue.list")), 4)
        with self.assertRaises(NotFound):
            self.world.call_as(OWNER, "queue.list", pattern=f"account:{EVE}")
        for verb in ("queue.stats", "queue.cat", "queue.hold", "queue.delete"):
            with self.assertRaises(NotAllowed):
                self.world.call_as(OWNER, verb)


class _Room:
    used = None
    limit_messages = None
    free_bytes = 5
