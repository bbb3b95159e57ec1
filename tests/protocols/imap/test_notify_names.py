"""NOTIFY (RFC 5465): names, subscriptions and metadata."""

from __future__ import annotations

from tests.protocols.imap.notifying import ALL, LIST, NotifyCase
from tests.protocols.imap.talk import HELLO


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
