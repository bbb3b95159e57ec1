"""What routing decides about a recipient: plain values, carried out by others."""

from __future__ import annotations

from dataclasses import dataclass

from hostmail.address import Address
from hostmail.errors import Refusal
from hostmail.listnames import ListWord

CATCH_REFUSE, CATCH_DISCARD, CATCH_DEFAULT = "refuse", "discard", "default"
"""What a domain may do with mail for unknown names (E2), beside having it go to an address; the last is its default mailbox."""


@dataclass(frozen=True, slots=True)
class IntoMailbox:
    """Deliver into `folder` of the local account `account_id`; `delivered_to` is the account's address.

    `addressed` is the address that the client named, "" if that is the account's own. `caught` is the unknown address that a
    catch-all has caught on the way here, "" if none has: such mail gets no answer from an autoresponder (E4).
    """

    account_id: int
    delivered_to: str
    folder: str = "INBOX"
    addressed: str = ""
    caught: str = ""


@dataclass(frozen=True, slots=True)
class Forward:
    """Send on to `address` elsewhere, on behalf of `forwarder`: the address here whose owner wants it so (E1).

    Nobody needs a permission to relay for that. `caught` as in `IntoMailbox`.
    """

    address: Address
    forwarder: Address
    caught: str = ""


@dataclass(frozen=True, slots=True)
class Discard:
    """Take it and keep nothing, since a domain's owner wants that for the unknown name `caught` (E2)."""

    caught: str


@dataclass(frozen=True, slots=True)
class ToList:
    """A post for the mailing list `address` (E3). `approved` is one that has been judged already, and may go to its members."""

    list_id: int
    address: Address
    size_bytes: int
    approved: bool = False


@dataclass(frozen=True, slots=True)
class ListCommand:
    """Mail to one of the addresses around the mailing list `list_address`; `address` is it, and `tag` what follows its +."""

    list_address: Address
    word: ListWord
    tag: str
    address: Address


@dataclass(frozen=True, slots=True)
class Relay:
    """Not ours: hand it to the queue, for whoever may relay."""

    address: Address


@dataclass(frozen=True, slots=True)
class Refuse:
    """Say no at RCPT. `address` is the one among several ends that takes no mail."""

    refusal: Refusal
    address: Address | None = None


ForList = ToList | ListCommand
Target = IntoMailbox | Forward | ToList | ListCommand | Refuse


@dataclass(frozen=True, slots=True)
class Several:
    """One recipient, several ends: at least one of them takes the mail, and each is there once.

    A `Refuse` among them is an end that takes none, a mailbox that is suspended or gone: as soon as another one has the mail, the sender
    gets a report about it.
    """

    targets: tuple[Target, ...]


Decision = IntoMailbox | Forward | ToList | ListCommand | Discard | Relay | Refuse | Several


def targets_of(decision: Decision) -> tuple[Decision, ...]:
    """The ends a decision names: those of `Several`, or itself alone."""
    return decision.targets if isinstance(decision, Several) else (decision,)
