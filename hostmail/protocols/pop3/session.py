"""A POP3 session: framing, state, replies. The commands are in login.py and transaction.py."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

from twisted.internet.protocol import connectionDone
from twisted.mail import pop3
from twisted.python.failure import Failure

from hostmail.errors import Refusal, TemporaryFailure
from hostmail.protocols.base import Action, CommandPump
from hostmail.protocols.buffer import TooLong
from hostmail.protocols.logs import StageLogger, shown
from hostmail.protocols.pop3.login import LoginCommands
from hostmail.protocols.pop3.maildrop import HOLDER
from hostmail.protocols.pop3.settings import Pop3Settings
from hostmail.protocols.pop3.transaction import TransactionCommands
from hostmail.protocols.sasl import MAX_RESPONSE, Mechanism

ANYWHERE = frozenset({"CAPA", "QUIT", "NOOP"})
BEFORE_LOGIN = frozenset({"USER", "PASS", "AUTH", "STLS", "UTF8", "LANG"})
AFTER_LOGIN = frozenset({"STAT", "LIST", "UIDL", "RETR", "TOP", "DELE", "RSET", "LAST"})
KNOWN = ANYWHERE | BEFORE_LOGIN | AFTER_LOGIN


class HostmailPOP3(CommandPump, LoginCommands, TransactionCommands, pop3.POP3):
    """RFC 1939 with CAPA and response codes (2449, 3206), STLS (2595) and SASL (5034), on the ordered pump.

    Twisted's factory, portal and IMailbox stay; the whole input side and every command are ours (TWISTED.md P1-P15).
    """

    log = StageLogger(namespace="protocols.pop3")

    def __init__(self, settings: Pop3Settings, portal: Any, sessions: Any, clock: Any, tls_context: Any = None) -> None:
        self.settings = settings
        self.portal = portal
        self.sessions = sessions
        self.clock = clock
        self.tls_context = tls_context
        self.protocol_name = settings.protocol
        self.implicit_tls = settings.implicit_tls
        self.idle_seconds = settings.idle_seconds
        self.maildrop: Any = None
        self.exchange: Mechanism | None = None
        self.user = ""
        self._logout: Callable[[], Any] | None = None
        self._bad_commands = 0
        self.failed_logins = 0

    # ---------------------------------------------------------------------------------------------- the pump's words

    def greet(self) -> None:
        """RFC 1939 section 4; no timestamp, as APOP is not offered."""
        self.ok(f"{self.settings.hostname} POP3 ready")

    def refuse_session(self, refusal: Refusal) -> None:
        """Too many connections."""
        self.refuse(refusal)

    def command_failed(self, failure: Failure) -> None:
        """A fault of ours: for now, and without a word about our insides (P2, P7, P8)."""
        self.refuse(TemporaryFailure())

    def timed_out(self) -> None:
        """Silence for ten minutes; nothing is deleted (RFC 1939 section 3)."""
        self.err("SYS/TEMP", "nothing heard for too long, closing; no message was deleted")

    def close(self) -> None:
        """Nothing more is done for this client, so the maildrop is free at once, however long the line takes to close."""
        CommandPump.close(self)
        self.release_maildrop()

    def abort(self) -> None:
        """As close, without courtesy."""
        CommandPump.abort(self)
        self.release_maildrop()

    def kicked(self, words: str) -> None:
        """An operator or a newer session ends this one."""
        self.err("SYS/TEMP", words)

    def session_ended(self) -> None:
        """Give the maildrop back, whatever ended the session.

        Only QUIT deletes (RFC 1939, section 6), so a dropped line keeps every message; but the lock goes even then.
        """
        self.release_maildrop()

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """The pump's, not the stock one's."""
        CommandPump.connectionLost(self, reason)

    def release_maildrop(self) -> None:
        """Log out; twice is fine (P9)."""
        logout, self._logout = self._logout, None
        self.maildrop = None
        if self.session is not None:
            self.session.state.pop(HOLDER, None)
        if logout is not None:
            logout()

    # -------------------------------------------------------------------------------------------------------- input

    def take_action(self) -> Action | None:
        """One line: a command, or the answer to a SASL challenge."""
        limit = MAX_RESPONSE if self.exchange is not None else self._command_limit()
        line = self.input.take_line(limit)
        if line is None:
            return None
        if isinstance(line, TooLong):
            return self._too_long
        if self.exchange is not None:
            return lambda: self._watched(self.continue_exchange(line))
        return partial(self._command, line)

    def _command_limit(self) -> int:
        """AUTH may carry an initial response (RFC 5034 section 4); after login nothing is that long."""
        return self.settings.line_octets if self.maildrop is not None else MAX_RESPONSE

    def _too_long(self) -> None:
        self.exchange = None
        self.bad("line too long")

    def _command(self, line: bytes) -> Any:
        verb, _, rest = line.decode("utf-8", "replace").partition(" ")
        verb = verb.upper()
        if len(line) > self.settings.line_octets and verb != "AUTH":
            return self.bad("line too long")
        if "\0" in rest or verb not in KNOWN:
            return self.bad("unknown command")
        if verb in AFTER_LOGIN and self.maildrop is None:
            return self.bad("log in first")
        if verb in BEFORE_LOGIN and self.maildrop is not None:
            return self.bad("you are logged in already")
        return self._watched(getattr(self, f"on_{verb.lower()}")(rest))

    def _watched(self, result: Any) -> Any:
        return None if result is None else self._answer(result)

    async def _answer(self, work: Any) -> None:
        """A refusal is answered; what the peer does not learn of it, whoever reads the log does."""
        try:
            await work
        except Refusal as refusal:
            if refusal.private:
                words, private = refusal.public, refusal.private
                self.log.warn("refused: {peer} {words}: {private}", peer=shown(self.peer), words=words, private=private)
            if not self.closing:
                self.refuse(refusal)

    # ------------------------------------------------------------------------------------------------------ replies

    def ok(self, words: str = "") -> None:
        """A positive reply; a good command forgives bad ones before it."""
        self._bad_commands = 0
        self.send(f"+OK {words}\r\n".encode() if words else b"+OK\r\n")

    def listing(self, words: str, lines: Iterable[str]) -> None:
        """A positive reply of several lines, in one write."""
        self._bad_commands = 0
        self.send("\r\n".join((f"+OK {words}", *lines, ".\r\n")).encode())

    def err(self, code: str, words: str) -> None:
        """A negative reply with its response code (RFC 2449 section 8), if any."""
        self.send(f"-ERR [{code}] {words}\r\n".encode() if code else f"-ERR {words}\r\n".encode())

    def refuse(self, refusal: Refusal) -> None:
        """A refusal in POP3's words."""
        code = refusal.pop3 or ("" if refusal.permanent else "SYS/TEMP")
        self.err(code, refusal.public)

    def bad(self, words: str) -> None:
        """A command that makes no sense; too many in a row end the session."""
        self._bad_commands += 1
        if self._bad_commands < self.settings.bad_commands:
            self.err("", words)
            return
        self.err("SYS/PERM", f"{words}; too many errors, closing")
        self.close()

    # ----------------------------------------------------------------------------------------------- anywhere commands

    def on_noop(self, rest: str) -> None:
        """NOOP."""
        self.ok()

    def on_capa(self, rest: str) -> None:
        """RFC 2449; real tokens only (BEHAVIOURS H2)."""
        lines = ["TOP", "UIDL", "RESP-CODES", "AUTH-RESP-CODE", "PIPELINING", "EXPIRE NEVER", "UTF8 USER"]
        if self.tls_context is not None and not self.peer.tls and self.maildrop is None:
            lines.append("STLS")
        if self.may_log_in() or self.maildrop is not None:
            lines += ["USER", "SASL PLAIN LOGIN"]
        lines.append("IMPLEMENTATION hostmail")
        self.listing("capabilities follow", lines)

    def on_quit(self, rest: str) -> Any:
        """Deletions are durable before the answer (RFC 1939 section 6, P12)."""
        if self.maildrop is None:
            self.ok("goodbye")
            self.close()
            return None
        return self._update_and_leave()

    async def _update_and_leave(self) -> None:
        try:
            gone = await self.maildrop.update()
        except Refusal as refusal:
            self.log.warn("deletions failed: {peer} {words}", peer=shown(self.peer), words=refusal.private)
            if self.closing:
                return
            self.err("SYS/TEMP", "some messages could not be deleted, please try again later")
        else:
            self.release_maildrop()
            self.ok(f"goodbye, {gone} deleted" if gone else "goodbye")
        self.close()
