"""One question or one change of the directory's database, in a thread, as one transaction."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Concatenate, ParamSpec, TypeVar

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from hostmail.directory.transaction import Transaction
from hostmail.errors import TemporaryFailure
from hostmail.interfaces.threads import InThread
from hostmail.sql.database import Database

P = ParamSpec("P")
T = TypeVar("T")


class Steps:
    """Runs functions over a connection or a transaction; raises TemporaryFailure if the database does not answer.

    Nothing is announced: this is for facts that nobody caches. `what` names them in the log, `now` is Unix time.
    """

    def __init__(self, what: str, *, database: Database, in_thread: InThread, now: Callable[[], float]) -> None:
        self._what = what
        self._database = database
        self._in_thread = in_thread
        self._now = now

    async def read(self, step: Callable[Concatenate[Connection, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """A question."""
        return await self._in_thread(self._read, step, *args)

    async def write(self, step: Callable[Concatenate[Transaction, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """A change, durable when it returns."""
        return await self._in_thread(self._write, True, step, *args)

    async def note(self, step: Callable[Concatenate[Transaction, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """A change that a power cut may take."""
        return await self._in_thread(self._write, False, step, *args)

    def _read(self, step: Callable[..., T], *arguments: Any) -> T:
        try:
            with self._database.reading() as connection:
                return step(connection, *arguments)
        except DBAPIError as error:
            raise TemporaryFailure(private=f"{self._what}: {error!r}") from error

    def _write(self, durable: bool, step: Callable[..., T], *arguments: Any) -> T:
        try:
            with self._database.writing(durable) as connection:
                return step(Transaction(connection, self._now(), self._database.origin), *arguments)
        except DBAPIError as error:
            raise TemporaryFailure(private=f"{self._what}: {error!r}") from error
