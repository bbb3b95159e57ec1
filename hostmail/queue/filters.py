"""What operators choose queued recipients with: words that all have to fit, turned into one SQL condition (pure).

    text              in the queue id, the sender or the recipient
    id:text           in the queue id
    row:7             one recipient, by its number
    from:text         in the sender; from:<> is the null sender
    to:text           in the recipient; to:@example.com is a whole domain
    answer:text       in the last answer
    account:7         the number of the account that brought the message
    domain:name       the hosted domain whose affair it is: its accounts', forwards', lists'
    state:held        waiting, held or sending
    older:2h newer:2h waiting for longer or less than that

Case does not matter.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sqlalchemy import and_, func, or_

from hostmail.address import caseless
from hostmail.config.nearest import nearest
from hostmail.config.units import parse_duration
from hostmail.errors import BadValue
from hostmail.queue.rows import PREPARED
from hostmail.queue.tables import SENDER, messages, recipients

STATES = ("waiting", "held", "sending")
MAX_WORDS, MAX_LENGTH = 20, 1000


def condition(pattern: str, now: float) -> Any:
    """The condition over both tables that `pattern` stands for; everything fits an empty one. Raises BadValue."""
    words = pattern.split()
    if len(words) > MAX_WORDS or len(pattern) > MAX_LENGTH:
        raise BadValue(f"a filter has at most {MAX_WORDS} words and {MAX_LENGTH} characters")
    return and_(recipients.c.state != PREPARED, *(_word(word, now) for word in words))


def _word(word: str, now: float) -> Any:
    name, colon, value = word.partition(":")
    if not colon or not name.isalpha():
        return or_(*(_holds(column, word) for column in _ANYWHERE))
    make = _NAMED.get(name.lower())
    if make is None:
        meant = nearest(name, _NAMED)
        raise BadValue(
            f"{name}: is no filter{f' (did you mean {meant}:?)' if meant else ''}; there are {', '.join(_NAMED)}"
        )
    if not value:
        raise BadValue(f"{word} needs a value after the colon")
    return make(value, now)


def _holds(column: Any, text: str) -> Any:
    if text.isascii():
        return func.instr(func.lower(column), text.lower()) > 0
    return func.instr(func.caseless(column), caseless(text)) > 0


def _in(column: Any) -> Callable[[str, float], Any]:
    return lambda text, now: _holds(column, text)


def _sender(text: str, now: float) -> Any:
    return SENDER == "" if text == "<>" else _holds(SENDER, text)


def _row(number: str, now: float) -> Any:
    if not (number.isascii() and number.isdigit()):
        raise BadValue(f"row:{number} is no number")
    return recipients.c.id == int(number[:18])


def _state(name: str, now: float) -> Any:
    if name.lower() not in STATES:
        raise BadValue(f"state:{name} is none of {', '.join(STATES)}")
    return recipients.c.state == name.lower()


def _older(value: str, now: float) -> Any:
    return messages.c.created <= now - _seconds("older", value)


def _newer(value: str, now: float) -> Any:
    return messages.c.created > now - _seconds("newer", value)


def _account(number: str, now: float) -> Any:
    if not number.isdecimal() or len(number) > 18:
        raise BadValue(f"account:{number} is neither an address nor a number")
    return messages.c.account_id == int(number)


def _for_domain(name: str, now: float) -> Any:
    return messages.c.for_domain == name.lower()


def _seconds(name: str, value: str) -> float:
    try:
        return parse_duration(value)
    except ValueError as error:
        raise BadValue(f"{name}:{value}: {error}") from None


_ANYWHERE = (messages.c.queue_id, SENDER, recipients.c.recipient)
_NAMED: dict[str, Callable[[str, float], Any]] = {
    "id": _in(messages.c.queue_id),
    "row": _row,
    "from": _sender,
    "to": _in(recipients.c.recipient),
    "answer": _in(recipients.c.last_answer),
    "account": _account,
    "domain": _for_domain,
    "state": _state,
    "older": _older,
    "newer": _newer,
}
