"""Headers and bodies as text."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from hostmail.message import decode
from hostmail.message.decode import (
    body_text,
    decode_base64,
    decode_body,
    decode_header,
    decode_quoted_printable,
    decode_text,
    decoding,
    header_block_text,
    text_parts,
    transfer_encoding,
)
from hostmail.message.scan import scan
from tests import corpus


class HeaderTests(SynchronousTestCase):
    def check(self, *cases: tuple[bytes, str]) -> None:
        for value, expected in cases:
            self.assertEqual(decode_header(value), expected, value)

    def test_encoded_words(self) -> None:
        """RFC 2047, both encodings, inside other text."""
        self.check(
            (b"plain", "plain"),
            (b"=?utf-8?Q?Gr=C3=BC=C3=9Fe?=", "Grüße"),
            (b"=?UTF-8?b?R3LDvMOfZQ==?= aus Wien", "Grüße aus Wien"),
            (b"Re: =?iso-8859-1?q?a_b=FC?= (x)", "Re: a bü (x)"),
            (b"=?utf-8*de?Q?=C3=BC?=", "ü"),
        )

    def test_between_encoded_words(self) -> None:
        """White space between two of them vanishes, over line ends too; elsewhere it stays."""
        self.check(
            (b"=?utf-8?Q?a?=\r\n =?utf-8?Q?b?=", "ab"),
            (b"=?utf-8?Q?a?= =?iso-8859-1?Q?=FC?=", "aü"),
            (b"=?utf-8?Q?a?= x =?utf-8?Q?b?=", "a x b"),
            (b"x =?utf-8?Q?a?= y", "x a y"),
        )

    def test_torn_characters(self) -> None:
        """A character cut in two by the sender is put together."""
        self.check((b"=?utf-8?Q?=C3?= =?UTF-8?Q?=BC?=", "ü"), (b"=?utf-8?B?ww==?= =?utf-8?B?vA==?=", "ü"))

    def test_broken_words(self) -> None:
        """Unknown charsets, torn base64 and things that only look encoded become some text."""
        self.check(
            (b"=?klingon?Q?=C3=BC?=", "ü"),
            (b"=?utf-8?B?R3L?=", "Gr"),
            (b"=?utf-8?B?!?=", ""),
            (b"=?utf-8?X?a?=", "=?utf-8?X?a?="),
            (b"=?utf-8?Q?a", "=?utf-8?Q?a"),
        )

    def test_raw_eight_bit(self) -> None:
        """UTF-8 if it is, else Latin-1."""
        self.check((b"Gr\xc3\xbc", "Grü"), (b"Gr\xfc", "Grü"), (b"\xfc =?utf-8?Q?a?=", "ü a"))

    def test_fields(self) -> None:
        """The whole header, a line for each field, as far as it may be read."""
        root = scan(corpus.PLAIN)
        block = header_block_text(corpus.PLAIN, root)
        self.assertIn("SUBJECT: Greetings  from Vienna\n", block)
        self.assertEqual(header_block_text(corpus.PLAIN, root, 5), "")


class BodyTests(SynchronousTestCase):
    def test_transfer_encodings(self) -> None:
        """Quoted-printable and base64 are undone and the charset is honoured."""
        plain, html = text_parts(scan(corpus.MIXED).children[0])
        self.assertEqual(decode_text(corpus.MIXED, plain), "Grüße!")
        self.assertEqual(decode_text(corpus.MIXED, html), "<b>GrüÜe</b>")
        self.assertEqual(transfer_encoding(corpus.MIXED, plain), b"quoted-printable")
        self.assertEqual(transfer_encoding(corpus.PLAIN, scan(corpus.PLAIN)), b"7bit")

    def test_body_text(self) -> None:
        """Every text part, and the headers of embedded messages, but no attachments."""
        text = body_text(corpus.MIXED, scan(corpus.MIXED))
        for words in ("Grüße!", "GrüÜe", "Subject: inside", "first inside"):
            self.assertIn(words, text)
        self.assertNotIn("AAAA", text)

    def test_bounded(self) -> None:
        """No more than the limit is decoded."""
        data = b"Content-Transfer-Encoding: base64\r\n\r\n" + b"AAAA" * 1000
        self.assertEqual(len(decode_body(data, scan(data), 100)), 100)
        self.assertEqual(len(body_text(corpus.PLAIN, scan(corpus.PLAIN), 3)), 3)
        self.assertEqual(body_text(corpus.MIXED, scan(corpus.MIXED), 0), "")
        data = b"Content-Transfer-Encoding: quoted-printable\r\n\r\n" + b"=41" * 1000
        self.assertEqual(decode_body(data, scan(data), 5), b"AAAAA")

    @given(
        st.sampled_from([b"base64", b"quoted-printable", b"8bit"]),
        st.lists(
            st.sampled_from([b"QUJD", b"=", b"=41", b"=C3=A9", b"==", b"\r\n", b" ", b"=\r\n", b"ab", b"\t", b"\n"])
        ),
        st.integers(1, 9),
    )
    def test_piece_by_piece(self, encoding: bytes, pieces: list[bytes], step: int) -> None:
        """The same as all at once, wherever it is cut."""
        data = b"Content-Transfer-Encoding: " + encoding + b"\r\n\r\n" + b"".join(pieces)
        part = scan(data)
        self.assertEqual(b"".join(decoding(data, part, step)), decode_body(data, part, 1 << 20))

    @given(st.sampled_from([b"base64", b"quoted-printable", b"8bit"]), st.integers(0, 300))
    def test_no_more_than_is_wanted(self, encoding: bytes, limit: int) -> None:
        """The beginning of a large part is the same as of a small one."""
        data = b"Content-Transfer-Encoding: " + encoding + b"\r\n\r\n" + b"QUJDREVG=41\r\n" * 20
        part = scan(data)
        whole = decode_body(data, part, 1 << 20)
        self.patch(decode, "DECODED_AT_ONCE", 7)
        self.assertEqual(decode_body(data, part, limit), whole[:limit])

    def test_base64(self) -> None:
        """Foreign octets are passed over, padding ends it, a torn end gives what it can."""
        for value, expected in [
            (b"YWJj\r\nZGVm", b"abcdef"),
            (b"YW*Jj", b"abc"),
            (b"YWI=YWI=", b"ab"),
            (b"YWI", b"ab"),
            (b"YWJjY", b"abc"),
            (b"", b""),
        ]:
            self.assertEqual(decode_base64(value), expected)

    def test_quoted_printable(self) -> None:
        """White space before line ends is not content; broken escapes stay; runs of spaces cost little."""
        self.assertEqual(decode_quoted_printable(b"a=3D \t\r\nb=\r\nc=XY_"), b"a=\r\nbc=XY_")
        self.assertEqual(len(decode_quoted_printable(b" " * 1_000_000 + b"x")), 1_000_001)
