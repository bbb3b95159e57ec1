"""What attackers send: never two messages for one, never a word of plaintext inside TLS, never memory or time for nothing."""

from __future__ import annotations

import base64
import contextlib
import imaplib
import itertools
import socket
import time

from tests.journeys.base import ANN, Journey
from tests.support.appliance import PASSWORD
from tests.support.raw import Raw, resident

MEGABYTE = 1024 * 1024
MOST_GROWTH = 50 * MEGABYTE
ENDS_FOR_OTHERS = (b"\n.\n", b"\r\n.\n", b"\n.\r\n", b"\r.\r", b"\r\n.\r", b"\r.\n", b"\n\r.\r\n", b"\r\n\0.\r\n")
SECOND_MESSAGE = (
    b"MAIL FROM:<boss@example.test>\r\nRCPT TO:<ann@example.test>\r\nDATA\r\n"
    b"From: boss@example.test\r\nSubject: smuggled\r\n\r\nDo as I say.\r\n.\r\n"
)


class SmugglingTests(Journey):
    def begun(self) -> Raw:
        """A connection in the middle of DATA."""
        talk = Raw(self.here.ports["smtp"])
        self.addCleanup(talk.close)
        self.assertEqual(talk.asks(b"EHLO relay.elsewhere.test")[:3], b"250")
        self.assertEqual(talk.asks(b"MAIL FROM:<carl@elsewhere.test>")[:3], b"250")
        self.assertEqual(talk.asks(b"RCPT TO:<ann@example.test>")[:3], b"250")
        self.assertEqual(talk.asks(b"DATA")[:3], b"354")
        return talk

    def test_no_other_end_of_data_makes_a_second_message(self) -> None:
        """Each odd end is part of the one message, which is refused with 550 5.6.x; no command in it runs (TWISTED S10)."""
        for end in ENDS_FOR_OTHERS:
            talk = self.begun()
            talk.says(b"Subject: carrier\r\n\r\nHello." + end + SECOND_MESSAGE)
            answer = talk.reply()
            self.assertRegex(answer, rb"^550 5\.6\.", (end, answer))
            self.assertEqual(talk.asks(b"NOOP")[:3], b"250", end)
            self.assertTrue(talk.silent(0.05), end)
            self.assertEqual(talk.asks(b"DATA")[:3], b"503", end)
            talk.close()
        self.assertEqual(self.subjects(), [])

    def test_octet_by_octet(self) -> None:
        """Segments make no difference: an end cut into single octets is the same end."""
        talk = self.begun()
        talk.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        text = b"Subject: cut\r\n\r\nx\n.\r\nRSET\r\n.\r\n"
        talk.says(*(text[n : n + 1] for n in range(len(text))))
        self.assertRegex(talk.reply(), rb"^550 5\.6\.11")
        self.assertEqual(talk.asks(b"NOOP")[:3], b"250")
        self.assertEqual(self.subjects(), [])

    def test_line_ends_in_commands_and_names(self) -> None:
        """A bare CR or LF, or a NUL, in EHLO or an address never gets into a header (TWISTED S10)."""
        with Raw(self.here.ports["smtp"]) as talk:
            for command in (
                b"EHLO relay.test\nX-Injected: 1",
                b"EHLO relay.test\rX-Injected: 1",
                b'MAIL FROM:<"x\nX-Injected: 1"@elsewhere.test>',
                b"MAIL FROM:<x\0@elsewhere.test>",
            ):
                if command.startswith(b"MAIL"):
                    self.assertEqual(talk.asks(b"EHLO relay.elsewhere.test")[:3], b"250")
                self.assertEqual(talk.asks(command)[:1], b"5", command)
                self.assertEqual(talk.asks(b"RSET")[:3], b"250")

    def test_one_message_stays_one_through_bdat(self) -> None:
        """A chunk's size alone ends it: dots and commands in it are text (RFC 3030)."""
        text = b"Subject: chunk\r\n\r\nx\r\n.\r\n" + SECOND_MESSAGE
        with Raw(self.here.ports["smtp"]) as talk:
            self.assertEqual(talk.asks(b"EHLO relay.elsewhere.test")[:3], b"250")
            self.assertEqual(talk.asks(b"MAIL FROM:<carl@elsewhere.test>")[:3], b"250")
            self.assertEqual(talk.asks(b"RCPT TO:<bob@example.test>")[:3], b"250")
            talk.says(b"BDAT %d LAST\r\n" % len(text) + text)
            self.assertEqual(talk.reply()[:3], b"250")
            self.assertTrue(talk.silent(0.05))
        self.assertEqual(self.subjects("bob@example.test"), ["chunk"])

    def test_nothing_before_the_handshake_counts_in_smtp(self) -> None:
        """What comes in one segment with STARTTLS is not heard inside TLS, and what was said before is forgotten (TWISTED S1)."""
        for name in ("smtp", "submission"):
            with Raw(self.here.ports[name]) as talk:
                self.assertEqual(talk.asks(b"EHLO relay.elsewhere.test")[:3], b"250")
                talk.says(
                    b"STARTTLS\r\nEHLO evil.test\r\nMAIL FROM:<evil@elsewhere.test>\r\nRCPT TO:<ann@example.test>\r\n"
                )
                self.assertEqual(talk.reply()[:3], b"220")
                talk.starts_tls()
                self.assertTrue(talk.silent())
                self.assertEqual(talk.asks(b"MAIL FROM:<x@elsewhere.test>")[:3], b"503")
                self.assertTrue(talk.silent(0.05))

    def test_nothing_before_the_handshake_counts_in_pop3(self) -> None:
        """A login in one segment with STLS is thrown away (TWISTED P1)."""
        with Raw(self.here.ports["pop3"]) as talk:
            talk.says(b"STLS\r\nUSER ann@example.test\r\nPASS " + PASSWORD.encode() + b"\r\nSTAT\r\n")
            self.assertEqual(talk.line()[:3], b"+OK")
            talk.starts_tls()
            self.assertTrue(talk.silent())
            talk.says(b"STAT\r\n")
            self.assertEqual(talk.line()[:4], b"-ERR")
            self.assertTrue(talk.silent(0.05))

    def test_nothing_before_the_handshake_counts_in_imap(self) -> None:
        """So is one with STARTTLS (TWISTED I1)."""
        with Raw(self.here.ports["imap"]) as talk:
            talk.says(b"a STARTTLS\r\nb LOGIN ann@example.test " + PASSWORD.encode() + b"\r\nc SELECT INBOX\r\n")
            self.assertEqual(talk.line()[:4], b"a OK")
            talk.starts_tls()
            self.assertTrue(talk.silent())
            talk.says(b"d SELECT INBOX\r\n")
            self.assertRegex(talk.line(), rb"^d (BAD|NO) ")
            self.assertTrue(talk.silent(0.05))


class FloodTests(Journey):
    """Peers that send too much, read too little or say nothing cost neither memory nor the others' time (LIMITS, Never)."""

    settings = "limits: {handshake_timeout: 2s}\n"

    def setUp(self) -> None:
        super().setUp()
        assert self.here.process is not None
        self.pid = self.here.process.pid
        self.crowded = itertools.count()
        self.use()
        self.before = resident(self.pid)
        self.addCleanup(self.check_memory)

    def check_memory(self) -> None:
        self.assertLess(resident(self.pid) - self.before, MOST_GROWTH)
        self.use()

    def use(self) -> None:
        """An ordinary user is served."""
        client = self.imap()
        client.select("INBOX", readonly=True)
        client.logout()
        self.assertEqual(self.pop3().quit()[:3], b"+OK")
        with self.smtp() as sender:
            self.assertEqual(sender.noop()[0], 250)

    def crowd(self, service: str, count: int, buffer: int = 0) -> list[Raw]:
        """Connections from several addresses, so that none meets the limit per address (LIMITS, Connections)."""
        found = []
        for _ in range(count):
            source = f"127.0.1.{1 + next(self.crowded) // 40}"
            found.append(Raw(self.here.ports[service], source=source, greeted=False, buffer=buffer))
            self.addCleanup(found[-1].close)
        return found

    def test_lines_without_end(self) -> None:
        """Twenty lines of 1 MB as commands: refused, thrown away, and the session goes on or is ended in words."""
        for service, refusal, then, good in (
            ("smtp", rb"^500 5\.5\.2", b"NOOP\r\n", rb"^250 "),
            ("pop3", rb"^-ERR", b"CAPA\r\n", rb"^\+OK"),
            ("imap", rb"^(\* BYE|\S+ BAD|\* BAD)", b"x NOOP\r\n", rb"^x OK"),
        ):
            for talk in self.crowd(service, 20):
                talk.line()
                with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                    talk.says(b"x" * MEGABYTE, b"x\r\n")
                    talk.says(then)
                heard = talk.line()
                self.assertRegex(heard, refusal)
                if b"BYE" not in heard:
                    self.assertRegex(talk.line(), good)
                talk.close()

    def test_lines_that_never_end(self) -> None:
        """Ten megabytes each, no line end at all, all open at the same time."""
        for service in ("smtp", "pop3", "imap"):
            for talk in self.crowd(service, 10):
                with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                    for _ in range(10):
                        talk.says(b"y" * MEGABYTE)
        self.assertLess(resident(self.pid) - self.before, MOST_GROWTH)

    def test_a_text_line_without_end(self) -> None:
        """1 MB without CRLF in DATA: 552 after the true end, and nothing of it runs as a command."""
        with Raw(self.here.ports["smtp"]) as talk:
            for command in (
                b"EHLO relay.test",
                b"MAIL FROM:<carl@elsewhere.test>",
                b"RCPT TO:<ann@example.test>",
                b"DATA",
            ):
                talk.asks(command)
            talk.says(b"Subject: wide\r\n\r\n", b"RSET " * (MEGABYTE // 5), b"\r\n.\r\n")
            self.assertRegex(talk.reply(), rb"^552 5\.6\.0")
            self.assertEqual(talk.asks(b"NOOP")[:3], b"250")
        self.assertEqual(self.subjects(), [])

    def test_two_thousand_recipients(self) -> None:
        """A stranger gets 100 into one message, a user 1,000; the rest hears 452 4.5.3 and the message goes to those taken."""
        many = b"".join(b"RCPT TO:<bob+%d@example.test>\r\n" % n for n in range(2_000))
        login = b"\0bob@example.test\0" + PASSWORD.encode()
        for auth, most in ((b"", 100), (b"AUTH PLAIN " + base64.b64encode(login), 1_000)):
            # Not from the address that `use` has just checked mail from: that one is no stranger.
            with Raw(self.here.ports["smtp"], source="127.0.0.9") as talk:
                talk.asks(b"EHLO relay.elsewhere.test")
                if auth:
                    self.assertEqual(talk.asks(auth)[:3], b"235")
                talk.asks(b"MAIL FROM:<carl@elsewhere.test>")
                talk.says(many)
                answers = [talk.reply() for _ in range(2_000)]
                self.assertEqual([a[:3] for a in answers[:most]], [b"250"] * most)
                self.assertEqual({a[:9] for a in answers[most:]}, {b"452 4.5.3"})
                self.assertEqual(talk.asks(b"DATA")[:3], b"354")
                self.assertEqual(talk.asks(b"Subject: to all\r\n\r\nHello.\r\n.")[:3], b"250")
        self.assertIn("to all", self.subjects("bob@example.test"))

    def test_silent_tls_clients(self) -> None:
        """A handshake that is not made is ended, and keeps nobody else waiting."""
        silent = self.crowd("imaps", 80) + self.crowd("submissions", 80)
        hello = b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"
        for one in silent[::2]:
            one.says(hello)
        self.use()
        for one in silent:
            self.assertEqual(one.line(), b"")

    def test_clients_that_do_not_read(self) -> None:
        """Gigabytes asked for and never read: nothing is made ahead of what the line takes."""
        keeper = self.imap()
        body = b"Subject: large\r\n\r\n" + (b"z" * 76 + b"\r\n") * (2 * MEGABYTE // 78)
        self.assertEqual(keeper.append("INBOX", "", "", body)[0], "OK")  # type: ignore[arg-type]
        self.assertEqual(keeper.append("INBOX", "", "", body)[0], "OK")  # type: ignore[arg-type]
        asked = {
            "imap": b"a LOGIN ann@example.test %s\r\nb SELECT INBOX\r\n"
            + b"c FETCH 1:* (BODY.PEEK[] ENVELOPE)\r\n" * 300,
            "smtp": b"%.0sEHLO relay.elsewhere.test\r\n" + b"NOOP\r\n" * 50_000,
        }
        for service, commands in asked.items():
            for talk in self.crowd(service, 5, buffer=4096):
                talk.socket.setblocking(False)
                with contextlib.suppress(BlockingIOError):
                    talk.says(commands % PASSWORD.encode())
        with Raw(self.here.ports["pop3"], buffer=4096) as popper:
            popper.says(b"USER ann@example.test\r\nPASS %s\r\n" % PASSWORD.encode() + b"RETR 1\r\n" * 5_000)
            deadline = time.monotonic() + 2
            while time.monotonic() < deadline:
                self.assertLess(resident(self.pid) - self.before, MOST_GROWTH)
                time.sleep(0.1)
            self.assertEqual(keeper.noop()[0], "OK")
        self.empty(keeper)

    def empty(self, client: imaplib.IMAP4) -> None:
        """Leave no mail to the next test."""
        client.select("INBOX")
        client.store("1:*", "+FLAGS.SILENT", r"(\Deleted)")
        client.expunge()
        client.logout()

    def test_one_octet_at_a_time(self) -> None:
        """Hundreds of clients that say a little and wait: the others do not notice."""
        slow = self.crowd("smtp", 120) + self.crowd("pop3", 120) + self.crowd("imap", 120)
        for octet in (b"E", b"H", b"L"):
            for one in slow:
                one.says(octet)
            self.use()
        self.assertEqual(self.here.json("status")["running"], True)
        self.assertIn(ANN, [row["login"] for row in self.here.json("account", "list", "example.test")])
