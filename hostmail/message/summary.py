"""What is kept about each message, made once at delivery: ready IMAP answers, dates, and whom it answers."""

from __future__ import annotations

import re
from collections.abc import Callable
from hashlib import blake2b
from typing import TypeVar

from msgspec import Struct

from hostmail.message.bodystructure import build_structures, plain_structures
from hostmail.message.dates import parse_date
from hostmail.message.envelope import NIL_ENVELOPE, build_envelope
from hostmail.message.keptfields import kept_fields
from hostmail.message.mimefields import unfold
from hostmail.message.scan import Part, scan
from hostmail.message.searchable import searchable_head

_T = TypeVar("_T")

_ID = re.compile(rb"<[^<>\s]{1,998}>")
MAX_REFERENCES = 100


class MessageSummary(Struct, frozen=True):
    """The index's row about a message's content.

    `sent_date` is the Date field's Unix time and `sent_day` its day as written (a proleptic ordinal: SENTON knows no zones), both None
    without a usable Date. `references` are the ids of References (the newest 100), or else the first of In-Reply-To, with spaces
    between them. `digest` tells the message from all others, and its copies not from each other. `head` is what SEARCH asks most
    (`searchable`) and `fields` what message lists are made of (`keptfields`), each None if the message itself has to be asked.
    `faults` names the builders that failed and whose fields are therefore blank: the caller logs them; the message is served all the same.
    """

    size: int
    header_size: int
    envelope: bytes
    bodystructure: bytes
    body: bytes
    sent_date: int | None
    sent_day: int | None
    references: bytes
    digest: bytes
    head: str | None = None
    fields: bytes | None = None
    faults: tuple[str, ...] = ()


def summarise(message: bytes) -> MessageSummary:
    """All of it, for a message with CRLF line ends. Never raises."""
    return summarise_scanned(message, scan(message))


def summarise_scanned(message: bytes, root: Part) -> MessageSummary:
    """The same for a message that has been scanned already."""
    faults: list[str] = []
    body_lines = root.lines or message.count(b"\n", root.body_start)
    plain = plain_structures(root.size, body_lines)
    sent = _built("date", lambda: parse_date(unfold(root.value(message, b"date") or b"")), None, faults)
    structures = _built("bodystructure", lambda: build_structures(message, root), plain, faults)
    return MessageSummary(
        size=len(message),
        header_size=root.body_start,
        envelope=_built("envelope", lambda: build_envelope(message, root), NIL_ENVELOPE, faults),
        bodystructure=structures.extended,
        body=structures.basic,
        sent_date=None if sent is None else sent.timestamp,
        sent_day=None if sent is None else sent.day.toordinal(),
        references=_built("references", lambda: _references(message, root), b"", faults),
        digest=blake2b(b"%d:%b" % (len(message), message[: root.body_start]), digest_size=12).digest(),
        fields=_built("fields", lambda: kept_fields(message, root), None, faults),
        head=_built("head", lambda: searchable_head(message, root), None, faults),
        faults=tuple(faults),
    )


def _references(message: bytes, root: Part) -> bytes:
    """Whom a message answers (RFC 5256 section 3, REFERENCES)."""
    found = _ID.findall(root.value(message, b"references") or b"")
    return b" ".join(found[-MAX_REFERENCES:] or _ID.findall(root.value(message, b"in-reply-to") or b"")[:1])


def _built(name: str, build: Callable[[], _T], fallback: _T, faults: list[str]) -> _T:
    """What `build` makes; whatever goes wrong in it is our fault and must not cost the user his message."""
    try:
        return build()
    except Exception as error:  # noqa: BLE001
        faults.append(f"{name}: {error!r}")
        return fallback
