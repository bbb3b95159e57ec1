"""The command pump: order, bounds, pressure, timers, an end."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase

from hostmail.errors import Refusal, TooMany
from hostmail.protocols.base import (
    CLOSE_GRACE_SECONDS,
    HANDSHAKE_SECONDS,
    HIGH_WATER,
    KICK_GRACE_SECONDS,
    STALL_SECONDS,
    CommandPump,
)
from hostmail.protocols.buffer import TOO_LONG, InputBuffer, TooLong
from tests.support.wire import OpenSessions, Wire


class Echo(CommandPump):
    """Answers each line with itself; WAIT waits, FAIL fails, TLS starts TLS, QUIT closes."""

    protocol_name = "echo"

    def __init__(self) -> None:
        self.clock = Clock()
        self.sessions = OpenSessions()
        self.waits: list[Deferred[None]] = []
        self.ended = 0

    def makeConnection(self, transport: Any) -> None:
        self.transport = transport
        self.connectionMade()

    def greet(self) -> None:
        self.send(b"hello\r\n")

    def refuse_session(self, refusal: Refusal) -> None:
        self.send(b"no " + refusal.public.encode() + b"\r\n")

    def command_failed(self, failure: Failure) -> None:
        self.send(b"error\r\n")

    def timed_out(self) -> None:
        self.send(b"timeout\r\n")

    def kicked(self, words: str) -> None:
        self.send(b"kicked " + words.encode() + b"\r\n")

    def session_ended(self) -> None:
        self.ended += 1

    def take_action(self) -> Callable[[], Any] | None:
        line = self.input.take_line(100)
        if line is None:
            return None
        if isinstance(line, TooLong):
            return lambda: self.send(b"too long\r\n")
        if line == b"BROKEN":
            raise ValueError("parser")
        return lambda: self.answer(line)

    def answer(self, line: bytes) -> Any:
        if line == b"WAIT":
            return self.wait()
        if line == b"FAIL":
            raise ValueError("secret")
        if line == b"TLS":
            self.send(b"go\r\n")
            self.start_tls("context")
            return None
        if line == b"QUIT":
            self.close()
            return None
        self.send(line + b"\r\n")
        return None

    async def wait(self) -> None:
        done: Deferred[None] = Deferred()
        self.waits.append(done)
        await done
        self.send(b"waited\r\n")


class PumpTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.wire = Wire()
        self.echo = Echo()
        self.echo.makeConnection(self.wire)
        self.wire.clear()

    def test_answers_in_order_behind_an_unfinished_command(self) -> None:
        """Pipelined commands wait for the one before them (S4, P10, I12)."""
        self.echo.dataReceived(b"a\r\nWAIT\r\nb\r\n")
        self.assertEqual(self.wire.said(), b"a\r\n")
        self.echo.waits[0].callback(None)
        self.assertEqual(self.wire.said(), b"waited\r\nb\r\n")

    def test_stops_reading_while_busy(self) -> None:
        """Input behind a running command is bounded by pausing the peer, and read on afterwards."""
        self.echo.dataReceived(b"WAIT\r\n")
        self.echo.dataReceived(b"x\r\n" * HIGH_WATER)
        self.assertEqual(self.wire.producerState, "paused")
        self.echo.waits[0].callback(None)
        self.assertEqual(self.wire.producerState, "producing")
        self.assertEqual(self.wire.said().count(b"x\r\n"), HIGH_WATER)

    def test_drops_plaintext_behind_starttls(self) -> None:
        """What came in one segment with STARTTLS is never run (S1, I1)."""
        self.echo.dataReceived(b"TLS\r\nevil\r\n")
        self.assertEqual(self.wire.said(), b"go\r\n")
        self.assertEqual(self.wire.tls, "context")
        self.assertTrue(self.echo.peer.tls)

    def test_a_handshake_that_never_ends_is_aborted(self) -> None:
        """A client that is silent after STARTTLS goes after 30 s (TWISTED 1.5)."""
        self.echo.dataReceived(b"TLS\r\n")
        self.echo.clock.advance(HANDSHAKE_SECONDS)
        self.assertTrue(self.wire.aborted)

    def test_a_finished_handshake_is_noted(self) -> None:
        """Version, cipher and the name asked for are kept for trace fields."""
        self.echo.dataReceived(b"TLS\r\n")

        class Handle:
            def get_protocol_version_name(self) -> str:
                return "TLSv1.3"

            def get_cipher_name(self) -> str:
                return "AES"

            def get_servername(self) -> bytes:
                return b"mail.example.test"

        self.wire.getHandle = Handle  # type: ignore[attr-defined]
        self.echo.handshakeCompleted()
        self.echo.clock.advance(HANDSHAKE_SECONDS)
        self.assertFalse(self.wire.aborted)
        self.assertEqual(
            (self.echo.peer.tls_version, self.echo.peer.tls_cipher, self.echo.peer.server_name),
            ("TLSv1.3", "AES", "mail.example.test"),
        )

    def test_an_inner_error_is_logged_and_not_shown(self) -> None:
        """The peer gets the protocol's own words, the next command runs."""
        self.echo.dataReceived(b"FAIL\r\nb\r\n")
        self.assertEqual(self.wire.said(), b"error\r\nb\r\n")
        self.assertEqual(len(self.flushLoggedErrors(ValueError)), 1)

    def test_a_parser_fault_closes(self) -> None:
        """Input that broke the parser is not read any further."""
        self.echo.dataReceived(b"BROKEN\r\nb\r\n")
        self.assertEqual(self.wire.said(), b"error\r\n")
        self.assertTrue(self.wire.disconnecting)
        self.flushLoggedErrors(ValueError)

    def test_memory_is_bounded_without_line_ends(self) -> None:
        """A peer that never ends its line gets one answer and no buffer (S3)."""
        for _ in range(20):
            self.echo.dataReceived(b"A" * 65536)
        self.assertEqual(self.wire.said(), b"too long\r\n")
        self.assertLess(len(self.echo.input), 2)
        self.echo.dataReceived(b"tail\r\nb\r\n")
        self.assertEqual(self.wire.said(), b"b\r\n")

    def test_idle_ends_with_a_word_and_then_an_abort(self) -> None:
        """A timeout says so, closes, and aborts a peer that does not go (TWISTED 1.5)."""
        self.echo.dataReceived(b"a\r\n")
        self.wire.clear()
        self.echo.clock.pump([60] * 11)
        self.assertEqual(self.wire.said(), b"timeout\r\n")
        self.assertTrue(self.wire.disconnecting)
        self.echo.clock.advance(CLOSE_GRACE_SECONDS)
        self.assertTrue(self.wire.aborted)

    def test_the_first_command_must_come_soon(self) -> None:
        """60 s to the first command."""
        self.echo.clock.advance(61)
        self.assertEqual(self.wire.said(), b"timeout\r\n")

    def test_the_timer_stands_still_while_we_work(self) -> None:
        """Our own slowness never times a peer out (S16, B4)."""
        self.echo.dataReceived(b"WAIT\r\n")
        self.echo.clock.pump([100] * 20)
        self.assertEqual(self.wire.said(), b"")
        self.echo.waits[0].callback(None)
        self.echo.clock.advance(599)
        self.assertFalse(self.wire.disconnecting)

    def test_trickling_octets_are_no_progress(self) -> None:
        """Octets that never make a command do not keep a session alive (S16)."""
        for _ in range(30):
            self.echo.dataReceived(b"x")
            self.echo.clock.advance(3)
        self.assertTrue(self.wire.disconnecting)

    def test_a_peer_that_does_not_read_stops_the_pump(self) -> None:
        """No more answers are made than the peer reads; after 5 minutes it is dropped."""
        self.echo.pauseProducing()
        self.echo.dataReceived(b"a\r\n" * HIGH_WATER)
        self.assertEqual(self.wire.said(), b"")
        self.assertEqual(self.wire.producerState, "paused")
        self.echo.resumeProducing()
        self.assertTrue(self.wire.said().startswith(b"a\r\n"))
        self.assertEqual(self.wire.producerState, "producing")
        self.echo.pauseProducing()
        self.echo.clock.advance(STALL_SECONDS)
        self.assertTrue(self.wire.aborted)

    def test_drained_waits_for_the_reader(self) -> None:
        """Large answers pause until the peer has read, or is gone."""
        self.echo.pauseProducing()
        first = Deferred.fromCoroutine(self.echo.drained())
        self.assertNoResult(first)
        self.echo.resumeProducing()
        self.successResultOf(first)
        self.echo.pauseProducing()
        second = Deferred.fromCoroutine(self.echo.drained())
        self.echo.connectionLost()
        self.successResultOf(second)

    def test_kicked_sessions_hear_why(self) -> None:
        """Disconnecting a session tells the client."""
        self.echo.kick("bye")
        self.echo.kick("again")
        self.assertEqual(self.wire.said(), b"kicked bye\r\n")

    def test_a_kick_lets_the_command_under_way_be_answered(self) -> None:
        """A message just taken gets its answer before the goodbye, and nothing new is begun."""
        self.echo.dataReceived(b"WAIT\r\nb\r\n")
        self.echo.kick("bye")
        self.echo.waits[0].callback(None)
        self.echo.clock.advance(0)
        self.assertEqual(self.wire.said(), b"waited\r\nkicked bye\r\n")

    def test_a_kick_does_not_wait_for_ever(self) -> None:
        """After ten seconds the goodbye comes anyway; at once for a command that only waits."""
        self.echo.dataReceived(b"WAIT\r\n")
        self.echo.kick("bye")
        self.echo.clock.advance(KICK_GRACE_SECONDS)
        self.assertEqual(self.wire.said(), b"kicked bye\r\n")
        self.assertTrue(self.wire.disconnecting)

    def test_everything_is_given_back_once(self) -> None:
        """The end of a connection leaves no timer, no session, whatever ended it."""
        self.echo.dataReceived(b"QUIT\r\nb\r\n")
        self.echo.connectionLost()
        self.echo.connectionLost()
        self.echo.send(b"late")
        self.echo.dataReceived(b"late\r\n")
        self.assertEqual(self.wire.said(), b"")
        self.assertEqual((self.echo.ended, self.echo.sessions.open, self.echo.clock.getDelayedCalls()), (1, [], []))

    def test_much_output_on_its_way_gets_a_longer_grace(self) -> None:
        """A slow line may still be reading a large answer when it is closed (B4)."""
        self.echo.dataReceived(b"a\r\n")
        self.echo.send(b"x" * 50000)
        self.echo.close()
        self.echo.clock.advance(CLOSE_GRACE_SECONDS)
        self.assertFalse(self.wire.aborted)
        self.echo.clock.advance(STALL_SECONDS)
        self.assertTrue(self.wire.aborted)

    def test_no_delay_and_a_canonical_peer(self) -> None:
        """TCP_NODELAY is on (P15), and a mapped IPv4 address is its IPv4 self."""
        wire = Wire("::ffff:192.0.2.9")
        echo = Echo()
        echo.makeConnection(wire)
        self.assertTrue(wire.nodelay)
        self.assertEqual(echo.peer.ip, "192.0.2.9")
        echo.connectionLost()

    def test_too_many_sessions_are_told_so(self) -> None:
        """A session over the limit gets its refusal and no greeting."""
        wire, echo = Wire(), Echo()
        echo.sessions.refusal = TooMany("too many connections")
        echo.makeConnection(wire)
        self.assertEqual(wire.said(), b"no too many connections\r\n")
        self.assertTrue(wire.disconnecting)

    def test_a_silent_client_of_an_implicit_tls_port_goes(self) -> None:
        """No handshake on 465/993/995: aborted after 30 s (TWISTED 1.5)."""
        wire, echo = Wire(), Echo()
        echo.implicit_tls = True
        echo.makeConnection(wire)
        echo.clock.advance(HANDSHAKE_SECONDS)
        self.assertTrue(wire.aborted)


class InputBufferTests(SynchronousTestCase):
    @given(
        st.lists(st.binary(max_size=12).filter(lambda b: b"\r\n" not in b and not b.endswith(b"\r")), max_size=12),
        st.data(),
    )
    def test_lines_do_not_depend_on_the_segments(self, lines: list[bytes], data: st.DataObject) -> None:
        """Any TCP split gives the same lines, long ones reported once."""
        stream = b"".join(line + b"\r\n" for line in lines)
        buffer, got = InputBuffer(), []
        while stream:
            cut = data.draw(st.integers(1, len(stream)))
            buffer.append(stream[:cut])
            stream = stream[cut:]
            while (line := buffer.take_line(8)) is not None:
                got.append(line)
        self.assertEqual(got, [line if len(line) <= 8 else TOO_LONG for line in lines])
        self.assertEqual(len(buffer), 0)

    def test_blocks_and_lines_mix(self) -> None:
        """Literals and chunks are taken between lines, and what was too much is given back."""
        buffer = InputBuffer()
        buffer.append(b"one\r\n12345rest")
        self.assertEqual(buffer.take_line(10), b"one")
        self.assertEqual(buffer.take(5), b"12345")
        buffer.push_back(b"x\r\n")
        self.assertEqual(buffer.take_line(10), b"x")
        self.assertEqual(buffer.take_all(), b"rest")
        buffer.append(b"y")
        buffer.clear()
        self.assertEqual(len(buffer), 0)
