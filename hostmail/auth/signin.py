"""Signing in to the panel (F1): the same passwords, the same patience and the same delays as for mail."""

from __future__ import annotations

from collections.abc import Callable
from typing import NoReturn

from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import deferLater
from twisted.logger import Logger
from zope.interface import implementer

from hostmail.actor import Actor
from hostmail.auth import totp
from hostmail.auth.checker import Checker
from hostmail.auth.networks import client
from hostmail.auth.throttle import Throttle, writable
from hostmail.auth.verified import RecentFailures
from hostmail.envelope import Peer
from hostmail.errors import BadValue, LoginFailed, NotFound, Overloaded
from hostmail.interfaces.directory import IDirectory
from hostmail.interfaces.logins import ILoginAttempts, IPasswords, PasswordLogin
from hostmail.interfaces.people import IPeople, ISecondFactors, ISignIn, SecondFactor, Signed, Standing

WORDS = "login or password not accepted: both are case-sensitive"
OWN_WORDS = "that is not the password you have now: it is case-sensitive"
CODE_WORDS = "that code is not accepted"
MAX_CODE = 64


@implementer(ISignIn)
class SignIn:
    """Persons are looked up first; every other login is the checker's, who knows mail addresses and main logins (A3).

    A login that does not exist, one that is suspended and a wrong password get the same words, after the same work and the same time.
    Persons are counted by the throttle, and their attempts kept, under negative numbers, beside the accounts. `now` is Unix time.
    """

    log = Logger(namespace="auth")

    def __init__(
        self,
        *,
        directory: IDirectory,
        people: IPeople,
        factors: ISecondFactors,
        checker: Checker,
        passwords: IPasswords,
        throttle: Throttle,
        attempts: ILoginAttempts,
        clock: IReactorTime,
        now: Callable[[], float],
        hostname: str,
    ) -> None:
        self._directory = directory
        self._people = people
        self._factors = factors
        self._checker = checker
        self._passwords = passwords
        self._throttle = throttle
        self._attempts = attempts
        self._clock = clock
        self._now = now
        self._hostname = hostname
        self._failures = RecentFailures()

    async def sign_in(self, login: str, password: str, peer: Peer) -> Signed:
        """See `ISignIn`. The stamp is from before the password was looked at: one that changed meanwhile opens nothing."""
        found = await self._people.signing_in(login)
        found = await self._check(found, login, password, peer)
        return Signed(found.subject, found.stamp, needs_code=found.second_factor)

    async def check_password(self, subject: str, password: str, peer: Peer) -> None:
        """That he knows his own password: a refusal is about the argument that all verbs call `current`."""
        found = await self._people.standing(subject)
        if found is None:
            raise LoginFailed(OWN_WORDS, "gone").about("current")
        try:
            await self._check(found, found.login, password, peer)
        except LoginFailed as refusal:
            raise LoginFailed(OWN_WORDS, refusal.private).about("current") from None

    async def actor(self, subject: str, credential: str, way: str, ip: str) -> Actor | None:
        """Who that is now."""
        found = await self._people.standing(subject)
        if found is None or found.suspended or not credential or found.stamp != credential:
            return None
        return Actor(
            found.role,
            found.login,
            way,
            ip,
            person_id=found.person_id,
            domains=found.domains,
            address=found.address,
        )

    async def credential(self, subject: str) -> str:
        """The stamp as it is now."""
        found = await self._people.standing(subject)
        return found.stamp if found is not None and not found.suspended else ""

    # ---------------------------------------------------------------------------------------------------- passwords

    async def _check(self, found: Standing | None, login: str, password: str, peer: Peer) -> Standing:
        if found is not None and found.person_id is not None:
            await self._check_person(found, login, password, peer)
            return found
        try:
            account_id = await self._checker.check(PasswordLogin(login, password, peer))
        except LoginFailed as refusal:
            raise LoginFailed(WORDS, refusal.private) from None
        if found is None or found.account_id != account_id or not await self._is_of_now(found, login, password):
            raise LoginFailed(WORDS, "changed while signing in")
        return found

    async def _is_of_now(self, found: Standing, login: str, password: str) -> bool:
        """Whether the password is that of the stamp: what the checker knows may be a second old where another process has changed it."""
        known = await self._directory.login(login)
        if known is not None and known[1] == found.password_hash:
            return True
        return await self._passwords.verify(found.password_hash, password)

    async def _check_person(self, found: Standing, login: str, password: str, peer: Peer) -> None:
        started = self._clock.seconds()
        self._admit(found, login, peer)
        reason = "" if await self._passwords.verify(found.password_hash, password) else "wrong password"
        guessing = bool(reason)
        if not reason and (reason := found.suspended) == "" and await self._people.standing(found.subject) != found:
            reason = "changed while signing in"
        if reason:
            repeated = self._failures.is_repeated(client(peer.ip), login, password)
            await self._fail(found, login, peer, started, reason, WORDS, guessing and not repeated)
        if not found.second_factor:
            self._succeeded(found, peer)

    def _admit(self, found: Standing, login: str, peer: Peer) -> None:
        """Raises Overloaded for who has guessed too much."""
        try:
            self._throttle.admit(peer.ip, _number(found))
        except Overloaded:
            self._attempts.tell(_number(found), login, "too many failed logins from this address", peer)
            raise

    def _succeeded(self, found: Standing, peer: Peer) -> None:
        """Note the good login; failing at that keeps nobody out."""
        self._attempts.tell(_number(found), found.login, "", peer)
        with self.log.failuresHandled("good_login_not_noted: {login}", login=found.login):
            self._throttle.succeeded(peer.ip, found.login, _number(found))
        self.log.info("login_accepted: {login} from {ip} by {protocol}", **_fields(found.login, peer))

    async def _fail(
        self, found: Standing, login: str, peer: Peer, started: float, reason: str, words: str, guessing: bool
    ) -> NoReturn:
        self._attempts.tell(_number(found), found.login, reason, peer)
        delay = self._throttle.failed(peer.ip, login, _number(found), guessing=guessing)
        self.log.info("login_failed: {login} from {ip} by {protocol}: {reason}", reason=reason, **_fields(login, peer))
        await deferLater(self._clock, max(0.0, started + delay - self._clock.seconds()))
        raise LoginFailed(words, reason)

    # ------------------------------------------------------------------------------------------------ second factors

    async def check_code(self, subject: str, code: str, peer: Peer) -> None:
        """See `ISignIn`. After ten wrong ones nobody tries on for a quarter of an hour, then for longer, from wherever he comes."""
        started = self._clock.seconds()
        found = await self._people.standing(subject)
        if found is None or found.suspended or not found.second_factor:
            raise LoginFailed(CODE_WORDS, "no second factor")
        self._admit(found, found.login, peer)
        if not await self._factors.may_try(subject):
            self._attempts.tell(_number(found), found.login, "too many wrong codes", peer)
            raise Overloaded(
                "too many wrong codes: please wait for a quarter of an hour, or for longer after more of them",
                "too many wrong codes",
            )
        if not await self._is_taken(subject, code):
            login = f"{found.login} (code)"
            await self._fail(found, login, peer, started, "wrong or used code", CODE_WORDS, guessing=True)
        self._succeeded(found, peer)

    async def _is_taken(self, subject: str, code: str) -> bool:
        code = totp.plain(code[:MAX_CODE])
        if not totp.is_timed(code):
            return await self._factors.claim_code(subject, totp.digest_of(code))
        factor = await self._factors.factor(subject)
        step = totp.step_of(factor.secret, code, self._now()) if factor is not None else None
        return step is not None and await self._factors.claim_step(subject, step)

    async def begin_factor(self, subject: str) -> tuple[str, str]:
        """See `ISignIn`."""
        found = await self._people.standing(subject)
        if found is None or found.subject.startswith("account:"):
            raise NotFound("only operators and owners have a second factor")
        secret = totp.new_secret()
        await self._factors.begin(subject, secret)
        return totp.as_text(secret), totp.as_uri(secret, found.login, self._hostname)

    async def confirm_factor(self, subject: str, code: str) -> list[str]:
        """See `ISignIn`."""
        factor: SecondFactor | None = await self._factors.factor(subject)
        if factor is None or factor.active:
            raise NotFound("there is no second factor to confirm")
        step = totp.step_of(factor.secret, totp.plain(code[:MAX_CODE]), self._now())
        if step is None:
            raise BadValue("that is not the code which the app shows now: is the clock of your device right?").about(
                "code"
            )
        codes = totp.new_recovery_codes()
        if not await self._factors.confirm(subject, step, [totp.digest_of(each) for each in codes]):
            raise NotFound("there is no second factor to confirm")
        return codes

    async def new_codes(self, subject: str) -> list[str]:
        """See `ISignIn`."""
        codes = totp.new_recovery_codes()
        if not await self._factors.new_codes(subject, [totp.digest_of(each) for each in codes]):
            raise NotFound("there is no second factor in force")
        return codes


def _number(found: Standing) -> int:
    """Under which the throttle counts him."""
    return found.account_id or -(found.person_id or 0)


def _fields(login: str, peer: Peer) -> dict[str, str]:
    return {"login": writable(login), "ip": peer.ip, "protocol": peer.protocol}
