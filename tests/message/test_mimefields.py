"""Unfolding and `value; name=value`."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from hostmail.message.mimefields import (
    MAX_PARAMETERS,
    TEXT_PLAIN,
    first_token,
    parse_content_type,
    parse_disposition,
    parse_parameters,
    unfold,
)


class MimeFieldTests(SynchronousTestCase):
    def test_unfold(self) -> None:
        """Line ends go, the white space after them stays, and a tab there becomes a space."""
        self.assertEqual(unfold(b" a\r\n b\r\n\tc\r\n"), b"a b c")
        self.assertEqual(unfold(b"a\n  b"), b"a  b")

    def test_content_type(self) -> None:
        """Types and names in lower case, values as written."""
        kind = parse_content_type(b' Text/HTML ; Charset="UTF-8"; format = flowed\r\n')
        self.assertEqual((kind.main, kind.sub), (b"text", b"html"))
        self.assertEqual(kind.parameters, ((b"charset", b"UTF-8"), (b"format", b"flowed")))
        self.assertEqual(kind.parameter(b"format"), b"flowed")
        self.assertIsNone(kind.parameter(b"name"))

    def test_nonsense_is_the_default(self) -> None:
        """What is no type/subtype is text/plain in US-ASCII."""
        for value in (b"", b"text", b"text/", b"/plain", b"a b/c", b"text/plain charset=x"):
            self.assertEqual(parse_content_type(value), TEXT_PLAIN, value)

    def test_parameters(self) -> None:
        """Quotes, escapes, comments, empties and unquoted spaces, each as people send them."""
        for value, expected in [
            (b';a="x;y"', ((b"a", b"x;y"),)),
            (b';a="x\\"y"', ((b"a", b'x"y'),)),
            (b';a="open', ((b"a", b"open"),)),
            (b";a=x (comment); b=y", ((b"a", b"x"), (b"b", b"y"))),
            (b";a=(comment)", ()),
            (b";a=;b=c;", ((b"b", b"c"),)),
            (b";a=My File.pdf", ((b"a", b"My File.pdf"),)),
            (b";a*0*=utf-8''x;a*1=y", ((b"a*0*", b"utf-8''x"), (b"a*1", b"y"))),
            (b";;; =x; b", ()),
        ]:
            self.assertEqual(parse_parameters(value), expected, value)

    def test_parameters_are_counted(self) -> None:
        """A hundred are enough."""
        self.assertEqual(len(parse_parameters(b";a=b" * 1000)), MAX_PARAMETERS)

    def test_disposition(self) -> None:
        """Its type and parameters, or None."""
        self.assertEqual(parse_disposition(b"ATTACHMENT; Filename=x"), (b"attachment", ((b"filename", b"x"),)))
        self.assertIsNone(parse_disposition(b" ; filename=x"))

    def test_first_token(self) -> None:
        """A word without what surrounds it."""
        self.assertEqual(first_token(b" Base64 (yes)\r\n"), b"base64")
        self.assertIsNone(first_token(b'"x"'))
