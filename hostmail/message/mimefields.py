"""Structured header field values: unfolding, and MIME's `value; name=value` form (RFC 2045 5.1, RFC 2183).

Lenient: what can be understood is, the rest is left out. Cost is linear in the value, which is cut at `MAX_VALUE`.
"""

from __future__ import annotations

import re

from msgspec import Struct

MAX_VALUE = 16 * 1024
MAX_PARAMETERS = 100

Parameters = tuple[tuple[bytes, bytes], ...]

_TOKEN = rb"[!#$%&'*+.0-9A-Z^_`a-z{|}~\-]"
_MEDIA_TYPE = re.compile(rb"\s*(%b++)\s*/\s*(%b++)\s*(?=[;(]|\Z)" % (_TOKEN, _TOKEN))
_FIRST_TOKEN = re.compile(rb"\s*(%b++)" % _TOKEN)
_PARAMETER = re.compile(rb';\s*+([^\s;=()"<>@,]++)\s*+=\s*+(?:"((?:[^"\\]++|\\.)*+)"?|([^;]*+))', re.S)
_ESCAPED = re.compile(rb"\\(.)", re.S)
_COMMENT = re.compile(rb"(?:\A|\s)\(.*", re.S)


class ContentType(Struct, frozen=True, gc=False):
    """A media type in lower case, with its parameters (names in lower case, values as written, unquoted)."""

    main: bytes
    sub: bytes
    parameters: Parameters = ()

    def parameter(self, name: bytes) -> bytes | None:
        """The first parameter of that (lower case) name."""
        for key, value in self.parameters:
            if key == name:
                return value
        return None


TEXT_PLAIN = ContentType(b"text", b"plain", ((b"charset", b"us-ascii"),))
EMBEDDED_MESSAGE = ContentType(b"message", b"rfc822")
OPAQUE = ContentType(b"application", b"octet-stream")


def unfold(value: bytes) -> bytes:
    """A field's value on one line, without white space around it (RFC 5322 2.2.3); a tab that began a line is a space."""
    value = value.strip(b" \t\r\n")
    if b"\n" in value:
        value = value.replace(b"\r\n", b"\n").replace(b"\n\t", b" ").replace(b"\n", b"")
    return value


def parse_content_type(value: bytes, default: ContentType = TEXT_PLAIN) -> ContentType:
    """The media type; what is not `type/subtype` counts as `default` (RFC 2045 5.2)."""
    value = unfold(value[:MAX_VALUE])
    match = _MEDIA_TYPE.match(value)
    if match is None:
        return default
    return ContentType(match[1].lower(), match[2].lower(), parse_parameters(value, match.end()))


def parse_disposition(value: bytes) -> tuple[bytes, Parameters] | None:
    """Content-Disposition as (lower case type, parameters), or None."""
    value = unfold(value[:MAX_VALUE])
    match = _FIRST_TOKEN.match(value)
    if match is None:
        return None
    return match[1].lower(), parse_parameters(value, match.end())


def first_token(value: bytes) -> bytes | None:
    """The first token in lower case, comments and the rest left out (Content-Transfer-Encoding)."""
    match = _FIRST_TOKEN.match(unfold(value[:MAX_VALUE]))
    return match[1].lower() if match else None


def parse_parameters(value: bytes, position: int = 0) -> Parameters:
    """`;name=value` pairs from `position` on. A parameter with nothing after `=` is left out.

    RFC 2231's `name*0*` forms are kept as they are: IMAP clients put them together themselves.
    """
    if position >= len(value):
        return ()
    found: list[tuple[bytes, bytes]] = []
    for match in _PARAMETER.finditer(value, position):
        name, inside_quotes, bare = match.groups()
        if inside_quotes is not None:
            content = _ESCAPED.sub(rb"\1", inside_quotes) if b"\\" in inside_quotes else inside_quotes
        else:
            content = _without_comment(bare)
            if not content:
                continue
        found.append((name.lower(), content))
        if len(found) == MAX_PARAMETERS:
            break
    return tuple(found)


def _without_comment(value: bytes) -> bytes:
    if b"(" in value:
        value = _COMMENT.sub(b"", value)
    return value.strip()
