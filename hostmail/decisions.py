"""What routing decides about a recipient: plain values, carried out by others."""

from __future__ import annotations

from dataclasses import dataclass

from hostmail.address import Address
from hostmail.errors import Refusal


@dataclass(frozen=True, slots=True)
class IntoMailbox:
    """Deliver into `folder` of the local account `account_id`; `delivered_to` is the account's address."""

    account_id: int
    delivered_to: str
    folder: str = "INBOX"


@dataclass(frozen=True, slots=True)
class Relay:
    """Not ours: hand it to the queue, for whoever may relay."""

    address: Address


@dataclass(frozen=True, slots=True)
class Refuse:
    """Say no at RCPT."""

    refusal: Refusal


Decision = IntoMailbox | Relay | Refuse
