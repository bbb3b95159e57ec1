"""Headers and bodies as people read them: for SEARCH, BINARY and webmail.

Everything here is bounded by the `limit` given and answers with text for any octets.
"""

from __future__ import annotations

import binascii
import re
from collections.abc import Iterator

from hostmail.message.charsets import DECODED_AT_ONCE, codec_for, decode_bytes, decode_raw
from hostmail.message.htmltext import html_text
from hostmail.message.mimefields import first_token, unfold
from hostmail.message.scan import Part

MAX_DECODED_HEADER = 256 * 1024
MAX_DECODED_TEXT = 1024 * 1024

_ENCODED_WORD = re.compile(rb"=\?([^?\s]{1,64})\?([BbQq])\?([^?\r\n]*+)\?=")
_ANYWHERE = re.compile(rb"[!-<>-~]{3}|\n")
_NOT_BASE64 = bytes(octet for octet in range(256) if not (chr(octet).isalnum() and octet < 128) and octet not in b"+/")
# How many octets one octet of content may take: what is there beyond that is not for reading.
_LARGEST = {b"base64": 2, b"quoted-printable": 4}
_BLANKS_AT_END = (b" \r", b" \n", b"\t\r", b"\t\n")
_SOFT_LINE_END = re.compile(rb"(?<![ \t])[ \t]++(?=\r?\n)")


def decode_header(value: bytes, limit: int = MAX_DECODED_HEADER) -> str:
    """A field's value as text: unfolded, RFC 2047 encoded words decoded, raw 8-bit taken as UTF-8 or Latin-1.

    White space between two encoded words vanishes. Neighbours of one charset are joined before decoding, since many programs cut
    characters in two.
    """
    value = unfold(value[:limit])
    if b"=?" not in value:
        return value.decode("ascii") if value.isascii() else decode_raw(value)
    pieces: list[str] = []
    octets, charset, position = bytearray(), b"", 0
    for match in _ENCODED_WORD.finditer(value):
        between = value[position : match.start()]
        same = match[1].lower() == charset
        if octets and (between.strip() or not same):
            pieces.append(decode_bytes(bytes(octets), charset))
            octets.clear()
        if between.strip() or not position:
            pieces.append(decode_raw(between))
        octets += _word_octets(match[2], match[3])
        charset = match[1].lower()
        position = match.end()
    if octets:
        pieces.append(decode_bytes(bytes(octets), charset))
    pieces.append(decode_raw(value[position:]))
    return "".join(pieces)


def header_block_text(data: bytes, part: Part, limit: int = MAX_DECODED_HEADER) -> str:
    """All fields, names included, decoded, a line each (SEARCH TEXT)."""
    lines: list[str] = []
    for field in part.fields:
        limit -= field.end - field.start
        if limit < 0:
            break
        lines.append(f"{decode_raw(data[field.start : field.value_start])} {decode_header(field.value(data))}")
    return "\n".join(lines)


def decode_body(data: bytes, part: Part, limit: int = MAX_DECODED_TEXT) -> bytes:
    """At most `limit` octets of a part's body with its transfer encoding undone."""
    encoding = transfer_encoding(data, part)
    start, end = part.body_start, part.end
    times = _LARGEST.get(encoding)
    if times is None:
        return data[start : min(end, start + limit)]
    pieces: list[bytes] = []
    room = limit
    for piece in _decoding(data, start, min(end, start + limit * times), encoding, DECODED_AT_ONCE):
        pieces.append(piece[:room])
        room -= len(piece)
        if room <= 0:
            break
    return b"".join(pieces)


def decoding(data: bytes, part: Part, step: int = DECODED_AT_ONCE) -> Iterator[bytes]:
    """A part's whole body with its transfer encoding undone, piece by piece: between two of them others may have their turn."""
    return _decoding(data, part.body_start, part.end, transfer_encoding(data, part), step)


def _decoding(data: bytes, start: int, end: int, encoding: bytes, step: int) -> Iterator[bytes]:
    rest = b""
    while start < end:
        if encoding == b"base64":
            octets, padding, _ = data[start : min(start + step, end)].partition(b"=")
            start = end if padding else start + step
            rest += octets.translate(None, _NOT_BASE64)
            whole = len(rest) if start >= end else len(rest) & ~3
            yield decode_base64(rest[:whole])
            rest = rest[whole:]
        else:
            cut = _between_lines(data, start, start + step, end) if encoding == b"quoted-printable" else start + step
            piece = data[start : min(cut, end)]
            yield decode_quoted_printable(piece) if encoding == b"quoted-printable" else piece
            start = cut


def _between_lines(data: bytes, start: int, near: int, end: int) -> int:
    """Where quoted-printable may be cut: behind a line end, or in a very long line where nothing hangs together."""
    if near >= end:
        return end
    line_end = data.rfind(b"\n", start, near)
    if line_end >= 0:
        return line_end + 1
    found = _ANYWHERE.search(data, near, end)
    return end if found is None else found.end()


def decode_text(data: bytes, part: Part, limit: int = MAX_DECODED_TEXT) -> str:
    """A text part's words, from at most `limit` octets of its content."""
    charset = part.content_type.parameter(b"charset")
    return decode_bytes(decode_body(data, part, limit), charset if charset and codec_for(charset) else None)


def text_parts(part: Part) -> Iterator[Part]:
    """Every part that is text, those in embedded messages too, in order."""
    return (each for each in _walk(part) if each.content_type.main == b"text")


def body_text(data: bytes, message: Part, limit: int = MAX_DECODED_TEXT) -> str:
    """The text parts one after the other, and the headers of embedded messages (SEARCH BODY).

    HTML is there as it is written and once more as words, which people look for without knowing of tags and entities.
    """
    texts: list[str] = []
    for part in _walk(message):
        if limit <= 0:
            break
        if part.content_type.main == b"text":
            text = decode_text(data, part, limit)
            if part.content_type.sub == b"html":
                text = f"{text}\n{html_text(text)}"
        elif part.embedded is not None:
            text = header_block_text(data, part.embedded, limit)
        else:
            continue
        limit -= len(text)
        texts.append(text)
    return "\n".join(texts)


def transfer_encoding(data: bytes, part: Part) -> bytes:
    """The part's Content-Transfer-Encoding in lower case; 7bit if it names none."""
    value = part.value(data, b"content-transfer-encoding")
    return (first_token(value) if value is not None else None) or b"7bit"


def decode_base64(octets: bytes) -> bytes:
    """Base64 with anything foreign passed over, up to the padding, and a torn end dropped."""
    octets = octets.partition(b"=")[0].translate(None, _NOT_BASE64)
    torn = len(octets) % 4
    if torn == 1:
        octets = octets[:-1]
    return binascii.a2b_base64(octets + b"=" * (-len(octets) % 4))


def decode_quoted_printable(octets: bytes) -> bytes:
    """Quoted-printable (RFC 2045 6.7); white space before a line end is transport's, and `=XY` that is none stays."""
    if any(blank in octets for blank in _BLANKS_AT_END):
        octets = _SOFT_LINE_END.sub(b"", octets)
    return binascii.a2b_qp(octets)


def _walk(part: Part) -> Iterator[Part]:
    yield part
    for child in part.children:
        yield from _walk(child)


def _word_octets(encoding: bytes, text: bytes) -> bytes:
    if encoding in b"Bb":
        return decode_base64(text)
    return binascii.a2b_qp(text, header=True)
