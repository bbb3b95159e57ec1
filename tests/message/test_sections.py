"""BODY[...] as octet ranges."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from hostmail.message.scan import scan
from hostmail.message.sections import Extract, Section, What, find_part, find_section
from tests import corpus
from tests.message.naming import parse_section
from tests.message.reading import read_section


def read(data: bytes, spec: bytes) -> bytes | None:
    return read_section(data, scan(data), parse_section(spec))


class MessageSectionTests(SynchronousTestCase):
    """Sections of the message itself."""

    def test_header_and_text_make_the_whole(self) -> None:
        """BODY[] is BODY[HEADER] and BODY[TEXT] together, blank line in the header (TWISTED I5)."""
        for name, data in corpus.odd_messages().items():
            self.assertEqual(read(data, b""), data, name)
            self.assertEqual((read(data, b"HEADER") or b"") + (read(data, b"TEXT") or b""), data, name)
        self.assertTrue((read(corpus.PLAIN, b"HEADER") or b"").endswith(b"\r\n\r\n"))

    def test_fields_come_as_they_are(self) -> None:
        """Original order and case, every repetition, folding kept, a blank line at the end (TWISTED I5)."""
        self.assertEqual(
            read(corpus.PLAIN, b"HEADER.FIELDS (SUBJECT received)"),
            b"Received: from a.example (a.example [192.0.2.1]) by b.example; Tue, 14 Nov 2023 22:13:20 +0000\r\n"
            b"Received: from c.example by a.example; Tue, 14 Nov 2023 22:13:19 +0000\r\n"
            b"SUBJECT: Greetings\r\n  from Vienna\r\n\r\n",
        )

    def test_fields_not(self) -> None:
        """The others, also in order."""
        wanted = b"HEADER.FIELDS.NOT (received dkim-signature date from to return-path subject)"
        self.assertEqual(read(corpus.PLAIN, wanted), b"Message-ID: <1@example.org>\r\n\r\n")

    def test_fields_and_not_complement(self) -> None:
        """What the one leaves out the other has, lines that are no field among it."""
        for name, data in corpus.odd_messages().items():
            root = scan(data)
            names = frozenset((b"subject", b"from"))
            some = find_section(root, Section((), What.FIELDS, names))
            others = find_section(root, Section((), What.FIELDS_NOT, names))
            assert some is not None
            assert others is not None
            total = sum(end - start for start, end in some.ranges + others.ranges)
            self.assertEqual(total, root.header_end, name)

    def test_absent_fields(self) -> None:
        """No such field: just the blank line."""
        self.assertEqual(read(corpus.PLAIN, b"HEADER.FIELDS (x)"), b"\r\n")
        self.assertEqual(read(b"", b"HEADER.FIELDS (x)"), b"\r\n")

    def test_header_cut_in_a_line(self) -> None:
        """A field without line end gets one before the blank line."""
        self.assertEqual(read(b"Subject: x", b"HEADER.FIELDS (subject)"), b"Subject: x\r\n\r\n")
        self.assertEqual(read(b"A: b\r\nSubject: x", b"HEADER.FIELDS (a)"), b"A: b\r\n\r\n")

    def test_nameless_lines_have_no_name(self) -> None:
        """Asking for the field of no name finds nothing."""
        data = corpus.odd_messages()["line without colon"]
        self.assertEqual(read(data, b'HEADER.FIELDS ("")'), b"\r\n")


class PartSectionTests(SynchronousTestCase):
    """Sections by part number."""

    def test_parts(self) -> None:
        """The numbering of RFC 3501 6.4.5, through multiparts and embedded messages."""
        for spec, expected in [
            (b"1.1", b"Gr=C3=BC=C3=9Fe=\r\n!"),
            (b"1.2", b"PGI+R3L83GU8L2I+"),
            (b"1.2.MIME", b"Content-Type: text/html; charset=iso-8859-1\r\nContent-Transfer-Encoding: base64\r\n\r\n"),
            (b"2.1", b"first inside"),
            (b"2.1.MIME", b"\r\n"),
            (b"2.2", b"AAAA"),
            (b"2.HEADER.FIELDS (subject)", b"Subject: inside\r\n\r\n"),
            (b"2.MIME", b"Content-Type: message/rfc822\r\nContent-Description: the one before\r\n\r\n"),
        ]:
            self.assertEqual(read(corpus.MIXED, spec), expected, spec)

    def test_embedded_message(self) -> None:
        """n is the embedded message; n.HEADER and n.TEXT are its halves."""
        whole = read(corpus.MIXED, b"2")
        assert whole is not None
        self.assertTrue(whole.startswith(b"From: Inner"))
        self.assertEqual((read(corpus.MIXED, b"2.HEADER") or b"") + (read(corpus.MIXED, b"2.TEXT") or b""), whole)

    def test_part_one_of_a_plain_message(self) -> None:
        """BODY[1] of a message without parts is its body, 1.MIME its header."""
        self.assertEqual(read(corpus.PLAIN, b"1"), b"Hello,\r\nthis is text.\r\n")
        self.assertEqual(read(corpus.PLAIN, b"1.MIME"), read(corpus.PLAIN, b"HEADER"))

    def test_missing_parts(self) -> None:
        """A part that is not there is None, never an error (TWISTED I4: BODY[2] of a non-multipart)."""
        for data, spec in [
            (corpus.PLAIN, b"2"),
            (corpus.PLAIN, b"1.1"),
            (corpus.PLAIN, b"1.HEADER"),
            (corpus.PLAIN, b"1.TEXT"),
            (corpus.MIXED, b"3"),
            (corpus.MIXED, b"1.3"),
            (corpus.MIXED, b"1.1.1"),
            (corpus.MIXED, b"1.HEADER"),
            (corpus.MIXED, b"9.9.9"),
            (b"", b"2"),
        ]:
            self.assertIsNone(read(data, spec), spec)

    def test_message_that_is_a_message(self) -> None:
        """A root of message/rfc822: 1 is the embedded message, 1.1 its body, 1.HEADER its header."""
        data = b"Content-Type: message/rfc822\r\n\r\nSubject: in\r\n\r\nwords"
        self.assertEqual(read(data, b"1"), b"Subject: in\r\n\r\nwords")
        self.assertEqual(read(data, b"1.1"), b"words")
        self.assertEqual(read(data, b"1.HEADER"), b"Subject: in\r\n\r\n")
        self.assertIsNone(read(data, b"1.2"))
        self.assertIsNone(read(data, b"1.1.1"))

    def test_find_part(self) -> None:
        """No numbers lead to the message itself."""
        root = scan(corpus.MIXED)
        self.assertIs(find_part(root, ()), root)
        self.assertIs(find_part(root, (1, 2)), root.children[0].children[1])


class WindowTests(SynchronousTestCase):
    def test_every_window(self) -> None:
        """<offset.length> of ranges is the slice of the octets, for every offset and length."""
        data = b"abcdefghij"
        extract = Extract(((1, 3), (4, 4), (5, 9)), b"\r\n")
        whole = extract.read(data)
        self.assertEqual(extract.size, len(whole))
        for offset in range(12):
            for length in range(12):
                part = extract.window(offset, length)
                self.assertEqual(part.read(data), whole[offset : offset + length])
                self.assertEqual(part.size, len(whole[offset : offset + length]))
