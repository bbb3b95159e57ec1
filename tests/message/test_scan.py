"""Offsets of header fields and MIME parts."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from hostmail.message.scan import MAX_DEPTH, MAX_FIELDS, MAX_HEADER, MAX_PARTS, Part, header_extent, scan
from tests import corpus


def count(part: Part) -> int:
    return 1 + sum(count(child) for child in part.children)


def depth(part: Part) -> int:
    return 1 + max([depth(child) for child in part.children], default=-1)


class HeaderTests(SynchronousTestCase):
    """The header block."""

    def test_fields_cover_the_header(self) -> None:
        """Every octet of the header belongs to one field, in order."""
        for name, data in corpus.odd_messages().items():
            part = scan(data)
            position = part.start
            for field in part.fields:
                self.assertEqual(field.start, position, name)
                position = field.end
            self.assertEqual(position, part.header_end, name)

    def test_name_and_value(self) -> None:
        """Names are lower case; values keep their folding; white space before the colon is no part of either."""
        data = b"Subject \t: a\r\n b\r\n\r\n"
        (field,) = scan(data).fields
        self.assertEqual(field.name, b"subject")
        self.assertEqual(field.value(data), b" a\r\n b\r\n")

    def test_garbage_lines_are_nameless(self) -> None:
        """A line that is no field stands for itself and spoils nothing."""
        data = corpus.odd_messages()["line without colon"]
        self.assertEqual([field.name for field in scan(data).fields], [b"subject", b"", b"from"])

    def test_where_the_body_begins(self) -> None:
        """At the first blank line, CRLF or LF; a message may begin with it, or have none."""
        for data, expected in [
            (b"", (0, 0)),
            (b"\r\nbody", (0, 2)),
            (b"\nbody", (0, 1)),
            (b"A: b\r\n\r\nbody\n\n", (6, 8)),
            (b"A: b\n\nbody\r\n\r\n", (5, 6)),
            (b"A: b\r\n", (6, 6)),
            (b"A: b", (4, 4)),
            (b"A: b\r\n \r\n\r\n", (9, 11)),
        ]:
            self.assertEqual(header_extent(data), expected, data)

    def test_header_over_the_limit_is_body(self) -> None:
        """Beyond 256 KiB the rest is body, cut at a line's end where there is one."""
        data = corpus.endless_header()
        part = scan(data)
        self.assertLessEqual(part.body_start, MAX_HEADER)
        self.assertEqual(data[part.body_start - 2 : part.body_start], b"\r\n")
        self.assertEqual(scan(corpus.endless_line()).body_start, MAX_HEADER)

    def test_fields_over_the_limit_stay_as_one(self) -> None:
        """After 1,000 fields the rest is one nameless field: nothing is lost."""
        part = scan(corpus.many_fields(5000))
        self.assertEqual(len(part.fields), MAX_FIELDS + 1)
        self.assertEqual(part.fields[-1].name, b"")
        self.assertEqual(part.fields[-1].end, part.header_end)

    def test_first_and_value(self) -> None:
        """The first of repeated fields is the one that counts."""
        data = b"A: 1\r\na: 2\r\n\r\n"
        self.assertEqual(scan(data).value(data, b"a"), b" 1\r\n")
        self.assertIsNone(scan(data).value(data, b"b"))


class StructureTests(SynchronousTestCase):
    """The tree of parts."""

    def bodies(self, data: bytes) -> list[bytes]:
        return [data[child.body_start : child.end] for child in scan(data).children]

    def test_bodies_end_before_the_delimiter(self) -> None:
        """The line end before a delimiter belongs to it, with CRLF and with LF (RFC 2046 5.1.1)."""
        self.assertEqual(self.bodies(corpus.odd_messages()["LF only"]), [b"one", b"two"])
        self.assertEqual(self.bodies(corpus.odd_messages()["never closed"]), [b"one", b"two\r\n"])

    def test_empty_parts(self) -> None:
        """Delimiters one right after the other make empty parts."""
        self.assertEqual(self.bodies(corpus.odd_messages()["empty parts"]), [b"", b"", b""])

    def test_nested_tree(self) -> None:
        """Multiparts, embedded messages and what is in them, with a `;` in a quoted boundary (TWISTED I4)."""
        root = scan(corpus.MIXED)
        alternative, message = root.children
        self.assertEqual([child.content_type.sub for child in alternative.children], [b"plain", b"html"])
        assert message.embedded is not None
        self.assertEqual([child.content_type.main for child in message.embedded.children], [b"text", b"image"])
        self.assertIsNone(root.embedded)

    def test_lines_and_size(self) -> None:
        """Text and embedded messages count their line ends."""
        root = scan(corpus.PLAIN)
        self.assertEqual((root.lines, root.size), (2, len(b"Hello,\r\nthis is text.\r\n")))
        message = scan(corpus.MIXED).children[1]
        self.assertEqual(message.lines, corpus.MIXED[message.body_start : message.end].count(b"\n"))

    def test_longer_boundary_is_another(self) -> None:
        """A delimiter is the whole line: boundary `b` does not end at `--bb`."""
        (outer,) = scan(corpus.odd_messages()["prefixed boundaries"]).children
        self.assertEqual(len(outer.children), 1)

    def test_digest_holds_messages(self) -> None:
        """Parts of a multipart/digest are messages unless they say otherwise (RFC 2046 5.1.5)."""
        data = corpus.odd_messages()["digest"]
        (child,) = scan(data).children
        assert child.embedded is not None
        self.assertEqual(child.embedded.value(data, b"subject"), b" in a digest\r\n")

    def test_multipart_without_parts_is_text(self) -> None:
        """No boundary, an unused one, or only a closing one: people still get to see the words."""
        for name in ("missing boundary", "empty boundary", "unused boundary", "only the closing"):
            part = scan(corpus.odd_messages()[name])
            self.assertEqual((part.content_type.main, part.children), (b"text", ()), name)

    def test_nonsense_types_are_text(self) -> None:
        """What is no media type counts as text/plain (RFC 2045 5.2)."""
        for name in ("no slash", "no subtype", "empty type", "trailing semicolon", "type with comment"):
            kind = scan(corpus.odd_messages()[name]).content_type
            self.assertEqual((kind.main, kind.sub), (b"text", b"plain"), name)

    def test_depth_is_limited(self) -> None:
        """Below 50 levels a part is opaque, of either kind."""
        for data in (corpus.nested_multiparts(), corpus.nested_messages()):
            part = scan(data)
            self.assertEqual(depth(part), MAX_DEPTH)
            while part.children:
                part = part.children[0]
            self.assertEqual(part.content_type.sub, b"octet-stream")

    def test_parts_are_limited(self) -> None:
        """Beyond 1,000 parts the last one holds the rest."""
        data = corpus.many_parts()
        part = scan(data)
        self.assertEqual(count(part), MAX_PARTS)
        self.assertEqual(part.children[-1].end, len(data))

    def test_embedded_message_beyond_the_parts_limit(self) -> None:
        """When no parts are left an embedded message and a multipart stay closed."""
        head = b"Content-Type: multipart/mixed; boundary=b\r\n\r\n" + b"--b\r\n\r\nx\r\n" * (MAX_PARTS - 2)
        for kind in (b"message/rfc822", b"multipart/mixed; boundary=c"):
            part = scan(head + b"--b\r\nContent-Type: " + kind + b"\r\n\r\n--c\r\n\r\nx\r\n")
            self.assertEqual(part.children[-1].children, ())
            self.assertEqual(part.children[-1].content_type.sub, b"octet-stream")

    def test_false_boundaries_are_limited(self) -> None:
        """A body of lines that only look like delimiters is given up on, and is whole."""
        head = b"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\n"
        data = head + b"--bx\r\n" * 30_000 + b"--b--\r\n"
        (child,) = scan(data).children
        self.assertEqual(child.end, len(data))

    def test_greedy_headers_are_not_read(self) -> None:
        """Once 512 KiB of headers are read the parts after stay unread, but they are there."""
        part = b"--b\r\n" + b"X-A: " + b"x" * 100_000 + b"\r\nContent-Type: image/png\r\n\r\nx\r\n"
        kinds = [
            child.content_type.main
            for child in scan(b"Content-Type: multipart/mixed; boundary=b\r\n\r\n" + part * 8).children
        ]
        self.assertEqual(kinds, [b"image"] * 5 + [b"text"] * 3)

    def test_large_and_deep_is_opened_only_so_far(self) -> None:
        """Each level costs a pass over what is in it: a large message is opened ten-odd levels deep, then stays closed."""
        data = corpus.nested_multiparts(MAX_DEPTH - 1) + b"x" * (4 * 1024 * 1024)
        self.assertEqual(depth(scan(data)), MAX_DEPTH - 1)
        opened = b"".join([b"Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n" % (n, n) for n in range(40)])
        self.assertEqual(depth(scan(opened + b"\r\n" + b"x" * (4 * 1024 * 1024))), 13)
