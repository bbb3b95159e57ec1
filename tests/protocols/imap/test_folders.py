"""Folders: listing, opening, counting, making, quotas."""

from __future__ import annotations

from hostmail.errors import TemporaryFailure
from hostmail.interfaces.directory import Usage
from hostmail.interfaces.mailstore import FolderInfo, Room
from hostmail.protocols.imap.commands.listing import with_parents
from hostmail.protocols.imap.commands.quota import quota_line
from tests.protocols.imap.talk import HELLO, Broken, ImapCase

SEEN, FLAGGED = 1, 4


class Select(ImapCase):
    """SELECT and EXAMINE."""

    def test_i10_tells_all_there_is_to_know(self) -> None:
        """FLAGS, PERMANENTFLAGS, EXISTS, RECENT, UNSEEN, UIDVALIDITY, UIDNEXT, READ-WRITE (I10)."""
        self.put(HELLO, flags=SEEN)
        self.put(HELLO, HELLO)
        self.assertEqual(
            self.ann().asks(b"SELECT inbox"),
            [
                b"* FLAGS (\\Answered \\Flagged \\Deleted \\Seen \\Draft)",
                b"* OK [PERMANENTFLAGS (\\Answered \\Flagged \\Deleted \\Seen \\Draft \\*)] flags that are kept",
                b"* 3 EXISTS",
                b"* 3 RECENT",
                b"* OK [UNSEEN 2] first unseen message",
                b"* OK [UIDVALIDITY 1700000000] UIDs are valid",
                b"* OK [UIDNEXT 4] predicted next UID",
                b"* OK [HIGHESTMODSEQ 4] highest of all",
                b"* OK [MAILBOXID (F1700000000)] stays with the folder",
                b". OK [READ-WRITE] SELECT completed",
            ],
        )

    def test_only_the_first_session_sees_recent(self) -> None:
        r"""SELECT claims \Recent, EXAMINE does not (RFC 3501 section 2.3.2)."""
        self.put(HELLO)
        self.assertIn(b"* 1 RECENT", self.ann().asks(b"EXAMINE INBOX"))
        self.assertIn(b"* 1 RECENT", self.ann().asks(b"SELECT INBOX"))
        self.assertIn(b"* 0 RECENT", self.ann().asks(b"SELECT INBOX"))

    def test_i10_examine_changes_nothing(self) -> None:
        r"""Read-only: STORE, EXPUNGE, MOVE are refused, BODY[] sets no \Seen, CLOSE expunges nothing (I10)."""
        self.put(HELLO, flags=8)
        talk = self.ann()
        lines = talk.asks(b"EXAMINE INBOX")
        self.assertIn(b"* OK [PERMANENTFLAGS ()] flags that are kept", lines)
        self.assertEqual(lines[-1], b". OK [READ-ONLY] EXAMINE completed")
        for command in (b"STORE 1 +FLAGS (\\Seen)", b"EXPUNGE", b"UID EXPUNGE 1", b"MOVE 1 Trash"):
            self.assertEqual(talk.last(command), b". NO the folder is open for reading only")
        self.assertNotIn(b"\\Seen", b"".join(talk.asks(b"FETCH 1 BODY[TEXT]")))
        self.assertEqual(talk.last(b"CLOSE"), b". OK CLOSE completed")
        self.assertIn(b"* STATUS INBOX (MESSAGES 1)", talk.asks(b"STATUS INBOX (MESSAGES)"))

    def test_a_failed_select_leaves_nothing_selected(self) -> None:
        """RFC 3501 section 6.3.1; a missing folder is NONEXISTENT, a senseless name CANNOT."""
        talk = self.ann(b"INBOX")
        self.assertEqual(talk.last(b"SELECT Missing"), b". NO [NONEXISTENT] no such folder")
        self.assertTrue(talk.last(b"FETCH 1 FLAGS").startswith(b". BAD not in this state"))
        self.assertTrue(talk.last(b"SELECT &").startswith(b". NO [CANNOT] "))
        self.assertEqual(len(self.house.watch), 0)

    def test_a_delimiter_at_the_end(self) -> None:
        """Says nothing: it is the same folder for SELECT, STATUS and DELETE, and what is new in it is pushed."""
        talk, other = self.ann(), self.ann()
        talk.last(b"CREATE Work/")
        self.assertEqual(talk.asks(b"STATUS Work/ (MESSAGES)")[0], b"* STATUS Work (MESSAGES 0)")
        for session in (talk, other):
            self.assertTrue(session.last(b"SELECT Work/").startswith(b". OK"))
        talk.sends(b"A IDLE\r\n")
        self.put(HELLO, folder="Work")
        self.events_arrive()
        self.assertIn(b"* 1 EXISTS\r\n", talk.wire.said())
        self.assertTrue(other.last(b"DELETE Work/").startswith(b". OK"))
        self.assertTrue(other.last(b"CHECK").startswith(b". BAD"))

    def test_close_of_a_folder_that_is_no_more(self) -> None:
        """Is what the client wanted: the session goes on."""
        talk, other = self.ann(), self.ann()
        talk.last(b"CREATE Work")
        talk.last(b"SELECT Work")
        other.last(b"DELETE Work")
        self.assertEqual(talk.asks(b"CLOSE"), [b". OK CLOSE completed"])
        self.assertEqual(talk.asks(b"NOOP"), [b". OK NOOP completed"])

    def test_a_folder_that_cannot_be_read_now(self) -> None:
        """UNAVAILABLE, and its handle is given back."""
        talk = self.ann()
        account = talk.server.account
        assert account is not None
        account.store = Broken(account.store, {"snapshot": TemporaryFailure()})
        self.assertTrue(talk.last(b"SELECT INBOX").startswith(b". NO [UNAVAILABLE] "))

    def test_close_expunges_in_silence_and_unselect_does_not(self) -> None:
        r"""CLOSE removes \Deleted without EXPUNGE answers; UNSELECT keeps everything (RFC 3691)."""
        self.put(HELLO, HELLO, flags=8)
        talk = self.ann(b"INBOX")
        self.assertEqual(talk.asks(b"UNSELECT"), [b". OK UNSELECT completed"])
        self.assertIn(b"* STATUS INBOX (MESSAGES 2)", talk.asks(b"STATUS INBOX (MESSAGES)"))
        talk.last(b"SELECT INBOX")
        self.assertEqual(talk.asks(b"CLOSE"), [b". OK CLOSE completed"])
        self.assertIn(b"* STATUS INBOX (MESSAGES 0)", talk.asks(b"STATUS INBOX (MESSAGES)"))
        self.assertTrue(talk.last(b"CLOSE").startswith(b". BAD"))


class Listing(ImapCase):
    """LIST and LSUB."""

    def listed(self, command: bytes) -> list[bytes]:
        """The untagged lines of one listing by Ann."""
        lines = self.ann().asks(command)
        self.assertTrue(lines[-1].startswith(b". OK "), lines)
        return lines[:-1]

    def make(self, *names: str) -> None:
        """Folders."""
        talk = self.ann()
        for name in names:
            self.assertTrue(talk.last(b'CREATE "%b"' % name.encode()).startswith(b". OK"), name)

    def test_special_folders_are_marked(self) -> None:
        """Default folders carry their use, and all tell about children (D8, RFC 6154, RFC 3348)."""
        self.make("Work/2026")
        self.assertEqual(
            self.listed(b'LIST "" *'),
            [
                b'* LIST (\\HasNoChildren) "/" INBOX',
                b'* LIST (\\HasNoChildren \\Drafts) "/" Drafts',
                b'* LIST (\\HasNoChildren \\Sent) "/" Sent',
                b'* LIST (\\HasNoChildren \\Junk) "/" Spam',
                b'* LIST (\\HasNoChildren \\Trash) "/" Trash',
                b'* LIST (\\HasChildren) "/" Work',
                b'* LIST (\\HasNoChildren) "/" Work/2026',
            ],
        )

    def test_i14_an_empty_pattern_asks_for_the_delimiter(self) -> None:
        """LIST "" "" names the delimiter only (I14)."""
        self.assertEqual(self.listed(b'LIST "" ""'), [b'* LIST (\\Noselect) "/" ""'])

    def test_patterns_and_references(self) -> None:
        """% stays in a level, the reference is put in front, INBOX matches in any case."""
        self.make("Work/2026", "INBOXfoo")
        self.assertEqual(self.listed(b'LIST "" inbox'), [b'* LIST (\\HasNoChildren) "/" INBOX'])
        self.assertEqual(self.listed(b'LIST "Work/" %'), [b'* LIST (\\HasNoChildren) "/" Work/2026'])
        self.assertNotIn(b"2026", b"".join(self.listed(b'LIST "" %')))

    def test_names_are_spelled_as_they_must_be(self) -> None:
        """Spaces are quoted, other letters are in modified UTF-7 (I14)."""
        talk = self.ann()
        talk.last(b'CREATE "Entw&APw-rfe alt"')
        self.assertIn(b'* LIST (\\HasNoChildren) "/" "Entw&APw-rfe alt"', talk.asks(b'LIST "" "Entw*"'))
        self.assertIn(b'* STATUS "Entw&APw-rfe alt" (MESSAGES 0)', talk.asks(b'STATUS "Entw&APw-rfe alt" (MESSAGES)'))

    def test_a_deleted_parent_stays_as_a_name(self) -> None:
        r"""\Noselect, with children."""
        self.make("Work/2026")
        self.ann().last(b"DELETE Work")
        self.assertIn(b'* LIST (\\Noselect \\HasChildren) "/" Work', self.listed(b'LIST "" %'))

    def test_levels_that_the_store_does_not_know_are_listed_all_the_same(self) -> None:
        """A folder of a foreign tree may lack its parents."""
        found = with_parents([FolderInfo("INBOX", True), FolderInfo("a/b/c", False)])
        self.assertEqual(
            [(info.name, info.selectable) for info in found][1:], [("a", False), ("a/b", False), ("a/b/c", True)]
        )

    def test_lsub_lists_names_whether_they_exist_or_not(self) -> None:
        r"""And a level in between as \Noselect where % ends there (RFC 3501 section 6.3.9)."""
        talk = self.ann()
        talk.last(b"UNSUBSCRIBE Spam")
        talk.last(b"SUBSCRIBE Gone/deep")
        lines = talk.asks(b'LSUB "" %')
        self.assertIn(b'* LSUB (\\Noselect) "/" Gone', lines)
        self.assertNotIn(b'* LSUB () "/" Spam', lines)
        self.assertIn(b'* LSUB () "/" Gone/deep', talk.asks(b'LSUB "" *'))
        self.assertEqual(lines[0], b'* LSUB () "/" INBOX')

    def test_extended_returns(self) -> None:
        """RETURN (SUBSCRIBED SPECIAL-USE CHILDREN STATUS (...)) in one go, as Apple Mail asks (H7, RFC 5819)."""
        self.put(HELLO)
        lines = self.listed(b'LIST "" (INBOX Sent) RETURN (SUBSCRIBED SPECIAL-USE CHILDREN STATUS (MESSAGES UNSEEN))')
        self.assertEqual(
            lines,
            [
                b'* LIST (\\Subscribed \\HasNoChildren) "/" INBOX',
                b"* STATUS INBOX (MESSAGES 1 UNSEEN 1)",
                b'* LIST (\\Subscribed \\HasNoChildren \\Sent) "/" Sent',
                b"* STATUS Sent (MESSAGES 0 UNSEEN 0)",
            ],
        )

    def test_extended_selections(self) -> None:
        """Only special folders; only subscribed ones, missing ones too; parents of subscribed ones (RFC 5258)."""
        talk = self.ann()
        talk.last(b"CREATE Work/2026")
        talk.last(b"SUBSCRIBE Work/2026")
        talk.last(b"SUBSCRIBE Gone")
        self.assertEqual(len(talk.asks(b'LIST (SPECIAL-USE) "" *')), 5)
        lines = talk.asks(b'LIST (SUBSCRIBED) "" *')
        self.assertIn(b'* LIST (\\NonExistent \\Subscribed \\HasNoChildren) "/" Gone', lines)
        self.assertNotIn(b"Work \\", b"".join(lines))
        lines = talk.asks(b'LIST (SUBSCRIBED RECURSIVEMATCH) "" %')
        self.assertIn(b'* LIST (\\HasChildren) "/" Work ("CHILDINFO" ("SUBSCRIBED"))', lines)

    def test_a_folder_that_cannot_be_counted_is_listed_without_status(self) -> None:
        """One bad folder does not spoil the list."""
        talk = self.ann()
        account = talk.server.account
        assert account is not None
        account.store = Broken(account.store, {"status": TemporaryFailure()})
        lines = talk.asks(b'LIST "" INBOX RETURN (STATUS (MESSAGES))')
        self.assertEqual(lines, [b'* LIST (\\HasNoChildren) "/" INBOX', b". OK LIST completed"])

    def test_senseless_lists_are_bad(self) -> None:
        """Unknown options, no patterns, too many, too long ones."""
        wrong = [b'LIST (FOO) "" *', b'LIST "" ()', b'LIST "" * RETURN (FOO)', b'LIST "" * FOO (CHILDREN)', b'LIST "" ']
        wrong += [b'LIST (RECURSIVEMATCH) "" *', b'LIST "" (' + b"a " * 200 + b"a)", b'LIST "" ' + b"a" * 3000]
        wrong += [b'LIST "" * RETURN (STATUS (FOO))', b"LSUB x"]
        for command in wrong:
            self.assertTrue(self.ann().last(command).startswith(b". BAD "), command[:40])


class Status(ImapCase):
    """STATUS."""

    def test_i09_every_item_and_size(self) -> None:
        """All counts, and SIZE, which the stock server never answered (I9, RFC 8438)."""
        self.put(HELLO, HELLO)
        self.put(HELLO, flags=SEEN)
        lines = self.ann().asks(b"STATUS INBOX (MESSAGES RECENT UIDNEXT UIDVALIDITY UNSEEN SIZE)")
        self.assertEqual(
            lines,
            [
                b"* STATUS INBOX (MESSAGES 3 RECENT 3 UIDNEXT 4 UIDVALIDITY 1700000000 UNSEEN 2 SIZE 483)",
                b". OK STATUS completed",
            ],
        )

    def test_senseless_items_are_bad_and_missing_folders_are_told(self) -> None:
        """No item, unknown items; NONEXISTENT."""
        talk = self.ann()
        for command in (b"STATUS INBOX ()", b"STATUS INBOX (FOO)", b"STATUS INBOX", b"STATUS INBOX MESSAGES"):
            self.assertTrue(talk.last(command).startswith(b". BAD "), command)
        self.assertEqual(talk.last(b"STATUS Nope (MESSAGES)"), b". NO [NONEXISTENT] no such folder")


class Making(ImapCase):
    """CREATE, DELETE, RENAME, subscriptions."""

    def test_create_delete_rename(self) -> None:
        """With the answers of RFC 5530 when it does not go."""
        talk = self.ann()
        self.assertRegex(talk.last(b"CREATE Work/"), rb"^\. OK \[MAILBOXID \(F\d+\)\] CREATE completed$")
        self.assertTrue(talk.last(b"CREATE Work").startswith(b". NO [ALREADYEXISTS] "))
        self.assertTrue(talk.last(b"CREATE inbox").startswith(b". NO [ALREADYEXISTS] "))
        self.assertTrue(talk.last(b"DELETE inbox").startswith(b". NO [CANNOT] "))
        self.assertEqual(talk.last(b"RENAME Work Play"), b". OK RENAME completed")
        self.assertTrue(talk.last(b"RENAME Work Play").startswith(b". NO [NONEXISTENT] "))
        self.assertTrue(talk.last(b"RENAME Play Sent").startswith(b". NO [ALREADYEXISTS] "))
        self.assertEqual(talk.last(b"DELETE Play"), b". OK DELETE completed")
        self.assertTrue(talk.last(b"DELETE Play").startswith(b". NO [NONEXISTENT] "))
        self.assertTrue(talk.last(b"CREATE " + b"/".join([b"a"] * 30)).startswith(b". NO [LIMIT] "))

    def test_i16_renaming_inbox_moves_its_messages(self) -> None:
        """INBOX stays, empty (I16, RFC 3501 section 6.3.5)."""
        self.put(HELLO)
        talk = self.ann()
        self.assertEqual(talk.last(b"RENAME INBOX Old"), b". OK RENAME completed")
        self.assertIn(b"* STATUS INBOX (MESSAGES 0)", talk.asks(b"STATUS INBOX (MESSAGES)"))
        self.assertIn(b"* STATUS Old (MESSAGES 1)", talk.asks(b"STATUS Old (MESSAGES)"))

    def test_special_use_can_be_asked_for(self) -> None:
        """CREATE (USE (...)) of RFC 6154; unknown uses are USEATTR."""
        talk = self.ann()
        self.assertTrue(talk.last(b"CREATE Archiv (USE (\\archive))").startswith(b". OK "))
        self.assertIn(b'* LIST (\\HasNoChildren \\Archive) "/" Archiv', talk.asks(b'LIST "" Archiv'))
        self.assertTrue(talk.last(b"CREATE x (USE (\\Foo))").startswith(b". NO [USEATTR] "))
        self.assertTrue(talk.last(b"CREATE x (FOO (\\Sent))").startswith(b". BAD "))

    def test_renaming_the_selected_folder_keeps_it_open(self) -> None:
        """And news of it are heard under its new name; INBOX stays what it is."""
        talk, other = self.ann(), self.ann()
        talk.last(b"CREATE Work/2026")
        talk.last(b"SELECT Work/2026")
        self.assertEqual(talk.last(b"RENAME Work Play"), b". OK RENAME completed")
        self.put(HELLO, folder="Play/2026")
        self.events_arrive()
        self.assertEqual(talk.asks(b"SEARCH ALL")[1], b"* 1 EXISTS")
        talk.last(b"SELECT INBOX")
        talk.last(b"RENAME INBOX Old")
        assert talk.server.selected is not None
        self.assertEqual(talk.server.selected.name, "INBOX")
        self.assertEqual(other.last(b"RENAME Old Older"), b". OK RENAME completed")

    def test_deleting_the_selected_folder_closes_it(self) -> None:
        """Nothing is selected afterwards."""
        talk = self.ann()
        talk.last(b"CREATE Work")
        talk.last(b"SELECT Work")
        self.assertEqual(talk.asks(b"DELETE Work"), [b". OK DELETE completed"])
        self.assertTrue(talk.last(b"CHECK").startswith(b". BAD "))


class Various(ImapCase):
    """NAMESPACE, ID, ENABLE, QUOTA."""

    def test_one_namespace(self) -> None:
        """Everything is personal (RFC 2342)."""
        self.assertEqual(
            self.ann().asks(b"NAMESPACE"), [b'* NAMESPACE (("" "/")) NIL NIL', b". OK NAMESPACE completed"]
        )

    def test_clients_introduce_themselves(self) -> None:
        """ID is remembered for the session list, cleaned of control characters (RFC 2971)."""
        talk = self.ann()
        self.assertEqual(talk.asks(b'ID ("name" "Mail" "version" "1.0" "os" NIL)')[0], b'* ID ("name" "hostmail")')
        assert talk.server.session is not None
        self.assertEqual(talk.server.session.state["client"], "Mail 1.0")
        self.assertTrue(talk.last(b"ID NIL").startswith(b". OK"))
        for wrong in (b"ID", b'ID ("name")', b'ID (NIL "x")', b"ID (" + b'"a" "b" ' * 31 + b'"a" "b")', b'ID "x"'):
            self.assertTrue(talk.last(wrong).startswith(b". BAD "), wrong)

    def test_enable(self) -> None:
        """Unknown extensions are passed over (RFC 5161)."""
        talk = self.ann()
        self.assertEqual(talk.asks(b"ENABLE X-FOO QRESYNC"), [b"* ENABLED QRESYNC", b". OK ENABLE completed"])
        self.assertTrue(talk.last(b"ENABLE").startswith(b". BAD "))

    def test_quota_is_shown(self) -> None:
        """The mailbox's limit and use, in units of 1,024 octets (D6, RFC 9208)."""
        self.put(HELLO)
        talk = self.ann()
        quota = b'* QUOTA "" (STORAGE 1 20480)'
        self.assertEqual(talk.asks(b'GETQUOTA ""'), [quota, b". OK GETQUOTA completed"])
        self.assertEqual(talk.asks(b"GETQUOTAROOT Sent")[:2], [b'* QUOTAROOT Sent ""', quota])
        self.assertTrue(talk.last(b"GETQUOTA other").startswith(b". NO [NONEXISTENT] "))
        self.assertTrue(talk.last(b"GETQUOTAROOT Nope").startswith(b". NO [NONEXISTENT] "))
        self.assertTrue(talk.last(b'SETQUOTA "" (STORAGE 1)').startswith(b". NO [NOPERM] "))

    def test_limits_that_do_not_exist_are_not_shown(self) -> None:
        """Unlimited is an empty list; messages have their own resource."""
        self.assertEqual(quota_line(Room(Usage(5, 1), None, None, None)), b'* QUOTA "" ()\r\n')
        self.assertEqual(quota_line(Room(Usage(5, 1), None, 9, None)), b'* QUOTA "" (MESSAGE 1 9)\r\n')
