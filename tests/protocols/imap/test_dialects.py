"""What ENABLE changes: UTF8=ACCEPT (RFC 6855) and IMAP4rev2 (RFC 9051)."""

from __future__ import annotations

from tests.protocols.imap.talk import HELLO, ImapCase

NAME = "Entwürfe & Grüße/日本"
UTF8_NAME = b'"' + NAME.encode() + b'"'
UTF7_NAME = b'"Entw&APw-rfe &- Gr&APwA3w-e/&ZeVnLA-"'


class Utf8Tests(ImapCase):
    """UTF8=ACCEPT."""

    def setUp(self) -> None:
        super().setUp()
        self.talk = self.ann()
        self.talk.asks(b"CREATE " + UTF7_NAME)
        self.assertEqual(self.talk.asks(b"ENABLE UTF8=ACCEPT")[0], b"* ENABLED UTF8=ACCEPT")

    def test_names(self) -> None:
        """Folder names are UTF-8 in both directions, and the same folders as in modified UTF-7."""
        asks = self.talk.asks
        self.assertIn(b'* LIST (\\HasNoChildren) "/" ' + UTF8_NAME, asks(b'LIST "" "*"'))
        self.assertEqual(len(asks(b'LIST "" "' + "Entw%/日".encode() + b'*"')), 2)
        self.assertEqual(asks(b"STATUS " + UTF8_NAME + b" (MESSAGES)")[0], b"* STATUS " + UTF8_NAME + b" (MESSAGES 0)")
        asks(b"SUBSCRIBE " + UTF8_NAME)
        self.assertIn(b'* LSUB () "/" ' + UTF8_NAME, asks(b'LSUB "" "*"'))
        self.assertEqual(asks(b"GETQUOTAROOT " + UTF8_NAME)[0], b"* QUOTAROOT " + UTF8_NAME + b' ""')
        self.assertTrue(self.talk.last(b"SELECT " + UTF8_NAME).startswith(b". OK"))
        other = self.ann()
        self.assertIn(b'* LIST (\\HasNoChildren) "/" ' + UTF7_NAME, other.asks(b'LIST "" "*"'))

    def test_ampersands_are_characters(self) -> None:
        """What would be UTF-7 is a name like any other."""
        self.talk.asks(b"CREATE &APw-")
        self.assertTrue(self.ann().last(b"SELECT &-APw-").startswith(b". OK"))

    def test_broken_names(self) -> None:
        """Octets that are no UTF-8 are refused."""
        self.assertTrue(self.talk.last(b'SELECT "\xff"').startswith(b". NO [CANNOT]"))

    def test_append(self) -> None:
        """Into a folder named in UTF-8."""
        said = self.talk.sends(b"a APPEND " + UTF8_NAME + b" {%d+}\r\n" % len(HELLO) + HELLO + b"\r\n")
        self.assertTrue(said.startswith(b"a OK"), said)

    def test_search(self) -> None:
        """Words are UTF-8 without saying so, and saying so is refused."""
        self.put("Subject: Grüße\r\n\r\n".encode())
        self.talk.asks(b"SELECT INBOX")
        self.assertEqual(self.talk.asks(b'SEARCH SUBJECT "' + "GRÜSSE".encode() + b'"')[0], b"* SEARCH 1")
        self.assertTrue(self.talk.last(b"SEARCH CHARSET UTF-8 ALL").startswith(b". BAD"))


class Rev2Tests(ImapCase):
    """IMAP4rev2."""

    def setUp(self) -> None:
        super().setUp()
        self.put(HELLO, HELLO)
        self.talk = self.ann()
        self.assertEqual(self.talk.asks(b"ENABLE IMAP4rev2")[0], b"* ENABLED IMAP4REV2")

    def test_select(self) -> None:
        r"""No RECENT, no \Recent, but the folder's name (appendix E)."""
        lines = self.talk.asks(b"SELECT inbox")
        self.assertFalse([line for line in lines if b"RECENT" in line.upper()], lines)
        self.assertIn(b'* LIST () "/" INBOX', lines)
        self.assertEqual(self.talk.asks(b"FETCH 1 FLAGS")[0], b"* 1 FETCH (FLAGS ())")
        self.put(HELLO)
        self.assertEqual(self.talk.asks(b"NOOP"), [b"* 3 EXISTS", b". OK NOOP completed"])

    def test_search(self) -> None:
        """SEARCH is answered with ESEARCH."""
        self.talk.asks(b"SELECT INBOX")
        self.assertRegex(self.talk.asks(b"SEARCH ALL")[0], rb'^\* ESEARCH \(TAG "t\d+"\) ALL 1:2$')
        self.assertRegex(self.talk.asks(b"UID SEARCH SEEN")[0], rb'^\* ESEARCH \(TAG "t\d+"\) UID$')

    def test_status(self) -> None:
        r"""DELETED counts what is \Deleted."""
        self.talk.asks(b"SELECT INBOX")
        self.talk.asks(b"STORE 2 +FLAGS (\\Deleted)")
        self.assertEqual(
            self.talk.asks(b"STATUS INBOX (DELETED SIZE)")[0], b"* STATUS INBOX (DELETED 1 SIZE %d)" % (2 * len(HELLO))
        )

    def test_offered(self) -> None:
        """From the greeting on, beside IMAP4rev1."""
        self.assertIn(b"IMAP4rev1 IMAP4rev2 ", self.client().greeting)
