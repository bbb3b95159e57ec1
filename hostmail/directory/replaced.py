"""Remembering which imported hash a good login replaced by our own (A7), so that importing the same list again changes nothing.

What is remembered is a salted scrypt digest of the old hash: the old one may be weak, or the password itself ({PLAIN}), and must
not outlive its replacement. Pure, but slow by design (some 50 ms, 16 MiB): for threads.
"""

from __future__ import annotations

import hashlib
import hmac
import os
from base64 import b64decode, b64encode

SALT_OCTETS = 16
_COST, _BLOCK, _LANES = 1 << 14, 8, 1


def remembered(old_hash: str) -> str:
    """What to keep of a hash that is replaced."""
    salt = os.urandom(SALT_OCTETS)
    return b64encode(salt + _digest(old_hash, salt)).decode()


def was(kept: str | None, old_hash: str) -> bool:
    """True if `kept` is of this hash; None, and so False, for an account whose hash was never replaced."""
    if not kept:
        return False
    octets = b64decode(kept)
    salt, digest = octets[:SALT_OCTETS], octets[SALT_OCTETS:]
    return hmac.compare_digest(digest, _digest(old_hash, salt))


def _digest(old_hash: str, salt: bytes) -> bytes:
    return hashlib.scrypt(old_hash.encode("utf-8", "surrogateescape"), salt=salt, n=_COST, r=_BLOCK, p=_LANES)
