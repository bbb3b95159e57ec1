"""How each domain's new mailboxes begin (F3): only those that want it otherwise than the server have something here."""

from __future__ import annotations

from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.dialects.sqlite import insert
from sqlalchemy.exc import DBAPIError
from zope.interface import implementer

from hostmail.directory.tables import domains, welcomes
from hostmail.errors import NotFound, TemporaryFailure
from hostmail.interfaces.directory import IWelcomes, OwnWelcome
from hostmail.interfaces.threads import InThread
from hostmail.sql.database import Database


@implementer(IWelcomes)
class Welcomes:
    """One row for each domain that has its own way. Nothing is cached: it is asked once for each new account."""

    def __init__(self, *, database: Database, in_thread: InThread) -> None:
        self._database = database
        self._in_thread = in_thread

    async def of_domain(self, name: str) -> OwnWelcome | None:
        """What was laid down for a domain; None: the server's letter. Raises TemporaryFailure."""
        found: OwnWelcome | None = await self._in_thread(self._read, name)
        return found

    async def lay_down(self, name: str, wanted: OwnWelcome | None) -> None:
        """From the next account on; raises NotFound, TemporaryFailure."""
        await self._in_thread(self._write, name, wanted)

    def _read(self, name: str) -> OwnWelcome | None:
        query = select(welcomes.c.is_on, welcomes.c.template).join(domains).where(domains.c.name == name)
        try:
            with self._database.reading() as connection:
                row = connection.execute(query).first()
        except DBAPIError as error:
            raise TemporaryFailure(private=f"directory: {error}") from None
        return OwnWelcome(row.is_on, row.template) if row is not None else None

    def _write(self, name: str, wanted: OwnWelcome | None) -> None:
        try:
            with self._database.writing() as connection:
                number = connection.execute(select(domains.c.id).where(domains.c.name == name)).scalar()
                if number is None:
                    raise NotFound(f"no domain {name} here")
                if wanted is None:
                    connection.execute(delete(welcomes).where(welcomes.c.domain_id == number))
                    return
                columns: dict[str, Any] = {"is_on": wanted.is_on, "template": wanted.template}
                new = insert(welcomes).values(domain_id=number, **columns)
                connection.execute(new.on_conflict_do_update(index_elements=[welcomes.c.domain_id], set_=columns))
        except DBAPIError as error:
            raise TemporaryFailure(private=f"directory: {error}") from None
