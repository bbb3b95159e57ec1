"""Who is on mailing lists, whose mail comes back, and who was asked today; with the secret that signs lists' addresses."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from sqlalchemy import Connection, case, delete, func, select, update
from sqlalchemy.dialects.sqlite import insert
from sqlalchemy.exc import DBAPIError
from zope.interface import implementer

from hostmail.address import Address
from hostmail.directory.lists import belongs
from hostmail.directory.secrets import Secret
from hostmail.directory.tables import list_members, list_questions, lists
from hostmail.errors import BadValue, NotFound, Refusal, TemporaryFailure, TooMany
from hostmail.interfaces.lists import IListMembers, Member
from hostmail.interfaces.threads import InThread
from hostmail.sql.database import Database

SECRET = "lists"
MAX_MEMBERS = 20_000
MOST_BOUNCES = 3
MOST_QUESTIONS = 500
MOST_FOR_ONE = 10
DAY_SECONDS = 86_400.0
FORGIVEN_SECONDS = 30 * DAY_SECONDS

T = TypeVar("T")
_C = list_members.c
_MEMBERS = select(_C.number, _C.address, _C.active, _C.bounces, _C.last_bounce, _C.joined)


@implementer(IListMembers)
class ListMembers:
    """Each question and each change is one transaction in a thread; all raise TemporaryFailure if the database does not answer."""

    def __init__(self, *, database: Database, in_thread: InThread, now: Callable[[], float]) -> None:
        self._database = database
        self._in_thread = in_thread
        self._now = now
        self._secret = Secret(SECRET, database=database, in_thread=in_thread)

    async def members(self, list_id: int) -> list[Member]:
        """All, by address."""
        return await self._in_thread(self._read, _all, list_id)

    async def counts(self, list_id: int) -> tuple[int, int]:
        """How many get mail, and how many were dropped."""
        return await self._in_thread(self._read, _counts, list_id)

    async def member(self, list_id: int, address: Address) -> Member | None:
        """The one with this address."""
        return await self._in_thread(self._read, _one, list_id, address)

    async def add(self, list_id: int, address: Address) -> bool:
        """Put somebody on it, or back, with a clean record; False if he is on it already."""
        return await self._in_thread(self._write, _add, list_id, address, self._now())

    async def add_all(self, list_id: int, addresses: Sequence[Address]) -> list[bool | Refusal]:
        """`add` for each, in one transaction; what it refuses leaves nothing behind."""
        return await self._in_thread(self._write, _add_all, list_id, addresses, self._now())

    async def remove(self, list_id: int, address: Address) -> bool:
        """Take somebody off; False if he was not on it."""
        return await self._in_thread(self._write, _remove, list_id, address)

    async def leave(self, list_id: int, number: int) -> Member | None:
        """Take off the member of this number, which nobody else ever gets."""
        return await self._in_thread(self._write, _leave, list_id, number)

    async def bounced(self, list_id: int, number: int) -> tuple[Member, bool] | None:
        """One day more on which mail came back; MOST_BOUNCES of them drop a member, unless a month lies between.

        Days are 24 hours apart.
        """
        return await self._in_thread(self._write, _bounced, list_id, number, self._now())

    async def ask(self, list_id: int, address: Address, action: str) -> bool:
        """True if it may be written to now. Nobody shall write to the world through lists, nor to one person through many of them.

        A list writes to MOST_QUESTIONS addresses a day, and all lists here MOST_FOR_ONE times to one.
        """
        return await self._in_thread(self._write, _ask, list_id, address, action, self._now())

    async def not_asked(self, list_id: int, address: Address, action: str) -> None:
        """The question could not be sent: it may be asked again."""
        await self._in_thread(self._write, _not_asked, list_id, address, action)

    async def secret(self) -> bytes:
        """What signs lists' addresses."""
        return await self._secret.value()

    def _read(self, step: Callable[..., T], *arguments: Any) -> T:
        try:
            with self._database.reading() as connection:
                return step(connection, *arguments)
        except DBAPIError as error:
            raise TemporaryFailure(private=f"lists: {error!r}") from error

    def _write(self, step: Callable[..., T], *arguments: Any) -> T:
        try:
            with self._database.writing() as connection:
                return step(connection, *arguments)
        except DBAPIError as error:
            raise TemporaryFailure(private=f"lists: {error!r}") from error


def _all(connection: Connection, list_id: int) -> list[Member]:
    query = _MEMBERS.where(_C.list_id == list_id).order_by(_C.address_key)
    return [Member(*row) for row in connection.execute(query)]


def _counts(connection: Connection, list_id: int) -> tuple[int, int]:
    query = select(_C.active, func.count()).where(_C.list_id == list_id).group_by(_C.active)
    found: dict[bool, int] = {row[0]: row[1] for row in connection.execute(query)}
    return found.get(True, 0), found.get(False, 0)


def _one(connection: Connection, list_id: int, address: Address) -> Member | None:
    query = _MEMBERS.where(_C.list_id == list_id, _C.address_key == address.key)
    row = connection.execute(query).first()
    return Member(*row) if row else None


def _add(connection: Connection, list_id: int, address: Address, now: float) -> bool:
    known = _one(connection, list_id, address)
    if known is not None and known.active:
        return False
    if connection.execute(select(lists.c.id).where(lists.c.id == list_id)).scalar() is None:
        raise NotFound("that list is gone")
    if other := belongs(connection, address):
        raise BadValue(f"{address} belongs to the mailing list {other}: a list cannot be on a list")
    if known is not None:
        again = update(list_members).where(_C.number == known.number)
        connection.execute(again.values(active=True, bounces=0, last_bounce=None))
        return True
    count = connection.execute(select(func.count()).select_from(list_members).where(_C.list_id == list_id)).scalar_one()
    if count >= MAX_MEMBERS:
        raise TooMany(f"a list may have {MAX_MEMBERS} members", code=422)
    row = {"list_id": list_id, "address": str(address), "address_key": address.key, "bounces": 0, "joined": now}
    connection.execute(insert(list_members).values(row))
    return True


def _add_all(connection: Connection, list_id: int, addresses: Sequence[Address], now: float) -> list[bool | Refusal]:
    answers: list[bool | Refusal] = []
    for address in addresses:
        try:
            answers.append(_add(connection, list_id, address, now))
        except Refusal as refusal:
            answers.append(refusal)
    return answers


def _remove(connection: Connection, list_id: int, address: Address) -> bool:
    gone = delete(list_members).where(_C.list_id == list_id, _C.address_key == address.key)
    return connection.execute(gone).rowcount == 1


def _leave(connection: Connection, list_id: int, number: int) -> Member | None:
    this = (_C.list_id == list_id) & (_C.number == number)
    row = connection.execute(_MEMBERS.where(this)).first()
    if row is None:
        return None
    connection.execute(delete(list_members).where(this))
    return Member(*row)


def _bounced(connection: Connection, list_id: int, number: int, now: float) -> tuple[Member, bool] | None:
    fresh = (_C.last_bounce.is_(None)) | (_C.last_bounce <= now - DAY_SECONDS)
    this = (_C.list_id == list_id) & (_C.number == number) & _C.active
    before = case((_C.last_bounce > now - FORGIVEN_SECONDS, _C.bounces), else_=0)
    values = {"bounces": before + 1, "last_bounce": now, "active": before + 1 < MOST_BOUNCES}
    if connection.execute(update(list_members).where(this, fresh).values(values)).rowcount != 1:
        return None
    member = Member(*connection.execute(_MEMBERS.where(_C.number == number)).one())
    return member, not member.active


def _ask(connection: Connection, list_id: int, address: Address, action: str, now: float) -> bool:
    asked = list_questions.c
    connection.execute(delete(list_questions).where(asked.list_id == list_id, asked.at <= now - DAY_SECONDS))
    count = select(func.count()).select_from(list_questions).where(asked.list_id == list_id)
    if connection.execute(count).scalar_one() >= MOST_QUESTIONS:
        return False
    of_all = select(func.count()).select_from(list_questions)
    lately = of_all.where(asked.address_key == address.key, asked.at > now - DAY_SECONDS)
    if connection.execute(lately).scalar_one() >= MOST_FOR_ONE:
        return False
    new = insert(list_questions).values(list_id=list_id, address_key=address.key, action=action, at=now)
    return connection.execute(new.on_conflict_do_nothing()).rowcount == 1


def _not_asked(connection: Connection, list_id: int, address: Address, action: str) -> None:
    asked = list_questions.c
    this = (asked.list_id == list_id) & (asked.address_key == address.key) & (asked.action == action)
    connection.execute(delete(list_questions).where(this))
