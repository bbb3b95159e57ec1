"""FETCH items that the index does not have ready: PREVIEW, BINARY; and the ids of messages and folders."""

from __future__ import annotations

import base64
import re

from tests.protocols.imap.talk import HELLO, ImapCase
from tests.protocols.imap.test_hardness import Counting

MIXED = (
    b"Subject: mixed\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n"
    b"--b\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\nR3LDvMOfZSE=\r\n"
    b"--b\r\nContent-Type: application/x-data\r\nContent-Transfer-Encoding: BASE64\r\n\r\nAAEC\r\n"
    b"--b\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\na=3Db=\r\nc\r\n"
    b"--b\r\nContent-Transfer-Encoding: x-own\r\n\r\n????\r\n"
    b"--b--\r\n"
)


class MadeTests(ImapCase):
    """Made from the message when asked for."""

    def setUp(self) -> None:
        super().setUp()
        self.put(HELLO, MIXED)
        self.talk = self.ann(b"INBOX")

    def fetched(self, command: bytes) -> bytes:
        """All of the answer but its tagged line."""
        said = self.talk.sends(b"x " + command + b"\r\n")
        self.assertTrue(said.endswith(b"x OK FETCH completed\r\n"), said)
        return said[: said.rindex(b"x OK")]

    def test_preview(self) -> None:
        """RFC 8970: the words, LAZY or not, without marking the message as seen."""
        self.assertEqual(
            self.fetched(b"FETCH 1 (UID PREVIEW)"), b'* 1 FETCH (UID 1 PREVIEW "Hello Ann, how are you?")\r\n'
        )
        greeting = "Grüße!".encode()
        self.assertEqual(self.fetched(b"FETCH 2 PREVIEW (LAZY)"), b"* 2 FETCH (PREVIEW {8}\r\n" + greeting + b")\r\n")
        self.assertEqual(self.fetched(b"FETCH 1:2 FLAGS").count(b"\\Seen"), 0)

    def test_binary(self) -> None:
        """RFC 3516: parts without their transfer encoding, as literal8 where there is a NUL; missing ones are NIL."""
        self.assertEqual(
            self.fetched(b"FETCH 2 BINARY.PEEK[1]"), b"* 2 FETCH (BINARY[1] {8}\r\n" + "Grüße!".encode() + b")\r\n"
        )
        self.assertEqual(self.fetched(b"FETCH 2 BINARY.PEEK[2]"), b"* 2 FETCH (BINARY[2] ~{3}\r\n\0\1\2)\r\n")
        self.assertEqual(self.fetched(b"FETCH 2 BINARY.PEEK[3]"), b"* 2 FETCH (BINARY[3] {4}\r\na=bc)\r\n")
        self.assertEqual(self.fetched(b"FETCH 2 BINARY.PEEK[9]"), b"* 2 FETCH (BINARY[9] NIL)\r\n")
        self.assertEqual(
            self.fetched(b"FETCH 2 BINARY.PEEK[1]<2.3>"), b"* 2 FETCH (BINARY[1]<2> {3}\r\n\xc3\xbc\xc3)\r\n"
        )
        self.assertEqual(
            self.fetched(b"FETCH 1 BINARY.PEEK[]"), b"* 1 FETCH (BINARY[] {%d}\r\n%b)\r\n" % (len(HELLO), HELLO)
        )
        body = HELLO.partition(b"\r\n\r\n")[2]
        self.assertEqual(
            self.fetched(b"FETCH 1 BINARY.PEEK[1]"), b"* 1 FETCH (BINARY[1] {%d}\r\n%b)\r\n" % (len(body), body)
        )

    def test_binary_sizes(self) -> None:
        """The decoded size; several at once."""
        answer = self.fetched(b"FETCH 2 (BINARY.SIZE[1] BINARY.SIZE[2] BINARY.SIZE[7])")
        self.assertEqual(answer, b"* 2 FETCH (BINARY.SIZE[1] 8 BINARY.SIZE[2] 3 BINARY.SIZE[7] 0)\r\n")

    def test_binary_marks_as_seen(self) -> None:
        """Without PEEK, reading is reading."""
        self.assertIn(b"FLAGS (\\Seen", self.fetched(b"FETCH 2 BINARY[1]"))

    def test_unknown_encodings(self) -> None:
        """What cannot be decoded is refused in so many words."""
        self.assertTrue(self.talk.last(b"FETCH 2 BINARY.PEEK[4]").startswith(b". NO [UNKNOWN-CTE]"))

    def test_unknown_encodings_among_others(self) -> None:
        """Everything else comes, also where a row goes out in pieces; the connection lives."""
        big = MIXED.replace(b"AAEC", b"QUJD" * 100_000)
        self.put(big)
        self.talk.asks(b"NOOP")
        answer = self.talk.sends(b"x FETCH 2:3 (BODY.PEEK[] BINARY.PEEK[4] BINARY.SIZE[4] BINARY[3])\r\n")
        self.assertFalse(self.talk.wire.aborted)
        self.assertEqual(answer.count(b" BINARY[4] NIL BINARY.SIZE[4] 0 BINARY[3] {4}\r\na=bc)\r\n"), 2)
        self.assertIn(b"* 3 FETCH (BODY[] {%d}\r\n" % len(big) + big, answer)
        self.assertIn(b"* 2 FETCH (FLAGS (\\Seen", answer)
        self.assertIn(b"x NO [UNKNOWN-CTE]", answer)

    def test_large_parts_give_others_their_turn(self) -> None:
        """While they are decoded, and each only once however many pieces of it are asked for."""
        content = bytes(range(256)) * 12_000
        clock = self.house.clock = Counting()
        self.put(b"Content-Transfer-Encoding: base64\r\n\r\n" + base64.encodebytes(content).replace(b"\n", b"\r\n"))
        talk = self.ann(b"INBOX")
        self.assertEqual(talk.sends(b"x FETCH 3 (BINARY[1]<5.7> BINARY.SIZE[1] BINARY[1]<0.400000>)\r\n"), b"")
        turns = clock.turns
        clock.advance(0)
        self.assertGreater(clock.turns, turns)
        said = talk.wire.said()
        self.assertIn(
            b"(BINARY[1]<5> {7}\r\n\5\6\7\x08\t\n\x0b BINARY.SIZE[1] 3072000 BINARY[1]<0> ~{400000}\r\n"
            + content[:400_000]
            + b")\r\n",
            said,
        )

    def test_refused(self) -> None:
        """Sections that BINARY does not have."""
        for item in (
            b"BINARY",
            b"BINARY[1",
            b"BINARY[TEXT]",
            b"BINARY.PEEK[1.MIME]",
            b"BINARY.SIZE[1]<0.1>",
            b"PREVIEW (EAGER)",
        ):
            self.assertTrue(self.talk.last(b"FETCH 1 (" + item + b")").startswith(b". BAD"), item)


class ObjectIdTests(ImapCase):
    """RFC 8474."""

    def setUp(self) -> None:
        super().setUp()
        self.put(HELLO, MIXED)
        self.talk = self.ann(b"INBOX")

    def ids(self) -> list[bytes]:
        """EMAILIDs of the selected folder."""
        return re.findall(rb"EMAILID \((M[0-9a-f]+)\)", b"".join(self.talk.asks(b"FETCH 1:* EMAILID")))

    def test_emails(self) -> None:
        """Different messages have different ids, copies the same; SEARCH finds them; threads have none."""
        one, two = self.ids()
        self.assertNotEqual(one, two)
        self.talk.asks(b"CREATE Copies")
        self.talk.asks(b"COPY 2 Copies")
        self.talk.asks(b"SELECT Copies")
        self.assertEqual(self.ids(), [two])
        self.assertEqual(self.talk.asks(b"SEARCH EMAILID " + two)[0], b"* SEARCH 1")
        for other in (one, b"M", b"Mxx", b"X" + two):
            self.assertEqual(self.talk.asks(b"SEARCH EMAILID " + other)[0], b"* SEARCH")
        self.assertEqual(self.talk.asks(b"FETCH 1 THREADID")[0], b"* 1 FETCH (THREADID NIL)")
        self.assertEqual(self.talk.asks(b"SEARCH THREADID T1")[0], b"* SEARCH")

    def test_mailboxes(self) -> None:
        """CREATE, SELECT and STATUS tell the same id, which a new name does not change."""
        (made,) = re.findall(rb"\[MAILBOXID \((F\d+)\)\]", self.talk.last(b"CREATE One"))
        self.talk.asks(b"RENAME One Two")
        self.assertEqual(self.talk.asks(b"STATUS Two (MAILBOXID)")[0], b"* STATUS Two (MAILBOXID (" + made + b"))")
        self.assertIn(b"* OK [MAILBOXID (" + made + b")] stays with the folder", self.talk.asks(b"SELECT Two"))
        (inbox,) = re.findall(rb"MAILBOXID \((F\d+)\)", self.talk.asks(b"STATUS INBOX (MAILBOXID)")[0])
        self.assertNotEqual(made, inbox)


class SaveDateTests(ImapCase):
    """RFC 8514: when a message came into its folder, whatever its own dates say."""

    def test_saved(self) -> None:
        """The time of the APPEND or COPY."""
        self.put(HELLO, date=760_654_345)
        self.clock.advance(86_400)
        talk = self.ann(b"INBOX")
        self.assertEqual(
            talk.asks(b"FETCH 1 (INTERNALDATE)")[0], b'* 1 FETCH (INTERNALDATE " 7-Feb-1994 20:52:25 +0000")'
        )
        self.assertEqual(
            talk.asks(b"FETCH 1 (UID SAVEDATE)")[0], b'* 1 FETCH (UID 1 SAVEDATE "14-Nov-2023 22:13:20 +0000")'
        )
        talk.asks(b"CREATE Later")
        talk.asks(b"COPY 1 Later")
        talk.asks(b"SELECT Later")
        self.assertEqual(talk.asks(b"FETCH 1 SAVEDATE")[0], b'* 1 FETCH (SAVEDATE "15-Nov-2023 22:13:20 +0000")')

    def test_searched(self) -> None:
        """By day."""
        self.put(HELLO, date=760_654_345)
        self.clock.advance(86_400)
        self.put(HELLO)
        talk = self.ann(b"INBOX")
        for program, found in (
            (b"SAVEDON 14-Nov-2023", b" 1"),
            (b"SAVEDSINCE 14-Nov-2023", b" 1 2"),
            (b"SAVEDBEFORE 15-Nov-2023", b" 1"),
            (b"NOT SAVEDBEFORE 15-Nov-2023 SAVEDATESUPPORTED", b" 2"),
        ):
            self.assertEqual(talk.asks(b"SEARCH " + program)[0], b"* SEARCH" + found, program)
