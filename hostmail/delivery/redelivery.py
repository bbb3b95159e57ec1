"""Local recipients whose mail had to wait in the queue: delivered from there as they would have been at once."""

from __future__ import annotations

from collections.abc import Sequence

from twisted.logger import Logger

from hostmail.address import Address
from hostmail.decisions import IntoMailbox
from hostmail.delivery.answering import Answering, Arrived
from hostmail.delivery.trace import final_fields
from hostmail.errors import NoSuchRecipient, Refusal
from hostmail.interfaces import Drop, IDirectory, IMailStore, InThread, ISpoolFile, Queued
from hostmail.message.headers import header_end

log = Logger(namespace="delivery")

MAX_HEADER = 256 * 1024

Waiting = Sequence[tuple[Queued, IntoMailbox]]


class Redelivery:
    """What the queue's runner calls for rows that lead into mailboxes here."""

    def __init__(self, *, directory: IDirectory, store: IMailStore, answering: Answering, in_thread: InThread) -> None:
        self._directory = directory
        self._store = store
        self._answering = answering
        self._in_thread = in_thread

    async def deliver(self, spooled: ISpoolFile, waiting: Waiting) -> list[Refusal | None]:
        """An answer for each row, in order; rows of one mailbox share one copy. `spooled.prefix` is the Received field of its arrival."""
        drops: dict[tuple[int, str], Drop] = {}
        for row, decision in waiting:
            account = await self._directory.account(decision.account_id)
            if account is not None:
                prefix = final_fields(row.sender, decision.delivered_to, decision.addressed) + spooled.prefix
                drops.setdefault(_mailbox(decision), Drop(account, prefix, decision.folder))
        answers = await self._store.deliver(spooled, list(drops.values())) if drops else []
        found: dict[tuple[int, str], Refusal | None] = dict(zip(drops, answers, strict=True))
        filled = {mailbox for mailbox, answer in found.items() if answer is None}
        with log.failuresHandled("autoreply_failed"):
            await self._answer(spooled, [pair for pair in waiting if _mailbox(pair[1]) in filled])
        return [found.get(_mailbox(decision), NoSuchRecipient(private="removed")) for _, decision in waiting]

    async def _answer(self, spooled: ISpoolFile, delivered: Waiting) -> None:
        """Let autoresponders look at it; the header is read only if there is one. Trouble here must not deliver the message again."""
        header: bytes | None = None
        for row, decision in {_mailbox(pair[1]): pair for pair in delivered}.values():
            if await self._directory.autoresponder(decision.account_id) is not None:
                if header is None:
                    header = await self._in_thread(_header, spooled.path, len(spooled.prefix))
                sender = Address.parse(row.sender) if row.sender else None
                named = [Address.parse(decision.addressed or row.recipient)]
                self._answering.consider(Arrived(row.queue_id, sender, header, decision, named))


def _header(path: str, skip: int) -> bytes:
    """The header as the sender wrote it; nothing if it cannot be read any more: then it has no answer."""
    try:
        with open(path, "rb") as file:
            file.seek(skip)
            top = file.read(MAX_HEADER)
    except OSError:
        return b""
    return top[: header_end(top)]


def _mailbox(decision: IntoMailbox) -> tuple[int, str]:
    return decision.account_id, decision.folder
