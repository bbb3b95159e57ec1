"""The queue: mail that waits to be sent on, and what an operator does with it (C9)."""

from __future__ import annotations

from base64 import b64decode
from typing import Any

from hostmail.web.fields import BadField
from hostmail.web.panel.page import OPERATORS, Act, Done, Page, Section, View, Visit
from hostmail.web.panel.table import Column, Table

MOST_ROWS = 1_000
MOST_SHOWN = 256 * 1024
CAREFUL = ("bounce", "delete")
SAID = {
    "retry": ("retried", "{0:,} will be tried now."),
    "hold": ("held", "{0:,} held until you release them."),
    "release": ("released", "{0:,} released."),
    "bounce": ("bounced", "{0:,} returned to their senders."),
    "delete": ("deleted", "{0:,} deleted. Nobody was told."),
}


async def show(visit: Visit) -> View:
    """What waits, and how much of it for whom."""
    pattern = visit.query.text("filter")[:500]
    rows = await visit.call("queue.list", pattern=pattern, most=MOST_ROWS)
    stats = await visit.call("queue.stats", pattern=pattern)
    columns = (
        Column("queue_id", "Queue id", "mono", link=lambda row: f"{visit.url('waiting')}?id={row['queue_id']}"),
        Column("sender", "From", "mono", value=lambda row: row["sender"] or "<>"),
        Column("recipient", "For", "mono"),
        Column("state", "State"),
        Column("size", "Size", only_data=True),
        Column("created", "Since", "moment", only_data=True),
        Column("next_attempt", "Next attempt", "moment"),
        Column("attempts", "Attempts", only_data=True),
        Column("last_answer", "Last answer"),
    )
    table = Table("queue", columns, rows, "Nothing waits.", per_page=50)
    facts = {"pattern": pattern, "stats": stats, "cut": len(rows) == MOST_ROWS}
    return View("queue.html", facts, table)


def changing(what: str) -> Act:
    """What one of the buttons does: with everything that fits the filter, or with all of the queue if there is none."""
    key, words = SAID[what]

    async def change(visit: Visit) -> Done:
        pattern = visit.form.text("filter")
        if what in CAREFUL and not visit.form.ticked("sure"):
            raise BadField("sure", "Tick that you mean it: this cannot be undone")
        chosen: dict[str, Any] = {"pattern": pattern} if pattern else {"all": True}
        told = await visit.call(f"queue.{what}", **chosen)
        return Done(words.format(told[key]), visit.url("queue"))

    return change


async def show_one(visit: Visit) -> View | Done:
    """One message: who still waits for it, and how it begins."""
    queue_id = visit.query.text("id")[:40]
    if not queue_id:
        return Done("", visit.url("queue"))
    rows = await visit.call("queue.show", pattern=f"id:{queue_id}")
    content = b64decode((await visit.call("queue.cat", queue_id=queue_id))["message"])
    text = content[:MOST_SHOWN].decode("utf-8", "replace").replace("\r\n", "\n")
    facts = {"rows": rows, "text": text, "cut": len(content) > MOST_SHOWN, "size": len(content)}
    return View("waiting.html", facts, title=queue_id)


PAGES = (
    Page(
        name="queue",
        path="/queue",
        title="Queue",
        help="Mail that waits: because the next server did not take it yet, or because it was held. Each line is one recipient.",
        show=show,
        who=OPERATORS,
        actions={what: changing(what) for what in SAID},
        forms=dict.fromkeys(SAID, "bounce"),
        section=Section.SERVER,
        menu="Queue",
        command="hostmail queue list",
    ),
    Page(
        name="waiting",
        path="/queue/message",
        title="Waiting message",
        help="A message as it waits, with the recipients that have not got it yet.",
        show=show_one,
        who=OPERATORS,
        command="hostmail queue show QUEUE-ID",
    ),
)
