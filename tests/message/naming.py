"""Sections as tests write them: what stands between the brackets of BODY[...]."""

from __future__ import annotations

import re

from hostmail.message.sections import Section, What

_PATH = re.compile(rb"((?:[1-9][0-9]{0,8})(?:\.[1-9][0-9]{0,8})*)(?:\.(?=[A-Za-z])|\Z)")
_FIELDS = re.compile(rb"HEADER\.FIELDS(\.NOT)?\s*\((.*)\)", re.I | re.S)
_NAME = re.compile(rb'\s*(?:"((?:[^"\\]|\\.)*+)"|([^\s"(){}]++))', re.S)


def parse_section(text: bytes) -> Section:
    """Read what stands between the brackets of BODY[...]; raises ValueError if it is no section.

    Field names may be atoms or quoted strings. Whoever receives them as literals makes the `Section` himself.
    """
    path: tuple[int, ...] = ()
    match = _PATH.match(text)
    if match is not None:
        path = tuple([int(number) for number in match[1].split(b".")])
        text = text[match.end() :]
    fields = _FIELDS.fullmatch(text)
    if fields is not None:
        return Section(path, What.FIELDS_NOT if fields[1] else What.FIELDS, _parse_names(fields[2]))
    try:
        what = What(text.decode("ascii").upper())
    except ValueError:
        raise ValueError("not a body section") from None
    if what in (What.FIELDS, What.FIELDS_NOT) or (what is What.MIME and not path):
        raise ValueError("not a body section")
    return Section(path, what)


def _parse_names(text: bytes) -> frozenset[bytes]:
    names: set[bytes] = set()
    text = text.strip()
    position = 0
    while position < len(text):
        match = _NAME.match(text, position)
        if match is None:
            raise ValueError("not a list of field names")
        names.add((match[1] if match[1] is not None else match[2]).lower())
        position = match.end()
    if not names:
        raise ValueError("no field names")
    return frozenset(names)
