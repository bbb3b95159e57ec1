"""The AUTHORIZATION state: USER, PASS, AUTH, STLS, UTF8, LANG."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from twisted.internet.defer import Deferred, maybeDeferred
from twisted.mail import pop3

from hostmail.errors import LoginFailed, PlaintextRefused, Refusal, as_refusal
from hostmail.interfaces.logins import PasswordLogin
from hostmail.protocols.logs import shown
from hostmail.protocols.pop3.maildrop import HOLDER
from hostmail.protocols.sasl import (
    MECHANISMS,
    Challenge,
    Credentials,
    Mechanism,
    SaslError,
    Step,
    login_within,
    mechanism_named,
)

if TYPE_CHECKING:
    from hostmail.protocols.pop3.session import HostmailPOP3
else:
    HostmailPOP3 = object


class LoginCommands(HostmailPOP3 if TYPE_CHECKING else object):  # type: ignore[misc]
    """What a client may say before it has logged in."""

    exchange: Mechanism | None

    def may_log_in(self) -> bool:
        """Passwords are taken over TLS, and without it where the listener allows that (B2)."""
        return self.peer.tls or self.settings.allow_plaintext_login

    def on_stls(self, rest: str) -> None:
        """RFC 2595 section 4: what was said so far is forgotten."""
        if self.tls_context is None or self.peer.tls:
            return self.bad("TLS is active already" if self.peer.tls else "TLS is not available")
        self.ok("begin TLS")
        self.user = ""
        return self.start_tls(self.tls_context)

    def on_utf8(self, rest: str) -> None:
        """RFC 6856 section 2: messages are sent as they are stored in any case."""
        self.ok("UTF-8 it is")

    def on_lang(self, rest: str) -> None:
        """RFC 6856 section 3: one language."""
        if rest.strip().lower() not in ("", "*", "en", "i-default"):
            return self.err("", "only en is spoken here")
        if rest.strip():
            return self.ok("en")
        return self.listing("languages follow", ["en English"])

    def on_user(self, rest: str) -> Any:
        """The name is judged together with the password, so that nothing is learnt from this reply."""
        if not rest.strip():
            return self.bad("USER needs your full mail address")
        if not self.may_log_in():
            return self._log_in(rest.strip(), "", "")
        self.user = rest.strip()
        return self.ok("send your password")

    def on_pass(self, rest: str) -> Any:
        """The password is the whole rest of the line, blanks included."""
        user, self.user = self.user, ""
        if not user:
            return self.bad("USER first")
        return self._log_in(user, rest, "")

    def on_auth(self, rest: str) -> Any:
        """RFC 5034, with and without an initial response."""
        name, _, initial = rest.strip().partition(" ")
        if not name:
            return self.listing("mechanisms follow", MECHANISMS if self.may_log_in() else ())
        if not self.may_log_in():
            return self._refuse_plaintext(login_within(name, initial.encode() if initial else None))
        exchange = mechanism_named(name)
        if exchange is None:
            return self.bad("that mechanism is not offered")
        self.exchange = exchange
        return self._step(exchange.start, initial.encode() if initial else None)

    def continue_exchange(self, line: bytes) -> Any:
        """The client's answer to a challenge."""
        exchange = self.exchange
        assert exchange is not None
        return self._step(exchange.answer, line)

    def _step(self, step: Any, line: bytes | None) -> Any:
        try:
            got: Step = step(line)
        except SaslError as error:
            self.exchange = None
            return self.bad(error.words)
        if isinstance(got, Challenge):
            return self.send(b"+ " + got.encoded + b"\r\n")
        self.exchange = None
        assert isinstance(got, Credentials)
        return self._log_in(got.username, got.password, got.authzid)

    def _refuse_plaintext(self, credentials: Credentials | None) -> Any:
        if credentials is None:
            return self.refuse(PlaintextRefused())
        return self._log_in(credentials.username, credentials.password, credentials.authzid)

    async def _log_in(self, user: str, password: str, authzid: str) -> None:
        """Ask the portal, which refuses what came without TLS and must not.

        The answer goes out before the connection is closed (BEHAVIOURS H5).
        """
        refusal = None if self.may_log_in() else PlaintextRefused(private="no TLS")
        try:
            _, maildrop, logout = await self._ask_portal(PasswordLogin(user, password, self.peer, authzid, refusal))
        except LoginFailed as refusal:
            self._login_refused(user, refusal)
            return
        self._adopt(maildrop, logout)

    async def _ask_portal(self, credentials: PasswordLogin) -> Any:
        asked: Deferred[Any] = maybeDeferred(self.portal.login, credentials, self.peer, pop3.IMailbox)
        try:
            return await asked
        except Exception as error:
            if as_refusal(error) is not error:
                self.log.failure("login could not be checked: {peer}", peer=shown(self.peer))
            raise as_refusal(error) from error

    def _login_refused(self, user: str, refusal: LoginFailed) -> None:
        self.failed_logins += 1
        self.log.info("login failed: {user} from {ip}: {why}", user=user, ip=self.peer.ip, why=refusal.private)
        self.refuse(refusal)
        if self.failed_logins >= self.settings.failed_logins:
            self.close()

    def _adopt(self, maildrop: Any, logout: Any) -> None:
        if self.closing or self.session is None:
            logout()
            return
        self._logout = logout
        try:
            self.sessions.logged_in(self.session)
        except Refusal:
            self.release_maildrop()
            self.peer.account_id, self.peer.login = None, ""
            raise
        self.maildrop = maildrop
        self.session.state[HOLDER] = self
        count, octets = maildrop.totals()
        self.log.info("logged in: {login} from {ip}", login=self.peer.login, ip=self.peer.ip)
        self.ok(f"{count} messages ({octets} octets)")
