"""SORT's order (RFC 5256 section 3, DISPLAY of RFC 5957): what is read of each message, and how two compare.

The keys come from the columns and from the ENVELOPEs that the index has ready, so that no message is opened.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from hostmail.interfaces.mailstore import CachedMessage
from hostmail.message.addresses import MailAddress
from hostmail.message.basesubject import base_subject
from hostmail.message.charsets import folded
from hostmail.message.decode import decode_header
from hostmail.message.envelopereader import EnvelopeValues, read_envelope
from hostmail.protocols.imap.selected import Selected
from hostmail.protocols.imap.steps import Steps, ordered
from hostmail.protocols.imap.tokens import BadSyntax, Cursor

MOST_CRITERIA = 20


@dataclass(frozen=True, slots=True)
class Criterion:
    """One thing to sort by."""

    name: bytes
    reverse: bool = False


def _display(address: MailAddress | None) -> str:
    """The name that people see, else the whole address (RFC 5957 section 3)."""
    if address is None:
        return ""
    if address.name:
        return folded(decode_header(address.name))
    return folded(_text(address.mailbox) + ("@" + _text(address.host) if address.host else ""))


def _mailbox(address: MailAddress | None) -> str:
    return "" if address is None else folded(_text(address.mailbox))


def _text(octets: bytes | None) -> str:
    return (octets or b"").decode("utf-8", "replace")


def subject_text(values: EnvelopeValues) -> str:
    """The subject as people read it, before its marks are taken off."""
    return decode_header(values.subject or b"")


_FROM_ENVELOPE: dict[bytes, Callable[[EnvelopeValues], str]] = {
    b"CC": lambda values: _mailbox(values.cc),
    b"FROM": lambda values: _mailbox(values.sender),
    b"TO": lambda values: _mailbox(values.to),
    b"SUBJECT": lambda values: folded(base_subject(subject_text(values)).text),
    b"DISPLAYFROM": lambda values: _display(values.sender),
    b"DISPLAYTO": lambda values: _display(values.to),
}
_FROM_COLUMNS = frozenset({b"ARRIVAL", b"SIZE"})
CRITERIA = _FROM_COLUMNS | _FROM_ENVELOPE.keys() | {b"DATE"}


def read_criteria(cursor: Cursor) -> list[Criterion]:
    """`(REVERSE DATE SUBJECT)`."""
    reverse = False
    found: list[Criterion] = []

    def word() -> None:
        nonlocal reverse
        name = cursor.keyword()
        if name == b"REVERSE" and not reverse:
            reverse = True
            return
        if name not in CRITERIA:
            raise BadSyntax("unknown sort criterion")
        found.append(Criterion(name, reverse))
        reverse = False

    cursor.parenthesised(word)
    if not found or reverse or len(found) > MOST_CRITERIA:
        raise BadSyntax("no sort criteria, or too many")
    return found


def needs_headers(criteria: Sequence[Criterion]) -> bool:
    """Whether the columns are not enough."""
    return any(criterion.name not in _FROM_COLUMNS for criterion in criteria)


class SortKeys:
    """The keys of some messages, column by column, filled batch by batch."""

    def __init__(self, selected: Selected, criteria: Sequence[Criterion]) -> None:
        self._selected = selected
        self._criteria = [criterion for criterion in criteria if criterion.name not in _FROM_COLUMNS]
        self._wants_envelope = any(criterion.name != b"DATE" for criterion in self._criteria)
        self._keys: dict[bytes, dict[int, Any]] = {criterion.name: {} for criterion in self._criteria}

    def learn(self, index: int, cached: CachedMessage) -> None:
        """Take a message's keys from what the index knows of it."""
        values = read_envelope(cached.envelope) if self._wants_envelope else None
        for name, keys in self._keys.items():
            if values is not None and name != b"DATE":
                keys[index] = _FROM_ENVELOPE[name](values)
            elif name == b"DATE":
                keys[index] = sent_date(self._selected, index, cached)

    def key(self, name: bytes) -> Callable[[int], Any]:
        """The key function of one criterion."""
        if name == b"ARRIVAL":
            return self._selected.dates.__getitem__
        if name == b"SIZE":
            return self._selected.sizes.__getitem__
        return self._keys[name].__getitem__

    def knows(self, index: int) -> bool:
        """Whether the message was there when its keys were read."""
        return all(index in keys for keys in self._keys.values())


def sent_date(selected: Selected, index: int, cached: CachedMessage) -> int:
    """The Date field, or the internal date for want of that (RFC 5256 section 2.2)."""
    return selected.dates[index] if cached.sent_date is None else cached.sent_date


def sort(indices: Sequence[int], criteria: Sequence[Criterion], keys: SortKeys) -> Steps[list[int]]:
    """In the order asked for; what is equal stays in the order of the folder, reversed or not."""
    found = [index for index in indices if keys.knows(index)]
    for criterion in reversed(distinct(criteria)):
        found = yield from ordered(found, keys.key(criterion.name), criterion.reverse)
    return found


def distinct(criteria: Sequence[Criterion]) -> list[Criterion]:
    """Those that can make a difference: the first of each name."""
    found: dict[bytes, Criterion] = {}
    for criterion in criteria:
        found.setdefault(criterion.name, criterion)
    return list(found.values())
