"""Header fields kept by the index: the same octets as from the message."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from hostmail.message.keptfields import MOST_OCTETS, is_kept, kept_fields, picker
from hostmail.message.scan import scan
from hostmail.message.sections import Section, What
from tests import corpus
from tests.message.reading import read_section

NAMES = (b"subject", b"from", b"x-own", b"date", b"content-type")


class KeptFieldsTests(SynchronousTestCase):
    """What is kept, and what is found in it."""

    def assert_same(self, message: bytes, names: tuple[bytes, ...] = NAMES) -> None:
        """From what is kept comes what comes from the message, if anything is kept."""
        root = scan(message)
        kept = kept_fields(message, root)
        if kept is not None:
            wanted = read_section(message, root, Section((), What.FIELDS, frozenset(names)))
            self.assertEqual(picker(names)(kept), wanted, message[:200])

    def test_kept(self) -> None:
        """Everything but trace, signatures and verdicts; folding and case stay."""
        message = (
            b"Received: from x\r\n\tby y\r\nDKIM-Signature: v=1;\r\n b=xyz\r\nARC-Seal: i=1\r\nX-MS-Exchange-A: b\r\n"
            b"SUBJECT : a\r\n b\r\nfrom:x@y\r\nX-Own: 1\r\nX-Own: 2\r\n\r\nSubject: body\r\n"
        )
        kept = kept_fields(message, scan(message))
        self.assertEqual(kept, b"SUBJECT : a\r\n b\r\nfrom:x@y\r\nX-Own: 1\r\nX-Own: 2\r\n")
        self.assertEqual(picker((b"x-own", b"subject"))(kept), b"SUBJECT : a\r\n b\r\nX-Own: 1\r\nX-Own: 2\r\n\r\n")
        self.assertEqual(picker((b"to",))(kept), b"\r\n")
        self.assertTrue(is_kept(b"References"))
        for name in (b"Received", b"received-spf", b"ARC-Seal", b"X-Spam", b"X-Spam-Score"):
            self.assertFalse(is_kept(name), name)

    def test_not_kept(self) -> None:
        """Very much of it, or a header that ends without a line end."""
        for message in (b"Subject: " + b"x" * MOST_OCTETS + b"\r\n\r\n", b"Subject: torn"):
            self.assertIsNone(kept_fields(message, scan(message)))

    def test_odd_messages(self) -> None:
        """Whatever the message."""
        for message in corpus.odd_messages().values():
            self.assert_same(message)

    @given(
        st.lists(
            st.sampled_from(
                [b"Subject", b"From", b"X-Own", b":", b" ", b"\t", b"\r\n", b"\n", b"a", b"\r", b"Received"]
            ),
            max_size=30,
        )
    )
    def test_any_header(self, pieces: list[bytes]) -> None:
        """Whatever the header."""
        self.assert_same(b"".join(pieces) + b"\r\n\r\nbody\r\n")
        self.assert_same(b"".join(pieces))
