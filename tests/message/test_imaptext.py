"""IMAP strings."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from hostmail.message.imaptext import MAX_QUOTED, astring, literal, nstring, string


class ImapTextTests(SynchronousTestCase):
    def test_string(self) -> None:
        """Quoted where that is allowed, a literal elsewhere (RFC 3501 4.3)."""
        for value, expected in [
            (b"", b'""'),
            (b"a b", b'"a b"'),
            (b'a"b\\', b'"a\\"b\\\\"'),
            (b"a\r\nb", b"{4}\r\na\r\nb"),
            (b"Gr\xfc\xdfe", b"{5}\r\nGr\xfc\xdfe"),
        ]:
            self.assertEqual(string(value), expected)

    def test_nul_is_never_sent(self) -> None:
        """CHAR8 has no NUL, so it becomes a question mark."""
        self.assertEqual(string(b"a\0b"), b"{3}\r\na?b")

    def test_long_strings_are_literals(self) -> None:
        """Clients have line buffers."""
        self.assertTrue(string(b"x" * (MAX_QUOTED + 1)).startswith(b"{4097}\r\n"))

    def test_nstring(self) -> None:
        """NIL is not the empty string, nor the string NIL."""
        self.assertEqual([nstring(None), nstring(b""), nstring(b"NIL")], [b"NIL", b'""', b'"NIL"'])

    def test_astring(self) -> None:
        """Atoms are bare; NIL, wildcards and the empty string are quoted."""
        self.assertEqual(astring(b"INBOX.a]"), b"INBOX.a]")
        for value in (b"nil", b"", b"a b", b"a%", b"a*", b"(", b'"', b"\\", b"{"):
            self.assertNotEqual(astring(value), value)

    def test_literal(self) -> None:
        """Octet for octet."""
        self.assertEqual(literal(b"a\0\xff"), b"{3}\r\na\0\xff")
