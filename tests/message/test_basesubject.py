"""The base subject of RFC 5256 section 2.1."""

from __future__ import annotations

import re

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from hostmail.message.basesubject import base_subject

PIECES = [
    "Re",
    "re:",
    "fw",
    "FWD:",
    "[fwd:",
    "[",
    "]",
    "[a]",
    "[b] ",
    "(fwd)",
    "(FWD) ",
    ":",
    " ",
    "\t",
    "\xa0",
    "x",
    "re [1] :",
]
BLOB = r"\[[^\[\]]*\]\s*"
LEADER = re.compile(rf"(?:{BLOB})*(?:re|fwd?)\s*(?:{BLOB})?:|\s", re.IGNORECASE)


def step_by_step(subject: str) -> tuple[str, bool]:
    """Section 2.1, steps 2 to 6, as it is written."""
    text, is_reply = re.sub(r"[ \t\r\n]+", " ", subject), False
    while True:
        before = text
        if text.endswith(" "):
            text = text[:-1]
        elif text.lower().endswith("(fwd)"):
            text, is_reply = text[:-5], True
        elif leader := LEADER.match(text):
            text, is_reply = text[leader.end() :], is_reply or not leader[0].isspace()
        elif (blob := re.match(BLOB, text)) and blob.end() < len(text):
            text = text[blob.end() :]
        elif text.lower().startswith("[fwd:") and text.endswith("]"):
            text, is_reply = text[5:-1], True
        if text == before:
            return text, is_reply


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

    @settings(max_examples=500, deadline=None)
    @given(st.lists(st.sampled_from(PIECES), max_size=12).map("".join))
    def test_step_by_step(self, subject: str) -> None:
        """Whatever the marks and their order: as the RFC takes them off, one at a time."""
        self.assertEqual(base_subject(subject), step_by_step(subject), subject)

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
