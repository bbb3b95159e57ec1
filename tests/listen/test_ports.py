"""Opening ports: all or none, and a clear word."""

from __future__ import annotations

import errno
import io
import resource
from typing import Any

from twisted.application.service import IService
from twisted.internet.address import IPv4Address, IPv6Address, UNIXAddress
from twisted.internet.defer import Deferred
from twisted.internet.error import CannotListenError
from twisted.internet.interfaces import IOpenSSLServerConnectionCreator
from twisted.internet.protocol import Factory, Protocol
from twisted.internet.testing import MemoryReactorClock
from twisted.logger import globalLogPublisher, textFileLogObserver
from twisted.protocols.tls import TLSMemoryBIOFactory
from twisted.trial.unittest import SynchronousTestCase, TestCase
from zope.interface import implementer
from zope.interface.verify import verifyObject

from hostmail.config.schema import Listener
from hostmail.errors import ConfigurationError
from hostmail.listen.ports import Ports, openings, raise_file_limit, shown, with_backlog
from hostmail.listen.proxy import ProxiedFactory


class Reactor(MemoryReactorClock):
    """Fails for the ports in `broken`."""

    def __init__(self) -> None:
        super().__init__()
        self.broken: dict[int, int] = {}
        self.opened: list[Any] = []

    def listenTCP(self, port: int, factory: Any, backlog: int = 50, interface: str = "") -> Any:
        if port in self.broken:
            raise CannotListenError(interface, port, OSError(self.broken[port], "Permission denied"))
        listening = super().listenTCP(port, factory, backlog, interface)
        self.opened.append(listening)
        return listening


@implementer(IOpenSSLServerConnectionCreator)
class Certificates:
    """Asked only when somebody connects."""

    def serverConnectionForTLS(self, protocol: Any) -> Any:
        raise NotImplementedError


class PortsTests(SynchronousTestCase):
    def ports(self, **services: str | Listener) -> Ports:
        self.reactor = Reactor()
        self.drained: Deferred[None] = Deferred()
        factory = Factory.forProtocol(Protocol)
        wanted = [
            opening
            for service, listener in services.items()
            for opening in openings(
                service,
                [Listener(endpoint=listener) if isinstance(listener, str) else listener],
                lambda _: factory,
            )
        ]
        return Ports(self.reactor, wanted, Certificates(), lambda: self.drained)

    def test_opens_before_privileges_drop(self) -> None:
        """Ports are opened in privilegedStartService, and only once."""
        ports = self.ports(smtp="tcp:25", imap="tcp:143:interface=127.0.0.1:backlog=7")
        verifyObject(IService, ports)
        ports.privilegedStartService()
        ports.startService()
        self.assertEqual(
            [(port, backlog, ip) for port, _, backlog, ip in self.reactor.tcpServers],
            [(25, 1024, ""), (143, 7, "127.0.0.1")],
        )
        self.assertEqual(list(ports.addresses()), ["smtp", "imap"])

    def test_opens_without_privileges(self) -> None:
        """Started without privileges, ports open all the same."""
        ports = self.ports(smtp="tcp:2525")
        ports.startService()
        self.assertEqual(len(self.reactor.tcpServers), 1)

    def test_tls_first(self) -> None:
        """465, 993 and 995 begin with TLS, the others do not; a proxy's header comes before both."""
        ports = self.ports(
            imap="tcp:143", imaps="tcp:993", pop3s=Listener(endpoint="tcp:995", proxy_from=("127.0.0.1",))
        )
        ports.startService()
        plain, secure, proxied = (factory for _, factory, _, _ in self.reactor.tcpServers)
        self.assertNotIsInstance(plain, TLSMemoryBIOFactory)
        self.assertIsInstance(secure, TLSMemoryBIOFactory)
        self.assertIsInstance(proxied, ProxiedFactory)
        self.assertIsInstance(proxied.wrappedFactory, TLSMemoryBIOFactory)

    def test_refused(self) -> None:
        """A port that cannot be opened ends the start, naming key, port and remedy; the others are closed again."""
        ports = self.ports(imap="tcp:1143", smtp="tcp:25")
        for number, words in (
            (errno.EACCES, "ports below 1024 need root"),
            (errno.EADDRINUSE, "another program listens there already"),
            (errno.EADDRNOTAVAIL, "does not have that address"),
            (errno.EIO, "Permission denied$"),
        ):
            self.reactor.broken = {25: number}
            ports._opened = False
            with self.assertRaisesRegex(ConfigurationError, f"listen.smtp: cannot listen on tcp:25: .*{words}"):
                ports.privilegedStartService()
            self.assertEqual(ports.addresses(), {})

    def test_bad_endpoint(self) -> None:
        """An endpoint that Twisted does not know names its key."""
        for endpoint, words in (
            (
                "carrier-pigeon:25",
                "carrier-pigeon:25 is no endpoint: there is no kind 'carrier-pigeon'; write it like tcp:25",
            ),
            ("tcp:http", "tcp:http is no endpoint Twisted knows: invalid literal"),
            ("tcp:25:what=1", "there is no option 'what' for tcp:"),
            (
                "tcp6:25:interface=::1",
                "gives interface twice; a colon inside a value is written",
            ),
        ):
            with self.assertRaisesRegex(ConfigurationError, f"listen.smtp: .*{words}"):
                self.ports(smtp=endpoint).startService()

    def test_stop(self) -> None:
        """Stopping closes the ports, and ends when the sessions are done."""
        ports = self.ports(smtp="tcp:25")
        ports.startService()
        done = ports.stopService()
        self.assertEqual(ports.addresses(), {})
        self.assertNoResult(done)
        self.drained.callback(None)
        self.successResultOf(done)

    def test_stop_without_sessions(self) -> None:
        """Ports that never had sessions just close."""
        ports = Ports(Reactor(), [], Certificates())
        ports.startService()
        self.successResultOf(ports.stopService())

    def test_backlog(self) -> None:
        """Room for a burst of connections, unless the endpoint says otherwise or is no TCP port."""
        self.assertEqual(with_backlog("tcp6:25"), "tcp6:25:backlog=1024")
        self.assertEqual(with_backlog("unix:/run/x"), "unix:/run/x")


class FileLimitTests(SynchronousTestCase):
    def raised(self, soft: int, hard: int) -> tuple[int, list[tuple[int, int]]]:
        put: list[tuple[int, int]] = []
        allowed = raise_file_limit(lambda _: (soft, hard), lambda _, pair: put.append(pair))
        return allowed, put

    def test_raised(self) -> None:
        """The soft limit goes up to what is allowed, 65,536 at most."""
        self.assertEqual(self.raised(1024, 20_000), (20_000, [(20_000, 20_000)]))
        self.assertEqual(self.raised(1024, resource.RLIM_INFINITY)[0], 65_536)
        self.assertEqual(self.raised(100_000, 200_000), (100_000, []))
        self.assertEqual(self.raised(resource.RLIM_INFINITY, resource.RLIM_INFINITY), (resource.RLIM_INFINITY, []))

    def test_too_low(self) -> None:
        """Below 4,096 the service does not start (LIMITS, Connections)."""
        with self.assertRaisesRegex(ConfigurationError, "only 1024 open files are allowed, 4096 are needed"):
            self.raised(1024, 1024)

    def test_here(self) -> None:
        """It asks the operating system."""
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        self.addCleanup(resource.setrlimit, resource.RLIMIT_NOFILE, (soft, hard))
        self.assertGreaterEqual(raise_file_limit(), 4096)


class WordsTests(TestCase):
    def test_one_line_for_each_port(self) -> None:
        """The log of a start has our line about a port, with what the configuration calls it, and not Twisted's as well."""
        from twisted.internet import reactor

        written = io.StringIO()
        observer = textFileLogObserver(written)
        globalLogPublisher.addObserver(observer)
        self.addCleanup(globalLogPublisher.removeObserver, observer)
        wanted = openings("imap", [Listener(endpoint="tcp:0:interface=127.0.0.1")], lambda _: Silent())
        ports = Ports(reactor, wanted, Certificates())
        ports.startService()
        self.addCleanup(ports.stopService)
        lines = written.getvalue().splitlines()
        self.assertEqual(len(lines), 1, lines)
        self.assertRegex(lines[0], r"\[listen#info\] port_opened: listen.imap 127\.0\.0\.1:[0-9]+$")

    def test_addresses(self) -> None:
        """Addresses are written as people write them."""
        self.assertEqual(shown(IPv4Address("TCP", "192.0.2.1", 25)), "192.0.2.1:25")
        self.assertEqual(shown(IPv6Address("TCP", "::1", 25)), "[::1]:25")
        self.assertEqual(shown(UNIXAddress("/run/x.sock")), "/run/x.sock")


class Silent(Factory):
    """A factory that says nothing when it starts."""

    noisy = False
