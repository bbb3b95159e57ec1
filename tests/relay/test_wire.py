"""Connections: made, lost, slow, forged, secured, used again."""

from __future__ import annotations

import socket
from dataclasses import replace
from errno import EADDRNOTAVAIL
from typing import Any

from twisted.internet.error import (
    ConnectBindError,
    ConnectionRefusedError,
    DNSLookupError,
    NoRouteError,
    TimeoutError,
)

from hostmail.relay.client import IDLE_SECONDS, MOST_MESSAGES
from hostmail.relay.wire import GRACE_SECONDS
from tests.relay.talk import FULL, TalkCase


class ReachTests(TalkCase):
    def test_unreachable(self) -> None:
        """What cannot be connected to is tried later, with a reason that people understand."""
        for error, words in (
            (ConnectionRefusedError(), "refuses connections"),
            (DNSLookupError(), "is not known in the DNS"),
            (TimeoutError(), "does not answer"),
            (NoRouteError(), "cannot be reached"),
            (
                ConnectBindError(EADDRNOTAVAIL),
                "cannot be connected to from the source address that is set: it is not this machine's",
            ),
            (OSError("inside"), "cannot be connected to"),
        ):
            self.endpoint.error = error
            self.assertEqual(self.results(self.send()), [f"451 4.4.1 mx.x.example {words}"])

    def test_bad_greeting(self) -> None:
        """A server that does not want us at all is tried later: no message is to blame."""
        sending = self.send()
        self.server.says("554 go away")
        self.assertEqual(self.results(sending), ["451 4.3.2 mx.x.example said: 554 go away"])
        self.assertTrue(self.server.gone)

    def test_timeouts(self) -> None:
        """Every wait has its end (RFC 5321 4.5.3.2): greeting, commands and the final dot."""
        steps = [
            (300.0, "220 hi"),
            (300.0, "250 mx"),
            (300.0, "250 ok"),
            (300.0, "250 ok"),
            (120.0, "354 go"),
            (600.0, ""),
        ]
        for many in range(len(steps)):
            sending = self.send()
            for _, reply in steps[:many]:
                self.server.says(reply)
            self.clock.advance(steps[many][0] - 1)
            self.assertNoResult(sending)
            self.clock.advance(1)
            self.assertEqual(self.results(sending), ["451 4.4.2 mx.x.example did not answer in time"])
            self.assertTrue(self.server.transport.disconnected)

    def test_reader_that_stops(self) -> None:
        """A peer that takes nothing for three minutes while DATA is sent is dropped; slow ones are waited for (B4)."""
        self.write(b"x" * 600_000)
        sending = self.send()
        self.server.greets("HELP")
        write = self.server.transport.write

        def paused(data: bytes) -> None:
            write(data)
            if len(data) > 1000:
                self.server.wire.pauseProducing()

        self.server.transport.write = paused  # type: ignore[method-assign]
        for reply in ("250 ok", "250 ok", "354 go"):
            self.server.says(reply)
        self.clock.advance(179)
        self.server.wire.resumeProducing()
        self.clock.advance(179)
        self.assertNoResult(sending)
        self.clock.advance(1)
        self.assertEqual(self.results(sending), ["451 4.4.2 mx.x.example did not answer in time"])

    def test_lost_while_sending(self) -> None:
        """A line that drops before the last reply means later; what was refused before stays refused."""
        sending = self.send("bob@x.example", "eve@x.example")
        self.server.greets(*FULL)
        self.server.says("250 ok", "550 5.1.1 who?", "250 ok", "354 go")
        self.server.hangs_up()
        gone = "451 4.4.2 mx.x.example closed the connection"
        self.assertEqual(self.results(sending), ["550 5.1.1 mx.x.example said: 550 5.1.1 who?", gone])

    def test_last_words(self) -> None:
        """A reply that came before the line dropped counts, even one that came while we were sending."""
        self.write(b"x" * 600_000)
        sending = self.send()
        self.server.greets("HELP")
        write = self.server.transport.write

        def refused(data: bytes) -> None:
            write(data)
            if len(data) > 1000:
                self.server.wire.pauseProducing()

        self.server.transport.write = refused  # type: ignore[method-assign]
        for reply in ("250 ok", "250 ok", "354 go"):
            self.server.says(reply)
        self.server.says("552 5.3.4 too big for me")
        self.server.hangs_up()
        self.assertEqual(self.results(sending), ["552 5.3.4 mx.x.example said: 552 5.3.4 too big for me"])

    def test_421(self) -> None:
        """421 in the middle is later for everybody who had no answer."""
        sending = self.send("bob@x.example", "eve@x.example")
        self.server.greets("HELP")
        self.server.says("250 ok")
        self.server.says("250 ok")
        self.server.says("421 4.3.2 shutting down")
        self.server.hangs_up()
        first, second = self.results(sending)
        self.assertEqual(second, "421 4.3.2 mx.x.example said: 421 4.3.2 shutting down")
        self.assertEqual(first, "451 4.4.2 mx.x.example closed the connection")


class ForgeryTests(TalkCase):
    def test_unasked_replies(self) -> None:
        """A reply to nothing means that nobody knows what the next one belongs to: the line is cut."""
        sending = self.send()
        self.server.says("220 hi", "250 mx")
        self.assertEqual(self.results(sending), ["451 4.5.0 mx.x.example sent a reply that nobody asked for"])
        self.assertTrue(self.server.transport.disconnected)

    def test_not_smtp(self) -> None:
        """What does not speak SMTP is left."""
        sending = self.send()
        self.server.says("SSH-2.0-OpenSSH_9.2")
        words = "451 4.5.0 mx.x.example does not speak SMTP as it should (not an SMTP reply)"
        self.assertEqual(self.results(sending), [words])
        self.server.says("220 too late")

    def test_endless_reply(self) -> None:
        """A reply without end is cut at 64 KiB (LIMITS, Relaying)."""
        sending = self.send()
        self.server.wire.dataReceived(b"220-" + b"x" * 70_000)
        self.assertIn("endless line", self.results(sending)[0])

    def test_replies_behind_starttls(self) -> None:
        """Whatever follows 220 in clear is never a reply inside TLS (TWISTED.md C4)."""
        for forged in (b"220 go\r\n250 forged\r\n", b"220 go\r\n250-for"):
            self.behave(replace(self.manners, tls="must"))
            sending = self.send()
            self.server.greets("STARTTLS")
            self.server.wire.dataReceived(forged)
            self.assertIn("TLS with mx.x.example cannot be established", self.results(sending)[0])
            self.assertIsNone(self.server.transport.tls)


class ClosedSocketTests(TalkCase):
    def test_replies_behind_the_end(self) -> None:
        """What TLS gives out when the connection has ended already is heard, and nothing breaks."""
        sending = self.send("bob@x.example", "eve@x.example")
        self.server.greets("PIPELINING")
        closed = socket.socket()
        closed.close()
        self.server.wire._socket = closed
        self.server.says("250 ok", "550 5.1.1 who?")
        self.server.hangs_up()
        self.assertEqual(self.results(sending)[0], "550 5.1.1 mx.x.example said: 550 5.1.1 who?")


class TlsTests(TalkCase):
    """TLS where it is offered, or as a must; after a failed handshake nothing goes on (TWISTED.md C6)."""

    def test_opportunistic(self) -> None:
        """TLS is used where it is offered; what was announced before is forgotten (RFC 3207 4.2)."""
        self.send(notify="NEVER")
        self.server.greets("STARTTLS", *FULL)
        self.assertEqual(self.server.heard(), "STARTTLS\r\n")
        self.server.says("220 go")
        self.server.wire.handshakeCompleted()
        self.server.heard()
        self.server.says("250 mx")
        self.assertEqual(self.server.heard(), "MAIL FROM:<ann@example.com>\r\n")

    def test_refused(self) -> None:
        """A server that offers STARTTLS and then refuses it gets the mail in clear, unless TLS is a must."""
        self.send()
        self.server.greets("STARTTLS")
        self.server.says("454 not now")
        self.assertIn("MAIL FROM", self.server.heard())
        self.behave(replace(self.manners, tls="must"))
        sending = self.send()
        self.server.greets("STARTTLS")
        self.server.says("454 not now")
        self.assertEqual(self.results(sending), ["451 4.7.4 mx.x.example said: 454 not now"])

    def test_failed_handshake(self) -> None:
        """If the handshake fails the mail goes by a new connection in clear, unless TLS is a must (RFC 7435)."""
        self.send()
        self.server.greets("STARTTLS")
        self.server.says("220 go")
        self.server.hangs_up()
        self.assertEqual(len(self.endpoint.servers), 2)
        self.server.greets("STARTTLS")
        self.assertIn("MAIL FROM", self.server.heard())

    def test_failed_handshake_where_tls_is_a_must(self) -> None:
        """A smarthost whose certificate is bad gets nothing."""
        self.behave(replace(self.manners, tls="must"))
        sending = self.send()
        self.server.greets("STARTTLS")
        self.server.says("220 go")
        self.server.hangs_up()
        self.assertEqual(self.results(sending), ["451 4.7.5 TLS with mx.x.example cannot be established"])
        self.assertEqual(len(self.endpoint.servers), 1)

    def test_endless_handshake(self) -> None:
        """A handshake has 60 seconds."""
        self.behave(replace(self.manners, tls="must"))
        sending = self.send()
        self.server.greets("STARTTLS")
        self.server.says("220 go")
        self.clock.advance(60)
        self.assertIn("451 4.7.5", self.results(sending)[0])


class ReuseTests(TalkCase):
    """Several messages by one connection, each with its own results (TWISTED.md C7)."""

    def go(self, greet: bool = False) -> Any:
        """Send one message to the newest server."""
        sending = self.send()
        if greet:
            self.server.greets(*FULL)
        self.server.says("250 ok", "250 ok", "354 go")
        self.server.says("250 ok")
        self.server.heard()
        return self.results(sending)

    def test_reuse(self) -> None:
        """The next message takes the same connection, without a new introduction."""
        self.go(greet=True)
        self.go()
        self.assertEqual(len(self.endpoint.servers), 1)

    def test_idle(self) -> None:
        """A connection that nobody uses is closed with QUIT after a few seconds, and cut if the peer holds on."""
        self.go(greet=True)
        self.clock.advance(IDLE_SECONDS - 1)
        self.go()
        self.clock.advance(1)
        self.assertFalse(self.server.gone)
        self.clock.advance(IDLE_SECONDS - 1)
        self.assertEqual(self.server.heard(), "QUIT\r\n")
        self.assertTrue(self.server.transport.disconnecting)
        self.assertFalse(self.server.transport.disconnected)
        self.clock.advance(GRACE_SECONDS)
        self.assertTrue(self.server.transport.disconnected)
        self.server.hangs_up()

    def test_polite_end(self) -> None:
        """A peer that answers QUIT by closing leaves no timer behind."""
        self.go(greet=True)
        self.clock.advance(IDLE_SECONDS)
        self.server.hangs_up()
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_closed_meanwhile(self) -> None:
        """A connection that the server has closed, or said 421 on, is not used again."""
        self.go(greet=True)
        self.server.hangs_up()
        self.go(greet=True)
        self.server.says("421 timeout")
        self.go(greet=True)
        self.assertEqual(len(self.endpoint.servers), 3)

    def test_dead_without_knowing(self) -> None:
        """If a used connection dies at the first command, a new one is tried at once."""
        self.go(greet=True)
        sending = self.send()
        self.server.hangs_up()
        self.assertEqual(len(self.endpoint.servers), 2)
        self.server.greets(*FULL)
        self.server.says("250 ok", "250 ok", "354 go")
        self.server.says("250 ok")
        self.assertEqual(self.results(sending), ["+"])

    def test_tired_of_us(self) -> None:
        """A server that takes no more messages on this connection gets the next one by another, at once; a new one that says so is busy."""
        self.go(greet=True)
        sending = self.send()
        self.server.says("421 4.7.0 too many messages, come again", "503 no", "503 no")
        self.assertEqual(len(self.endpoint.servers), 2)
        self.server.greets("PIPELINING")
        self.server.says("421 4.7.0 busy", "503 no", "503 no")
        self.assertEqual(self.results(sending), ["421 4.7.0 mx.x.example said: 421 4.7.0 busy"])
        self.assertTrue(self.server.gone)

    def test_no_second_time_after_the_body(self) -> None:
        """If it dies after the message was sent, nothing is sent again at once: the server may have it."""
        self.go(greet=True)
        sending = self.send()
        self.server.says("250 ok", "250 ok", "354 go")
        self.server.hangs_up()
        self.assertEqual(self.results(sending), ["451 4.4.2 mx.x.example closed the connection"])

    def test_many_messages(self) -> None:
        """After 100 messages a connection is changed."""
        self.go(greet=True)
        for _ in range(MOST_MESSAGES - 1):
            self.go()
        self.assertTrue(self.server.gone)
        self.go(greet=True)
        self.assertEqual(len(self.endpoint.servers), 2)

    def test_side_by_side(self) -> None:
        """Transmissions at the same time have their own connections."""
        self.send()
        self.send()
        self.assertEqual(len(self.endpoint.servers), 2)

    def test_close(self) -> None:
        """At the end idle connections are closed."""
        self.go(greet=True)
        self.destination.close()
        self.assertTrue(self.server.gone)

    def test_no_reset(self) -> None:
        """A server that does not take RSET is left."""
        sending = self.send()
        self.server.greets("HELP")
        for reply in ("250 ok", "550 5.1.1 who?", "500 what?"):
            self.server.says(reply)
        self.assertEqual(len(self.results(sending)), 1)
        self.assertTrue(self.server.gone)
