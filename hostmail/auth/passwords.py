"""Passwords: hashed with argon2id in threads, compared with whatever was stored, strong enough when set (A6, A7)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import argon2
from twisted.internet.defer import DeferredSemaphore
from twisted.logger import Logger
from zope.interface import implementer

from hostmail.auth.foreign import reader
from hostmail.auth.strength import check_strength
from hostmail.errors import BadValue, Overloaded, TemporaryFailure
from hostmail.interfaces.logins import IPasswords
from hostmail.interfaces.threads import InThread

T = TypeVar("T")

OWN_SCHEME = "{ARGON2ID}"
MEMORY_KIB, PASSES, LANES = 19 * 1024, 2, 1
QUEUE = 100
MAX_PASSWORD_OCTETS = 1024


@implementer(IPasswords)
class Passwords:
    """Hashing in as many threads as there are cores, with a short queue before them.

    Each hash takes some 40 ms and 19 MiB by design, so an unlimited queue would let guessers take all memory and everybody's
    patience: `workers` run at once, however many threads `in_thread` has for others; beyond `queue` waiting the answer is
    Overloaded.
    """

    log = Logger()

    def __init__(
        self,
        *,
        in_thread: InThread,
        workers: int,
        queue: int = QUEUE,
        memory_kib: int = MEMORY_KIB,
        passes: int = PASSES,
    ) -> None:
        self._in_thread = in_thread
        self._room = workers + queue
        self._workers = DeferredSemaphore(workers)
        self._hasher = argon2.PasswordHasher(time_cost=passes, memory_cost=memory_kib, parallelism=LANES)
        # Well-formed and nobody's: checking against it costs what checking a real one costs.
        self._nobody = f"$argon2id$v=19$m={memory_kib},t={passes},p={LANES}${'A' * 22}${'A' * 43}"

    async def hash(self, password: str) -> str:
        """`{ARGON2ID}...` for storing; raises Overloaded, TemporaryFailure."""
        return OWN_SCHEME + await self._run(self._hash, octets(password))

    async def verify(self, stored: str, password: str) -> bool:
        """True if the password is the stored one. "" costs as much and is False, and so is a hash that nobody can read."""
        return await self._run(self._verify, stored, octets(password))

    def needs_upgrade(self, stored: str) -> bool:
        """True for all but our own scheme at present strength (A7)."""
        if not stored.startswith(OWN_SCHEME):
            return True
        try:
            return bool(self._hasher.check_needs_rehash(stored.removeprefix(OWN_SCHEME)))
        except argon2.exceptions.InvalidHashError:
            return True

    def check_strength(self, password: str, login: str) -> None:
        """Raises BadValue with what is wrong (A6)."""
        check_strength(password, login)

    def check_scheme(self, stored: str) -> None:
        """Raises BadValue unless `stored` is a hash that `verify` can read, at a bearable cost."""
        reader(stored)

    async def _run(self, work: Callable[..., T], *arguments: Any) -> T:
        if self._room <= 0:
            raise Overloaded(private="the queue for password hashing is full")
        self._room -= 1
        try:
            await self._workers.acquire()
            try:
                done: T = await self._in_thread(work, *arguments)
                return done
            finally:
                self._workers.release()
        except argon2.exceptions.Argon2Error as error:
            raise TemporaryFailure(private=f"argon2: {error!r}") from error
        finally:
            self._room += 1

    def _hash(self, password: bytes) -> str:
        return self._hasher.hash(password)

    def _verify(self, stored: str, password: bytes) -> bool:
        try:
            if stored and len(password) <= MAX_PASSWORD_OCTETS:
                return reader(stored)(password)
        except BadValue as refusal:
            self.log.error("password_hash_unreadable: {reason}", reason=refusal.public)
        try:
            self._hasher.verify(self._nobody, password[:MAX_PASSWORD_OCTETS])
        except argon2.exceptions.VerifyMismatchError:
            pass
        return False


def octets(password: str) -> bytes:
    """What the client sent: octets that are no UTF-8 come through the session as surrogates, and back here."""
    return password.encode("utf-8", "surrogateescape")
