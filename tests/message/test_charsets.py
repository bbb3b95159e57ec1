"""Charsets by the names that mail uses."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from hostmail.message.charsets import codec_for, decode_bytes, folded


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
        from hostmail.message.charsets import _KNOWN

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

    def test_folded(self) -> None:
        """Case and compatibility forms make no difference."""
        self.assertEqual(folded("ABC"), "abc")
        self.assertEqual(folded("GRÜSSE"), folded("Grüße"))
        self.assertEqual(folded("u\u0308"), folded("Ü"))
