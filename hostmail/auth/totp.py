"""Codes of a second factor: those that an app shows for half a minute (RFC 6238), and those on paper for the day it is lost."""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from base64 import b32encode
from urllib.parse import quote

from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.twofactor.totp import TOTP

SECRET_OCTETS, DIGITS, STEP_SECONDS = 20, 6, 30
# A clock may be half a minute wrong, and a code is typed for half a minute (RFC 6238, 5.2).
NEAR_STEPS = (0, -1, 1)
RECOVERY_CODES, GROUPS, LENGTH = 10, 3, 5
_LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"


def new_secret() -> bytes:
    """As long as what SHA-1 makes of it (RFC 4226, 4)."""
    return secrets.token_bytes(SECRET_OCTETS)


def as_text(secret: bytes) -> str:
    """For somebody who types it into his app."""
    return b32encode(secret).decode().rstrip("=")


def as_uri(secret: bytes, login: str, server: str) -> str:
    """For an app that reads it from a picture."""
    return f"otpauth://totp/{quote(server)}:{quote(login)}?secret={as_text(secret)}&issuer={quote(server)}"


def plain(code: str) -> str:
    """A code without what people put between its groups."""
    return re.sub(r"[\s-]", "", code).lower()


def is_timed(code: str) -> bool:
    """Whether it can be a code of an app, else it is a recovery code."""
    return len(code) == DIGITS and code.isascii() and code.isdigit()


def code_of(secret: bytes, step: int) -> str:
    """The code of one half minute, counted from 1970."""
    return TOTP(secret, DIGITS, SHA1(), STEP_SECONDS).generate(step * STEP_SECONDS).decode()


def step_of(secret: bytes, code: str, now: float) -> int | None:
    """The half minute that a code belongs to, if it is near enough."""
    this, found = int(now // STEP_SECONDS), None
    if not is_timed(code):
        return None
    for near in NEAR_STEPS:
        if hmac.compare_digest(code_of(secret, this + near), code):
            found = this + near
    return found


def new_recovery_codes() -> list[str]:
    """Each of 74 bits, in letters that do not look alike."""
    return [
        "-".join("".join(map(secrets.choice, [_LETTERS] * LENGTH)) for _ in range(GROUPS))
        for _ in range(RECOVERY_CODES)
    ]


def digest_of(code: str) -> str:
    """What is kept of a recovery code; it is too long to be guessed from that."""
    return hashlib.sha256(plain(code).encode("utf-8", "backslashreplace")).hexdigest()
