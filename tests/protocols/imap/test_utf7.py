"""Mailbox names on the wire."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from hostmail.protocols.imap import utf7

PAIRS = [
    ("INBOX", b"INBOX"),
    ("", b""),
    ("a&b", b"a&-b"),
    ("&", b"&-"),
    ("Entwürfe", b"Entw&APw-rfe"),
    ("~peter/mail/台北/日本語", b"~peter/mail/&U,BTFw-/&ZeVnLIqe-"),
    ("☺!", b"&Jjo-!"),
    ("𝄞", b"&2DTdHg-"),
    ("a\tb", b"a&AAk-b"),
    ("ü-&-ü", b"&APw--&--&APw-"),
]


class ModifiedUtf7(SynchronousTestCase):
    """RFC 3501 section 5.1.3."""

    def test_known_names(self) -> None:
        """Names of the RFC and their neighbours come out right in both directions."""
        for name, wire in PAIRS:
            self.assertEqual(utf7.encode(name), wire)
            self.assertEqual(utf7.decode(wire), name)

    def test_wrong_spellings_are_refused(self) -> None:
        """A second spelling of a name, or none at all, is an error."""
        wrong = [
            b"&AGE-",
            b"&",
            b"&Jjo",
            b"&Jjo-&Jjo-",
            b"\xfc",
            b"a\x01",
            b"&J-",
            b"&2DQ-",
            b"&A/w-",
            b"&APw=-",
            b"&!!!-",
        ]
        for wire in wrong:
            with self.assertRaises(utf7.BadName, msg=repr(wire)):
                utf7.decode(wire)

    def test_lone_surrogates_have_no_name(self) -> None:
        """What is no Unicode text cannot be written."""
        with self.assertRaises(utf7.BadName):
            utf7.encode("a\ud800")

    @given(st.text(st.characters(exclude_categories=["Cs"])))
    def test_every_name_survives_the_journey(self, name: str) -> None:
        """Any text goes out as ASCII and comes back the same."""
        wire = utf7.encode(name)
        self.assertTrue(wire.isascii())
        self.assertEqual(utf7.decode(wire), name)

    @given(st.binary(max_size=20))
    def test_what_is_read_has_one_spelling(self, wire: bytes) -> None:
        """Whatever is accepted is written back octet by octet."""
        try:
            name = utf7.decode(wire)
        except utf7.BadName:
            return
        self.assertEqual(utf7.encode(name), wire)
