"""BODYSTRUCTURE and BODY."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from hostmail.message.bodystructure import build_structures, plain_structures
from hostmail.message.scan import scan
from tests import corpus
from tests.message import imapgrammar


def structure(data: bytes) -> bytes:
    return build_structures(data, scan(data)).extended


class BodyStructureTests(SynchronousTestCase):
    def test_plain(self) -> None:
        """Text has lines, and US-ASCII when nothing is said."""
        self.assertEqual(
            structure(b"A: b\r\n\r\none\r\ntwo\r\n"),
            b'("text" "plain" ("charset" "us-ascii") NIL NIL "7bit" 10 2 NIL NIL NIL NIL)',
        )

    def test_mixed(self) -> None:
        """A multipart with everything in it, an embedded message with its envelope among it."""
        message = scan(corpus.MIXED).children[1]
        self.assertEqual(
            structure(corpus.MIXED),
            b'((("text" "plain" ("charset" "utf-8") NIL NIL "quoted-printable" 19 1 NIL NIL NIL NIL)'
            b'("text" "html" ("charset" "iso-8859-1") NIL NIL "base64" 16 0 NIL NIL NIL NIL)'
            b' "alternative" ("boundary" "inner") NIL ("en" "de-AT") NIL)'
            b'("message" "rfc822" NIL NIL "the one before" "7bit" %d'
            b' (NIL "inside" (("Inner" NIL "inner" "example.net")) (("Inner" NIL "inner" "example.net"))'
            b' (("Inner" NIL "inner" "example.net")) NIL NIL NIL NIL NIL)'
            b' (("text" "plain" ("charset" "us-ascii") NIL NIL "7bit" 12 0 NIL NIL NIL NIL)'
            b'("image" "png" ("name*0*" "utf-8\'\'a%%20" "name*1" "b.png") "<image@example>" NIL "base64" 4'
            b' "Q2hlY2sgSW50ZWdyaXR5IQ==" ("attachment" ("filename" "a \\"b\\".png" "size" "3")) NIL'
            b' "http://example.net/b.png") "mixed" ("boundary" "deep") NIL NIL NIL)'
            b' %d NIL NIL NIL NIL) "mixed" ("boundary" "outer;x") NIL NIL NIL)' % (message.size, message.lines),
        )

    def test_body_has_no_extension_data(self) -> None:
        """BODY is the same without extensions."""
        data = b"Content-Type: image/png\r\nContent-MD5: x\r\nContent-Disposition: inline\r\n\r\nAAAA"
        self.assertEqual(build_structures(data, scan(data)).basic, b'("image" "png" NIL NIL NIL "7bit" 4)')
        self.assertEqual(structure(data), b'("image" "png" NIL NIL NIL "7bit" 4 "x" ("inline" NIL) NIL NIL)')

    def test_semicolons_and_empties(self) -> None:
        """`text/plain;` and an empty charset have no parameters (TWISTED I4)."""
        for name in ("trailing semicolon", "empty charset"):
            self.assertTrue(structure(corpus.odd_messages()[name]).startswith(b'("text" "plain" NIL NIL NIL'), name)

    def test_eight_bit_parameters_are_literals(self) -> None:
        """Raw 8-bit file names keep the answer valid."""
        self.assertIn(b'("name" {9}\r\nGr\xfc\xdfe.pdf)', structure(corpus.odd_messages()["eight bit name"]))

    def test_whole_corpus(self) -> None:
        """Every odd message, and every giant, has both answers in the shape the grammar demands."""
        for name, data in (corpus.odd_messages() | corpus.giants()).items():
            root = scan(data)
            with self.subTest(name):
                extended = imapgrammar.parse(build_structures(data, root).extended)
                basic = imapgrammar.parse(build_structures(data, root).basic)
                self.assertEqual(imapgrammar.check_structure(extended, True), imapgrammar.check_structure(basic, False))

    def test_fallback(self) -> None:
        """What is said when nothing can be said is valid as well."""
        fallback = plain_structures(10, 2)
        self.assertEqual(imapgrammar.check_structure(imapgrammar.parse(fallback.extended), True), [((1,), 10)])
        imapgrammar.check_structure(imapgrammar.parse(fallback.basic), False)
