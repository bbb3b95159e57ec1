"""Clients that hang up while their command is at work, at every moment at which it waits for the store."""

from __future__ import annotations

from typing import Any

from twisted.internet.defer import Deferred

from tests.protocols.imap.talk import HELLO, Gate, ImapCase, Talk

EVENTS = b"(MessageNew MessageExpunge FlagChange MailboxName MailboxMetadataChange ServerMetadataChange)"
NOTIFY = (
    b"NOTIFY NONE",
    b"NOTIFY SET (selected (MessageNew (UID BODY[]) MessageExpunge FlagChange))",
    b"NOTIFY SET STATUS (personal %b)" % EVENTS,
    b"NOTIFY SET (personal (ServerMetadataChange))",
)
FOLDERS = (
    b"SELECT Other",
    b"SELECT INBOX (CONDSTORE)",
    b"EXAMINE INBOX",
    b"CLOSE",
    b"UNSELECT",
    b"STATUS Other (MESSAGES)",
    b'LIST "" * RETURN (STATUS (MESSAGES))',
    b'LSUB "" *',
    b"CREATE New",
    b"DELETE INBOX",
    b"DELETE Other",
    b"RENAME Other New",
    b"RENAME INBOX New",
    b"SUBSCRIBE Other",
    b'GETMETADATA "" /private/comment',
    b'SETMETADATA INBOX (/private/comment "x")',
    b"GETQUOTAROOT INBOX",
    b'GETQUOTA ""',
)
MESSAGES = (
    b"NOOP",
    b"IDLE",
    b"SEARCH TEXT hello",
    b"UID SEARCH HEADER x y",
    b"SEARCH RETURN (SAVE COUNT) SENTSINCE 1-Jan-1990 SUBJECT hello",
    b"SORT (SUBJECT) UTF-8 TEXT hello",
    b"THREAD REFERENCES UTF-8 TEXT hello",
    b"FETCH 1:* (BODY[] ENVELOPE BODYSTRUCTURE BODY[1] BINARY[1] PREVIEW SAVEDATE EMAILID)",
    b"UID FETCH 1:* (FLAGS) (CHANGEDSINCE 1)",
    b"STORE 1 +FLAGS (\\Deleted)",
    b"STORE 1:* (UNCHANGEDSINCE 1) FLAGS.SILENT (x)",
    b"COPY 1:* Other",
    b"MOVE 1:* Other",
    b"EXPUNGE",
    b"UID EXPUNGE 1:*",
    b"APPEND INBOX {6+}\r\nA: b\r\n",
    b"APPEND INBOX {6+}\r\nA: b\r\n {6+}\r\nA: b\r\n",
    b"REPLACE 1 INBOX {6+}\r\nA: b\r\n",
)


class HangUps(ImapCase):
    """A store that is slow, and a client that is impatient."""

    def _slow(self) -> tuple[Talk, list[Deferred[None]]]:
        """Ann's session; whatever it asks the store waits."""
        talk = self.ann()
        for command in (b"CREATE Other", b"ENABLE CONDSTORE", b"SELECT INBOX"):
            self.assertIn(b"OK", talk.last(command))
        self.events_arrive()
        waiting: list[Deferred[None]] = []
        server: Any = talk.server
        server.account.store = Gate(server.account.store, waiting)
        server.selected.folder = Gate(server.selected.folder, waiting)
        return talk, waiting

    def _goes_on(self, waiting: list[Deferred[None]], most: int) -> int:
        """So many answers of the store arrive, if there are as many."""
        done = 0
        while waiting and done < most:
            waiting.pop(0).callback(None)
            self.clock.advance(0)
            done += 1
        return done

    def _hangs_up_everywhere(self, command: bytes) -> None:
        answers, is_over = 0, False
        while not is_over:
            self.setUp()
            self.put(HELLO, HELLO)
            talk, waiting = self._slow()
            self.put(HELLO)
            talk.server.dataReceived(b"x " + command + b"\r\n")
            self.events_arrive()
            is_over = self._goes_on(waiting, answers) < answers
            talk.hangs_up()
            self._goes_on(waiting, 100)
            where = f"{command!r} after {answers} answers"
            self.assertEqual(self.flushLoggedErrors(), [], where)
            self.assertEqual(self.clock.getDelayedCalls(), [], where)
            self.assertEqual((len(self.house.watch), self.house.portal.logged_out), (0, 1), where)
            answers += 1

    def test_notify(self) -> None:
        """No timer is left, no watch, and no fault in the log."""
        for command in NOTIFY:
            self._hangs_up_everywhere(command)

    def test_folders(self) -> None:
        """The same."""
        for command in FOLDERS:
            self._hangs_up_everywhere(command)

    def test_messages(self) -> None:
        """The same."""
        for command in MESSAGES:
            self._hangs_up_everywhere(command)
