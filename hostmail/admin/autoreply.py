"""Verbs about autoresponders (E4)."""

from __future__ import annotations

import dataclasses
from typing import cast

import msgspec

from hostmail.admin.parts import Addressed, Parts, Verb
from hostmail.admin.permissions import ADDRESS, DOMAIN, EVERYBODY, OWNERS, May
from hostmail.admin.told import AboutTold, AnsweredTold, AutoreplyRow, AutoreplyTold
from hostmail.errors import NotFound
from hostmail.interfaces.autoresponders import Autoresponder
from hostmail.interfaces.directory import Account

ONE = {"address": ADDRESS}
WEEK_SECONDS = 7 * 86_400.0


class SetAutoreply(msgspec.Struct, forbid_unknown_fields=True):
    """autoreply.set: times are Unix time, null for no limit; `every` is how many seconds a sender is left alone after an answer."""

    address: str
    text: str
    subject: str = ""
    starts: float | None = None
    until: float | None = None
    every: float = WEEK_SECONDS


class ListAutoreplies(msgspec.Struct, forbid_unknown_fields=True):
    """autoreply.list: of one domain, or all."""

    domain: str | None = None


class Autoreplies:
    """Effective with the next message (E7)."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self.verbs = {
            "autoreply.set": Verb(SetAutoreply, self.set, May(EVERYBODY, about=ONE)),
            "autoreply.list": Verb(
                ListAutoreplies, self.all, May(OWNERS, looks=True, about={"domain": DOMAIN}, rows="address")
            ),
            "autoreply.show": Verb(Addressed, self.show, May(EVERYBODY, looks=True, about=ONE)),
            "autoreply.off": Verb(Addressed, self.off, May(EVERYBODY, about=ONE)),
        }

    async def set(self, asked: SetAutoreply) -> AutoreplyTold:
        """Answer an account's mail from now on."""
        account = await self._parts.find_account(asked.address)
        await self._parts.changes.set_autoresponder(
            account.address,
            subject=asked.subject,
            text=asked.text,
            starts=asked.starts,
            until=asked.until,
            every=asked.every,
        )
        return await self.show(Addressed(account.address))

    async def all(self, asked: ListAutoreplies) -> list[AutoreplyRow]:
        """The accounts that have an autoresponder, by address, without its text."""
        name = (await self._parts.find_domain(asked.domain)).name if asked.domain else None
        rows: list[AutoreplyRow] = []
        for account in await self._parts.directory.accounts(name):
            found = await self._parts.directory.autoresponder(account.id)
            if found is not None:
                rows.append(_row(account, found))
        return rows

    async def show(self, asked: Addressed) -> AutoreplyTold:
        """An account's autoresponder, and who was answered."""
        account = await self._parts.find_account(asked.address)
        found = await self._parts.directory.autoresponder(account.id)
        if found is None:
            raise NotFound(f"{account.address} has no autoresponder")
        answers = await self._parts.answered.answers(account.id)
        answered = [cast(AnsweredTold, dataclasses.asdict(answer)) for answer in answers]
        return {**_row(account, found), "account_id": account.id, "text": found.text, "answered": answered}

    async def off(self, asked: Addressed) -> AboutTold:
        """Answer an account's mail no more."""
        account = await self._parts.find_account(asked.address)
        await self._parts.changes.remove_autoresponder(account.address)
        return {"address": account.address}


def _row(account: Account, found: Autoresponder) -> AutoreplyRow:
    return {
        "address": account.address,
        "subject": found.subject,
        "starts": found.starts,
        "until": found.until,
        "every": found.every,
    }
