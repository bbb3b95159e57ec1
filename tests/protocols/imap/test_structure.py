"""BODYSTRUCTURE and what is served agree: for messages made by the rules, and for the same ones broken."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.message.imapgrammar import parse
from tests.protocols.imap.talk import ImapCase, Talk

Path = tuple[int, ...]
CRLF = b"\r\n"


@dataclass
class Tree:
    """A part as it was made: its fields and body, and what is inside."""

    kind: bytes
    header: bytes
    body: bytes
    children: tuple[Tree, ...] = ()

    @property
    def wire(self) -> bytes:
        return self.header + CRLF + self.body


def leaf(kind: bytes, lines: list[bytes], ended: bool) -> Tree:
    body = CRLF.join(lines) + (CRLF if ended else b"")
    return Tree(kind, b"Content-Type: %b\r\nContent-ID: <x@y>\r\n" % kind, body)


def multipart(sub: bytes, parts: list[Tree], preamble: bytes, number: int) -> Tree:
    """Boundaries are as long as the nesting makes them different; they hold what must be quoted."""
    marks = len(re.findall(rb"boundary=", b"".join(part.wire for part in parts)))
    boundary = b"=_%d;x %d" % (marks, number)
    body = preamble + b"".join(b"--%b\r\n%b\r\n" % (boundary, part.wire) for part in parts) + b"--%b--\r\n" % boundary
    header = b'Content-Type: multipart/%b;\r\n boundary="%b"\r\n' % (sub, boundary)
    return Tree(b"multipart/" + sub, header, body, tuple(parts))


def letter(inner: Tree) -> Tree:
    message = b"Subject: inside\r\nFrom: a@b\r\n" + inner.wire
    return Tree(b"message/rfc822", b"Content-Type: message/rfc822\r\n", message, (inner,))


texts = st.lists(st.sampled_from([b"", b"hello", b"--", b"--x", b".", b"w\xf6rter", b"From here"]), max_size=4)
leaves = st.builds(leaf, st.sampled_from([b"text/plain", b"text/html", b"image/png"]), texts, st.booleans())
trees = st.recursive(
    leaves,
    lambda parts: st.one_of(
        st.builds(
            multipart,
            st.sampled_from([b"mixed", b"alternative", b"digest"]),
            st.lists(parts, min_size=1, max_size=3),
            st.sampled_from([b"", b"preamble\r\n\r\n"]),
            st.integers(0, 99),
        ),
        st.builds(letter, parts),
    ),
    max_leaves=8,
)
damages = st.lists(
    st.tuples(
        st.floats(0, 1), st.integers(0, 40), st.sampled_from([b"", b"\r\n", b"\n", b"--", b'"', b"\0", b"\xff", b":"])
    ),
    min_size=1,
    max_size=4,
)


@dataclass
class Told:
    """A part as BODYSTRUCTURE tells of it. `section` is what addresses its body: a message's multipart has its message's."""

    section: Path
    kind: bytes
    octets: int | None
    lines: int | None
    children: list[Told]


def told_of(value: Any, path: Path, is_message: bool = True) -> Told:
    """`path` is the part's own; a message that is no multipart has part 1."""
    if isinstance(value[0], list):
        count = next(index for index, each in enumerate(value) if not isinstance(each, list))
        children = [told_of(child, (*path, number), False) for number, child in enumerate(value[:count], 1)]
        return Told(path, b"multipart/" + value[count].lower(), None, None, children)
    path = (*path, 1) if is_message else path
    kind = b"%b/%b" % (value[0].lower(), value[1].lower())
    if kind == b"message/rfc822":
        return Told(path, kind, value[6], value[9], [told_of(value[8], path)])
    return Told(path, kind, value[6], value[7] if value[0].lower() == b"text" else None, [])


def all_of(told: Told) -> list[Told]:
    return [told, *(each for child in told.children for each in all_of(child))]


class Served:
    """The sections of the newest message."""

    def __init__(self, talk: Talk) -> None:
        self.talk = talk

    def structure(self) -> Told:
        said = self.talk.sends(b"f FETCH * (BODYSTRUCTURE)\r\n")
        found = re.fullmatch(rb"\* \d+ FETCH \(BODYSTRUCTURE (.*)\)\r\nf OK .*\r\n", said, re.S)
        assert found is not None, said
        return told_of(parse(found[1]), ())

    def section(self, path: Path, text: bytes = b"") -> bytes | None:
        """None for NIL."""
        name = b".".join([*(b"%d" % step for step in path), *([text] if text else [])])
        said = self.talk.sends(b"f FETCH * (BODY.PEEK[%b])\r\n" % name)
        found = re.fullmatch(
            rb"\* \d+ FETCH \(BODY\[[^]]*\](?:<\d+>)? (?:(NIL)|\{(\d+)\}\r\n(.*))\)\r\nf OK .*\r\n", said, re.S
        )
        assert found is not None, said
        assert found[1] or int(found[2]) == len(found[3])
        return None if found[1] else found[3]

    def window(self, path: Path, start: int, count: int) -> bytes | None:
        """A partial."""
        name = b".".join(b"%d" % step for step in path)
        said = self.talk.sends(b"f FETCH * (BODY.PEEK[%b]<%d.%d>)\r\n" % (name, start, count))
        found = re.fullmatch(
            rb"\* \d+ FETCH \(BODY\[[^]]*\]<%d> \{(\d+)\}\r\n(.*)\)\r\nf OK .*\r\n" % start, said, re.S
        )
        assert found is not None, said
        assert int(found[1]) == len(found[2])
        return found[2]


class StructureTests(ImapCase):
    def serve(self, message: bytes) -> Served:
        self.setUp()
        self.put(message)
        served = Served(self.ann(b"INBOX"))
        self.addCleanup(served.talk.hangs_up)
        return served

    def compare(self, served: Served, told: Told, made: Tree) -> None:
        """Kinds, counts, sizes and lines are as the part was made, and so is what is served of it."""
        self.assertEqual((told.kind, len(told.children)), (made.kind, len(made.children)))
        if told.octets is not None:
            self.assertEqual(served.section(told.section), made.body)
            self.assertEqual(told.octets, len(made.body))
        if told.lines is not None:
            self.assertEqual(told.lines, made.body.count(b"\n"))
        for child, inner in zip(told.children, made.children, strict=True):
            self.compare(served, child, inner)
        if made.kind == b"message/rfc822":
            self.assertEqual(served.section(told.section, b"TEXT"), made.children[0].body)
            header = b"Subject: inside\r\nFrom: a@b\r\n" + made.children[0].header + CRLF
            self.assertEqual(served.section(told.section, b"HEADER"), header)

    def agree(self, served: Served, message: bytes) -> None:
        """Whatever it is: what is promised is served, and nothing else is there."""
        told = served.structure()
        for part in all_of(told):
            if part.octets is not None:
                body, mime = served.section(part.section), served.section(part.section, b"MIME")
                assert body is not None, part
                assert mime is not None, part
                self.assertEqual(len(body), part.octets)
                self.assertIn(mime + body, message)
                self.assertEqual(served.window(part.section, 1, 5), body[1:6])
                if part.lines is not None:
                    self.assertEqual(part.lines, body.count(b"\n"))
            if part.kind.startswith(b"multipart/"):
                self.assertIsNone(served.section((*part.section, len(part.children) + 1)))
            if part.kind == b"message/rfc822":
                header, text = served.section(part.section, b"HEADER"), served.section(part.section, b"TEXT")
                self.assertEqual((header or b"") + (text or b""), served.section(part.section))
        self.assertEqual((served.section((), b"HEADER") or b"") + (served.section((), b"TEXT") or b""), message)

    @settings(max_examples=120, deadline=None, database=None)
    @given(trees)
    def test_made_by_the_rules(self, made: Tree) -> None:
        """Kinds, numbers of parts, octets and lines are those of the tree; each section is what was put there."""
        message = b"From: a@b\r\n" + made.wire
        served = self.serve(message)
        self.compare(served, served.structure(), made)
        self.agree(served, message)

    @settings(max_examples=200, deadline=None, database=None)
    @given(trees, damages)
    def test_broken(self, made: Tree, damages: list[tuple[float, int, bytes]]) -> None:
        """Cut, torn and overwritten: each part that BODYSTRUCTURE tells of is served as long as it says."""
        message = b"From: a@b\r\n" + made.wire
        for place, length, instead in damages:
            at = int(place * len(message))
            message = message[:at] + instead + message[at + length :]
        message = re.sub(rb"(?<!\r)\n", CRLF, message)
        self.agree(self.serve(message), message)
