"""What operators do with what they choose by a condition (see `filters`): steps inside their caller's transactions, a batch in each.

Choosing only reads; a batch that is changed holds up other writers no longer than a batch takes, however many fit.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Row, Select, case, func, literal_column, select, true, tuple_, update

from hostmail.interfaces.queue import QueueStats, WaitingFor
from hostmail.queue.rows import EVERYTHING, HELD, SENDING, WAITING
from hostmail.queue.tables import messages, recipients

HELD_BY_OPERATOR = "held by the operator"
ORDERED_BACK = "ordered back to its sender"
MOST_DESTINATIONS = 50
MAY_RETRY = MAY_HOLD = (WAITING,)
MAY_RELEASE = (HELD,)
MAY_RETURN = (WAITING, HELD)
ACCOUNT = func.coalesce(messages.c.account_id, 0)
NOT_YET_RETURNED = ~recipients.c.returned
UNTRIED = (recipients.c.attempts == 0) & (recipients.c.last_answer != "")
"""What has found no way so far, or none that works."""


def listed(connection: Connection, condition: Any, most: int | None) -> list[Row[Any]]:
    """Rows that fit, oldest first, at most `most`."""
    return list(connection.execute(EVERYTHING.where(condition).order_by(recipients.c.id).limit(most)))


def newest(connection: Connection) -> int:
    """The highest id there is: what comes later was not meant by whoever chooses now."""
    return int(connection.execute(select(func.coalesce(func.max(recipients.c.id), 0))).scalar_one())


def batch(connection: Connection, condition: Any, states: Sequence[str], after: int, last: int, most: int) -> list[int]:
    """Ids of the next recipients that fit and are in one of `states`, any for none: the first `most` of those above `after`, to `last`.

    The plus keeps SQLite from the index of states, whose many rows it would have to sort for each batch.
    """
    ids = _those(condition).where(recipients.c.id > after, recipients.c.id <= last)
    if states:
        ids = ids.where(literal_column("+queue_recipients.state").in_(states))
    return list(connection.execute(ids.order_by(recipients.c.id).limit(most)).scalars())


def owners(connection: Connection, condition: Any) -> list[tuple[int, str]]:
    """Account (0 for none) and domain of what is held and fits."""
    those = EVERYTHING.with_only_columns(ACCOUNT, messages.c.for_domain, maintain_column_froms=True)
    return [
        (row[0], row[1]) for row in connection.execute(those.where(condition, recipients.c.state == HELD).distinct())
    ]


def held(connection: Connection, account_id: int) -> tuple[int, int]:
    """Recipients of an account's mail that are held, and octets of the messages."""
    those = _those(messages.c.account_id == account_id, (HELD,)).with_only_columns(
        func.count().label("many"), messages.c.size
    )
    each = those.group_by(messages.c.id).subquery()
    many, octets = connection.execute(select(func.sum(each.c.many), func.sum(each.c.size))).one()
    return many or 0, octets or 0


def none_of(kept: Sequence[tuple[int, str]]) -> Any:
    """The condition that a message is not of one of these accounts and domains."""
    return ~tuple_(ACCOUNT, messages.c.for_domain).in_(kept) if kept else true()


def make_due(connection: Connection, ids: Sequence[int], now: float) -> list[Row[Any]]:
    """Waiting rows are due now; which."""
    return _change(connection, ids, MAY_RETRY, next_attempt=now)


def hold(connection: Connection, ids: Sequence[int]) -> list[Row[Any]]:
    """Waiting rows stay until they are released; which. What is being sent cannot be stopped any more."""
    return _change(connection, ids, MAY_HOLD, state=HELD, last_answer=HELD_BY_OPERATOR)


def release(connection: Connection, ids: Sequence[int], now: float) -> list[Row[Any]]:
    """Held rows are due now; which."""
    return _change(connection, ids, MAY_RELEASE, state=WAITING, next_attempt=now, last_answer="")


def give_back(connection: Connection, ids: Sequence[int], now: float) -> list[Row[Any]]:
    """Waiting and held rows are due now, to be returned to their sender; which."""
    changes = {"state": WAITING, "next_attempt": now, "returned": True, "last_answer": ORDERED_BACK}
    return _change(connection, ids, MAY_RETURN, **changes)


def named(connection: Connection, ids: Sequence[int], states: Sequence[str] = ()) -> list[Row[Any]]:
    """Id, queue id and recipient of those that are still there, in one of `states`."""
    columns = _those(recipients.c.id.in_(ids), states).add_columns(messages.c.queue_id, recipients.c.recipient)
    return list(connection.execute(columns.order_by(recipients.c.id)))


def _change(connection: Connection, ids: Sequence[int], states: Sequence[str], **values: Any) -> list[Row[Any]]:
    """Since they were chosen some may have been sent, or are being sent: these are left alone."""
    rows = named(connection, ids, states)
    connection.execute(update(recipients).where(recipients.c.id.in_([row.id for row in rows])).values(**values))
    return rows


def _those(condition: Any, states: Sequence[str] = ()) -> Select[Any]:
    """Ids of the recipients that fit and are in one of `states`."""
    both = select(recipients.c.id).join_from(recipients, messages).where(condition)
    return both.where(recipients.c.state.in_(states)) if states else both


def stats(connection: Connection, condition: Any) -> QueueStats:
    """Numbers over what fits."""
    chosen = recipients.c.id.in_(_those(condition))
    by_state = select(recipients.c.state, func.count().label("many")).where(chosen).group_by(recipients.c.state)
    together = select(func.count(), func.sum(messages.c.size), func.min(messages.c.created))
    concerned = messages.c.id.in_(select(recipients.c.message_id).where(chosen))
    many, octets, oldest = connection.execute(together.where(concerned)).one()
    destinations = (
        select(
            recipients.c.domain,
            func.count().label("many"),
            func.min(messages.c.created).label("oldest"),
            func.sum(case((recipients.c.state == SENDING, 1), else_=0)).label("sending"),
            func.max(recipients.c.last_answer).label("answer"),
        )
        .join_from(recipients, messages)
        .where(chosen)
        .group_by(recipients.c.domain)
        .order_by(func.count().desc(), recipients.c.domain)
        .limit(MOST_DESTINATIONS)
    )
    return QueueStats(
        messages=many,
        octets=octets or 0,
        oldest=oldest,
        states={row.state: row.many for row in connection.execute(by_state)},
        destinations=[WaitingFor(*row) for row in connection.execute(destinations)],
    )
