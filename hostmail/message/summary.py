"""What is kept about each message, made once at delivery: ready IMAP answers, offsets, and texts to search."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from msgspec import Struct

from hostmail.message.bodystructure import build_structures, plain_structures
from hostmail.message.charsets import folded
from hostmail.message.dates import parse_date
from hostmail.message.decode import decode_header
from hostmail.message.envelope import NIL_ENVELOPE, build_envelope
from hostmail.message.mimefields import unfold
from hostmail.message.scan import Part, scan

_T = TypeVar("_T")

_SEARCHED = (b"from", b"to", b"cc", b"bcc", b"subject")


class SearchTexts(Struct, frozen=True):
    """Decoded, case-folded header texts for SEARCH; repeated fields a line each, "" for an absent one."""

    sender: str = ""
    to: str = ""
    cc: str = ""
    bcc: str = ""
    subject: str = ""


class MessageSummary(Struct, frozen=True):
    """The index's row about a message's content.

    `sent_date` is the Date field's Unix time and `sent_day` its day as written (a proleptic ordinal: SENTON knows no zones), both None
    without a usable Date. `message_id` is unfolded as written. `faults` names the builders that failed and whose fields are therefore
    blank: the caller logs them; the message is served all the same.
    """

    size: int
    header_size: int
    lines: int
    envelope: bytes
    bodystructure: bytes
    body: bytes
    sent_date: int | None
    sent_day: int | None
    message_id: bytes | None
    search: SearchTexts
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
    message_id = root.value(message, b"message-id")
    return MessageSummary(
        size=len(message),
        header_size=root.body_start,
        lines=body_lines + message.count(b"\n", 0, root.body_start),
        envelope=_built("envelope", lambda: build_envelope(message, root), NIL_ENVELOPE, faults),
        bodystructure=structures.extended,
        body=structures.basic,
        sent_date=None if sent is None else sent.timestamp,
        sent_day=None if sent is None else sent.day.toordinal(),
        message_id=None if message_id is None else unfold(message_id),
        search=_built("search", lambda: search_texts(message, root), SearchTexts(), faults),
        faults=tuple(faults),
    )


def search_texts(message: bytes, root: Part) -> SearchTexts:
    """The header texts that SEARCH asks for most."""
    texts: dict[bytes, str] = {}
    for field in root.fields:
        if field.name in _SEARCHED:
            text = folded(decode_header(field.value(message)))
            texts[field.name] = f"{texts[field.name]}\n{text}" if field.name in texts else text
    return SearchTexts(*[texts.get(name, "") for name in _SEARCHED])


def _built(name: str, build: Callable[[], _T], fallback: _T, faults: list[str]) -> _T:
    """What `build` makes; whatever goes wrong in it is our fault and must not cost the user his message."""
    try:
        return build()
    except Exception as error:  # noqa: BLE001
        faults.append(f"{name}: {error!r}")
        return fallback
