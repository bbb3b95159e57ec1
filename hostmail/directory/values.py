"""What facts may be: checks, defaults and names, without I/O."""

from __future__ import annotations

import re
import secrets
import unicodedata
from base64 import b32encode
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import idna

from hostmail.address import Address, parse_domain
from hostmail.errors import BadAddress, BadValue

MAIN_LOGIN_LETTERS = 8
MAX_QUOTA = 2**63 - 1
_MAIN_LOGIN = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,62}[A-Za-z0-9])?\Z")
_PASSWORD_HASH = re.compile(r"(?:\{[A-Z0-9][A-Z0-9.-]*\}|\$)[^\x00-\x1f\x7f]+\Z")


def check_domain_name(name: str) -> str:
    """The name as stored: lower case A-labels. Raises BadValue."""
    try:
        found = parse_domain(name.strip().removesuffix("."))
    except BadAddress as refusal:
        raise BadValue(f"{name}: {refusal.public}") from None
    if found.startswith("[") or "." not in found:
        raise BadValue(f"{name} is not a domain: it needs a name like example.com")
    return found


def check_address(text: str) -> Address:
    """A whole mail address; raises BadValue."""
    if text.strip().startswith("@"):
        raise BadValue(f"{text} names no one: for mail to every name of a domain there is hostmail catchall set")
    try:
        address = Address.parse(text.strip())
    except BadAddress as refusal:
        raise BadValue(f"{text}: {refusal.public}") from None
    if not address.domain or address.domain.startswith("["):
        raise BadValue(f"{text}: an account needs an address like name@example.com")
    return address


def check_quota(what: str, value: Any) -> int | None:
    """A limit from 1 up, or None for none; raises BadValue about the argument that goes into the column `what`."""
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= MAX_QUOTA:
        argument = what.removeprefix("max_").removesuffix("_bytes")
        raise BadValue(f"{argument} must be a whole number from 1 up, or none for no limit").about(argument)
    return value


def check_switch(what: str, value: Any) -> bool:
    """Yes or no; raises BadValue."""
    if not isinstance(value, bool):
        raise BadValue(f"{what} must be yes or no")
    return value


def check_main_login(text: str) -> str:
    """A login without a domain (A3); raises BadValue."""
    if not _MAIN_LOGIN.match(text):
        raise BadValue("a main login has 1 to 64 letters, digits, dots, dashes or underscores, and no @")
    return text


def check_password_hash(text: str) -> str:
    """`{SCHEME}hash`, or `$6$...` as crypt writes it; raises BadValue. `IPasswords.check_scheme` knows which can be read."""
    if len(text) > 1024 or not _PASSWORD_HASH.match(text):
        raise BadValue("a stored password has the form {SCHEME}hash")
    return text


def make_main_login(domain: str, taken: Callable[[str], bool]) -> str:
    """Up to 8 letters and digits of the domain's first label, the end replaced by a number while that is taken (A3)."""
    stem = _plain_letters(domain.partition(".")[0])[:MAIN_LOGIN_LETTERS]
    login, number = stem, 1
    while taken(login):
        number += 1
        end = str(number)
        login = stem[: MAIN_LOGIN_LETTERS - len(end)] + end
    return login


def _plain_letters(label: str) -> str:
    """An ASCII rendering of a label, of letters and digits: `xn--bcher-kva` is `bucher`. Never empty."""
    try:
        text = idna.decode(label)
    except idna.IDNAError:
        text = label
    plain = re.sub(r"[^a-z0-9]", "", unicodedata.normalize("NFKD", text).lower())
    return plain or re.sub(r"[^a-z0-9]", "", label) or "domain"


def directory_name(local: str, mark: str = "") -> str:
    """A folder name for an account: its local part, made safe, and a mark that makes it unique for ever (D13).

    Only lower case letters, digits and `-_%.` occur, and no leading dot; at most 203 octets.
    """
    safe = quote(local.casefold(), safe="").replace("~", "%7e").lower()
    if safe.startswith("."):
        safe = "%2e" + safe[1:]
    return f"{safe}.{mark or b32encode(secrets.token_bytes(5)).decode().lower()}"
