"""LIST patterns."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from hostmail.protocols.imap.listmatch import ListPattern, canonical_inbox


def by_regexp(pattern: str, name: str) -> bool:
    """The slow, obvious answer."""
    parts = [".*" if c == "*" else "[^/]*" if c == "%" else re.escape(c) for c in pattern]
    return re.fullmatch("".join(parts), name, re.DOTALL) is not None


class Matching(SynchronousTestCase):
    """RFC 3501 section 6.3.8."""

    def test_percent_stays_in_its_level(self) -> None:
        """% does not cross a delimiter, * does."""
        self.assertTrue(ListPattern("%", "/").matches("Work"))
        self.assertFalse(ListPattern("%", "/").matches("Work/2026"))
        self.assertTrue(ListPattern("*", "/").matches("Work/2026"))
        self.assertTrue(ListPattern("%/%", "/").matches("Work/2026"))
        self.assertTrue(ListPattern("Wo*6", "/").matches("Work/2026"))

    def test_i14_patterns_are_anchored(self) -> None:
        """INBOX does not match INBOXfoo (TWISTED I14)."""
        self.assertFalse(ListPattern("INBOX", "/").matches("INBOXfoo"))
        self.assertFalse(ListPattern("NBOX", "/").matches("INBOX"))

    def test_inbox_matches_in_any_case_and_other_names_do_not(self) -> None:
        """inbox finds INBOX; work does not find Work."""
        self.assertTrue(ListPattern("inbox", "/").matches("INBOX"))
        self.assertTrue(ListPattern("in%", "/").matches("INBOX"))
        self.assertFalse(ListPattern("work", "/").matches("Work"))
        self.assertEqual(canonical_inbox("inBox/x", "/"), "INBOX/x")
        self.assertEqual(canonical_inbox("inBoxes", "/"), "inBoxes")

    def test_evil_patterns_cost_little(self) -> None:
        """A pattern made to hurt a backtracking matcher is as cheap as any other."""
        pattern = ListPattern("*a" * 200 + "b", "/")
        for _ in range(20):
            self.assertFalse(pattern.matches("a" * 1000))

    @given(st.text("ab/*%", max_size=8), st.text("ab/", max_size=8))
    def test_agrees_with_the_obvious_answer(self, pattern: str, name: str) -> None:
        """Any pattern says of any name what a regular expression would say."""
        self.assertEqual(ListPattern(pattern, "/").matches(name), by_regexp(pattern, name))
