"""What signs what we give away: one secret for each purpose, the same for all processes and nodes."""

from __future__ import annotations

from secrets import token_bytes

from sqlalchemy import select
from sqlalchemy.dialects.sqlite import insert
from sqlalchemy.exc import DBAPIError

from hostmail.directory.tables import secrets
from hostmail.errors import TemporaryFailure
from hostmail.interfaces.threads import InThread
from hostmail.sql.database import Database

OCTETS = 32


class Secret:
    """The secret called `name`, made when it is first needed, by whoever needs it first."""

    def __init__(self, name: str, *, database: Database, in_thread: InThread) -> None:
        self._name = name
        self._database = database
        self._in_thread = in_thread
        self._known = b""

    async def value(self) -> bytes:
        """The octets; raises TemporaryFailure if the database does not answer."""
        if not self._known:
            self._known = await self._in_thread(self._find)
        return self._known

    def _find(self) -> bytes:
        query = select(secrets.c.value).where(secrets.c.name == self._name)
        try:
            with self._database.reading() as connection:
                found = connection.execute(query).scalar()
            if found is None:
                fresh = insert(secrets).values(name=self._name, value=token_bytes(OCTETS))
                with self._database.writing() as connection:
                    connection.execute(fresh.on_conflict_do_nothing())
                    found = connection.execute(query).scalar_one()
        except DBAPIError as error:
            raise TemporaryFailure(private=f"secret {self._name}: {error!r}") from error
        return bytes(found)
