"""Who asks for something to be done: the same value for the command, the panel and the API (F1)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Role(StrEnum):
    """What somebody is to this server: he runs it, he has domains on it, or a mailbox."""

    OPERATOR = "operator"
    OWNER = "owner"
    USER = "user"


@dataclass(frozen=True, slots=True)
class Actor:
    """Somebody who has shown who he is, and how he came.

    `login` is what he signed in with; for the command it is the system user's name. `way` is command, panel or api. `person_id` is the
    number of an operator's or owner's own account. `domains` are the hosted domains that an owner may manage, as they are now. `address`
    is a user's mailbox; who came by a domain's main login is an owner of that domain, with the address of its default mailbox (A3).
    `read_only` is a token that may look, and change nothing.
    """

    role: Role
    login: str
    way: str
    ip: str = ""
    person_id: int | None = None
    domains: frozenset[str] = frozenset()
    address: str = ""
    read_only: bool = False


COMMAND = "command"


def command_actor(system_user: str) -> Actor:
    """Who can use the `hostmail` command on the server itself: he may read its files, so he is an operator."""
    return Actor(Role.OPERATOR, system_user or "unknown", COMMAND)
