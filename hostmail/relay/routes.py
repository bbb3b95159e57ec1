"""Which way out a message takes: its account's, its domain's, the server's (C9)."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from hostmail.config.schema import Settings
from hostmail.errors import ConfigurationError
from hostmail.interfaces.directory import Account, IDirectory
from hostmail.interfaces.queue import Queued
from hostmail.interfaces.waysout import IWaysOut, Smarthost, WayOut
from hostmail.relay.contracts import Route
from hostmail.relay.smarthost import LOCAL_HOSTS, SmarthostSettings, parse_smarthost

IMPLICIT_TLS_PORT = 465
NOTHING = WayOut()


def chosen(
    account: tuple[str, WayOut], domain: tuple[str, WayOut], server: Route | None, sources: tuple[str, ...]
) -> Route | None:
    """The account's way before the domain's, and both before the `server`'s route, which is None where that has none.

    A domain's addresses are for direct delivery: smarthosts, which may know their clients by address, are spoken to from the server's
    own `sources`.
    """
    own_sources = domain[1].sources
    for owner, way in (account, domain):
        if way.smarthost is not None:
            return Route(as_settings(way.smarthost), sources, owner, everybodys=False)
        if way.direct:
            return Route(sources=own_sources or sources, everybodys=False)
    if server is None or server.smarthost is not None or not own_sources:
        return server
    return replace(server, sources=own_sources)


def as_settings(smarthost: Smarthost) -> SmarthostSettings:
    """The smarthost as it is connected to: port 465 speaks TLS at once."""
    return SmarthostSettings(
        smarthost.host,
        smarthost.port,
        smarthost.tls,
        smarthost.port == IMPLICIT_TLS_PORT,
        smarthost.login,
        smarthost.password,
    )


def servers_route(settings: Settings) -> Route | None:
    """The way of all mail whose sender has none of his own, None if it is to wait. Raises OSError or ConfigurationError for the password.

    A password is said to nobody but the smarthost itself, unless the settings want it otherwise.
    """
    if settings.smarthost is None:
        return Route(sources=settings.source_addresses) if settings.direct_delivery else None
    wanted = parse_smarthost(settings.smarthost)
    password = settings.smarthost_password_file
    usual = "verified" if settings.smarthost_login and wanted.host not in LOCAL_HOSTS else "opportunistic"
    smarthost = replace(
        wanted,
        implicit_tls=wanted.implicit_tls or wanted.port == IMPLICIT_TLS_PORT,
        tls=settings.smarthost_tls or usual,
        user=settings.smarthost_login or "",
        password=_password(password) if password is not None else "",
    )
    return Route(smarthost, settings.source_addresses)


def _password(file: Path) -> str:
    try:
        first, *_ = file.read_text("utf-8").splitlines() or [""]
    except UnicodeDecodeError:
        first = ""
    if not first:
        raise ConfigurationError(f"smarthost_password_file: {file} has no password in its first line")
    return first


async def silenced(directory: IDirectory, row: Queued) -> str:
    """The account or domain of a queued message that may send nothing at present (A9), "" for none.

    What we write ourselves to strangers, such as reports about mail that a domain did not take, is owed to them whatever that domain did:
    it has the null sender, and is no account's.
    """
    if not (row.sender or row.account_id):
        return ""
    account = await directory.account(row.account_id) if row.account_id else None
    name = row.for_domain if account is None else account.domain
    domain = await directory.domain(name) if name else None
    if domain is not None and domain.outgoing_suspended:
        return domain.name
    return account.address if account is not None and account.outgoing_suspended else ""


class SenderRoutes:
    """Asks the directory, each time anew: what is changed there counts with the next attempt (E7)."""

    def __init__(
        self, *, directory: IDirectory, ways_out: IWaysOut, server: Route | None, sources: tuple[str, ...]
    ) -> None:
        self._directory = directory
        self._ways_out = ways_out
        self._server = server
        self._sources = sources

    async def __call__(self, row: Queued) -> Route | None:
        """The way of a queued message."""
        return await self.find(row.account_id, row.for_domain)

    async def find(self, account_id: int | None, domain: str) -> Route | None:
        """The way of mail that an account sent, or that is of a domain, which an address may name as well.

        The reverse-path of an account's mail does not count: another domain's smarthost is not open to whoever writes its name.
        """
        server = self._server
        if not await self._ways_out.any():
            return server
        if server is not None:
            server = replace(server, everybodys=False)
        account = await self._directory.account(account_id) if account_id else None
        domain = account.domain if account is not None else await self._hosted(domain)
        of_account = await self._ways_out.of_account(account.id) if account is not None else NOTHING
        of_domain = await self._ways_out.of_domain(domain) if domain else NOTHING
        return chosen((_address(account), of_account), (domain, of_domain), server, self._sources)

    async def _hosted(self, domain: str) -> str:
        """The domain that this one, or an address's, stands for, or itself."""
        name = domain.rpartition("@")[2].lower()
        return await self._directory.domain_alias(name) or name


def _address(account: Account | None) -> str:
    return account.address if account is not None else ""


async def explained_way(
    settings: Settings, directory: IDirectory, ways_out: IWaysOut, account_id: int | None, sender: str
) -> dict[str, object]:
    """`SenderRoutes.find` for people; the server's password is not even read."""
    server = servers_route(replace(settings, smarthost_password_file=None))
    routes = SenderRoutes(directory=directory, ways_out=ways_out, server=server, sources=settings.source_addresses)
    return told(await routes.find(account_id, sender))


def told(route: Route | None) -> dict[str, object]:
    """A way out for people, without passwords."""
    if route is None:
        return {"kind": "none"}
    if route.smarthost is None:
        return {"kind": "mx", "sources": list(route.sources)}
    about = {"smarthost": route.smarthost.name, "login": route.smarthost.user, "tls": route.smarthost.tls}
    return {"kind": "smarthost", **about, "owner": route.owner, "sources": list(route.sources)}
