"""The queue's statements over its two tables: each function is one step inside a transaction that its caller holds."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from sqlalchemy import (
    Connection,
    Row,
    Update,
    bindparam,
    case,
    delete,
    exists,
    func,
    select,
    update,
)

from hostmail.queue.committer import Bulk
from hostmail.queue.contracts import QueuedRow
from hostmail.queue.tables import SENDER, messages, recipients

WAITING, HELD, SENDING = "waiting", "held", "sending"
PREPARED = "prepared"
"""Rows that nobody may see yet."""
MAX_ANSWER = 1000
BATCH = 500


class Ages(NamedTuple):
    """Unix times: who came before these is warned, and given up (with the null sender, or another)."""

    warn_before: float
    bounce_before: float
    end_before: float


class Attempt(NamedTuple):
    """One that failed: when the next one is due, what was said, and whether the sender has been `warned` of the delay just now."""

    row: QueuedRow
    next_attempt: float
    answer: str
    warned: bool = False


EVERYTHING = select(
    recipients,
    *(column for column in messages.c if column.name != "id"),
).join_from(recipients, messages)


def as_queued(row: Any, path: str) -> QueuedRow:
    """A row as the contract describes it."""
    return QueuedRow(
        id=row.id,
        queue_id=row.queue_id,
        sender=row.own_sender or row.sender,
        recipient=row.recipient,
        path=path,
        size=row.size,
        account_id=row.account_id,
        created=row.created,
        next_attempt=row.next_attempt,
        attempts=row.attempts,
        last_answer=row.last_answer,
        state=row.state,
        notify=row.notify,
        orcpt=row.orcpt,
        ret=row.ret,
        envid=row.envid,
        body=row.body,
        smtputf8=row.smtputf8,
        message_id=row.message_id,
        file=row.file,
        prefix_length=row.prefix_length,
        warned=row.warned,
        returned=row.returned,
        routed=row.routed,
        addressed=row.addressed,
        for_domain=row.for_domain,
        caught=row.caught,
        way=row.way,
    )


# Two statements, for each can walk the index in its order: one with "or" would sort everything that is due, each time.
_DUE = (
    EVERYTHING.where((recipients.c.state == WAITING) & (recipients.c.next_attempt <= bindparam("now")))
    .order_by(recipients.c.next_attempt, recipients.c.id)
    .limit(bindparam("most"))
)
_OVERDUE = EVERYTHING.where((recipients.c.state == SENDING) & (recipients.c.leased_until <= bindparam("now"))).limit(
    bindparam("most")
)


def _changing(**values: Any) -> Update:
    """An update of the row `row_id`."""
    return update(recipients).where(recipients.c.id == bindparam("row_id")).values(**values)


_LEASE = _changing(state=SENDING, leased_until=bindparam("until"))
_RENEW = _changing(leased_until=bindparam("until"))
_WAIT = _changing(state=WAITING, next_attempt=bindparam("due"), last_answer=bindparam("answer"), way=bindparam("taken"))
_HOLD = _changing(state=HELD, last_answer=bindparam("answer"))
_WAIT_AFTER_ATTEMPT = _WAIT.values(attempts=bindparam("tries"), warned=bindparam("told"))
_NEXT_DUE = select(func.min(recipients.c.next_attempt)).where(recipients.c.state == WAITING)


def lease(connection: Connection, now: float, until: float, limit: int) -> list[Row[Any]]:
    """Take rows that are due, oldest first, and mark them as being sent until `until`; overdue leases come before all others."""
    rows = list(connection.execute(_OVERDUE, {"now": now, "most": limit}))
    rows += connection.execute(_DUE, {"now": now, "most": limit - len(rows)})
    _change(connection, _LEASE, [row.id for row in rows], until=until)
    return rows


def renew(connection: Connection, ids: Sequence[int], until: float) -> None:
    """Keep rows that are still being sent."""
    _change(connection, _RENEW, ids, until=until)


_THERE = (recipients.c.way == bindparam("where_to")) & (recipients.c.state == WAITING)
_PATIENT = (messages.c.created > bindparam("warn_before")) | recipients.c.warned | (SENDER == "")
_YOUNG = messages.c.created > case((SENDER == "", bindparam("bounce_before")), else_=bindparam("end_before"))
_PUT_OFF_IDS = (
    select(recipients.c.id)
    .join(messages)
    .where(_THERE, recipients.c.next_attempt < bindparam("until"))
    .where(_PATIENT, _YOUNG, ~recipients.c.returned)
    .limit(bindparam("most"))
)
_PUT_OFF = (
    update(recipients)
    .where(recipients.c.id.in_(_PUT_OFF_IDS))
    .values(next_attempt=bindparam("until"), last_answer=bindparam("answer"))
)


_BROUGHT_BACK = (
    select(recipients.c.id).where(_THERE, recipients.c.next_attempt == bindparam("until")).limit(bindparam("most"))
)
_BRING_BACK = update(recipients).where(recipients.c.id.in_(_BROUGHT_BACK)).values(next_attempt=bindparam("now"))


def bring_back(connection: Connection, way: str, until: float, now: float, most: int) -> int:
    """Some of the rows that were put off until then are due now; how many."""
    about = {"where_to": way, "until": until, "now": now, "most": most}
    return connection.execute(_BRING_BACK, about).rowcount


def put_off(connection: Connection, way: str, until: float, answer: str, ages: Ages, most: int) -> int:
    """Waiting rows that take a way are not due before `until`, but for those whose sender is to hear something; how many."""
    about = {"where_to": way, "until": until, "answer": answer[:MAX_ANSWER], "most": most, **ages._asdict()}
    return connection.execute(_PUT_OFF, about).rowcount


def next_due(connection: Connection) -> float | None:
    """When the next waiting row is due, None if nothing waits."""
    return connection.execute(_NEXT_DUE).scalar()


def postpone(connection: Connection, attempts: Sequence[Attempt]) -> None:
    """They wait again."""
    changes = [
        {
            "row_id": row.id,
            "due": due,
            "answer": answer[:MAX_ANSWER],
            "taken": row.way,
            "tries": row.attempts + 1,
            "told": warned or row.warned,
        }
        for row, due, answer, warned in attempts
    ]
    if changes:
        connection.execute(_WAIT_AFTER_ATTEMPT, changes)


def park(connection: Connection, asked: Sequence[tuple[Sequence[QueuedRow], float, str]]) -> list[None]:
    """Rows of several who ask wait again, untried, until a time and with an answer."""
    changes = [
        {"row_id": row.id, "taken": row.way, "due": due, "answer": answer[:MAX_ANSWER]}
        for rows, due, answer in asked
        for row in rows
    ]
    if changes:
        connection.execute(_WAIT, changes)
    return [None] * len(asked)


PARK = Bulk(park)


def hold(connection: Connection, ids: Sequence[int], answer: str) -> None:
    """They wait until they are released."""
    _change(connection, _HOLD, ids, answer=answer[:MAX_ANSWER])


def release(connection: Connection, now: float) -> None:
    """After a restart: nothing is being sent any more."""
    connection.execute(update(recipients).where(recipients.c.state == SENDING).values(state=WAITING, next_attempt=now))


_THESE = recipients.c.id.in_(bindparam("ids", expanding=True))
_FORGET_RECIPIENTS = delete(recipients).where(_THESE).returning(recipients.c.message_id)
_EMPTY = messages.c.id.in_(bindparam("ids", expanding=True)) & ~exists().where(recipients.c.message_id == messages.c.id)
_FORGET_EMPTY = delete(messages).where(_EMPTY).returning(messages.c.file)


def finish(connection: Connection, ids: Sequence[int]) -> list[str]:
    """Forget rows, and messages that nobody waits for any more; the files of those."""
    concerned: set[int] = set()
    for batch in _batches(ids):
        concerned.update(connection.execute(_FORGET_RECIPIENTS, batch).scalars())
    files: list[str] = []
    for batch in _batches(sorted(concerned)):
        files += connection.execute(_FORGET_EMPTY, batch).scalars()
    return files


def count(connection: Connection) -> int:
    """How many recipients wait."""
    return int(connection.execute(select(func.count()).where(recipients.c.state != PREPARED)).scalar_one())


def files(connection: Connection) -> set[str]:
    """The names of all files that messages need."""
    return set(connection.execute(select(messages.c.file)).scalars())


def _change(connection: Connection, statement: Update, ids: Sequence[int], **values: Any) -> None:
    if ids:
        connection.execute(statement, [{"row_id": each, **values} for each in ids])


def _batches(ids: Sequence[int]) -> Iterable[dict[str, Sequence[int]]]:
    return ({"ids": ids[i : i + BATCH]} for i in range(0, len(ids), BATCH))
