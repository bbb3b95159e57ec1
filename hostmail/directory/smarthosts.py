"""Ways out as facts (C9): smarthosts of domains and accounts, and the addresses that a domain's mail comes from."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Mapping
from typing import Any

from sqlalchemy import Connection, delete, exists, insert, select
from sqlalchemy.exc import DBAPIError
from zope.interface import implementer

from hostmail.address import parse_domain
from hostmail.directory.lru import MISSING, Answers
from hostmail.directory.tables import accounts, domains, smarthosts, source_addresses
from hostmail.directory.transaction import Transaction
from hostmail.errors import BadAddress, BadValue, TemporaryFailure
from hostmail.interfaces.events import DirectoryChanged, IEvents
from hostmail.interfaces.threads import InThread
from hostmail.interfaces.waysout import IWaysOut, Smarthost, WayOut
from hostmail.sql.database import Database

CACHED_ANSWERS = 10_000
DEFAULT_PORT = 25
TLS_CHOICES = ("opportunistic", "required", "verified")
MAX_WORDS = 512
DIRECT = "direct"
NO_HOST = ("", 0)
"""Stands for none at all in the place of a smarthost, whoever else has one."""
_HOST_PORT = re.compile(r"(?:\[([0-9A-Fa-f:.]+)\]|([^:\[\]\s]+))(?::([0-9]{1,5}))?\Z", re.ASCII)


# ------------------------------------------------------------------------------------------------------------- what may be


def check_smarthost(what: str, value: Any) -> tuple[str, int] | None:
    """Host and port of `host`, `host:port` or `[ipv6]:port`; NO_HOST for DIRECT; None for none of its own. Raises BadValue."""
    if value is None:
        return None
    if str(value).strip().lower() == DIRECT:
        return NO_HOST
    match = _HOST_PORT.match(str(value).strip())
    port = int(match[3] or DEFAULT_PORT) if match else 0
    if match is None or not 1 <= port <= 65535:
        raise BadValue(f"{value} is no smarthost: write host or host:port, like smtp.provider.example:587")
    try:
        return (str(ipaddress.IPv6Address(match[1])) if match[1] else parse_domain(match[2])), port
    except (BadAddress, ValueError):
        raise BadValue(f"{value} names no host: write host or host:port, like smtp.provider.example:587") from None


def check_words(what: str, value: Any) -> str:
    """A login or a password there; "" for none. Raises BadValue, without the value: it may be the password."""
    text = str(value)
    if len(text.encode("utf-8", "replace")) > MAX_WORDS or any(ord(each) < 32 or ord(each) == 127 for each in text):
        raise BadValue(f"{what} is one line of at most {MAX_WORDS} octets")
    return text


def check_tls(what: str, value: Any) -> str:
    """One of TLS_CHOICES; raises BadValue."""
    if value not in TLS_CHOICES:
        raise BadValue(f"{what} is one of {', '.join(TLS_CHOICES)}")
    return str(value)


def check_sources(what: str, value: Any) -> tuple[str, ...]:
    """At most one IPv4 and one IPv6 address, in canonical spelling. Raises BadValue."""
    found = {}
    for text in value:
        try:
            address = ipaddress.ip_address(str(text))
        except ValueError:
            raise BadValue(f"{text} is no IP address") from None
        if address.is_unspecified or address.is_multicast or address.version in found:
            raise BadValue(
                f"{text}: mail comes from at most one IPv4 and one IPv6 address, and those must be this machine's"
            )
        found[address.version] = str(address)
    return tuple(found[version] for version in sorted(found))


CHECKS: dict[str, Callable[[str, Any], Any]] = {
    "smarthost": check_smarthost,
    "smarthost_login": check_words,
    "smarthost_password": check_words,
    "smarthost_tls": check_tls,
}
DOMAIN_CHECKS = CHECKS | {"source_addresses": check_sources}


def changed(before: Smarthost | None, changes: Mapping[str, Any]) -> Smarthost | None:
    """The smarthost after checked `changes`. A new host begins without a login: no host is told the password for another.

    With a login TLS is verified unless something else is said, for a password must not go to whoever pretends to be that host.
    """
    if "smarthost" in changes:
        host, port = changes["smarthost"] or NO_HOST
        if not host and len(changes) > 1:
            raise BadValue("no smarthost has no login, password or TLS")
        if changes["smarthost"] is None:
            return None
        before = Smarthost(host, port, "opportunistic")
    elif before is None or not before.host:
        raise BadValue("there is no smarthost that this could be of: name one with it")
    login, password = changes.get("smarthost_login", before.login), before.password
    if "smarthost_login" in changes or "smarthost_password" in changes:
        password = changes.get("smarthost_password", "")
    if bool(login) != bool(password):
        raise BadValue("a login at a smarthost and its password go together")
    usual = "verified" if login and not before.login else before.tls
    return Smarthost(before.host, before.port, changes.get("smarthost_tls", usual), login, password)


# --------------------------------------------------------------------------------------------------------------- changing


def put(t: Transaction, owner: Any, owner_id: int, columns: dict[str, Any]) -> bool:
    """Take the fields of a way out from `columns` and write them down; whether there were any. `owner` is a column of `smarthosts`."""
    changes = {name: columns.pop(name) for name in tuple(columns) if name in CHECKS}
    if changes:
        smarthost = changed(_smarthost(t.connection, owner, owner_id), changes)
        t.run(delete(smarthosts).where(owner == owner_id))
        if smarthost is not None:
            facts = {name: getattr(smarthost, name) for name in ("host", "port", "tls", "login", "password")}
            t.run(insert(smarthosts).values({owner.name: owner_id, **facts}))
    if (sources := columns.pop("source_addresses", None)) is None:
        return bool(changes)
    t.run(delete(source_addresses).where(source_addresses.c.domain_id == owner_id))
    for address in sources:
        t.run(insert(source_addresses).values(domain_id=owner_id, address=address))
    return True


def forget_accounts(t: Transaction, ids: Any) -> None:
    """Of removed accounts nothing stays; `ids` are theirs, or a query for them."""
    t.run(delete(smarthosts).where(smarthosts.c.account_id.in_(ids)))


def forget_domain(t: Transaction, domain_id: int) -> None:
    """Nor of a removed domain."""
    for table in (smarthosts, source_addresses):
        t.run(delete(table).where(table.c.domain_id == domain_id))


# ---------------------------------------------------------------------------------------------------------------- reading


def _smarthost(connection: Connection, owner: Any, owner_id: int) -> Smarthost | None:
    columns = smarthosts.c
    query = select(columns.host, columns.port, columns.tls, columns.login, columns.password).where(owner == owner_id)
    row = connection.execute(query).first()
    return Smarthost(*row) if row else None


def _way(connection: Connection, owner: Any, owner_id: int, sources: tuple[str, ...] = ()) -> WayOut:
    found = _smarthost(connection, owner, owner_id)
    if found is not None and not found.host:
        return WayOut(None, sources, direct=True)
    return WayOut(found, sources)


def _of_account(connection: Connection, account_id: int) -> tuple[str, WayOut]:
    """With the name of its domain, whose changes make it doubtful."""
    query = select(domains.c.name).join(accounts, accounts.c.domain_id == domains.c.id)
    domain = connection.execute(query.where(accounts.c.id == account_id)).scalar()
    return domain or "", _way(connection, smarthosts.c.account_id, account_id)


def _of_domain(connection: Connection, name: str) -> tuple[str, WayOut]:
    domain_id = connection.execute(select(domains.c.id).where(domains.c.name == name)).scalar()
    if domain_id is None:
        return name, WayOut()
    addresses = select(source_addresses.c.address).where(source_addresses.c.domain_id == domain_id)
    sources = check_sources("", connection.execute(addresses).scalars())
    return name, _way(connection, smarthosts.c.domain_id, domain_id, sources)


def _any(connection: Connection, _: object) -> tuple[str, bool]:
    query = select(exists(select(smarthosts.c.id)) | exists(select(source_addresses.c.address)))
    return "", bool(connection.execute(query).scalar())


@implementer(IWaysOut)
class WaysOut:
    """Ways out, as one process knows them: dropped with every announced change of their domain."""

    def __init__(self, *, database: Database, in_thread: InThread, events: IEvents) -> None:
        self._database = database
        self._in_thread = in_thread
        self._ways: Answers[WayOut] = Answers(CACHED_ANSWERS)
        self._any: Answers[bool] = Answers(1)
        events.subscribe(DirectoryChanged, self._directory_changed)

    async def of_account(self, account_id: int) -> WayOut:
        """What was laid down for an account; nothing for one that is not there."""
        found: WayOut = await self._cached(self._ways, account_id, _of_account)
        return found

    async def of_domain(self, name: str) -> WayOut:
        """What was laid down for a domain; nothing for one that is not hosted here."""
        found: WayOut = await self._cached(self._ways, name, _of_domain)
        return found

    async def any(self) -> bool:
        """Whether anything was: most servers have none, and ask nothing else."""
        found: bool = await self._cached(self._any, None, _any)
        return found

    async def _cached(self, cache: Answers[Any], key: object, read: Callable[..., Any]) -> Any:
        answer = cache.get(key)
        if answer is MISSING:
            generation = cache.generation
            domain, answer = await self._in_thread(self._read, read, key)
            cache.keep(key, domain, answer, generation)
        return answer

    def _read(self, read: Callable[..., Any], key: object) -> Any:
        try:
            with self._database.reading() as connection:
                return read(connection, key)
        except DBAPIError as error:
            raise TemporaryFailure(private=f"ways out: {error!r}") from error

    def _directory_changed(self, event: DirectoryChanged) -> None:
        for cache in (self._ways, self._any):
            cache.forget(event.domain)
