"""Everything below the ports, made and handed to each other: for the service, and for the `hostmail` command when no service runs.

`compose` puts what talks to people above it.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from random import SystemRandom
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.task import deferLater
from twisted.logger import Logger

from hostmail import __version__
from hostmail.admin.parts import Parts as AdminParts
from hostmail.admin.service import Admin
from hostmail.auth.attempts import LoginAttempts
from hostmail.auth.checker import Checker
from hostmail.auth.grants import RelayGrants
from hostmail.auth.passwords import Passwords
from hostmail.auth.signin import SignIn
from hostmail.auth.throttle import Throttle, ThrottleLimits
from hostmail.auth.verified import VerifiedCredentials
from hostmail.checks.listrates import ListRates
from hostmail.checks.sending import SendingRates
from hostmail.config.schema import Settings
from hostmail.delivery.lists.rules import held_for
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
from hostmail.directory.tables import MIGRATIONS
from hostmail.directory.tokens import Tokens
from hostmail.directory.transaction import NameLimits
from hostmail.directory.usage import StoredUsage
from hostmail.directory.welcomes import Welcomes
from hostmail.interfaces.admin import ListCertificates
from hostmail.interfaces.directory import Account
from hostmail.interfaces.events import DirectoryChanged
from hostmail.monitoring.audit import Audit
from hostmail.monitoring.events import EventBus
from hostmail.monitoring.history import History
from hostmail.monitoring.sessions import Sessions
from hostmail.queue.committer import GATHER_SECONDS
from hostmail.queue.queue import Queue
from hostmail.relay.dns import CachedDns
from hostmail.relay.live import LiveDns
from hostmail.relay.making import make_dns, make_live_dns
from hostmail.relay.routes import explained_way
from hostmail.routing.router import Router
from hostmail.sql.database import Database
from hostmail.storage.spool import Spool
from hostmail.storage.store import MaildirStore
from hostmail.threads import Threads

log = Logger(namespace="hostmail")

THREADS, DISK_THREADS = 10, 8
"""Storage has its own: a slow disk stops nobody who needs none."""


@dataclass(slots=True)
class Parts:
    """Everything below the ports."""

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

    def in_thread(self, function: Callable[..., Any], *args: Any) -> Deferred[Any]:
        """Run it where it may block."""
        return self.threads.run(function, *args)

    def admin(
        self, sessions: Sessions | None, convinces: Callable[[str], bool], certificates: ListCertificates
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
            held_posts=partial(held_for, self.queue),
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


def open_parts(settings: Settings, reactor: Any) -> Parts:
    """Make the parts over the data directory, bringing its databases up to date."""
    data = settings.data_dir
    data.mkdir(mode=0o700, parents=True, exist_ok=True)
    threads = Threads(reactor, THREADS, "hostmail")
    in_thread = threads.run
    limits = settings.limits
    MIGRATIONS.apply(data / "directory.sqlite")
    events = EventBus(reactor=reactor)
    database = Database(data / "directory.sqlite")
    usage = StoredUsage(database=database)
    directory = Directory(database=database, in_thread=in_thread, events=events)

    names = NameLimits(limits.alias_targets, limits.domain_names)
    senders = SenderRewriting(database=database, in_thread=in_thread, now=time.time)

    async def domain_free(account: Account) -> int | None:
        domain = await directory.domain(account.domain)
        if domain is None or domain.quota_bytes is None:
            return None
        return max(0, domain.quota_bytes - (await directory.domain_usage(domain.name)).bytes)

    disks = Threads(reactor, DISK_THREADS, "storage")
    store = MaildirStore(
        os.fspath(data),
        disks.run,
        reactor,
        host=settings.hostname,
        usage=usage,
        events=events,
        domain_free=domain_free,
        message_size_limit=settings.message_size_limit,
        grace_seconds=settings.keep_removed,
        full_text_search=settings.full_text_search,
    )
    history = History(
        data / "history.sqlite",
        in_thread=in_thread,
        clock=reactor,
        now=time.time,
        keep_seconds=settings.history,
        most_octets=settings.history_size,
    )
    events.subscribe(DirectoryChanged, partial(follow_limits, directory, store))
    return Parts(
        settings=settings,
        reactor=reactor,
        threads=threads,
        disks=disks,
        events=events,
        database=database,
        usage=usage,
        directory=directory,
        changes=DirectoryChanges(
            database=database, in_thread=in_thread, events=events, now=time.time, name_limits=names
        ),
        ways_out=WaysOut(database=database, in_thread=in_thread, events=events),
        senders=senders,
        answered=Answered(database=database, in_thread=in_thread, now=time.time),
        members=ListMembers(database=database, in_thread=in_thread, now=time.time),
        router=Router(directory, hostname=settings.hostname, senders=senders),
        caught=CaughtNames(
            database=database,
            in_thread=in_thread,
            clock=reactor,
            now=time.time,
            names_a_domain=limits.caught_names,
        ),
        passwords=Passwords(
            in_thread=in_thread,
            workers=limits.password_threads or os.cpu_count() or 1,
            queue=limits.password_queue,
        ),
        people=People(database=database, in_thread=in_thread, now=time.time),
        factors=SecondFactors(database=database, in_thread=in_thread, now=time.time),
        tokens=Tokens(database=database, in_thread=in_thread, now=time.time),
        audit=Audit(data / "audit.sqlite", in_thread=in_thread, now=time.time),
        verified=VerifiedCredentials(now=time.monotonic, events=events),
        grants=RelayGrants(
            path=data / "grants.sqlite",
            now=time.time,
            events=events,
            window_seconds=settings.relay_window,
            accounts_per_address=limits.grants_per_ip,
            honour_shared=settings.shared_grants == "honour",
        ),
        throttle=Throttle(
            path=data / "throttle.sqlite", now=time.time, events=events, limits=ThrottleLimits.of(limits)
        ),
        attempts=LoginAttempts(path=data / "logins.sqlite", in_thread=in_thread, clock=reactor, now=time.time),
        sessions=Sessions(
            now=time.time,
            events=events,
            unauthenticated=limits.connections_per_ip,
            authenticated=limits.sessions_per_account,
            total=limits.connections,
        ),
        store=store,
        spool=store.spool,
        queue=Queue(
            data / "queue",
            in_thread=in_thread,
            now=time.time,
            gather=partial(deferLater, reactor, GATHER_SECONDS),
        ),
        history=history,
        sending=SendingRates(
            path=data / "sending.sqlite", now=time.time, per_hour=limits.sent_per_hour, per_day=limits.sent_per_day
        ),
        list_rates=ListRates(
            path=data / "sending.sqlite",
            now=time.time,
            posts_per_hour=limits.list_posts_per_hour,
            recipients_per_day=limits.list_recipients_per_day,
            requests_per_ip=limits.list_requests_per_ip,
        ),
        dns=make_dns(settings.dns, reactor),
        live_dns=make_live_dns(settings.dns, reactor),
        welcomes=Welcomes(database=database, in_thread=in_thread),
        letters=Welcome(
            spool=store.spool,
            store=store,
            history=history,
            hostname=settings.hostname,
            random=SystemRandom(),
            now=time.time,
        ),
    )


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
