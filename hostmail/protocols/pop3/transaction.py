"""The TRANSACTION state: STAT, LIST, UIDL, RETR, TOP, DELE, RSET, LAST."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hostmail.errors import MessageGone, TemporaryFailure
from hostmail.protocols.logs import shown
from hostmail.protocols.pop3.stuffing import Stuffer, TopCut

if TYPE_CHECKING:
    from hostmail.protocols.pop3.session import HostmailPOP3
else:
    HostmailPOP3 = object

BLOCK = 64 * 1024
MAX_DIGITS = 10


def number(text: str) -> int | None:
    """A decimal number as RFC 1939 means it, or None (P2)."""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= MAX_DIGITS else None


class TransactionCommands(HostmailPOP3 if TYPE_CHECKING else object):  # type: ignore[misc]
    """What a client may say once it has its maildrop."""

    def _message(self, rest: str) -> int | None:
        """The index of the message meant; None after an answer was given."""
        wanted = number(rest.strip())
        if wanted is None:
            self.bad("a message number is needed")
            return None
        if not self.maildrop.exists(wanted - 1):
            self.err("", "no such message")
            return None
        return wanted - 1

    def on_stat(self, rest: str) -> None:
        """Messages and octets, without those marked deleted."""
        count, octets = self.maildrop.totals()
        self.ok(f"{count} {octets}")

    def on_list(self, rest: str) -> None:
        """One or all sizes."""
        if rest.strip():
            index = self._message(rest)
            if index is not None:
                self.ok(f"{index + 1} {self.maildrop.size(index)}")
            return
        rows = self.maildrop.remaining()
        self.listing(f"{len(rows)} messages", [f"{i + 1} {size}" for i, size in rows])

    def on_uidl(self, rest: str) -> Any:
        """One or all unique-ids (D9)."""
        index = None
        if rest.strip():
            index = self._message(rest)
            if index is None:
                return None
        return self._uidl(index)

    async def _uidl(self, index: int | None) -> None:
        maildrop = self.maildrop
        uidls = await maildrop.uidls()
        if index is not None:
            self.ok(f"{index + 1} {uidls[index]}")
            return
        self.listing("unique-ids follow", [f"{i + 1} {uidls[i]}" for i, _ in maildrop.remaining()])

    def on_retr(self, rest: str) -> Any:
        """The whole message."""
        index = self._message(rest)
        if index is None:
            return None
        ready = self.maildrop.at_hand(index)
        return self._send_message(index, None) if ready is None else self._send_whole(ready)

    def on_top(self, rest: str) -> Any:
        """The header and the first lines of the body."""
        which, _, count = rest.strip().partition(" ")
        lines = number(count.strip())
        if lines is None:
            return self.bad("TOP needs a message number and a count of lines")
        index = self._message(which)
        return None if index is None else self._send_message(index, TopCut(lines))

    async def _send_message(self, index: int, cut: TopCut | None) -> None:
        whole = await self.maildrop.whole(index) if cut is None else None
        if whole is not None:
            self._send_whole(whole)
            return
        try:
            message = await self.maildrop.open_message(index)
        except MessageGone:
            self.err("", "that message was deleted by another mail program")
            return
        try:
            await self._stream(message, cut)
        finally:
            message.close()

    def _send_whole(self, message: bytes) -> None:
        stuffer = Stuffer()
        self.send(b"+OK %d octets\r\n%b%b" % (len(message), stuffer.feed(message), stuffer.end()))

    async def _stream(self, message: Any, cut: TopCut | None) -> None:
        """Block by block at the reader's pace; small messages leave in one write (P15).

        A failure before the first octet is a reply; after it, only a broken connection tells the client that the message is not whole.
        """
        first = await self._block(message, 0)
        head = b"+OK\r\n" if cut else f"+OK {message.size} octets\r\n".encode("ascii")
        stuffer, offset, block = Stuffer(), 0, first
        while True:
            offset += len(block)
            shown = stuffer.feed(cut.feed(block) if cut else block)
            if offset >= message.size or not block or (cut is not None and cut.done):
                self.send(head + shown + stuffer.end())
                return
            self.send(head + shown)
            head = b""
            if self.congested:
                await self.drained()
            if self.closing:
                return
            block = await self._next_block(message, offset)

    async def _block(self, message: Any, offset: int) -> bytes:
        ready = message.read_now(offset, BLOCK)
        return ready if ready is not None else await message.read(offset, BLOCK)

    async def _next_block(self, message: Any, offset: int) -> bytes:
        try:
            block = await self._block(message, offset)
            if not block:
                raise TemporaryFailure(private="message file is shorter than it was")
        except Exception:
            self.log.failure("message broke off, connection dropped: {peer}", peer=shown(self.peer))
            self.abort()
            raise
        return block

    def on_dele(self, rest: str) -> None:
        """Mark a message; QUIT deletes it."""
        index = self._message(rest)
        if index is not None:
            self.maildrop.deleteMessage(index)
            self.ok(f"message {index + 1} will be deleted")

    def on_rset(self, rest: str) -> None:
        """Take all marks back."""
        self.maildrop.undeleteMessages()
        self.on_stat("")

    def on_last(self, rest: str) -> None:
        """RFC 1460: still asked by very old clients; nothing is ever marked as seen."""
        self.ok("0")
