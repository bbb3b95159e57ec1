"""Verbs about open sessions: who is connected, and disconnecting (D10)."""

from __future__ import annotations

from typing import Any, TypedDict, cast

import msgspec

from hostmail.actor import Actor, Role
from hostmail.admin.parts import Parts, Verb
from hostmail.admin.permissions import ADDRESS, EVERYBODY, May, reaches
from hostmail.admin.told import SessionTold
from hostmail.errors import BadValue, NotFound
from hostmail.interfaces.admin import SessionInfo

WORDS = "disconnected by administrator"


class ListSessions(msgspec.Struct, forbid_unknown_fields=True):
    """session.list: of one account, or all."""

    address: str | None = None


class Kick(msgspec.Struct, forbid_unknown_fields=True):
    """session.kick: exactly one of them."""

    id: int | None = None
    address: str | None = None
    all: bool = False


class EndedTold(TypedDict):
    """How many were disconnected."""

    ended_sessions: int


class SessionVerbs:
    """The session console. A service that is not running has no sessions."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self.verbs = {
            "session.list": Verb(
                ListSessions, self.all, May(EVERYBODY, looks=True, about={"address": ADDRESS}, rows="address")
            ),
            "session.kick": Verb(
                Kick,
                self.kick,
                May(
                    EVERYBODY,
                    about={"address": ADDRESS},
                    only=dict.fromkeys((Role.OWNER, Role.USER), frozenset(("id", "address"))),
                    acting=True,
                ),
            ),
        }

    async def all(self, asked: ListSessions) -> list[SessionTold]:
        """Open sessions, the oldest first."""
        account = await self._parts.find_account(asked.address) if asked.address else None
        sessions = self._parts.sessions.all() if self._parts.sessions is not None else ()
        chosen = [one for one in sessions if account is None or one.peer.account_id == account.id]
        addresses = {number: await self._address(number) for number in {one.peer.account_id for one in chosen}}
        return [cast(SessionTold, told(one) | {"address": addresses[one.peer.account_id]}) for one in chosen]

    async def _address(self, account_id: int | None) -> str | None:
        account = await self._parts.directory.account(account_id) if account_id is not None else None
        return account.address if account is not None else None

    async def kick(self, asked: Kick, actor: Actor) -> EndedTold:
        """Disconnect sessions; by its number, only one that who asks can see."""
        if [asked.id is not None, asked.address is not None, asked.all].count(True) != 1:
            raise BadValue("name one session, one account, or all")
        account = await self._parts.find_account(asked.address) if asked.address is not None else None
        kicked = 0
        if self._parts.sessions is not None and (asked.id is None or await self._sees(actor, asked.id)):
            account_id = account.id if account is not None else None
            kicked = self._parts.sessions.kick(WORDS, account_id=account_id, session_id=asked.id)
        if asked.id is not None and not kicked:
            raise NotFound(f"there is no session {asked.id}")
        return {"ended_sessions": kicked}

    async def _sees(self, actor: Actor, session_id: int) -> bool:
        sessions = self._parts.sessions.all() if self._parts.sessions is not None else ()
        owners = [one.peer.account_id for one in sessions if one.id == session_id]
        return any([reaches(actor, await self._address(owner) or "") for owner in owners])


def told(session: SessionInfo) -> dict[str, Any]:
    """A session as JSON; of its state only plain values."""
    peer = session.peer
    return {
        "id": session.id,
        "protocol": peer.protocol,
        "ip": peer.ip,
        "login": peer.login or None,
        "since": session.since,
        "tls": peer.tls_version or ("TLS" if peer.tls else None),
        "state": {name: value for name, value in session.state.items() if isinstance(value, str | int | float | bool)},
    }
