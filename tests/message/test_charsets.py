"""Charsets by the names that mail uses."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from hostmail.message import charsets
from hostmail.message.charsets import _KNOWN, codec_for, decode_bytes, folded


class CharsetTests(SynchronousTestCase):
    def test_names(self) -> None:
        """Names in any case, with the dashes people use."""
        for charset in (
            *(b"utf-8", b"UTF8", b"us-ascii", b"ISO-8859-15", b"Windows-1252", b"koi8-r", b"koi8-u", b"big5"),
            *(b"iso-2022-jp", b"gb2312", b"shift_jis", b"ks_c_5601-1987", b"x-sjis", b"utf-8*en", b"cp874", b"euc-kr"),
        ):
            self.assertIsNotNone(codec_for(charset), charset)

    def test_every_codec_in_the_table_works(self) -> None:
        """No name leads to a codec that is none, or that raises."""
        for codec in set(_KNOWN.values()):
            if codec != "mbcs":
                self.assertIsInstance(b"abc\xff\xfe+AAA-".decode(codec, "replace"), str, codec)

    def test_no_codec_that_is_no_charset(self) -> None:
        """A message cannot choose base64, zlib, idna, nor make Python look for a module."""
        for charset in (b"zlib", b"rot13", b"idna", b"punycode", b"undefined", b"../../x", b"klingon", b"", b"\xff"):
            self.assertIsNone(codec_for(charset), charset)

    def test_broken_octets(self) -> None:
        """Undecodable octets are replaced; without a usable charset UTF-8 is tried, then Latin-1."""
        self.assertEqual(decode_bytes(b"a\xffb", b"utf-8"), "a\ufffdb")
        self.assertEqual(decode_bytes(b"\xc3\xbc", b"klingon"), "ü")
        self.assertEqual(decode_bytes(b"\xfc", None), "ü")
        self.assertEqual(decode_bytes(b"\xfc", b"us-ascii"), "ü")
        self.assertEqual(decode_bytes(b"\xfc", b"iso-8859-1"), "ü")

    @given(st.lists(st.sampled_from(["a", "Ü", "u", "\u0308", "\u0323", "ß", "\n", "ｶ", "ﾞ", "\u1100", "\u1161", "İ"])))
    def test_folded_piece_by_piece(self, characters: list[str]) -> None:
        """A long text comes out as if it had been folded in one go: it is cut where nothing grows together."""
        text = "".join(characters)
        whole = folded(text)
        self.patch(charsets, "FOLDED_AT_ONCE", 12)
        self.assertEqual(folded(" ".join([text] * 9)), " ".join([whole] * 9))

    def test_a_long_run_of_marks_is_cut(self) -> None:
        """Normalising one takes the square of its length: half a megabyte of them took a minute, and nobody else had a turn."""
        spans = list(charsets._foldable("a" + "\u0301\u0323" * 5000))
        self.assertEqual((spans[0][0], spans[-1][1] >= 10_001), (0, True))
        self.assertLessEqual(max(end - start for start, end in spans), 2 * charsets.FOLDED_AT_ONCE)
        self.assertEqual([end for _, end in spans[:-1]], [start for start, _ in spans[1:]])

    @given(st.sampled_from(sorted(set(_KNOWN.values()) - {"mbcs"})), st.text(max_size=30), st.binary(max_size=10))
    def test_decoded_piece_by_piece(self, codec: str, text: str, broken: bytes) -> None:
        """A long text comes out as if it had been decoded in one go, wherever it is cut, in any charset."""
        octets = text.encode(codec, "replace") * 3
        self.patch(charsets, "DECODED_AT_ONCE", 5)
        self.assertEqual(charsets._decoded(octets, codec, "replace"), octets.decode(codec, "replace"))
        octets = text.encode() * 3
        self.assertEqual(
            charsets._decoded(octets + broken, "utf_8", "replace"), (octets + broken).decode(errors="replace")
        )

    def test_folded(self) -> None:
        """Case and compatibility forms make no difference."""
        self.assertEqual(folded("ABC"), "abc")
        self.assertEqual(folded("GRÜSSE"), folded("Grüße"))
        self.assertEqual(folded("u\u0308"), folded("Ü"))
