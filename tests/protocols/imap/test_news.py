"""What a session hears of others' changes, and when."""

from __future__ import annotations

from twisted.internet.defer import Deferred
from twisted.mail.interfaces import IAccountIMAP
from zope.interface.verify import verifyObject

from hostmail.errors import TemporaryFailure
from hostmail.interfaces.events import FolderChanged
from hostmail.protocols.imap.account import ImapAccount
from tests.protocols.imap.talk import ANN, HELLO, Broken, Gate, ImapCase


class News(ImapCase):
    """Untagged EXISTS, EXPUNGE, FETCH."""

    def test_noop_and_check_look_for_news(self) -> None:
        """Even when no event said so (ARCHITECTURE 8)."""
        talk = self.ann(b"INBOX")
        self.put(HELLO)
        self.assertEqual(talk.asks(b"NOOP"), [b"* 1 EXISTS", b"* 1 RECENT", b". OK NOOP completed"])
        self.put(HELLO)
        self.assertEqual(talk.asks(b"CHECK")[0], b"* 2 EXISTS")

    def test_other_commands_tell_what_an_event_announced(self) -> None:
        """New mail is seen behind the next command, whatever it is."""
        talk = self.ann(b"INBOX")
        self.put(HELLO)
        self.events_arrive()
        self.assertEqual(
            talk.asks(b"SEARCH ALL"), [b"* SEARCH", b"* 1 EXISTS", b"* 1 RECENT", b". OK SEARCH completed"]
        )

    def test_flags_of_other_sessions(self) -> None:
        """With the UID, for whoever works with UIDs."""
        self.put(HELLO, HELLO)
        talk, other = self.ann(b"INBOX"), self.ann(b"INBOX")
        other.last(b"STORE 2 +FLAGS (\\Flagged kw)")
        lines = talk.asks(b"NOOP")
        self.assertEqual(lines[0], b"* FLAGS (\\Answered \\Flagged \\Deleted \\Seen \\Draft kw)")
        self.assertEqual(lines[2], b"* 2 FETCH (UID 2 FLAGS (\\Flagged kw \\Recent))")

    def test_i16_expunges_wait_for_the_right_moment(self) -> None:
        """Never in FETCH, STORE, SEARCH by number; numbers stay valid until then (I16, RFC 3501 section 7.4.1)."""
        self.put(*[HELLO] * 3)
        talk, other = self.ann(b"INBOX"), self.ann(b"INBOX")
        other.last(b"STORE 1 +FLAGS (\\Deleted)")
        other.last(b"EXPUNGE")
        self.put(HELLO)
        self.events_arrive()
        for command in (b"FETCH 2 UID", b"STORE 2 +FLAGS.SILENT (\\Seen)", b"SEARCH UNSEEN"):
            self.assertNotIn(b"EXPUNGE", b"".join(talk.asks(command)), command)
        self.assertEqual(talk.asks(b"FETCH 4 UID")[0], b"* 4 FETCH (UID 4)")
        self.assertEqual(talk.asks(b"UID FETCH 4 FLAGS")[1:], [b"* 1 EXPUNGE", b". OK FETCH completed"])
        self.assertEqual(talk.asks(b"FETCH 3 UID")[0], b"* 3 FETCH (UID 4)")

    def test_arrived_and_gone_in_between(self) -> None:
        """A message that nobody saw is not mentioned."""
        talk, other = self.ann(b"INBOX"), self.ann(b"INBOX")
        self.put(HELLO, flags=8)
        other.last(b"EXPUNGE")
        self.assertEqual(talk.asks(b"NOOP"), [b". OK NOOP completed"])
        self.put(HELLO)
        self.assertEqual(talk.asks(b"NOOP")[0], b"* 1 EXISTS")

    def test_a_folder_deleted_under_us(self) -> None:
        """BYE: there is nothing to be done in it any more."""
        talk, other = self.ann(), self.ann()
        talk.last(b"CREATE Work")
        talk.last(b"SELECT Work")
        other.last(b"DELETE Work")
        self.assertEqual(
            talk.asks(b"NOOP"), [b"* BYE the selected folder was deleted or renamed, please connect again"]
        )
        self.assertTrue(talk.wire.disconnecting)

    def test_news_that_cannot_be_read_now_come_later(self) -> None:
        """A passing fault does not spoil a command that has succeeded."""
        talk = self.ann()
        account = talk.server.account
        assert account is not None
        failures: dict[str, BaseException] = {"changes": TemporaryFailure()}
        account.store = Broken(account.store, failures)
        talk.last(b"SELECT INBOX")
        self.put(HELLO)
        self.assertEqual(talk.asks(b"NOOP"), [b". OK NOOP completed"])
        failures.clear()
        self.assertEqual(talk.asks(b"SEARCH ALL")[1], b"* 1 EXISTS")


class Idle(ImapCase):
    """RFC 2177."""

    def test_i16_news_are_pushed_until_done(self) -> None:
        """New mail, flags and expunges, at once; DONE ends it (I16)."""
        talk, other = self.ann(b"INBOX"), self.ann(b"INBOX")
        self.assertEqual(talk.sends(b"A IDLE\r\n"), b"+ idling\r\n")
        self.put(HELLO)
        self.events_arrive()
        self.assertEqual(talk.wire.said(), b"* 1 EXISTS\r\n* 1 RECENT\r\n")
        other.last(b"NOOP")
        other.last(b"STORE 1 +FLAGS (\\Deleted)")
        self.events_arrive()
        self.assertEqual(talk.wire.said(), b"* 1 FETCH (UID 1 FLAGS (\\Deleted \\Recent))\r\n")
        other.last(b"EXPUNGE")
        self.events_arrive()
        self.assertEqual(talk.wire.said(), b"* 1 EXPUNGE\r\n")
        self.assertEqual(talk.sends(b"done\r\n"), b"A OK IDLE completed\r\n")
        self.put(HELLO)
        self.events_arrive()
        self.assertEqual(talk.wire.said(), b"")

    def test_what_happened_before_is_told_first(self) -> None:
        """Nothing falls between the last command and IDLE."""
        talk = self.ann(b"INBOX")
        self.put(HELLO)
        self.assertEqual(talk.sends(b"A IDLE\r\n"), b"+ idling\r\n* 1 EXISTS\r\n* 1 RECENT\r\n")

    def test_i16_anything_but_done_is_bad(self) -> None:
        """It ends IDLE, as an error, and is not run (I16)."""
        talk = self.ann(b"INBOX")
        talk.sends(b"A IDLE\r\n")
        self.assertEqual(talk.sends(b"B LOGOUT\r\n"), b"A BAD IDLE is ended by DONE\r\n")
        self.assertEqual(talk.last(b"NOOP"), b". OK NOOP completed")
        talk.sends(b"A IDLE\r\n")
        self.assertEqual(talk.sends(b"x" * 20_000 + b"\r\n"), b"A BAD IDLE is ended by DONE\r\n")

    def test_idling_without_a_folder(self) -> None:
        """Allowed after login, and quiet."""
        talk = self.ann()
        self.assertEqual(talk.sends(b"A IDLE\r\nDONE\r\n"), b"+ idling\r\nA OK IDLE completed\r\n")

    def test_a_word_every_two_minutes(self) -> None:
        """For firewalls that forget; and a look for what no event told (LIMITS, Connections)."""
        talk = self.ann(b"INBOX")
        talk.sends(b"A IDLE\r\n")
        self.house.watch.close()
        self.put(HELLO)
        self.clock.advance(120)
        self.assertEqual(talk.wire.said(), b"* OK still here\r\n* 1 EXISTS\r\n* 1 RECENT\r\n")
        for _ in range(13):
            self.clock.advance(120)
        self.assertEqual(talk.wire.said().count(b"still here"), 13)

    def test_many_can_wait(self) -> None:
        """A session in IDLE has one timer, however often it began, and few enough attributes to stay a small object."""
        talk = self.ann(b"INBOX")
        for _ in range(3):
            self.clock.advance(100)
            talk.sends(b"A IDLE\r\nDONE\r\n")
        talk.sends(b"A IDLE\r\n")
        self.assertEqual(len(self.clock.getDelayedCalls()), 1)
        self.assertLess(len(vars(talk.server)), 22)

    def test_half_an_hour_is_enough(self) -> None:
        """Clients say IDLE again before that (RFC 2177); those that do not are gone (LIMITS, Connections)."""
        talk = self.ann(b"INBOX")
        talk.sends(b"A IDLE\r\n")
        for _ in range(14):
            self.clock.advance(120)
        self.assertFalse(talk.wire.disconnecting)
        self.clock.advance(120)
        self.assertTrue(talk.wire.said().endswith(b"* BYE nothing heard for too long\r\n"))
        self.assertTrue(talk.wire.disconnecting)

    def test_dropped_lines_stop_the_timer(self) -> None:
        """Nothing is left ticking (I15)."""
        talk = self.ann(b"INBOX")
        talk.sends(b"A IDLE\r\n")
        talk.hangs_up()
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_a_client_that_does_not_read_is_not_pushed_at(self) -> None:
        """News wait until it does."""
        talk = self.ann(b"INBOX")
        talk.sends(b"A IDLE\r\n")
        talk.server.pauseProducing()
        self.put(HELLO)
        self.events_arrive()
        self.clock.advance(120)
        self.assertEqual(talk.wire.said(), b"")
        talk.server.resumeProducing()
        self.assertEqual(talk.wire.said(), b"* 1 EXISTS\r\n* 1 RECENT\r\n")

    def test_a_client_that_reads_slowly_is_told_as_it_reads(self) -> None:
        """Of thousands of changes no more is made ready at once than some hundred rows."""
        self.put(*[HELLO] * 5000)
        talk, other = self.ann(b"INBOX"), self.ann(b"INBOX")
        talk.sends(b"A IDLE\r\n")
        written: list[bytes] = []

        def write(data: bytes) -> None:
            written.append(data)
            talk.server.pauseProducing()

        talk.wire.write = write  # type: ignore[method-assign]
        other.last(b"STORE 1:* +FLAGS.SILENT (\\Seen)")
        self.events_arrive()
        self.assertEqual(len(written), 1)
        while talk.server.congested:
            talk.server.resumeProducing()
        self.assertGreater(len(written), 2)
        self.assertEqual(b"".join(written).count(b"FETCH (UID "), 5000)

    def test_done_while_news_are_being_read(self) -> None:
        """The news come first, then the OK."""
        talk = self.ann()
        account = talk.server.account
        assert account is not None
        gates: list[Deferred[None]] = []
        account.store = Gate(account.store, gates)
        talk.sends(b"S SELECT INBOX\r\n")
        while gates:
            gates.pop().callback(None)
        talk.sends(b"A IDLE\r\n")
        gates.pop().callback(None)
        talk.wire.said()
        self.put(HELLO)
        self.events_arrive()
        self.assertEqual(talk.sends(b"DONE\r\n"), b"")
        gates.pop().callback(None)
        self.assertEqual(talk.wire.said(), b"* 1 EXISTS\r\n* 1 RECENT\r\nA OK IDLE completed\r\n")

    def test_the_folder_is_deleted(self) -> None:
        """BYE at once."""
        talk, other = self.ann(), self.ann()
        talk.last(b"CREATE Work")
        talk.last(b"SELECT Work")
        talk.sends(b"A IDLE\r\n")
        other.last(b"DELETE Work")
        self.house.events.publish(FolderChanged(ANN.id, "Work"))
        self.events_arrive()
        self.assertTrue(talk.wire.said().startswith(b"* BYE "))

    def test_an_operator_can_end_it(self) -> None:
        """Kicked while idling: told, and closed."""
        talk = self.ann(b"INBOX")
        talk.sends(b"A IDLE\r\n")
        self.house.sessions.kick("maintenance", account_id=ANN.id)
        self.assertEqual(talk.wire.said(), b"* BYE maintenance\r\n")


class Watching(ImapCase):
    """Who hears of what."""

    def test_only_the_folder_that_is_open(self) -> None:
        """Events of other folders and accounts are not heard."""
        talk = self.ann(b"INBOX")
        self.house.events.publish(FolderChanged(ANN.id, "Sent"))
        self.house.events.publish(FolderChanged(99, "INBOX"))
        self.events_arrive()
        self.assertFalse(talk.server.news_waits)
        self.house.events.publish(FolderChanged(ANN.id, "INBOX"))
        self.events_arrive()
        self.assertTrue(talk.server.news_waits)

    def test_stopping_twice_is_fine_and_closing_ends_all(self) -> None:
        """The watch keeps nothing of those who have gone."""
        heard: list[int] = []
        stop = self.house.watch.watch(1, "INBOX", lambda: heard.append(1))
        stop()
        stop()
        self.assertEqual(len(self.house.watch), 0)
        self.house.watch.watch(1, "INBOX", lambda: heard.append(2))
        self.house.watch.close()
        self.house.events.publish(FolderChanged(1, "INBOX"))
        self.events_arrive()
        self.assertEqual(heard, [])


class Avatar(ImapCase):
    """The stock interface."""

    def test_i24_implements_twisteds_interface_with_deferreds(self) -> None:
        """Whoever knows twisted.mail's IAccount only can use it (I24)."""
        avatar = self.done(ImapAccount.open(self.house.store, ANN))
        verifyObject(IAccountIMAP, avatar)
        self.successResultOf(avatar.addMailbox("Work"))
        self.successResultOf(avatar.create("Play"))
        self.successResultOf(avatar.rename("Work", "Done"))
        self.successResultOf(avatar.delete("Play"))
        self.successResultOf(avatar.subscribe("Done"))
        self.assertTrue(self.successResultOf(avatar.isSubscribed("Done")))
        self.successResultOf(avatar.unsubscribe("Done"))
        self.assertFalse(self.successResultOf(avatar.isSubscribed("Done")))
        self.assertEqual([name for name, _ in self.successResultOf(avatar.listMailboxes("", "D%"))], ["Done", "Drafts"])
        self.assertEqual(self.successResultOf(avatar.select("INBOX")).name, "INBOX")
        avatar.close()
