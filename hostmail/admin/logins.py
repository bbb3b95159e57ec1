"""Verbs about attempts to sign in: the last ones of an account with what to do about them (F4), and who is slowed down for guessing."""

from __future__ import annotations

from typing import TypedDict

import msgspec

from hostmail.actor import Actor
from hostmail.admin.own import subject_of
from hostmail.admin.parts import Addressed, NoArguments, OneLogin, Parts, Verb
from hostmail.admin.permissions import ADDRESS, EVERYBODY, May
from hostmail.errors import NotFound
from hostmail.interfaces.logins import LoginAttempt

MOST_THROTTLED = 1_000

ADVICE = {
    "": "",
    "wrong password": "The password was wrong. A device may still have an old one; both login and password are case-sensitive.",
    "wrong case": "The login was spelled with other capitals. It must be spelled exactly as the account was created.",
    "bare name": "The name came without its domain. The login is the full mail address.",
    "unknown": "There is no such account. Check the spelling of the login.",
    "unknown domain": "That domain is not here. Check the spelling of the login.",
    "no address": "That login is no mail address.",
    "no default mailbox": "The domain's main login has no mailbox behind it: choose a default mailbox for the domain.",
    "no TLS": "The password came without encryption, which this server does not take. Switch on SSL/TLS or STARTTLS in the mail program.",
    "login suspended": "Logins to this account are suspended.",
    "the domain's logins are suspended": "All logins of this domain are suspended.",
    "acting as somebody else": "The mail program asked to act for another account. Clear its authorization identity.",
    "wrong or used code": "The password was right, and the code of the second factor was not: a stranger may know the password.",
    "too many wrong codes": "After ten wrong codes nobody may try another for a quarter of an hour.",
    "too many failed logins from this address": "So many logins from this address failed that it has to wait for a quarter of an hour.",
}
"""What to do about each reason that the checker gives."""


class ListThrottled(msgspec.Struct, forbid_unknown_fields=True):
    """throttle.list"""


class Forgive(msgspec.Struct, forbid_unknown_fields=True):
    """throttle.forgive: `ip` is an address, or a client as the list shows it."""

    ip: str


class AttemptTold(TypedDict):
    """Attempts to sign in that were alike."""

    login: str
    accepted: bool
    reason: str
    advice: str
    protocol: str
    ip: str
    tls: bool
    first: float
    last: float
    count: int


class ThrottledTold(TypedDict):
    """A client with failed logins."""

    ip: str
    failures: float
    last: float
    refused_until: float | None


class ForgivenTold(TypedDict):
    """Whose failed logins are forgotten."""

    ip: str


class Logins:
    """What people ask when somebody "cannot get at his mail"."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self.verbs = {
            "login.list": Verb(Addressed, self.all, May(EVERYBODY, looks=True, about={"address": ADDRESS})),
            "person.logins": Verb(OneLogin, self.of_person, May(looks=True)),
            "own.logins": Verb(NoArguments, self.of_himself, May(EVERYBODY, looks=True, acting=True)),
            "throttle.list": Verb(ListThrottled, self.throttled, May(looks=True)),
            "throttle.forgive": Verb(Forgive, self.forgive),
        }

    async def all(self, asked: Addressed) -> list[AttemptTold]:
        """The last attempts on an account, with those whose login was meant to be its.

        The newest come first.
        """
        account = await self._parts.find_account(asked.address)
        return [told(attempt) for attempt in await self._parts.attempts.of_account(account.id)]

    async def of_person(self, asked: OneLogin) -> list[AttemptTold]:
        """The last attempts to sign in as an operator or owner with a login of his own. A domain's main login is its default mailbox's."""
        person = await self._parts.people.person(asked.login)
        return [told(attempt) for attempt in await self._parts.attempts.of_account(-person.id)]

    async def of_himself(self, _: NoArguments, actor: Actor) -> list[AttemptTold]:
        """The same of the login that somebody has signed in with."""
        found = await self._parts.people.standing(await subject_of(self._parts, actor))
        number = 0 if found is None else found.account_id or -(found.person_id or 0)
        return [told(attempt) for attempt in await self._parts.attempts.of_account(number)] if number else []

    async def throttled(self, asked: ListThrottled) -> list[ThrottledTold]:
        """Clients with failed logins.

        Those that are refused come first.
        """
        return [
            {"ip": one.client, "failures": one.failures, "last": one.last, "refused_until": one.until or None}
            for one in self._parts.throttle.throttled(MOST_THROTTLED)
        ]

    async def forgive(self, asked: Forgive) -> ForgivenTold:
        """Forget a client's failed logins."""
        if not self._parts.throttle.forgive(asked.ip):
            raise NotFound(f"no failed logins are known of {asked.ip}").about("ip")
        return {"ip": asked.ip}


def told(attempt: LoginAttempt) -> AttemptTold:
    """Alike attempts as JSON."""
    return {
        "login": attempt.login,
        "accepted": not attempt.refused,
        "reason": attempt.refused,
        "advice": ADVICE.get(attempt.refused, ""),
        "protocol": attempt.protocol,
        "ip": attempt.ip,
        "tls": attempt.tls,
        "first": attempt.first,
        "last": attempt.last,
        "count": attempt.count,
    }
