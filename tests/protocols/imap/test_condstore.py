"""CONDSTORE and QRESYNC (RFC 7162)."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

from hostmail.interfaces.mailstore import Changes
from tests.protocols.imap.talk import ANN, HELLO, ImapCase, Talk


class Forgetful:
    """A store, or a folder, that remembers no removals."""

    def __init__(self, inner: Any) -> None:
        self._inner = inner

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    async def folder(self, name: str) -> Any:
        return Forgetful(await self._inner.folder(name))

    async def changes(self, *asked: Any) -> Changes:
        found, snapshot = await self._inner.changes(*asked), await self._inner.snapshot()
        return replace(found, expunged=[], remaining=snapshot.uids)


class CondstoreCase(ImapCase):
    """Three messages, with MODSEQs 2 to 4, and two clients."""

    def setUp(self) -> None:
        super().setUp()
        self.put(HELLO, HELLO, HELLO)
        self.other = self.ann(b"INBOX")
        self.talk = self.ann(b"INBOX")

    def highest(self, talk: Talk) -> int:
        """As STATUS tells."""
        line = talk.asks(b"STATUS INBOX (HIGHESTMODSEQ)")
        (told,) = [each for each in line if each.startswith(b"* STATUS")]
        return int(told.rpartition(b" ")[2].rstrip(b")"))


class CondstoreTests(CondstoreCase):
    """Section 3.1."""

    def test_select_tells_the_highest(self) -> None:
        """Always, wanted or not; STATUS tells the same."""
        for command in (b"SELECT INBOX", b"EXAMINE INBOX (CONDSTORE)"):
            self.assertIn(b"* OK [HIGHESTMODSEQ 4] highest of all", self.talk.asks(command))
        self.assertEqual(self.highest(self.other), 4)

    def test_switched_on(self) -> None:
        """By any command that shows that the client knows it; from then on rows carry MODSEQ and UID."""
        for command in (
            b"ENABLE CONDSTORE", b"FETCH 1 MODSEQ", b"FETCH 1 FLAGS (CHANGEDSINCE 1)", b"SEARCH MODSEQ 1",
            b"STATUS INBOX (HIGHESTMODSEQ)", b"STORE 1 (UNCHANGEDSINCE 1) FLAGS ()",
        ):  # fmt: skip
            talk = self.ann(b"INBOX")
            plain = talk.asks(b"STORE 1 +FLAGS (\\Seen)")
            self.assertEqual(plain[0], b"* 1 FETCH (FLAGS (\\Seen))")
            self.assertTrue(any(b"[HIGHESTMODSEQ " in line for line in talk.asks(command)), command)
            self.assertRegex(
                talk.asks(b"STORE 1 -FLAGS (\\Seen)")[0], rb"^\* 1 FETCH \(UID 1 MODSEQ \(\d+\) FLAGS \(\)\)$"
            )

    def test_enable_tells_what_it_did(self) -> None:
        """Each word once, unknown ones not at all."""
        self.assertIn(b"* ENABLED CONDSTORE", self.talk.asks(b"ENABLE condstore X-UNKNOWN CONDSTORE"))
        self.assertIn(b"* ENABLED", self.talk.asks(b"ENABLE X-UNKNOWN"))

    def test_fetch(self) -> None:
        """MODSEQ as an item; CHANGEDSINCE leaves only what has changed, and tells its MODSEQ."""
        self.assertEqual(
            self.talk.asks(b"FETCH 1:2 (MODSEQ)")[1:3], [b"* 1 FETCH (MODSEQ (2))", b"* 2 FETCH (MODSEQ (3))"]
        )
        self.assertEqual(
            self.talk.asks(b"UID FETCH 1:* (FLAGS) (CHANGEDSINCE 3)"),
            [b"* 3 FETCH (UID 3 MODSEQ (4) FLAGS ())", b". OK FETCH completed"],
        )
        self.assertEqual(self.talk.asks(b"FETCH 1:* UID (CHANGEDSINCE 4)"), [b". OK FETCH completed"])

    def test_pages_of_messages(self) -> None:
        """PARTIAL of RFC 9394: of those that the numbers and CHANGEDSINCE leave."""
        fetched = self.talk.asks(b"UID FETCH 1:* (UID) (PARTIAL -1:-2)")
        self.assertEqual(fetched[:2], [b"* 2 FETCH (UID 2)", b"* 3 FETCH (UID 3)"])
        fetched = self.talk.asks(b"UID FETCH 1:* (UID) (PARTIAL 1:1 CHANGEDSINCE 2)")
        self.assertEqual(fetched[-2:], [b"* 2 FETCH (MODSEQ (3) UID 2)", b". OK FETCH completed"])

    def test_modifiers_refused(self) -> None:
        """What is no modifier, or stands alone where it cannot."""
        for words in (
            b"()",
            b"(CHANGEDSINCE)",
            b"(CHANGEDSINCE x)",
            b"(SINCE 1)",
            b"(VANISHED)",
            b"(CHANGEDSINCE 1 VANISHED)",
        ):
            answer = self.talk.last(b"UID FETCH 1 UID " + words)
            self.assertTrue(answer.startswith(b". BAD") or words == b"()", words)

    def test_conditional_store(self) -> None:
        """Messages that somebody changed since are left alone and named; the others are stored, and told even when silent."""
        self.other.asks(b"STORE 2 +FLAGS (\\Flagged)")
        lines = self.talk.asks(b"STORE 1:3 (UNCHANGEDSINCE 4) +FLAGS.SILENT (\\Seen)")
        self.assertIn(b"* 1 FETCH (UID 1 MODSEQ (6) FLAGS (\\Seen))", lines)
        self.assertIn(b"* 3 FETCH (UID 3 MODSEQ (6) FLAGS (\\Seen))", lines)
        self.assertTrue(lines[-1].startswith(b". OK [MODIFIED 2]"), lines)
        self.assertTrue(self.talk.last(b"UID STORE 1 (UNCHANGEDSINCE 0) FLAGS ()").startswith(b". OK [MODIFIED 1]"))

    def test_conditions_refused(self) -> None:
        """Conditions that make no sense."""
        for words in (b"()", b"(UNCHANGEDSINCE)", b"(SINCE 1)", b"(UNCHANGEDSINCE 1 UNCHANGEDSINCE 2)"):
            self.assertTrue(self.talk.last(b"STORE 1 " + words + b" FLAGS ()").startswith(b". BAD"), words)

    def test_search(self) -> None:
        """What has at least that MODSEQ; the answer tells the highest, of what it tells."""
        asks = self.talk.asks
        self.assertIn(b"* SEARCH 2 3 (MODSEQ 4)", asks(b"SEARCH MODSEQ 3"))
        self.assertIn(b"* SEARCH 2 3 (MODSEQ 4)", asks(b'SEARCH MODSEQ "/flags/\\\\draft" all 3'))
        self.assertIn(b"* SEARCH", asks(b"SEARCH MODSEQ 9"))
        self.assertTrue(asks(b"SEARCH RETURN (ALL) MODSEQ 3")[0].endswith(b" ALL 2:3 MODSEQ 4"))
        self.assertTrue(asks(b"SEARCH RETURN (MIN) MODSEQ 3")[0].endswith(b" MIN 2 MODSEQ 3"))
        self.assertEqual(asks(b"SORT (SIZE) UTF-8 NOT (OR SEEN NOT MODSEQ 3)")[0], b"* SORT 2 3 (MODSEQ 4)")
        self.assertTrue(self.talk.last(b'SEARCH MODSEQ "/flags/x" mine 3').startswith(b". BAD"))

    def test_flags_that_came_and_went(self) -> None:
        """A new MODSEQ is told even where the flags are the same again."""
        self.talk.asks(b"ENABLE CONDSTORE")
        self.other.asks(b"STORE 1 +FLAGS (\\Seen)")
        self.other.asks(b"STORE 1 -FLAGS (\\Seen)")
        self.assertEqual(self.talk.asks(b"NOOP")[0], b"* 1 FETCH (UID 1 MODSEQ (6) FLAGS ())")


class QresyncTests(CondstoreCase):
    """Section 3.2."""

    def setUp(self) -> None:
        super().setUp()
        self.talk = self.ann()
        self.talk.asks(b"ENABLE QRESYNC")
        self.validity = int(self.select(b"SELECT INBOX", b"[UIDVALIDITY ").split()[0].rstrip(b"]"))

    def select(self, command: bytes, code: bytes) -> bytes:
        """What follows this code in the answer."""
        (line,) = [line for line in self.talk.asks(command) if code in line]
        return line.partition(code)[2]

    def news(self, known: bytes) -> list[bytes]:
        """What SELECT tells besides the folder's counts."""
        lines = self.talk.asks(b"SELECT INBOX (QRESYNC (%d %b))" % (self.validity, known))
        return [line for line in lines if b"VANISHED" in line or b"FETCH" in line]

    def test_vanished(self) -> None:
        """EXPUNGE is told by UID, to the one who does it and to others, and the answer tells the highest MODSEQ."""
        self.talk.asks(b"STORE 1,3 +FLAGS.SILENT (\\Deleted)")
        lines = self.talk.asks(b"EXPUNGE")
        self.assertEqual(lines, [b"* VANISHED 1,3", b". OK [HIGHESTMODSEQ 6] EXPUNGE completed"])
        self.other.asks(b"NOOP")
        self.other.asks(b"STORE 1 +FLAGS (\\Deleted)")
        self.other.asks(b"EXPUNGE")
        self.assertIn(b"* VANISHED 2", self.talk.asks(b"NOOP"))

    def test_move(self) -> None:
        """Moved messages have vanished here."""
        self.talk.asks(b"CREATE Other")
        lines = self.talk.asks(b"MOVE 2 Other")
        self.assertIn(b"* VANISHED 2", lines)
        self.assertTrue(lines[-1].startswith(b". OK [HIGHESTMODSEQ "), lines)

    def test_resynchronised(self) -> None:
        """SELECT tells what vanished and what changed since the client was here."""
        self.other.asks(b"STORE 2 +FLAGS.SILENT (\\Deleted)")
        self.other.asks(b"EXPUNGE")
        self.other.asks(b"STORE 1 +FLAGS.SILENT (\\Seen)")
        changed = b"* 1 FETCH (UID 1 MODSEQ (7) FLAGS (\\Seen))"
        self.assertEqual(self.news(b"4"), [b"* VANISHED (EARLIER) 2", changed])
        self.assertEqual(self.news(b"4 1:3"), [b"* VANISHED (EARLIER) 2", changed])
        self.assertEqual(self.news(b"4 2:3"), [b"* VANISHED (EARLIER) 2"])
        self.assertEqual(self.news(b"4 1,3"), [changed])
        self.assertEqual(self.news(b"6 1:3 (1,2 1,3)"), [changed])
        self.assertEqual(self.news(b"6 (1,2 1,3)"), [changed])
        self.assertEqual(self.news(b"7"), [])

    def test_nothing_is_missed_behind_a_store(self) -> None:
        """A client that comes back with the highest MODSEQ it has seen hears of what others had done before that, and removed."""
        self.other.asks(b"STORE 1 +FLAGS (\\Flagged)")
        self.other.asks(b"UID MOVE 2 Trash")
        answer = self.talk.asks(b"STORE 3 +FLAGS (\\Seen)")
        self.assertEqual(
            answer[:3],
            [
                b"* 3 FETCH (UID 3 MODSEQ (7) FLAGS (\\Seen))",
                b"* 1 FETCH (UID 1 MODSEQ (5) FLAGS (\\Flagged))",
                b"* OK [HIGHESTMODSEQ 4] highest of all",
            ],
        )
        self.assertEqual(self.talk.asks(b"UID STORE 3 -FLAGS (\\Seen)")[1], b"* VANISHED 2")

    def test_what_notify_keeps_back_is_not_known(self) -> None:
        """A client that wants to hear of no flags, or of nothing, comes back with a MODSEQ from before those that it has not heard of."""
        for wanted in (b"NONE", b"SET (selected (MessageNew MessageExpunge))"):
            talk = self.ann()
            talk.asks(b"ENABLE QRESYNC")
            told = re.search(rb"HIGHESTMODSEQ (\d+)", b"".join(talk.asks(b"SELECT INBOX")))
            assert told is not None
            talk.asks(b"NOTIFY " + wanted)
            self.other.asks(b"STORE 1 FLAGS ($%b)" % wanted[:3])
            answer = talk.asks(b"STORE 2 FLAGS ($%b)" % wanted[:3])
            self.assertEqual(answer[-2], b"* OK [HIGHESTMODSEQ %b] highest of all" % told[1])
            talk.hangs_up()

    def test_removals_that_nobody_remembers(self) -> None:
        """Every UID that is not there has vanished, however many these are; sessions that are open hear of theirs (section 3.2.5.1)."""
        server: Any = self.talk.server
        server.selected.folder = Forgetful(server.selected.folder)
        server.account.store = Forgetful(server.account.store)
        self.other.asks(b"STORE 2 +FLAGS.SILENT (\\Deleted)")
        self.other.asks(b"EXPUNGE")
        self.assertIn(b"* VANISHED 2", self.talk.asks(b"NOOP"))
        inbox: Any = self.done(self.done(self.house.store.open(ANN)).folder("INBOX"))
        inbox.state.uidnext = 2_000_000_000
        self.put(HELLO)
        self.assertEqual(self.news(b"9999 1:4"), [b"* VANISHED (EARLIER) 2,4"])
        self.assertEqual(self.news(b"9999"), [b"* VANISHED (EARLIER) 2,4:1999999999"])
        lines = self.talk.asks(b"UID FETCH 3:4294967295 (FLAGS) (CHANGEDSINCE 9999 VANISHED)")
        self.assertEqual(lines[0], b"* VANISHED (EARLIER) 4:1999999999")

    def test_another_uidvalidity(self) -> None:
        """What the client remembers is of no use then."""
        lines = self.talk.asks(b"SELECT INBOX (QRESYNC (%d 1))" % (self.validity + 1))
        self.assertFalse([line for line in lines if b"FETCH" in line], lines)
        self.assertTrue(lines[-1].startswith(b". OK"))

    def test_fetch_vanished(self) -> None:
        """UID FETCH with VANISHED tells the same for the UIDs asked about."""
        self.talk.asks(b"STORE 1:2 +FLAGS.SILENT (\\Deleted)")
        self.talk.asks(b"EXPUNGE")
        lines = self.talk.asks(b"UID FETCH 2:300 (FLAGS) (CHANGEDSINCE 4 VANISHED)")
        self.assertEqual(lines, [b"* VANISHED (EARLIER) 2", b". OK FETCH completed"])

    def test_closed(self) -> None:
        """A folder that makes room for another is said to be closed."""
        self.assertEqual(self.talk.asks(b"SELECT INBOX")[0], b"* OK [CLOSED] the folder that was open before is closed")

    def test_refused(self) -> None:
        """Without ENABLE, and what cannot be understood."""
        self.assertTrue(self.other.last(b"SELECT INBOX (QRESYNC (1 1))").startswith(b". BAD"))
        for words in (
            b"()",
            b"QRESYNC",
            b"(QRESYNC)",
            b"(QRESYNC (1))",
            b"(QRESYNC (1 2 3:*))",
            b"(QRESYNC (1 2 $))",
            b"(LATER)",
        ):
            answer = self.talk.last(b"SELECT INBOX " + words)
            self.assertTrue(answer.startswith(b". BAD") or words == b"()", words)
