"""A mail program for model tests: what it says, and what it knows of one folder from what it has heard (RFC 3501, RFC 7162)."""

from __future__ import annotations

import re

from tests.protocols.imap.talk import House, Talk

NO_EXPUNGE = re.compile(rb"(FETCH|STORE|SEARCH) ")
COPIED = re.compile(rb"(?:\*|\.) OK \[COPYUID \d+ (\S+) (\S+)\]")
FETCHED = re.compile(rb"\* (\d+) FETCH \((.*?)\)?$")
HIGHEST = re.compile(rb"(?:\*|\.) OK \[HIGHESTMODSEQ (\d+)\]")
VANISHED = re.compile(rb"\* VANISHED( \(EARLIER\))? ([0-9,:]+)$")


def numbers_in(text: bytes) -> list[int]:
    """What 1:3,7 says."""
    found: list[int] = []
    for part in text.split(b","):
        low, _, high = part.partition(b":")
        found.extend(range(int(low), int(high or low) + 1))
    return found


class MailProgram:
    """A mail program: its connection, and what it knows of the folder. `messages` are UIDs by message number, None if not yet known."""

    def __init__(self, house: House, kind: str) -> None:
        self.house = house
        self.kind = kind
        self.talk: Talk | None = None
        self.messages: list[int | None] = []
        self.flags: dict[int, frozenset[bytes]] = {}
        self.modseqs: dict[int, int] = {}
        self.validity = self.highest = 0
        self.copied: list[tuple[int, int]] = []
        self.found: set[int] = set()
        self._idles = False

    # ------------------------------------------------------------------------------------------------------ hearing

    def hears(self, lines: list[bytes], command: bytes = b"") -> bytes:
        """Take in an answer; the tagged line. HIGHESTMODSEQ is kept as RFC 7162 section 3.1 bids: at tagged answers only."""
        told: int | None = None
        seen = 0
        for line in lines:
            if found := HIGHEST.match(line):
                told = int(found[1])
            if found := COPIED.match(line):
                self.copied = list(zip(numbers_in(found[1]), numbers_in(found[2]), strict=True))
            if found := re.match(rb"\* SEARCH(( \d+)*)", line):
                self.found = {int(number) for number in found[1].split()}
            if found := re.match(rb"\* (\d+) EXISTS", line):
                self._exists(int(found[1]))
            elif found := re.match(rb"\* (\d+) EXPUNGE", line):
                assert self.kind != "qresync", line
                assert not NO_EXPUNGE.match(command), command
                self._gone(int(found[1]) - 1)
            elif found := VANISHED.match(line):
                assert self.kind == "qresync", line
                self._vanished(numbers_in(found[2]), bool(found[1]), command)
            elif found := FETCHED.match(line):
                seen = max(seen, self._fetched(int(found[1]) - 1, found[2]))
        if lines and lines[-1].startswith(b". "):
            self.highest = told if told is not None else max(self.highest, seen)
        return lines[-1] if lines else b""

    def _exists(self, count: int) -> None:
        assert count >= len(self.messages), "EXISTS fell"
        self.messages += [None] * (count - len(self.messages))

    def _gone(self, index: int) -> None:
        uid = self.messages.pop(index)
        if uid is not None:
            self.flags.pop(uid, None)

    def _vanished(self, uids: list[int], earlier: bool, command: bytes) -> None:
        assert not NO_EXPUNGE.match(command), (command, uids)
        for uid in uids:
            self.flags.pop(uid, None)
            if earlier:
                assert uid not in self.messages, "VANISHED (EARLIER) of a message that is there"
            else:
                self.messages.remove(uid if uid in self.messages else None)

    def _fetched(self, index: int, row: bytes) -> int:
        uid = self.messages[index]
        if found := re.search(rb"\bUID (\d+)", row):
            assert uid in (None, int(found[1])), "a message has changed its UID"
            uid = self.messages[index] = int(found[1])
        modseq = int(found[1]) if (found := re.search(rb"MODSEQ \((\d+)\)", row)) else 0
        if found := re.search(rb"FLAGS \(([^)]*)\)", row):
            assert self.kind == "plain" or (modseq and b"UID" in row), row
            if uid is not None:
                flags = frozenset(found[1].split()) - {b"\\Recent"}
                assert modseq >= self.modseqs.get(uid, 0), "a MODSEQ fell"
                assert flags == self.flags.get(uid, flags) or not modseq or modseq > self.modseqs.get(uid, 0), row
                self.flags[uid], self.modseqs[uid] = flags, modseq
        return modseq

    # ----------------------------------------------------------------------------------------------------- speaking

    def asks(self, command: bytes) -> bytes:
        """A command; its tagged answer."""
        assert self.talk is not None
        self.done()
        return self.hears(self.talk.asks(command), command)

    def asks_both(self, first: bytes, second: bytes) -> None:
        """Two commands in one go: what the first may not tell comes with the second (RFC 3501 section 5.5)."""
        assert self.talk is not None
        self.done()
        lines = self.talk.sends(b"a %b\r\nb %b\r\n" % (first, second)).split(b"\r\n")[:-1]
        lines = [re.sub(rb"^[ab] ", b". ", line) for line in lines]
        end = next(at for at, line in enumerate(lines) if line.startswith(b". ")) + 1
        self.hears(lines[:end], first)
        self.hears(lines[end:], second)

    def idle(self) -> None:
        assert self.talk is not None
        if not self._idles:
            self._idles = True
            self.hears(self.talk.sends(b"i IDLE\r\n").split(b"\r\n"))

    def done(self) -> None:
        """No more idling."""
        assert self.talk is not None
        if self._idles:
            self._idles = False
            lines = [re.sub(rb"^i ", b". ", line) for line in self.talk.sends(b"DONE\r\n").split(b"\r\n") if line]
            assert self.hears(lines).startswith(b". OK IDLE"), lines

    def listens(self) -> None:
        """What is pushed."""
        if self.talk is not None and (pushed := self.talk.wire.said()):
            assert self._idles, pushed
            self.hears(pushed.split(b"\r\n"))

    def leaves(self) -> None:
        """The line drops."""
        if self.talk is not None:
            self.talk.hangs_up()
        self.talk, self._idles = None, False

    def comes(self) -> None:
        """Log in and catch up, as clients of this kind do."""
        self.talk = Talk(self.house).logs_in()
        self.messages, known = [], sorted(self.flags)
        if self.kind == "qresync":
            self.asks(b"ENABLE QRESYNC")
        command = b"SELECT INBOX" + (b" (CONDSTORE)" if self.kind == "condstore" else b"")
        if self.kind == "qresync" and self.validity:
            some = b" " + b",".join(b"%d" % uid for uid in known) if known else b""
            command += b" (QRESYNC (%d %d%b))" % (self.validity, self.highest, some)
        lines = self.talk.asks(command)
        (validity,) = (int(line.split()[3][:-1]) for line in lines if line.startswith(b"* OK [UIDVALIDITY "))
        assert validity == self.validity or not self.validity
        self.validity = validity
        before = self.highest
        self.hears(lines, command)
        if self.kind == "qresync":
            assert self.highest >= before, "HIGHESTMODSEQ fell"
        else:
            self.flags.clear()
        self.learns()

    def learns(self) -> None:
        """The UIDs of all numbers, and the flags of what is not known yet."""
        if not self.messages:
            return
        self.asks(b"FETCH 1:* (UID)")
        for uid in [uid for uid in self.messages if uid is not None and uid not in self.flags]:
            self.asks(b"UID FETCH %d (FLAGS%b)" % (uid, b"" if self.kind == "plain" else b" MODSEQ"))

    def copies(self, command: bytes) -> list[tuple[int, int]] | None:
        """COPY or MOVE: pairs of UIDs, the old one and the new one; None if a message, named by its number, is gone."""
        self.copied = []
        answer = self.asks(command)
        if answer.startswith(b". NO [EXPUNGEISSUED]"):
            assert not command.startswith(b"UID"), command
            return None
        assert answer.startswith(b". OK"), (command, answer)
        return self.copied

    def searches(self, word: bytes) -> set[int]:
        """The UIDs of messages with a flag or keyword."""
        self.found = set()
        self.asks(b"UID SEARCH " + (word[1:] if word[:1] == b"\\" else b"KEYWORD " + word))
        return self.found

    def catches_up(self) -> dict[int, frozenset[bytes]]:
        """What the client knows after NOOP: it has to be all."""
        self.asks(b"NOOP")
        self.learns()
        assert None not in self.messages
        assert self.messages == sorted(self.flags), (self.kind, self.messages, sorted(self.flags))
        return dict(self.flags)
