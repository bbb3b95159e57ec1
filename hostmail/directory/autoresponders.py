"""Autoresponders as facts, and the record of whom they have answered (E4)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sqlalchemy import Connection, delete, func, select
from sqlalchemy.dialects.sqlite import insert
from sqlalchemy.exc import DBAPIError
from zope.interface import implementer

from hostmail.address import Address
from hostmail.directory.tables import answered, autoresponders
from hostmail.directory.transaction import Transaction
from hostmail.errors import BadValue, NotFound, TemporaryFailure
from hostmail.interfaces.autoresponders import Answer, Autoresponder, IAnswered
from hostmail.interfaces.threads import InThread
from hostmail.sql.database import Database

MAX_SUBJECT, MAX_TEXT = 200, 64 * 1024
LEAST_EVERY, MOST_EVERY = 3600.0, 366 * 86_400.0
LATEST = 253_370_764_800.0
"""The year 9999, in which clocks and calendars end."""
MOST_AN_HOUR = 300
"""A flood with made-up senders must not become one of answers: no more than an account may send itself (LIMITS)."""
MOST_ANSWERED = 60_000
"""Whom one account remembers, and with that the most that it answers in a period: more than it can in a week."""


def of_account(connection: Connection, account_id: int) -> Autoresponder | None:
    """The account's autoresponder."""
    row = connection.execute(select(autoresponders).where(autoresponders.c.account_id == account_id)).first()
    return Autoresponder(*row) if row else None


def all_ids(connection: Connection) -> frozenset[int]:
    """The accounts that have one."""
    return frozenset(connection.execute(select(autoresponders.c.account_id)).scalars())


def checked(subject: str, text: str, starts: float | None, until: float | None, every: float) -> dict[str, Any]:
    """The columns; raises BadValue."""
    if not subject.isprintable() or len(subject) > MAX_SUBJECT:
        raise BadValue(f"a subject is one line of at most {MAX_SUBJECT} characters").about("subject")
    if not text.strip() or len(text.encode()) > MAX_TEXT or "\0" in text:
        raise BadValue(f"an answer needs a text, of at most {MAX_TEXT // 1024} KiB").about("text")
    for name, moment in (("starts", starts), ("until", until)):
        if moment is not None and not 0 <= moment < LATEST:
            raise BadValue("a time lies between the years 1970 and 9999").about(name)
    if starts is not None and until is not None and until <= starts:
        raise BadValue("it would end before it begins").about("until")
    if not LEAST_EVERY <= every <= MOST_EVERY:
        raise BadValue("each sender is answered at most once an hour, and at least once a year").about("every")
    return {"subject": subject.strip(), "text": text, "starts": starts, "until": until, "every": every}


def put(t: Transaction, address: str, columns: dict[str, Any]) -> Autoresponder:
    """Give an account an autoresponder, in place of the one it has; whom that has answered is forgotten."""
    account = t.find_account(address)
    new = insert(autoresponders).values(account_id=account.id, **columns)
    t.run(new.on_conflict_do_update(index_elements=[autoresponders.c.account_id], set_=columns))
    t.run(delete(answered).where(answered.c.account_id == account.id))
    t.announce(account.domain, account.id)
    return Autoresponder(account.id, **columns)


def remove(t: Transaction, address: str) -> None:
    """Take it away."""
    account = t.find_account(address)
    if t.run(delete(autoresponders).where(autoresponders.c.account_id == account.id)).rowcount == 0:
        raise NotFound(f"{account.address} has no autoresponder")
    t.run(delete(answered).where(answered.c.account_id == account.id))
    t.announce(account.domain, account.id)


def forget_accounts(t: Transaction, accounts: Any) -> None:
    """Of removed accounts nothing stays; `accounts` is a query for their ids."""
    for table in (answered, autoresponders):
        t.run(delete(table).where(table.c.account_id.in_(accounts)))


@implementer(IAnswered)
class Answered:
    """One row for each account and sender. A claim is one statement, so that of many processes one answers."""

    def __init__(self, *, database: Database, in_thread: InThread, now: Callable[[], float]) -> None:
        self._database = database
        self._in_thread = in_thread
        self._now = now

    async def claim(self, account_id: int, sender: Address, every: float) -> bool:
        """True if this sender may be answered now, and from now on for `every` seconds not again; raises TemporaryFailure.

        Within an hour an account answers so many senders, and within a period as many as it remembers, and then no more: forgetting
        somebody too early would answer him twice.
        """
        return bool(await self._in_thread(self._claim, account_id, sender, every))

    async def give_back(self, account_id: int, sender: Address) -> None:
        """The answer could not be sent: the next message may have one."""
        await self._in_thread(self._give_back, account_id, sender)

    async def answers(self, account_id: int) -> list[Answer]:
        """Who was answered, the last one first."""
        found: list[Answer] = await self._in_thread(self._answers, account_id)
        return found

    def _claim(self, account_id: int, sender: Address, every: float) -> bool:
        now, columns = self._now(), answered.c
        new = insert(answered).values(account_id=account_id, sender_key=sender.key, sender=str(sender), at=now, count=1)
        claim = new.on_conflict_do_update(
            index_elements=[columns.account_id, columns.sender_key],
            set_={"at": now, "count": columns.count + 1},
            where=columns.at <= now - every,
        )
        mine = columns.account_id == account_id
        newest = select(columns.at).where(mine).order_by(columns.at.desc())
        too_old = newest.offset(MOST_ANSWERED).limit(1).scalar_subquery()
        lately = select(func.count()).where(mine, columns.at > now - 3600.0)
        remembered = select(func.count()).where(mine, columns.at > now - every)
        try:
            with self._database.writing(durable=False) as connection:
                if connection.execute(lately).scalar_one() >= MOST_AN_HOUR:
                    return False
                if connection.execute(remembered).scalar_one() >= MOST_ANSWERED:
                    return False
                if connection.execute(claim).rowcount != 1:
                    return False
                connection.execute(delete(answered).where(mine, columns.at <= too_old))
        except DBAPIError as error:
            raise TemporaryFailure(private=f"answered: {error!r}") from error
        return True

    def _give_back(self, account_id: int, sender: Address) -> None:
        columns = answered.c
        with self._database.writing(durable=False) as connection:
            connection.execute(
                delete(answered).where(columns.account_id == account_id, columns.sender_key == sender.key)
            )

    def _answers(self, account_id: int) -> list[Answer]:
        columns = answered.c
        query = select(columns.sender, columns.at, columns.count).where(columns.account_id == account_id)
        with self._database.reading() as connection:
            return [Answer(*row) for row in connection.execute(query.order_by(columns.at.desc()).limit(1000))]
