"""Verbs about mailboxes: what is in them, looking them over, mending them, and taking a POP3 lock away (D10, D11)."""

from __future__ import annotations

from contextlib import suppress
from typing import TypedDict

from hostmail.admin.parts import Addressed, Parts, Verb
from hostmail.admin.permissions import ADDRESS, EVERYBODY, May
from hostmail.admin.sessions import WORDS
from hostmail.admin.told import FolderTold
from hostmail.errors import NoSuchFolder
from hostmail.interfaces.mailstore import IAccountStore


class LookedOver(TypedDict):
    """A mailbox looked over: what is not as it should be, and how much of it is mended."""

    address: str
    messages: int
    problems: list[str]
    repaired: int


class UnlockedTold(TypedDict):
    """How many POP3 sessions held it."""

    address: str
    ended_sessions: int


class Mailboxes:
    """A mailbox is named by its account's address."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self.verbs = {
            "mailbox.folders": Verb(Addressed, self.folders, May(EVERYBODY, looks=True, about={"address": ADDRESS})),
            "mailbox.verify": Verb(Addressed, self.verify, May(looks=True)),
            "mailbox.repair": Verb(Addressed, self.repair),
            "mailbox.unlock": Verb(Addressed, self.unlock, May(EVERYBODY, about={"address": ADDRESS})),
        }

    async def folders(self, asked: Addressed) -> list[FolderTold]:
        """A mailbox's folders with what is in each.

        INBOX comes first. One that is gone in between is left out; names that hold no messages are, too.
        """
        account = await self._parts.find_account(asked.address)
        opened: IAccountStore = await self._parts.store.open(account)
        found: list[FolderTold] = []
        try:
            for folder in await opened.folders():
                if not folder.selectable:
                    continue
                with suppress(NoSuchFolder):
                    status = await opened.status(folder.name)
                    found.append(
                        {
                            "name": folder.name,
                            "messages": status.messages,
                            "octets": status.size,
                            "unread": status.unseen,
                        }
                    )
        finally:
            opened.close()
        return found

    async def verify(self, asked: Addressed) -> LookedOver:
        """Look a mailbox over, tree and index; nothing is changed."""
        return await self._look_over(asked.address, repair=False)

    async def repair(self, asked: Addressed) -> LookedOver:
        """Look a mailbox over, and mend its index; nothing is erased."""
        return await self._look_over(asked.address, repair=True)

    async def _look_over(self, address: str, repair: bool) -> LookedOver:
        account = await self._parts.find_account(address)
        found = await self._parts.store.verify(account, repair=repair)
        return {
            "address": account.address,
            "messages": found["messages"],
            "problems": found["problems"],
            "repaired": found["repaired"],
        }

    async def unlock(self, asked: Addressed) -> UnlockedTold:
        """Disconnect the POP3 sessions that hold the maildrop; without a session there is no lock, for a dead process leaves none."""
        account = await self._parts.find_account(asked.address)
        ended = 0
        if self._parts.sessions is not None:
            for session in list(self._parts.sessions.all()):
                if session.peer.account_id == account.id and session.peer.protocol.startswith("pop3"):
                    ended += self._parts.sessions.kick(WORDS, session_id=session.id)
        return {"address": account.address, "ended_sessions": ended}
