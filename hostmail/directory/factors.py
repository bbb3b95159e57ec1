"""Second factors, and which of their codes have been used."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from sqlalchemy import Connection, delete, func, insert, select, update
from zope.interface import implementer

from hostmail.directory.steps import Steps
from hostmail.directory.tables import recovery_codes, second_factors
from hostmail.directory.transaction import Transaction
from hostmail.errors import AlreadyExists
from hostmail.interfaces.people import ISecondFactors, SecondFactor
from hostmail.interfaces.threads import InThread
from hostmail.sql.database import Database

MOST_TRIES, TRIES_SECONDS, LONGEST_SECONDS, FORGIVEN_SECONDS = 10, 900.0, 4 * 3600.0, 86_400.0

_F = second_factors.c


@implementer(ISecondFactors)
class SecondFactors:
    """Each step is one transaction in a thread, so that a code is taken once, whoever else sends it at the same moment.

    After ten wrong codes the next has to wait for a quarter of an hour, after each ten more for twice as long, up to four hours: nobody
    guesses six digits so, not in years. A right one forgives all, and so does a day without any.
    """

    def __init__(self, *, database: Database, in_thread: InThread, now: Callable[[], float]) -> None:
        self._steps = Steps("second factors", database=database, in_thread=in_thread, now=now)

    async def factor(self, subject: str) -> SecondFactor | None:
        """His, in force or not yet."""
        return await self._steps.read(_factor, subject)

    async def begin(self, subject: str, secret: bytes) -> None:
        """A new one, instead of another that was never confirmed."""
        await self._steps.write(_begin, subject, secret)

    async def confirm(self, subject: str, step: int, digests: Sequence[str]) -> bool:
        """Put it in force."""
        return await self._steps.write(_confirm, subject, step, digests)

    async def new_codes(self, subject: str, digests: Sequence[str]) -> bool:
        """Others in place of all there are."""
        return await self._steps.write(_new_codes, subject, digests)

    async def remove(self, subject: str) -> bool:
        """Drop it, in force or not."""
        return await self._steps.write(_remove, subject)

    async def may_try(self, subject: str) -> bool:
        """Count one attempt more."""
        return await self._steps.write(_may_try, subject)

    async def claim_step(self, subject: str, step: int) -> bool:
        """The first to come with this step, or a later one, has it."""
        return await self._steps.write(_claim_step, subject, step)

    async def claim_code(self, subject: str, digest: str) -> bool:
        """The first to come with this recovery code has it."""
        return await self._steps.write(_claim_code, subject, digest)


def forget_factor(t: Transaction, subject: str) -> None:
    """Whose it was is gone."""
    t.run(delete(second_factors).where(_F.subject == subject))


def _factor(connection: Connection, subject: str) -> SecondFactor | None:
    row = connection.execute(select(second_factors).where(_F.subject == subject)).first()
    if row is None:
        return None
    left = select(func.count()).select_from(recovery_codes).where(recovery_codes.c.factor == row.number)
    codes = connection.execute(left).scalar_one()
    return SecondFactor(row.number, bytes(row.secret), row.active, row.last_step, codes)


def _begin(t: Transaction, subject: str, secret: bytes) -> None:
    t.run(delete(second_factors).where(_F.subject == subject, ~_F.active))
    if t.run(select(_F.number).where(_F.subject == subject)).first() is not None:
        raise AlreadyExists("there is a second factor already: remove that first")
    row = {"subject": subject, "secret": secret, "last_step": 0, "tries": 0, "tried": 0.0, "created": t.now}
    t.run(insert(second_factors).values(row))


def _confirm(t: Transaction, subject: str, step: int, digests: Sequence[str]) -> bool:
    values = {"active": True, "last_step": step, "tries": 0}
    if t.run(update(second_factors).where(_F.subject == subject, ~_F.active).values(values)).rowcount != 1:
        return False
    return _new_codes(t, subject, digests)


def _new_codes(t: Transaction, subject: str, digests: Sequence[str]) -> bool:
    number = t.run(select(_F.number).where(_F.subject == subject, _F.active)).scalar()
    if number is None:
        return False
    t.run(delete(recovery_codes).where(recovery_codes.c.factor == number))
    t.connection.execute(insert(recovery_codes), [{"factor": number, "digest": digest} for digest in digests])
    return True


def _remove(t: Transaction, subject: str) -> bool:
    return t.run(delete(second_factors).where(_F.subject == subject)).rowcount == 1


def waiting_after(tries: int) -> float:
    """How many seconds after the last of so many wrong codes the next may come."""
    if not tries or tries % MOST_TRIES:
        return 0.0
    return min(LONGEST_SECONDS, TRIES_SECONDS * 2.0 ** min(tries // MOST_TRIES - 1, 10))


def _may_try(t: Transaction, subject: str) -> bool:
    row = t.run(select(_F.tries, _F.tried).where(_F.subject == subject)).first()
    if row is None:
        return False
    tries = row.tries if t.now < row.tried + FORGIVEN_SECONDS else 0
    waits = waiting_after(tries)
    if waits and t.now < row.tried + waits:
        return False
    t.run(update(second_factors).where(_F.subject == subject).values(tries=tries + 1, tried=t.now))
    return True


def _claim_step(t: Transaction, subject: str, step: int) -> bool:
    this = update(second_factors).where(_F.subject == subject, _F.active, _F.last_step < step)
    return t.run(this.values(last_step=step, tries=0)).rowcount == 1


def _claim_code(t: Transaction, subject: str, digest: str) -> bool:
    number = select(_F.number).where(_F.subject == subject, _F.active).scalar_subquery()
    gone = delete(recovery_codes).where(recovery_codes.c.factor == number, recovery_codes.c.digest == digest)
    if t.run(gone).rowcount != 1:
        return False
    t.run(update(second_factors).where(_F.subject == subject).values(tries=0))
    return True
