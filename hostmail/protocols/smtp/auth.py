"""AUTH (RFC 4954)."""

from __future__ import annotations

from typing import Any

from twisted.cred.error import UnauthorizedLogin
from twisted.mail import smtp

from hostmail.errors import LoginFailed, PlaintextRefused, Refusal, TooMany
from hostmail.interfaces.logins import PasswordLogin
from hostmail.protocols.sasl import MECHANISMS, Credentials, SaslError, Step, login_within, mechanism_named
from hostmail.protocols.smtp.core import BadSequence, Handled, SmtpCore


class AuthCommands(SmtpCore):
    """Logging in through the portal; the avatar becomes the session's delivery."""

    delivery: Any
    _logout: Any = None

    def offered_mechanisms(self) -> list[str]:
        """What EHLO shows now."""
        return list(MECHANISMS) if self.may_log_in() else []

    def do_AUTH(self, argument: str) -> Handled:
        """Begin an exchange."""
        self.need_hello()
        if self.peer.account_id is not None:
            raise BadSequence("you are logged in already")
        if self.mail is not None:
            raise BadSequence("AUTH is not possible within a mail transaction")
        name, *initial = argument.split() or [""]
        response = initial[0].encode("utf-8", "surrogateescape") if initial else None
        if not self.may_log_in():
            return self._refuse_plaintext(login_within(name, response))
        if not name or len(initial) > 1:
            raise Refusal("AUTH takes a mechanism and one initial response", code=501, enhanced="5.5.4")
        mechanism = mechanism_named(name)
        if mechanism is None:
            raise Refusal("that mechanism is not offered", code=504, enhanced="5.5.4")
        self.exchange = mechanism
        return self._step(lambda: mechanism.start(response))

    def answer_received(self, line: bytes) -> Handled:
        """The client's answer to a challenge."""
        mechanism = self.exchange
        assert mechanism is not None
        return self._step(lambda: mechanism.answer(line))

    def _step(self, act: Any) -> Handled:
        try:
            step: Step = act()
        except SaslError as error:
            self.exchange = None
            enhanced = "5.7.0" if error.cancelled else "5.5.2"
            raise Refusal(error.words, code=501, enhanced=enhanced) from None
        if isinstance(step, Credentials):
            self.exchange = None
            return self._log_in(step)
        self.say(334, step.encoded.decode("ascii"))
        return None

    def _refuse_plaintext(self, credentials: Credentials | None) -> Handled:
        """Refused by the portal where it is known who tried, so that his owner can see it."""
        if credentials is None:
            raise PlaintextRefused
        return self._log_in(credentials, PlaintextRefused(private="no TLS"))

    async def _log_in(self, credentials: Credentials, refusal: Refusal | None = None) -> None:
        login = PasswordLogin(credentials.username, credentials.password, self.peer, credentials.authzid, refusal)
        self.doing = f"login of {credentials.username[:200]!r}"
        try:
            _, avatar, logout = await self.portal.login(login, self.peer, smtp.IMessageDelivery)
        except UnauthorizedLogin as error:
            raise LoginFailed(private=str(error)) from None
        if self.closing:
            logout()
            return
        self.delivery, self._logout = avatar, logout
        self._count_in()

    def _count_in(self) -> None:
        assert self.session is not None
        try:
            self.sessions.logged_in(self.session)
        except TooMany as refusal:
            raise TooMany(refusal.public, refusal.private, code=421, enhanced="4.7.0") from None
        self.log.info("login: {login} ({ip})", ip=self.peer.ip, login=self.peer.login)
        self.say(235, "2.7.0 Authentication successful")

    def session_ended(self) -> None:
        """Log out."""
        super().session_ended()
        logout, self._logout = self._logout, None
        if logout is not None:
            logout()
