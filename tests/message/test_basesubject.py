"""The base subject of RFC 5256 section 2.1."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from hostmail.message.basesubject import base_subject


class BaseSubjectTests(SynchronousTestCase):
    """What is taken off, and what stays."""

    def assert_base(self, subject: str, base: str, is_reply: bool) -> None:
        """The base subject is this one."""
        self.assertEqual(base_subject(subject), (base, is_reply), subject)

    def test_plain(self) -> None:
        """A subject without marks is its own base, with its spaces in order."""
        self.assert_base("Dinner", "Dinner", False)
        self.assert_base("  Dinner\t at   eight \r\n", "Dinner at eight", False)
        self.assert_base("", "", False)

    def test_replies_and_forwards(self) -> None:
        """Re:, Fw: and Fwd: go, in any case, however many."""
        for subject in ("Re: Dinner", "re:re: RE : Dinner", "Fwd: Dinner", "FW: re: Dinner", "Re [3]: Dinner"):
            self.assert_base(subject, "Dinner", True)

    def test_trailers(self) -> None:
        """(fwd) at the end goes and says that it was forwarded."""
        self.assert_base("Dinner (fwd) (FWD) ", "Dinner", True)

    def test_blobs(self) -> None:
        """A list's tag goes and says nothing; one that is all there is stays."""
        self.assert_base("[cooks] Dinner", "Dinner", False)
        self.assert_base("[cooks] Re: [cooks] Dinner", "Dinner", True)
        self.assert_base("[cooks]", "[cooks]", False)
        self.assert_base("[cooks] [news]", "[news]", False)

    def test_forwarded_in_brackets(self) -> None:
        """[Fwd: ...] is opened, and what is in it looked at again."""
        self.assert_base("[Fwd: Re: Dinner (fwd)]", "Dinner", True)
        self.assert_base("Re: [fwd: [cooks] Dinner]", "Dinner", True)

    def test_marks_inside(self) -> None:
        """Marks in the middle are words."""
        self.assert_base("More re: dinner", "More re: dinner", False)
        self.assert_base("Regarding: dinner", "Regarding: dinner", False)
        self.assert_base("AW: dinner", "AW: dinner", False)

    def test_nothing_left(self) -> None:
        """A mark alone leaves an empty base."""
        self.assert_base("Re:", "", True)

    def test_much_of_it(self) -> None:
        """Thousands of marks take no more than a moment: only the beginning counts."""
        self.assert_base("[a]" * 100_000, "[a", False)
        self.assert_base("[" * 100_000, "[" * 2000, False)
        self.assertTrue(base_subject("re:" * 100_000).is_reply)

    @given(st.text(alphabet="[]()reFWd: \tx", max_size=60))
    def test_settled(self, subject: str) -> None:
        """The base of a base is itself."""
        base = base_subject(subject).text
        self.assertEqual(base_subject(base).text, base)
