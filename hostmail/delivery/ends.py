"""Where one message goes: the decisions about all its recipients, sorted by what has to be done. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from hostmail.address import Address, caseless
from hostmail.decisions import (
    Decision,
    Discard,
    ForList,
    Forward,
    IntoMailbox,
    ListCommand,
    Refuse,
    Relay,
    ToList,
    targets_of,
)
from hostmail.envelope import Recipient
from hostmail.errors import Refusal


@dataclass(slots=True)
class Mailbox:
    """One local mailbox, and all recipients of the message that lead there: it gets one copy. `waits`: it is tried again from the queue."""

    decision: IntoMailbox
    recipients: list[Recipient] = field(default_factory=list)
    answer: Refusal | None = None
    waits: bool = False

    @property
    def address(self) -> Address:
        """Whose it is."""
        return Address.parse(self.decision.delivered_to)


@dataclass(slots=True)
class Nowhere:
    """One end of a recipient that takes no mail, beside others that do: its sender hears of it, or it is tried again."""

    answer: Refusal
    recipients: list[Recipient]
    address: Address
    waits: bool = False


End = Mailbox | Nowhere


def waiting(ends: Sequence[End]) -> list[Recipient]:
    """The recipients as they wait in the queue for another try at these ends alone."""
    return [_waiting(end, each) for end in ends for each in end.recipients]


def _waiting(end: End, named: Recipient) -> Recipient:
    addressed = "" if named.address.key == end.address.key else str(named.address)
    caught = end.decision.caught if isinstance(end, Mailbox) else ""
    return Recipient(end.address, named.notify, named.orcpt, routed=True, addressed=addressed, caught=caught)


@dataclass(slots=True)
class Ends:
    """`elsewhere` are recipients to be relayed, `forwards` those that somebody here sends on, each outside address once.

    `lists` are those whose mail a mailing list gets from the queue.

    `caught` are the unknown addresses that catch-alls have caught, by what their spellings have in common; `discards` are the recipients
    whose mail is not kept, and `withheld` those to whom it is not forwarded because it is spam. `leads` tells which other address each
    recipient led to, whatever becomes of it there: several may lead to one.
    """

    mailboxes: list[Mailbox] = field(default_factory=list)
    elsewhere: list[Recipient] = field(default_factory=list)
    forwards: list[tuple[Recipient, Forward]] = field(default_factory=list)
    lists: list[tuple[Recipient, ForList]] = field(default_factory=list)
    nowhere: list[Nowhere] = field(default_factory=list)
    caught: dict[str, str] = field(default_factory=dict)
    discards: list[Recipient] = field(default_factory=list)
    withheld: list[Recipient] = field(default_factory=list)
    leads: list[tuple[Recipient, str]] = field(default_factory=list)

    @property
    def leaves(self) -> bool:
        """True if the message goes into the queue."""
        return bool(self.elsewhere or self.forwards or self.lists)


def sort_out(decisions: Sequence[tuple[Recipient, Decision]]) -> Ends:
    """All ends, the mailboxes in the order they were named."""
    ends = Ends()
    mailboxes: dict[tuple[int, str], Mailbox] = {}
    forwards: dict[str, tuple[Recipient, Forward]] = {}
    lists: dict[str, tuple[Recipient, ForList]] = {}
    for recipient, decision in decisions:
        for end in targets_of(decision):
            if isinstance(end, IntoMailbox):
                mailboxes.setdefault((end.account_id, end.folder), Mailbox(end)).recipients.append(recipient)
            elif isinstance(end, Relay):
                ends.elsewhere.append(recipient)
            elif isinstance(end, Forward):
                forwards.setdefault(end.address.key, (recipient, end))
            elif isinstance(end, ToList | ListCommand):
                lists.setdefault(end.address.key, (recipient, end))
            elif isinstance(end, Refuse):
                ends.nowhere.append(Nowhere(end.refusal, [recipient], end.address or recipient.address))
            elif isinstance(end, Discard):
                ends.discards.append(recipient)
            if address := _other_address(recipient, end):
                ends.leads.append((recipient, address))
            if caught := getattr(end, "caught", ""):
                ends.caught.setdefault(caseless(caught), caught)
    named = {recipient.address.key for recipient in ends.elsewhere}
    ends.lists = list(lists.values())
    ends.mailboxes = list(mailboxes.values())
    ends.forwards = [each for key, each in forwards.items() if key not in named]
    return ends


def _other_address(recipient: Recipient, end: Decision) -> str:
    """Where an end is, "" if that is the very address that was named."""
    if isinstance(end, IntoMailbox):
        address = end.delivered_to
    else:
        address = str((isinstance(end, Forward | Refuse) and end.address) or "")
    return "" if caseless(address) == caseless(str(recipient.address)) else address
