"""Mail that nobody should send, in a real mailbox, asked for over a real connection that lives through all of it."""

from __future__ import annotations

import re
import socket
from pathlib import Path
from typing import Any, BinaryIO

from tests.corpus.nasty import NASTY
from tests.journeys.base import ANN, SECONDS, Journey
from tests.message.imapgrammar import check_envelope, check_structure, parse
from tests.support.appliance import PASSWORD

LITERAL = re.compile(rb"\{([0-9]+)\}\r\n\Z")
PARTS_ASKED = 12


def letters_in(value: Any, path: tuple[int, ...] = (), is_message: bool = True) -> list[tuple[int, ...]]:
    """The paths of the messages inside a message, by its BODYSTRUCTURE."""
    if isinstance(value[0], list):
        inner = [each for each in value if isinstance(each, list)]
        count = next(index for index, each in enumerate(value) if not isinstance(each, list))
        return [
            found for number, each in enumerate(inner[:count], 1) for found in letters_in(each, (*path, number), False)
        ]
    path = (*path, 1) if is_message else path
    if (value[0], value[1]) != (b"message", b"rfc822"):
        return []
    return [path, *letters_in(value[8], path)]


class NastyJourney(Journey):
    accounts = (ANN,)

    def setUp(self) -> None:
        super().setUp()
        self.imap().logout()
        (maildir,) = self.here.data.glob("domains/example.test/ann*/Maildir")
        for number, message in enumerate(NASTY.values()):
            self.put(maildir, f"17000000{number:02d}.M{number}.host", message)
        wire = socket.create_connection(("127.0.0.1", self.here.ports["imap"]), SECONDS)
        self.addCleanup(wire.close)
        self.file: BinaryIO = wire.makefile("rwb")  # type: ignore[assignment]
        self.addCleanup(self.file.close)
        self.file.readline()
        self.asks(b"LOGIN %b %b" % (ANN.encode(), PASSWORD.encode()))
        self.assertIn(b"* %d EXISTS" % len(NASTY), self.asks(b"SELECT INBOX"))

    def put(self, maildir: Path, name: str, message: bytes) -> None:
        (maildir / "tmp" / name).write_bytes(message)
        (maildir / "tmp" / name).rename(maildir / "new" / name)

    def asks(self, command: bytes) -> bytes:
        """A command; all that comes up to its tagged OK."""
        self.file.write(b"t " + command + b"\r\n")
        self.file.flush()
        said = b""
        while True:
            line = self.file.readline()
            if line.startswith(b"t "):
                self.assertEqual(line[:4], b"t OK", line)
                return said
            said += line
            while found := LITERAL.search(line):
                said += self.file.read(int(found[1]))
                line = self.file.readline()
                said += line

    def fetched(self, number: int, item: bytes) -> bytes:
        """The value of one item."""
        said = self.asks(b"FETCH %d (%b)" % (number, item))
        found = re.fullmatch(rb"\* %d FETCH \((?:BODY\[[^]]*\](?:<\d+>)?|[A-Z]+) (.*)\)\r\n" % number, said, re.S)
        assert found is not None, said[:200]
        return found[1]

    def section(self, number: int, section: bytes) -> bytes | None:
        """None for NIL."""
        value = self.fetched(number, b"BODY.PEEK[%b" % section)
        if value == b"NIL":
            return None
        head, _, content = value.partition(b"\r\n")
        self.assertEqual(head, b"{%d}" % len(content))
        return content

    def test_every_question_has_an_answer(self) -> None:
        """ENVELOPE, BODYSTRUCTURE, headers and MIME headers of parts, octet ranges: each is valid, whatever the message is."""
        for number, (name, message) in enumerate(NASTY.items(), 1):
            with self.subTest(name):
                self.ask_all(number, re.sub(rb"(?<!\r)\n", b"\r\n", message))
        self.assertEqual(self.asks(b"NOOP"), b"")
        self.assertTrue(self.asks(b"FETCH 1:* (FLAGS ENVELOPE BODYSTRUCTURE BODY[HEADER.FIELDS (Subject)])"))

    def ask_all(self, number: int, wire: bytes) -> None:
        check_envelope(parse(self.fetched(number, b"ENVELOPE")))
        structure = parse(self.fetched(number, b"BODYSTRUCTURE"))
        leaves = check_structure(structure, extended=True)
        check_structure(parse(self.fetched(number, b"BODY")), extended=False)
        for path, octets in leaves[:PARTS_ASKED] + leaves[-PARTS_ASKED:]:
            part = b".".join(b"%d" % step for step in path)
            mime, body = self.section(number, part + b".MIME]"), self.section(number, part + b"]")
            assert mime is not None
            assert body is not None
            self.assertEqual(len(body), octets)
            self.assertIn(mime + body, wire)
            self.assertEqual(self.section(number, part + b"]<1.7>"), body[1:8])
        letters = letters_in(structure)
        for path in letters[:PARTS_ASKED] + letters[-PARTS_ASKED:]:
            part = b".".join(b"%d" % step for step in path)
            header, text = self.section(number, part + b".HEADER]"), self.section(number, part + b".TEXT]")
            self.assertEqual((header or b"") + (text or b""), self.section(number, part + b"]"))
        header, text = self.section(number, b"HEADER]"), self.section(number, b"TEXT]")
        self.assertEqual((header or b"") + (text or b""), wire)
        for start, count in ((0, 10), (len(wire) // 2, 1000), (len(wire), 1)):
            self.assertEqual(self.section(number, b"]<%d.%d>" % (start, count)), wire[start : start + count])
