"""The addresses around a mailing list: NAME-subscribe and its kin, and those that carry a token which only we can make. Pure.

A token is a hash over the list, what it allows and for whom, and mostly the day it was made: `NAME-confirm+s9a7kq2m4xwd`. Hosts on the way
may change its case. What is not in the token must be said by the mail that brings it: who subscribes answers from his own address.
"""

from __future__ import annotations

import base64
import hmac
from collections.abc import Collection
from enum import StrEnum

from hostmail.address import Address
from hostmail.errors import NoSuchRecipient

MAX_NAME = 30
VALID_DAYS = 14
HASH_LENGTH = 8
UNSUBSCRIBE_PATH = "/unsubscribe"

NOT_YOURS = "this address is not valid, or was given to another address than the one that writes to it"

_DAY_SECONDS = 86_400
_CYCLE = 1024
_LETTERS = "abcdefghijklmnopqrstuvwxyz234567"


class ListWord(StrEnum):
    """What follows a list's name and a dash."""

    SUBSCRIBE = "subscribe"
    UNSUBSCRIBE = "unsubscribe"
    CONFIRM = "confirm"
    APPROVE = "approve"
    REJECT = "reject"
    BOUNCES = "bounces"
    REQUEST = "request"
    OWNER = "owner"


def around(list_address: Address, word: ListWord, tag: str = "") -> Address:
    """NAME-word@, or NAME-word+tag@."""
    return Address(f"{list_address.local}-{word}{'+' if tag else ''}{tag}", list_address.domain)


def taken_apart(address: Address) -> tuple[Address, ListWord, str] | None:
    """The list that an address of this form would belong to, its word and its tag."""
    front, plus, tag = address.local.partition("+")
    name, dash, word = front.rpartition("-")
    try:
        return (Address(name, address.domain), ListWord(word.lower()), tag if plus else "") if name and dash else None
    except ValueError:
        return None


def bounce_address(list_address: Address, member: int, secret: bytes) -> Address:
    """The reverse-path of mail to one member (VERP): who it is about is known from where a bounce arrives."""
    return around(list_address, ListWord.BOUNCES, f"{member}={_hash(secret, list_address, 'bounces', str(member))}")


def bouncing_member(list_address: Address, tag: str, secret: bytes) -> int:
    """The member's number; raises NoSuchRecipient for an address that is none of ours."""
    number, _, signature = tag.partition("=")
    _check(signature, _hash(secret, list_address, "bounces", number))
    return int(number)


def unsubscribe_path(list_address: Address, token: str) -> str:
    """Where the web takes a member off with one click (RFC 8058); the token is that of his reverse-path.

    All of it may stand in a URL as it is: names of lists are plain.
    """
    return f"{UNSUBSCRIBE_PATH}/{list_address}/{token}"


def moderation_address(
    list_address: Address, word: ListWord, queue_id: str, owner: Address, secret: bytes, now: float
) -> Address:
    """Where `owner` writes to let a held post go, or to reject it."""
    day = _day(now)
    return around(list_address, word, f"{queue_id}{day}{_hash(secret, list_address, word, queue_id, owner.key, day)}")


def moderated(
    list_address: Address, word: ListWord, tag: str, owners: Collection[Address], secret: bytes, now: float
) -> tuple[str, Address]:
    """The queue id, and which of the `owners` was given this address, whoever writes to it.

    Raises NoSuchRecipient for a forged token, an expired one, and that of somebody who is no owner any more.
    """
    queue_id, day, signature = tag[: -HASH_LENGTH - 2], tag[-HASH_LENGTH - 2 : -HASH_LENGTH], tag[-HASH_LENGTH:]
    for owner in owners:
        if _is_right(signature, _hash(secret, list_address, word, queue_id, owner.key, day)):
            _check_day(day, now)
            return queue_id.lower(), owner
    raise NoSuchRecipient(NOT_YOURS, private="no token of an owner's")


def confirm_address(list_address: Address, action: ListWord, who: Address, secret: bytes, now: float) -> Address:
    """Where `who` confirms that he wants to subscribe, or to leave."""
    day = _day(now)
    return around(
        list_address, ListWord.CONFIRM, f"{action[0]}{day}{_hash(secret, list_address, action, who.key, day)}"
    )


def confirmed(list_address: Address, tag: str, who: Address, secret: bytes, now: float) -> ListWord:
    """What he confirms; raises NoSuchRecipient for a token that is not his, or an expired one."""
    actions = {each[0]: each for each in (ListWord.SUBSCRIBE, ListWord.UNSUBSCRIBE)}
    action, day, signature = actions.get(tag[:1].lower()), tag[1:3], tag[3:]
    if action is None:
        raise NoSuchRecipient(NOT_YOURS, private="no token of a list")
    _check(signature, _hash(secret, list_address, action, who.key, day))
    _check_day(day, now)
    return action


def _is_right(signature: str, right: str) -> bool:
    return hmac.compare_digest(signature.casefold().encode(), right.encode())


def _check(signature: str, right: str) -> None:
    if not _is_right(signature, right):
        raise NoSuchRecipient(NOT_YOURS, private="no token of ours: the hash is wrong")


def _check_day(day: str, now: float) -> None:
    """The hash is right, so the day is one of ours."""
    made = _LETTERS.index(day[0].casefold()) << 5 | _LETTERS.index(day[1].casefold())
    if (_today(now) - made) % _CYCLE > VALID_DAYS:
        raise NoSuchRecipient("this address has expired", private="a list's token that has expired")


def _hash(secret: bytes, list_address: Address, *about: str) -> str:
    text = "\0".join((list_address.key, *about)).casefold().encode()
    return base64.b32encode(hmac.digest(secret, text, "sha256")).decode()[:HASH_LENGTH].lower()


def _day(now: float) -> str:
    today = _today(now)
    return _LETTERS[today >> 5] + _LETTERS[today & 31]


def _today(now: float) -> int:
    return int(now // _DAY_SECONDS) % _CYCLE
