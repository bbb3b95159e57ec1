"""POP3 as clients hear it; each fault P1-P15 of the stock server is a promise here."""

from __future__ import annotations

from twisted.internet.defer import Deferred, fail, succeed
from twisted.mail import pop3
from zope.interface.verify import verifyObject

from hostmail.errors import MessageGone, TemporaryFailure
from hostmail.protocols.pop3.maildrop import IDLE_HOLDER_SECONDS, Maildrop
from tests.protocols.pop3.conversation import ANN, ONE, TWO, Conversation

STUFFED = ONE.replace(b"\r\n.dot", b"\r\n..dot") + b".\r\n"


class TransactionTests(Conversation):
    def setUp(self) -> None:
        super().setUp()
        self.log_in()

    def test_retr_is_exact(self) -> None:
        """Octets announced are octets on the wire, dots doubled, a missing line end added (P14)."""
        self.hears("RETR 1")
        self.assertEqual(self.wire.said(), b"+OK %d octets\r\n" % len(ONE) + STUFFED)
        self.hears("RETR 2")
        self.assertEqual(self.wire.said(), b"+OK %d octets\r\n" % len(TWO) + TWO + b"\r\n.\r\n")

    def test_p06_deleted_messages_are_not_counted(self) -> None:
        """STAT, LIST and UIDL pass over what is marked; RSET brings it back."""
        self.hears("DELE 1", "STAT", "LIST", "DELE 1", "RETR 1", "LIST 2")
        self.assertEqual(
            self.says(),
            f"+OK message 1 will be deleted\r\n+OK 1 {len(TWO)}\r\n+OK 1 messages\r\n2 {len(TWO)}\r\n.\r\n"
            f"-ERR no such message\r\n-ERR no such message\r\n+OK 2 {len(TWO)}\r\n",
        )
        self.hears("UIDL")
        self.assertEqual(self.says("+OK").count("\r\n"), 3)
        self.hears("RSET")
        self.says("+OK 2 ")

    def test_quit_deletes_before_it_answers(self) -> None:
        """P12: deletions are done, and the lock given back, when +OK is said (D5)."""
        self.hears("DELE 1", "QUIT")
        self.assertIn("+OK goodbye, 1 deleted", self.says())
        self.assertEqual(self.store.contents(ANN), [TWO])
        self.session, self.wire = self.connect()
        self.hears("USER ann@example.test", "PASS se cret")
        self.assertIn("+OK 1 messages", self.says())

    def test_p12_a_failed_deletion_is_told(self) -> None:
        """-ERR, and nothing is lost."""
        self.session.maildrop._folder.expunge = lambda *a, **k: fail(TemporaryFailure(private="EIO"))
        self.hears("DELE 1", "QUIT")
        self.assertIn("-ERR [SYS/TEMP] some messages could not be deleted", self.says())
        self.assertTrue(self.wire.disconnecting)

    def test_a_dropped_line_keeps_everything_and_frees_the_maildrop(self) -> None:
        """Only QUIT deletes (RFC 1939 section 6); the lock goes even so (D10)."""
        self.hears("DELE 1")
        self.session.connectionLost()
        self.session, self.wire = self.connect()
        self.wire.clear()
        self.log_in()

    def test_p07_a_vanished_message_is_an_answer(self) -> None:
        """Deleted by an IMAP session meanwhile: -ERR, and the session goes on."""
        self.session.maildrop._folder.open = lambda uid: fail(MessageGone())
        self.hears("RETR 1", "STAT")
        self.says("-ERR that message was deleted by another mail program\r\n+OK 2")

    def test_p07_a_fault_is_an_answer(self) -> None:
        """Whatever opening raises, the client hears something and the session lives."""
        self.session.maildrop._folder.open = lambda uid: fail(OSError("path"))
        self.hears("RETR 1", "NOOP")
        self.says("-ERR [SYS/TEMP] local error")
        self.flushLoggedErrors(OSError)

    def test_p08_a_fault_in_uidl_wedges_nothing(self) -> None:
        """The session goes on with its timer."""
        self.session.maildrop._folder.uidls = lambda uids: fail(OSError("path"))
        self.hears("UIDL", "NOOP")
        self.assertEqual(self.says("-ERR [SYS/TEMP]").count("+OK"), 1)
        self.flushLoggedErrors(OSError)

    def test_uidls_stay(self) -> None:
        """The same message has the same unique-id in each session (D9)."""
        self.hears("UIDL", "UIDL 2")
        first = self.says("+OK unique-ids follow")
        rows = dict(line.split(" ", 1) for line in first.split("\r\n")[1:3])
        self.assertIn(f"+OK 2 {rows['2']}\r\n", first)
        self.hears("DELE 1", "QUIT")
        self.session.connectionLost()
        self.session, self.wire = self.connect()
        self.hears("USER ann@example.test", "PASS se cret")
        self.wire.clear()
        self.hears("UIDL 1")
        self.assertEqual(self.says(), f"+OK 1 {rows['2']}\r\n")

    def test_p05_top(self) -> None:
        """The header, the blank line, and so many lines."""
        self.hears("TOP 1 0", "TOP 1 2", "TOP 2 5")
        self.assertEqual(
            self.wire.said(),
            b"+OK\r\nSubject: one\r\n\r\n.\r\n"
            b"+OK\r\nSubject: one\r\n\r\nfirst line\r\n..dot\r\n.\r\n"
            b"+OK\r\nSubject: two\r\n\r\nno line end\r\n.\r\n",
        )

    def test_last(self) -> None:
        """Old clients ask."""
        self.hears("LAST")
        self.says("+OK 0")

    def test_sessions_before_login_commands_after(self) -> None:
        """STLS and AUTH are for before."""
        self.hears("STLS", "AUTH PLAIN", "CAPA")
        self.says("-ERR you are logged in already\r\n-ERR you are logged in already\r\n+OK")

    def test_stock_interface(self) -> None:
        """The avatar is a pop3.IMailbox for whoever knows only that."""
        drop: Maildrop = self.session.maildrop
        verifyObject(pop3.IMailbox, drop)
        drop.deleteMessage(0)
        self.assertEqual(drop.listMessages(), [0, len(TWO)])
        self.assertEqual(drop.listMessages(1), len(TWO))
        drop.undeleteMessages()
        self.assertEqual(self.successResultOf(Deferred.fromCoroutine(drop.getMessage(1))).read(), TWO)
        self.assertTrue(self.successResultOf(Deferred.fromCoroutine(drop.getUidl(1))))
        drop.deleteMessage(0)
        self.successResultOf(Deferred.fromCoroutine(drop.sync()))
        self.assertEqual(self.store.contents(ANN), [TWO])


class LockTests(Conversation):
    def setUp(self) -> None:
        super().setUp()
        self.log_in()
        self.first = self.session
        self.session, self.wire = self.connect()
        self.wire.clear()

    def test_a_busy_holder_keeps_the_maildrop(self) -> None:
        """The second login waits ten seconds inside PASS, then hears [IN-USE] (D10)."""
        self.clock.advance(IDLE_HOLDER_SECONDS)
        self.first.dataReceived(b"NOOP\r\n")
        self.hears("USER ann@example.test", "PASS se cret")
        self.assertEqual(self.says(), "+OK send your password\r\n")
        self.clock.pump([0.5] * 25)
        self.assertIn("-ERR [IN-USE] another mail program", self.says())

    def test_an_idle_holder_is_taken_over(self) -> None:
        """A holder that was silent for half a minute is disconnected, and the newcomer served (D10)."""
        self.clock.advance(IDLE_HOLDER_SECONDS)
        self.hears("USER ann@example.test", "PASS se cret")
        self.assertIn("+OK 2 messages", self.says())

    def test_a_holder_that_is_thrown_out_has_let_go(self) -> None:
        """Kicked, timed out or told goodbye: the lock does not wait until the line is closed (D10)."""
        self.first.send(b"x" * 50_000)
        self.first.kick("by the operator")
        self.hears("USER ann@example.test", "PASS se cret")
        self.assertIn("+OK 2 messages", self.says())

    def test_a_download_under_way_is_not_taken_over(self) -> None:
        """A command that lasts keeps the maildrop, however long ago it was given (B4, D10)."""
        self.first.maildrop.open_message = lambda index: Deferred()
        self.first.dataReceived(b"RETR 1\r\n")
        self.clock.advance(IDLE_HOLDER_SECONDS + 5)
        self.hears("USER ann@example.test", "PASS se cret")
        self.clock.pump([0.5] * 25)
        self.assertIn("-ERR [IN-USE]", self.says())

    def test_a_holder_that_goes_makes_room(self) -> None:
        """The waiting login is served as soon as the first one leaves."""
        self.hears("USER ann@example.test", "PASS se cret")
        self.first.connectionLost()
        self.clock.pump([0.5] * 4)
        self.assertIn("+OK 2 messages", self.says())


class OtherProgramsTests(Conversation):
    """What IMAP or webmail do to the mailbox meanwhile."""

    messages = tuple(b"Subject: %d\r\n\r\n" % number for number in range(9))

    def setUp(self) -> None:
        super().setUp()
        self.hears("USER ann@example.test", "PASS se cret", "UIDL")
        self.before = dict(row.split() for row in self.says().split("\r\n")[3:-2])
        self.session.connectionLost()
        self.session, self.wire = self.connect()
        self.hears("USER ann@example.test", "PASS se cret")
        self.wire.clear()

    def _expunges(self, *uids: int) -> None:
        async def work() -> None:
            account = await self.store.open(ANN)
            await (await account.folder("INBOX")).expunge(uids, only_deleted=False)

        self.successResultOf(Deferred.fromCoroutine(work()))

    def test_d09_uidls_stay_with_their_messages(self) -> None:
        """Messages that others removed after our login do not shift the unique-ids of those behind them (D9)."""
        self._expunges(1, 4, 5, 9)
        self.hears("UIDL", "UIDL 2")
        rows = self.says("+OK").split("\r\n")
        now = dict(row.split() for row in rows[1:10])
        self.assertEqual({n: now[n] for n in "23678"}, {n: self.before[n] for n in "23678"})
        self.assertEqual(len(set(now.values()) | set(self.before.values())), 13)
        self.assertEqual(rows[11], f"+OK 2 {self.before['2']}")

    def test_d09_nothing_is_left(self) -> None:
        """Everything removed: the numbers stay, retrieving tells, and QUIT is no failure."""
        self._expunges(*range(1, 10))
        self.hears("UIDL 9", "RETR 9", "DELE 9", "QUIT")
        said = self.says("+OK 9 gone-").split("\r\n")
        self.assertEqual(said[1], "-ERR that message was deleted by another mail program")
        self.assertEqual(said[3], "+OK goodbye")


class LargeMessageTests(Conversation):
    messages = (b"Subject: big\r\n\r\n" + b".x2345678\r\n" * 60000, TWO)

    def setUp(self) -> None:
        super().setUp()
        self.log_in()

    def test_sent_at_the_readers_pace(self) -> None:
        """No block is read before the last one has gone, however long that takes (B4)."""
        self.session.pauseProducing()
        self.session.resumeProducing()
        self.hears("NOOP")
        self.wire.clear()
        self.session.pauseProducing()
        task = self.session.on_retr("1")
        done = Deferred.fromCoroutine(task)
        self.assertLess(len(self.wire.value()), 90000)
        for _ in range(50):
            self.clock.advance(200)
            self.session.resumeProducing()
            self.session.pauseProducing()
        self.successResultOf(done)
        head, _, body = self.wire.said().partition(b"\r\n")
        self.assertEqual(head, b"+OK %d octets" % len(self.messages[0]))
        self.assertEqual(body, self.messages[0].replace(b"\r\n.", b"\r\n..") + b".\r\n")
        self.assertFalse(self.wire.aborted)

    def test_top_stops_early(self) -> None:
        """TOP reads no more than it shows."""
        self.hears("TOP 1 7000")
        self.assertEqual(self.wire.said().count(b"..x"), 7000)

    def test_a_file_that_breaks_off_breaks_the_line(self) -> None:
        """A message that cannot be finished never looks complete."""
        message = self.successResultOf(Deferred.fromCoroutine(self.session.maildrop.open_message(0)))
        message.read_now = lambda offset, length: None if offset else b"x" * length
        message.read = lambda offset, length: succeed(b"")
        self.session.maildrop._folder.open = lambda uid: succeed(message)
        self.hears("RETR 1")
        self.assertTrue(self.wire.aborted)
        self.assertFalse(self.wire.said().endswith(b".\r\n"))
        self.flushLoggedErrors()

    def test_a_client_that_goes_stops_the_download(self) -> None:
        """Nothing is read for somebody who left."""
        self.session.pauseProducing()
        done = Deferred.fromCoroutine(self.session.on_retr("1"))
        self.session.connectionLost()
        self.successResultOf(done)
