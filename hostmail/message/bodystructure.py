"""BODYSTRUCTURE and BODY, ready to be sent (RFC 3501 7.4.2)."""

from __future__ import annotations

import re

from msgspec import Struct

from hostmail.message.envelope import MAX_FEW, build_envelope
from hostmail.message.imaptext import NIL, nstring, string
from hostmail.message.mimefields import MAX_VALUE, Parameters, first_token, parse_disposition, unfold
from hostmail.message.scan import Part

_LANGUAGE = re.compile(rb"[A-Za-z0-9*-]{1,64}")
_MAX_LANGUAGES = 20
_DEFAULT_ENCODING = b'"7bit"'


class Structures(Struct, frozen=True):
    """One entity's two descriptions: BODYSTRUCTURE (with extension data) and BODY (without)."""

    extended: bytes
    basic: bytes


def build_structures(data: bytes, part: Part) -> Structures:
    """BODYSTRUCTURE and BODY of a scanned message."""
    return _multipart(data, part) if part.is_multipart else _leaf(data, part)


def plain_structures(size: int, lines: int) -> Structures:
    """What can be said of any octets at all: text of unknown kind. The answer when nothing better can be made."""
    basic = b'"text" "plain" ("charset" "us-ascii") NIL NIL "8bit" %d %d' % (size, lines)
    return Structures(b"(%b NIL NIL NIL NIL)" % basic, b"(%b)" % basic)


def _leaf(data: bytes, part: Part) -> Structures:
    kind = part.content_type
    values = _values(data, part)
    basic = b"%b %b %b %b %b %b %d" % (
        string(kind.main),
        string(kind.sub),
        _parameters(kind.parameters),
        _text(values.get(b"content-id")),
        _text(values.get(b"content-description")),
        _encoding(values.get(b"content-transfer-encoding")),
        part.size,
    )
    extension = b"%b %b" % (_text(values.get(b"content-md5")), _common_extension(values))
    embedded = part.embedded
    if embedded is not None:
        inner = build_structures(data, embedded)
        described = b"%b %b" % (basic, build_envelope(data, embedded, MAX_FEW))
        return Structures(
            b"(%b %b %d %b)" % (described, inner.extended, part.lines, extension),
            b"(%b %b %d)" % (described, inner.basic, part.lines),
        )
    if kind.main == b"text":
        basic = b"%b %d" % (basic, part.lines)
    return Structures(b"(%b %b)" % (basic, extension), b"(%b)" % basic)


def _multipart(data: bytes, part: Part) -> Structures:
    inner = [build_structures(data, child) for child in part.children]
    sub = string(part.content_type.sub)
    extension = b"%b %b" % (_parameters(part.content_type.parameters), _common_extension(_values(data, part)))
    return Structures(
        b"(%b %b %b)" % (b"".join([each.extended for each in inner]), sub, extension),
        b"(%b %b)" % (b"".join([each.basic for each in inner]), sub),
    )


def _values(data: bytes, part: Part) -> dict[bytes, bytes]:
    """The raw values of the part's Content- fields; of a repeated one the first counts."""
    values: dict[bytes, bytes] = {}
    for field in part.fields:
        if field.name.startswith(b"content-"):
            values.setdefault(field.name, data[field.value_start : field.end])
    return values


def _common_extension(values: dict[bytes, bytes]) -> bytes:
    return b"%b %b %b" % (
        _disposition(values.get(b"content-disposition")),
        _language(values.get(b"content-language")),
        _text(values.get(b"content-location")),
    )


def _text(value: bytes | None) -> bytes:
    return NIL if value is None else nstring(unfold(value[:MAX_VALUE]) or None)


def _encoding(value: bytes | None) -> bytes:
    token = None if value is None else first_token(value)
    return _DEFAULT_ENCODING if token is None else string(token)


def _parameters(parameters: Parameters) -> bytes:
    if not parameters:
        return NIL
    return b"(%b)" % b" ".join([b"%b %b" % (string(name), string(value)) for name, value in parameters])


def _disposition(value: bytes | None) -> bytes:
    parsed = None if value is None else parse_disposition(value)
    if parsed is None:
        return NIL
    return b"(%b %b)" % (string(parsed[0]), _parameters(parsed[1]))


def _language(value: bytes | None) -> bytes:
    tags = [] if value is None else _LANGUAGE.findall(unfold(value))[:_MAX_LANGUAGES]
    return b"(%b)" % b" ".join([string(tag) for tag in tags]) if tags else NIL
