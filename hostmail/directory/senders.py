"""Reverse-paths for mail that is sent on, with the secret that signs them and the table of senders too long for them."""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy import delete, select
from sqlalchemy.dialects.sqlite import insert
from zope.interface import implementer

from hostmail import srs
from hostmail.address import Address
from hostmail.directory.secrets import Secret
from hostmail.directory.tables import kept_senders
from hostmail.errors import NoSuchRecipient
from hostmail.interfaces.delivery import ISenderRewriting
from hostmail.interfaces.threads import InThread
from hostmail.sql.database import Database

SECRET = "srs"
KEEP_SECONDS = 2 * srs.VALID_DAYS * 86_400.0


@implementer(ISenderRewriting)
class SenderRewriting:
    """SRS (see `hostmail.srs`) over the directory's database, so that all processes and nodes understand each other's addresses."""

    def __init__(self, *, database: Database, in_thread: InThread, now: Callable[[], float]) -> None:
        self._database = database
        self._in_thread = in_thread
        self._now = now
        self._secret = Secret(SECRET, database=database, in_thread=in_thread)

    async def rewrite(self, sender: Address, forwarder: Address) -> Address:
        """The reverse-path under which `forwarder` sends on mail of `sender`; raises TemporaryFailure."""
        secret = await self._secret.value()
        address = srs.named(sender, forwarder.domain, secret, self._now())
        if address is not None:
            return address
        number: int = await self._in_thread(self._keep, str(sender))
        return srs.kept(number, forwarder.domain, secret, self._now())

    async def original(self, address: Address) -> Address | None:
        """The sender behind a rewritten address, None for any other address; raises NoSuchRecipient if it is forged or expired."""
        if not srs.is_rewritten(address):
            return None
        found = srs.original(address, await self._secret.value(), self._now())
        if isinstance(found, Address):
            return found
        text: str | None = await self._in_thread(self._kept, found)
        if text is None:
            raise NoSuchRecipient(private=f"rewritten sender {found} is not kept any more")
        return Address.parse(text)

    def _keep(self, address: str) -> int:
        """The address's number; those that nobody has used for long are forgotten by the way."""
        now, columns = self._now(), kept_senders.c
        new = insert(kept_senders).values(address=address, used=now)
        with self._database.writing() as connection:
            connection.execute(new.on_conflict_do_update(index_elements=[columns.address], set_={"used": now}))
            connection.execute(delete(kept_senders).where(columns.used < now - KEEP_SECONDS))
            return int(connection.execute(select(columns.number).where(columns.address == address)).scalar_one())

    def _kept(self, number: int) -> str | None:
        query = select(kept_senders.c.address).where(kept_senders.c.number == number)
        with self._database.reading() as connection:
            return connection.execute(query).scalar()
