"""NOTIFY (RFC 5465): the selected folder, and trouble."""

from __future__ import annotations

from typing import Any

from hostmail.errors import TemporaryFailure
from hostmail.interfaces.events import FolderChanged
from hostmail.protocols.imap import notices
from tests.protocols.imap.notifying import ALL, LIST, NotifyCase, Outside
from tests.protocols.imap.talk import ANN, HELLO, Broken, Gate


class TheSelectedFolder(NotifyCase):
    def setUp(self) -> None:
        super().setUp()
        self.put(HELLO, HELLO)
        self.other.last(b"SELECT INBOX")
        self.talk.last(b"SELECT INBOX")

    def test_pushed_without_idle(self) -> None:
        """Messages, flags, expunges, at once (section 3.1)."""
        self.sets(b"(selected %b)" % ALL)
        self.assertEqual(self.does(b"STORE 1 +FLAGS (\\Deleted)"), [b"* 1 FETCH (UID 1 FLAGS (\\Deleted))"])
        self.assertEqual(self.does(b"EXPUNGE"), [b"* 1 EXPUNGE"])
        self.put(HELLO)
        self.assertEqual(self.hears(), [b"* 2 EXISTS", b"* 1 RECENT"])

    def test_flags_only_if_wanted(self) -> None:
        """And they are known all the same."""
        self.sets(b"(selected (MessageNew MessageExpunge))")
        self.assertEqual(self.does(b"STORE 1 +FLAGS (\\Flagged)"), [])
        self.assertEqual(self.talk.asks(b"FETCH 1 FLAGS")[0], b"* 1 FETCH (FLAGS (\\Flagged))")

    def test_what_is_told_of_new_messages(self) -> None:
        """The items asked for, behind EXISTS; not of the client's own messages (section 5.2)."""
        self.sets(b"(selected (MessageNew (UID BODY.PEEK[HEADER.FIELDS (Subject)]) MessageExpunge))")
        self.put(HELLO)
        told = self.hears()
        self.assertEqual(told[:2], [b"* 3 EXISTS", b"* 1 RECENT"])
        self.assertEqual(
            told[2:], [b"* 3 FETCH (UID 3 BODY[HEADER.FIELDS (Subject)] {18}", b"Subject: hello", b"", b")"]
        )
        self.talk.last(b"COPY 1 INBOX")
        self.assertEqual(self.hears(), [b"* 4 EXISTS", b"* 2 RECENT"])
        self.talk.sends(b"a APPEND INBOX {2+}\r\nx\n\r\n")
        self.assertEqual(self.hears(), [])
        self.put(HELLO)
        self.assertIn(b"* 6 FETCH (UID 6 ", b" ".join(self.talk.asks(b"NOOP")))

    def test_announcing_is_not_reading(self) -> None:
        """Whatever is told of a new message without being asked, nobody has read it."""
        self.sets(b"(selected (MessageNew (BODY[TEXT]) MessageExpunge))")
        self.put(HELLO)
        self.assertIn(b"* 3 FETCH (BODY[TEXT]", b" ".join(self.hears()))
        self.assertNotIn(b"Seen", self.talk.asks(b"FETCH 3 FLAGS")[0])

    def test_clients_that_know_modseqs(self) -> None:
        """Are told those of new messages too, and are known by asking for them (RFC 7162 section 3.1)."""
        told = self.sets(b"(selected (MessageNew (MODSEQ) MessageExpunge))")
        self.assertIn(b"HIGHESTMODSEQ", told[0])
        self.put(HELLO)
        self.assertRegex(self.hears()[2], rb"^\* 3 FETCH \(UID 3 MODSEQ \(\d+\)\)$")

    def test_delayed(self) -> None:
        """EXPUNGE waits for a command that allows it, other news do not (section 6.1.2)."""
        self.sets(b"(selected-delayed %b)" % ALL)
        self.does(b"STORE 1 +FLAGS (\\Deleted)")
        self.assertEqual(self.does(b"EXPUNGE"), [])
        self.put(HELLO)
        self.assertEqual(self.hears(), [b"* 3 EXISTS", b"* 1 RECENT"])
        self.assertEqual(self.talk.asks(b"FETCH 2 UID"), [b"* 2 FETCH (UID 2)", b". OK FETCH completed"])
        self.assertEqual(self.talk.asks(b"NOOP"), [b"* 1 EXPUNGE", b". OK NOOP completed"])

    def test_delayed_while_idling(self) -> None:
        """IDLE allows it."""
        self.sets(b"(selected-delayed %b)" % ALL)
        self.does(b"STORE 1 +FLAGS (\\Deleted)")
        self.talk.sends(b"a IDLE\r\n")
        self.assertEqual(self.does(b"EXPUNGE"), [b"* 1 EXPUNGE"])

    def test_not_delayed_and_just_used(self) -> None:
        """An EXPUNGE that a FETCH had to keep back comes right behind it."""
        self.sets(b"(selected %b)" % ALL)
        self.other.last(b"STORE 1 +FLAGS (\\Deleted)")
        self.events_arrive()
        self.talk.wire.said()
        self.other.last(b"EXPUNGE")
        self.assertEqual(self.talk.asks(b"FETCH 2 UID"), [b"* 2 FETCH (UID 2)", b". OK FETCH completed"])
        self.assertEqual(self.hears(), [b"* 1 EXPUNGE"])

    def test_expunges_of_clients_that_know_uids(self) -> None:
        """VANISHED (RFC 7162)."""
        self.talk.last(b"ENABLE QRESYNC")
        self.sets(b"(selected %b)" % ALL)
        self.does(b"STORE 1 +FLAGS (\\Deleted)")
        self.assertEqual(self.does(b"EXPUNGE"), [b"* VANISHED 1"])

    def test_nothing(self) -> None:
        """Who does not ask for it hears nothing, not even behind commands (section 3.1), until he asks for it."""
        for words in (b"NONE", b"SET (selected NONE)", b"SET (personal %b)" % ALL):
            self.talk.last(b"NOTIFY " + words)
            self.put(HELLO)
            self.assertEqual(self.hears(), [])
            self.assertEqual(self.talk.asks(b"NOOP"), [b". OK NOOP completed"])
        self.assertEqual(self.sets(b"(selected %b)" % ALL), [b"* 5 EXISTS", b"* 3 RECENT"])

    def test_what_has_happened_so_far(self) -> None:
        """NOTIFY SET is a NOOP as well."""
        self.put(HELLO)
        self.assertEqual(self.sets(b"(personal %b)" % ALL), [b"* 3 EXISTS", b"* 1 RECENT"])

    def test_whichever_is_selected(self) -> None:
        """The next folder too, and none."""
        self.sets(b"(selected %b)" % ALL)
        self.talk.last(b"SELECT Sent")
        self.put(HELLO, folder="Sent")
        self.assertEqual(self.hears()[0], b"* 1 EXISTS")
        self.put(HELLO)
        self.assertEqual(self.hears(), [])
        self.talk.last(b"UNSELECT")
        self.put(HELLO, folder="Sent")
        self.assertEqual(self.hears(), [])

    def test_renamed_by_somebody_else(self) -> None:
        """It is still the selected one, under its new name."""
        self.other.last(b"CREATE Work")
        self.talk.last(b"SELECT Work")
        self.sets(b"(selected %b) (personal %b)" % (ALL, ALL[:-1] + b" " + LIST[1:]))
        self.assertIn(b'OLDNAME" (Work)', b"".join(self.does(b"RENAME Work Play")))
        self.put(HELLO, folder="Play")
        self.assertEqual(self.hears(), [b"* 1 EXISTS", b"* 1 RECENT"])
        self.other.last(b"RENAME Play Work")
        self.put(HELLO, folder="Work")
        self.assertIn(b"* 2 EXISTS", self.hears())

    def test_what_other_programs_do(self) -> None:
        """Is heard at once as long as anything of the folder is pushed, and no longer."""
        selected = self.talk.server.selected
        assert selected is not None
        selected.folder = folder = Outside(selected.folder)  # type: ignore[assignment]
        self.sets(b"(selected %b)" % ALL)
        self.house.watch.close()
        self.put(HELLO)
        folder.changes_outside()
        self.assertEqual(self.hears(), [b"* 3 EXISTS", b"* 1 RECENT"])
        self.talk.sends(b"a IDLE\r\nDONE\r\n")
        self.assertEqual(len(folder.heard), 1)
        self.sets(b"(personal %b)" % ALL)
        self.assertEqual(len(folder.heard), 0)
        self.sets(b"(selected %b)" % ALL)
        self.talk.last(b"UNSELECT")
        self.assertEqual(len(folder.heard), 0)

    def test_what_no_event_told(self) -> None:
        """Is found by looking now and then."""
        self.sets(b"(selected %b)" % ALL)
        self.house.watch.close()
        self.put(HELLO)
        self.assertEqual(self.hears(), [])
        self.clock.advance(notices.LOOK_SECONDS)
        self.assertEqual(self.hears(), [b"* 3 EXISTS", b"* 1 RECENT"])

    def test_never_within_a_command(self) -> None:
        """While one is at work, or only half of it is here, nothing is pushed; then at once."""
        self.sets(b"(selected %b) (personal %b)" % (ALL, ALL))
        self.assertEqual(self.talk.sends(b"a LOGIN {3}\r\n"), b"+ ready for literal\r\n")
        self.put(HELLO)
        self.put(HELLO, folder="Sent")
        self.assertEqual(self.hears(), [])
        lines = self.talk.sends(b"ann {3}\r\n").split(b"\r\n")
        self.assertEqual(lines, [b"+ ready for literal", b""])
        lines = self.talk.sends(b"pwd\r\n").split(b"\r\n")
        self.assertTrue(lines[0].startswith(b"a BAD"), lines)
        self.assertIn(b"* 3 EXISTS", lines)
        self.assertTrue(any(line.startswith(b"* STATUS Sent") for line in lines))


class Trouble(NotifyCase):
    def account(self) -> Any:
        """Whose store can be made to behave badly."""
        assert self.talk.server.account is not None
        return self.talk.server.account

    def test_a_slow_store(self) -> None:
        """Commands wait for a push under way, and a push for commands; nothing is told twice."""
        self.sets(b"(personal %b)" % ALL)
        waiting: list[Any] = []
        account = self.account()
        fast, account.store = account.store, Gate(account.store, waiting)
        self.put(HELLO, folder="Sent")
        self.assertEqual(self.hears(), [])
        self.assertEqual(self.talk.sends(b"a NOOP\r\n"), b"")
        account.store = fast
        while waiting:
            waiting.pop(0).callback(None)
        lines = self.talk.wire.said().split(b"\r\n")
        self.assertTrue(lines[0].startswith(b"* STATUS Sent (MESSAGES 1 "), lines)
        self.assertEqual(lines[1:], [b"a OK NOOP completed", b""])
        self.assertEqual(self.hears(), [])

    def test_a_client_that_hangs_up_meanwhile(self) -> None:
        """Costs nothing."""
        self.sets(b"(personal %b)" % ALL)
        waiting: list[Any] = []
        self.account().store = Gate(self.account().store, waiting)
        self.put(HELLO, folder="Sent")
        self.hears()
        self.talk.hangs_up()
        while waiting:
            waiting.pop(0).callback(None)
        self.assertEqual(self.talk.wire.said(), b"")

    def test_a_passing_fault(self) -> None:
        """Of one folder; the rest goes on."""
        self.sets(b"(personal %b)" % (ALL[:-1] + b" " + LIST[1:]))
        account = self.account()
        whole, account.store = account.store, Broken(account.store, {"status": TemporaryFailure()})
        self.put(HELLO, folder="Sent")
        self.assertEqual(self.hears(), [])
        account.store = Broken(whole, {"folders": TemporaryFailure()})
        self.assertEqual(self.does(b"CREATE Work"), [])
        self.assertTrue(self.talk.last(b"SUBSCRIBE Work").startswith(b". OK"))
        account.store = whole
        self.clock.advance(notices.LOOK_SECONDS)
        told = self.talk.wire.said()
        self.assertIn(b"* STATUS Sent", told)
        self.assertIn(b'"/" Work\r\n', told)

    def test_a_fault_of_ours(self) -> None:
        """Ends it, and says so; the connection lives (section 5.8)."""
        self.sets(b"(personal %b)" % ALL)
        account = self.account()
        whole, account.store = account.store, Broken(account.store, {"status": ZeroDivisionError()})
        self.put(HELLO, folder="Sent")
        self.assertEqual(self.hears(), [b"* OK [NOTIFICATIONOVERFLOW] no more is told until you ask again"])
        self.flushLoggedErrors(ZeroDivisionError)
        account.store = whole
        self.put(HELLO, folder="Sent")
        self.assertEqual(self.hears(), [])
        self.assertEqual(self.talk.last(b"NOOP"), b". OK NOOP completed")

    def test_new_messages_that_cannot_be_read(self) -> None:
        """EXISTS is told anyway."""
        self.talk.last(b"SELECT INBOX")
        self.sets(b"(selected (MessageNew (ENVELOPE PREVIEW) MessageExpunge))")
        selected = self.talk.server.selected
        assert selected is not None
        failures: Any = dict.fromkeys(("open", "read_many", "cached", "cached_columns"), TemporaryFailure())
        selected.folder = Broken(selected.folder, failures)  # type: ignore[assignment]
        self.put(HELLO)
        self.assertEqual(self.hears()[0], b"* 1 EXISTS")
        self.assertEqual(self.talk.last(b"NOOP"), b". OK NOOP completed")

    def test_a_message_that_breaks_off(self) -> None:
        """Ends the connection: whatever was said next would be taken for the message."""
        self.talk.last(b"SELECT INBOX")
        self.sets(b"(selected (MessageNew (BODY.PEEK[]) MessageExpunge))")
        selected = self.talk.server.selected
        assert selected is not None
        failures: dict[str, BaseException] = {}
        selected.folder = Broken(selected.folder, failures)  # type: ignore[assignment]
        write = self.talk.wire.write

        def then_break(data: bytes) -> None:
            failures["read_now"] = TemporaryFailure()
            write(data)

        self.talk.wire.write = then_break  # type: ignore[method-assign]
        self.put(b"x" * 1_000_000)
        self.events_arrive()
        self.assertTrue(self.talk.wire.aborted)

    def test_more_than_is_ever_told(self) -> None:
        """A client that does not read, while thousands of names come and go."""
        self.sets(b"(personal %b)" % ALL)
        self.talk.server.pauseProducing()
        for number in range(notices.MOST_WAITING + 1):
            self.house.events.publish(FolderChanged(ANN.id, f"F{number}"))
        self.assertEqual(self.hears(), [])
        self.talk.server.resumeProducing()
        self.assertEqual(self.hears(), [b"* OK [NOTIFICATIONOVERFLOW] no more is told until you ask again"])
        self.assertEqual(len(self.house.watch), 0)

    def test_notify_that_cannot_look(self) -> None:
        """Is refused, and nothing is left of it."""
        self.account().store = Broken(self.account().store, {"folders": TemporaryFailure()})
        self.assertIn(b". NO [UNAVAILABLE]", self.talk.last(b"NOTIFY SET (personal (MailboxName))"))
        self.assertEqual(len(self.house.watch), 0)

    def test_idle_behind_unselect(self) -> None:
        """News that waited for a folder that is left make nobody run in circles."""
        self.talk.last(b"SELECT INBOX")
        self.put(HELLO)
        self.events_arrive()
        self.talk.last(b"UNSELECT")
        self.assertEqual(self.talk.sends(b"a IDLE\r\nDONE\r\n"), b"+ idling\r\na OK IDLE completed\r\n")
