"""Mail of our own: how it begins, and who takes it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from email.headerregistry import Address as HeaderAddress
from email.message import EmailMessage
from email.policy import SMTP

from hostmail.address import Address
from hostmail.message.dates import format_date


@dataclass(frozen=True, slots=True)
class Cause:
    """Whose affair a message is, and whose way out it takes: a hosted domain's, and an account's where one has caused it.

    Mail without a reverse-path does not tell, and what is of no domain takes the server's way.
    """

    domain: str = ""
    account_id: int | None = None


NOBODYS = Cause()

Submit = Callable[[Address, bytes, Cause], Awaitable[None]]
"""Takes a message of our own to a recipient durably, with the null sender, or raises a Refusal."""


def letter(
    author: HeaderAddress | str, to: Address, subject: str, message_id: str, *, now: float, utf8: bool
) -> EmailMessage:
    """A message with the fields that every one has; `message_id` is without brackets, `now` Unix time. CRLF as octets."""
    message = EmailMessage(policy=SMTP.clone(utf8=utf8))
    message["Date"] = format_date(now).decode()
    message["From"] = author
    message["To"] = in_header(to)
    message["Subject"] = subject
    message["Message-ID"] = f"<{message_id}>"
    return message


def in_header(address: Address, name: str = "") -> HeaderAddress:
    """The address as header fields have it."""
    return HeaderAddress(name, address.local, address.domain)
