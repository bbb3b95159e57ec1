"""STORE, EXPUNGE, COPY, MOVE."""

from __future__ import annotations

from tests.protocols.imap.talk import ANN, HELLO, ImapCase


class Store(ImapCase):
    """RFC 3501 section 6.4.6."""

    def test_adds_removes_and_replaces(self) -> None:
        """Each way, answered with the flags as they are now."""
        self.put(HELLO)
        talk = self.ann(b"INBOX")
        self.assertEqual(
            talk.asks(b"STORE 1 +FLAGS (\\Seen \\Flagged)")[0], b"* 1 FETCH (FLAGS (\\Flagged \\Seen \\Recent))"
        )
        self.assertEqual(talk.asks(b"STORE 1 -FLAGS \\Seen")[0], b"* 1 FETCH (FLAGS (\\Flagged \\Recent))")
        self.assertEqual(talk.asks(b"STORE 1 FLAGS (\\draft)")[0], b"* 1 FETCH (FLAGS (\\Draft \\Recent))")
        self.assertEqual(talk.asks(b"UID STORE 1 FLAGS ()")[0], b"* 1 FETCH (UID 1 FLAGS (\\Recent))")
        self.assertEqual(talk.asks(b"UID STORE 99 FLAGS ()"), [b". OK STORE completed"])

    def test_silence(self) -> None:
        """.SILENT says nothing of what the client knows."""
        self.put(HELLO, HELLO)
        talk = self.ann(b"INBOX")
        self.assertEqual(talk.asks(b"STORE 1:2 +FLAGS.SILENT (\\Seen)"), [b". OK STORE completed"])
        self.events_arrive()
        self.assertEqual(talk.asks(b"NOOP"), [b". OK NOOP completed"])
        self.assertIn(b"\\Seen", talk.asks(b"FETCH 2 FLAGS")[0])

    def test_silence_about_ones_own_changes_only(self) -> None:
        """What another session has changed is told nevertheless (RFC 3501 section 6.4.6)."""
        self.put(HELLO, HELLO)
        talk, other = self.ann(b"INBOX"), self.ann(b"INBOX")
        other.last(b"STORE 2 +FLAGS (\\Flagged)")
        lines = talk.asks(b"STORE 1:2 +FLAGS.SILENT (\\Seen kw)")
        self.assertIn(b"* 2 FETCH (FLAGS (\\Flagged \\Seen kw \\Recent))", lines)
        self.assertNotIn(b"* 1 FETCH", b"".join(lines))

    def test_silent_removal_and_replacement(self) -> None:
        """Nothing is said when it came out as expected, whichever way it was asked for."""
        self.put(HELLO, flags=5)
        talk = self.ann(b"INBOX")
        for how in (b"-FLAGS.SILENT (\\Seen)", b"FLAGS.SILENT (\\Draft)"):
            self.assertEqual(talk.asks(b"STORE 1 " + how), [b". OK STORE completed"])
        self.assertEqual(talk.asks(b"FETCH 1 FLAGS")[0], b"* 1 FETCH (FLAGS (\\Draft \\Recent))")

    def test_keywords_are_announced(self) -> None:
        """A new keyword comes with a new FLAGS answer, once; case does not make another (H9)."""
        self.put(HELLO)
        talk = self.ann(b"INBOX")
        lines = talk.asks(b"STORE 1 +FLAGS ($Junk NonJunk)")
        self.assertEqual(lines[0], b"* FLAGS (\\Answered \\Flagged \\Deleted \\Seen \\Draft $Junk NonJunk)")
        self.assertEqual(lines[2], b"* 1 FETCH (FLAGS ($Junk NonJunk \\Recent))")
        self.assertEqual(len(talk.asks(b"STORE 1 -FLAGS ($junk)")), 2)

    def test_flags_nobody_may_set(self) -> None:
        r"""\Recent is passed over, unknown system flags are BAD, endless keywords NO [LIMIT]."""
        self.put(HELLO)
        talk = self.ann(b"INBOX")
        self.assertEqual(talk.asks(b"STORE 1 +FLAGS (\\Recent)")[0], b"* 1 FETCH (FLAGS (\\Recent))")
        self.assertTrue(talk.last(b"STORE 1 +FLAGS (\\Foo)").startswith(b". BAD "))
        self.assertTrue(talk.last(b"STORE 1 +FLAGS (" + b"x" * 101 + b")").startswith(b". NO [LIMIT] "))
        for wrong in (
            b"STORE 1 *FLAGS x",
            b"STORE 1 FLAGS.LOUD x",
            b"STORE 1 FLAGS",
            b"STORE FLAGS x",
            b"STORE 2 FLAGS x",
        ):
            self.assertTrue(talk.last(wrong).startswith(b". BAD "), wrong)

    def test_many_rows(self) -> None:
        """A thousand messages in one STORE."""
        self.put(*[HELLO] * 2500)
        lines = self.ann(b"INBOX").asks(b"STORE 1:* +FLAGS (\\Seen)")
        self.assertEqual(len(lines), 2501)

    def test_messages_that_are_gone(self) -> None:
        """OK, with a hint (RFC 5530)."""
        self.put(HELLO, HELLO)
        talk, other = self.ann(b"INBOX"), self.ann(b"INBOX")
        other.last(b"UID STORE 1 +FLAGS (\\Deleted)")
        other.last(b"EXPUNGE")
        self.events_arrive()
        self.assertEqual(talk.asks(b"FETCH 2 UID")[0], b"* 2 FETCH (UID 2)")
        self.assertTrue(talk.last(b"STORE 1:2 +FLAGS (\\Seen)").startswith(b". OK [EXPUNGEISSUED] "))
        self.assertEqual(talk.asks(b"NOOP"), [b"* 1 EXPUNGE", b". OK NOOP completed"])


class Expunge(ImapCase):
    """RFC 3501 section 6.4.3, RFC 4315."""

    def test_numbers_shift_as_they_are_told(self) -> None:
        """From the last to the first, so that each number fits when it is read."""
        self.put(*[HELLO] * 5)
        talk = self.ann(b"INBOX")
        talk.last(b"STORE 2,4:5 +FLAGS (\\Deleted)")
        self.assertEqual(talk.asks(b"EXPUNGE")[:-1], [b"* 5 EXPUNGE", b"* 4 EXPUNGE", b"* 2 EXPUNGE"])
        self.assertEqual(talk.asks(b"UID SEARCH ALL")[0], b"* SEARCH 1 3")
        self.assertEqual(talk.asks(b"EXPUNGE"), [b". OK EXPUNGE completed"])

    def test_what_another_session_has_marked_goes_too(self) -> None:
        """The flags of this moment count."""
        self.put(HELLO, HELLO)
        talk, other = self.ann(b"INBOX"), self.ann(b"INBOX")
        other.last(b"STORE 2 +FLAGS (\\Deleted)")
        self.assertIn(b"* 2 EXPUNGE", talk.asks(b"EXPUNGE"))

    def test_uid_expunge_removes_only_those_named(self) -> None:
        r"""And of those only what is \Deleted."""
        self.put(*[HELLO] * 4)
        talk = self.ann(b"INBOX")
        talk.last(b"STORE 1:3 +FLAGS (\\Deleted)")
        self.assertEqual(talk.asks(b"UID EXPUNGE 2:4"), [b"* 3 EXPUNGE", b"* 2 EXPUNGE", b". OK EXPUNGE completed"])
        self.assertEqual(talk.asks(b"UID SEARCH ALL")[0], b"* SEARCH 1 4")

    def test_many_at_once(self) -> None:
        """Half of a large folder."""
        self.put(*[HELLO] * 400)
        talk = self.ann(b"INBOX")
        talk.last(b"STORE %b +FLAGS.SILENT (\\Deleted)" % b",".join(b"%d" % n for n in range(1, 401, 2)))
        self.assertEqual(len(talk.asks(b"EXPUNGE")), 201)
        self.assertEqual(talk.asks(b"FETCH 200 UID")[0], b"* 200 FETCH (UID 400)")
        self.put(HELLO)
        self.assertIn(b"* 201 EXISTS", talk.asks(b"NOOP"))

    def test_room_is_free_at_once(self) -> None:
        """The next command sees it (D5)."""
        self.put(b"x" * 10_000)
        talk = self.ann(b"INBOX")
        talk.last(b"STORE 1 +FLAGS (\\Deleted)")
        talk.last(b"EXPUNGE")
        self.assertIn(b'* QUOTA "" (STORAGE 0 20480)', talk.asks(b'GETQUOTA ""'))


class CopyAndMove(ImapCase):
    """RFC 3501 section 6.4.7, RFC 4315, RFC 6851."""

    def test_copies_tell_the_new_uids(self) -> None:
        """COPYUID pairs sources with targets; flags go along."""
        self.put(*[HELLO] * 4)
        talk = self.ann(b"INBOX")
        talk.last(b"STORE 2 +FLAGS (\\Flagged kw)")
        answer = talk.last(b"COPY 1:2,4 Sent")
        self.assertRegex(answer, rb"^\. OK \[COPYUID \d+ 1:2,4 1:3\] COPY completed$")
        talk.last(b"SELECT Sent")
        self.assertIn(b"* 2 FETCH (FLAGS (\\Flagged kw \\Recent))", talk.asks(b"FETCH 1:* FLAGS"))
        self.assertRegex(talk.last(b"UID COPY 1,99 INBOX"), rb"COPYUID \d+ 1 5\]")

    def test_a_missing_target_can_be_created(self) -> None:
        """TRYCREATE, and nothing is copied; INBOX is never one."""
        self.put(HELLO)
        talk = self.ann(b"INBOX")
        for verb in (b"COPY", b"UID COPY", b"MOVE", b"UID MOVE"):
            self.assertEqual(talk.last(verb + b" 1 Nope"), b". NO [TRYCREATE] no such folder")
        self.assertTrue(talk.last(b"COPY 1").startswith(b". BAD "))

    def test_nothing_to_copy_is_fine(self) -> None:
        """UIDs that do not exist."""
        talk = self.ann(b"INBOX")
        self.assertTrue(talk.last(b"UID COPY 5 Sent").startswith(b". OK COPY completed"))
        self.assertTrue(talk.last(b"UID MOVE 5 Sent").startswith(b". OK MOVE completed"))

    def test_over_quota(self) -> None:
        """OVERQUOTA, all or none; moving needs no room (D6)."""
        self.put(b"x" * 12_000_000)
        talk = self.ann(b"INBOX")
        self.assertTrue(talk.last(b"COPY 1 Sent").startswith(b". NO [OVERQUOTA] "))
        self.assertTrue(talk.last(b"MOVE 1 Sent").startswith(b". OK "))

    def test_move_tells_uids_then_expunges(self) -> None:
        """COPYUID comes first (RFC 6851 section 4.3)."""
        self.put(HELLO, HELLO, HELLO)
        talk = self.ann(b"INBOX")
        lines = talk.asks(b"MOVE 1,3 Trash")
        self.assertRegex(lines[0], rb"^\* OK \[COPYUID \d+ 1,3 1:2\] moved$")
        self.assertEqual(lines[1:], [b"* 3 EXPUNGE", b"* 1 EXPUNGE", b". OK MOVE completed"])
        self.assertEqual(talk.asks(b"UID MOVE 2 Trash")[1], b"* 1 EXPUNGE")
        self.assertEqual(len(self.house.store.contents(ANN, "Trash")), 3)
        self.events_arrive()
        self.assertEqual(talk.asks(b"NOOP"), [b". OK NOOP completed"])

    def test_i09_messages_that_are_gone(self) -> None:
        """By number a no; by UID they are passed over (RFC 2180 section 4.4)."""
        self.put(HELLO, HELLO)
        talk, other = self.ann(b"INBOX"), self.ann(b"INBOX")
        other.last(b"STORE 1 +FLAGS (\\Deleted)")
        other.last(b"EXPUNGE")
        self.events_arrive()
        talk.last(b"FETCH 1:2 FLAGS")
        self.assertEqual(talk.asks(b"COPY 1:2 Sent")[-1], b". NO [EXPUNGEISSUED] that message is no longer there")
        self.assertRegex(talk.last(b"UID COPY 1:2 Sent"), rb"COPYUID \d+ 2 1\]")
