"""How mail leaves that somebody here has forwarded (E1): under a reverse-path of ours, and with our mark against loops."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from hostmail.address import Address
from hostmail.decisions import Forward
from hostmail.envelope import Envelope, Recipient, to_xtext
from hostmail.interfaces.delivery import ISenderRewriting
from hostmail.interfaces.mailstore import ISpoolFile


@dataclass(frozen=True, slots=True)
class Leaving:
    """What is queued for one forwarder, or for a list's members: `mark` goes before the trace fields.

    It is no account's mail any more, whoever sent it: `for_domain`, the forwarder's or the list's, says which way it takes. `content` is
    instead of what it was, and one that is made `anew` has all its time before it.
    """

    envelope: Envelope
    recipients: list[Recipient]
    mark: bytes
    content: ISpoolFile | None = None
    anew: bool = False
    for_domain: str = ""


async def reverse_path(sender: Address | None, forwarder: Address, senders: ISenderRewriting) -> Address | None:
    """Who hears of trouble with mail that `forwarder` sends on; the null sender stays null.

    A sender of another domain is rewritten, for that domain does not let this one send in its name (SPF), and has another way out
    perhaps, with a login of its own, also if both are hosted here: anybody may have written its name.
    """
    if sender is None or sender.domain == forwarder.domain:
        return sender
    return await senders.rewrite(sender, forwarder)


async def leaving(
    envelope: Envelope, forwards: Sequence[tuple[Recipient, Forward]], senders: ISenderRewriting
) -> list[Leaving]:
    """One for each forwarder, with the recipients that leave under his name."""
    by_forwarder: dict[Address, list[Recipient]] = {}
    for recipient, forward in forwards:
        named = recipient.addressed or str(recipient.address)
        further = Recipient(forward.address, recipient.notify, recipient.known_as, addressed=named)
        by_forwarder.setdefault(forward.forwarder, []).append(further)
    return [
        Leaving(
            _under(envelope, await reverse_path(envelope.reverse_path, forwarder, senders), recipients),
            recipients,
            f"Delivered-To: {mark_of(forwarder)}\r\n".encode("ascii"),
            for_domain=forwarder.domain,
        )
        for forwarder, recipients in by_forwarder.items()
    ]


def mark_of(forwarder: Address) -> str:
    """How his mark names him (Delivered-To), in ASCII: any server must be able to take what he sends on."""
    address = str(forwarder)
    return address if address.isascii() else to_xtext(address)


def _under(envelope: Envelope, path: Address | None, recipients: list[Recipient]) -> Envelope:
    addresses = [each.address for each in recipients] + ([path] if path is not None else [])
    utf8 = envelope.smtputf8 or not all(address.is_ascii for address in addresses)
    return replace(envelope, reverse_path=path, smtputf8=utf8, recipients=recipients)
