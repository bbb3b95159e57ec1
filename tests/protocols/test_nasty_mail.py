"""Mail that nobody should send, in a Maildir: every question about it has an answer, and the session lives."""

from __future__ import annotations

import re

from tests.corpus.nasty import NASTY
from tests.message.imapgrammar import check_envelope, check_structure, parse
from tests.protocols.house import DiskCase

SECTIONS = (
    b"HEADER",
    b"TEXT",
    b"1",
    b"1.MIME",
    b"1.1.1.1.1.1",
    b"1000.TEXT",
    b"HEADER.FIELDS (Subject From)",
    b"HEADER.FIELDS.NOT (Subject)",
    b"1.HEADER.FIELDS.NOT (Subject)",
)
SECTION = re.compile(rb"(BODY\[[^]]*\](?:<[0-9]+>)?) (?:NIL|\{([0-9]+)\}\r\n(.*))\Z", re.S)


class NastyMailTests(DiskCase):
    """D11: one bad message costs nobody anything."""

    def setUp(self) -> None:
        super().setUp()
        talk = self.ann(b"INBOX")
        for number, message in enumerate(NASTY.values()):
            self.drop(f"17000000{number:02d}.M{number}.host", message)
        talk.last(b"NOOP")
        self.talk = talk
        self.wires = [re.sub(rb"(?<!\r)\n", b"\r\n", message) for message in NASTY.values()]

    def test_envelopes_and_structures_obey_the_grammar(self) -> None:
        """ENVELOPE has ten fields, BODYSTRUCTURE its shape, whatever the message is (I4, I21)."""
        for number, name in enumerate(NASTY, 1):
            with self.subTest(name):
                check_envelope(parse(self.fetched(self.talk, b"ENVELOPE", number).removeprefix(b"ENVELOPE ")))
                text = self.fetched(self.talk, b"BODYSTRUCTURE", number).removeprefix(b"BODYSTRUCTURE ")
                leaves = check_structure(parse(text), extended=True)
                check_structure(parse(self.fetched(self.talk, b"BODY", number).removeprefix(b"BODY ")), extended=False)
                for path, octets in leaves[:5] + leaves[-5:]:
                    label = b"BODY[%b]" % b".".join([b"%d" % step for step in path])
                    section = self.fetched(self.talk, label.replace(b"BODY", b"BODY.PEEK"), number)
                    self.assertTrue(section.startswith(label + b" {%d}\r\n" % octets), section[:60])

    def test_the_whole_message_comes_back(self) -> None:
        """BODY[] is what the file holds, with CRLF, and as long as RFC822.SIZE says; so is what POP3 sends."""
        pop3 = self.pop3()
        self.assertTrue(pop3.asks("STAT").startswith(b"+OK %d " % len(NASTY)))
        for number, (name, wire) in enumerate(zip(NASTY, self.wires, strict=True), 1):
            with self.subTest(name):
                self.assertEqual(self.fetched(self.talk, b"RFC822.SIZE", number), b"RFC822.SIZE %d" % len(wire))
                body = self.fetched(self.talk, b"BODY.PEEK[]", number)
                self.assertEqual(body, b"BODY[] {%d}\r\n%b" % (len(wire), wire))
                retrieved = pop3.asks(f"RETR {number}").partition(b"\r\n")[2]
                self.assertEqual(retrieved[-3:], b".\r\n")
                unstuffed = re.sub(rb"(\A|\r\n)\.\.", rb"\1.", retrieved[:-3])
                self.assertIn(unstuffed, (wire, wire + b"\r\n"))

    def test_sections_are_exact_or_nil(self) -> None:
        """A literal is as long as it says; octet ranges beyond the end are empty; header and text make the message."""
        for number, (name, wire) in enumerate(zip(NASTY, self.wires, strict=True), 1):
            found = {}
            for section in SECTIONS:
                with self.subTest(name, section=section):
                    answer = self.fetched(self.talk, b"BODY.PEEK[%b]" % section, number)
                    match = SECTION.match(answer)
                    assert match is not None, answer[:100]
                    if match[2] is not None:
                        self.assertEqual(int(match[2]), len(match[3]))
                        found[section] = match[3]
            self.assertEqual(found[b"HEADER"] + found[b"TEXT"], wire, name)
            beyond = self.fetched(self.talk, b"BODY.PEEK[]<4000000000.10>", number)
            self.assertEqual(beyond, b"BODY[]<4000000000> {0}\r\n")

    def test_top_is_header_and_lines(self) -> None:
        """TOP ends with a dot of its own, and shows no more than it was asked for."""
        pop3 = self.pop3()
        for number, (name, wire) in enumerate(zip(NASTY, self.wires, strict=True), 1):
            with self.subTest(name):
                for lines in (0, 3):
                    shown = pop3.asks(f"TOP {number} {lines}").partition(b"\r\n")[2]
                    self.assertEqual(shown[-3:], b".\r\n")
                    plain = re.sub(rb"(\A|\r\n)\.\.", rb"\1.", shown[:-3])
                    self.assertTrue(wire.startswith(plain.removesuffix(b"\r\n")))
                    body = wire.partition(b"\r\n\r\n")[2] if not wire.startswith(b"\r\n") else wire[2:]
                    self.assertLessEqual(plain.count(b"\n"), wire.count(b"\n") - body.count(b"\n") + lines + 1)
        self.assertEqual(pop3.asks("QUIT")[:3], b"+OK")

    def test_searching_finds_its_way_through_all_of_them(self) -> None:
        """Every message is decoded and looked at; nothing is a fault."""
        for query in (b"TEXT zzzz", b"BODY hello", b"SUBJECT x", b"FROM ann", b"SENTSINCE 1-Jan-2000", b"HEADER X-7 y"):
            said = self.talk.sends(b"s SEARCH " + query + b"\r\n")
            for _ in range(100):
                self.clock.advance(0)
            said += self.talk.wire.said()
            self.assertTrue(said.endswith(b"\r\ns OK SEARCH completed\r\n"), said)
        self.assertEqual(self.talk.last(b"FETCH 1:* (FLAGS ENVELOPE BODYSTRUCTURE)"), b". OK FETCH completed")
