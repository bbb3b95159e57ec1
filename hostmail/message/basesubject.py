"""The base subject: what is left of a subject when reply and forward marks are taken off (RFC 5256 section 2.1).

Sorting and threading compare messages by it, so it is exactly the RFC's, marks of other languages ("AW:", "SV:") included
in the subject like any other word.
"""

from __future__ import annotations

import re
from typing import NamedTuple

LONGEST = 2000

_SPACES = re.compile(r"[ \t\r\n]+")
_TRAILER = "(fwd)"
_BLOBS = re.compile(r"\s*+(?:\[[^\[\]]*+\]\s*+)*+")
_REFWD = re.compile(r"(?:re|fwd?)\s*+(?:\[[^\[\]]*+\]\s*+)?:", re.IGNORECASE)
_FORWARDED = re.compile(r"\[fwd:(.*)\]\Z", re.IGNORECASE)


class BaseSubject(NamedTuple):
    """The subject without marks, and whether there were any that say reply or forward."""

    text: str
    is_reply: bool


def base_subject(subject: str) -> BaseSubject:
    """Of a decoded subject, of which the first 2,000 characters count."""
    text = _SPACES.sub(" ", subject[:LONGEST])
    is_reply = False
    while True:
        text, trailed = _without_trailers(text)
        text, led = _without_leaders(text)
        is_reply = is_reply or trailed or led
        forwarded = _FORWARDED.match(text)
        if forwarded is None:
            return BaseSubject(text, is_reply)
        text, is_reply = forwarded[1], True


def _without_trailers(text: str) -> tuple[str, bool]:
    is_reply = False
    while (text := text.rstrip(" "))[-len(_TRAILER) :].lower() == _TRAILER:
        text, is_reply = text[: -len(_TRAILER)], True
    return text, is_reply


def _without_leaders(text: str) -> tuple[str, bool]:
    """Tags in brackets go as well, but for the last one if nothing else would be left. Each character is looked at once."""
    start, end, is_reply = 0, _after_blobs(text, 0), False
    while leader := _REFWD.match(text, end):
        start, is_reply = leader.end(), True
        end = _after_blobs(text, start)
    if end == len(text) and (last := text.rfind("[", start)) >= 0:
        end = last
    return text[end:], is_reply


def _after_blobs(text: str, start: int) -> int:
    found = _BLOBS.match(text, start)
    assert found is not None
    return found.end()
