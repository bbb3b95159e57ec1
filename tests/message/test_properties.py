"""What holds for any octets whatever."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from hostmail.message import dates, decode, headers
from hostmail.message.addresses import parse_addresses
from hostmail.message.scan import Part, scan
from hostmail.message.sections import Section, What, find_part
from hostmail.message.summary import summarise
from tests import corpus
from tests.message import imapgrammar
from tests.message.naming import parse_section
from tests.message.reading import read_section

_PIECES = [
    *(b"\r\n", b"\n", b"\r", b"\0", b" ", b"\t", b":", b";", b"=", b'"', b"\\", b"(", b")", b"<", b">", b"@", b","),
    *(b"--b", b"--b--", b"\r\n--b\r\n", b"\r\n\r\n", b"boundary=b", b"boundary=c", b"\r\n--c\r\n", b"--c--\r\n"),
    *(b"Content-Type: ", b"multipart/mixed; boundary=b", b"multipart/digest; boundary=c", b"message/rfc822", b"text/"),
    *(b"Subject: ", b"From: ", b"To: ", b"Date: ", b"Content-Disposition: ", b"Content-Language: ", b"Content-ID: "),
    *(b"=?utf-8?Q?=C3?=", b"=?utf-8?B?", b"?=", b"\xff", b"\xc3\xbc", b"a", b"word", b"14 Nov 2023 22:13:20 +0000"),
    b"Content-Transfer-Encoding: base64\r\n",
]

messages = st.one_of(
    st.binary(max_size=300),
    st.lists(st.sampled_from(_PIECES), max_size=60).map(b"".join),
    st.tuples(st.sampled_from(sorted(corpus.odd_messages().values())), st.integers(0, 300), st.binary(max_size=20)).map(
        lambda given: given[0][: given[1]] + given[2] + given[0][given[1] :]
    ),
)


def walk(part: Part) -> list[Part]:
    return [part, *[each for child in part.children for each in walk(child)]]


class PropertyTests(SynchronousTestCase):
    @settings(max_examples=300, deadline=None, database=None)
    @given(messages)
    def test_answers_are_valid(self, data: bytes) -> None:
        """Any octets have a valid ENVELOPE, BODYSTRUCTURE and BODY, without a fault."""
        made = summarise(data)
        self.assertEqual(made.faults, ())
        imapgrammar.check_envelope(imapgrammar.parse(made.envelope))
        leaves = imapgrammar.check_structure(imapgrammar.parse(made.bodystructure), True)
        self.assertEqual(imapgrammar.check_structure(imapgrammar.parse(made.body), False), leaves)

    @settings(max_examples=300, deadline=None, database=None)
    @given(messages)
    def test_octets_agree(self, data: bytes) -> None:
        """The octets that BODYSTRUCTURE promises for a part are what BODY[part] delivers."""
        root = scan(data)
        for path, octets in imapgrammar.check_structure(imapgrammar.parse(summarise(data).bodystructure), True):
            section = read_section(data, root, Section(path))
            assert section is not None, path
            self.assertEqual(len(section), octets)
            mime = read_section(data, root, Section(path, What.MIME))
            assert mime is not None
            self.assertIn(mime + section, data)

    @settings(max_examples=200, deadline=None, database=None)
    @given(messages)
    def test_offsets_nest(self, data: bytes) -> None:
        """Every part lies inside its parent's body, and its own offsets are in order."""
        for part in walk(scan(data)):
            self.assertTrue(0 <= part.start <= part.header_end <= part.body_start <= part.end <= len(data))
            position = part.body_start
            for child in part.children:
                self.assertLessEqual(position, child.start)
                self.assertLessEqual(child.end, part.end)
                position = child.end

    @settings(max_examples=200, deadline=None, database=None)
    @given(messages)
    def test_reading_never_raises(self, data: bytes) -> None:
        """Decoding, header helpers, dates and addresses answer for anything."""
        root = scan(data)
        decode.body_text(data, root)
        decode.header_block_text(data, root)
        decode.decode_header(data)
        dates.parse_date(data)
        dates.parse_internaldate(data)
        headers.count_received(data)
        headers.message_id(data)
        headers.has_delivered_to(data, "a@b")
        for address in parse_addresses(data):
            self.assertEqual(len(address), 4)
        self.assertIsNone(headers.field_value(headers.remove_field(data, b"Subject"), b"subject"))

    @settings(max_examples=200, deadline=None, database=None)
    @given(st.binary(max_size=40), st.lists(st.integers(0, 5), max_size=5))
    def test_sections_never_break(self, text: bytes, path: list[int]) -> None:
        """A section is parsed or a ValueError; a part is found or None."""
        try:
            parse_section(text)
        except ValueError:
            pass
        find_part(scan(corpus.MIXED), tuple(path))


class BoundedTimeTests(SynchronousTestCase):
    def test_giants(self) -> None:
        """Messages made to cost much are summarised, decoded and searched; what is not linear would not end."""
        for name, data in corpus.giants().items():
            root = scan(data)
            self.assertEqual(summarise(data).faults, (), name)
            decode.body_text(data, root)
            decode.header_block_text(data, root)
            headers.count_received(data)
            headers.remove_field(data, b"subject")

    def test_giants_keep_the_cache_small(self) -> None:
        """Neither answer grows beyond what an index should hold."""
        for name, data in corpus.giants().items():
            made = summarise(data)
            self.assertLess(len(made.envelope) + len(made.bodystructure), 256 * 1024, name)
