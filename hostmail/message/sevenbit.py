"""A message with 8-bit text as one that any server can carry (RFC 6152 3): its parts in quoted-printable or base64, nothing else touched.

What the best servers do, we do: leaves are encoded, with whichever is shorter for text, and base64 for the rest; multiparts and embedded
messages, which must not be encoded (RFC 2045 6.4), are converted inside. Signed and encrypted multiparts must not be changed by
anybody (RFC 1847 2.1), so those that hold 8-bit text cannot be converted. DKIM signatures of the whole message do not survive, which
RFC 6376 5.3 has in mind: a broken signature counts as none. Raw 8-bit octets in headers are not text of the body and stay as they are.
"""

from __future__ import annotations

import binascii
import re
from collections.abc import Iterator

from hostmail.message.decode import decode_quoted_printable, transfer_encoding
from hostmail.message.mimefields import ContentType, parse_content_type
from hostmail.message.scan import Part, scan

_LINE_END = re.compile(rb"\r\n|\r|\n")
_HIGH = re.compile(rb"[\x80-\xff]")
_ALL_HIGH = bytes(range(128, 256))
_LINE_OCTETS = 57
_LEFT_ALONE = frozenset({b"signed", b"encrypted"})
_NEVER_ENCODED = frozenset({b"rfc822", b"partial", b"external-body"})
_ENCODING_FIELD = b"content-transfer-encoding"

Edit = tuple[int, int, bytes]
"""Octets from..to, and what comes in their place."""


class CannotConvertError(ValueError):
    """The message cannot be carried as 7-bit text without damage; the text says why."""


def seven_bit(data: bytes) -> bytes:
    """The same message with an ASCII body; raises CannotConvertError. A message that is ASCII already is returned as it is."""
    if data.isascii():
        return data
    message = scan(data)
    pieces, position = [], 0
    for start, end, octets in sorted([*_edits(data, message, None), *_version(data, message)]):
        pieces += [data[position:start], octets]
        position = end
    return b"".join([*pieces, data[position:]])


def _version(data: bytes, message: Part) -> Iterator[Edit]:
    """A message without MIME-Version would have its new encoding ignored (RFC 2045 4)."""
    if message.first(b"mime-version") is None and not data[message.body_start :].isascii():
        yield message.start, message.start, b"MIME-Version: 1.0\r\n"


def _edits(data: bytes, part: Part, within: ContentType | None) -> Iterator[Edit]:
    body = data[part.body_start : part.end]
    if body.isascii():
        return
    declared = part.value(data, b"content-type")
    digest = within is not None and within.sub == b"digest"
    kind = part.content_type if declared is None else parse_content_type(declared)
    if kind.main == b"multipart" or (kind.main == b"message" and (kind.sub in _NEVER_ENCODED or digest)):
        yield from _inside(data, part, kind)
    else:
        encoding, encoded = _encoded(body, kind, transfer_encoding(data, part))
        yield from _header(data, part, encoding, b"" if declared is not None else _plain_text(body))
        yield part.body_start, part.end, encoded


def _inside(data: bytes, part: Part, kind: ContentType) -> Iterator[Edit]:
    """What holds other parts: those are converted, and what is between them, which nobody reads, loses its 8-bit octets."""
    if kind.sub in _LEFT_ALONE:
        raise CannotConvertError(f"a {kind.sub.decode()} part must not be changed")
    if not part.children or not (kind.parameter(b"boundary") or b"").isascii():
        raise CannotConvertError(f"a {kind.main.decode()}/{kind.sub.decode('ascii', 'replace')} part cannot be opened")
    yield from _header(data, part, b"7bit", b"")
    position = part.body_start
    for child in part.children:
        yield position, child.start, _HIGH.sub(b"?", data[position : child.start])
        yield from _edits(data, child, kind)
        position = child.end
    yield position, part.end, _HIGH.sub(b"?", data[position : part.end])


def _header(data: bytes, part: Part, encoding: bytes, more: bytes) -> Iterator[Edit]:
    """The part's header with its new encoding, and no other."""
    fields = [field for field in part.fields if field.name == _ENCODING_FIELD]
    for field in fields:
        yield field.start, field.end, b""
    if encoding != b"7bit" or fields:
        start = b"\r\n" if part.header_unended else b""
        yield part.header_end, part.header_end, start + b"Content-Transfer-Encoding: " + encoding + b"\r\n" + more


def _plain_text(body: bytes) -> bytes:
    """The type of text that names none: UTF-8 if it looks so, which is no coincidence; else RFC 1428's word for who knows what."""
    try:
        body.decode()
    except UnicodeDecodeError:
        return b"Content-Type: text/plain; charset=unknown-8bit\r\n"
    return b"Content-Type: text/plain; charset=utf-8\r\n"


def _encoded(body: bytes, kind: ContentType, encoding: bytes) -> tuple[bytes, bytes]:
    """The name of the encoding, and the body in it."""
    if encoding == b"base64":
        # Decoders pass over what is no base64 (RFC 2045 6.8).
        return encoding, body.translate(None, _ALL_HIGH)
    if encoding == b"quoted-printable":
        return encoding, _quoted_printable(decode_quoted_printable(body))
    if encoding not in (b"7bit", b"8bit", b"binary"):
        raise CannotConvertError(f"nobody knows the encoding {encoding.decode('ascii', 'replace')}")
    high = len(body) - len(body.translate(None, _ALL_HIGH))
    if encoding != b"binary" and kind.main in (b"text", b"message") and high * 6 < len(body):
        return b"quoted-printable", _quoted_printable(body)
    return b"base64", _base64(body)


def _quoted_printable(body: bytes) -> bytes:
    encoded = binascii.b2a_qp(_LINE_END.sub(b"\r\n", body), istext=True)
    # Its soft line ends are those of the text; for text without any they are bare LF.
    return encoded if b"\r\n" in body else _LINE_END.sub(b"\r\n", encoded)


def _base64(body: bytes) -> bytes:
    lines = (body[i : i + _LINE_OCTETS] for i in range(0, len(body), _LINE_OCTETS))
    return b"".join(binascii.b2a_base64(line, newline=False) + b"\r\n" for line in lines)
