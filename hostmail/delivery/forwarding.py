"""How mail leaves that somebody here has forwarded (E1)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from hostmail.address import Address
from hostmail.decisions import Forward
from hostmail.envelope import Envelope, Recipient


def reverse_path(sender: Address | None, forwarder: Address) -> Address | None:
    """Who hears of trouble with mail that `forwarder` sends on: its sender. The null sender stays null."""
    del forwarder
    return sender


def forwarded(
    envelope: Envelope, forwards: Sequence[tuple[Recipient, Forward]]
) -> list[tuple[Envelope, list[Recipient]]]:
    """The envelopes to queue: one for each reverse-path, with the recipients that leave under it."""
    by_path: dict[Address | None, list[Recipient]] = {}
    for recipient, forward in forwards:
        further = Recipient(forward.address, recipient.notify, recipient.known_as)
        by_path.setdefault(reverse_path(envelope.reverse_path, forward.forwarder), []).append(further)
    return [(_under(envelope, path, recipients), recipients) for path, recipients in by_path.items()]


def _under(envelope: Envelope, path: Address | None, recipients: list[Recipient]) -> Envelope:
    utf8 = envelope.smtputf8 or not all(each.address.is_ascii for each in recipients)
    return replace(envelope, reverse_path=path, smtputf8=utf8, recipients=recipients)
