"""What the kernel knows about the other end."""

from __future__ import annotations

import socket
from typing import Any

from twisted.internet.testing import StringTransport
from twisted.trial.unittest import SynchronousTestCase

from hostmail.protocols import otherend
from hostmail.protocols.base import STALL_SECONDS
from tests.protocols.test_base import Echo
from tests.support.sockets import connected, fill
from tests.support.wire import Wire


class SocketWire(Wire):
    """A wire in memory that a real socket lies under; what is written goes nowhere."""

    def __init__(self, under: socket.socket) -> None:
        super().__init__()
        self.socket = under


class OtherEndTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.client, server = connected()
        self.addCleanup(self.client.close)
        self.addCleanup(server.close)
        self.wire = SocketWire(server)

    def _reads_all(self) -> None:
        self.client.settimeout(5)
        while otherend.unacknowledged(self.wire):
            self.client.recv(1 << 20)

    def test_keepalive_is_on(self) -> None:
        """The kernel looks for peers that vanished without a word (D10)."""
        otherend.keep_alive(self.wire)
        idle = self.wire.socket.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE)
        interval = self.wire.socket.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL)
        probes = self.wire.socket.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPCNT)
        self.assertTrue(self.wire.socket.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE))
        self.assertLessEqual(idle + interval * probes, 120)

    def test_counts_what_is_under_way(self) -> None:
        """Octets in the kernel are octets that the peer does not have."""
        self.assertEqual(otherend.unacknowledged(self.wire), 0)
        fill(self.wire.socket)
        self.assertGreater(otherend.unacknowledged(self.wire), 10_000)
        self._reads_all()

    def test_a_live_peer_is_not_gone(self) -> None:
        """Not even one that reads nothing."""
        fill(self.wire.socket)
        self.assertFalse(otherend.seems_gone(self.wire))

    def test_nothing_is_known_of_other_transports(self) -> None:
        """In memory, and when the socket is closed: no exception, no claim."""
        for transport in (StringTransport(), self.wire):
            self.wire.socket.close()
            otherend.keep_alive(transport)
            self.assertEqual(otherend.unacknowledged(transport), 0)
            self.assertFalse(otherend.seems_gone(transport))


class SlowLineTests(OtherEndTests):
    """Timers of the pump over a line that takes its time."""

    def setUp(self) -> None:
        super().setUp()
        self.echo: Any = Echo()
        self.echo.makeConnection(self.wire)
        self.echo.dataReceived(b"a\r\n")
        self.wire.clear()

    def test_b04_still_receiving_is_not_idle(self) -> None:
        """Output that the kernel is still sending keeps a session alive, as long as it moves (B4)."""
        fill(self.wire.socket)
        self.echo.clock.pump([60] * 10)
        self.assertFalse(self.wire.disconnecting)
        self._reads_all()
        self.assertEqual(self.echo.quiet_seconds(), 600)
        self.echo.clock.pump([60] * 9)
        self.assertTrue(self.wire.disconnecting)

    def test_b04_a_long_answer_on_a_slow_line_is_no_stall(self) -> None:
        """Five minutes count from the last octet that went, not from the first that waited (B4)."""
        self.echo.pauseProducing()
        self.echo.clock.pump([60] * 4)
        fill(self.wire.socket)
        self.echo.clock.pump([60] * 4)
        self.assertFalse(self.wire.aborted)
        self.echo.clock.pump([60] * int(STALL_SECONDS // 60))
        self.assertTrue(self.wire.aborted)
