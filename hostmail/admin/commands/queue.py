"""hostmail queue ..."""

from __future__ import annotations

import time
from typing import Any

import click

from hostmail.admin.cli import CommandLine, ask_first, facts, pass_line, table
from hostmail.admin.values import given, moment, since, size

COLUMNS = (
    ("QUEUE ID", lambda row: row["queue_id"]),
    ("SENDER", lambda row: row["sender"] or "<>"),
    ("RECIPIENT", lambda row: row["recipient"]),
    ("SIZE", lambda row: size(row["size"])),
    ("STATE", lambda row: row["state"]),
    ("TRIED", lambda row: str(row["attempts"])),
    ("AGE", lambda row: since(row["created"], time.time())),
    ("LAST ANSWER", lambda row: row["last_answer"]),
)


@click.group()
def queue() -> None:
    """Mail on its way out. PATTERN is part of a queue id, a sender or a recipient."""


@queue.command("list")
@click.argument("pattern", required=False)
@pass_line
def list_(line: CommandLine, pattern: str | None) -> None:
    """What waits, one line per recipient."""
    line.answer(line.call("queue.list", **given(pattern=pattern)), lambda rows: table(rows, COLUMNS))


@queue.command()
@click.argument("pattern")
@pass_line
def show(line: CommandLine, pattern: str) -> None:
    """Everything about what matches."""
    line.answer(line.call("queue.show", pattern=pattern), show_each)


@queue.command()
@click.argument("pattern", required=False)
@click.option("--all", "everything", is_flag=True, help="All that waits.")
@pass_line
def retry(line: CommandLine, pattern: str | None, everything: bool) -> None:
    """Try now instead of later."""
    told = line.call("queue.retry", **_chosen(pattern, everything))
    line.answer(told, lambda _: line.say(f"{told['retried']} recipient(s) will be tried now"))


@queue.command()
@click.argument("pattern", required=False)
@click.option("--all", "everything", is_flag=True, help="All that waits.")
@ask_first
@pass_line
def delete(line: CommandLine, pattern: str | None, everything: bool, yes: bool) -> None:
    """Drop mail without telling its sender."""
    chosen = _chosen(pattern, everything)
    line.confirm(f"Delete {'everything' if everything else f'what matches {pattern}'} from the queue", yes)
    told = line.call("queue.delete", **chosen)
    line.answer(told, lambda _: line.say(f"{told['deleted']} recipient(s) deleted"))


def _chosen(pattern: str | None, everything: bool) -> dict[str, Any]:
    if bool(pattern) == everything:
        raise click.UsageError("give a PATTERN, or --all")
    return {"all": True} if everything else {"pattern": pattern}


def show_each(rows: list[dict[str, Any]]) -> None:
    """Print several recipients."""
    for row in rows:
        show_one(row)


def show_one(row: dict[str, Any]) -> None:
    """Print one recipient of one message."""
    times = {"waiting since": row["created"], "next attempt": row["next_attempt"]}
    facts(
        {
            "queue id": row["queue_id"],
            "sender": row["sender"] or "<>",
            "recipient": row["recipient"],
            "size": size(row["size"]),
            "state": row["state"],
            **{name: moment(value) for name, value in times.items()},
            "attempts": str(row["attempts"]),
            "last answer": row["last_answer"] or "-",
        }
    )
    click.echo()
