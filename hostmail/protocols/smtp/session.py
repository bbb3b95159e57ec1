"""One SMTP session (RFC 5321), on top of the ordered command pump."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from twisted.mail import smtp
from twisted.python.failure import Failure

from hostmail.errors import Overloaded, Refusal, TemporaryFailure
from hostmail.protocols.base import Action
from hostmail.protocols.buffer import TooLong
from hostmail.protocols.smtp.auth import AuthCommands
from hostmail.protocols.smtp.budget import Budget
from hostmail.protocols.smtp.commands import clean_helo, clean_line
from hostmail.protocols.smtp.core import BadSequence, Handled, no_argument
from hostmail.protocols.smtp.data import DataCommands
from hostmail.protocols.smtp.replies import extension_lines, offered, refusal_reply
from hostmail.protocols.smtp.settings import SmtpSettings

Handler = Callable[[str], Handled]

COMMANDS = (
    *("HELO", "EHLO", "MAIL", "RCPT", "DATA", "BDAT", "RSET"),
    *("NOOP", "VRFY", "EXPN", "HELP", "QUIT", "STARTTLS", "AUTH"),
)

_SHOWN_OCTETS = 200


class HostmailESMTP(AuthCommands, DataCommands, smtp.ESMTP):
    """The session behind every SMTP listener.

    It is a `smtp.ESMTP` for its portal, avatar and extension hooks; input, order, parsing and the message's way are ours (TWISTED 4.1).
    """

    delivery: Any = None

    def __init__(
        self,
        *,
        portal: Any,
        intake: Any,
        sessions: Any,
        clock: Any,
        settings: SmtpSettings,
        tls_context: Any = None,
    ) -> None:
        smtp.ESMTP.__init__(self, None, tls_context)
        self.host = settings.hostname
        self.portal, self.intake, self.sessions, self.clock = portal, intake, sessions, clock
        self.settings, self.tls_context = settings, tls_context
        self.protocol_name, self.implicit_tls = settings.protocol, settings.implicit_tls
        self.idle_seconds = settings.idle_seconds
        self.budget = Budget(settings)

    # ----------------------------------------------------------------------------------------- the pump asks and tells

    def greet(self) -> None:
        """RFC 5321 4.2: the one reply without an enhanced code besides those to HELO and EHLO."""
        self.say(220, f"{self.settings.hostname} ESMTP")

    def refuse_session(self, refusal: Refusal) -> None:
        """RFC 5321 3.8: no service for this connection."""
        self.say(421, f"4.7.0 {refusal.public}")

    def command_failed(self, failure: Failure) -> None:
        """A fault of ours: for now, and without a word about it."""
        self.exchange = None
        self.send(refusal_reply(TemporaryFailure()))

    def timed_out(self) -> None:
        """RFC 5321 4.5.3.2."""
        self.ended_by = "the client was silent for too long"
        self.say(421, f"4.4.2 {self.settings.hostname} heard nothing for too long, closing")

    def kicked(self, words: str) -> None:
        """An operator ends the session."""
        self.ended_by = f"disconnected: {words}"
        self.say(421, f"4.3.2 {words}")

    def take_action(self) -> Action | None:
        """The next piece of a message, or the next line."""
        if self.receive is not None:
            if not len(self.input):
                return None
            data = self.input.take_all()
            return lambda: self.body_received(data)
        line = self.input.take_line(self.settings.auth_line_octets)
        if line is None:
            return None
        if self.budget.delay_seconds:
            return lambda: self._late(line)
        return lambda: self.line_taken(line)

    async def _late(self, line: bytes | TooLong) -> None:
        """The answer of a session that has made too many errors comes late."""
        await self.nap(self.budget.delay_seconds)
        if not self.closing:
            handled = self.line_taken(line)
            if handled is not None:
                await handled

    # ------------------------------------------------------------------------------------------------------- dispatch

    def line_taken(self, line: bytes | TooLong) -> Handled:
        """A command, or the answer to a challenge."""
        self.doing = "command"
        if isinstance(line, TooLong):
            self.exchange = None
            self.refuse(_line_too_long())
            return None
        if self.exchange is not None:
            self.doing = "AUTH"
            return self.guarded(lambda: self.answer_received(line))
        return self.guarded(lambda: self._command(line))

    def _command(self, line: bytes) -> Handled:
        text = clean_line(line).strip()
        verb, _, argument = text.partition(" ")
        self.doing = "AUTH" if verb.upper() == "AUTH" else ascii(text[:_SHOWN_OCTETS])
        if len(line) > self.settings.command_line_octets and verb.upper() != "AUTH":
            raise _line_too_long()
        handler = self.lookupMethod(verb)
        if handler is None:
            raise Refusal("unknown command", code=500, enhanced="5.5.2")
        return handler(argument.strip())

    def lookupMethod(self, command: str | bytes) -> Handler | None:
        """The handler of a command, in any case; nothing but our own (the stock ones take bytes)."""
        verb = command.decode("ascii", "replace") if isinstance(command, bytes) else command
        handler: Handler | None = getattr(self, f"do_{verb.upper()}") if verb.upper() in COMMANDS else None
        return handler

    def sendCode(self, code: int, message: bytes = b"") -> None:
        """The stock hook, in one write."""
        self.say(code, *(message.decode("utf-8", "replace").splitlines() or [""]))

    # ---------------------------------------------------------------------------------------------------- who is there

    def do_HELO(self, argument: str) -> None:
        """RFC 5321 4.1.1.1."""
        self._hello(argument, esmtp=False)
        self.say(250, self.settings.hostname)

    def do_EHLO(self, argument: str) -> None:
        """RFC 5321 4.1.1.1, with what we offer."""
        self._hello(argument, esmtp=True)
        self.say(250, self.settings.hostname, *extension_lines(self.extensions()))

    def _hello(self, argument: str, esmtp: bool) -> None:
        self.peer.helo, self.peer.esmtp = clean_helo(argument), esmtp
        self.forget_mail()

    def extensions(self) -> dict[bytes, list[bytes] | None]:
        """What EHLO offers now."""
        return offered(
            self.settings.message_size_limit, starttls=self._may_start_tls(), mechanisms=self.offered_mechanisms()
        )

    def _may_start_tls(self) -> bool:
        return self.tls_context is not None and not self.peer.tls

    def do_STARTTLS(self, argument: str) -> None:
        """RFC 3207: nothing said before the handshake counts after it, sent or not yet read (S1)."""
        no_argument(argument)
        if self.peer.tls:
            raise BadSequence("TLS is on already")
        if self.peer.account_id is not None:
            raise BadSequence("STARTTLS comes before AUTH")
        if self.tls_context is None:
            raise Overloaded("TLS is not available here")
        self.forget_mail()
        self.peer.helo, self.peer.esmtp = "", False
        self.startedTLS = True
        self.say(220, "2.0.0 Ready to start TLS")
        self.start_tls(self.tls_context)

    # ------------------------------------------------------------------------------------------------- the small ones

    def do_NOOP(self, argument: str) -> None:
        """RFC 5321 4.1.1.9 (S6)."""
        self.say(250, "2.0.0 Ok")

    def do_VRFY(self, argument: str) -> None:
        """RFC 5321 3.5.3: who exists here is not told to strangers."""
        if not argument:
            raise Refusal("VRFY whom?", code=501, enhanced="5.5.4")
        self.say(252, "2.0.0 Cannot verify, but send it and we will try")

    def do_EXPN(self, argument: str) -> None:
        """RFC 5321 3.5.2: members of lists are not told at all."""
        raise Refusal("EXPN is not offered", code=502, enhanced="5.5.1")

    def do_HELP(self, argument: str) -> None:
        """RFC 5321 4.1.1.8."""
        self.say(214, "2.0.0 Commands: " + " ".join(COMMANDS))

    def do_QUIT(self, argument: str) -> None:
        """RFC 5321 4.1.1.10."""
        self.said_quit, self.ended_by = True, "QUIT"
        self.say(221, "2.0.0 Bye")
        self.close()


def _line_too_long() -> Refusal:
    return Refusal("line too long", code=500, enhanced="5.5.2")
