"""Everything an operator can ask for, by verb: the command, the control socket and later the panel all come here (E7)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import msgspec
from twisted.logger import Logger
from zope.interface import implementer

from hostmail.admin.accounts import Accounts
from hostmail.admin.autoreply import Autoreplies
from hostmail.admin.catchall import CatchAll
from hostmail.admin.domains import Domains
from hostmail.admin.history import HistoryVerbs
from hostmail.admin.importing import Importing
from hostmail.admin.lists import Lists
from hostmail.admin.mailboxes import Mailboxes
from hostmail.admin.names import Names
from hostmail.admin.parts import Counts, Explain, ExplainWay, Parts, Verb, WasHash
from hostmail.admin.queue import QueueVerbs
from hostmail.admin.quotas import Quotas
from hostmail.admin.relay import Relay
from hostmail.admin.routes import Routes
from hostmail.admin.sessions import SessionVerbs
from hostmail.admin.status import Status
from hostmail.config.nearest import nearest
from hostmail.config.schema import Settings
from hostmail.errors import BadValue, NotFound
from hostmail.interfaces import (
    IAdmin,
    IAnswered,
    ICaughtNames,
    IDirectory,
    IDirectoryChanges,
    IHistory,
    IListMembers,
    IMailStore,
    IPasswords,
    IQueue,
    IRelayGrants,
    ISessions,
    IWaysOut,
)

READING = frozenset(
    """domain.list domain.show account.list account.show quota.show relay.list relay.why session.list
    alias.list forward.list catchall.show catchall.names route domain.alias.list
    mailbox.verify queue.list queue.show queue.stats
    queue.cat autoreply.show list.list list.show list.member.list trace status version""".split()  # noqa: SIM905 - a list would say it with more noise
)


@implementer(IAdmin)
class Admin:
    """One verb table over small modules, one per noun. Arguments are checked for type and unknown names before anything happens."""

    log = Logger(namespace="admin")

    def __init__(
        self,
        *,
        directory: IDirectory,
        changes: IDirectoryChanges,
        passwords: IPasswords,
        grants: IRelayGrants,
        store: IMailStore,
        sessions: ISessions | None,
        queue: IQueue,
        history: IHistory,
        answered: IAnswered,
        members: IListMembers,
        settings: Settings,
        now: Callable[[], float],
        version: str,
        was_hash: WasHash,
        counts: Counts,
        caught: ICaughtNames,
        explain: Explain,
        ways_out: IWaysOut,
        explain_way: ExplainWay,
    ) -> None:
        parts = Parts(
            directory=directory,
            changes=changes,
            passwords=passwords,
            grants=grants,
            store=store,
            sessions=sessions,
            queue=queue,
            history=history,
            answered=answered,
            members=members,
            settings=settings,
            now=now,
            version=version,
            was_hash=was_hash,
            counts=counts,
            caught=caught,
            explain=explain,
            ways_out=ways_out,
            explain_way=explain_way,
        )
        accounts = Accounts(parts)
        nouns = (
            Domains(parts),
            accounts,
            Importing(parts, accounts),
            Names(parts),
            CatchAll(parts),
            Routes(parts),
            Quotas(parts),
            Relay(parts),
            SessionVerbs(parts),
            Mailboxes(parts),
            QueueVerbs(parts),
            Autoreplies(parts),
            Lists(parts),
            HistoryVerbs(parts),
            Status(parts),
        )
        self._verbs: dict[str, Verb] = {name: verb for noun in nouns for name, verb in noun.verbs.items()}

    @property
    def verbs(self) -> list[str]:
        """The names of all verbs."""
        return sorted(self._verbs)

    async def call(self, verb: str, arguments: Mapping[str, Any]) -> Any:
        """Carry out a verb; raises Refusal. Changes are logged by verb and subject, never with their arguments: those hold passwords."""
        known = self._verbs.get(verb)
        if known is None:
            raise NotFound(f"there is no verb {verb[:60]}", nearest(verb, self.verbs))
        try:
            asked = msgspec.convert(dict(arguments), known.arguments, strict=True)
        except msgspec.ValidationError as error:
            raise BadValue(f"{verb}: {error}") from None
        answer = await known.work(asked)
        if verb not in READING:
            subject = next(
                (getattr(asked, name) for name in ("address", "name", "ip", "pattern") if hasattr(asked, name)), ""
            )
            self.log.info("administered: {verb} {subject}", verb=verb, subject=subject)
        return answer
