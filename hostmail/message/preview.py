"""The beginning of what somebody wrote, for message lists (PREVIEW of RFC 8970)."""

from __future__ import annotations

import re

from hostmail.message.decode import decode_text, text_parts
from hostmail.message.htmltext import html_text
from hostmail.message.mimefields import parse_disposition
from hostmail.message.scan import Part

CHARACTERS = 200
READ = 64 * 1024

_SPACES = re.compile(r"\s+")
_QUOTED = re.compile(r"^[ \t]*[>|].*$", re.MULTILINE)
_UNPRINTABLE = re.compile(
    r"[\x00-\x08\x0e-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060\u2066-\u2069\ufeff\xad\u034f]+"
)


def preview(data: bytes, message: Part) -> str:
    """At most 200 characters of the first text that is no attachment: plain if there is any, else HTML's words.

    Quoted lines are left out unless there is nothing else. Empty for messages without words.
    """
    kinds = {b"plain": "", b"html": ""}
    for part in text_parts(message):
        kind = part.content_type.sub
        if kind in kinds and not kinds[kind] and not _is_attachment(data, part):
            text = decode_text(data, part, READ)
            kinds[kind] = _words(html_text(text) if kind == b"html" else text)
            if kinds[b"plain"]:
                break
    return kinds[b"plain"] or kinds[b"html"]


def _is_attachment(data: bytes, part: Part) -> bool:
    value = part.value(data, b"content-disposition")
    parsed = None if value is None else parse_disposition(value)
    return parsed is not None and parsed[0] == b"attachment"


def _words(text: str) -> str:
    text = _UNPRINTABLE.sub("", text)
    own = _SPACES.sub(" ", _QUOTED.sub("", text)).strip()
    return (own or _SPACES.sub(" ", text).strip())[:CHARACTERS].rstrip()
