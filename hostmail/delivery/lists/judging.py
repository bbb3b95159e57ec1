"""Whether a mailing list takes a post, and whose posts wait for its owners (E3). Pure."""

from __future__ import annotations

from collections.abc import Collection

from hostmail.address import Address
from hostmail.delivery.autoreply import is_bulk, sent_automatically
from hostmail.errors import BadAddress, MailLoop, MessageTooBig, Refusal
from hostmail.interfaces.lists import MailingList, MayPost
from hostmail.message.addresses import parse_addresses
from hostmail.message.headers import field_values

MAX_AUTHORS = 10

HELD = "held for the list's owners: "
"""What reasons begin with."""


class NotForLists(Refusal):
    """Automatic mail, which would be multiplied, and might be answered automatically by every member."""

    code, enhanced, words = 550, "5.7.1", "this mailing list takes no automatic mail, and none of other lists"


def check_post(list_address: Address, size_bytes: int, header: bytes, sender: Address | None, size: int) -> None:
    """Raises the refusal of a post that no owner could let through. `size` is the message's in octets."""
    if size > size_bytes:
        raise MessageTooBig(f"this mailing list takes messages of at most {size_bytes} octets")
    mine = f"<{list_id(list_address)}>"
    ids = [value.decode("utf-8", "replace").casefold() for value in field_values(header, b"list-id")]
    if any(mine in value for value in ids):
        raise MailLoop(private=f"it has been through {list_address} already")
    if sender is None or ids or sent_automatically(header) or is_bulk(header):
        raise NotForLists(private="null sender" if sender is None else "automatic, bulk or another list's")


def list_id(list_address: Address) -> str:
    """What a list is called for ever (RFC 2919), in lower case."""
    return f"{list_address.local}.{list_address.domain}".casefold()


def authors(header: bytes) -> list[Address]:
    """Who wrote it, by its From; nobody if one of those is no address."""
    found = []
    for value in field_values(header, b"from"):
        for each in parse_addresses(value, MAX_AUTHORS):
            text = f"{(each.mailbox or b'').decode('utf-8', 'replace')}@{(each.host or b'').decode('utf-8', 'replace')}"
            try:
                found.append(Address.parse(text))
            except BadAddress:
                return []
    return found


def why_held(found: MailingList, by: Collection[Address], sender: Address | None, members: Collection[Address]) -> str:
    """Why a post `by` these authors waits for the owners, "" if it may go.

    The author and the reverse-path both count, for neither alone is proof: if either is a stranger's, somebody looks. `members` are those
    of them who are on the list.
    """
    if found.post == MayPost.ANYONE:
        return ""
    if not by:
        return HELD + "it does not say who wrote it"
    may = {owner.key for owner in found.owners}
    if found.post == MayPost.MEMBERS:
        may |= {member.key for member in members}
    who = [*by, *([sender] if sender is not None else [])]
    strangers = sorted({str(one) for one in who if one.key not in may})
    if not strangers:
        return ""
    one, many = (
        ("is not an owner", "are not owners")
        if found.post == MayPost.OWNERS
        else ("is not a member", "are not members")
    )
    return f"{HELD}{' and '.join(strangers)} {one if len(strangers) == 1 else many}"
