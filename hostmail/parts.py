"""Everything below the ports: for the service, and for the `hostmail` command when no service runs.

`opening` makes it; `compose` puts what talks to people above it.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from twisted.internet.defer import Deferred, DeferredLock
from twisted.logger import Logger

from hostmail import __version__
from hostmail.admin.parts import Parts as AdminParts
from hostmail.admin.service import Admin
from hostmail.auth.attempts import LoginAttempts
from hostmail.auth.checker import Checker
from hostmail.auth.grants import RelayGrants
from hostmail.auth.passwords import Passwords
from hostmail.auth.signin import SignIn
from hostmail.auth.throttle import Throttle
from hostmail.auth.verified import VerifiedCredentials
from hostmail.checks.listrates import ListRates
from hostmail.checks.sending import SendingRates
from hostmail.config.schema import Settings
from hostmail.delivery.welcome import Welcome
from hostmail.directory.autoresponders import Answered
from hostmail.directory.caught import CaughtNames
from hostmail.directory.changes import DirectoryChanges
from hostmail.directory.factors import SecondFactors
from hostmail.directory.members import ListMembers
from hostmail.directory.people import People
from hostmail.directory.reading import Directory
from hostmail.directory.senders import SenderRewriting
from hostmail.directory.smarthosts import WaysOut
from hostmail.directory.tokens import Tokens
from hostmail.directory.usage import StoredUsage
from hostmail.directory.welcomes import Welcomes
from hostmail.interfaces.admin import ListCertificates
from hostmail.interfaces.events import DirectoryChanged
from hostmail.interfaces.lists import IHeldPosts
from hostmail.monitoring.audit import Audit
from hostmail.monitoring.events import EventBus
from hostmail.monitoring.history import History
from hostmail.monitoring.sessions import Sessions
from hostmail.queue.queue import Queue
from hostmail.relay.dns import CachedDns
from hostmail.relay.live import LiveDns
from hostmail.relay.routes import explained_way
from hostmail.routing.router import Router
from hostmail.sql.database import Database
from hostmail.storage.spool import Spool
from hostmail.storage.store import MaildirStore
from hostmail.threads import Threads

log = Logger(namespace="hostmail")


@dataclass(slots=True)
class Parts:
    """Everything below the ports. `deciding` is held while a post ends that waits for a list's owners, before and after a reload."""

    settings: Settings
    reactor: Any
    threads: Threads
    disks: Threads
    events: EventBus
    database: Database
    usage: StoredUsage
    directory: Directory
    changes: DirectoryChanges
    ways_out: WaysOut
    caught: CaughtNames
    passwords: Passwords
    people: People
    factors: SecondFactors
    tokens: Tokens
    audit: Audit
    verified: VerifiedCredentials
    grants: RelayGrants
    throttle: Throttle
    attempts: LoginAttempts
    sessions: Sessions
    store: MaildirStore
    spool: Spool
    queue: Queue
    sending: SendingRates
    list_rates: ListRates
    history: History
    senders: SenderRewriting
    answered: Answered
    members: ListMembers
    router: Router
    dns: CachedDns
    live_dns: LiveDns
    welcomes: Welcomes
    letters: Welcome
    deciding: DeferredLock = field(default_factory=DeferredLock)

    def in_thread(self, function: Callable[..., Any], *args: Any) -> Deferred[Any]:
        """Run it where it may block."""
        return self.threads.run(function, *args)

    def admin(
        self,
        sessions: Sessions | None,
        convinces: Callable[[str], bool],
        certificates: ListCertificates,
        held_posts: IHeldPosts,
    ) -> Admin:
        """What the command line, the control socket and later the panel talk to.

        `convinces` tells for which server names there is a certificate that clients believe; `certificates` lists all there are.
        """
        parts = AdminParts(
            directory=self.directory,
            changes=self.changes,
            passwords=self.passwords,
            people=self.people,
            factors=self.factors,
            tokens=self.tokens,
            sign_in=self.sign_in(),
            audit=self.audit,
            grants=self.grants,
            throttle=self.throttle,
            attempts=self.attempts,
            store=self.store,
            sessions=sessions,
            queue=self.queue,
            history=self.history,
            settings=self.settings,
            now=time.time,
            version=__version__,
            was_hash=self.directory.was_hash,
            counts=self.directory.counts,
            caught=self.caught,
            explain=self.router.explain,
            answered=self.answered,
            members=self.members,
            held_posts=held_posts,
            ways_out=self.ways_out,
            explain_way=partial(explained_way, self.settings, self.directory, self.ways_out),
            convinces=convinces,
            certificates=partial(certificates, self.in_thread),
            live_dns=self.live_dns.begin,
            welcomes=self.welcomes,
            put_letter=self.letters.put,
        )
        return Admin(parts)

    def checker(self) -> Checker:
        """Who signs in to his mail, with the settings as they are now."""
        return Checker(
            directory=self.directory,
            changes=self.changes,
            passwords=self.passwords,
            verified=self.verified,
            throttle=self.throttle,
            grants=self.grants,
            attempts=self.attempts,
            clock=self.reactor,
            pop_before_smtp=self.settings.pop_before_smtp,
        )

    def sign_in(self) -> SignIn:
        """Who signs in to the panel."""
        return SignIn(
            directory=self.directory,
            people=self.people,
            factors=self.factors,
            checker=self.checker(),
            passwords=self.passwords,
            throttle=self.throttle,
            attempts=self.attempts,
            clock=self.reactor,
            now=time.time,
            hostname=self.settings.hostname,
        )

    async def forget_removed(self) -> int:
        """Accounts whose mail is erased cannot be restored any more; how many."""
        return await self.changes.forget_removed(time.time() - self.settings.keep_removed)

    async def close(self) -> None:
        """Finish what runs and close every file."""
        await self.caught.flush()
        await self.attempts.close()
        await self.store.close()
        await self.history.close()
        self.queue.close()
        self.grants.close()
        self.audit.close()
        self.throttle.close()
        self.sending.close()
        self.list_rates.close()
        self.usage.close()
        self.database.close()
        self.disks.stop()
        self.threads.stop()


def follow_limits(directory: Directory, store: MaildirStore, event: DirectoryChanged) -> None:
    """A mailbox that somebody has open is held to its account's new limits at once, whoever changed them (E7)."""

    async def follow() -> None:
        account = await directory.account(event.account_id)
        if account is not None:
            store.account_changed(account)

    if not event.removed and store.holds(event.account_id):
        Deferred.fromCoroutine(follow()).addErrback(partial(log.failure, "limits_not_followed"))


def apply_settings(parts: Parts, settings: Settings) -> None:
    """Change what parts that go on running were told at their making (SIGHUP)."""
    parts.settings = settings
    parts.grants.window_seconds = settings.relay_window
    parts.grants.honour_shared = settings.shared_grants == "honour"
    parts.store.message_size_limit = settings.message_size_limit
    parts.store.filler.is_on = settings.full_text_search
