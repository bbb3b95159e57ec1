"""Verbs about relay grants: who may send after checking mail, and why (C2-C4)."""

from __future__ import annotations

import ipaddress
from typing import NotRequired, TypedDict, cast

import msgspec

from hostmail.actor import Actor, Role
from hostmail.address import normal_ip
from hostmail.admin.parts import NoArguments, Parts, Verb
from hostmail.admin.permissions import EVERYBODY, May, reaches
from hostmail.admin.told import GrantTold
from hostmail.errors import BadValue, NotFound
from hostmail.interfaces.logins import Grant

OPERATOR = "operator"
MOST_SECONDS = 366 * 86_400


class OneAddress(msgspec.Struct, forbid_unknown_fields=True):
    """relay.why, relay.revoke"""

    ip: str


class Allow(msgspec.Struct, forbid_unknown_fields=True):
    """relay.allow: for `seconds`, or the configured window."""

    ip: str
    seconds: int | None = None


class WhyTold(TypedDict):
    """Whether an address may relay: with the grant, or with what would open one."""

    ip: str
    may_relay: bool
    login: NotRequired[str]
    account_id: NotRequired[int]
    until: NotRequired[float]
    seconds_left: NotRequired[int]
    address: NotRequired[str | None]
    pop_before_smtp: NotRequired[bool]
    window: NotRequired[int]
    shared_by: NotRequired[int]


class ClosedTold(TypedDict):
    """How many grants were closed."""

    revoked: int


class ClosedOneTold(ClosedTold):
    """Of one address."""

    ip: str


class Relay:
    """Listing, explaining, opening and closing grants."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self.verbs = {
            "relay.list": Verb(NoArguments, self.all, May(EVERYBODY, looks=True, rows="address")),
            "relay.why": Verb(OneAddress, self.why, May(looks=True)),
            "relay.allow": Verb(Allow, self.allow),
            "relay.revoke": Verb(OneAddress, self.revoke, May(EVERYBODY, acting=True)),
            "relay.clear": Verb(NoArguments, self.clear),
        }

    async def all(self, _: NoArguments) -> list[GrantTold]:
        """Every live grant, with the account that opened it."""
        grants = await self._parts.grants.list()
        addresses = {number: await self._address(number) for number in {grant.account_id for grant in grants}}
        return [self._told(grant, addresses[grant.account_id]) for grant in grants]

    async def _address(self, account_id: int) -> str:
        account = await self._parts.directory.account(account_id)
        return account.address if account is not None else ""

    async def why(self, asked: OneAddress) -> WhyTold:
        """Whether this address may relay without logging in, and what would open it."""
        ip = _checked(asked.ip)
        grant = await self._parts.grants.find(ip)
        if grant is None:
            settings = self._parts.settings
            return {
                "ip": ip,
                "may_relay": False,
                "pop_before_smtp": settings.pop_before_smtp,
                "window": settings.relay_window,
                "shared_by": sum(grant.ip == ip for grant in await self._parts.grants.list()),
            }
        return cast(WhyTold, {**self._told(grant, await self._address(grant.account_id)), "may_relay": True})

    async def allow(self, asked: Allow) -> GrantTold:
        """Open relaying for an address, in the operator's name."""
        ip = _checked(asked.ip)
        if asked.seconds is not None and not 1 <= asked.seconds <= MOST_SECONDS:
            raise BadValue("a grant lasts at least a second, and at most a year").about("seconds")
        await self._parts.grants.grant(ip, 0, OPERATOR, asked.seconds)
        grant = await self._parts.grants.find(ip)
        if grant is None:
            raise NotFound(f"{ip} has no grant")
        return self._told(grant, "")

    async def revoke(self, asked: OneAddress, actor: Actor) -> ClosedOneTold:
        """Close an address's grants; those of others who check their mail there stay for who is no operator."""
        ip = _checked(asked.ip)
        if actor.role is Role.OPERATOR:
            revoked = await self._parts.grants.revoke(ip=ip)
        else:
            here = {grant.account_id for grant in await self._parts.grants.list() if grant.ip == ip}
            his = [number for number in here if reaches(actor, await self._address(number))]
            revoked = sum([await self._parts.grants.revoke(ip=ip, account_id=number) for number in his])
        if not revoked:
            raise NotFound(f"{ip} has no grant")
        return {"ip": ip, "revoked": revoked}

    async def clear(self, _: NoArguments) -> ClosedTold:
        """Close all grants."""
        return {"revoked": await self._parts.grants.revoke()}

    def _told(self, grant: Grant, address: str) -> GrantTold:
        return {
            "ip": grant.ip,
            "login": grant.login,
            "account_id": grant.account_id,
            "until": grant.until,
            "seconds_left": max(0, round(grant.until - self._parts.now())),
            "address": address or None,
        }


def _checked(text: str) -> str:
    """One address in its one spelling; raises BadValue."""
    try:
        ipaddress.ip_address(text.strip())
    except ValueError:
        raise BadValue(f"{text} is no IP address").about("ip") from None
    return normal_ip(text.strip())
