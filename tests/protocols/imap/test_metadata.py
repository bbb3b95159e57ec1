"""METADATA and METADATA-SERVER (RFC 5464)."""

from __future__ import annotations

from hostmail.errors import TemporaryFailure
from hostmail.interfaces.mailstore import MAX_ANNOTATION_OCTETS
from tests.protocols.imap.talk import Broken, ImapCase


class MetadataCase(ImapCase):
    def setUp(self) -> None:
        super().setUp()
        self.talk = self.ann()

    def sets(self, words: bytes) -> None:
        """SETMETADATA that is done without a word."""
        self.assertEqual(self.talk.asks(b"SETMETADATA " + words), [b". OK SETMETADATA completed"])

    def gets(self, words: bytes) -> bytes:
        """What GETMETADATA tells, in one line."""
        told, last = self.talk.asks(b"GETMETADATA " + words)
        self.assertEqual(last, b". OK GETMETADATA completed")
        return told


class Values(MetadataCase):
    def test_offered(self) -> None:
        """After login."""
        self.assertIn(b" METADATA METADATA-SERVER", self.talk.asks(b"CAPABILITY")[0])

    def test_set_and_get(self) -> None:
        """One or several, for a folder or the account; what is not there comes back as NIL."""
        self.sets(b'Sent (/private/comment "My comment" /shared/comment two)'.replace(b"two", b'"two"'))
        self.sets(b'"" (/private/vendor/example/x "y")')
        self.assertEqual(
            self.gets(b"Sent (/shared/comment /private/comment /private/no)"),
            b'* METADATA Sent (/shared/comment "two" /private/comment "My comment" /private/no NIL)',
        )
        self.assertEqual(self.gets(b'"" /private/vendor/example/x'), b'* METADATA "" (/private/vendor/example/x "y")')
        self.assertEqual(self.gets(b"INBOX /shared/comment"), b"* METADATA INBOX (/shared/comment NIL)")
        self.assertEqual(self.gets(b'"" /shared/admin'), b'* METADATA "" (/shared/admin NIL)')

    def test_nil_removes(self) -> None:
        """In one command with what is set."""
        self.sets(b'INBOX (/private/comment "1" /shared/comment "2")')
        self.sets(b'INBOX (/private/comment NIL /shared/comment "")')
        self.assertEqual(
            self.gets(b"INBOX (/private/comment /shared/comment)"),
            b'* METADATA INBOX (/private/comment NIL /shared/comment "")',
        )

    def test_names_mind_no_case(self) -> None:
        """And come back as they were asked for; folder names as they must be spelled."""
        self.talk.last(b"CREATE &AOQ-")
        self.sets(b'&AOQ- ("/Private/Comment" "1")')
        self.assertEqual(self.gets(b'"&AOQ-" /PRIVATE/comment'), b'* METADATA &AOQ- (/PRIVATE/comment "1")')

    def test_lines_and_octets(self) -> None:
        """Literals, with any octet in a literal8, come back octet by octet."""
        for literal in (b"{7+}\r\na\r\nb \xff\xc3", b"~{4+}\r\n\0\1\2\3"):
            self.assertIn(b"OK", self.talk.sends(b"a SETMETADATA INBOX (/private/comment " + literal + b")\r\n"))
            answer = self.talk.sends(b"b GETMETADATA INBOX /private/comment\r\n")
            self.assertIn(b"(/private/comment " + literal.replace(b"+", b"") + b")\r\n", answer)

    def test_spaces_in_names(self) -> None:
        """Discouraged, and possible."""
        self.sets(b'INBOX ("/private/a b" "1")')
        self.assertEqual(self.gets(b'INBOX "/private/a b"'), b'* METADATA INBOX ("/private/a b" "1")')

    def test_follows_the_folder(self) -> None:
        """Renamed with it, gone with it (section 4.1)."""
        self.talk.last(b"CREATE Work")
        self.sets(b'Work (/private/comment "1")')
        self.talk.last(b"RENAME Work Play")
        self.assertEqual(self.gets(b"Play /private/comment"), b'* METADATA Play (/private/comment "1")')
        self.talk.last(b"DELETE Play")
        self.assertIn(b"NO [NONEXISTENT]", self.talk.last(b"GETMETADATA Play /private/comment"))
        self.assertIn(b"NO [NONEXISTENT]", self.talk.last(b'SETMETADATA Play (/private/comment "1")'))


class Options(MetadataCase):
    def setUp(self) -> None:
        super().setUp()
        self.sets(b'INBOX (/private/a "1" /private/a/b "22" /private/a/b/c "333" /private/ab "4" /shared/a "55555")')

    def test_depth(self) -> None:
        """0, 1, infinity; whole levels only."""
        self.assertEqual(self.gets(b"(DEPTH 0) INBOX /private/a"), b'* METADATA INBOX (/private/a "1")')
        self.assertEqual(
            self.gets(b"(DEPTH 1) INBOX /private/a"), b'* METADATA INBOX (/private/a "1" /private/a/b "22")'
        )
        self.assertEqual(
            self.gets(b"(DEPTH infinity) INBOX /private/a/B"),
            b'* METADATA INBOX (/private/a/B "22" /private/a/B/c "333")',
        )
        self.assertEqual(self.gets(b"(DEPTH 1) INBOX (/shared)"), b'* METADATA INBOX (/shared/a "55555")')

    def test_depth_finds_nothing(self) -> None:
        """Then there is nothing to be told."""
        self.assertEqual(
            self.talk.asks(b"GETMETADATA (DEPTH infinity) INBOX /private/no"), [b". OK GETMETADATA completed"]
        )

    def test_maxsize(self) -> None:
        """Longer values are left out, and the longest of them is told."""
        self.assertEqual(
            self.talk.asks(b"GETMETADATA (MAXSIZE 1 DEPTH infinity) INBOX (/private /shared)"),
            [
                b'* METADATA INBOX (/private/a "1" /private/ab "4")',
                b". OK [METADATA LONGENTRIES 5] GETMETADATA completed",
            ],
        )
        self.assertEqual(self.gets(b"(MAXSIZE 5) INBOX /shared/a"), b'* METADATA INBOX (/shared/a "55555")')

    def test_options_behind_the_folder(self) -> None:
        """As in the RFC's examples."""
        self.assertEqual(self.gets(b'"INBOX" (DEPTH 0 MAXSIZE 9) (/private/a)'), b'* METADATA INBOX (/private/a "1")')


class Refusals(MetadataCase):
    def test_bad_syntax(self) -> None:
        """Names that are none, values that are none, options that are none."""
        for words in (
            b'GETMETADATA',
            b'GETMETADATA INBOX',
            b'GETMETADATA INBOX ()',
            b'GETMETADATA INBOX /private/a /private/b',
            b'GETMETADATA INBOX comment',
            b'GETMETADATA INBOX /comment',
            b'GETMETADATA INBOX /private/',
            b'GETMETADATA INBOX /private//a',
            b'GETMETADATA INBOX "/private/*"',
            b'GETMETADATA INBOX "/private/%"',
            b'GETMETADATA INBOX /private/' + b"a" * 250,
            b'GETMETADATA (DEPTH 2) INBOX /private/a',
            b'GETMETADATA (MAXSIZE x) INBOX /private/a',
            b'GETMETADATA (SIZE 1) INBOX /private/a',
            b'SETMETADATA INBOX ()',
            b'SETMETADATA INBOX (/private "1")',
            b'SETMETADATA INBOX (/private/a)',
            b'SETMETADATA INBOX (/private/a atom)',
            b'SETMETADATA INBOX (/private/vendor/a "1")',
            b'SETMETADATA INBOX /private/a "1"',
        ):  # fmt: skip
            self.talk.last(b"NOOP")
            self.assertTrue(self.talk.last(words).startswith(b". BAD"), words)

    def test_too_long(self) -> None:
        """MAXSIZE says how long a value may be, and nothing else of the command is done."""
        long = b"x" * (MAX_ANNOTATION_OCTETS + 1)
        answer = self.talk.sends(b'a SETMETADATA INBOX (/private/a "1" /private/b {%d+}\r\n%b)\r\n' % (len(long), long))
        self.assertEqual(answer, b"a NO [METADATA MAXSIZE %d] the value is too long\r\n" % MAX_ANNOTATION_OCTETS)
        self.assertEqual(self.gets(b"INBOX /private/a"), b"* METADATA INBOX (/private/a NIL)")

    def test_much_too_long(self) -> None:
        """The same where a literal is not even kept: at once for who waits, after reading it away for who does not."""
        answer = b"a NO [METADATA MAXSIZE %d] the value is too long\r\n" % MAX_ANNOTATION_OCTETS
        self.assertEqual(self.talk.sends(b"a SETMETADATA INBOX (/private/b {99999}\r\n"), answer)
        sent = b"a SETMETADATA INBOX (/private/b {99999+}\r\n%b)\r\n" % (b"x" * 99_999)
        self.assertEqual(self.talk.sends(sent), answer)

    def test_too_many(self) -> None:
        """TOOMANY."""
        pairs = b" ".join(b'/private/%d "1"' % number for number in range(101))
        self.assertIn(b"NO [METADATA TOOMANY] ", self.talk.last(b"SETMETADATA INBOX (%b)" % pairs))

    def test_the_operators(self) -> None:
        """The server's /shared/admin is read-only; a folder's is not special."""
        self.assertIn(b"NO [NOPERM] ", self.talk.last(b'SETMETADATA "" (/shared/admin "mailto:x@example.com")'))
        self.sets(b'INBOX (/shared/admin "x")')

    def test_not_before_login(self) -> None:
        """It is nobody's yet."""
        self.assertTrue(self.client().last(b'GETMETADATA "" /shared/admin').startswith(b". BAD"))

    def test_faults(self) -> None:
        """A failure for now."""
        account = self.talk.server.account
        assert account is not None
        account.store = Broken(account.store, {"annotations": TemporaryFailure()})
        self.assertIn(b"NO [UNAVAILABLE]", self.talk.last(b'GETMETADATA "" /shared/admin'))
