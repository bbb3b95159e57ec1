"""Mail for mailing lists, as the queue's runner hands it over: it is durable there until a list has done what it asks for."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from hostmail.decisions import ForList, ListCommand, ToList
from hostmail.delivery.forwarding import Leaving
from hostmail.envelope import Recipient
from hostmail.errors import NoSuchRecipient
from hostmail.interfaces.directory import IDirectory
from hostmail.interfaces.lists import MailingList
from hostmail.interfaces.mailstore import ISpoolFile
from hostmail.interfaces.queue import Queued

MAX_SHOWN = 64 * 1024
"""How much of a post people get with a letter about it."""


@dataclass(frozen=True, slots=True)
class Onward:
    """Where a list's mail goes: to further `recipients` as it is, and `leaving` as something new; with neither it is done with."""

    recipients: Sequence[Recipient] = ()
    leaving: Sequence[Leaving] = ()


class Rates(Protocol):
    """How much lists do; each raises TemporaryFailure if that cannot be told."""

    def excess(self, list_id: int, recipients: int) -> str:
        """Why a post to so many members would be too much now, "" if it is not."""

    def sent(self, list_id: int, recipients: int) -> None:
        """One more went to so many."""

    def may_notify(self, list_id: int) -> bool:
        """Whether the owners hear of one post at once."""

    def may_remind(self, list_id: int) -> bool:
        """Whether they are reminded of all that wait: once a day."""

    def may_ask(self, ip: str) -> bool:
        """Whether a client may have lists write to somebody once more."""


TakePost = Callable[[Queued, ISpoolFile, ToList, MailingList], Awaitable[Onward]]
TakeCommand = Callable[[Queued, ISpoolFile, ListCommand, MailingList], Awaitable[Onward]]


class Lists:
    """Posts to one, commands to the other. After a crash either may see a message again."""

    def __init__(self, *, directory: IDirectory, post: TakePost, command: TakeCommand) -> None:
        self._directory = directory
        self._post = post
        self._command = command

    async def take(self, row: Queued, spooled: ISpoolFile, decision: ForList) -> Onward:
        """Do what a message asks of a list; raises a Refusal."""
        address = decision.address if isinstance(decision, ToList) else decision.list_address
        found = await self._directory.mailing_list(address)
        if found is None:
            raise NoSuchRecipient(private="the list is gone")
        if isinstance(decision, ToList):
            return await self._post(row, spooled, decision, found)
        return await self._command(row, spooled, decision, found)


def top(path: str, skip: int, most: int) -> bytes:
    """The beginning of a message in a file, behind `skip` octets of ours."""
    with open(path, "rb") as file:
        file.seek(skip)
        return file.read(most)
