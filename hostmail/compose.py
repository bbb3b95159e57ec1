"""Who talks to whom: portals, sessions, the intake, the way out, over the parts that `parts` makes.

`Appliance` is the service around it. Read `parts`, then this, from top to bottom: they are the picture in README.rst, in code.
"""

from __future__ import annotations

import os
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache, partial
from random import Random, SystemRandom
from typing import Any

from twisted.cred.portal import Portal
from twisted.internet.interfaces import IProtocolFactory
from twisted.logger import Logger
from twisted.mail import pop3, smtp
from twisted.mail.interfaces import IAccountIMAP

from hostmail.actor import command_actor
from hostmail.admin.control import system_user
from hostmail.admin.offline import become_owner, in_background
from hostmail.admin.service import Admin
from hostmail.admin.setups import web_address
from hostmail.auth.barenames import by_server_name, of_domain
from hostmail.auth.realm import HostmailRealm
from hostmail.checks.gate import Gate
from hostmail.checks.holding import HeldRoom
from hostmail.config.kinds import BY_SERVER_NAME
from hostmail.config.schema import IMPLICIT_TLS, Listener, Settings
from hostmail.delivery.intake import Intake, IntakeSettings
from hostmail.delivery.lists.commands import Commands
from hostmail.delivery.lists.deciding import HeldPosts
from hostmail.delivery.lists.holding import Holding
from hostmail.delivery.lists.letters import Letters
from hostmail.delivery.lists.oneclick import OneClick
from hostmail.delivery.lists.parts import ListParts
from hostmail.delivery.lists.posts import Posts
from hostmail.delivery.lists.rules import ListRules
from hostmail.delivery.lists.telling import ListTelling
from hostmail.delivery.lists.work import Lists
from hostmail.delivery.redelivery import Redelivery
from hostmail.envelope import Peer
from hostmail.errors import BadValue, ConfigurationError
from hostmail.interfaces.admin import CertificateInfo
from hostmail.interfaces.directory import Account
from hostmail.interfaces.lists import IHeldPosts, IOneClick
from hostmail.interfaces.threads import InThread
from hostmail.listen.tls import CertificateStore, open_store
from hostmail.opening import open_parts
from hostmail.parts import Parts
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
from hostmail.relay.dispatch import Dispatch
from hostmail.relay.making import make_dispatch

log = Logger(namespace="hostmail")


# ------------------------------------------------------------------------------------------------------- who signs in


def make_portals(parts: Parts, intake: Intake) -> Callable[[Listener], Portal]:
    """One realm and one checker for all protocols; a portal of its own only for a port where names need no domain (A4)."""
    checker = parts.checker()

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
        common: dict[str, Any] = {
            "portal": portals(listener),
            "sessions": parts.sessions,
            "clock": parts.reactor,
            "tls_context": None if service in IMPLICIT_TLS else certificates,
        }
        if service.startswith("pop3"):
            return HostmailPOP3Factory(**common, settings=pop3_settings(parts.settings, service, listener))
        if service.startswith("imap"):
            return HostmailIMAP4Factory(
                **common, watch=watch, settings=imap_settings(parts.settings, service, listener)
            )
        return HostmailSMTPFactory(**common, intake=intake, settings=smtp_settings(parts.settings, service, listener))

    return make


def pop3_settings(settings: Settings, service: str, listener: Listener) -> Pop3Settings:
    """What POP3 sessions behind a listener are told."""
    limits = settings.limits
    return Pop3Settings(
        **_for_every_protocol(settings, service, listener),
        failed_logins=limits.failed_logins_per_session,
        idle_seconds=limits.pop3_idle,
        bad_commands=limits.bad_commands,
    )


def imap_settings(settings: Settings, service: str, listener: Listener) -> ImapSettings:
    """The same for IMAP."""
    limits = settings.limits
    return ImapSettings(
        **_for_every_protocol(settings, service, listener),
        failed_logins=limits.failed_logins_per_session,
        unauthenticated_seconds=limits.imap_login_idle,
        idle_seconds=limits.imap_idle,
        bad_commands=limits.bad_commands,
        limits=CommandLimits(append_octets=settings.message_size_limit),
        hidden=tuple((who, frozenset(words)) for who, *words in map(str.split, settings.hide_capabilities)),
    )


def smtp_settings(settings: Settings, service: str, listener: Listener) -> SmtpSettings:
    """The same for SMTP and submission."""
    limits = settings.limits
    return SmtpSettings(
        **_for_every_protocol(settings, service, listener),
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


def _for_every_protocol(settings: Settings, service: str, listener: Listener) -> dict[str, Any]:
    return {
        "hostname": settings.hostname,
        "protocol": service,
        "implicit_tls": service in IMPLICIT_TLS,
        "allow_plaintext_login": (listener.plaintext_login or settings.plaintext_login) == "allow",
    }


def make_intake(parts: Parts) -> Intake:
    """Routing, rules and delivery behind SMTP."""
    settings = parts.settings
    gate = Gate(
        directory=parts.directory,
        store=parts.store,
        grants=parts.grants,
        message_size_limit=settings.message_size_limit,
        pop_before_smtp=settings.pop_before_smtp,
        sending=parts.sending,
        held_room=HeldRoom(
            held=parts.queue.held, recipients=settings.limits.held_recipients, octets=settings.limits.held_size
        ),
        decide=parts.router.decide,
    )
    return Intake(
        directory=parts.directory,
        store=parts.store,
        spool=parts.spool,
        queue=parts.queue,
        router=parts.router,
        gate=gate,
        settings=IntakeSettings(settings.hostname, settings.message_size_limit, settings.forward_spam),
        now=time.time,
        random=Random(),
        in_thread=parts.disks.run,
        caught=parts.caught.caught,
        history=parts.history,
        senders=parts.senders,
        answered=parts.answered,
        claim_hold_notice=parts.sending.claim_notice,
        judge_for_list=make_list_rules(parts).judge,
    )


def make_list_rules(parts: Parts) -> ListRules:
    """What mailing lists take."""
    return ListRules(
        directory=parts.directory, members=parts.members, queue=parts.queue, rates=parts.list_rates, now=time.time
    )


def make_one_click(parts: Parts, intake: Intake, convinces: Callable[[str], bool]) -> OneClick:
    """How members leave mailing lists with one click, under a name of their list's domain where clients believe that."""
    settings = parts.settings
    return OneClick(
        directory=parts.directory,
        members=parts.members,
        letters=_letters(parts, intake),
        telling=ListTelling(parts.history, time.time),
        web=lambda domain: web_address(settings, domain, convinces),
    )


def _letters(parts: Parts, intake: Intake) -> Letters:
    return Letters(intake.submit, hostname=parts.settings.hostname, now=time.time, random=SystemRandom())


def make_redelivery(parts: Parts, intake: Intake, one_click: IOneClick) -> Redelivery:
    """The way into mailboxes for mail that had to wait."""
    return Redelivery(
        directory=parts.directory,
        store=parts.store,
        answering=intake.answering,
        senders=parts.senders,
        one_click=one_click,
        forward_spam=parts.settings.forward_spam,
        in_thread=parts.in_thread,
    )


def make_list_parts(parts: Parts, intake: Intake) -> ListParts:
    """What mailing lists work with."""
    return ListParts(
        directory=parts.directory,
        members=parts.members,
        queue=parts.queue,
        letters=_letters(parts, intake),
        telling=ListTelling(parts.history, time.time),
        rates=parts.list_rates,
        in_thread=parts.in_thread,
        now=time.time,
        keep_seconds=parts.settings.held_posts,
        deciding=parts.deciding,
    )


def make_lists(common: ListParts, held_posts: IHeldPosts, parts: Parts) -> Lists:
    """What mailing lists do with the mail they get from the queue."""
    posts = Posts(common, rules=make_list_rules(parts), holding=Holding(common), texts=parts.dns.texts)
    commands = Commands(common, held_posts)
    return Lists(directory=parts.directory, post=posts.take, command=commands.take)


def make_sender(parts: Parts, one_click: IOneClick) -> Dispatch:
    """The way out: each account's, each domain's, or the server's."""
    return make_dispatch(
        parts.settings,
        reactor=parts.reactor,
        in_thread=parts.in_thread,
        dns=parts.dns,
        random=Random(),
        directory=parts.directory,
        ways_out=parts.ways_out,
        above=one_click.fields,
    )


def convincing(settings: Settings) -> Callable[[str], bool]:
    """As a certificate store's `convinces`, of one that is opened when somebody asks: few verbs do.

    Where only root may read the keys nobody here can tell; the server's own name is then taken to have what it needs.
    """

    @cache
    def store() -> CertificateStore | None:
        try:
            return open_store(settings, time.time)
        except ConfigurationError:
            return None

    def convinces(name: str) -> bool:
        found = store()
        return found.convinces(name) if found is not None else name == settings.hostname

    return convinces


async def listed_certificates(settings: Settings, in_thread: InThread) -> Sequence[CertificateInfo]:
    """As ListCertificates, of a store that is opened for it."""
    try:
        store = open_store(settings, time.time)
    except ConfigurationError as error:
        raise BadValue(str(error)) from None
    return await store.listed(in_thread)


@contextmanager
def offline(settings: Settings) -> Iterator[Callable[[str, Any], Any]]:
    """The verbs of `Admin` on the data itself, for when no service runs."""
    from twisted.internet import reactor

    actor = command_actor(system_user(os.getuid()))
    become_owner(settings.data_dir)

    async def begin() -> tuple[Admin, Callable[[], Awaitable[None]]]:
        parts = open_parts(settings, reactor)
        held_posts = HeldPosts(make_list_parts(parts, make_intake(parts)))
        certificates = partial(listed_certificates, settings)
        return parts.admin(None, convincing(settings), certificates, held_posts), parts.close

    with in_background(reactor, begin, actor) as call:
        yield call
