"""The running service around the parts: ports first, while still privileged; everything else once twistd is its user."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, fields, replace
from functools import partial
from pathlib import Path
from random import SystemRandom
from typing import TYPE_CHECKING, Any, NoReturn, TextIO

from twisted.application.service import Service
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IAddress, IProtocolFactory, IProtocolNegotiationFactory
from twisted.internet.protocol import Factory
from twisted.logger import ILogObserver, Logger
from twisted.python.components import Componentized
from zope.interface import implementer

from hostmail import __version__
from hostmail.actor import Actor
from hostmail.admin.certificates import warn
from hostmail.admin.control import ControlService
from hostmail.compose import (
    make_intake,
    make_list_parts,
    make_lists,
    make_one_click,
    make_portals,
    make_redelivery,
    make_sender,
    session_factories,
)
from hostmail.config.loader import load
from hostmail.config.schema import WEB_SERVICES, Listener, Settings
from hostmail.delivery.lists.deciding import HeldPosts
from hostmail.delivery.lists.waiting import WaitingPosts
from hostmail.directory.watching import ForeignChanges
from hostmail.errors import ConfigurationError
from hostmail.interfaces.admin import IAdmin
from hostmail.listen.draining import drain
from hostmail.listen.ports import Ports, openings, raise_file_limit
from hostmail.listen.tls import open_store
from hostmail.monitoring.chores import Chore, DailyChores
from hostmail.opening import open_parts
from hostmail.parts import Parts, apply_settings
from hostmail.queue.runner import Runner
from hostmail.queue.schedule import Schedule
from hostmail.relay.dispatch import Dispatch

if TYPE_CHECKING:
    from hostmail.webparts import WebParts

log = Logger(namespace="hostmail")

NEEDS_RESTART = frozenset(
    {"hostname", "data_dir", "profile", "listen", "tls", "dns", "limits", "keep_removed", "history", "history_size"}
)
"""Settings that ports, files and counters were made with; everything else is read anew by SIGHUP."""


@implementer(IProtocolNegotiationFactory)
class Door(Factory):
    """Stands behind a port from before privileges drop until the sessions' real factory is there."""

    noisy = False
    inner: IProtocolFactory | None = None

    def __init__(self, service: str, listener: Listener) -> None:
        self.service = service
        self.listener = listener

    def buildProtocol(self, addr: IAddress | None) -> Any:
        """A session, or none while the appliance is not open."""
        return self.inner.buildProtocol(addr) if self.inner is not None else None  # type: ignore[arg-type]

    def acceptableProtocols(self) -> list[bytes]:
        """What is spoken inside TLS, said in its handshake; mail protocols have no need to."""
        negotiating = IProtocolNegotiationFactory(self.inner, None)
        return list(negotiating.acceptableProtocols()) if negotiating is not None else []


@dataclass(frozen=True, slots=True)
class WayOut:
    """The queue's runner and what it sends with."""

    runner: Runner
    sender: Dispatch

    async def stop(self) -> None:
        """Finish what is under way, then close idle connections."""
        await self.runner.stop()
        self.sender.close()


@implementer(IAdmin)
class Appliance(Service):
    """The running service: ports first, while still privileged; everything else once twistd has become its user."""

    def __init__(
        self,
        settings: Settings,
        reactor: Any,
        owner: tuple[int, int] | None,
        config_file: Path,
        terminal: TextIO | None = None,
        observer: ILogObserver | None = None,
    ) -> None:
        self.setName("hostmail")
        self._settings = settings
        self._reactor = reactor
        self._owner = owner
        self._config_file = config_file
        self._terminal = terminal
        self._observer = observer
        self._doors: list[Door] = []

    def setServiceParent(self, parent: Any) -> None:
        """Be the service of twistd's application, whose log `observer` writes from now on."""
        super().setServiceParent(parent)
        if self._observer is not None and isinstance(parent, Componentized):
            parent.setComponent(ILogObserver, self._observer)

    def privilegedStartService(self) -> None:
        """Open the ports and read the keys (root may be needed for both)."""
        super().privilegedStartService()
        with self._or_give_up():
            raise_file_limit()
            self._own_data()
            self._certificates = open_store(self._settings, time.time)
            self._own_data()
            wanted = [
                opening
                for service, listeners in self._settings.listen.items()
                for opening in openings(service, listeners, partial(self._door, service))
            ]
            self._ports = Ports(
                self._reactor, wanted, self._certificates, self._drain, self._settings.limits.handshake_timeout
            )
            self._ports.privilegedStartService()

    def _door(self, service: str, listener: Listener) -> Door:
        door = Door(service, listener)
        self._doors.append(door)
        return door

    def _own_data(self) -> None:
        """What is made while privileged belongs to the service's user."""
        data = self._settings.data_dir
        data.mkdir(mode=0o700, parents=True, exist_ok=True)
        if self._owner is not None:
            for path in (data, data / "tls", *(data / "tls").glob("*")):
                if path.exists():
                    os.chown(path, *self._owner)

    async def _warn_of_certificates(self, parts: Parts) -> int:
        return warn(await self._certificates.listed(parts.in_thread), time.time())

    def startService(self) -> None:
        """Open the data, and the doors. The control socket comes first: whoever has it has the data for itself."""
        super().startService()
        with self._or_give_up():
            self._control = ControlService(self._reactor, self, self._settings.data_dir)
            self._control.startService()
            self._parts = parts = open_parts(self._settings, self._reactor)
            self._foreign = ForeignChanges(database=parts.database, events=parts.events, clock=self._reactor)
            self._foreign.start()
            self._web = self._open_web(parts)
            self._way_out = self._open_doors(parts)
            chores: dict[str, Chore] = {
                "removed_mail_erased": parts.store.purge_removed,
                "removed_accounts_forgotten": parts.forget_removed,
                "spool_swept": parts.store.sweep_spool,
                "held_posts_given_up": lambda: self._waiting_posts.expire(),
                "list_owners_reminded": lambda: self._waiting_posts.remind(),
                "certificates_to_replace": lambda: self._warn_of_certificates(parts),
            }
            self._chores = DailyChores(chores=chores, clock=self._reactor)
            self._chores.start()
            self._ports.startService()
        if self._terminal is not None:
            self._terminal.close()
        self._reactor.callWhenRunning(self._hear_signals)
        log.info("started: hostmail {version}, data in {data}", version=__version__, data=str(self._settings.data_dir))

    @contextmanager
    def _or_give_up(self) -> Iterator[None]:
        """A start that fails ends the process with one line that says why, and exit code 1; the log has the rest."""
        try:
            yield
        except ConfigurationError as error:
            self._give_up(error)
        except Exception as error:  # noqa: BLE001 - the edge of the program: logged whole
            log.failure("start_failed")
            words = str(error) or type(error).__name__
            self._give_up(ConfigurationError(f"cannot start: {words.splitlines()[0]}"))

    def _give_up(self, error: ConfigurationError) -> NoReturn:
        """Say it, and end.

        `terminal` is where the command waits that sent us into the background. There the error itself must leave us: only an Exception
        makes twistd end that command, which holds both ends of its pipe and after a SystemExit would wait for ever.
        """
        log.critical("{error}", error=str(error))
        print(f"hostmail: {error}", file=self._terminal or sys.__stderr__, flush=True)
        if self._terminal is not None:
            raise error
        raise SystemExit(1)

    def _hear_signals(self) -> None:
        """SIGHUP reloads. SIGTERM stops as twistd would, but ends with exit code 0: it is what was asked for."""
        signal.signal(signal.SIGHUP, lambda *_: self._reactor.callFromThread(self.reload))
        signal.signal(signal.SIGTERM, lambda *_: self._reactor.callFromThread(self._reactor.stop))

    def _open_web(self, parts: Parts) -> WebParts | None:
        """What answers on the web, imported only where there is such a port: it takes its time and memory."""
        if not any(door.service in WEB_SERVICES for door in self._doors):
            return None
        from hostmail.web.panel.templating import compile_templates
        from hostmail.webparts import WebParts

        parts.in_thread(compile_templates).addErrback(partial(log.failure, "templates_not_compiled"))
        return WebParts(parts.settings, admin=self)

    def _open_doors(self, parts: Parts) -> WayOut:
        """Everything that is made with the settings, which a reload may change."""
        settings, certificates = parts.settings, self._certificates
        intake = make_intake(parts)
        about_lists = make_list_parts(parts, intake)
        held_posts = HeldPosts(about_lists)
        self._waiting_posts = WaitingPosts(about_lists, held_posts)
        self._admin = parts.admin(parts.sessions, certificates.convinces, certificates.listed, held_posts)
        make = session_factories(parts, make_portals(parts, intake), intake, self._certificates)
        one_click = make_one_click(parts, intake, self._certificates.convinces)
        signer_of = self._certificates.signer
        web = self._web.sites(parts, self._admin, one_click, signer_of) if self._web is not None else {}
        for door in self._doors:
            is_web = door.service in WEB_SERVICES
            door.inner = web[door.service] if is_web else make(door.service, door.listener)
        sender = make_sender(parts, one_click)
        redelivery = make_redelivery(parts, intake, one_click)
        runner = Runner(
            queue=parts.queue,
            clock=self._reactor,
            now=time.time,
            random=SystemRandom(),
            decide=parts.router.decide,
            deliver=redelivery.deliver,
            forward=redelivery.send_on,
            for_list=make_lists(about_lists, held_posts, parts).take,
            report=intake.notices.report,
            sender=sender,
            history=parts.history,
            schedule=Schedule(lifetime=settings.queue_lifetime, warn_after=settings.delay_notice),
        )
        Deferred.fromCoroutine(runner.start()).addErrback(lambda failure: log.failure("queue not started", failure))
        return WayOut(runner, sender)

    async def call(self, verb: str, arguments: Mapping[str, Any], actor: Actor) -> Any:
        """What the control socket asks, with the settings as they are now (IAdmin)."""
        return await self._admin.call(verb, arguments, actor)

    def reload(self) -> None:
        """SIGHUP: a configuration that is right counts for everything begun from now on; a wrong one changes nothing.

        Certificates need no signal either: handshakes look every second whether they were replaced.
        """
        try:
            fresh = load(self._config_file)
        except ConfigurationError as error:
            log.error("reload refused, the settings stay as they are: {error}", error=str(error))
            return
        changed = {
            each.name for each in fields(fresh) if getattr(fresh, each.name) != getattr(self._settings, each.name)
        }
        kept = {name: getattr(self._settings, name) for name in NEEDS_RESTART}
        self._settings = replace(fresh, **kept)
        log.info("reloaded {file}: {changed}", file=str(self._config_file), changed=listed(changed - NEEDS_RESTART))
        if changed & NEEDS_RESTART:
            log.warn("these need a restart to count: {names}", names=listed(changed & NEEDS_RESTART))
        self._certificates.look_again()
        Deferred.fromCoroutine(self._go_on_with(self._settings)).addErrback(partial(log.failure, "reload failed"))

    async def _go_on_with(self, settings: Settings) -> None:
        parts = self._parts
        apply_settings(parts, settings)
        before, self._way_out = self._way_out, self._open_doors(parts)
        await before.stop()

    async def _drain(self) -> None:
        if hasattr(self, "_parts"):
            await drain(self._parts.sessions, self._reactor)

    def stopService(self) -> Deferred[None]:
        """SIGTERM: no new sessions, finish what runs, close everything."""
        super().stopService()
        return Deferred.fromCoroutine(self._stop())

    async def _stop(self) -> None:
        log.info("stopping: sessions finish what they do")
        await self._ports.stopService()
        await self._control.stopService()
        await self._way_out.stop()
        self._foreign.stop()
        await self._chores.stop()
        if self._web is not None:
            self._web.close()
        await self._parts.close()
        log.info("stopped")


def listed(names: Iterable[str]) -> str:
    """Names for a log line."""
    return ", ".join(sorted(names)) or "nothing changed"
