"""Many accounts at once, from a file: tried first, then done."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from hostmail.accountfile import COLUMNS, BadAccountFile, read_accounts
from hostmail.errors import BadValue, Refusal
from hostmail.web.fields import BadField
from hostmail.web.panel.page import MANAGERS, Page, Subject, View, Visit

BATCH, MOST_ROWS, MOST_OCTETS, MOST_SHOWN = 50, 500, 1 << 20, 100
OUTCOMES = ("created", "updated", "unchanged")

Rows = Sequence[dict[str, Any]]


async def show(visit: Visit) -> View:
    """A form for a file."""
    return View("import.html", {"found": None, "columns": COLUMNS})


async def attempt(visit: Visit) -> View:
    """What would become of each row. Nothing is written; the rows are kept until he says yes."""
    rows, problems = sent(visit)
    told = await carried_out(visit, rows, dry_run=True)
    key = ""
    if any(one["outcome"] in ("created", "updated") for one in told["outcomes"]):
        key = visit.kept.keep(visit.session.id, visit.domain["name"], rows)
    return outcome(told, problems, key)


async def do(visit: Visit) -> View:
    """The same in earnest."""
    rows = visit.kept.take(visit.session.id, visit.domain["name"], visit.form.text("key"))
    if rows is None:
        raise BadValue("that file is not here any more: choose it again")
    return outcome(await carried_out(visit, rows, dry_run=False), [])


def sent(visit: Visit) -> tuple[Rows, list[dict[str, Any]]]:
    """The rows of the file that was sent, and those that are wrong as they stand; raises BadField."""
    upload = visit.form.uploads.get("file")
    if upload is None or not upload.content:
        raise BadField("file", "Choose a CSV file")
    if len(upload.content) > MOST_OCTETS:
        raise BadField("file", "That file is too large for this page: `hostmail account import` takes it")
    try:
        rows, problems = read_accounts(upload.content)
    except BadAccountFile as error:
        raise BadField("file", f"Line {error.line}: {error}") from None
    if len(rows) > MOST_ROWS:
        raise BadField("file", f"At most {MOST_ROWS} accounts at a time: `hostmail account import` takes more")
    if not rows and not problems:
        raise BadField("file", "There is no account in that file")
    name = visit.domain["name"]
    ours = [row for row in rows if row["address"].rpartition("@")[2].lower() == name]
    others = [
        {"line": row["line"], "address": row["address"], "problem": f"is no address in {name}"}
        for row in rows
        if row not in ours
    ]
    return ours, problems + others


async def carried_out(visit: Visit, rows: Rows, dry_run: bool) -> dict[str, Any]:
    """The outcomes. What stops it half way is told with those before it, for they are done."""
    outcomes: list[dict[str, Any]] = []
    stopped = ""
    for first in range(0, len(rows), BATCH):
        try:
            outcomes += await visit.call("account.import", rows=rows[first : first + BATCH], dry_run=dry_run)
        except Refusal as refusal:
            if not outcomes or dry_run:
                raise
            stopped = refusal.public
            break
    return {"outcomes": outcomes, "dry_run": dry_run, "stopped": stopped, "left": len(rows) - len(outcomes)}


def outcome(told: dict[str, Any], problems: list[dict[str, Any]], key: str = "") -> View:
    """What became of it, or would."""
    outcomes = told["outcomes"]
    counts = Counter(one["outcome"] for one in outcomes)
    wrong = sorted([*problems, *(one for one in outcomes if one["outcome"] == "problem")], key=lambda one: one["line"])
    found = {
        "dry_run": told["dry_run"],
        "counts": [(name, counts[name]) for name in OUTCOMES],
        "changed": [one for one in outcomes if one["outcome"] in ("created", "updated")][:MOST_SHOWN],
        "wrong": wrong[:MOST_SHOWN],
        "wrong_count": len(wrong),
        "stopped": told["stopped"],
        "left": told["left"],
        "key": key,
    }
    return View("import.html", {"found": found, "columns": COLUMNS})


PAGES = (
    Page(
        name="import",
        path="/domains/<domain>/accounts/import",
        title="Import accounts",
        help="Create many accounts from a file, or change their passwords and quotas. It is only tried at first: you see what would"
        " happen.",
        show=show,
        who=MANAGERS,
        subject=Subject.DOMAIN,
        actions={"try": attempt, "do": do},
        command="hostmail account import accounts.csv --dry-run",
        uploads=True,
    ),
)
