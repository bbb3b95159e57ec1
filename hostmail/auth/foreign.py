"""Password hashes of other systems, as imports bring them (A7): read, checked for cost, and compared. Pure, but slow: for threads.

A stored hash is `{SCHEME}text` (RFC 2307, and Dovecot's names with their `.HEX` and `.B64` endings), or bare crypt text such as
`$6$...`.
"""

from __future__ import annotations

import binascii
import hashlib
import hmac
import re
from base64 import b64decode
from collections.abc import Callable
from typing import Any

import argon2
import bcrypt
from passlib.hash import des_crypt, md5_crypt, sha256_crypt, sha512_crypt  # type: ignore[import-untyped]

from hostmail.errors import BadValue

Check = Callable[[bytes], bool]

MAX_ROUNDS = 10_000_000
MAX_BCRYPT_COST = 16
MAX_ARGON2_MEMORY_KIB, MAX_ARGON2_TIME, MAX_ARGON2_LANES = 1 << 20, 64, 64
BCRYPT_OCTETS = 72

_STORED = re.compile(r"\{([A-Z0-9][A-Z0-9-]*)(?:\.(HEX|B64|BASE64))?\}(.*)\Z", re.DOTALL | re.IGNORECASE)
_BCRYPT = re.compile(r"\$2[abxy]\$(\d\d)\$[./A-Za-z0-9]{53}\Z")
_PBKDF2 = re.compile(r"\$1\$([^$]+)\$(\d{1,9})\$([0-9a-fA-F]{40})\Z")
_HEX = re.compile(r"(?:[0-9a-fA-F]{2})+\Z")


def reader(stored: str) -> Check:
    """How to compare a password with `stored`. Raises BadValue for what is no hash, or one that would cost too much to check."""
    if stored.startswith("$"):
        return _crypt(stored, "")
    found = _STORED.match(stored)
    if not found:
        raise BadValue("a stored password has the form {SCHEME}hash")
    scheme, encoding, text = found[1].upper(), (found[2] or "").upper(), found[3]
    read = _SCHEMES.get(scheme)
    if read is None:
        raise BadValue(f"password scheme {scheme} is not known; known are {', '.join(sorted(_SCHEMES))}")
    try:
        return read(text, encoding)
    except (ValueError, TypeError, argon2.exceptions.InvalidHashError):
        raise BadValue(f"that is no valid {scheme} hash") from None


def _plain(text: str, encoding: str) -> Check:
    if not text:
        raise ValueError(text)
    kept = _decode(text, encoding) if encoding else text.encode("utf-8", "surrogateescape")
    return lambda password: hmac.compare_digest(password, kept)


def _digest(algorithm: str, salted: bool = False, hexadecimal: bool = False) -> Callable[[str, str], Check]:
    """LDAP's digests: base64 of digest and salt."""

    def read(text: str, encoding: str) -> Check:
        kept = _decode(text, encoding or ("HEX" if hexadecimal else "B64"))
        size = hashlib.new(algorithm).digest_size
        digest, salt = kept[:size], kept[size:]
        if len(digest) < size or bool(salt) != salted:
            raise ValueError(text)
        return lambda password: hmac.compare_digest(hashlib.new(algorithm, password + salt).digest(), digest)

    return read


def _decode(text: str, encoding: str) -> bytes:
    if encoding == "HEX":
        if not _HEX.match(text):
            raise ValueError(text)
        return binascii.unhexlify(text)
    return b64decode(text + "=" * (-len(text) % 4), validate=True)


def _passlib(handler: Any, form: str) -> Callable[[str, str], Check]:
    """`form` is what such hashes look like: the library takes others as well, and cuts a salt that is too long with a warning."""
    pattern = re.compile(form + r"\Z")

    def read(text: str, encoding: str) -> Check:
        if not pattern.match(text) or getattr(handler.from_string(text), "rounds", 0) > MAX_ROUNDS:
            raise ValueError(text)

        def check(password: bytes) -> bool:
            try:
                return bool(handler.verify(password, text))
            except ValueError:
                return False  # a password with a NUL was never hashed by crypt

        return check

    return read


def _bcrypt(text: str, encoding: str) -> Check:
    """bcrypt reads 72 octets and ignores the rest; the library refuses more, so the rest is cut here."""
    found = _BCRYPT.match(text)
    if not found or not 4 <= int(found[1]) <= MAX_BCRYPT_COST:
        raise ValueError(text)
    return lambda password: bcrypt.checkpw(password[:BCRYPT_OCTETS], text.encode())


def _argon2(text: str, encoding: str) -> Check:
    kept = argon2.extract_parameters(text)
    if (
        kept.memory_cost > MAX_ARGON2_MEMORY_KIB
        or kept.time_cost > MAX_ARGON2_TIME
        or kept.parallelism > MAX_ARGON2_LANES
    ):
        raise ValueError(text)

    def check(password: bytes) -> bool:
        try:
            return argon2.low_level.verify_secret(text.encode(), password, kept.type)
        except argon2.exceptions.VerifyMismatchError:
            return False

    return check


def _pbkdf2(text: str, encoding: str) -> Check:
    """Dovecot's PBKDF2: `$1$salt$rounds$hex`, HMAC-SHA1."""
    found = _PBKDF2.match(text)
    if not found or not 1 <= int(found[2]) <= MAX_ROUNDS:
        raise ValueError(text)
    salt, rounds, kept = found[1].encode(), int(found[2]), binascii.unhexlify(found[3])
    return lambda password: hmac.compare_digest(hashlib.pbkdf2_hmac("sha1", password, salt, rounds), kept)


def _crypt(text: str, encoding: str) -> Check:
    """What crypt(3) wrote, told apart by its prefix."""
    for prefix, scheme in _CRYPT_PREFIXES.items():
        if text.startswith(prefix):
            return reader(f"{{{scheme}}}{text}")
    if text.startswith(("$", "_")):
        raise BadValue(f"crypt hashes that begin with {text[:4]} are not known")
    return _DES(text, encoding)


_CRYPT_PREFIXES = {
    "$1$": "MD5-CRYPT",
    "$2": "BLF-CRYPT",
    "$5$": "SHA256-CRYPT",
    "$6$": "SHA512-CRYPT",
    "$argon2": "ARGON2ID",
}
_DES = _passlib(des_crypt, r"[./A-Za-z0-9]{13}")
_MD5 = _passlib(md5_crypt, r"\$1\$[./A-Za-z0-9]{0,8}\$[./A-Za-z0-9]{22}")
_SCHEMES: dict[str, Callable[[str, str], Check]] = {
    "PLAIN": _plain,
    "CLEARTEXT": _plain,
    "PLAINTEXT": _plain,
    "SHA": _digest("sha1"),
    "SHA1": _digest("sha1"),
    "SHA256": _digest("sha256"),
    "SHA512": _digest("sha512"),
    "SSHA": _digest("sha1", salted=True),
    "SSHA256": _digest("sha256", salted=True),
    "SSHA512": _digest("sha512", salted=True),
    "SMD5": _digest("md5", salted=True),
    "LDAP-MD5": _digest("md5"),
    "PLAIN-MD5": _digest("md5", hexadecimal=True),
    "MD5": _MD5,
    "MD5-CRYPT": _MD5,
    "SHA256-CRYPT": _passlib(sha256_crypt, r"\$5\$(?:rounds=\d{1,9}\$)?[./A-Za-z0-9]{0,16}\$[./A-Za-z0-9]{43}"),
    "SHA512-CRYPT": _passlib(sha512_crypt, r"\$6\$(?:rounds=\d{1,9}\$)?[./A-Za-z0-9]{0,16}\$[./A-Za-z0-9]{86}"),
    "DES-CRYPT": _DES,
    "BLF-CRYPT": _bcrypt,
    "BCRYPT": _bcrypt,
    "ARGON2": _argon2,
    "ARGON2I": _argon2,
    "ARGON2ID": _argon2,
    "PBKDF2": _pbkdf2,
    "CRYPT": _crypt,
}
