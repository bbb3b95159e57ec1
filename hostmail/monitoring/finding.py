"""Finding the stories of messages among all facts. Blocks."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Sequence
from functools import cache
from itertools import islice

from hostmail.address import caseless
from hostmail.interfaces.history import Happened, MailFact

COLUMNS = "at, what, queue_id, message_id, sender, recipient, words"
MOST_ALIKE = 10
"""Of one message with very many recipients, how many that fared alike are told of one by one."""
MOST_LOOKED_AT = 5_000
"""How many facts about a text are looked at for those of messages that somebody may know of."""
MOST_PARTIES, MOST_PARTIES_OF_ALL = 1_000, 10_000
"""How many facts of one message are looked at for whom it concerns, the first of them, and how many of all messages."""

_ABOUT = (
    "SELECT id FROM facts WHERE message_id = :text AND message_id != '' AND at >= :since",
    "SELECT max(id) AS id FROM facts WHERE queue_id = :text AND queue_id != '' AND at >= :since GROUP BY queue_id",
    "SELECT id FROM facts WHERE lower(sender) = :lower AND sender != '' AND at >= :since",
    "SELECT id FROM facts WHERE lower(recipient) = :lower AND recipient != '' AND at >= :since",
)
_OF_MESSAGES = f"""
SELECT id, {COLUMNS}, place, many FROM (
    SELECT *, row_number() OVER (PARTITION BY queue_id, what ORDER BY id DESC) AS place,
        count(*) OVER (PARTITION BY queue_id, what) AS many
    FROM facts WHERE queue_id IN (MARKS) AND queue_id != ''
) WHERE place <= {MOST_ALIKE} ORDER BY id DESC LIMIT ?
"""
_PARTIES = f"""
SELECT sender, recipient FROM facts WHERE queue_id = ? AND queue_id != '' ORDER BY id LIMIT {MOST_PARTIES}
"""
_SOME = 500

Found = dict[float, MailFact]
"""Facts by their place in the order of things."""

Whose = Callable[[str], bool]
"""Whether an address is somebody's."""


def story(
    connection: sqlite3.Connection, text: str, since: float, most: int, whose: Whose | None = None
) -> list[MailFact]:
    """What `IHistory.find` answers."""
    named = _about(connection, text, since, most if whose is None else MOST_LOOKED_AT)
    if whose is not None:
        named = _of_somebody(connection, named, most, whose)
    newest_first = dict.fromkeys(named[number].queue_id for number in sorted(named, reverse=True))
    together = _of_messages(connection, [one for one in newest_first if one], most * 2) | named
    facts = [together[place] for place in sorted(together)]
    names = caseless(text)
    whole = {f.queue_id for f in facts if names in (caseless(f.sender), caseless(f.queue_id), caseless(f.message_id))}
    concerned, led = _led_to(names, facts)

    def is_told(fact: MailFact) -> bool:
        if fact.queue_id in whole:
            return True
        if fact.more:
            return fact.queue_id in led
        return not fact.recipient or fact.what is Happened.LIST or caseless(fact.recipient) in concerned

    return [fact for fact in facts if is_told(fact)][-most:]


def _about(connection: sqlite3.Connection, text: str, since: float, most: int) -> Found:
    """The newest facts that have the text in them, the oldest first."""
    ids = sorted({row[0] for query in _ABOUT for row in _newest(connection, query, text, since, most)})[-most:]
    found = _named(connection, ids)
    return {number: found[number] for number in ids}


def _of_somebody(connection: sqlite3.Connection, facts: Found, most: int, whose: Whose) -> Found:
    """The newest `most` of those about messages that came from or went to somebody."""
    is_his = cache(whose)
    looks = iter(range(MOST_PARTIES_OF_ALL))

    @cache
    def concerns_him(queue_id: str) -> bool:
        parties = zip(looks, connection.execute(_PARTIES, (queue_id,)), strict=False)
        return any(is_his(sender) or is_his(recipient) for _, (sender, recipient) in parties)

    theirs = (
        number
        for number, fact in reversed(facts.items())
        if is_his(fact.sender) or is_his(fact.recipient) or (fact.queue_id and concerns_him(fact.queue_id))
    )
    return {number: facts[number] for number in sorted(islice(theirs, most))}


def _newest(connection: sqlite3.Connection, query: str, text: str, since: float, most: int) -> Iterable[tuple[int]]:
    asked = {"text": text, "lower": caseless(text), "since": since, "most": most}
    return connection.execute(f"{query} ORDER BY id DESC LIMIT :most", asked)


def _named(connection: sqlite3.Connection, ids: Sequence[int]) -> Found:
    found: Found = {}
    for some in _portions(ids):
        for row in connection.execute(f"SELECT id, {COLUMNS} FROM facts WHERE id IN ({_marks(some)})", some):
            found[row[0]] = _fact(row[1:])
    return found


def _of_messages(connection: sqlite3.Connection, queue_ids: Sequence[str], most: int) -> Found:
    """About the first of these messages, as many as there is room for; what is like the last few of its kind is counted."""
    found: Found = {}
    for some in _portions(queue_ids):
        query = _OF_MESSAGES.replace("MARKS", _marks(some))
        for number, *columns, place, many in connection.execute(query, (*some, max(most - len(found), 0))):
            fact = found[number] = _fact(columns)
            if place == MOST_ALIKE < many:
                found[number - 0.5] = MailFact(fact.at, fact.what, fact.queue_id, more=many - MOST_ALIKE)
    return found


def _portions(values: Sequence[object]) -> Iterable[Sequence[object]]:
    return (values[start : start + _SOME] for start in range(0, len(values), _SOME))


def _marks(values: Sequence[object]) -> str:
    return ",".join("?" * len(values))


def _fact(columns: Sequence[object]) -> MailFact:
    at, what, *texts = columns
    return MailFact(at, Happened(what), *texts)  # type: ignore[arg-type]


def _led_to(address: str, facts: Sequence[MailFact]) -> tuple[set[str], set[str]]:
    """The address and those it led to by alias or forward, and the messages for which it did."""
    concerned, led = {address}, set()
    for fact in facts:
        if fact.what is Happened.LED_TO and caseless(fact.recipient) in concerned:
            concerned.add(caseless(fact.words))
            led.add(fact.queue_id)
    return concerned, led
