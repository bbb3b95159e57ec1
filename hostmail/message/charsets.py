"""From octets to text for the charsets that mail names; what is unknown or broken still becomes text."""

from __future__ import annotations

import re
import unicodedata
from codecs import getincrementaldecoder
from collections.abc import Iterator
from encodings.aliases import aliases

# Codecs that are no charsets, and those that cost more than linear time or can be made to raise at will.
_UNFIT = {
    *("base64_codec", "bz2_codec", "hex_codec", "quopri_codec", "rot_13", "uu_codec", "zlib_codec"),
    *("mbcs", "oem", "idna", "punycode", "unicode_escape", "raw_unicode_escape", "undefined"),
}
_MAIL_NAMES = {
    "x_sjis": "cp932",
    "x_gbk": "gbk",
    "gb2312": "gb18030",
    "x_unknown": "latin_1",
    "iso_8859_8_i": "iso8859_8",
    "iso_8859_8_e": "iso8859_8",
    "iso_8859_6_i": "iso8859_6",
    "ks_c_5601_1987": "cp949",
    "x_mac_roman": "mac_roman",
    "unicode_1_1_utf_7": "utf_7",
    "unknown_8bit": "latin_1",
    "default": "latin_1",
}


def _known_codecs() -> dict[str, str]:
    known = {name: codec for name, codec in aliases.items() if codec not in _UNFIT}
    known.update({codec: codec for codec in known.values()})
    known.update({"utf_8": "utf_8", "us_ascii": "ascii", "cp874": "cp874", "koi8_u": "koi8_u"})
    return known | _MAIL_NAMES


# What one call into the interpreter's C code takes: no other thread runs meanwhile.
DECODED_AT_ONCE = 256 * 1024
# Normalising takes the square of the longest run of combining marks, which a stranger may make as long as he likes.
FOLDED_AT_ONCE = 2048
_ASCII = re.compile("[\0-\x7f]")

# A closed table: asking Python for any name a stranger sends would search the disk, and remember each for ever.
_KNOWN = _known_codecs()


def codec_for(charset: bytes) -> str | None:
    """Python's codec for a MIME charset name, or None. An RFC 2231 language (`utf-8*en`) is passed over."""
    name = charset[:64].decode("latin-1").partition("*")[0].strip().lower()
    return _KNOWN.get(name.replace("-", "_").replace(".", "_").replace(" ", "_").replace(":", "_"))


def decode_bytes(octets: bytes, charset: bytes | None) -> str:
    """Text in the named charset, undecodable octets replaced; without a known charset UTF-8 if it is that, else Latin-1."""
    codec = None if charset is None else codec_for(charset)
    if codec is None or (codec == "ascii" and not octets.isascii()):
        return decode_raw(octets)
    try:
        return _decoded(octets, codec, "replace")
    except (UnicodeError, ValueError):
        return decode_raw(octets)


def decode_raw(octets: bytes) -> str:
    """Unlabelled octets: UTF-8 if valid, else Latin-1, which takes anything."""
    try:
        return _decoded(octets, "utf_8", "strict")
    except UnicodeDecodeError:
        return octets.decode("latin-1")


def _decoded(octets: bytes, codec: str, errors: str) -> str:
    """As `bytes.decode`, much of it piece by piece; but UTF-7, of which Python begins anew with each piece."""
    if len(octets) <= DECODED_AT_ONCE or codec == "utf_7":
        return octets.decode(codec, errors)
    decoder = getincrementaldecoder(codec)(errors)
    starts = range(0, len(octets), DECODED_AT_ONCE)
    pieces = [decoder.decode(octets[start : start + DECODED_AT_ONCE]) for start in starts]
    return "".join(pieces) + decoder.decode(b"", True)


def folded(text: str) -> str:
    """The form in which texts are compared, case and compatibility forms apart (near i;unicode-casemap, RFC 5051)."""
    if text.isascii():
        return text.lower()
    if len(text) <= FOLDED_AT_ONCE:
        return _folded(text)
    return "".join([_folded(text[start:end]) for start, end in _foldable(text)])


def _foldable(text: str) -> Iterator[tuple[int, int]]:
    """Pieces that end before a character of ASCII, which never grows together with what precedes it; or where there is none."""
    start = 0
    while start < len(text):
        near = start + FOLDED_AT_ONCE
        found = _ASCII.search(text, near, near + FOLDED_AT_ONCE)
        end = near + FOLDED_AT_ONCE if found is None else found.start()
        yield start, end
        start = end


def _folded(text: str) -> str:
    if text.isascii():
        return text.lower()
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
