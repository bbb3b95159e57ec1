"""Whether a password is worth storing (A6): pure, and told in words that help."""

from __future__ import annotations

from functools import cache
from importlib.resources import files

from hostmail.errors import BadValue

MIN_LENGTH, MAX_OCTETS = 8, 1024
_MIN_DIFFERENT = 4
_ROWS = (
    "abcdefghijklmnopqrstuvwxyz",
    "01234567890123456789",
    "qwertyuiopasdfghjklzxcvbnm",
    "qwertzuiopasdfghjklyxcvbnm",
    "azertyuiopqsdfghjklmwxcvbn",
)


def check_strength(password: str, login: str) -> None:
    """Raises BadValue if the password is short, the login or a part of it, common, or a plain run of keys."""
    if len(password) < MIN_LENGTH:
        raise BadValue(f"the password needs at least {MIN_LENGTH} characters")
    if len(password.encode("utf-8", "surrogatepass")) > MAX_OCTETS:
        raise BadValue(f"the password is longer than {MAX_OCTETS} octets")
    if any(ord(letter) < 32 or 0x7F <= ord(letter) <= 0x9F or 0xD800 <= ord(letter) <= 0xDFFF for letter in password):
        raise BadValue("the password has characters that mail programs cannot send")
    plain = password.casefold()
    if plain in _forms_of(login):
        raise BadValue("the password must not be the login or a part of it")
    if plain in common_passwords() or _is_run(plain) or len(set(plain)) < _MIN_DIFFERENT:
        raise BadValue("that password is among the first that anybody would try: please choose another")


def _forms_of(login: str) -> set[str]:
    """The login, its parts, and each of them doubled or backwards."""
    local, _, domain = login.casefold().rpartition("@")
    parts = {part for part in (login.casefold(), local, domain, domain.partition(".")[0]) if part}
    return parts | {part[::-1] for part in parts} | {part * 2 for part in parts}


def _is_run(plain: str) -> bool:
    """True for neighbours on the keyboard, in the alphabet or among the digits, in either direction."""
    return any(plain in row or plain[::-1] in row for row in _ROWS)


@cache
def common_passwords() -> frozenset[str]:
    """The built-in list, in lower case."""
    text = files("hostmail.auth").joinpath("common_passwords.txt").read_text("utf-8")
    return frozenset(line.strip() for line in text.splitlines() if line.strip() and not line.startswith("#"))
