"""The header of a post as members get it: the list's own fields (RFC 2369, 2919), and a From that survives DMARC. Pure."""

from __future__ import annotations

from email.headerregistry import Address as HeaderAddress
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import quote as quote_text
from urllib.parse import quote

from hostmail.address import Address
from hostmail.delivery.lists.judging import list_id
from hostmail.interfaces.lists import MailingList, MayPost
from hostmail.listnames import ListWord, around
from hostmail.message.addresses import parse_addresses
from hostmail.message.decode import decode_header
from hostmail.message.headers import field_value, remove_field

MAX_NAME, MAX_AUTHORS = 80, 900
_SPECIALS = frozenset('()<>[]:;@\\,."')

_REPLACED = (
    b"list-id",
    b"list-post",
    b"list-help",
    b"list-subscribe",
    b"list-unsubscribe",
    b"list-unsubscribe-post",
    b"list-owner",
    b"list-archive",
    b"precedence",
)
# What would have every member's program send something back to the author.
_RECEIPTS = (b"disposition-notification-to", b"return-receipt-to", b"x-confirm-reading-to")


def list_fields(found: MailingList) -> bytes:
    """What the list says about itself. How to leave is said to each member for himself: see `unsubscribe_fields`."""
    address = found.parsed
    post = "NO" if found.post == MayPost.OWNERS else mailto(address)
    lines = [
        _field("List-Id", _phrase(found.description)).rstrip() + f" <{list_id(address)}>\r\n".encode(),
        _line("List-Post", post),
        _line("List-Help", mailto(around(address, ListWord.REQUEST))),
        _line("List-Subscribe", mailto(around(address, ListWord.SUBSCRIBE))),
        _line("List-Owner", mailto(around(address, ListWord.OWNER))),
        _line("Precedence", "list"),
    ]
    return b"".join(lines)


def unsubscribe_fields(address: Address, url: str) -> bytes:
    """How to leave: by mail, and with one click at an https `url` of the member's own (RFC 8058), if there is one."""
    by_mail = mailto(around(address, ListWord.UNSUBSCRIBE))
    if not url:
        return _line("List-Unsubscribe", by_mail)
    post = _line("List-Unsubscribe-Post", "List-Unsubscribe=One-Click")
    return _line("List-Unsubscribe", f"<{url}>,\r\n {by_mail}") + post


def _phrase(text: str) -> str:
    """As RFC 2919 has it: quoted where it holds what has a meaning there; other than ASCII becomes encoded words."""
    return f'"{quote_text(text)}"' if text.isascii() and not _SPECIALS.isdisjoint(text) else text


def mailto(address: Address) -> str:
    """<mailto:...> (RFC 6068)."""
    return f"<mailto:{quote(address.local, safe='!$*+-._~')}@{address.domain}>"


def cleaned(header: bytes) -> bytes:
    """Without what the list says itself, and what asks for receipts; the same octets if there is nothing of that."""
    for name in (*_REPLACED, *_RECEIPTS):
        header = remove_field(header, name)
    return header


def from_list(header: bytes, found: MailingList) -> bytes:
    """From the list on behalf of its author, who gets the replies (to the list's address go those to all).

    For authors whose domain lets nobody else send in its name: members' servers would refuse the mail, and the member be dropped for it.
    """
    written = field_value(header, b"from") or b""
    author = next((each for each in parse_addresses(written) if each.mailbox), None)
    if len(written) > MAX_AUTHORS and author is not None:
        written = b"%b@%b" % (author.mailbox or b"", author.host or b"")
    name = decode_header(author.name) if author is not None and author.name else ""
    name = "".join(letter if letter.isprintable() else " " for letter in name).strip()
    if author is not None and not name:
        name = (author.mailbox or b"").decode("utf-8", "replace")
    address = found.parsed
    sender = HeaderAddress(f"{name[:MAX_NAME]} via {address.local}", address.local, address.domain)
    fields = _field("From", sender) + b"X-Original-From: " + written + b"\r\n"
    if field_value(header, b"reply-to") is None:
        fields += b"Reply-To: " + written + b"\r\n"
    return fields + remove_field(header, b"from")


def _line(name: str, value: str) -> bytes:
    return f"{name}: {value}\r\n".encode()


def _field(name: str, value: str | HeaderAddress) -> bytes:
    """One field, encoded and folded."""
    message = EmailMessage(policy=SMTP)
    message[name] = value
    return message.as_bytes().removesuffix(b"\r\n")
