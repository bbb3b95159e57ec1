"""Turns what the socket brings into complete commands, whatever the segment borders (RFC 3501 section 7.5, RFC 7888).

The session pushes octets in with `append` and pulls events out with `next_event`; between two events it may clear the
buffer (STARTTLS) or switch to plain lines (AUTHENTICATE, IDLE). Literals are told apart from text here and nowhere
else: a client that writes `{10+}` has its ten octets counted even when the command is refused, so they are never run as
a command. An APPEND's message does not pass through memory: it comes out in pieces as it arrives.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from hostmail.interfaces.mailstore import MAX_ANNOTATION_OCTETS
from hostmail.protocols.imap.limits import TOKENS, CommandLimits
from hostmail.protocols.imap.tokens import TAG, BadSyntax

ANNOUNCEMENT = re.compile(rb"(~?)\{([0-9]{1,40})([+-]?)\}\Z")
APPEND = re.compile(rb"[^ ]+ (?:APPEND|(?:UID )?REPLACE [^ ]+) (.*)\Z", re.IGNORECASE | re.DOTALL)
TAIL = 64
LARGEST_LITERAL = 2**63 - 1
PIECE = 64 * 1024
SETMETADATA = re.compile(rb"[^ ]+ SETMETADATA ", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Command:
    """A complete command; `streamed` when its last literal went out in pieces and stands here as nothing."""

    parts: tuple[bytes, ...]
    streamed: bool = False


@dataclass(frozen=True, slots=True)
class Continue:
    """The client waits for a continuation request before it sends a literal of this size."""

    size: int


@dataclass(frozen=True, slots=True)
class AppendLiteral:
    """The message of an APPEND is about to come; the session answers with `accept_append` or `refuse`."""

    parts: tuple[bytes, ...]
    size: int
    waits: bool
    binary: bool


@dataclass(frozen=True, slots=True)
class AppendData:
    """A piece of the message."""

    data: bytes


@dataclass(frozen=True, slots=True)
class Refused:
    """A command that cannot be run and has been read to its end; when `fatal` the end cannot be found."""

    tag: bytes
    words: str
    status: bytes = b"BAD"
    code: bytes | None = None
    fatal: bool = False


Event = Command | Continue | AppendLiteral | AppendData | Refused

TEXT, LITERAL, DECIDING, STREAMING, THROWING, LOST = range(6)


def tag_of(text: bytes) -> bytes:
    """The tag to answer with, or * when there is none to be found (RFC 3501 section 7.1.3)."""
    found = TAG.match(text[:256])
    return found.group() if found and text[found.end() : found.end() + 1] in (b" ", b"") else b"*"


class Framer:
    """The octets of one connection on their way to becoming commands."""

    def __init__(self, limits: CommandLimits | None = None) -> None:
        self._limits = limits or CommandLimits()
        self.logged_in = False
        self._buffer = bytearray()
        self._searched = 0
        self._overlong = False
        self._long_head = b""
        self._parts: list[bytes] = []
        self._refusal: Refused | None = None
        self._wanted = 0
        self._waits = False
        self._state = TEXT
        self._start_command()

    def __len__(self) -> int:
        """How many octets wait here."""
        return len(self._buffer)

    @property
    def between_commands(self) -> bool:
        """Whether nothing of an unfinished command has been taken yet."""
        return self._state == TEXT and not self._parts and self._refusal is None and not self._overlong

    def append(self, data: bytes) -> None:
        """Take octets from the socket."""
        if self._state != LOST:
            self._buffer += data

    def clear(self) -> None:
        """Forget everything received: nothing sent before a TLS handshake may count after it (fault I1)."""
        self._buffer.clear()
        self._searched = 0
        self._overlong = False
        self._start_command()

    def next_event(self) -> Event | None:
        """The next event, or nothing until more octets arrive or the session decides about an APPEND."""
        while True:
            if self._state == TEXT:
                line = self._take_line(self._limits.line_octets)
                if line is None:
                    return None
                event = self._text(line)
                if event is not None:
                    return event
            elif self._state == LITERAL:
                if len(self._buffer) < self._wanted:
                    return None
                self._parts.append(self._take(self._wanted))
                self._state = TEXT
            elif self._state == STREAMING:
                if self._wanted == 0:
                    self._parts.append(b"")
                    self._streamed = True
                    self._state = TEXT
                elif self._buffer:
                    return AppendData(self._take_some())
                else:
                    return None
            elif self._state == THROWING:
                if self._wanted and not self._buffer:
                    return None
                if self._wanted:
                    self._take_some()
                if self._wanted == 0:
                    self._state = TEXT
            else:
                return self._pending_refusal()

    def next_line(self, most: int) -> bytes | None:
        """One plain line without its end, for SASL responses and DONE; BadSyntax when it was longer than `most`."""
        line = self._take_line(most)
        if line is None:
            return None
        if self._overlong or len(line) > most:
            self._overlong = False
            raise BadSyntax("the line is too long")
        return line

    def accept_append(self) -> None:
        """Let the announced message come out in pieces."""
        self._state = STREAMING

    def refuse(self, words: str, status: bytes = b"NO", code: bytes | None = None) -> None:
        """Read the rest of an APPEND away and say so at its end.

        A client that waits is told at once, for it will not send its message; one that does not wait, or is already
        sending, has to be heard out first.
        """
        self._refusal = Refused(self._tag(), words, status, code)
        if self._state == DECIDING and self._waits:
            return
        self._state = THROWING

    def _start_command(self) -> None:
        self._state = TEXT
        self._parts = []
        self._text_octets = 0
        self._octets = 0
        self._wanted = 0
        self._waits = False
        self._streamed = False
        self._refusal = None

    def _tag(self) -> bytes:
        return tag_of(self._parts[0]) if self._parts else b"*"

    @property
    def _most_octets(self) -> int:
        """How long a command may be with its literals: strangers have nothing long to say."""
        return self._limits.command_octets if self.logged_in else self._limits.before_login_octets

    def _take(self, size: int) -> bytes:
        taken = bytes(self._buffer[:size])
        del self._buffer[:size]
        self._searched = 0
        return taken

    def _take_some(self) -> bytes:
        taken = self._take(min(self._wanted, PIECE))
        self._wanted -= len(taken)
        return taken

    def _take_line(self, most: int) -> bytes | None:
        """One line; of a line that is too long, only its last octets, with `_overlong` set."""
        end = self._buffer.find(b"\n", self._searched)
        if end >= 0:
            line = self._take(end + 1)[:-1]
            return line[:-1] if line.endswith(b"\r") else line
        if len(self._buffer) > most + 1:
            self._note_long_line()
            del self._buffer[:-TAIL]
        self._searched = len(self._buffer)
        return None

    def _note_long_line(self) -> None:
        if not self._overlong:
            self._overlong = True
            self._long_head = bytes(self._buffer[:256])

    def _text(self, line: bytes) -> Event | None:
        self._text_octets += len(line)
        self._octets += len(line)
        if self._overlong or self._text_octets > self._limits.line_octets:
            self._give_up("the line is too long", self._long_head if self._overlong else line)
            self._overlong = False
        elif self._octets > self._most_octets or len(self._parts) > TOKENS:
            self._give_up("the command is too long", line)
        if not line.endswith(b"}") or (found := ANNOUNCEMENT.search(line)) is None:
            return self._finish(line)
        if self._refusal is None:
            self._parts.append(line[: found.start()])
        return self._announced(int(found.group(2)), not found.group(3), bool(found.group(1)))

    def _give_up(self, words: str, line: bytes) -> None:
        if self._refusal is None:
            self._refusal = Refused(self._tag() if self._parts else tag_of(line), words)

    def _finish(self, line: bytes) -> Event:
        if self._refusal is not None:
            return self._emit_refusal()
        event = Command((*self._parts, line), self._streamed)
        self._start_command()
        return event

    def _emit_refusal(self) -> Refused:
        event = self._refusal
        assert event is not None
        self._start_command()
        return event

    def _pending_refusal(self) -> Event | None:
        if self._state == DECIDING and self._refusal is not None:
            return self._emit_refusal()
        return None

    def _announced(self, size: int, waits: bool, binary: bool) -> Event | None:
        self._wanted, self._waits = size, waits
        if not waits and (too_far := self._beyond_reach(size)):
            return too_far
        if self._refusal is None and self._is_append():
            self._state = DECIDING
            return AppendLiteral(tuple(self._parts), size, waits, binary)
        self._octets += size
        if self._refusal is None:
            self._refusal = self._objection(size)
        if self._refusal is not None:
            if waits:
                return self._emit_refusal()
            self._state = THROWING
            return None
        self._state = LITERAL
        return Continue(size) if waits else None

    def _objection(self, size: int) -> Refused | None:
        """Why a literal is not kept, if it is not."""
        if size > self._limits.literal_octets and self.logged_in and SETMETADATA.match(self._parts[0]):
            return Refused(self._tag(), "the value is too long", b"NO", b"METADATA MAXSIZE %d" % MAX_ANNOTATION_OCTETS)
        if size > self._limits.literal_octets:
            return Refused(self._tag(), "the literal is too long")
        if self._octets > self._most_octets:
            return Refused(self._tag(), "the command is too long")
        return None

    def _beyond_reach(self, size: int) -> Refused | None:
        """The refusal that ends the connection, for a literal that we will not even read away."""
        most = LARGEST_LITERAL if self.logged_in else self._limits.before_login_octets
        if size <= most:
            return None
        event = Refused(self._tag(), "the literal is too long", fatal=True)
        self._state = LOST
        self._buffer.clear()
        return event

    def _is_append(self) -> bool:
        """Whether this literal is a message: any of an APPEND or REPLACE but a mailbox name in the place where that belongs."""
        if not self.logged_in:
            return False
        found = APPEND.match(self._parts[0])
        return found is not None and (len(self._parts) > 1 or bool(found.group(1)))
