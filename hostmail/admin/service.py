"""Everything an operator can ask for, by verb: the command, the control socket and later the panel all come here (E7)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from types import MappingProxyType
from typing import Any

import msgspec
from twisted.logger import Logger
from zope.interface import implementer

from hostmail.actor import Actor, Role
from hostmail.admin.accounts import Accounts
from hostmail.admin.auditing import MOST_TEXT, AuditVerbs, entry_of
from hostmail.admin.autoreply import Autoreplies
from hostmail.admin.catchall import CatchAll
from hostmail.admin.certificates import Certificates
from hostmail.admin.clients import Clients
from hostmail.admin.dnshelp import DnsHelp
from hostmail.admin.domains import Domains
from hostmail.admin.history import HistoryVerbs
from hostmail.admin.importing import Importing
from hostmail.admin.lists import Lists
from hostmail.admin.logins import Logins
from hostmail.admin.mailboxes import Mailboxes
from hostmail.admin.names import Names
from hostmail.admin.own import Own
from hostmail.admin.parts import Parts, Verb
from hostmail.admin.people import PeopleVerbs
from hostmail.admin.permissions import May, check_role, check_subjects, named_domains, narrowed, shown
from hostmail.admin.queue import QueueVerbs
from hostmail.admin.quotas import Quotas
from hostmail.admin.relay import Relay
from hostmail.admin.restoring import Restoring
from hostmail.admin.routes import Routes
from hostmail.admin.sessions import SessionVerbs
from hostmail.admin.status import Status
from hostmail.admin.theirs import refusal_for
from hostmail.admin.tokens import TokenVerbs
from hostmail.admin.welcome import Welcomes
from hostmail.clientsetup.setup import Setup
from hostmail.config.nearest import nearest
from hostmail.errors import BadValue, NotFound, Refusal
from hostmail.interfaces.admin import IAdmin

_AT, _NAMED = (
    re.compile(r" - at `\$\.(\w+)"),
    re.compile(r"\Aobject (?:missing required|contains unknown) field `(\w+)`\Z", re.IGNORECASE),
)


def verbs_over(parts: Parts, clients: Clients, welcomes: Welcomes) -> dict[str, Verb]:
    """The verb table: every noun's verbs."""
    accounts = Accounts(parts, welcomes.greet)
    nouns = (
        Domains(parts),
        accounts,
        Importing(parts, accounts, welcomes.greet),
        Restoring(parts),
        Names(parts),
        CatchAll(parts),
        Routes(parts),
        Quotas(parts),
        Relay(parts),
        SessionVerbs(parts),
        Logins(parts),
        Mailboxes(parts),
        QueueVerbs(parts),
        Autoreplies(parts),
        Lists(parts),
        HistoryVerbs(parts),
        PeopleVerbs(parts),
        Own(parts),
        TokenVerbs(parts),
        AuditVerbs(parts),
        clients,
        DnsHelp(parts, clients),
        welcomes,
        Certificates(parts),
        Status(parts),
    )
    return {name: verb for noun in nouns for name, verb in noun.verbs.items()}


def argument_of(error: msgspec.ValidationError) -> str:
    """Which argument is of a wrong type, unknown or missing, "" if that is not said."""
    found = _AT.search(str(error)) or _NAMED.search(str(error))
    return found[1] if found else ""


async def _answer(known: Verb, asked: msgspec.Struct, actor: Actor) -> Any:
    return await (known.work(asked, actor) if known.may.acting else known.work(asked))


@implementer(IAdmin)
class Admin:
    """One verb table over small modules, one per noun.

    Before anything happens it is checked that somebody may ask for this, that the arguments are of the right types and names, and that
    what they are about is his. Whoever is no operator is held to the limits of his domains' owners, whatever the verb.
    """

    log = Logger(namespace="admin")

    def __init__(self, parts: Parts) -> None:
        self._clients = Clients(parts)
        welcomes = Welcomes(parts, self._clients)
        self._verbs = verbs_over(parts, self._clients, welcomes)
        bounded = replace(parts, changes=parts.changes.within_limits())
        self._bounded_verbs = verbs_over(bounded, self._clients, welcomes)
        self._directory = parts.directory
        self._view_of = parts.view_of
        self._audit = parts.audit
        self._now = parts.now

    @property
    def verbs(self) -> Mapping[str, Verb]:
        """All verbs by name: what each takes, and who may ask for it."""
        return MappingProxyType(self._verbs)

    async def setup_of(self, domain: str) -> Setup | None:
        """How mail programs are set up for a domain's people, for anybody who asks; None if it is not hosted here."""
        return await self._clients.setup_of(domain)

    async def call(self, verb: str, arguments: Mapping[str, Any], actor: Actor) -> Any:
        """Carry out a verb; raises Refusal. Who wanted to change what is written down before, and after it what became of that."""
        known = (self._verbs if actor.role is Role.OPERATOR else self._bounded_verbs).get(verb)
        if known is None:
            raise NotFound(f"there is no verb {verb[:60]}", nearest(verb, sorted(self._verbs)))
        if known.may.looks:
            return await self._carry_out(verb, known, arguments, actor)
        entry = entry_of(verb, known, arguments, actor, self._now())
        number = await self._audit.begin(entry)
        outcome = "failed"
        try:
            answer = await self._carry_out(verb, known, arguments, actor)
            outcome = "done"
        except Refusal as refusal:
            outcome = f"refused: {refusal.public[:MOST_TEXT]}"
            raise
        finally:
            await self._audit.end(number, outcome)
        self.log.info("administered: {verb} {subject} by {who}", verb=verb, subject=entry.subject, who=actor.login)
        return answer

    async def _carry_out(self, verb: str, known: Verb, arguments: Mapping[str, Any], actor: Actor) -> Any:
        check_role(known.may, actor, arguments)
        try:
            asked = msgspec.convert(dict(arguments), known.arguments, strict=True)
        except msgspec.ValidationError as error:
            raise BadValue(f"{verb}: {error}").about(argument_of(error)) from None
        await self._check_subjects(known.may, actor, asked)
        try:
            each = narrowed(known.may, actor, asked)
            if each == [asked]:
                answer = await _answer(known, asked, actor)
            else:
                answer = [row for one in each for row in await self._rows(known, one, actor)]
        except Refusal as refusal:
            if actor.role is Role.OPERATOR:
                raise
            raise refusal_for(refusal, str(arguments), *await self._view_of(actor)) from None
        return shown(known.may, actor, answer)

    async def _rows(self, known: Verb, asked: msgspec.Struct, actor: Actor) -> list[Any]:
        """Those of one of his domains, which may have been removed just now."""
        with suppress(NotFound):
            return list(await _answer(known, asked, actor))
        return []

    async def _check_subjects(self, may: May, actor: Actor, asked: msgspec.Struct) -> None:
        if actor.role is not Role.OPERATOR:
            homes = {name: await self._directory.domain_alias(name) or name for name in named_domains(may, asked)}
            check_subjects(may, actor, asked, homes)
