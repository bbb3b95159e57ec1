"""THREAD's algorithms (RFC 5256 section 3)."""

from __future__ import annotations

import gc

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from hostmail.protocols.imap.threading import Facts, by_references, by_subject, format_threads
from tests.protocols.imap.stepping import finished


def message(
    number: int, name: str = "", references: str = "", subject: str = "", date: int = 0, reply: bool = False
) -> Facts:
    """With ids of one letter each; the subject is another for each message unless given."""
    return Facts(number, date or number, subject or f"subject {number}", reply, name.encode(), references.encode())


def references(*messages: Facts) -> bytes:
    """The answer of THREAD=REFERENCES."""
    return finished(format_threads(finished(by_references(messages))))


class OrderedSubjectTests(SynchronousTestCase):
    """THREAD=ORDEREDSUBJECT."""

    def test_one_level(self) -> None:
        """All messages of one subject lie below the first, by date; threads by the date of their first."""
        found = finished(by_subject(
            [message(1, subject="b", date=9), message(2, subject="a", date=5), message(3, subject="b", date=4),
             message(4, subject="b", date=6), message(5, subject="c", date=1)]
        ))  # fmt: skip
        self.assertEqual(finished(format_threads(found)), b"(5)(3 (4)(1))(2)")

    def test_same_date(self) -> None:
        """Of one date, the lower number comes first."""
        found = finished(by_subject([message(2, subject="a", date=1), message(1, subject="a", date=1)]))
        self.assertEqual(finished(format_threads(found)), b"(1 2)")


class ReferencesTests(SynchronousTestCase):
    """THREAD=REFERENCES."""

    def test_a_conversation(self) -> None:
        """Answers lie below what they answer."""
        self.assertEqual(
            references(
                message(1, "a"), message(2, "b", "a"), message(3, "c", "a b"), message(4, "d", "a"), message(5, "e")
            ),
            b"(1 (2 3)(4))(5)",
        )

    def test_in_any_order(self) -> None:
        """It does not matter in which order the messages lie in the folder."""
        self.assertEqual(
            references(message(1, "c", "a b", date=3), message(2, "a", date=1), message(3, "b", "a", date=2)),
            b"(2 3 1)",
        )

    def test_a_missing_message(self) -> None:
        """Messages with a common ancestor that is not here stand side by side; a single one goes up."""
        self.assertEqual(references(message(1, "b", "a"), message(2, "c", "a")), b"((1)(2))")
        self.assertEqual(references(message(1, "b", "x y a")), b"(1)")
        self.assertEqual(references(message(1, "a"), message(2, "c", "a b"), message(3, "d", "a b")), b"(1 (2)(3))")

    def test_loops(self) -> None:
        """Messages that name each other, or themselves, make no loop and are all there."""
        self.assertEqual(references(message(1, "a", "b"), message(2, "b", "a")), b"(2 1)")
        self.assertEqual(references(message(1, "a", "a")), b"(1)")
        self.assertEqual(references(message(1, "a", "c"), message(2, "b", "a"), message(3, "c", "b")), b"(3 1 2)")

    def test_a_truer_parent(self) -> None:
        """What a message itself says of its parent outweighs what others say."""
        self.assertEqual(
            references(message(1, "c", "a b"), message(2, "b", "x"), message(3, "a"), message(4, "x")), b"(3)(4 2 1)"
        )

    def test_same_id_twice(self) -> None:
        """A second message of the same id is a thread of its own."""
        self.assertEqual(references(message(1, "a"), message(2, "a"), message(3, "b", "a")), b"(1 3)(2)")

    def test_by_subject_at_last(self) -> None:
        """A reply without References goes below the message of its subject."""
        self.assertEqual(references(message(1, subject="s"), message(2, subject="s", reply=True)), b"(1 2)")
        self.assertEqual(references(message(1, subject="s", reply=True), message(2, subject="s")), b"(2 1)")

    def test_two_of_a_subject(self) -> None:
        """Two originals, or two replies, of one subject stand side by side below a dummy; a third joins them."""
        self.assertEqual(references(*(message(number, subject="s") for number in (1, 2, 3))), b"((1)(2)(3))")
        self.assertEqual(references(*(message(number, subject="s", reply=True) for number in (1, 2))), b"((1)(2))")

    def test_dummies_of_a_subject(self) -> None:
        """Two dummies of a subject become one; a message goes below a dummy."""
        found = references(
            message(1, "b", "a", subject="s"), message(2, "c", "a", subject="s"),
            message(3, "e", "d", subject="s"), message(4, "f", "d", subject="s"), message(5, subject="s"),
        )  # fmt: skip
        self.assertEqual(found, b"((1)(2)(3)(4)(5))")

    def test_no_subject(self) -> None:
        """Messages without a subject are not put together for it."""
        self.assertEqual(references(Facts(1, 1, ""), Facts(2, 2, "", True)), b"(1)(2)")

    def test_sorted_by_date(self) -> None:
        """Siblings at every level by date, then by number."""
        self.assertEqual(
            references(
                message(1, "a", date=9),
                message(2, "b", "a", date=8),
                message(3, "c", "a", date=7),
                message(4, "d", date=1),
            ),
            b"(4)(1 (3)(2))",
        )

    def test_deep(self) -> None:
        """A chain of thousands is no trouble."""
        chain = [message(1, "m1")] + [message(n, f"m{n}", f"m{n - 1}") for n in range(2, 50_001)]
        self.assertEqual(references(*chain), b"(" + b" ".join(b"%d" % n for n in range(1, 50_001)) + b")")

    def test_nothing_for_the_collector_of_cycles(self) -> None:
        """Of many messages there is no object to look after, but for a few columns: others do not wait while it looks."""
        messages = [message(n, f"m{n}", f"m{n // 2} x{n // 3}", f"subject {n % 50}") for n in range(1, 2_001)]
        gc.collect()
        before = len(gc.get_objects())
        forests = [finished(by_references(messages)), finished(by_subject(messages))]
        gc.collect()
        self.assertEqual(len(forests[0].messages), 2_000)
        self.assertLess(len(gc.get_objects()) - before, 100)

    def test_many_references(self) -> None:
        """Each may be looked for all the way up a deep thread: others have their turn before every message that has many."""
        long = " ".join(f"r{n}" for n in range(100))
        messages = [message(n, f"m{n}", long) for n in range(1, 21)]
        self.assertGreater(len(list(by_references(messages))), len(messages))

    @given(
        st.lists(
            st.tuples(st.sampled_from("abcdef "), st.lists(st.sampled_from("abcdefgh"), max_size=4), st.sampled_from(["", "s", "t"]),
                      st.booleans(), st.integers(0, 5)),
            max_size=12,
        )
    )  # fmt: skip
    def test_each_once(self, made: list[tuple[str, list[str], str, bool, int]]) -> None:
        """Whatever messages say of each other, each is in the answer once, and the parentheses match."""
        messages = [
            Facts(number, date, subject, reply, name.strip().encode(), " ".join(refs).encode())
            for number, (name, refs, subject, reply, date) in enumerate(made, 1)
        ]
        for forest in (finished(by_references(messages)), finished(by_subject(messages))):
            text = finished(format_threads(forest)).decode()
            numbers = text.replace("(", " ").replace(")", " ").split()
            self.assertEqual(sorted(int(number) for number in numbers), list(range(1, len(made) + 1)))
            self.assertEqual(text.count("("), text.count(")"))
            self.assertNotIn("()", text)
