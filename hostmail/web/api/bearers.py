"""Who asks: the bearer of a token (RFC 6750). Wrong tokens are answered ever more slowly, as wrong passwords are (A8)."""

from __future__ import annotations

import re
from collections import OrderedDict
from hashlib import sha256
from typing import NoReturn, Protocol

from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import deferLater
from twisted.logger import Logger

from hostmail.actor import Actor
from hostmail.interfaces.people import ITokens
from hostmail.web.api.problems import Trouble

log = Logger(namespace="web")

LOGIN = "api token"
MOST_REMEMBERED = 1_000
_BEARER = re.compile(r"Bearer +([A-Za-z0-9._~+/-]{1,200}=*)", re.IGNORECASE)


class Guesses(Protocol):
    """What slows guessing, for all ports together."""

    def admit(self, ip: str, account_id: int | None) -> None:
        """Raises Overloaded for who has guessed too much."""

    def failed(self, ip: str, login: str, account_id: int | None, *, guessing: bool = True) -> float:
        """One wrong guess more; how many seconds the answer should take."""


class Bearers:
    """Asks who somebody is now, at each request."""

    def __init__(self, *, tokens: ITokens, guesses: Guesses, clock: IReactorTime) -> None:
        self._tokens = tokens
        self._guesses = guesses
        self._clock = clock
        self._seen: OrderedDict[bytes, None] = OrderedDict()

    async def who(self, authorization: str, ip: str) -> tuple[Actor, str]:
        """He, and his token; raises Trouble, Overloaded. A right token is not slowed, wherever it comes from."""
        found = _BEARER.fullmatch(authorization.strip())
        if found is None:
            raise Trouble(401, "show a token: Authorization: Bearer hostmail_...", challenge())
        actor = await self._tokens.actor(found[1], ip)
        if actor is None:
            return await self._refuse(found[1], ip)
        return actor, found[1]

    async def _refuse(self, token: str, ip: str) -> NoReturn:
        self._guesses.admit(ip, None)
        delay = self._guesses.failed(ip, LOGIN, None, guessing=not self._is_repeated(token))
        log.info("token_refused: from {ip}", ip=ip)
        await deferLater(self._clock, delay)
        raise Trouble(401, "that token is unknown, revoked, or past its time", challenge("invalid_token"))

    def _is_repeated(self, token: str) -> bool:
        """Whether this one was wrong before: a program that goes on with an old token is no guesser, and shuts nobody out."""
        digest = sha256(token.encode("ascii")).digest()
        is_repeated = digest in self._seen
        self._seen[digest] = None
        self._seen.move_to_end(digest)
        if len(self._seen) > MOST_REMEMBERED:
            self._seen.popitem(last=False)
        return is_repeated


def challenge(error: str = "") -> tuple[str, str]:
    """The header that goes with 401."""
    return "www-authenticate", 'Bearer realm="hostmail"' + (f', error="{error}"' if error else "")
