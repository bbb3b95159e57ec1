"""A catch-all's memory: which unknown names get mail, how often and when (E2). Counted in memory, written down every few seconds."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

from sqlalchemy import ColumnElement, Connection, delete, func, or_, select
from sqlalchemy.dialects.sqlite import insert
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger
from zope.interface import implementer

from hostmail.address import Address, caseless
from hostmail.directory.tables import accounts, caught_names, domains, name_targets, names
from hostmail.errors import BadAddress
from hostmail.interfaces.directory import CaughtName, ICaughtNames
from hostmail.interfaces.threads import InThread
from hostmail.sql.database import Database
from hostmail.sql.writebehind import WriteBehind

WRITE_AFTER_SECONDS = 5.0
MOST_UNWRITTEN = 10_000


@implementer(ICaughtNames)
class CaughtNames:
    """Counts in memory until the next writing, so that a flood of mail for invented names costs no transaction a message.

    What a crash takes are the counts of the last seconds. `now` is Unix time. A domain keeps `names_a_domain`, those seen last;
    names beyond MOST_UNWRITTEN within one interval are not counted.
    """

    log = Logger(namespace="directory")

    def __init__(
        self,
        *,
        database: Database,
        in_thread: InThread,
        clock: IReactorTime,
        now: Callable[[], float],
        names_a_domain: int = 1_000,
    ) -> None:
        self.names_a_domain = names_a_domain
        self._database = database
        self._in_thread = in_thread
        self._now = now
        self._unwritten = WriteBehind(
            partial(in_thread, self._write),
            clock=clock,
            seconds=WRITE_AFTER_SECONDS,
            most=MOST_UNWRITTEN,
            log=self.log,
            lost="caught_names_lost",
        )

    def caught(self, address: str) -> None:
        """One message more for this address."""
        now = self._now()

        def counted(known: CaughtName | None) -> CaughtName:
            if known is None:
                return CaughtName(address, 1, now, now)
            return CaughtName(address, known.count + 1, known.first_seen, now)

        self._unwritten.change(_key(address), counted)

    async def names(self, domain: str) -> list[CaughtName]:
        """What is remembered of a domain, the most frequent first."""
        await self.flush()
        found: list[CaughtName] = await self._in_thread(self._read, domain.lower())
        return found

    async def forget(self, address: str) -> None:
        """Remember it no more."""
        await self.flush()
        await self._in_thread(self._forget, _key(address))

    async def flush(self) -> None:
        """Write down what is only in memory; what cannot be written is logged and counted no more."""
        await self._unwritten.flush()

    def _write(self, unwritten: Mapping[str, CaughtName]) -> None:
        by_domain: dict[str, dict[str, CaughtName]] = {}
        for key, name in unwritten.items():
            by_domain.setdefault(key.rpartition("@")[2], {})[key] = name
        with self._database.writing(durable=False) as connection:
            for domain, names in by_domain.items():
                domain_id = connection.execute(select(domains.c.id).where(domains.c.name == domain)).scalar()
                if domain_id is not None:
                    _add(connection, domain_id, names, self.names_a_domain)

    def _read(self, domain: str) -> list[CaughtName]:
        columns = caught_names.c
        query = (
            select(columns.address, columns.count, columns.first_seen, columns.last_seen)
            .join(domains, domains.c.id == columns.domain_id)
            .where(domains.c.name == domain, ~_is_somebodys(columns.address_key))
            .order_by(columns.count.desc(), columns.last_seen.desc())
        )
        with self._database.reading() as connection:
            return [CaughtName(*row) for row in connection.execute(query)]

    def _forget(self, key: str) -> None:
        with self._database.writing(durable=False) as connection:
            connection.execute(delete(caught_names).where(caught_names.c.address_key == key))


def _is_somebodys(key: ColumnElement[str]) -> ColumnElement[bool]:
    """True for names that have become an account or lead somewhere: another process may have counted them a moment longer."""
    leading = select(names.c.id).join(name_targets, name_targets.c.name_id == names.c.id)
    return or_(
        select(accounts.c.id).where(accounts.c.address_key == key).exists(),
        leading.where(names.c.address_key == key).exists(),
    )


def _key(address: str) -> str:
    try:
        return Address.parse(address).key
    except BadAddress:
        return caseless(address)


def _add(connection: Connection, domain_id: int, names: dict[str, CaughtName], most: int) -> None:
    columns = caught_names.c
    for key, name in names.items():
        new = insert(caught_names).values(
            domain_id=domain_id,
            address=name.address,
            address_key=key,
            count=name.count,
            first_seen=name.first_seen,
            last_seen=name.last_seen,
        )
        changed = {
            "count": columns.count + name.count,
            "address": name.address,
            "first_seen": func.min(columns.first_seen, name.first_seen),
            "last_seen": func.max(columns.last_seen, name.last_seen),
        }
        connection.execute(new.on_conflict_do_update(index_elements=[columns.address_key], set_=changed))
    kept = select(columns.id).where(columns.domain_id == domain_id)
    kept = kept.order_by(columns.last_seen.desc(), columns.id.desc()).limit(most)
    connection.execute(delete(caught_names).where(columns.domain_id == domain_id, columns.id.not_in(kept)))
