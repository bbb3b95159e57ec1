"""ENVELOPE, ready to be sent (RFC 3501 7.4.2)."""

from __future__ import annotations

from hostmail.message.addresses import MAX_ADDRESSES, MailAddress, parse_addresses
from hostmail.message.imaptext import NIL, string
from hostmail.message.mimefields import unfold
from hostmail.message.scan import Part

MAX_FEW = 100
MAX_TEXT = 8 * 1024
MAX_ADDRESS_TEXT = 1024

NIL_ENVELOPE = b"(NIL NIL NIL NIL NIL NIL NIL NIL NIL NIL)"

_ADDRESS_LISTS = frozenset((b"from", b"sender", b"reply-to", b"to", b"cc", b"bcc"))
_RECIPIENTS = frozenset((b"to", b"cc", b"bcc"))
_WANTED = _ADDRESS_LISTS | {b"date", b"subject", b"in-reply-to", b"message-id"}


def build_envelope(data: bytes, message: Part, most: int = MAX_ADDRESSES) -> bytes:
    """The envelope of a message (a scan's root, or an embedded one).

    Of a repeated field the first counts, except that recipients are gathered from all. An absent or empty Sender or Reply-To is
    From, as the RFC demands. `most` bounds each list of recipients; very long texts are cut.
    """
    texts = _wanted_values(data, message)
    lists = {
        name: address_list(parse_addresses(texts[name], most if name in _RECIPIENTS else min(most, MAX_FEW)))
        for name in _ADDRESS_LISTS
        if name in texts
    }
    sender = lists.get(b"from", NIL)
    return b"(%b %b %b %b %b %b %b %b %b %b)" % (
        _text(texts.get(b"date")),
        _text(texts.get(b"subject")),
        sender,
        _or_from(lists.get(b"sender", NIL), sender),
        _or_from(lists.get(b"reply-to", NIL), sender),
        lists.get(b"to", NIL),
        lists.get(b"cc", NIL),
        lists.get(b"bcc", NIL),
        _text(texts.get(b"in-reply-to")),
        _text(texts.get(b"message-id")),
    )


def address_list(addresses: list[MailAddress]) -> bytes:
    """A parenthesised list of address structures, or NIL for none."""
    if not addresses:
        return NIL
    return b"(%b)" % b"".join(
        [
            b"(%b %b %b %b)" % tuple([NIL if text is None else string(text[:MAX_ADDRESS_TEXT]) for text in address])
            for address in addresses
        ]
    )


def _text(value: bytes | None) -> bytes:
    return NIL if value is None else string(value[:MAX_TEXT])


def _or_from(value: bytes, sender: bytes) -> bytes:
    return sender if value == NIL else value


def _wanted_values(data: bytes, message: Part) -> dict[bytes, bytes]:
    texts: dict[bytes, bytes] = {}
    for field in message.fields:
        name = field.name
        if name not in _WANTED:
            continue
        if name not in texts:
            texts[name] = unfold(data[field.value_start : field.end])
        elif name in _RECIPIENTS:
            texts[name] = b"%b, %b" % (texts[name], unfold(data[field.value_start : field.end]))
    return texts
