"""One message through a connection that is ready for it: envelope and text, by DATA or in chunks (RFC 5321, 2920, 3030, 3461)."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Protocol

from hostmail.errors import TemporaryFailure
from hostmail.interfaces.queue import Queued
from hostmail.relay.chunks import ReadBlock, bdat, chunks
from hostmail.relay.failures import NextHopFailure, Sent, refusal_of
from hostmail.relay.replies import Reply
from hostmail.relay.wire import FINAL_SECONDS, Wire

MAIL_SECONDS = RCPT_SECONDS = 300.0
DATA_SECONDS = 120.0
MOST_AHEAD = 16 * 1024

_VISIBLE = re.compile(r"[!-~]+\Z")


class Octets(Protocol):
    """The octets to send, `size` of them, opened anew for each transmission."""

    size: int

    async def open(self) -> ReadBlock: ...

    async def close(self) -> None: ...


class Transaction:
    """Sends one message to as many recipients at a time as the server takes.

    `body_begun`: the server may have it, for it has been sent the text and has not refused everybody: nothing must be sent again at once.
    With CHUNKING and PIPELINING a small message goes along with its envelope, and one round trip does it all. If the line drops then
    nobody knows whether it was taken, so that is done only where the server has just been heard of: a connection that died while nobody
    used it is found out by its envelope, and costs no time.
    """

    def __init__(self, wire: Wire, host: str, features: Mapping[str, str], octets: Octets) -> None:
        self._wire = wire
        self._host = host
        self._features = features
        self._pipelining = "PIPELINING" in features
        self._chunking = "CHUNKING" in features
        self._octets = octets
        self._size = octets.size
        self._results: dict[int, Sent] = {}
        self.body_begun = False

    async def send(self, rows: Sequence[Queued]) -> dict[int, Sent]:
        """One envelope with its message; a connection that breaks, or a file that cannot be read, leaves the undecided rows for later."""
        self._results = {}
        try:
            await self._send(rows)
        except TemporaryFailure as failure:
            # In the middle of a message nothing else can be said.
            self._wire.abort(NextHopFailure("the message could not be sent whole", enhanced="4.3.0"))
            for row in rows:
                self._results.setdefault(row.id, Sent(failure))
        return self._results

    async def _send(self, rows: Sequence[Queued]) -> None:
        ahead = await self._ahead()
        accepted = await self._envelope(rows, ahead)
        if ahead is not None:
            await self._taken(await self._wire.reply(FINAL_SECONDS), accepted or ())
        elif self._chunking and accepted:
            await self._taken(await self._in_chunks(), accepted)
        elif not self._chunking and (self._pipelining or accepted):
            await self._data(accepted or ())
        elif accepted is not None:
            await self._reset()

    async def _ahead(self) -> bytes | None:
        """The whole text, if it is to go along with the envelope."""
        if not (self._chunking and self._pipelining and self._size <= MOST_AHEAD and self._wire.recent):
            return None
        read = await self._octets.open()
        try:
            return b"".join([chunk async for chunk, _ in chunks(read)])
        finally:
            await self._octets.close()

    async def _envelope(self, rows: Sequence[Queued], ahead: bytes | None) -> list[Queued] | None:
        """Who was accepted, None if not even the sender was; without anybody the server has no message, whatever was sent."""
        before = self.body_begun
        utf8 = not (rows[0].sender.isascii() and all(row.recipient.isascii() for row in rows))
        mail, to = self._mail(rows[0], utf8), [self._rcpt(row) for row in rows]
        if ahead is not None:
            self.body_begun = True
            self._wire.command(mail, *to, bdat(ahead, True), octets=ahead)
        elif self._pipelining:
            self._wire.command(mail, *to, *([] if self._chunking else ["DATA"]))
        reply = await self._answer(mail, MAIL_SECONDS)
        if not reply.good:
            self.body_begun = before
            refused = refusal_of(reply, self._host)
            self._results.update((row.id, Sent(refused)) for row in rows)
            for _ in rows if self._pipelining else ():
                await self._wire.reply(RCPT_SECONDS)
            return None
        accepted: list[Queued] = []
        for row, line in zip(rows, to, strict=True):
            reply = await self._answer(line, RCPT_SECONDS)
            if reply.good:
                accepted.append(row)
            else:
                self._results[row.id] = Sent(refusal_of(reply, self._host, recipient=True))
        if not accepted:
            self.body_begun = before
        return accepted

    async def _answer(self, line: str, seconds: float) -> Reply:
        """To a command that is sent now, or was with all others."""
        if not self._pipelining:
            self._wire.command(line)
        return await self._wire.reply(seconds)

    async def _data(self, accepted: Sequence[Queued]) -> None:
        reply = await self._answer("DATA", DATA_SECONDS)
        if reply.code == 354 and accepted:
            reply = await self._text()
        elif reply.code == 354:
            # Pipelined, and nobody was accepted: an empty message ends it (RFC 2920 3.1).
            await self._wire.send_message(_nothing)
            await self._wire.reply(FINAL_SECONDS)
            return
        elif reply.code < 400:
            # It answers something else, an earlier command perhaps. Taken for an answer to the message it would lose it.
            raise NextHopFailure(f"{self._host} answered DATA with {reply}", enhanced="4.5.0")
        await self._taken(reply, accepted)

    async def _text(self) -> Reply:
        read = await self._octets.open()
        self.body_begun = True
        try:
            await self._wire.send_message(read)
        finally:
            await self._octets.close()
        return await self._wire.reply(FINAL_SECONDS)

    async def _in_chunks(self) -> Reply:
        """The answer to the last chunk, or the first that was not taken."""
        read = await self._octets.open()
        self.body_begun = True
        try:
            return await self._wire.send_chunks(chunks(read), self._pipelining)
        finally:
            await self._octets.close()

    async def _taken(self, reply: Reply, accepted: Sequence[Queued]) -> None:
        """The message's answer is everybody's."""
        if reply.good:
            sent = Sent(None, f"{self._host} said: {reply}", "DSN" in self._features)
        else:
            sent = Sent(refusal_of(reply, self._host))
        self._results.update((row.id, sent) for row in accepted)
        if not reply.good:
            await self._reset()

    async def _reset(self) -> None:
        """Be ready for the next envelope, if there is to be one."""
        if self._wire.idle:
            self._wire.command("RSET")
            if not (await self._wire.reply(MAIL_SECONDS)).good:
                self._wire.close(politely=False)

    def _mail(self, row: Queued, utf8: bool) -> str:
        words = [f"MAIL FROM:<{row.sender}>"]
        if "SIZE" in self._features:
            words.append(f"SIZE={self._size}")
        if row.body != "7BIT" and "8BITMIME" in self._features:
            words.append("BODY=8BITMIME")
        if "SMTPUTF8" in self._features and (row.smtputf8 or utf8):
            words.append("SMTPUTF8")
        if "DSN" in self._features:
            words += _parameters(RET=row.ret, ENVID=row.envid)
        return " ".join(words)

    def _rcpt(self, row: Queued) -> str:
        words = [f"RCPT TO:<{row.recipient}>"]
        if "DSN" in self._features:
            words += _parameters(NOTIFY=row.notify, ORCPT=row.orcpt)
        return " ".join(words)


def _parameters(**given: str) -> list[str]:
    """ESMTP parameters that have a value, and one that cannot break the command line."""
    return [f"{name}={value}" for name, value in given.items() if _VISIBLE.match(value)]


async def _nothing() -> bytes:
    return b""
