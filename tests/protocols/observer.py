"""Clients that believe only what they are told, and complain when that makes no sense."""

from __future__ import annotations

import re
from typing import Any

from tests.protocols.imap.talk import PASSWORD, Talk

LITERAL = re.compile(rb"\{([0-9]+)\}\r\n\Z")
ROW = re.compile(rb"\* ([0-9]+) (EXISTS|EXPUNGE|RECENT|FETCH)(?: \((.*)\))?\r\n\Z", re.S)
NUMBERED = (b"FETCH", b"STORE", b"SEARCH")


class Observer:
    """What one IMAP session knows: `view` has a UID for each message number, or nought while it is not known.

    `subjects` is shared by all observers: a UID means the same message for everybody and for ever.
    """

    def __init__(self, talk: Talk, subjects: dict[int, bytes]) -> None:
        self.talk = talk
        self.subjects = subjects
        self.view: list[int] = []
        self.flags: dict[int, frozenset[bytes]] = {}
        self.command = b""
        self.idling = False
        self.answer = b""
        self.heard: list[bytes] = []
        self._heard = b""
        self._tag = 0

    @property
    def busy(self) -> bool:
        """Whether an answer is outstanding."""
        return bool(self.command)

    def asks(self, command: bytes) -> None:
        """Send a command; its answer is taken in by `listen`."""
        assert not self.command
        self._tag += 1
        self.command = command
        self.heard.append(b"> " + command)
        self.talk.server.dataReceived(b"t%d %b\r\n" % (self._tag, command))
        self.listen()

    def done(self) -> None:
        """End IDLE."""
        self.idling = False
        self.talk.server.dataReceived(b"DONE\r\n")
        self.listen()

    def listen(self) -> None:
        """Take in what the server has said."""
        self._heard += self.talk.wire.said()
        while (response := self._next()) is not None:
            self.heard.append(response)
            self._take(response)

    def _next(self) -> bytes | None:
        at = 0
        while True:
            end = self._heard.find(b"\r\n", at)
            if end < 0:
                return None
            at = end + 2
            literal = LITERAL.search(self._heard, 0, at)
            if literal is None:
                response, self._heard = self._heard[:at], self._heard[at:]
                return response
            at += int(literal[1])

    def _take(self, response: bytes) -> None:
        if response.startswith(b"t%d " % self._tag):
            self.answer = response.partition(b" ")[2]
            assert not self.answer.startswith(b"BAD"), self.heard[-20:]
            if self.answer.startswith(b"OK") and self.command.startswith((b"CLOSE", b"SELECT")):
                self.idling = False
            self.command = b""
        elif response.startswith(b"+"):
            self.idling = True
        elif (row := ROW.match(response)) is not None:
            self._row(int(row[1]), row[2], row[3] or b"")
        elif response.startswith(b"* SEARCH"):
            if not self.command.startswith(b"UID"):
                assert all(int(number) <= len(self.view) for number in response.split()[2:]), response
        else:
            assert response.startswith((b"* OK", b"* FLAGS")), response

    def _row(self, number: int, what: bytes, rest: bytes) -> None:
        if what == b"EXISTS":
            if self.command.startswith(b"SELECT"):
                self.view.clear()
            assert number >= len(self.view), (number, len(self.view))
            self.view += [0] * (number - len(self.view))
        elif what == b"EXPUNGE":
            assert self.command, "EXPUNGE while no command is in progress"
            assert not self.command.startswith(NUMBERED), self.command
            del self.view[number - 1]
        elif what == b"FETCH":
            assert 0 < number <= len(self.view), (number, len(self.view))
            self._fetched(number, rest)

    def _fetched(self, number: int, rest: bytes) -> None:
        uid = re.search(rb"\bUID ([0-9]+)", rest)
        if uid is not None:
            assert self.view[number - 1] in (0, int(uid[1])), (number, self.view, rest)
            self.view[number - 1] = int(uid[1])
            known = [each for each in self.view if each]
            assert known == sorted(set(known)), self.view
        flags = re.search(rb"\bFLAGS \(([^)]*)\)", rest)
        if flags is not None and self.view[number - 1]:
            self.flags[self.view[number - 1]] = frozenset(flags[1].split()) - {b"\\Recent"}
        subject = re.search(rb"Subject: ([0-9]+)", rest)
        if subject is not None and uid is not None:
            assert self.subjects.setdefault(int(uid[1]), subject[1]) == subject[1], (uid[1], subject[1], self.subjects)


class DropObserver:
    """A POP3 session, and what it knows; `subjects` is shared: a unique-id means the same message for ever (D9)."""

    def __init__(self, server: Any, wire: Any, subjects: dict[bytes, bytes]) -> None:
        self.server = server
        self.wire = wire
        self.subjects = subjects
        self.over = False
        self._asked: list[bytes] = []
        self._heard = b""
        self._uidls: dict[bytes, bytes] = {}
        self._subjects: dict[bytes, bytes] = {}
        self.asks(b"USER ann@example.com", b"PASS " + PASSWORD.encode())

    @property
    def busy(self) -> bool:
        """Whether an answer is outstanding."""
        return bool(self._asked)

    def asks(self, *commands: bytes) -> None:
        """Pipelined commands."""
        self._asked += commands
        self.server.dataReceived(b"".join(command + b"\r\n" for command in commands))
        self.listen()

    def listen(self) -> None:
        """Take in what the server has said."""
        self._heard += self.wire.said()
        while self._asked and (answer := self._next(self._asked[0])) is not None:
            self._take(self._asked.pop(0), answer)
        self.over = self.over or self.server.closing

    def _next(self, asked: bytes) -> bytes | None:
        ok = self._heard.startswith(b"+OK")
        end = b"\r\n.\r\n" if ok and asked.startswith((b"UIDL", b"RETR")) else b"\r\n"
        at = self._heard.find(end)
        if at < 0:
            return None
        answer, self._heard = self._heard[:at], self._heard[at + len(end) :]
        return answer

    def _take(self, asked: bytes, answer: bytes) -> None:
        assert answer.startswith((b"+OK", b"-ERR")), (asked, answer)
        if answer.startswith(b"-ERR"):
            assert b"SYS/" not in answer or b"another mail program" in answer, (asked, answer)
            self.over = self.over or asked.startswith(b"PASS")
        elif asked == b"UIDL":
            for number, uidl in (row.split() for row in answer.split(b"\r\n")[1:]):
                assert self._uidls.setdefault(number, uidl) == uidl, (asked, answer, self._uidls)
            assert len(set(self._uidls.values())) == len(self._uidls), self._uidls
        elif asked.startswith(b"RETR"):
            self._subjects[asked.split()[1]] = answer.split(b"\r\n")[1].split()[1]
        for number in self._uidls.keys() & self._subjects.keys():
            uidl, subject = self._uidls[number], self._subjects[number]
            assert self.subjects.setdefault(uidl, subject) == subject, (uidl, subject, self.subjects)
