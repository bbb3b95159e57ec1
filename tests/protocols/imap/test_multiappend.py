"""APPEND of several messages (RFC 3502), as UTF8 and literal8 (RFC 6855, RFC 3516), and REPLACE (RFC 8508)."""

from __future__ import annotations

from hostmail.errors import TemporaryFailure
from tests.protocols.imap.talk import ANN, HELLO, Broken, ImapCase, small_limits

SIZE = b"%d" % len(HELLO)
GREEN = "Subject: grün\r\n\r\ngrün\0\r\n".encode()


class AppendCase(ImapCase):
    """Ann, and what she has stored."""

    def setUp(self) -> None:
        super().setUp()
        self.talk = self.ann()

    def stored(self, folder: str = "INBOX") -> list[bytes]:
        """The messages of a folder."""
        return list(self.house.store.contents(ANN, folder))


class MultiAppendTests(AppendCase):
    """RFC 3502."""

    def test_several(self) -> None:
        """Each with its flags and date, told before it comes; one answer with all UIDs."""
        talk = self.talk
        self.assertEqual(talk.sends(b"A APPEND INBOX (\\Seen) {" + SIZE + b"}\r\n"), b"+ ready for the message\r\n")
        second = b' (\\Draft) " 7-Feb-1994 21:52:25 -0800" {%d}\r\n' % len(GREEN)
        self.assertEqual(talk.sends(HELLO + second), b"+ ready for the message\r\n")
        self.assertEqual(talk.sends(GREEN + b" {" + SIZE + b"+}\r\n"), b"")
        self.assertEqual(talk.sends(HELLO + b"\r\n"), b"A OK [APPENDUID 1700000000 1:3] APPEND completed\r\n")
        self.assertEqual(self.stored(), [HELLO, GREEN, HELLO])
        talk.asks(b"EXAMINE INBOX")
        flags = [line.partition(b"FLAGS ")[2] for line in talk.asks(b"FETCH 1:3 FLAGS")[:3]]
        self.assertEqual([word.split(b" ")[0].strip(b"()") for word in flags], [b"\\Seen", b"\\Draft", b"\\Recent"])

    def test_all_or_none(self) -> None:
        """Whatever is wrong with a later one, the earlier ones are not there either; nothing is run as a command."""
        for size, start in ((0, b"A NO the message is empty"), (1001, b"A NO [TOOBIG]")):
            talk = self.ann(limits=small_limits(append_octets=1000))
            said = talk.sends(
                b"A APPEND INBOX {" + SIZE + b"+}\r\n" + HELLO + b" {%d+}\r\n%b\r\nB NOOP\r\n" % (size, b"x" * size)
            )
            self.assertTrue(said.startswith(start), said)
            self.assertTrue(said.endswith(b"\r\nB OK NOOP completed\r\n"), said)
        said = self.talk.sends(b"A APPEND INBOX {" + SIZE + b"+}\r\n" + HELLO + b" junk {3+}\r\nabc\r\n")
        self.assertTrue(said.startswith(b"A BAD "), said)
        said = self.talk.sends(b"A APPEND INBOX {" + SIZE + b"+}\r\n" + HELLO + b" junk\r\n")
        self.assertTrue(said.startswith(b"A BAD "), said)
        self.assertEqual(self.stored(), [])

    def test_not_endless(self) -> None:
        """A hundred, and no more."""
        one = b" {3+}\r\nabc"
        self.assertIn(b"1:100] APPEND completed", self.talk.sends(b"A APPEND INBOX" + one * 100 + b"\r\n"))
        self.assertTrue(self.talk.sends(b"B APPEND INBOX" + one * 101 + b"\r\n").startswith(b"B NO [LIMIT]"))
        self.assertEqual(len(self.stored()), 100)

    def test_no_room_for_all(self) -> None:
        """Room for each but not for all: none."""
        size = 11 * 1024 * 1024
        piece = b" {%d+}\r\n%b" % (size, b"x" * size)
        said = self.talk.sends(b"A APPEND INBOX" + piece * 2 + b"\r\n")
        self.assertTrue(said.startswith(b"A NO [OVERQUOTA]"), said)
        self.assertEqual(self.stored(), [])

    def test_a_dropped_line(self) -> None:
        """Nothing is left of what had come."""
        self.talk.sends(b"A APPEND INBOX {" + SIZE + b"+}\r\n" + HELLO + b" {10+}\r\nabc")
        self.talk.hangs_up()
        self.assertEqual(self.stored(), [])

    def test_faults(self) -> None:
        """A fault of the store is a refusal for now, after all has been read."""
        account = self.talk.server.account
        assert account is not None
        account.store = Broken(account.store, {"commit_all": TemporaryFailure()})
        said = self.talk.sends(b"A APPEND INBOX {3+}\r\nabc {3+}\r\ndef\r\nB NOOP\r\n")
        self.assertTrue(said.startswith(b"A NO [UNAVAILABLE]"), said)
        self.assertTrue(said.endswith(b"B OK NOOP completed\r\n"), said)


class BinaryAppendTests(AppendCase):
    """Octets that a plain literal cannot carry."""

    def test_literal8(self) -> None:
        """NULs and all (RFC 3516 section 4.4)."""
        said = self.talk.sends(b"A APPEND INBOX ~{%d+}\r\n%b\r\n" % (len(GREEN), GREEN))
        self.assertTrue(said.startswith(b"A OK "), said)
        self.assertEqual(self.stored(), [GREEN])

    def test_utf8(self) -> None:
        """UTF8 (~{...}) with its parenthesis, also before another message."""
        piece = b" UTF8 (~{%d+}\r\n%b)" % (len(GREEN), GREEN)
        said = self.talk.sends(b"A APPEND INBOX (\\Seen)" + piece + piece + b"\r\n")
        self.assertTrue(said.startswith(b"A OK "), said)
        self.assertEqual(self.stored(), [GREEN, GREEN])
        for wrong in (piece[:-1], b" UTF8 ({3+}\r\nabc)", piece[:-1] + b" {3+}\r\nabc", b" UTF8 ~{3+}\r\nabc"):
            self.assertTrue(self.talk.sends(b"A APPEND INBOX" + wrong + b"\r\n").startswith(b"A BAD"), wrong)
        self.assertEqual(len(self.stored()), 2)


class ReplaceTests(AppendCase):
    """RFC 8508."""

    def setUp(self) -> None:
        super().setUp()
        self.put(b"Subject: 1\r\n\r\n", b"Subject: 2\r\n\r\n")
        self.talk.asks(b"SELECT INBOX")

    def replace(self, words: bytes) -> list[bytes]:
        """The answer's lines."""
        said = self.talk.sends(b"A " + words + b" {" + SIZE + b"+}\r\n" + HELLO + b"\r\n")
        return said.split(b"\r\n")[:-1]

    def test_replaced(self) -> None:
        """The new message is told before the old one is gone."""
        self.assertEqual(
            self.replace(b"REPLACE 1 INBOX (\\Seen)"),
            [
                b"* OK [APPENDUID 1700000000 3] replacement is there",
                b"* 3 EXISTS",
                b"* 3 RECENT",
                b"* 1 EXPUNGE",
                b"A OK REPLACE completed",
            ],
        )
        self.assertEqual(self.stored(), [b"Subject: 2\r\n\r\n", HELLO])

    def test_by_uid_into_another_folder(self) -> None:
        """UID REPLACE; a draft that is sent goes elsewhere."""
        lines = self.replace(b"UID REPLACE 2 Sent")
        self.assertEqual(lines[1:], [b"* 2 EXPUNGE", b"A OK REPLACE completed"])
        self.assertEqual((self.stored(), self.stored("Sent")), ([b"Subject: 1\r\n\r\n"], [HELLO]))

    def test_nothing_to_replace(self) -> None:
        """A message that is not there, or a folder that is open for reading only, or none: nothing is stored."""
        for words in (b"REPLACE 3 INBOX", b"REPLACE 0 INBOX", b"UID REPLACE 9 INBOX"):
            self.assertEqual(self.replace(words), [b"A NO [NONEXISTENT] there is no such message to be replaced"])
        self.assertTrue(self.replace(b"REPLACE x INBOX")[0].startswith(b"A BAD"))
        self.assertTrue(self.replace(b"REPLACE 1 Nowhere")[0].startswith(b"A NO [TRYCREATE]"))
        self.talk.asks(b"EXAMINE INBOX")
        self.assertEqual(self.replace(b"REPLACE 1 INBOX"), [b"A NO the folder is open for reading only"])
        self.talk.asks(b"UNSELECT")
        self.assertTrue(self.replace(b"REPLACE 1 INBOX")[0].startswith(b"A BAD"))
        self.assertEqual(len(self.stored()), 2)

    def test_gone_meanwhile(self) -> None:
        """Expunged by another session before the new one is there: both are left alone."""
        self.talk.sends(b"A REPLACE 1 INBOX {" + SIZE + b"+}\r\n" + HELLO[:10])
        other = self.ann(b"INBOX")
        other.asks(b"STORE 1 +FLAGS (\\Deleted)")
        other.asks(b"EXPUNGE")
        said = self.talk.sends(HELLO[10:] + b"\r\n")
        self.assertIn(b"A NO [EXPUNGEISSUED]", said)
        self.assertEqual(self.stored(), [b"Subject: 2\r\n\r\n"])

    def test_one_for_one(self) -> None:
        """Not several for one; without a literal it is no command."""
        said = self.talk.sends(b"A REPLACE 1 INBOX {3+}\r\nabc {3+}\r\ndef\r\n")
        self.assertTrue(said.startswith(b"A NO [LIMIT]"), said)
        self.assertTrue(self.talk.last(b"REPLACE 1 INBOX").startswith(b". BAD"))
        self.assertEqual(len(self.stored()), 2)
