"""What operators do with what they choose: steps over all rows that fit a condition (see `filters`), inside their caller's transaction."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, Row, case, func, select, update

from hostmail.interfaces import QueueStats, WaitingFor
from hostmail.queue.rows import EVERYTHING, HELD, SENDING, WAITING
from hostmail.queue.tables import messages, recipients

HELD_BY_OPERATOR = "held by the operator"
MOST_DESTINATIONS = 50


def _those(condition: Any, *states: str) -> Any:
    """Ids of the recipients that fit and are in one of `states`; changing them needs no list of them in memory."""
    both = select(recipients.c.id).join_from(recipients, messages).where(condition)
    return both.where(recipients.c.state.in_(states)) if states else both


def listed(connection: Connection, condition: Any, most: int | None) -> list[Row[Any]]:
    """Rows that fit, oldest first, at most `most`."""
    return list(connection.execute(EVERYTHING.where(condition).order_by(recipients.c.id).limit(most)))


def chosen(connection: Connection, condition: Any, *states: str) -> list[Row[Any]]:
    """Id, queue id and recipient of rows that fit and are in one of `states`."""
    columns = _those(condition, *states).add_columns(messages.c.queue_id, recipients.c.recipient)
    return list(connection.execute(columns.order_by(recipients.c.id)))


def make_due(connection: Connection, condition: Any, now: float) -> int:
    """Waiting rows are due now; how many."""
    return _change(connection, _those(condition, WAITING), next_attempt=now)


def hold(connection: Connection, condition: Any) -> list[Row[Any]]:
    """Waiting rows stay until they are released; which. What is being sent cannot be stopped any more."""
    rows = chosen(connection, condition, WAITING)
    _change(connection, _those(condition, WAITING), state=HELD, last_answer=HELD_BY_OPERATOR)
    return rows


def release(connection: Connection, condition: Any, now: float) -> list[Row[Any]]:
    """Held rows are due now; which."""
    rows = chosen(connection, condition, HELD)
    _change(connection, _those(condition, HELD), state=WAITING, next_attempt=now)
    return rows


def give_back(connection: Connection, condition: Any, now: float) -> int:
    """Waiting and held rows are due now, to be returned to their sender; how many."""
    return _change(connection, _those(condition, WAITING, HELD), state=WAITING, next_attempt=now, returned=True)


def _change(connection: Connection, chosen: Any, **values: Any) -> int:
    return connection.execute(update(recipients).where(recipients.c.id.in_(chosen)).values(**values)).rowcount


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
