"""Who signs in: full address and password, both spelled exactly (A1-A3), the same for POP3, IMAP, SMTP and web."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from twisted.cred.checkers import ICredentialsChecker
from twisted.cred.credentials import IUsernamePassword
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import deferLater
from twisted.logger import Logger
from zope.interface import implementer

from hostmail.auth.networks import client
from hostmail.auth.throttle import Throttle, writable
from hostmail.auth.verified import RecentFailures, VerifiedCredentials
from hostmail.envelope import Peer
from hostmail.errors import BareLogin, LoginFailed, Overloaded, Refusal
from hostmail.interfaces.directory import Account, Domain, IDirectory, IDirectoryChanges
from hostmail.interfaces.logins import ILoginAttempts, IPasswords, IRelayGrants, PasswordLogin

CHECKING_MAIL = frozenset({"pop3", "pop3s", "imap", "imaps"})
BareNameDomain = Callable[[Peer], Awaitable[str]]


@dataclass(frozen=True, slots=True)
class _Attempt:
    """One login as it came in."""

    name: str
    password: str
    peer: Peer
    started: float
    refusal: Refusal | None = None


@dataclass(frozen=True, slots=True)
class _Verdict:
    """Why a login fails ("" if it does not), whether it looks like guessing, and for a good one its domain.

    `meant` is the account that a name is likely to stand for which is no login.
    """

    reason: str = ""
    guessing: bool = False
    domain: Domain | None = None
    meant: int = 0


@implementer(ICredentialsChecker)
class Checker:
    """The one checker behind the portal.

    A correct login costs microseconds while the record of verified credentials is warm, and is never delayed. A failed one is
    answered at a time that does not depend on why it failed: counted from when it came in, and after the same hashing. Other sessions,
    and other commands, go on meanwhile. Failures are LoginFailed (`private` says why), Overloaded, TemporaryFailure.
    """

    credentialInterfaces = (IUsernamePassword,)
    log = Logger()

    def __init__(
        self,
        *,
        directory: IDirectory,
        changes: IDirectoryChanges,
        passwords: IPasswords,
        verified: VerifiedCredentials,
        throttle: Throttle,
        grants: IRelayGrants,
        attempts: ILoginAttempts,
        clock: IReactorTime,
        pop_before_smtp: bool = True,
    ) -> None:
        self._directory = directory
        self._changes = changes
        self._passwords = passwords
        self._verified = verified
        self._throttle = throttle
        self._grants = grants
        self._attempts = attempts
        self._clock = clock
        self._pop_before_smtp = pop_before_smtp
        self._failures = RecentFailures()

    def requestAvatarId(self, credentials: IUsernamePassword) -> Deferred[Any]:
        """Fires with the account's id."""
        return Deferred.fromCoroutine(self.check(credentials))

    def for_listener(self, bare_names: BareNameDomain) -> ICredentialsChecker:
        """This checker for a port where names need no domain (A4): `bare_names(peer)` is the one they are looked up in, "" for none."""
        return _BareNamesChecker(self, bare_names)

    async def check(self, credentials: IUsernamePassword, bare_names: BareNameDomain | None = None) -> int:
        """The account's id, its relay grant written (C3); or the refusal, after its delay."""
        attempt = _attempt_of(credentials, self._clock.seconds())
        is_bare = bool(attempt.name) and "@" not in attempt.name
        home = await bare_names(attempt.peer) if is_bare and bare_names is not None else ""
        name, login = await self._find(attempt.name, home)
        account = login[0] if login else None
        await self._admit(attempt, name, account)
        authzid = getattr(credentials, "authzid", "")
        verdict = await self._judge(attempt, name, login, authzid)
        if not verdict.reason and (now := await self._directory.login(name)) != login:
            # Changed while we hashed: an old password must not open anything after its end (A6, C4).
            account = now[0] if now else None
            verdict = await self._judge(attempt, name, now, authzid)
        if account is not None and not verdict.reason:
            await self._succeed(attempt, account, verdict.domain)
            return account.id
        await self._fail(attempt, account, verdict)
        # Main logins have no domain either: the words must not tell which of them there are.
        bare = is_bare and not home
        raise BareLogin(private=verdict.reason) if bare else LoginFailed(private=verdict.reason)

    async def _admit(self, attempt: _Attempt, name: str, account: Account | None) -> None:
        """Raise what keeps this attempt out whatever its password is."""
        account_id = account.id if account else None
        if attempt.refusal is not None:
            meant = account_id or (await self._directory.login_meant(name))[1]
            self._attempts.tell(meant, attempt.name, attempt.refusal.private, attempt.peer)
            raise attempt.refusal
        try:
            self._throttle.admit(attempt.peer.ip, account_id)
        except Overloaded:
            self._attempts.tell(account_id or 0, attempt.name, "too many failed logins from this address", attempt.peer)
            raise

    async def _find(self, name: str, home: str) -> tuple[str, tuple[Account, str] | None]:
        """The login's full name, and account and hash if there is one; `home` is the domain of names without one."""
        login = await self._directory.login(name)
        if login is None and home:
            name = f"{name}@{home}"
            login = await self._directory.login(name)
        return name, login

    async def _judge(self, attempt: _Attempt, name: str, login: tuple[Account, str] | None, authzid: str) -> _Verdict:
        if login is None:
            await self._passwords.verify("", attempt.password)
            reason, meant = await self._directory.login_meant(name)
            return _Verdict(reason, guessing=True, meant=meant)
        account, stored = login
        if not await self._is_right(account, stored, attempt.password):
            return _Verdict("wrong password", guessing=True)
        domain = await self._directory.domain(account.domain)
        if domain is None or domain.login_suspended:
            return _Verdict("the domain's logins are suspended")
        if account.login_suspended:
            return _Verdict("login suspended")
        if authzid not in ("", attempt.name, account.address):
            return _Verdict("acting as somebody else")
        return _Verdict(domain=domain)

    async def _is_right(self, account: Account, stored: str, password: str) -> bool:
        if self._verified.knows(account.id, stored, password):
            return True
        if not await self._passwords.verify(stored, password):
            return False
        self._verified.remember(account.id, stored, password)
        if self._passwords.needs_upgrade(stored):
            # The login need not wait for it.
            Deferred.fromCoroutine(self._upgrade(account, stored, password))
        return True

    async def _upgrade(self, account: Account, stored: str, password: str) -> None:
        """Put our own hash in place of a foreign one (A7); the next good login tries again if this fails."""
        with self.log.failuresHandled("password_hash_not_upgraded: {address}", address=account.address):
            try:
                upgraded = await self._passwords.hash(password)
            except Overloaded:
                return
            if await self._changes.upgrade_hash(account.id, stored, upgraded):
                self.log.info("password_hash_upgraded: {address}", address=account.address)

    async def _succeed(self, attempt: _Attempt, account: Account, domain: Domain | None) -> None:
        """Note the good login and open the relay grant. Neither failing keeps anybody from his mail."""
        peer = attempt.peer
        self._attempts.tell(account.id, attempt.name, "", peer)
        with self.log.failuresHandled("good_login_not_noted: {address}", address=account.address):
            self._throttle.succeeded(peer.ip, attempt.name, account.id)
        if self._pop_before_smtp and opens_grant(peer, account, domain):
            with self.log.failuresHandled("relay_grant_not_written: {ip}", ip=peer.ip):
                await self._grants.grant(peer.ip, account.id, attempt.name)
        if peer.protocol not in CHECKING_MAIL:
            # POP3 and IMAP sessions say so themselves, once the mailbox is open.
            self.log.info("login_accepted: {login} from {ip} by {protocol}", **_fields(attempt))

    async def _fail(self, attempt: _Attempt, account: Account | None, verdict: _Verdict) -> None:
        """Count it, tell the log why, and wait."""
        peer, reason = attempt.peer, verdict.reason
        repeated = self._failures.is_repeated(client(peer.ip), attempt.name, attempt.password)
        account_id = account.id if account else None
        guessing = verdict.guessing and not repeated
        self._attempts.tell(account_id or verdict.meant, attempt.name, reason, peer)
        delay = self._throttle.failed(peer.ip, attempt.name, account_id, guessing=guessing)
        self.log.info("login_failed: {login} from {ip} by {protocol}: {reason}", reason=reason, **_fields(attempt))
        left = attempt.started + delay - self._clock.seconds()
        await deferLater(self._clock, max(0.0, left))


@implementer(ICredentialsChecker)
class _BareNamesChecker:
    """See `Checker.for_listener`."""

    credentialInterfaces = Checker.credentialInterfaces

    def __init__(self, checker: Checker, bare_names: BareNameDomain) -> None:
        self._checker = checker
        self._bare_names = bare_names

    def requestAvatarId(self, credentials: IUsernamePassword) -> Deferred[Any]:
        """Fires with the account's id."""
        return Deferred.fromCoroutine(self._checker.check(credentials, self._bare_names))


def opens_grant(peer: Peer, account: Account, domain: Domain | None) -> bool:
    """Whether a good login lets its address relay (C2): only checking mail does, where the domain wants it (C5) and may send (A9)."""
    if domain is None or not domain.pop_before_smtp or domain.outgoing_suspended or account.outgoing_suspended:
        return False
    return bool(peer.ip) and peer.protocol in CHECKING_MAIL


def _attempt_of(credentials: IUsernamePassword, started: float) -> _Attempt:
    """Ours carry the session; stock credentials, which speak in bytes, come from nowhere."""
    name, password = _text(credentials.username), _text(credentials.password)
    if not isinstance(credentials, PasswordLogin):
        return _Attempt(name, password, Peer("", ""), started)
    return _Attempt(name, password, credentials.peer, started, credentials.refusal)


def _text(value: bytes | str) -> str:
    return value.decode("utf-8", "surrogateescape") if isinstance(value, bytes) else value


def _fields(attempt: _Attempt) -> dict[str, str]:
    return {"login": writable(attempt.name), "ip": attempt.peer.ip, "protocol": attempt.peer.protocol}
