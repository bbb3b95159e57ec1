"""Automatic answers: whether a message may have one (RFC 3834), and its text. Pure; sending them is for `answering`."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass

from hostmail.address import Address
from hostmail.delivery.ours import in_header, letter
from hostmail.errors import BadAddress
from hostmail.interfaces.autoresponders import Autoresponder
from hostmail.message.addresses import parse_addresses
from hostmail.message.decode import decode_header
from hostmail.message.headers import field_value, field_values, is_spam, message_id

MAX_SUBJECT, MAX_REFERENCES = 400, 20
MAX_NAMED, MAX_FIELDS = 64 * 1024, 20

# Longer ones would not fit into a line of a header (RFC 5322 2.1.1).
_MESSAGE_ID = re.compile(rb"<[!-;=?-~]{1,900}>")

_MACHINES = re.compile(
    r"(?:owner-.*|.*-owner|.*-request|.*-bounces?(?:[+=].*)?|bounces?(?:[+=_-].*)?|mailer-daemon|listserv|majordomo|no-?reply.*|do-?not-?reply.*)\Z",
    re.IGNORECASE,
)
_LIST_FIELDS = (
    b"list-id",
    b"list-post",
    b"list-unsubscribe",
    b"list-help",
    b"list-subscribe",
    b"list-owner",
    b"list-archive",
    b"mailing-list",
    b"x-mailing-list",
)
_BULK = frozenset({b"bulk", b"list", b"junk", b"auto_reply"})
_AUTOMATIC_FIELDS = (b"x-autoreply", b"x-autorespond")
_SUPPRESSED = frozenset({b"all", b"oof", b"autoreply"})
_RECIPIENT_FIELDS = (b"to", b"cc", b"bcc", b"resent-to", b"resent-cc", b"resent-bcc")


def why_not(header: bytes, sender: Address | None, names: Collection[Address], caught: str) -> str:
    """Why a message has no automatic answer, "" if it may have one (E4; RFC 3834 2).

    `names` are the addresses the message came here under, and the mailbox's own; `caught` what a catch-all caught.
    """
    if sender is None:
        return "null sender"
    keys = {name.key for name in names}
    if caught:
        return "caught by the default address"
    if sender.key in keys:
        return "from the mailbox itself"
    if _MACHINES.match(sender.local) or _by_a_machine(header):
        return "sent by a machine"
    if sent_automatically(header):
        return "sent automatically"
    return _impersonal(header) or ("" if _is_addressed(header, keys) else "not addressed to the mailbox by name")


def sent_automatically(header: bytes) -> bool:
    """Whether it says so (RFC 3834 5), or as programs did before there was a field for that."""
    said = (value.partition(b";")[0].strip().lower() for value in field_values(header, b"auto-submitted"))
    return any(word != b"no" for word in said) or any(
        field_value(header, name) is not None for name in _AUTOMATIC_FIELDS
    )


def is_bulk(header: bytes) -> bool:
    """Whether its Precedence says that many get it."""
    return any(value.strip().lower() in _BULK for value in field_values(header, b"precedence"))


def _impersonal(header: bytes) -> str:
    if any(field_value(header, name) is not None for name in _LIST_FIELDS):
        return "from a mailing list"
    if is_bulk(header):
        return "bulk mail"
    suppressed = b",".join(field_values(header, b"x-auto-response-suppress")).lower()
    if not _SUPPRESSED.isdisjoint(word.strip() for word in suppressed.split(b",")):
        return "its sender wants no automatic answer"
    return "spam" if is_spam(header) else ""


def _is_addressed(header: bytes, keys: Collection[str]) -> bool:
    """Whether one of these addresses is named in To, Cc, Bcc or their Resent- kin (RFC 3834 2).

    Only the first 64 KiB are looked at, and some fields of each name: this is done between other people's commands.
    """
    header = header[:MAX_NAMED]
    for name in _RECIPIENT_FIELDS:
        for value in field_values(header, name)[:MAX_FIELDS]:
            for found in parse_addresses(value):
                text = f"{(found.mailbox or b'').decode('utf-8', 'replace')}@{(found.host or b'').decode('utf-8', 'replace')}"
                if _key(text) in keys:
                    return True
    return False


def _by_a_machine(header: bytes) -> bool:
    """Whether its author is called as programs are: shops and the like give each mail a reverse-path whose name says nothing."""
    found = (
        each for value in field_values(header, b"from")[:MAX_FIELDS] for each in parse_addresses(value[:MAX_NAMED])
    )
    return any(_MACHINES.match((each.mailbox or b"").decode("utf-8", "replace")) for each in found)


def _key(text: str) -> str:
    try:
        return Address.parse(text).key
    except BadAddress:
        return ""


def is_on(autoresponder: Autoresponder, now: float) -> bool:
    """Whether it answers at this time."""
    begun = autoresponder.starts is None or autoresponder.starts <= now
    return begun and (autoresponder.until is None or now < autoresponder.until)


@dataclass(frozen=True, slots=True)
class From:
    """Who answers: the mailbox's address; when; and a Message-ID without brackets that nobody else uses."""

    address: str
    now: float
    unique: str


def answer(autoresponder: Autoresponder, header: bytes, sender: Address, origin: From) -> bytes:
    """The whole answer in CRLF (RFC 3834 3): to the reverse-path, marked so that no machine answers it."""
    author, subject = Address.parse(origin.address), autoresponder.subject or _subject(header)
    utf8 = not (sender.is_ascii and author.is_ascii)
    message = letter(in_header(author), sender, subject, origin.unique, now=origin.now, utf8=utf8)
    message["Auto-Submitted"] = "auto-replied"
    message["X-Auto-Response-Suppress"] = "All"
    message.set_content(autoresponder.text.replace("\r\n", "\n"), charset="utf-8")
    return thread_fields(header) + message.as_bytes()


def thread_fields(header: bytes) -> bytes:
    """In-Reply-To and References of an answer (RFC 5322 3.6.4), each Message-ID whole on a line: `EmailMessage` would encode long ones."""
    replied_to = message_id(header)
    if replied_to is None or not _MESSAGE_ID.fullmatch(replied_to):
        return b""
    references = b"\r\n ".join([*_references(header), replied_to])
    return b"In-Reply-To: " + replied_to + b"\r\nReferences: " + references + b"\r\n"


def readable(header: bytes, name: bytes) -> str:
    """A field as one line of text, which may be shown to people; "" if there is none."""
    original = decode_header(field_value(header, name) or b"", MAX_SUBJECT)
    return " ".join("".join(letter if letter.isprintable() else " " for letter in original).split())


def _subject(header: bytes) -> str:
    return "Auto: " + readable(header, b"subject")


def _references(header: bytes) -> list[bytes]:
    """The first one, which began the conversation, and the last ones."""
    words = (field_value(header, b"references") or b"").split()
    known = [word for word in words if _MESSAGE_ID.fullmatch(word)]
    return [*known[:1], *known[1:][-(MAX_REFERENCES - 2) :]]
