"""NOTIFY (RFC 5465)."""

from __future__ import annotations

from hostmail.interfaces.events import FolderChanged
from hostmail.protocols.imap import notices
from tests.protocols.imap.notifying import ALL, LIST, NotifyCase
from tests.protocols.imap.talk import ANN, HELLO


class Syntax(NotifyCase):
    def test_offered(self) -> None:
        """After login only."""
        self.assertIn(b" NOTIFY", self.talk.asks(b"CAPABILITY")[0])
        self.assertTrue(self.client().last(b"NOTIFY NONE").startswith(b". BAD"))

    def test_understood(self) -> None:
        """Every filter, in any case, several groups."""
        for words in (
            b"(selected NONE)",
            b"(SELECTED (messagenew MESSAGEEXPUNGE))",
            b"(selected-delayed (MessageNew (UID BODY.PEEK[HEADER.FIELDS (From)]) MessageExpunge FlagChange))",
            b"STATUS (inboxes (MessageExpunge MessageNew)) (personal (MailboxName)) (subscribed (SubscriptionChange))",
            b"(subtree Work (MailboxName)) (mailboxes (Sent INBOX) (MailboxMetadataChange ServerMetadataChange))",
        ):
            self.assertTrue(self.talk.last(b"NOTIFY SET " + words).startswith(b". OK"), words)

    def test_bad(self) -> None:
        """What is no request, and what the RFC calls BAD (section 5)."""
        for words in (
            b"",
            b"ALL",
            b"NONE (selected NONE)",
            b"SET",
            b"SET STATUS",
            b"SET (selected)",
            b"SET (selected ())",
            b"SET (selected ALL)",
            b"SET (everywhere NONE)",
            b"SET (selected NONE) (selected-delayed NONE)",
            b"SET (selected (MailboxName))",
            b"SET (selected (MessageNew))",
            b"SET (selected (MessageExpunge))",
            b"SET (personal (FlagChange))",
            b"SET (personal (MessageNew (UID) MessageExpunge))",
            b"SET (subtree (MailboxName))",
            b"SET (selected (MessageNew (NOTHING) MessageExpunge))",
            b"SET (personal (MailboxName)",
        ):
            self.talk.last(b"NOOP")
            self.assertTrue(self.talk.last(b"NOTIFY " + words).startswith(b". BAD"), words)

    def test_unknown_events(self) -> None:
        """A no that names all that there are."""
        for event in (b"AnnotationChange", b"X-Other"):
            answer = self.talk.last(b"NOTIFY SET (selected (MessageNew MessageExpunge %b))" % event)
            self.assertIn(b". NO [BADEVENT (MessageNew MessageExpunge FlagChange MailboxName Subscr", answer)

    def test_too_much(self) -> None:
        """More names than anybody has folders."""
        names = b" ".join(b"a%d" % number for number in range(1001))
        answer = self.talk.last(b"NOTIFY SET (mailboxes (%b) (MailboxName))" % names)
        self.assertIn(b". NO [NOTIFICATIONOVERFLOW] ", answer)

    def test_a_refused_one_changes_nothing(self) -> None:
        """The one before it stays in force."""
        self.sets(b"(personal %b)" % ALL)
        self.talk.last(b"NOTIFY SET (personal (AnnotationChange))")
        self.put(HELLO, folder="Sent")
        self.assertEqual(len(self.hears()), 1)


class OtherFolders(NotifyCase):
    def status(self, name: bytes = b"Sent") -> list[bytes]:
        """What STATUS tells of it, as it would be pushed."""
        return self.other.asks(b"STATUS %b (MESSAGES UIDNEXT UIDVALIDITY UNSEEN)" % name)[:1]

    def test_new_messages(self) -> None:
        """Told at once, without any command."""
        self.sets(b"(personal (MessageNew MessageExpunge))")
        self.put(HELLO, folder="Sent")
        told = self.hears()
        self.assertRegex(told[0], rb"^\* STATUS Sent \(MESSAGES 1 UIDNEXT 2 UIDVALIDITY \d+ UNSEEN 1\)$")
        self.assertEqual(told, self.status())

    def test_many_at_once(self) -> None:
        """One word for all that has happened."""
        self.sets(b"(personal (MessageNew MessageExpunge))")
        self.put(*[HELLO] * 5, folder="Sent")
        self.assertEqual(self.hears(), self.status())

    def test_expunges(self) -> None:
        """Counts again; flags only if they are wanted."""
        self.put(HELLO, folder="Sent")
        self.other.last(b"SELECT Sent")
        self.sets(b"(personal (MessageNew MessageExpunge))")
        self.assertEqual(self.does(b"STORE 1 +FLAGS (\\Deleted \\Seen)"), [])
        self.assertEqual(self.does(b"EXPUNGE"), self.status())

    def test_flags(self) -> None:
        """Without CONDSTORE only when UNSEEN changes; with it always, and with HIGHESTMODSEQ (section 5.1)."""
        self.put(HELLO, folder="Sent")
        self.other.last(b"SELECT Sent")
        self.sets(b"(personal %b)" % ALL)
        self.assertEqual(self.does(b"STORE 1 +FLAGS (\\Flagged)"), [])
        self.assertEqual(self.does(b"STORE 1 +FLAGS (\\Seen)"), self.status())
        self.talk.last(b"ENABLE CONDSTORE")
        (told,) = self.does(b"STORE 1 -FLAGS (\\Flagged)")
        self.assertRegex(told, rb"UNSEEN 0 HIGHESTMODSEQ \d+\)$")

    def test_announced_without_a_change(self) -> None:
        """An event too many costs no word."""
        self.sets(b"(personal %b)" % ALL)
        self.house.events.publish(FolderChanged(ANN.id, "Sent"))
        self.house.events.publish(FolderChanged(ANN.id, "Nowhere"))
        self.assertEqual(self.hears(), [])

    def test_only_the_folders_meant(self) -> None:
        """By name, by subtree, by subscription; several groups add up."""
        for name in (b"Work", b"Work/A", b"Workshop"):
            self.other.last(b"CREATE " + name)
        self.sets(b"(subtree Work %b) (mailboxes (Trash No/Such) %b) (subscribed (MailboxName))" % (ALL, ALL))
        for name, told in {"Work": 1, "Work/A": 1, "Workshop": 0, "Trash": 1, "Sent": 0}.items():
            self.put(HELLO, folder=name)
            self.assertEqual(len(self.hears()), told, name)

    def test_subscribed(self) -> None:
        """The set follows the subscriptions."""
        self.other.last(b"CREATE Work")
        self.sets(b"(subscribed %b)" % ALL)
        self.put(HELLO, folder="Work")
        self.assertEqual(self.hears(), [])
        self.assertEqual(self.does(b"SUBSCRIBE Work"), [])
        self.put(HELLO, folder="Work")
        self.assertEqual(self.hears(), self.status(b"Work"))

    def test_status_to_begin_with(self) -> None:
        """For each folder with events of messages, but the selected one; with HIGHESTMODSEQ for flags (section 3.1)."""
        self.talk.last(b"SELECT INBOX")
        told = self.sets(b"STATUS (mailboxes (INBOX Sent) %b) (personal (MailboxName))" % ALL)
        (line,) = told
        self.assertRegex(line, rb"^\* STATUS Sent \(MESSAGES 0 UIDNEXT 1 UIDVALIDITY \d+ UNSEEN 0 HIGHESTMODSEQ \d+\)$")

    def test_the_clients_own(self) -> None:
        """It is not told, but for what somebody else does at the same time, to flags as well (section 5)."""
        self.put(HELLO, HELLO)
        self.talk.last(b"SELECT INBOX")
        self.sets(b"(personal (MessageNew MessageExpunge))")
        self.talk.last(b"COPY 1 Sent")
        self.assertEqual(self.hears(), [])
        self.talk.sends(b"a APPEND Sent {2+}\r\nx\n\r\n")
        self.assertEqual(self.hears(), [])
        self.talk.last(b"COPY 1 Sent")
        self.put(HELLO, folder="Sent")
        self.assertEqual(self.hears(), self.status())
        self.sets(b"(personal %b)" % ALL)
        for command in (
            b"COPY 1 Sent",
            b"APPEND Sent {2+}\r\nx\n",
            b"APPEND Sent (\\Seen) {2+}\r\nx\n",
            b"MOVE 1 Sent",
        ):
            self.assertTrue(self.talk.last(command).startswith(b". OK"), command)
            self.assertEqual([line for line in self.hears() if b"STATUS" in line], [], command)
        self.other.last(b"SELECT Sent")
        self.talk.last(b"COPY 1 Sent")
        self.assertEqual(self.does(b"STORE * +FLAGS (\\Seen)"), self.status())
        self.talk.last(b"ENABLE CONDSTORE")
        self.talk.last(b"COPY 1 Sent")
        self.assertIn(b"HIGHESTMODSEQ", b"".join(self.hears()))

    def test_nothing_any_more(self) -> None:
        """NONE, and another SET, end it; so does the end of the session."""
        self.sets(b"(personal %b)" % ALL)
        self.sets(b"(mailboxes Trash %b)" % ALL)
        self.put(HELLO, folder="Sent")
        self.assertEqual(self.hears(), [])
        self.talk.last(b"NOTIFY NONE")
        self.put(HELLO, folder="Trash")
        self.assertEqual(self.hears(), [])
        self.assertEqual(len(self.house.watch), 0)
        self.sets(b"(personal %b)" % ALL)
        self.talk.hangs_up()
        self.assertEqual(len(self.house.watch), 0)

    def test_while_idling(self) -> None:
        """The same, and nothing else (section 4)."""
        self.talk.last(b"SELECT INBOX")
        self.sets(b"(personal %b)" % ALL)
        self.talk.sends(b"a IDLE\r\n")
        self.put(HELLO, folder="Sent")
        self.assertEqual(self.hears(), self.status())
        self.put(HELLO)
        self.assertEqual(self.hears(), [])
        self.assertEqual(self.talk.sends(b"DONE\r\n"), b"a OK IDLE completed\r\n")

    def test_what_no_event_told(self) -> None:
        """Is found by looking now and then (ARCHITECTURE 8)."""
        self.sets(b"(personal %b)" % (ALL[:-1] + b" " + LIST[1:]))
        self.house.watch.close()
        self.put(HELLO, folder="Sent")
        self.other.last(b"CREATE Work")
        self.clock.advance(notices.LOOK_SECONDS)
        told = self.talk.wire.said()
        self.assertIn(b"* STATUS Sent (MESSAGES 1 ", told)
        self.assertIn(b'* LIST (\\HasNoChildren) "/" Work\r\n', told)
        self.clock.advance(notices.LOOK_SECONDS)
        self.assertEqual(self.talk.wire.said(), b"")

    def test_hundreds_of_folders(self) -> None:
        """Others have their turn meanwhile, and commands wait."""
        names = [f"F{number}" for number in range(120)]
        for name in names:
            self.other.last(b"CREATE " + name.encode())
        self.events_arrive()
        self.talk.sends(b"a NOTIFY SET STATUS (personal %b)\r\nb NOOP\r\n" % ALL)
        for _ in range(4):
            self.events_arrive()
        self.put(HELLO, *[HELLO] * 2)
        for name in names:
            self.put(HELLO, folder=name)
        for _ in range(4):
            self.events_arrive()
        lines = self.talk.wire.said().split(b"\r\n")
        self.assertIn(b"b OK NOOP completed", lines)
        told = [line for line in lines if line.startswith(b"* STATUS F") and b"MESSAGES 1 " in line]
        self.assertEqual(len(told), 120)

    def test_told_later_of_a_folder_that_was_selected(self) -> None:
        """What had not been told when it was left is told then."""
        self.talk.last(b"SELECT Sent")
        self.sets(b"(personal %b)" % ALL)
        self.put(HELLO, folder="Sent")
        self.assertEqual(self.hears(), [])
        self.assertEqual(self.talk.asks(b"UNSELECT"), [b". OK UNSELECT completed", *self.status()])
        self.assertEqual(self.hears(), [])
