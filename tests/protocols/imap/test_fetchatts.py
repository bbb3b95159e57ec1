"""What FETCH asks for."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from hostmail.protocols.imap import fetchatts
from hostmail.protocols.imap.fetchatts import FetchRequest, Section, parse_fetch_request
from hostmail.protocols.imap.tokens import BadSyntax, Cursor


def parsed(text: bytes) -> FetchRequest:
    """The request that these words make, to their end."""
    cursor = Cursor([text])
    request = parse_fetch_request(cursor)
    cursor.end()
    return request


def section(text: bytes) -> Section:
    """The one section that is asked for."""
    (item,) = parsed(text).items
    assert isinstance(item, Section)
    return item


class Items(SynchronousTestCase):
    """RFC 3501 section 6.4.5."""

    def test_macros_stand_for_their_items(self) -> None:
        """ALL, FAST and FULL, in any case, outside of parentheses only."""
        self.assertEqual(parsed(b"fast").items, (b"FLAGS", b"INTERNALDATE", b"RFC822.SIZE"))
        self.assertEqual(parsed(b"ALL").items[-1], b"ENVELOPE")
        self.assertEqual(parsed(b"FULL").items[-1], b"BODY")
        with self.assertRaises(BadSyntax):
            parsed(b"(ALL)")

    def test_items_alone_and_in_parentheses(self) -> None:
        """One bare item, or a list in which repetition is dropped."""
        self.assertEqual(parsed(b"flags").items, (b"FLAGS",))
        self.assertEqual(parsed(b"(UID FLAGS UID RFC822.SIZE BODY BODYSTRUCTURE)").items[:2], (b"UID", b"FLAGS"))
        self.assertEqual(parsed(b"FLAGS").with_item(b"UID").items, (b"UID", b"FLAGS"))
        self.assertEqual(parsed(b"(FLAGS UID)").with_item(b"UID").items, (b"FLAGS", b"UID"))

    def test_i07_only_reading_without_peek_marks_as_seen(self) -> None:
        r"""BODY[], RFC822 and RFC822.TEXT set \Seen; BODY.PEEK[], RFC822.HEADER, BODY do not (TWISTED I7)."""
        for text in (b"BODY[]", b"BODY[HEADER]", b"RFC822", b"RFC822.TEXT", b"(FLAGS BODY[1])"):
            self.assertTrue(parsed(text).marks_seen, text)
        for text in (b"BODY.PEEK[]", b"RFC822.HEADER", b"BODY", b"BODYSTRUCTURE", b"FULL"):
            self.assertFalse(parsed(text).marks_seen, text)

    def test_sections_are_understood(self) -> None:
        """Parts, texts, fields and their labels."""
        self.assertEqual(section(b"BODY[]"), Section(b"BODY[]"))
        self.assertEqual(section(b"body.peek[1.2.mime]"), Section(b"BODY[1.2.MIME]", (1, 2), b"MIME", peek=True))
        self.assertEqual(section(b"BODY[3]").parts, (3,))
        self.assertEqual(section(b"BODY[TEXT]").text, fetchatts.TEXT)
        self.assertEqual(section(b"BODY[2.HEADER]"), Section(b"BODY[2.HEADER]", (2,), b"HEADER"))
        found = section(b'BODY.PEEK[HEADER.FIELDS (From "To" "X(1)")]')
        self.assertEqual(found.fields, (b"from", b"to", b"x(1)"))
        self.assertEqual(found.label, b'BODY[HEADER.FIELDS (From To "X(1)")]')
        self.assertEqual(section(b"BODY[1.HEADER.FIELDS.NOT (A)]").text, fetchatts.FIELDS_NOT)

    def test_i06_an_octet_range_is_part_of_the_request_and_of_the_label(self) -> None:
        """BODY[]<0.4> asks for four octets and is answered as BODY[]<0> (TWISTED I6)."""
        self.assertEqual(section(b"BODY[]<0.4>"), Section(b"BODY[]<0>", start=0, count=4))
        self.assertEqual(section(b"BODY.PEEK[1]<100.5>").label, b"BODY[1]<100>")

    def test_senseless_requests_are_refused(self) -> None:
        """Unknown items, unclosed sections and empty lists are errors of the client."""
        wrong = [b"", b"()", b"FOO", b"BODY[", b"BODY[1", b"BODY[FOO]", b"BODY[MIME]", b"BODY[0]", b"BODY[1.]"]
        wrong += [b"BODY[HEADER.FIELDS ()]", b"BODY[HEADER.FIELDS]", b"BODY[HEADER.FIELDS (a:b)]", b"BODY[1.FOO]"]
        wrong += [b"BODY[]<0>", b"BODY[]<0.0>", b"BODY[]<0.1", b"(FLAGS", b"FLAGS UID", b"BODY[" + b"1." * 160 + b"1]"]
        wrong += [b"BODY[9999999999]", b"RFC822.PEEK", b"BODY.PEEK", b"FASTER", b'BODY[HEADER.FIELDS ("a b")]']
        for text in wrong:
            with self.assertRaises(BadSyntax, msg=text.decode()):
                parsed(text)
