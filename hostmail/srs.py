"""The Sender Rewriting Scheme: a reverse-path of our own for mail we send on, in which the sender can be read again. Pure.

Forwarded mail that kept its sender would fail that domain's SPF check at the next host (RFC 7208 D.3). `SRS0=hash=day=domain=local` names
the sender, the day it was made, and a hash only we can make, so that nobody can have us relay "bounces" to whom he likes. A sender too
long for that is kept in a table, and the address names its number: `SRSK=hash=day=number`. Hosts on the way may change the case.
"""

from __future__ import annotations

import base64
import hmac

from hostmail.address import MAX_LOCAL, Address
from hostmail.errors import BadAddress, NoSuchRecipient

NAMED, KEPT = "srs0", "srsk"
VALID_DAYS = 21
HASH_LENGTH = 6

_DAY_SECONDS = 86_400
_CYCLE = 1024
_LETTERS = "abcdefghijklmnopqrstuvwxyz234567"


def is_rewritten(address: Address) -> bool:
    """Whether it has the form of a rewritten sender."""
    return address.local[:5].casefold() in (f"{NAMED}=", f"{KEPT}=")


def named(sender: Address, domain: str, secret: bytes, now: float) -> Address | None:
    """The sender as an address in `domain`, None if that would be longer than a local part may be (64 octets, RFC 5321 4.5.3.1.1)."""
    address = _signed(NAMED, f"{sender.domain}={sender.local}", domain, secret, now)
    return address if len(address.local.encode()) <= MAX_LOCAL else None


def kept(number: int, domain: str, secret: bytes, now: float) -> Address:
    """An address in `domain` for the sender that is kept under `number`."""
    return _signed(KEPT, str(number), domain, secret, now)


def original(address: Address, secret: bytes, now: float) -> Address | int:
    """The rewritten address's sender, or the number it is kept under; raises NoSuchRecipient for one not made by us, or long ago."""
    parts = address.local.split("=", 3)
    if len(parts) < 4:
        raise NoSuchRecipient(private="no rewritten sender: a part is missing")
    kind, signature, day, rest = parts[0].casefold(), parts[1].casefold(), parts[2].casefold(), parts[3]
    if not hmac.compare_digest(signature.encode(), _hash(kind, day, rest, secret).encode()):
        raise NoSuchRecipient(private="no rewritten sender of ours: the hash is wrong")
    if (_today(now) - _number(day)) % _CYCLE > VALID_DAYS:
        raise NoSuchRecipient(private="a rewritten sender that has expired")
    if kind == KEPT:
        return int(rest)
    domain, _, local = rest.partition("=")
    try:
        return Address.parse(str(Address(local, domain.lower())))
    except BadAddress as error:
        raise NoSuchRecipient(private=f"no rewritten sender: {error}") from None


def _signed(kind: str, rest: str, domain: str, secret: bytes, now: float) -> Address:
    today = _today(now)
    day = _LETTERS[today >> 5] + _LETTERS[today & 31]
    return Address(f"{kind.upper()}={_hash(kind, day, rest, secret)}={day}={rest}", domain)


def _hash(kind: str, day: str, rest: str, secret: bytes) -> str:
    digest = hmac.digest(secret, f"{kind}={day}={rest}".casefold().encode(), "sha256")
    return base64.b32encode(digest).decode()[:HASH_LENGTH].lower()


def _today(now: float) -> int:
    return int(now // _DAY_SECONDS) % _CYCLE


def _number(day: str) -> int:
    high, low = _LETTERS.index(day[0]), _LETTERS.index(day[1])
    return high << 5 | low
