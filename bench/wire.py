"""SMTP, POP3 and IMAP clients for measuring: they do little, and they notice wrong answers."""

from __future__ import annotations

import asyncio
import base64
import re
import time

from server import Target, WrongAnswer, trusting

BLOCK = 1 << 18


class Client:
    """One connection."""

    service = ""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    @classmethod
    async def connect(cls, target: Target, tls: bool = False):
        """Connect and read the greeting."""
        service = cls.service + ("s" if tls else "")
        port = target.ports[service]
        opening = asyncio.open_connection(target.host, port, limit=BLOCK, ssl=trusting() if tls else None)
        self = cls(*await opening)
        await self.greeted()
        return self

    async def greeted(self) -> None:
        """Read what the server says first."""
        await self.line()

    async def line(self) -> bytes:
        """One line."""
        line = await self.reader.readline()
        if not line.endswith(b"\r\n"):
            raise WrongAnswer(f"{self.service}: the connection ended, had {line!r}")
        return line

    def close(self) -> None:
        """Hang up."""
        self.writer.close()


class Smtp(Client):
    """Delivers messages that are dot-stuffed already. `dotted` is when the last one was written."""

    service = "smtp"
    hello = b"EHLO"
    dotted = 0.0

    async def greeted(self) -> None:
        await self.reply(220)
        self.writer.write(self.hello + b" bench.test\r\n")
        await self.reply(250)

    async def reply(self, code: int) -> None:
        """Read a whole reply of that code."""
        while True:
            line = await self.line()
            if line[3:4] != b"-":
                break
        if int(line[:3]) != code:
            raise WrongAnswer(f"smtp: {code} expected, not {line!r}")

    async def log_in(self, user: tuple[str, str]) -> None:
        """AUTH PLAIN."""
        login, password = user
        self.writer.write(b"AUTH PLAIN " + base64.b64encode(f"\0{login}\0{password}".encode()) + b"\r\n")
        await self.reply(235)

    async def send(self, sender: str, recipient: str, stuffed: bytes) -> None:
        """One message, its commands in one write as PIPELINING allows (RFC 2920)."""
        self.writer.write(f"MAIL FROM:<{sender}>\r\nRCPT TO:<{recipient}>\r\nDATA\r\n".encode())
        for code in (250, 250, 354):
            await self.reply(code)
        self.writer.write(stuffed)
        self.dotted = time.monotonic()
        await self.reply(250)

    async def quit(self) -> None:
        """Say goodbye."""
        self.writer.write(b"QUIT\r\n")
        await self.reply(221)
        self.close()


class Lmtp(Smtp):
    """What an MTA says to a server that only keeps mail (RFC 2033)."""

    service = "lmtp"
    hello = b"LHLO"


class Pop3(Client):
    """Fetches mail."""

    service = "pop3"

    async def greeted(self) -> None:
        await self.ok()

    async def ok(self) -> bytes:
        """One line that says +OK."""
        line = await self.line()
        if not line.startswith(b"+OK"):
            raise WrongAnswer(f"pop3: {line!r}")
        return line

    async def say(self, command: str) -> bytes:
        """A command with an answer of one line."""
        self.writer.write(f"{command}\r\n".encode())
        return await self.ok()

    async def login(self, user: tuple[str, str]) -> int:
        """Log in; how many messages there are."""
        await self.say(f"USER {user[0]}")
        await self.say(f"PASS {user[1]}")
        return int((await self.say("STAT")).split()[1])

    async def fetch(self, command: str) -> bytes:
        """The text that answers RETR, TOP or UIDL, still dot-stuffed, without its final dot."""
        self.writer.write(f"{command}\r\n".encode())
        await self.ok()
        text = b""
        while not (text.endswith(b"\r\n.\r\n") or text == b".\r\n"):
            block = await self.reader.read(BLOCK)
            if not block:
                raise WrongAnswer(f"pop3: the connection ended in {command}")
            text += block
        return text[:-3]

    async def quit(self) -> None:
        """Say goodbye."""
        await self.say("QUIT")
        self.close()


class Imap(Client):
    """Reads whole answers as octets."""

    service = "imap"
    number = 0

    async def say(self, command: bytes) -> bytes:
        """A command and all that answers it; the tagged line must be OK."""
        self.number += 1
        tag = b"q%d" % self.number
        self.writer.write(tag + b" " + command + b"\r\n")
        return await self.answered(tag)

    async def answered(self, tag: bytes) -> bytes:
        """All octets up to the tagged line."""
        blocks: list[bytes] = []
        tail = b""
        while True:
            block = await self.reader.read(BLOCK)
            if not block:
                raise WrongAnswer("imap: the connection ended")
            blocks.append(block)
            tail = (tail + block)[-4096:]
            if tail.endswith(b"\r\n"):
                last = tail[:-2].rpartition(b"\r\n")[2]
                if last.startswith(tag + b" "):
                    break
        if not last.startswith(tag + b" OK"):
            raise WrongAnswer(f"imap: {last!r}")
        return b"".join(blocks)

    async def login(self, user: tuple[str, str]) -> None:
        """LOGIN."""
        await self.say(b'LOGIN "%s" "%s"' % (user[0].encode(), user[1].encode()))

    async def select(self, folder: str = "INBOX") -> int:
        """SELECT; how many messages there are."""
        return _last_number(rb"\* (\d+) EXISTS", await self.say(b'SELECT "%s"' % folder.encode()))

    async def count(self, folder: bytes = b"INBOX") -> int:
        """How many messages a folder holds."""
        return _last_number(rb"MESSAGES (\d+)", await self.say(b"STATUS %b (MESSAGES)" % folder))

    async def found(self, program: bytes) -> list[int]:
        """SEARCH."""
        lines = re.findall(rb"(?m)^\* SEARCH([ \d]*)\r$", await self.say(b"SEARCH " + program))
        if not lines:
            raise WrongAnswer(f"imap: no answer to SEARCH {program!r}")
        return [int(number) for line in lines for number in line.split()]

    async def append(self, message: bytes, folder: bytes) -> None:
        """One message, with a non-synchronizing literal (RFC 7888)."""
        await self.say(b"APPEND %b {%d+}\r\n" % (folder, len(message)) + message)

    async def append_all(self, messages: list[tuple[bytes, bytes]]) -> None:
        """Messages and their dates, all in one command to INBOX (RFC 3502)."""
        parts = [b' "%b" {%d+}\r\n' % (date, len(message)) + message for message, date in messages]
        await self.say(b"APPEND INBOX" + b"".join(parts))

    async def idle(self) -> None:
        """Begin to IDLE."""
        self.writer.write(b"idle IDLE\r\n")
        while not (await self.line()).startswith(b"+"):
            pass

    async def heard(self, what: bytes) -> float:
        """Wait for a line that holds `what`; when it came."""
        while what not in await self.line():
            pass
        return time.monotonic()

    async def done(self) -> None:
        """End IDLE."""
        self.writer.write(b"DONE\r\n")
        await self.answered(b"idle")


def _last_number(pattern: bytes, text: bytes) -> int:
    found = re.findall(pattern, text)
    if not found:
        raise WrongAnswer(f"imap: no {pattern!r} in {text[:200]!r}")
    return int(found[-1])
