"""Open messages: octets as on the wire."""

from __future__ import annotations

import os

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase

from hostmail.storage import message as module
from hostmail.storage.boxes import Row
from hostmail.storage.disk import Disk
from hostmail.storage.measure import wire_size_of
from hostmail.storage.message import message_of
from hostmail.storage.tree import FolderTree
from tests.storage.ground import at_once


def on_the_wire(content: bytes) -> bytes:
    return content.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")


class MessageTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.directory = self.mktemp()
        os.makedirs(self.directory)

    def open(self, content: bytes, converted: int) -> module.FileMessage | module.ConvertedMessage:
        path = os.path.join(self.directory, "message")
        with open(path, "wb") as file:
            file.write(content)
        row = Row(1, 0, 0, 0, 1, 0, converted, "message")
        found = message_of(Disk(), os.open(path, os.O_RDONLY), row, at_once)
        self.addCleanup(found.close)
        return found

    def read(self, found: object, offset: int, length: int) -> bytes:
        return self.successResultOf(Deferred.fromCoroutine(found.read(offset, length)))

    def test_plain(self) -> None:
        """A file with CRLF is read as it is, in any pieces."""
        found = self.open(b"0123456789", 0)
        self.assertEqual(found.size, 10)
        for offset, length in ((0, 10), (3, 4), (8, 9), (10, 1), (20, 1), (0, 0)):
            self.assertEqual(self.read(found, offset, length), b"0123456789"[offset : offset + length])
            self.assertEqual(found.read_blocking(offset, length), b"0123456789"[offset : offset + length])

    def test_not_in_memory(self) -> None:
        """What cannot be read at once is None, and read by a thread."""
        for converted, wire in ((0, b"a\nb\n"), (1, b"a\r\nb\r\n")):
            found = self.open(b"a\nb\n", converted)
            self.patch(module, "_NOWAIT", 1 << 30)
            self.assertIsNone(found.read_now(0, 4))
            self.assertEqual(self.read(found, 0, 100), wire)

    def test_examined(self) -> None:
        """All octets as on the wire, in a thread."""
        for converted, wire in ((0, b"a\nb\n"), (1, b"a\r\nb\r\n")):
            found = self.open(b"a\nb\n", converted)
            self.assertEqual(self.successResultOf(Deferred.fromCoroutine(found.examine(bytes.upper))), wire.upper())

    def test_closed_twice(self) -> None:
        """Closing twice is fine."""
        found = self.open(b"x", 0)
        found.close()
        found.close()

    @settings(max_examples=60, deadline=None)
    @given(
        st.lists(st.sampled_from([b"a", b"bc", b"\r", b"\n", b"\r\n", b"\r\r\n", b"." * 7]), max_size=60),
        st.integers(0, 80),
        st.integers(0, 80),
        st.integers(1, 9),
    )
    def test_converted(self, parts: list[bytes], offset: int, length: int, block: int) -> None:
        """A file with LF reads like its converted self, whatever lies on the borders of blocks."""
        content = b"".join(parts)
        wire = on_the_wire(content)
        before, module.BLOCK = module.BLOCK, block
        try:
            found = self.open(content, 1)
            self.assertEqual(found.size, len(wire))
            self.assertEqual(self.read(found, offset, length), wire[offset : offset + length])
            self.assertEqual(found.read_blocking(offset, length), wire[offset : offset + length])
            found.close()
        finally:
            module.BLOCK = before

    @settings(max_examples=60, deadline=None)
    @given(st.lists(st.sampled_from([b"a", b"\r", b"\n", b"\r\n"]), max_size=40), st.integers(1, 5))
    def test_wire_size(self, parts: list[bytes], block: int) -> None:
        """The size on the wire is counted right over the borders of blocks."""
        from hostmail.storage import measure

        content = b"".join(parts)
        path = os.path.join(self.directory, "counted")
        with open(path, "wb") as file:
            file.write(content)
        before, measure.BLOCK = measure.BLOCK, block
        fd = os.open(path, os.O_RDONLY)
        try:
            tree = FolderTree(Disk(), self.directory)
            self.assertEqual(wire_size_of(tree, fd, len(content)), len(on_the_wire(content)))
        finally:
            os.close(fd)
            measure.BLOCK = before
