"""What the index keeps about a message's content."""

from __future__ import annotations

from traceback import format_exc

from twisted.logger import Logger

from hostmail.interfaces.mailstore import CachedMessage
from hostmail.message.summary import summarise

NIL_ENVELOPE = b"(NIL NIL NIL NIL NIL NIL NIL NIL NIL NIL)"
_PLAIN = b'("TEXT" "PLAIN" ("CHARSET" "us-ascii") NIL NIL "7BIT" %d %d'
log = Logger()


def facts_of(uid: int, message: bytes) -> CachedMessage:
    """Never raises: what cannot be built is NIL, and the log knows."""
    try:
        summary = summarise(message)
    except Exception:  # noqa: BLE001 - no message may stop its own delivery
        log.error("summary_failed: {size} octets\n{trace}", size=len(message), trace=format_exc())
        body = _PLAIN % (len(message), message.count(b"\n"))
        return CachedMessage(uid, NIL_ENVELOPE, body + b" NIL NIL NIL NIL)", body + b")", 0, None)
    if summary.faults:
        log.warn("summary_incomplete: {faults}", faults=summary.faults)
    return CachedMessage(
        uid,
        summary.envelope,
        summary.bodystructure,
        summary.body,
        summary.header_size,
        summary.sent_date,
        summary.sent_day,
        summary.references,
        summary.digest,
        summary.head,
        summary.fields,
    )
