"""Large messages: what takes long is done in a thread, and only small pieces pass through the reactor."""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any

from hostmail.protocols.imap.bodies import LARGE
from tests.protocols.imap.talk import ImapCase
from tests.protocols.imap.test_fetch import literal

TEXT = base64.encodebytes(b"needle in a haystack\r\n" * 20_000).replace(b"\n", b"\r\n")
LETTER = (
    b"Subject: large\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nfirst\r\n--b\r\n"
    b"Content-Transfer-Encoding: base64\r\n\r\n" + TEXT + b"--b--\r\n"
)


class Heavy:
    """A store, folder or message of which large pieces are only to be had in a thread; `looks` says how often they were."""

    def __init__(self, inner: Any, looks: list[Callable[[bytes], Any]]) -> None:
        self._inner = inner
        self._looks = looks

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._inner, name)
        if name in ("folder", "open"):
            return self._wrapping(found)
        return found

    def _wrapping(self, inner: Any) -> Any:
        async def opened(*arguments: Any) -> Any:
            return Heavy(await inner(*arguments), self._looks)

        return opened

    def read_now(self, offset: int, length: int) -> bytes | None:
        assert length <= LARGE, length
        found: bytes | None = self._inner.read_now(offset, length)
        return found

    async def examine(self, look: Callable[[bytes], Any]) -> Any:
        self._looks.append(look)
        return await self._inner.examine(look)


class LargeMessages(ImapCase):
    def setUp(self) -> None:
        super().setUp()
        self.put(LETTER, b"Subject: small\r\n\r\nno needle\r\n")
        self.talk = self.ann()
        self.looks: list[Callable[[bytes], Any]] = []
        account = self.talk.server.account
        assert account is not None
        account.store = Heavy(account.store, self.looks)
        self.talk.last(b"SELECT INBOX")

    def test_parts(self) -> None:
        """The structure is found in a thread, once for all parts; the octets come in small pieces."""
        heard = b"\r\n".join(self.talk.asks(b"FETCH 1 (BODY.PEEK[1] BODY.PEEK[2] BODY.PEEK[2.MIME])"))
        self.assertEqual(literal(heard, b"BODY[1]"), b"first")
        self.assertEqual(literal(heard, b"BODY[2]"), TEXT.removesuffix(b"\r\n"))
        self.assertEqual(len(self.looks), 1)

    def test_search(self) -> None:
        """The text is worked out in a thread; small messages need none."""
        self.assertEqual(self.talk.asks(b"SEARCH BODY needle")[0], b"* SEARCH 1 2")
        self.assertEqual(len(self.looks), 1)
        self.assertEqual(self.talk.asks(b"SEARCH NOT TEXT haystack")[0], b"* SEARCH 2")
        self.assertEqual(self.talk.asks(b"SEARCH BODY needle TEXT large")[0], b"* SEARCH 1")

    def test_made_of_it(self) -> None:
        """PREVIEW and BINARY as well."""
        heard = b"\r\n".join(self.talk.asks(b"FETCH 1 (PREVIEW BINARY.PEEK[2]<0.6> BINARY.SIZE[])"))
        self.assertIn(b'PREVIEW "first"', heard)
        self.assertIn(b"BINARY[2]<0> {6}\r\nneedle", heard)
        self.assertIn(b"BINARY.SIZE[] %d" % len(LETTER), heard)

    def test_whole(self) -> None:
        """All of it goes out in pieces, without any look."""
        self.assertEqual(literal(b"\r\n".join(self.talk.asks(b"FETCH 1 BODY[]")), b"BODY[]"), LETTER)
        self.assertEqual(self.looks, [])
