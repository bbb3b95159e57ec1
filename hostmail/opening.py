"""Making everything below the ports, over the data directory: from top to bottom, each with the settings that concern it."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from random import SystemRandom
from typing import Any

from twisted.internet.task import deferLater

from hostmail.auth.attempts import LoginAttempts
from hostmail.auth.grants import RelayGrants
from hostmail.auth.passwords import Passwords
from hostmail.auth.throttle import Throttle, ThrottleLimits
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
from hostmail.directory.tables import MIGRATIONS
from hostmail.directory.tokens import Tokens
from hostmail.directory.transaction import NameLimits
from hostmail.directory.usage import StoredUsage
from hostmail.directory.welcomes import Welcomes
from hostmail.interfaces.directory import Account
from hostmail.interfaces.events import DirectoryChanged
from hostmail.interfaces.threads import InThread
from hostmail.monitoring.audit import Audit
from hostmail.monitoring.events import EventBus
from hostmail.monitoring.history import History
from hostmail.monitoring.sessions import Sessions
from hostmail.parts import Parts, follow_limits
from hostmail.queue.committer import GATHER_SECONDS
from hostmail.queue.queue import Queue
from hostmail.relay.making import make_dns, make_live_dns
from hostmail.routing.router import Router
from hostmail.sql.database import Database
from hostmail.storage.store import MaildirStore
from hostmail.threads import Threads

THREADS, DISK_THREADS = 10, 8
"""Storage has its own: a slow disk stops nobody who needs none."""


@dataclass(slots=True)
class _Ground:
    """What the parts stand on."""

    settings: Settings
    reactor: Any
    data: Path
    threads: Threads
    disks: Threads
    events: EventBus
    database: Database
    in_thread: InThread = field(init=False)

    def __post_init__(self) -> None:
        self.in_thread = self.threads.run


def open_parts(settings: Settings, reactor: Any) -> Parts:
    """Make the parts over the data directory, bringing its databases up to date."""
    ground = _ground(settings, reactor)
    database, in_thread, events = ground.database, ground.in_thread, ground.events
    usage = StoredUsage(database=database)
    directory = Directory(database=database, in_thread=in_thread, events=events)
    senders = SenderRewriting(database=database, in_thread=in_thread, now=time.time)
    store = _store(ground, directory, usage)
    history = _history(ground)
    events.subscribe(DirectoryChanged, partial(follow_limits, directory, store))
    return Parts(
        settings=settings,
        reactor=reactor,
        threads=ground.threads,
        disks=ground.disks,
        events=events,
        database=database,
        usage=usage,
        directory=directory,
        changes=_changes(ground),
        ways_out=WaysOut(database=database, in_thread=in_thread, events=events),
        senders=senders,
        answered=Answered(database=database, in_thread=in_thread, now=time.time),
        members=ListMembers(database=database, in_thread=in_thread, now=time.time),
        router=Router(directory, hostname=settings.hostname, senders=senders),
        caught=_caught(ground),
        passwords=_passwords(ground),
        people=People(database=database, in_thread=in_thread, now=time.time),
        factors=SecondFactors(database=database, in_thread=in_thread, now=time.time),
        tokens=Tokens(database=database, in_thread=in_thread, now=time.time),
        audit=Audit(ground.data / "audit.sqlite", in_thread=in_thread, now=time.time),
        verified=VerifiedCredentials(now=time.monotonic, events=events),
        grants=_grants(ground),
        throttle=_throttle(ground),
        attempts=_attempts(ground),
        sessions=_sessions(ground),
        store=store,
        spool=store.spool,
        queue=_queue(ground),
        history=history,
        sending=_sending(ground),
        list_rates=_list_rates(ground),
        dns=make_dns(settings.dns, reactor),
        live_dns=make_live_dns(settings.dns, reactor),
        welcomes=Welcomes(database=database, in_thread=in_thread),
        letters=_letters(ground, store, history),
    )


def _ground(settings: Settings, reactor: Any) -> _Ground:
    data = settings.data_dir
    data.mkdir(mode=0o700, parents=True, exist_ok=True)
    MIGRATIONS.apply(data / "directory.sqlite")
    return _Ground(
        settings=settings,
        reactor=reactor,
        data=data,
        threads=Threads(reactor, THREADS, "hostmail"),
        disks=Threads(reactor, DISK_THREADS, "storage"),
        events=EventBus(reactor=reactor),
        database=Database(data / "directory.sqlite"),
    )


def _store(ground: _Ground, directory: Directory, usage: StoredUsage) -> MaildirStore:
    async def domain_free(account: Account) -> int | None:
        domain = await directory.domain(account.domain)
        if domain is None or domain.quota_bytes is None:
            return None
        return max(0, domain.quota_bytes - (await directory.domain_usage(domain.name)).bytes)

    settings = ground.settings
    return MaildirStore(
        os.fspath(ground.data),
        ground.disks.run,
        ground.reactor,
        host=settings.hostname,
        usage=usage,
        events=ground.events,
        domain_free=domain_free,
        message_size_limit=settings.message_size_limit,
        grace_seconds=settings.keep_removed,
        full_text_search=settings.full_text_search,
    )


def _history(ground: _Ground) -> History:
    return History(
        ground.data / "history.sqlite",
        in_thread=ground.in_thread,
        clock=ground.reactor,
        now=time.time,
        keep_seconds=ground.settings.history,
        most_octets=ground.settings.history_size,
    )


def _changes(ground: _Ground) -> DirectoryChanges:
    limits = ground.settings.limits
    return DirectoryChanges(
        database=ground.database,
        in_thread=ground.in_thread,
        events=ground.events,
        now=time.time,
        name_limits=NameLimits(limits.alias_targets, limits.domain_names),
    )


def _caught(ground: _Ground) -> CaughtNames:
    return CaughtNames(
        database=ground.database,
        in_thread=ground.in_thread,
        clock=ground.reactor,
        now=time.time,
        names_a_domain=ground.settings.limits.caught_names,
    )


def _passwords(ground: _Ground) -> Passwords:
    limits = ground.settings.limits
    return Passwords(
        in_thread=ground.in_thread,
        workers=limits.password_threads or os.cpu_count() or 1,
        queue=limits.password_queue,
    )


def _grants(ground: _Ground) -> RelayGrants:
    return RelayGrants(
        path=ground.data / "grants.sqlite",
        now=time.time,
        events=ground.events,
        window_seconds=ground.settings.relay_window,
        accounts_per_address=ground.settings.limits.grants_per_ip,
        honour_shared=ground.settings.shared_grants == "honour",
    )


def _throttle(ground: _Ground) -> Throttle:
    limits = ThrottleLimits.of(ground.settings.limits)
    return Throttle(path=ground.data / "throttle.sqlite", now=time.time, events=ground.events, limits=limits)


def _attempts(ground: _Ground) -> LoginAttempts:
    path = ground.data / "logins.sqlite"
    return LoginAttempts(path=path, in_thread=ground.in_thread, clock=ground.reactor, now=time.time)


def _sessions(ground: _Ground) -> Sessions:
    limits = ground.settings.limits
    return Sessions(
        now=time.time,
        events=ground.events,
        unauthenticated=limits.connections_per_ip,
        authenticated=limits.sessions_per_account,
        total=limits.connections,
    )


def _queue(ground: _Ground) -> Queue:
    gather = partial(deferLater, ground.reactor, GATHER_SECONDS)
    return Queue(ground.data / "queue", in_thread=ground.in_thread, now=time.time, gather=gather)


def _sending(ground: _Ground) -> SendingRates:
    limits = ground.settings.limits
    path = ground.data / "sending.sqlite"
    return SendingRates(path=path, now=time.time, per_hour=limits.sent_per_hour, per_day=limits.sent_per_day)


def _list_rates(ground: _Ground) -> ListRates:
    limits = ground.settings.limits
    return ListRates(
        path=ground.data / "sending.sqlite",
        now=time.time,
        posts_per_hour=limits.list_posts_per_hour,
        recipients_per_day=limits.list_recipients_per_day,
        requests_per_ip=limits.list_requests_per_ip,
    )


def _letters(ground: _Ground, store: MaildirStore, history: History) -> Welcome:
    return Welcome(
        spool=store.spool,
        store=store,
        history=history,
        hostname=ground.settings.hostname,
        random=SystemRandom(),
        now=time.time,
    )
