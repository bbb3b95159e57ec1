"""hostmail.queue.filters and choosing: what operators choose, and what becomes of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from twisted.internet.defer import ensureDeferred

from hostmail.errors import BadValue, NotFound
from hostmail.queue import queue as queue_module
from hostmail.queue.choosing import HELD_BY_OPERATOR
from hostmail.queue.rows import Attempt
from tests.queue.support import START, QueueCase, RunnerCase


class FilterTests(QueueCase):
    def setUp(self) -> None:
        super().setUp()
        self.put("bob@x.example", "Carl@Y.example", for_domain="example.com")
        self.clock.advance(7200)
        self.put("dora@x.example", sender="")

    def found(self, pattern: str) -> list[str]:
        return [row.recipient.partition("@")[0] for row in self.rows(pattern)]

    def test_words(self) -> None:
        """A bare word is looked for everywhere, a named one in its own place; case does not matter, and all words must fit."""
        for pattern, wanted in {
            "": ["bob", "Carl", "dora"],
            "X.EXAMPLE": ["bob", "dora"],
            "ann@example.com": ["bob", "Carl"],
            "from:ann to:@y.": ["Carl"],
            "from:<>": ["dora"],
            "id:q2": ["dora"],
            "row:1": ["bob"],
            "q1 bob": ["bob"],
            "older:1h": ["bob", "Carl"],
            "newer:1h": ["dora"],
            "state:waiting to:carl": ["Carl"],
            "state:HELD": [],
            "nobody": [],
            "[ipv6:y": [],
            "1:2": [],
            "account:7 bob": ["bob"],
            "account:8": [],
            "domain:Example.com": ["bob", "Carl"],
            "domain:example": [],
        }.items():
            self.assertEqual(self.found(pattern), wanted, pattern)

    def test_other_letters(self) -> None:
        """Case does not matter in other scripts either, whichever of the two was written large, nor how their letters are put together."""
        self.put("J\u00dcRGEN@z.example")
        for pattern in ("j\u00fcrgen", "to:J\u00dcRGEN@z", "ju\u0308rgen", "\u00fcRG"):
            self.assertEqual(self.found(pattern), ["J\u00dcRGEN"], pattern)

    def test_answer(self) -> None:
        """What the other side said last can be looked for."""
        row = self.wait(self.queue.lease(60.0, 1))[0]
        self.wait(self.queue.postpone([Attempt(row, START, "451 Greylisted")]))
        self.assertEqual(self.found("answer:greylisted"), ["bob"])

    def test_wildcards_are_letters(self) -> None:
        """% and _ stand for themselves, and quotes end nothing."""
        for pattern in ("%", "_", "'", '"', "to:%"):
            self.assertEqual(self.found(pattern), [], pattern)

    def test_refused(self) -> None:
        """What cannot be meant is told, with what would be right."""
        for pattern, words in {
            "state:lost": "none of waiting, held, sending",
            "older:soon": "write it like 45s",
            "to:": "needs a value",
            "form:ann": "form: is no filter .did you mean from:",
            "x:y": "x: is no filter; there are id, row, from, to",
            "account:x@y": "neither an address nor a number",
            "account:" + "9" * 30: "neither an address nor a number",
            "a " * 21: "at most 20 words",
            "a" * 1001: "1000 characters",
        }.items():
            with self.assertRaisesRegex(BadValue, words):
                self.failureResultOf(ensureDeferred(self.queue.list(pattern))).raiseException()

    def test_most(self) -> None:
        """A list ends where it is told to, with the oldest in it."""
        self.assertEqual([row.recipient for row in self.wait(self.queue.list("", 1))], ["bob@x.example"])


class ChangeTests(QueueCase):
    def setUp(self) -> None:
        super().setUp()
        self.put("a@x.example", "b@x.example")

    def states(self) -> list[str]:
        return [row.state for row in self.rows()]

    def test_hold_and_release(self) -> None:
        """Held mail is not leased, however long it waits, nor by `retry`; released mail is due at once."""
        changed: list[tuple[str, str]] = []
        self.assertEqual(self.wait(self.queue.hold("a@", changed.extend)), 1)
        self.assertEqual(self.states(), ["held", "waiting"])
        self.assertEqual(self.rows("a@")[0].last_answer, HELD_BY_OPERATOR)
        self.clock.advance(100 * 86400)
        self.assertEqual(self.wait(self.queue.retry("")), 1)
        self.assertEqual([row.recipient for row in self.wait(self.queue.lease(60.0, 9))], ["b@x.example"])
        self.assertEqual(self.wait(self.queue.release("", changed.extend)), 1)
        self.assertEqual(self.rows("a@")[0].last_answer, "")
        self.assertEqual(changed, [("q1", "a@x.example")] * 2)
        self.assertEqual([row.recipient for row in self.wait(self.queue.lease(60.0, 9))], ["a@x.example"])

    def test_owners(self) -> None:
        """Whose held mail is, and that of some of them stays when it is released."""
        self.put("c@x.example", held="why", for_domain="example.com")
        self.put("d@x.example", held="why", for_domain="example.org", account_id=None)
        owners = [(7, "example.com"), (0, "example.org")]
        self.assertEqual(sorted(self.wait(self.queue.owners(""))), sorted(owners))
        self.assertEqual(self.wait(self.queue.owners("to:d@")), owners[1:])
        for kept, state in ((owners, "held held"), (owners[1:], "waiting held"), ((), "waiting waiting")):
            self.wait(self.queue.release("", kept=kept))
            self.assertEqual(self.states()[2:], state.split())

    def test_how_much_is_held(self) -> None:
        """An account's held recipients, and the octets of their messages, each once; what was released is not."""
        self.put("c@x.example", "d@x.example", held="why")
        self.put("e@x.example", held="why", account_id=8)
        size = self.rows("c@")[0].size
        self.assertEqual(self.wait(self.queue.held(7)), (2, size))
        self.wait(self.queue.release("c@"))
        self.assertEqual(self.wait(self.queue.held(7)), (1, size))
        self.wait(self.queue.delete("d@"))
        self.assertEqual((self.wait(self.queue.held(7)), self.wait(self.queue.held(9))), ((0, 0), (0, 0)))

    def test_held_from_the_beginning(self) -> None:
        """Mail beyond a sending limit is never leased before somebody releases it."""
        self.wait(self.queue.delete(""))
        self.put("c@x.example", held="too much")
        [row] = self.rows("state:held answer:much")
        self.assertEqual((self.wait(self.queue.lease(60.0, 9)), self.wait(self.queue.next_due())), ([], None))
        self.wait(self.queue.release("c@"))
        self.assertEqual([each.id for each in self.wait(self.queue.lease(60.0, 9))], [row.id])

    def test_being_sent(self) -> None:
        """What is being sent is not held, released or returned."""
        self.wait(self.queue.lease(60.0, 9))
        for change in (self.queue.hold, self.queue.release, self.queue.bounce, self.queue.retry):
            self.assertFalse(self.wait(change("")))
        self.assertEqual(self.states(), ["sending", "sending"])

    def test_wakes_the_runner(self) -> None:
        """A change counts at once."""
        woken: list[bool] = []
        self.queue.woken = lambda: woken.append(True)
        for change in (self.queue.retry, self.queue.hold, self.queue.release, self.queue.bounce):
            self.wait(change(""))
        self.assertEqual(len(woken), 4)

    def test_content(self) -> None:
        """A whole message by its whole id."""
        self.assertEqual(self.wait(self.queue.content("q1")), b"Received: here\r\nSubject: hi\r\n\r\nbody\r\n")
        for name in ("q", "q2", "Q1 x"):
            self.failureResultOf(ensureDeferred(self.queue.content(name)), NotFound)

    def test_stats(self) -> None:
        """Recipients by state and destination, messages and octets once."""
        self.put('"odd@name"@Y.example', "c@x.example")
        self.wait(self.queue.hold("b@"))
        told = self.wait(self.queue.stats())
        size = self.rows()[0].size
        self.assertEqual((told.messages, told.octets, told.oldest), (2, 2 * size, START))
        self.assertEqual(told.states, {"held": 1, "waiting": 3})
        self.assertEqual(
            [(one.domain, one.recipients, one.sending) for one in told.destinations],
            [("x.example", 3, 0), ("y.example", 1, 0)],
        )
        self.wait(self.queue.lease(60.0, 9))
        told = self.wait(self.queue.stats())
        self.assertEqual([one.sending for one in told.destinations], [2, 1])
        nothing = self.wait(self.queue.stats("nobody"))
        self.assertEqual((nothing.messages, nothing.octets, nothing.oldest, nothing.states), (0, 0, None, {}))


class ReturnTests(RunnerCase):
    def test_returned(self) -> None:
        """Mail ordered back goes to its sender in one report, held mail as well, and is not sent."""
        self.sender.way_out = False
        self.put("a@x.example", "b@x.example", "c@x.example")
        self.wait(self.queue.hold("a@"))
        self.assertEqual(self.wait(self.queue.bounce("a@")), 1)
        self.assertEqual(self.rows("a@")[0].last_answer, "ordered back to its sender")
        self.start()
        self.assertEqual(self.wait(self.queue.bounce("b@")), 1)
        self.assertEqual(self.reports, [("failed", ["a@x.example"]), ("failed", ["b@x.example"])])
        self.assertEqual([row.recipient for row in self.rows()], ["c@x.example"])

    def test_one_report(self) -> None:
        """All recipients of a message who go back together are in one report."""
        self.sender.way_out = False
        self.put("a@x.example", "b@x.example")
        self.wait(self.queue.bounce(""))
        self.start()
        self.assertEqual(self.reports, [("failed", ["a@x.example", "b@x.example"])])

    def test_whole_message(self) -> None:
        """A failure brings the whole message back if the sender asked for that (RET=FULL, RFC 3461 4.3), else its header."""
        for wish, told in {
            "FULL": (b"Subject: hi\r\n\r\nbody\r\n", True),
            "HDRS": (b"Subject: hi\r\n\r\n", False),
        }.items():
            self.put("a@x.example", ret=wish)
            self.wait(self.queue.bounce(""))
            runner = self.start()
            self.assertEqual(self.told, told)
            self.successResultOf(runner.stop())


class ManyTests(QueueCase):
    """What fits is more than is changed in one step."""

    def setUp(self) -> None:
        super().setUp()
        self.patch(queue_module, "CHOSEN_AT_ONCE", 2)
        self.put(*(f"{name}@x.example" for name in "abcde"))
        self.steps: list[list[str]] = []

    def changed(self, some: Sequence[tuple[str, str]]) -> None:
        """Between two steps somebody else writes."""
        self.steps.append([recipient[0] for _, recipient in some])
        self.put(f"new{len(self.steps)}@y.example")

    def test_steps(self) -> None:
        """Others write between the steps, and have what they wrote at once; what is new since the beginning is left alone."""
        for verb in (self.queue.hold, self.queue.release, self.queue.delete):
            self.steps.clear()
            self.assertEqual(self.wait(verb("x.example", self.changed)), 5)
            self.assertEqual(self.steps, [["a", "b"], ["c", "d"], ["e"]])
        self.assertEqual(
            [(row.recipient, row.state) for row in self.rows()][:2], [(f"new{n}@y.example", "waiting") for n in (1, 2)]
        )
        self.assertEqual(len(self.rows()), 9)

    def test_newcomers(self) -> None:
        """It comes to an end although as many come in as are changed."""
        self.assertEqual(self.wait(self.queue.hold("", self.changed)), 5)
        self.assertEqual(len(self.rows("state:waiting")), 3)

    def test_numbers(self) -> None:
        """Those that need not be told are counted all the same."""
        self.assertEqual((self.wait(self.queue.retry("")), self.wait(self.queue.bounce(""))), (5, 5))

    def test_meanwhile(self) -> None:
        """What was taken out to be sent since it was chosen is left alone."""

        def lease(some: Sequence[tuple[str, str]]) -> None:
            self.steps.append([recipient[0] for _, recipient in some])
            self.wait(self.queue.lease(60, 2))

        self.assertEqual(self.wait(self.queue.hold("", lease)), 3)
        self.assertEqual(sorted(row.state for row in self.rows()), ["held"] * 3 + ["sending"] * 2)

    def test_comes_back(self) -> None:
        """What was being sent when its turn came, and waits again before all is over, is held as well."""
        leased = self.wait(self.queue.lease(60, 1))

        def come_back(some: Sequence[tuple[str, str]]) -> None:
            self.wait(self.queue.postpone([Attempt(row, START + 60, "451 later") for row in leased]))
            leased.clear()

        self.assertEqual(self.wait(self.queue.hold("", come_back)), 5)
        self.assertEqual({row.state for row in self.rows()}, {"held"})

    def test_interrupted(self) -> None:
        """What was done before it broke off stays done, and the same once more does the rest."""
        write, calls = self.queue._committer.write, []

        async def fails(*arguments: Any, **more: Any) -> Any:
            calls.append(arguments)
            if len(calls) == 2:
                raise OSError
            return await write(*arguments, **more)

        self.patch(self.queue._committer, "write", fails)
        self.failureResultOf(ensureDeferred(self.queue.hold("")), OSError)
        self.assertEqual(len(self.rows("state:held")), 2)
        self.assertEqual(self.wait(self.queue.hold("")), 3)
