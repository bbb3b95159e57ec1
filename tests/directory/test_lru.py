"""The small memory of answers."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from hostmail.directory.lru import MISSING, Answers


class AnswersTests(SynchronousTestCase):
    def test_forgets_a_domain(self) -> None:
        """A change drops its domain's answers and those that are everybody's; others stay."""
        answers: Answers[int] = Answers(10)
        for key, domain in (("a", "one.test"), ("b", "two.test"), ("c", "")):
            answers.keep(key, domain, 1, answers.generation)
        answers.forget("one.test")
        self.assertEqual([answers.get(key) for key in "abc"], [MISSING, 1, MISSING])
        self.assertEqual(len(answers), 1)

    def test_forgetting_costs_what_is_forgotten(self) -> None:
        """Thousands of announcements for one domain do not look at everything that is remembered each time."""
        answers: Answers[int] = Answers(10_000)
        for number in range(10_000):
            answers.keep(number, "other.test", 1, answers.generation)
        with_others = answers._keys["other.test"]
        for _ in range(10_000):
            answers.forget("one.test")
        self.assertIs(answers._keys["other.test"], with_others)
        self.assertEqual(len(answers), 10_000)

    def test_kept_anew(self) -> None:
        """An answer that moves to another domain is dropped with that one, and nothing is left of keys that went."""
        answers: Answers[int] = Answers(2)
        answers.keep("a", "one.test", 1, answers.generation)
        answers.keep("a", "two.test", 2, answers.generation)
        answers.forget("one.test")
        self.assertEqual(answers.get("a"), 2)
        for key in "bcd":
            answers.keep(key, "three.test", 3, answers.generation)
        self.assertEqual((len(answers), set(answers._keys)), (2, {"three.test"}))
        answers.forget("three.test")
        self.assertEqual((len(answers), answers._keys), (0, {}))
