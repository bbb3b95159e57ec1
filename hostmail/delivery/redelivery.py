"""Local recipients whose mail had to wait in the queue: delivered from there as they would have been at once."""

from __future__ import annotations

from collections.abc import Sequence

from hostmail.decisions import IntoMailbox
from hostmail.delivery.trace import final_fields
from hostmail.errors import NoSuchRecipient, Refusal
from hostmail.interfaces import Drop, IDirectory, IMailStore, ISpoolFile, Queued

Waiting = Sequence[tuple[Queued, IntoMailbox]]


class Redelivery:
    """What the queue's runner calls for rows that lead into mailboxes here."""

    def __init__(self, *, directory: IDirectory, store: IMailStore) -> None:
        self._directory = directory
        self._store = store

    async def deliver(self, spooled: ISpoolFile, waiting: Waiting) -> list[Refusal | None]:
        """An answer for each row, in order; rows of one mailbox share one copy. `spooled.prefix` is the Received field of its arrival."""
        drops: dict[tuple[int, str], Drop] = {}
        for row, decision in waiting:
            account = await self._directory.account(decision.account_id)
            if account is not None:
                prefix = final_fields(row.sender, decision.delivered_to) + spooled.prefix
                drops.setdefault(_mailbox(decision), Drop(account, prefix, decision.folder))
        answers = await self._store.deliver(spooled, list(drops.values())) if drops else []
        found: dict[tuple[int, str], Refusal | None] = dict(zip(drops, answers, strict=True))
        return [found.get(_mailbox(decision), NoSuchRecipient(private="removed")) for _, decision in waiting]


def _mailbox(decision: IntoMailbox) -> tuple[int, str]:
    return decision.account_id, decision.folder
