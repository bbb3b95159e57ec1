"""Faults of ours, and clients that ask for much: the session lives, memory is bounded, others have their turn."""

from __future__ import annotations

from collections.abc import Callable

from twisted.internet.base import DelayedCall
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.logger import capturedLogs, formatEvent

from hostmail.errors import TemporaryFailure, TooMany
from hostmail.protocols.base import TURN_SECONDS
from hostmail.protocols.imap.commands.sort import each_cached
from tests.protocols.imap.talk import HELLO, Broken, Gate, ImapCase, Talk


class Hurried(Clock):
    """A clock by which everything takes its time."""

    def seconds(self) -> float:
        self.rightNow += TURN_SECONDS / 6
        return super().seconds()


class Counting(Hurried):
    """How often somebody waits for the next turn."""

    turns = 0

    def callLater(self, when: float, what: Callable[..., object], *a: object, **kw: object) -> DelayedCall:
        self.turns += when == 0
        return super().callLater(when, what, *a, **kw)


class FaultTests(ImapCase):
    """What goes wrong on our side."""

    def _broken(self, talk: Talk, **failures: BaseException) -> dict[str, BaseException]:
        assert talk.server.account is not None
        talk.server.account.store = Broken(talk.server.account.store, failures)
        return failures

    def test_idle_over_a_disk_that_fails_is_no_busy_loop(self) -> None:
        """What could not be read is looked for again with the next event or keepalive, not at once and for ever."""
        talk = self.ann()
        failures = self._broken(talk)
        talk.last(b"SELECT INBOX")
        talk.sends(b"A IDLE\r\n")
        failures["changes"] = TemporaryFailure(private="disk on fire")
        self.put(HELLO)
        with capturedLogs() as events:
            self.events_arrive()
        self.assertEqual(sum("disk on fire" in (formatEvent(event) or "") for event in events), 1)
        self.assertEqual(talk.wire.said(), b"")
        failures.clear()
        self.assertEqual(talk.sends(b"DONE\r\n"), b"A OK IDLE completed\r\n")
        self.assertEqual(talk.asks(b"SEARCH ALL")[1], b"* 1 EXISTS")

    def test_a_fault_while_idling_ends_idle(self) -> None:
        """The client hears NO, and may go on with other commands."""
        talk = self.ann()
        failures = self._broken(talk)
        talk.last(b"SELECT INBOX")
        talk.sends(b"A IDLE\r\n")
        failures["changes"] = ValueError("secret")
        self.put(HELLO)
        self.events_arrive()
        self.assertTrue(talk.wire.said().startswith(b"A NO [SERVERBUG] "))
        self.assertEqual(len(self.flushLoggedErrors(ValueError)), 1)
        failures.clear()
        self.assertEqual(talk.asks(b"NOOP")[-1], b". OK NOOP completed")

    def test_a_client_that_goes_before_it_idles(self) -> None:
        """Nothing is left of it, no timer either."""
        talk = self.ann(b"INBOX")
        waiting: list[Deferred[None]] = []
        assert talk.server.selected is not None
        talk.server.selected.folder = Gate(talk.server.selected.folder, waiting)
        talk.sends(b"A IDLE\r\n")
        talk.hangs_up()
        waiting.pop().callback(None)
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_a_client_that_goes_while_we_work_is_no_fault(self) -> None:
        """LIST asks the store twice; that the client went in between is nothing for the log."""
        talk = self.ann()
        waiting: list = []  # type: ignore[type-arg]
        assert talk.server.account is not None
        talk.server.account.store = Gate(talk.server.account.store, waiting)
        talk.sends(b'A LIST "" *\r\n')
        talk.hangs_up()
        waiting.pop().callback(None)
        self.assertEqual(self.flushLoggedErrors(), [])

    def test_an_append_that_cannot_be_begun_is_read_away(self) -> None:
        """Whatever happens before the message is taken, the commands behind it are not lost (I8)."""
        talk = self.ann()
        self._broken(talk, begin_append=ValueError("secret"))
        heard = talk.sends(b"A APPEND INBOX {4+}\r\nabcd\r\nB NOOP\r\n").split(b"\r\n")
        self.assertTrue(heard[0].startswith(b"A NO [SERVERBUG] "))
        self.assertEqual(heard[1], b"B OK NOOP completed")
        self.assertEqual(len(self.flushLoggedErrors(ValueError)), 1)

    def test_a_mailbox_that_cannot_be_opened(self) -> None:
        """Not the client's fault: [UNAVAILABLE], and the log knows why."""
        talk = self.client()
        self.house.portal.failure = TemporaryFailure(private="disk on fire")
        with capturedLogs() as events:
            self.assertTrue(talk.last(b"LOGIN ann@example.com x").startswith(b". NO [UNAVAILABLE] "))
        self.assertIn("disk on fire", "".join(filter(None, map(formatEvent, events))))
        self.assertEqual(talk.server.failed_logins, 0)

    def test_a_login_over_the_limit_is_nobodys_session(self) -> None:
        """What is listed and kicked by account must have logged in."""
        talk = self.client()
        self.house.sessions.refuse_login = TooMany()
        self.assertTrue(talk.last(b'LOGIN ann@example.com "se\\"cr\\\\et"').startswith(b". NO [LIMIT]"))
        self.assertEqual((talk.server.peer.account_id, talk.server.peer.login), (None, ""))
        self.assertEqual(self.house.portal.logged_out, 1)


class GreedTests(ImapCase):
    """What asks for much."""

    def test_many_large_sections_go_out_as_they_are_read(self) -> None:
        """A row with thousands of pieces is never in memory as a whole."""
        self.put(b"Subject: x\r\n\r\n" + b"0123456789abcdef\r\n" * 60_000)
        talk = self.ann(b"INBOX")
        wanted = b" ".join([b"BODY.PEEK[]<%d.100000>" % start for start in range(200)])
        talk.server.pauseProducing()
        talk.server.dataReceived(b"A FETCH 1 (%b)\r\n" % wanted)
        talk.server.resumeProducing()
        self.assertTrue(talk.wire.said().endswith(b"A OK FETCH completed\r\n"))
        largest = 0

        def write(data: bytes) -> None:
            nonlocal largest
            largest = max(largest, len(data))

        talk.wire.write = write  # type: ignore[method-assign]
        talk.server.dataReceived(b"B FETCH 1 (%b)\r\n" % wanted)
        self.assertLess(largest, 500_000)

    def test_others_have_their_turn_in_long_work(self) -> None:
        """Many keys over many messages, many patterns over many folders: never more than a moment at once."""
        self.clock = self.house.clock = Hurried()
        self.put(*[b"Subject: x\r\n\r\n"] * 500)
        talk = self.ann(b"INBOX")
        for command in (b"SEARCH NOT SEEN", b'LIST "" (*x* *y*)', b"LSUB a *"):
            talk.server.dataReceived(b"A " + command + b"\r\n")
            turns = 0
            while b"A OK" not in talk.wire.value():
                turns += 1
                self.assertLess(turns, 1000)
                self.clock.advance(0)
            talk.wire.clear()
            if command.startswith(b"SEARCH"):
                self.assertGreater(turns, 0)

    def test_others_have_their_turn_between_messages(self) -> None:
        """Each may take long, if thousands of words are looked for in it."""
        clock = self.house.clock = Counting()
        self.put(*[HELLO] * 40)
        talk = self.ann(b"INBOX")
        for command in (b"SEARCH NOT BODY nowhere", b"SEARCH NOT SUBJECT nowhere NOT BODY nowhere"):
            turns = clock.turns
            talk.sends(b"x " + command + b"\r\n")
            clock.advance(0)
            self.assertGreaterEqual(clock.turns, turns + 5)

    def test_others_have_their_turn_while_subjects_are_read(self) -> None:
        """As strange as they may be: SORT and THREAD wait between some and others."""
        clock = self.house.clock = Counting()
        self.put(*[HELLO] * 200)
        talk = self.ann(b"INBOX")
        selected = talk.server.selected
        assert selected is not None
        turns: list[int] = []
        work = each_cached(talk.server, selected, list(range(200)), lambda index, cached: turns.append(clock.turns))
        done = Deferred.fromCoroutine(work)
        while not done.called:
            clock.advance(0)
        self.assertEqual(len(turns), 200)
        self.assertGreater(turns[-1], turns[0])

    def test_a_message_that_is_read_away_slowly_is_progress(self) -> None:
        """A refused APPEND over a slow line may last for hours, as long as octets come (B4)."""
        talk = self.ann()
        talk.sends(b"A APPEND Nowhere {1000000+}\r\n")
        for _ in range(100):
            self.clock.advance(600)
            talk.sends(b"x" * 10_000)
        self.assertEqual(talk.sends(b"\r\n")[:20], b"A NO [TRYCREATE] no ")
        self.assertFalse(talk.wire.disconnecting)

    def test_a_folder_name_that_is_none_closes_the_one_before(self) -> None:
        """SELECT that fails leaves nothing selected (RFC 3501 section 6.3.1)."""
        talk = self.ann(b"INBOX")
        self.assertTrue(talk.last(b"SELECT &bad").startswith(b". NO [CANNOT]"))
        self.assertTrue(talk.last(b"CHECK").startswith(b". BAD"))
