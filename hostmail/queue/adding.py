"""New mail in the queue's tables: each function is one step inside a transaction that its caller holds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from types import SimpleNamespace
from typing import Any

from sqlalchemy import ColumnElement, Connection, bindparam, case, insert, select, update

from hostmail.envelope import Envelope, Recipient
from hostmail.queue.committer import Bulk
from hostmail.queue.contracts import QueuedRow
from hostmail.queue.rows import HELD, PREPARED, SENDING, WAITING, as_queued, finish
from hostmail.queue.tables import given, messages, recipients


@dataclass(frozen=True, slots=True)
class NewMessage:
    """What is known of a message when it enters the queue."""

    queue_id: str
    file: str
    size: int
    prefix_length: int
    account_id: int | None
    created: float
    for_domain: str = ""
    octets: bytes | None = None


# Statements are made once: putting one together costs more than running it.
_ADD_MESSAGES = insert(messages)
_ADD_RECIPIENTS = insert(recipients)
_GIVE = (
    update(given)
    .where(given.c.what == bindparam("kind"))
    .values(last=given.c.last + bindparam("many"))
    .returning(given.c.last)
)


New = tuple[NewMessage, Envelope, Sequence[Recipient]]


def add_all(
    connection: Connection, asked: Sequence[tuple[Sequence[New], float]]
) -> list[tuple[list[int], list[QueuedRow]]]:
    """Messages of several who ask, with recipients due at once or after their delay: everybody's messages' ids, and the rows he leases.

    Those are all that are due, until a time; none where that is 0. A few statements do it for everybody.
    """
    recipients_of = [to for added, _ in asked for _, _, to in added]
    next_message = _numbers(connection, "messages", len(recipients_of))
    next_row = _numbers(connection, "recipients", sum(map(len, recipients_of)))
    new_messages: list[dict[str, Any]] = []
    new_rows: list[dict[str, Any]] = []
    answers: list[tuple[list[int], list[QueuedRow]]] = []
    for added, until in asked:
        ids: list[int] = []
        leased: list[QueuedRow] = []
        for message, envelope, to in added:
            about = _about(next_message + len(new_messages), message, envelope)
            new_messages.append(about)
            ids.append(about["id"])
            for recipient in to:
                row = {"id": next_row + len(new_rows), **_new(about["id"], recipient, message.created)}
                if until and row["state"] == WAITING and not recipient.delay:
                    row |= {"state": SENDING, "leased_until": until}
                    leased.append(replace(as_queued(SimpleNamespace(**about | row), ""), octets=message.octets))
                new_rows.append(row)
        answers.append((ids, leased))
    if new_messages:
        connection.execute(_ADD_MESSAGES, new_messages)
    if new_rows:
        connection.execute(_ADD_RECIPIENTS, new_rows)
    return answers


ADD = Bulk(add_all)


def _numbers(connection: Connection, kind: str, many: int) -> int:
    """The first of so many that nobody had before, one after the other."""
    return int(connection.execute(_GIVE, {"kind": kind, "many": many}).scalar_one()) - many + 1


def _add_recipients(connection: Connection, message_id: int, to: Sequence[Recipient], due: float) -> None:
    """Further ones of a message that is there."""
    first = _numbers(connection, "recipients", len(to))
    rows = [{"id": first + nth, **_new(message_id, recipient, due)} for nth, recipient in enumerate(to)]
    connection.execute(_ADD_RECIPIENTS, rows)


def _added(connection: Connection, added: Sequence[New]) -> list[int]:
    [(ids, _)] = add_all(connection, [(added, 0.0)])
    return ids


def _about(message_id: int, message: NewMessage, envelope: Envelope) -> dict[str, Any]:
    return {
        "id": message_id,
        "queue_id": message.queue_id,
        "sender": envelope.sender,
        "file": message.file,
        "size": message.size,
        "prefix_length": message.prefix_length,
        "account_id": message.account_id,
        "created": message.created,
        "ret": envelope.ret,
        "envid": envelope.envid,
        "body": envelope.body,
        "smtputf8": envelope.smtputf8,
        "for_domain": message.for_domain,
    }


def stand_by(connection: Connection, added: Sequence[New]) -> list[int]:
    """Several of them, whom nobody sees before `go_live`; their ids."""
    ids = _added(connection, added)
    connection.execute(update(recipients).where(_of_messages(ids)).values(state=PREPARED))
    return ids


def go_live(
    connection: Connection, ids: Sequence[int], also: Sequence[Recipient], added: Sequence[New], now: float
) -> None:
    """What stood by is there, `also` as further recipients of the first of it, and with it what did not."""
    state = case((recipients.c.last_answer != "", HELD), else_=WAITING)
    connection.execute(update(recipients).where(_of_messages(ids)).values(state=state))
    if also:
        _add_recipients(connection, ids[0], also, now)
    _added(connection, added)


def give_up(connection: Connection, ids: Sequence[int] | None) -> list[str]:
    """Forget messages that stood by, all there are for None; their files."""
    those = recipients.c.state == PREPARED if ids is None else _of_messages(ids)
    return finish(connection, list(connection.execute(select(recipients.c.id).where(those)).scalars()))


def _of_messages(ids: Sequence[int]) -> ColumnElement[bool]:
    return recipients.c.message_id.in_(ids)


def split(
    connection: Connection,
    row: QueuedRow,
    to: Sequence[Recipient],
    forwarded: Sequence[New],
    now: float,
) -> list[str]:
    """Other recipients of the same message in the place of one, due at once, and what it becomes where it is forwarded.

    Files that nobody waits for any more.
    """
    if to:
        _add_recipients(connection, row.message_id, to, now)
    _added(connection, forwarded)
    return finish(connection, [row.id])


def _new(message_id: int, recipient: Recipient, due: float) -> dict[str, Any]:
    return {
        "message_id": message_id,
        "recipient": str(recipient.address),
        "domain": recipient.address.domain,
        "way": recipient.address.domain,
        "notify": ",".join(recipient.notify),
        "orcpt": recipient.orcpt,
        "routed": recipient.routed,
        "addressed": recipient.addressed,
        "caught": recipient.caught,
        "own_sender": recipient.own_sender,
        "state": HELD if recipient.held else WAITING,
        "next_attempt": due + recipient.delay,
        "attempts": 0,
        "last_answer": recipient.held,
        "warned": False,
        "leased_until": 0.0,
        "returned": False,
    }
