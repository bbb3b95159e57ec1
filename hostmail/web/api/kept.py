"""Requests that are made once, however often they are sent (draft-ietf-httpapi-idempotency-key-header).

What was answered is kept for a day, over restarts; after a power cut it may be lost. It is sealed so that only the token of who asked
opens it, and requests, with passwords in them, are known by a MAC: the file tells nothing.
"""

from __future__ import annotations

import hmac
import re
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from secrets import token_bytes
from sqlite3 import Connection

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from hostmail.sql.cachefile import CacheFile
from hostmail.web.api.problems import Trouble

KEPT_SECONDS = 24 * 3600.0
WORKING_SECONDS = 300.0
"""For a request that began and never came to an end: its process has died."""

PER_TOKEN, OCTETS_PER_TOKEN = 1_000, 8 << 20
OCTETS, FORGOTTEN_AT_ONCE = 256 << 20, 1_000
"""Of all tokens together. Beyond, the oldest answers go, whosever they are: one may have very many tokens, one after the other."""

_NONCE_OCTETS, _BOUND_EVERY = 12, 20
_KEY = re.compile(r'"([\x21\x23-\x5b\x5d-\x7e ]{1,255})"|([\x21\x23-\x2b\x2d-\x7e]{1,255})')

_SCHEMA = """
CREATE TABLE IF NOT EXISTS kept (
    owner BLOB NOT NULL, key TEXT NOT NULL, request BLOB NOT NULL, at REAL NOT NULL, answer BLOB, PRIMARY KEY (owner, key)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS kept_at ON kept (at);
"""
_FIND = "SELECT request, at, answer FROM kept WHERE owner = ? AND key = ?"
_SWEEP = "DELETE FROM kept WHERE at <= ?"
_BEGIN = "INSERT OR REPLACE INTO kept (owner, key, request, at, answer) VALUES (?, ?, ?, ?, NULL)"
_END = "UPDATE kept SET answer = ?, at = ? WHERE owner = ? AND key = ?"
_FORGET = "DELETE FROM kept WHERE owner = ? AND key = ?"
_BOUND = """
DELETE FROM kept WHERE owner = ?1 AND key IN (
    SELECT key FROM (
        SELECT key, row_number() OVER newest AS number, sum(length(answer)) OVER newest AS octets
        FROM kept WHERE owner = ?1 AND answer IS NOT NULL WINDOW newest AS (ORDER BY at DESC, key)
    ) WHERE number > ?2 OR octets > ?3
)
"""

_OLDEST = """
DELETE FROM kept WHERE (owner, key) IN (SELECT owner, key FROM kept WHERE answer IS NOT NULL ORDER BY at LIMIT ?)
"""


@dataclass(frozen=True, slots=True)
class KeptAnswer:
    """What was answered."""

    status: int
    location: str
    body: bytes


def key_of(header: str) -> str:
    """The key in the header, as a string of RFC 8941 or bare; raises Trouble."""
    found = _KEY.fullmatch(header.strip())
    if found is None:
        raise Trouble(400, "Idempotency-Key: 1 to 255 plain characters")
    return found[1] or found[2]


class KeptAnswers:
    """All of them. `now` is Unix time."""

    def __init__(self, *, path: Path, now: Callable[[], float], most_octets: int = OCTETS) -> None:
        self._file = CacheFile(path=path, schema=_SCHEMA)
        self._most_octets = most_octets
        self._now = now
        self._until_bound = 0

    def begin(self, token: str, key: str, request: bytes) -> KeptAnswer | None:
        """The answer to this very request, if there is one; else its work begins now, and `end` or `give_up` must follow.

        Raises Trouble: 422 if the key was another request's, 409 while that is being worked on.
        """
        owner, same, now = _owner(token), _mac(token, b"request", request), self._now()
        with self._file.writing() as connection:
            connection.execute(_SWEEP, (now - KEPT_SECONDS,))
            row = connection.execute(_FIND, (owner, key)).fetchone()
            if row is None or (row[2] is None and row[1] <= now - WORKING_SECONDS):
                connection.execute(_BEGIN, (owner, key, same, now))
                return None
        if not hmac.compare_digest(row[0], same):
            raise Trouble(422, "this Idempotency-Key came with another request before")
        if row[2] is None:
            raise Trouble(409, "this request is being worked on", ("retry-after", "1"))
        return _opened(token, row[2])

    def end(self, token: str, key: str, answer: KeptAnswer) -> None:
        """It is done; now and then, the oldest answers to a token with very many are forgotten."""
        owner = _owner(token)
        with self._file.writing() as connection:
            connection.execute(_END, (_sealed(token, answer), self._now(), owner, key))
            self._until_bound -= 1
            if self._until_bound < 0:
                self._until_bound = _BOUND_EVERY
                connection.execute(_BOUND, (owner, PER_TOKEN, OCTETS_PER_TOKEN))
                if self._octets(connection) > self._most_octets:
                    connection.execute(_OLDEST, (FORGOTTEN_AT_ONCE,))

    def _octets(self, connection: Connection) -> int:
        names = ("page_count", "freelist_count", "page_size")
        pages, free, size = (connection.execute(f"PRAGMA {name}").fetchone()[0] for name in names)
        return int((pages - free) * size)

    def give_up(self, token: str, key: str) -> None:
        """It was refused, or failed: the next one with this key is tried anew."""
        with self._file.writing() as connection:
            connection.execute(_FORGET, (_owner(token), key))

    def close(self) -> None:
        """Close the file."""
        self._file.close()


def _mac(token: str, purpose: bytes, more: bytes = b"") -> bytes:
    return hmac.new(token.encode("utf-8", "backslashreplace"), purpose + b"\0" + more, sha256).digest()


def _owner(token: str) -> bytes:
    return _mac(token, b"owner")


def _sealed(token: str, answer: KeptAnswer) -> bytes:
    nonce = token_bytes(_NONCE_OCTETS)
    return nonce + AESGCM(_mac(token, b"seal")).encrypt(nonce, msgspec.msgpack.encode(answer), None)


def _opened(token: str, sealed: bytes) -> KeptAnswer:
    try:
        octets = AESGCM(_mac(token, b"seal")).decrypt(sealed[:_NONCE_OCTETS], sealed[_NONCE_OCTETS:], None)
    except InvalidTag:
        raise Trouble(409, "the answer that was kept is damaged; use another Idempotency-Key") from None
    return msgspec.msgpack.decode(octets, type=KeptAnswer)
