"""The base subject: what is left of a subject when reply and forward marks are taken off (RFC 5256 section 2.1).

Sorting and threading compare messages by it, so it is exactly the RFC's, marks of other languages ("AW:", "SV:") included
in the subject like any other word.
"""

from __future__ import annotations

import re
from typing import NamedTuple

LONGEST = 2000

_SPACES = re.compile(r"[ \t\r\n]+")
_TRAILER = re.compile(r"(?:\(fwd\)|[ \t])\Z", re.IGNORECASE)
_LEADER = re.compile(r"(?:\[[^\[\]]*+\]\s*+)*+(?:re|fwd?)\s*+(?:\[[^\[\]]*+\]\s*+)?:|\s", re.IGNORECASE)
_BLOB = re.compile(r"\[[^\[\]]*+\]\s*+")
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
    while found := _TRAILER.search(text):
        is_reply = is_reply or found[0] != " "
        text = text[: found.start()]
    return text, is_reply


def _without_leaders(text: str) -> tuple[str, bool]:
    """A list's tag in brackets goes as well, unless nothing would be left."""
    is_reply = False
    while True:
        if leader := _LEADER.match(text):
            is_reply = is_reply or not leader[0].isspace()
            text = text[leader.end() :]
        elif (blob := _BLOB.match(text)) and blob.end() < len(text):
            text = text[blob.end() :]
        else:
            return text, is_reply
