"""The talk with another mail server: introduction, TLS, login, and any number of messages (RFC 5321, 3207, 4954, 1870, 6531)."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from hostmail.errors import Refusal, TemporaryFailure
from hostmail.interfaces.queue import Queued
from hostmail.relay.failures import TAKES_NO_MAIL, LoopsBack, NextHopFailure, Refused, Sent, TakesNoMail
from hostmail.relay.replies import Reply
from hostmail.relay.transaction import Octets, Transaction
from hostmail.relay.wire import Wire

GREETING_SECONDS = EHLO_SECONDS = AUTH_SECONDS = 300.0
MAX_RECIPIENTS = 100


class TlsFailed(NextHopFailure):
    """TLS could not be agreed on; without it things may go better, where that is allowed."""

    enhanced = "4.7.5"


@dataclass(frozen=True, slots=True)
class Manners:
    """How to talk to `host`, as `hostname`. `tls` is never, may or must; `tls_options` makes the TLS side of a connection.

    `open_login` allows a password without TLS: on this machine, or where the operator says so. `ourselves` is the name of this server: a
    host that calls itself so gets no mail. It is empty for hosts that our operator names, not the DNS: what those say of themselves
    is his to mend.
    """

    host: str
    hostname: str
    tls: str = "may"
    tls_options: Any = None
    user: str = ""
    password: str = ""
    open_login: bool = False
    ourselves: str = ""


class Content(Octets, Protocol):
    """The message to send. `seven_bit` raises a Refusal for one that cannot be converted."""

    async def is_ascii(self, header_only: bool) -> bool: ...

    async def seven_bit(self) -> Octets: ...


class Conversation:
    """One connection's dialogue. Trouble with the connection is a NextHopFailure; `usable` tells if it may carry another message."""

    def __init__(self, wire: Wire, manners: Manners) -> None:
        self._wire = wire
        self._manners = manners
        self._features: dict[str, str] = {}
        self.messages = 0
        self.body_begun = False

    @property
    def usable(self) -> bool:
        """True if the connection is open and quiet."""
        return self._wire.idle

    async def begin(self) -> None:
        """From the greeting to where mail may be sent; raises NextHopFailure, for no message is to blame, LoopsBack or TakesNoMail."""
        self._demand(await self._wire.reply(GREETING_SECONDS))
        await self._introduce()
        if self._manners.tls != "never" and not self._wire.secure:
            await self._change_to_tls()
        if self._manners.user:
            await self._log_in()

    def _demand(self, reply: Reply, code: int = 0) -> Reply:
        if reply.code == code or (not code and reply.good):
            return reply
        words = f"{self._manners.host} said: {reply}"
        if reply.code in TAKES_NO_MAIL and self._manners.ourselves:
            raise TakesNoMail(words, code=reply.code, enhanced=reply.enhanced or TakesNoMail.enhanced)
        raise NextHopFailure(words, enhanced="4.3.2")

    async def _ask(self, line: str, seconds: float) -> Reply:
        self._wire.command(line)
        return await self._wire.reply(seconds)

    async def _introduce(self) -> None:
        reply = await self._ask(f"EHLO {self._manners.hostname}", EHLO_SECONDS)
        if reply.good:
            if self._manners.ourselves and reply.lines[0].lower().split()[:1] == [self._manners.ourselves]:
                raise LoopsBack(f"{self._manners.host} is this server, which does not know that domain")
            words = (line.partition(" ") for line in reply.lines[1:])
            self._features = {name.upper(): value for name, _, value in words}
            return
        self._features = {}
        if reply.code in TAKES_NO_MAIL or reply.code < 500:
            self._demand(reply)
        self._demand(await self._ask(f"HELO {self._manners.hostname}", EHLO_SECONDS))

    async def _change_to_tls(self) -> None:
        """STARTTLS and a new introduction; what was announced in clear is forgotten (RFC 3207 4.2)."""
        must = self._manners.tls == "must"
        if "STARTTLS" not in self._features:
            if must:
                raise NextHopFailure(f"{self._manners.host} does not offer TLS, which is demanded", enhanced="4.7.4")
            return
        try:
            reply = await self._ask("STARTTLS", EHLO_SECONDS)
            if reply.code == 220:
                await self._wire.start_tls(self._manners.tls_options)
        except NextHopFailure as failure:
            words = f"TLS with {self._manners.host} cannot be established"
            raise TlsFailed(words, f"{failure.public} {failure.private}") from failure
        if self._wire.secure:
            await self._introduce()
        elif must:
            raise NextHopFailure(f"{self._manners.host} said: {reply}", enhanced="4.7.4")

    async def _log_in(self) -> None:
        """AUTH PLAIN or LOGIN; a password does not go over an open line."""
        if not self._wire.secure and not self._manners.open_login:
            raise NextHopFailure(f"{self._manners.host} offers no TLS to log in with", enhanced="4.7.4")
        offered = self._features.get("AUTH", "").upper().split()
        user, password = self._manners.user, self._manners.password
        if "PLAIN" in offered:
            reply = await self._ask(f"AUTH PLAIN {_base64(f'{chr(0)}{user}{chr(0)}{password}')}", AUTH_SECONDS)
        elif "LOGIN" in offered:
            self._demand(await self._ask("AUTH LOGIN", AUTH_SECONDS), 334)
            self._demand(await self._ask(_base64(user), AUTH_SECONDS), 334)
            reply = await self._ask(_base64(password), AUTH_SECONDS)
        else:
            raise NextHopFailure(f"{self._manners.host} offers no login that we know", enhanced="4.7.0")
        self._demand(reply, 235)

    async def send(self, rows: Sequence[Queued], content: Content) -> list[Sent]:
        """Send one message; a result for each row. Raises NextHopFailure only if the connection broke before anything was decided."""
        results: dict[int, Sent] = {}
        octets: Octets = content
        try:
            await self._demand_utf8(rows[0], content)
            if "8BITMIME" not in self._features and rows[0].body != "7BIT" and not await content.is_ascii(False):
                octets = await content.seven_bit()
            self._demand_room(octets.size)
        except TemporaryFailure:
            raise
        except Refusal as refusal:
            return [Sent(refusal) for _ in rows]
        self.messages += 1
        able = [row for row in rows if self._fit_recipient(row, results)]
        transaction = Transaction(self._wire, self._manners.host, self._features, octets)
        for i in range(0, len(able), MAX_RECIPIENTS):
            results.update(await transaction.send(able[i : i + MAX_RECIPIENTS]))
        self.body_begun = transaction.body_begun
        return [results[row.id] for row in rows]

    def _demand_room(self, size: int) -> None:
        limit = self._features.get("SIZE", "")
        if limit.isdecimal() and 0 < int(limit[:18]) < size:
            words = f"{self._manners.host} takes messages of up to {limit} octets, this one has {size}"
            raise Refused(words, code=552, enhanced="5.3.4")

    async def _demand_utf8(self, row: Queued, content: Content) -> None:
        """UTF-8 in headers and in the sender's address goes to hosts that know of it (RFC 6531); there is no way to convert it."""
        if "SMTPUTF8" in self._features:
            return
        if not row.sender.isascii() or (row.smtputf8 and not await content.is_ascii(True)):
            raise Refused(f"{self._manners.host} cannot take internationalized mail", code=550, enhanced="5.6.7")

    def _fit_recipient(self, row: Queued, results: dict[int, Sent]) -> bool:
        if row.recipient.isascii() or "SMTPUTF8" in self._features:
            return True
        words = f"{self._manners.host} cannot take internationalized addresses"
        results[row.id] = Sent(Refused(words, code=553, enhanced="5.6.7"))
        return False

    def give_up(self) -> None:
        """It takes too long, however politely: cut the connection; what was not answered is for later."""
        self._wire.abort(NextHopFailure(f"{self._manners.host} is too slow", enhanced="4.4.2"))

    def close(self) -> None:
        """Say goodbye."""
        self._wire.close()


def _base64(text: str) -> str:
    return b64encode(text.encode()).decode("ascii")
