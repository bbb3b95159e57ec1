"""NOTIFY (RFC 5465)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hostmail.errors import TemporaryFailure
from hostmail.interfaces.events import FolderChanged
from hostmail.protocols.imap import notices
from tests.protocols.imap.talk import ANN, HELLO, Broken, Gate, ImapCase, Talk

ALL = b"(MessageNew MessageExpunge FlagChange)"
LIST = b"(MailboxName SubscriptionChange)"


class NotifyCase(ImapCase):
    """`talk` is notified; `other` is another session of the same account."""

    def setUp(self) -> None:
        super().setUp()
        self.talk = self.ann()
        self.other = self.ann()

    def sets(self, words: bytes, talk: Talk | None = None) -> list[bytes]:
        """NOTIFY SET that is done; what was told on the way."""
        *told, last = (talk or self.talk).asks(b"NOTIFY SET " + words)
        self.assertEqual(last, b". OK NOTIFY completed")
        self.events_arrive()
        return told

    def hears(self) -> list[bytes]:
        """What is pushed when announcements have arrived."""
        self.events_arrive()
        return self.talk.wire.said().split(b"\r\n")[:-1]

    def does(self, *commands: bytes) -> list[bytes]:
        """The other session does this; what is pushed then."""
        for command in commands:
            self.assertIn(b" OK ", self.other.last(command), command)
        return self.hears()

    def annotates(self, folder: str | None, values: Mapping[str, bytes | None]) -> None:
        """Somebody changes metadata."""
        self.done(self.done(self.house.store.open(ANN)).annotate(folder, values))


class Outside:
    """A folder that other programs reach as well."""

    def __init__(self, inner: Any) -> None:
        self._inner = inner
        self.heard: list[Any] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    def watch(self, heard: Any) -> Any:
        self.heard.append(heard)
        return lambda: self.heard.remove(heard)

    def changes_outside(self) -> None:
        for heard in self.heard:
            heard()


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


class Names(NotifyCase):
    """Section 5.4 and 5.5."""

    def setUp(self) -> None:
        super().setUp()
        self.sets(b"(personal %b)" % LIST)

    def test_created_and_deleted(self) -> None:
        """With the folder above, which now has children, or no more."""
        self.assertEqual(self.does(b"CREATE Work"), [b'* LIST (\\HasNoChildren) "/" Work'])
        self.assertEqual(
            self.does(b"CREATE Work/A"), [b'* LIST (\\HasChildren) "/" Work', b'* LIST (\\HasNoChildren) "/" Work/A']
        )
        self.assertEqual(self.does(b"DELETE Work"), [b'* LIST (\\NonExistent \\HasChildren) "/" Work'])
        self.assertEqual(
            self.does(b"DELETE Work/A"),
            [b'* LIST (\\NonExistent \\HasNoChildren) "/" Work/A', b'* LIST (\\NonExistent \\HasNoChildren) "/" Work'],
        )

    def test_renamed(self) -> None:
        """With the old name; what is below goes along without a word; INBOX is not renamed."""
        self.does(b"CREATE Work/A")
        self.assertEqual(self.does(b"RENAME Work &AOQ-"), [b'* LIST (\\HasChildren) "/" &AOQ- ("OLDNAME" (Work))'])
        self.assertEqual(self.does(b"RENAME &AOQ-/A B"), [b'* LIST (\\HasNoChildren) "/" B ("OLDNAME" (&AOQ-/A))'])
        self.assertEqual(self.does(b"RENAME INBOX Old"), [b'* LIST (\\HasNoChildren) "/" Old'])

    def test_renamed_without_what_was_below(self) -> None:
        """A folder above one that is deleted has a new name: of the old one nothing more is told."""
        self.does(b"CREATE A/B")
        for command in (b"CREATE A/C", b"DELETE A/C", b"DELETE A/B", b"RENAME A Z"):
            self.other.last(command)
        told = [b'* LIST (\\NonExistent \\HasNoChildren) "/" A/B', b'* LIST (\\HasNoChildren) "/" Z ("OLDNAME" (A))']
        self.assertEqual(self.hears(), told)

    def test_subscribed(self) -> None:
        """Names that exist, and names that do not."""
        self.assertEqual(self.does(b"UNSUBSCRIBE Sent"), [b'* LIST (\\HasNoChildren \\Sent) "/" Sent'])
        self.assertEqual(self.does(b"SUBSCRIBE Sent"), [b'* LIST (\\Subscribed \\HasNoChildren \\Sent) "/" Sent'])
        told = b'* LIST (\\NonExistent%b \\HasNoChildren) "/" None'
        self.assertEqual(self.does(b"SUBSCRIBE None"), [told % b" \\Subscribed"])
        self.assertEqual(self.does(b"UNSUBSCRIBE None"), [told % b""])

    def test_the_clients_own(self) -> None:
        """What it does itself it is not told; what somebody else does at the same time it is."""
        for command in (
            b"CREATE Work/A",
            b"SUBSCRIBE Work",
            b"RENAME Work Play",
            b"UNSUBSCRIBE Work",
            b"DELETE Play/A",
        ):
            self.assertTrue(self.talk.last(command).startswith(b". OK"), command)
            self.assertEqual(self.hears(), [], command)
        self.talk.last(b"CREATE Mine")
        self.assertEqual(self.does(b"CREATE Theirs"), [b'* LIST (\\HasNoChildren) "/" Theirs'])

    def test_only_what_is_asked_for(self) -> None:
        """Names alone, subscriptions alone, of some folders."""
        self.sets(b"(personal (MailboxName))")
        self.assertEqual(self.does(b"SUBSCRIBE None"), [])
        self.sets(b"(mailboxes Work (MailboxName))")
        self.assertEqual(self.does(b"CREATE Play"), [])
        self.assertEqual(self.does(b"RENAME Play Work"), [b'* LIST (\\HasNoChildren) "/" Work ("OLDNAME" (Play))'])
        self.assertEqual(self.does(b"RENAME Work Play"), [b'* LIST (\\HasNoChildren) "/" Play ("OLDNAME" (Work))'])
        self.sets(b"(subscribed (SubscriptionChange))")
        self.assertEqual(self.does(b"CREATE Else"), [])
        self.assertEqual(self.does(b"UNSUBSCRIBE Sent"), [b'* LIST (\\HasNoChildren \\Sent) "/" Sent'])

    def test_counts_follow_the_name(self) -> None:
        """A renamed folder is not told anew, a new one with mail in it is."""
        self.put(HELLO)
        self.does(b"CREATE Work")
        self.put(HELLO, folder="Work")
        self.hears()
        self.sets(b"(personal %b)" % ALL)
        self.assertEqual(self.does(b"RENAME Work Play"), [])
        self.assertEqual(self.does(b"CREATE Empty"), [])
        inbox, old = sorted(self.does(b"RENAME INBOX Old"))
        self.assertIn(b"STATUS INBOX (MESSAGES 0 UIDNEXT 2 ", inbox)
        self.assertIn(b"STATUS Old (MESSAGES 1 UIDNEXT 2 ", old)

    def test_changed_under_a_name_of_a_moment(self) -> None:
        """What was announced under a name that nobody has any more is found."""
        self.sets(b"(personal %b)" % ALL)
        self.other.last(b"RENAME Sent Else")
        self.put(HELLO, folder="Else")
        self.other.last(b"RENAME Else Sent")
        self.assertEqual(len(told := self.hears()), 1, told)
        self.assertIn(b"STATUS Sent (MESSAGES 1 ", told[0])

    def test_names_exchanged_in_one_go(self) -> None:
        """Names that stay and mean other folders now are told again, with their counts."""
        self.does(b"CREATE A", b"CREATE B")
        self.put(HELLO, folder="A")
        self.hears()
        self.sets(b"(personal %b)" % (ALL[:-1] + b" " + LIST[1:]))
        for command in (b"RENAME A C", b"RENAME B A", b"RENAME C B"):
            self.other.last(command)
        list_a, list_b, a, b = self.hears()
        self.assertEqual([list_a, list_b], [b'* LIST (\\HasNoChildren) "/" %b' % name for name in (b"A", b"B")])
        self.assertIn(b"STATUS A (MESSAGES 0 UIDNEXT 1 ", a)
        self.assertIn(b"STATUS B (MESSAGES 1 UIDNEXT 2 ", b)

    def test_renamed_and_made_again_in_one_go(self) -> None:
        """What is in the new name is told, and that the old one is empty."""
        self.put(HELLO, folder="Sent")
        self.sets(b"(personal %b)" % (ALL[:-1] + b" " + LIST[1:]))
        for command in (b"RENAME Sent Old", b"CREATE Sent"):
            self.other.last(command)
        told = self.hears()
        self.assertIn(b'* LIST (\\HasNoChildren \\Sent) "/" Old', told)
        self.assertTrue(any(line.startswith(b"* STATUS Old (MESSAGES 1 ") for line in told), told)
        self.assertTrue(any(line.startswith(b"* STATUS Sent (MESSAGES 0 UIDNEXT 1 ") for line in told), told)


class Metadata(NotifyCase):
    """Sections 5.6 and 5.7: required where METADATA is."""

    def test_of_folders(self) -> None:
        """The names of what is other, or gone; of the selected folder too."""
        self.annotates("INBOX", {"/private/a": b"1", "/private/b": b"2"})
        self.talk.last(b"SELECT INBOX")
        self.sets(b"(mailboxes INBOX (MailboxMetadataChange))")
        self.annotates("INBOX", {"/private/a": b"3", "/private/b": None, "/private/c d": b""})
        self.assertEqual(self.hears(), [b'* METADATA INBOX /private/a /private/b "/private/c d"'])
        self.annotates("Sent", {"/private/a": b"3"})
        self.annotates(None, {"/private/a": b"3"})
        self.assertEqual(self.hears(), [])

    def test_of_the_server(self) -> None:
        """The account's own."""
        self.sets(b"(personal (ServerMetadataChange))")
        self.annotates(None, {"/private/a": b"3"})
        self.annotates("INBOX", {"/private/a": b"3"})
        self.assertEqual(self.hears(), [b'* METADATA "" /private/a'])

    def test_the_clients_own(self) -> None:
        """It knows."""
        self.sets(b"(personal (MailboxMetadataChange ServerMetadataChange))")
        for words in (b'INBOX (/private/a "1" /private/b NIL)', b'"" (/private/a "1")', b"INBOX (/private/a NIL)"):
            self.assertTrue(self.talk.last(b"SETMETADATA " + words).startswith(b". OK"))
            self.assertEqual(self.hears(), [])


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
