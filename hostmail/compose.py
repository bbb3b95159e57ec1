"""The one place that knows all concrete classes: makes the parts, hands them to each other, listens.

`open_parts` makes everything below the ports, for the service and for the `hostmail` command when no service runs. `Appliance` is the
service around it. Read it from top to bottom: it is the picture in README.rst, in code.
"""

from __future__ import annotations

import os
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from random import Random
from threading import Thread
from typing import Any

from twisted.cred.portal import Portal
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IProtocolFactory
from twisted.internet.threads import deferToThreadPool
from twisted.logger import Logger
from twisted.mail import pop3, smtp
from twisted.mail.interfaces import IAccountIMAP
from twisted.python.threadpool import ThreadPool

from hostmail import __version__
from hostmail.admin.offline import become_owner, in_background
from hostmail.admin.service import Admin
from hostmail.auth.barenames import by_server_name, of_domain
from hostmail.auth.checker import Checker
from hostmail.auth.grants import RelayGrants
from hostmail.auth.passwords import Passwords
from hostmail.auth.realm import HostmailRealm
from hostmail.auth.throttle import Throttle, ThrottleLimits
from hostmail.auth.verified import VerifiedCredentials
from hostmail.checks.gate import Gate
from hostmail.checks.sending import SendingRates
from hostmail.config.kinds import BY_SERVER_NAME
from hostmail.config.schema import IMPLICIT_TLS, Listener, Settings
from hostmail.delivery.intake import Intake, IntakeSettings
from hostmail.directory.caught import CaughtNames
from hostmail.directory.changes import DirectoryChanges
from hostmail.directory.reading import Directory
from hostmail.directory.tables import MIGRATIONS
from hostmail.directory.usage import StoredUsage
from hostmail.envelope import Peer
from hostmail.interfaces import Account, DirectoryChanged
from hostmail.listen.tls import CertificateStore
from hostmail.monitoring.events import EventBus
from hostmail.monitoring.history import History
from hostmail.monitoring.sessions import Sessions
from hostmail.protocols.imap.account import ImapAccount
from hostmail.protocols.imap.factory import HostmailIMAP4Factory
from hostmail.protocols.imap.limits import CommandLimits
from hostmail.protocols.imap.settings import ImapSettings
from hostmail.protocols.imap.watch import FolderWatch
from hostmail.protocols.pop3.factory import HostmailPOP3Factory
from hostmail.protocols.pop3.maildrop import Maildrop, take_over_idle
from hostmail.protocols.pop3.settings import Pop3Settings
from hostmail.protocols.smtp.delivery import HostmailDelivery
from hostmail.protocols.smtp.factory import HostmailSMTPFactory
from hostmail.protocols.smtp.settings import SmtpSettings
from hostmail.queue.queue import Queue
from hostmail.relay.dispatch import Dispatch
from hostmail.relay.dns import CachedDns
from hostmail.relay.making import make_dispatch, make_dns
from hostmail.routing.router import Router
from hostmail.sql.database import Database
from hostmail.storage.spool import Spool
from hostmail.storage.store import MaildirStore
from hostmail.storage.threads import StorageThreads

log = Logger(namespace="hostmail")

THREADS = 10


@dataclass(slots=True)
class Parts:
    """Everything below the ports."""

    settings: Settings
    reactor: Any
    threads: ThreadPool
    disks: StorageThreads
    events: EventBus
    database: Database
    usage: StoredUsage
    directory: Directory
    changes: DirectoryChanges
    caught: CaughtNames
    passwords: Passwords
    verified: VerifiedCredentials
    grants: RelayGrants
    throttle: Throttle
    sessions: Sessions
    store: MaildirStore
    spool: Spool
    queue: Queue
    sending: SendingRates
    history: History
    dns: CachedDns

    def in_thread(self, function: Callable[..., Any], *args: Any) -> Deferred[Any]:
        """Run it where it may block."""
        return deferToThreadPool(self.reactor, self.threads, function, *args)

    def admin(self, sessions: Sessions | None) -> Admin:
        """What the command line, the control socket and later the panel talk to."""
        return Admin(
            directory=self.directory,
            changes=self.changes,
            passwords=self.passwords,
            grants=self.grants,
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
            explain=Router(self.directory, hostname=self.settings.hostname).explain,
        )

    async def close(self) -> None:
        """Finish what runs and close every file."""
        await self.caught.flush()
        await self.store.close()
        await self.history.close()
        self.queue.close()
        self.grants.close()
        self.throttle.close()
        self.usage.close()
        self.dns.close()
        self.database.close()
        self.disks.stop()
        self.threads.stop()


def open_parts(settings: Settings, reactor: Any) -> Parts:
    """Make the parts over the data directory, bringing its databases up to date."""
    data = settings.data_dir
    data.mkdir(mode=0o700, parents=True, exist_ok=True)
    threads = ThreadPool(minthreads=1, maxthreads=THREADS, name="hostmail")
    threads.threadFactory = partial(Thread, daemon=True)  # type: ignore[assignment] # as storage's: `close` waits for work
    threads.start()

    def in_thread(function: Callable[..., Any], *args: Any) -> Deferred[Any]:
        return deferToThreadPool(reactor, threads, function, *args)

    limits = settings.limits
    MIGRATIONS.apply(data / "directory.sqlite")
    events = EventBus(reactor=reactor)
    database = Database(data / "directory.sqlite")
    usage = StoredUsage(database=database)
    directory = Directory(database=database, in_thread=in_thread, events=events)

    async def domain_free(account: Account) -> int | None:
        domain = await directory.domain(account.domain)
        if domain is None or domain.quota_bytes is None:
            return None
        return max(0, domain.quota_bytes - (await directory.domain_usage(domain.name)).bytes)

    disks = StorageThreads(reactor)
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
        changes=DirectoryChanges(database=database, in_thread=in_thread, events=events, now=time.time),
        caught=CaughtNames(database=database, in_thread=in_thread, clock=reactor, now=time.time),
        passwords=Passwords(
            in_thread=in_thread,
            workers=limits.password_threads or os.cpu_count() or 1,
            queue=limits.password_queue,
        ),
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
        sessions=Sessions(
            now=time.time,
            events=events,
            unauthenticated=limits.connections_per_ip,
            authenticated=limits.sessions_per_account,
            total=limits.connections,
        ),
        store=store,
        spool=store.spool,
        queue=Queue(data / "queue", in_thread=in_thread, now=time.time),
        history=History(
            data / "history.sqlite",
            in_thread=in_thread,
            clock=reactor,
            now=time.time,
            keep_seconds=settings.history,
            most_octets=settings.history_size,
        ),
        sending=SendingRates(now=time.time, per_hour=limits.sent_per_hour, per_day=limits.sent_per_day),
        dns=make_dns(settings.dns, reactor),
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


# ------------------------------------------------------------------------------------------------------- who signs in


def make_portals(parts: Parts, intake: Intake) -> Callable[[Listener], Portal]:
    """One realm and one checker for all protocols; a portal of its own only for a port where names need no domain (A4)."""
    checker = Checker(
        directory=parts.directory,
        changes=parts.changes,
        passwords=parts.passwords,
        verified=parts.verified,
        throttle=parts.throttle,
        grants=parts.grants,
        clock=parts.reactor,
        pop_before_smtp=parts.settings.pop_before_smtp,
    )

    async def delivery(account: Account, peer: Peer) -> tuple[Any, Callable[[], Any]]:
        return HostmailDelivery(intake, peer, account.id), lambda: None

    async def maildrop(account: Account, peer: Peer) -> tuple[Any, Callable[[], Any]]:
        probe = take_over_idle(parts.sessions, peer, account.id)
        drop = await Maildrop.open(parts.store, account, peer, probe)
        return drop, drop.close

    async def folders(account: Account, peer: Peer) -> tuple[Any, Callable[[], Any]]:
        avatar = await ImapAccount.open(parts.store, account)
        return avatar, avatar.close

    avatars: Any = {smtp.IMessageDelivery: delivery, pop3.IMailbox: maildrop, IAccountIMAP: folders}
    realm = HostmailRealm(directory=parts.directory, avatars=avatars)
    everywhere = Portal(realm, [checker])

    def portal(listener: Listener) -> Portal:
        if listener.bare_names is None:
            return everywhere
        by_name = listener.bare_names == BY_SERVER_NAME
        home = by_server_name(parts.directory) if by_name else of_domain(listener.bare_names)
        return Portal(realm, [checker.for_listener(home)])

    return portal


# -------------------------------------------------------------------------------------------------- who talks to whom


def session_factories(
    parts: Parts, portals: Callable[[Listener], Portal], intake: Intake, certificates: CertificateStore
) -> Callable[[str, Listener], IProtocolFactory]:
    """Makes the factory behind one listener of one service."""
    watch = FolderWatch(parts.events)

    def make(service: str, listener: Listener) -> IProtocolFactory:
        common: dict[str, Any] = {"portal": portals(listener), "sessions": parts.sessions, "clock": parts.reactor}
        settings, limits = parts.settings, parts.settings.limits
        implicit = service in IMPLICIT_TLS
        plaintext = (listener.plaintext_login or settings.plaintext_login) == "allow"
        shared: dict[str, Any] = {
            "hostname": settings.hostname,
            "protocol": service,
            "implicit_tls": implicit,
            "allow_plaintext_login": plaintext,
            "failed_logins": limits.failed_logins_per_session,
        }
        tls = {"tls_context": None if implicit else certificates}
        if service.startswith("pop3"):
            pop = Pop3Settings(**shared, idle_seconds=limits.pop3_idle, bad_commands=limits.bad_commands)
            return HostmailPOP3Factory(**common, **tls, settings=pop)
        if service.startswith("imap"):
            imap = ImapSettings(
                **shared,
                unauthenticated_seconds=limits.imap_login_idle,
                idle_seconds=limits.imap_idle,
                bad_commands=limits.bad_commands,
                limits=CommandLimits(append_octets=settings.message_size_limit),
                hidden=tuple((who, frozenset(words)) for who, *words in map(str.split, settings.hide_capabilities)),
            )
            return HostmailIMAP4Factory(**common, **tls, watch=watch, settings=imap)
        del shared["failed_logins"]
        mail = SmtpSettings(
            **shared,
            message_size_limit=settings.message_size_limit,
            require_auth=service != "smtp",
            idle_seconds=limits.smtp_idle,
            data_idle_seconds=limits.smtp_data_idle,
            max_recipients=limits.recipients,
            max_recipients_unauthenticated=limits.recipients_strangers,
            max_messages=limits.messages_per_session,
            max_errors=limits.smtp_errors,
            max_relaying_refusals=limits.relay_refusals,
            max_failed_logins=limits.failed_logins_per_session,
        )
        return HostmailSMTPFactory(**common, **tls, intake=intake, settings=mail)

    return make


def make_intake(parts: Parts, router: Router) -> Intake:
    """Routing, rules and delivery behind SMTP."""
    settings = parts.settings
    gate = Gate(
        directory=parts.directory,
        store=parts.store,
        grants=parts.grants,
        message_size_limit=settings.message_size_limit,
        pop_before_smtp=settings.pop_before_smtp,
        sending=parts.sending,
    )
    return Intake(
        directory=parts.directory,
        store=parts.store,
        spool=parts.spool,
        queue=parts.queue,
        router=router,
        gate=gate,
        settings=IntakeSettings(settings.hostname, settings.message_size_limit),
        now=time.time,
        random=Random(),
        in_thread=parts.disks.run,
        caught=parts.caught.caught,
        history=parts.history,
    )


def make_sender(parts: Parts) -> Dispatch | None:
    """The way out, or None: then mail for elsewhere waits in the queue."""
    settings, in_thread = parts.settings, parts.in_thread
    return make_dispatch(settings, reactor=parts.reactor, in_thread=in_thread, dns=parts.dns, random=Random())


@contextmanager
def offline(settings: Settings) -> Iterator[Callable[[str, Any], Any]]:
    """The verbs of `Admin` on the data itself, for when no service runs."""
    from twisted.internet import reactor

    become_owner(settings.data_dir)

    async def begin() -> tuple[Admin, Callable[[], Awaitable[None]]]:
        parts = open_parts(settings, reactor)
        return parts.admin(None), parts.close

    with in_background(reactor, begin) as call:
        yield call
