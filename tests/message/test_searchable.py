"""Header fields as SEARCH compares them."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from hostmail.message.scan import scan
from hostmail.message.searchable import MAX_KEPT, head_has, searchable_head


def head(data: bytes) -> str | None:
    return searchable_head(data, scan(data))


class SearchableTests(SynchronousTestCase):
    def test_fields(self) -> None:
        """Each value of each kept field, decoded and folded; a text never reaches from one into the next."""
        made = head(
            b"To: Ann\r\nSubject: =?iso-8859-1?q?GR=DC=DFE?= b\r\nX-To: you\r\nto: Bob,\r\n Carl\r\n\r\nFrom: body\r\n"
        )
        self.assertEqual(made, "\0tann\0sgr\u00fcsse b\0tbob, carl")
        assert made is not None
        self.assertTrue(head_has(made, b"to", "ann"))
        self.assertTrue(head_has(made, b"to", "b, c"))
        self.assertTrue(head_has(made, b"subject", "\u00fcss"))
        self.assertFalse(head_has(made, b"subject", "ann"))
        self.assertFalse(head_has(made, b"to", "tann"))
        self.assertFalse(head_has(made, b"to", "ann\0s"))
        self.assertFalse(head_has(made, b"from", "body"))

    def test_presence(self) -> None:
        """The empty text is in every value, and in no field that is not there."""
        made = head(b"Cc:\r\nSubject: x\r\n\r\n")
        assert made is not None
        self.assertTrue(head_has(made, b"cc", ""))
        self.assertFalse(head_has(made, b"bcc", ""))
        self.assertFalse(head_has(head(b"\r\n") or "", b"cc", ""))

    def test_unfaithful_texts(self) -> None:
        """What could not be kept as it is, or is endless, is not kept at all."""
        self.assertIsNone(head(b"Subject: a\0b\r\n\r\n"))
        self.assertIsNone(head(b"Subject: =?utf-8?q?a=00b?=\r\n\r\n"))
        self.assertIsNone(head(b"Subject: =?utf-7?q?+2AA-?=\r\n\r\n"))
        self.assertIsNone(head(b"To: " + b"x" * MAX_KEPT + b"\r\n\r\n"))
        self.assertIsNone(head((b"To: " + b"x" * 2000 + b"\r\n") * 10 + b"\r\n"))
        self.assertIsNotNone(head(b"To: x\r\n\r\n\0" + b"x" * MAX_KEPT))
