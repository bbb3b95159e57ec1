"""hostmail queue ..."""

from __future__ import annotations

import time
from base64 import b64decode
from collections.abc import Callable
from typing import Any

import click

from hostmail.admin.cli import CommandLine, ask_first, facts, pass_line, table
from hostmail.admin.values import LISTED, MOST_LISTED, moment, since, size

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


DESTINATIONS = (
    ("DESTINATION", lambda row: row["domain"] or "-"),
    ("RECIPIENTS", lambda row: str(row["recipients"])),
    ("SENDING", lambda row: str(row["sending"])),
    ("OLDEST", lambda row: since(row["oldest"], time.time())),
    ("AN ANSWER", lambda row: row["answer"]),
)


@click.group()
def queue() -> None:
    """Mail on its way out.

    A FILTER is words that must all fit a recipient: part of a queue id, a sender or a recipient, or one of
    id:TEXT from:TEXT (from:<> for bounces) to:TEXT answer:TEXT state:waiting|held|sending older:2h newer:2h,
    account:ADDRESS for what that account has sent, whatever sender it named, and domain:NAME for what a hosted
    domain's accounts, forwards and lists have sent.
    """


@queue.command("list")
@click.argument("filter", nargs=-1)
@click.option(
    "--limit", type=click.IntRange(1, MOST_LISTED), default=LISTED, show_default=True, help="At most so many lines."
)
@pass_line
def list_(line: CommandLine, filter: tuple[str, ...], limit: int) -> None:
    """What waits, one line per recipient."""

    def show(rows: list[dict[str, Any]]) -> None:
        table(rows, COLUMNS)
        if len(rows) == limit:
            line.say(f"the oldest {limit}; use --limit for more, or queue stats")

    line.answer(line.call("queue.list", pattern=" ".join(filter), most=limit), show)


@queue.command()
@click.argument("filter", nargs=-1, required=True)
@pass_line
def show(line: CommandLine, filter: tuple[str, ...]) -> None:
    """Everything about what fits."""
    line.answer(line.call("queue.show", pattern=" ".join(filter)), show_each)


@queue.command()
@click.argument("queue_id")
@pass_line
def cat(line: CommandLine, queue_id: str) -> None:
    """A message as it waits."""
    told = line.call("queue.cat", queue_id=queue_id)
    line.answer(told, lambda _: click.echo(b64decode(told["message"]), nl=False))


@queue.command()
@click.argument("filter", nargs=-1)
@pass_line
def stats(line: CommandLine, filter: tuple[str, ...]) -> None:
    """How much waits, and for whom."""
    line.answer(line.call("queue.stats", pattern=" ".join(filter)), show_stats)


def choosing(function: Callable[..., Any]) -> Callable[..., Any]:
    """FILTER or --all."""
    function = click.option("--all", "everything", is_flag=True, help="All that waits.")(function)
    return click.argument("filter", nargs=-1)(function)


@queue.command()
@choosing
@pass_line
def retry(line: CommandLine, filter: tuple[str, ...], everything: bool) -> None:
    """Try now instead of later."""
    told = line.call("queue.retry", **_chosen(filter, everything))
    line.answer(told, lambda _: line.say(f"{told['retried']} recipient(s) will be tried now"))


@queue.command()
@choosing
@pass_line
def hold(line: CommandLine, filter: tuple[str, ...], everything: bool) -> None:
    """Keep mail until it is released; what is just being sent goes on."""
    told = line.call("queue.hold", **_chosen(filter, everything))
    line.answer(told, lambda _: line.say(f"{told['held']} recipient(s) held"))


@queue.command()
@choosing
@pass_line
def release(line: CommandLine, filter: tuple[str, ...], everything: bool) -> None:
    """Let held mail go on, unless its account or domain may send nothing at present."""
    told = line.call("queue.release", **_chosen(filter, everything))
    line.answer(told, lambda _: line.say(f"{told['released']} recipient(s) released"))
    if told["suspended"]:
        line.say(f"mail of {', '.join(told['suspended'])} stays held: outgoing mail is suspended")


@queue.command()
@choosing
@ask_first
@pass_line
def bounce(line: CommandLine, filter: tuple[str, ...], everything: bool, yes: bool) -> None:
    """Return mail to its senders now."""
    chosen = _chosen(filter, everything)
    line.confirm(f"Return {_words(filter)} to the senders", yes)
    told = line.call("queue.bounce", **chosen)
    line.answer(told, lambda _: line.say(f"{told['bounced']} recipient(s) will be returned to their senders"))


@queue.command()
@choosing
@ask_first
@pass_line
def delete(line: CommandLine, filter: tuple[str, ...], everything: bool, yes: bool) -> None:
    """Drop mail without telling its sender."""
    chosen = _chosen(filter, everything)
    line.confirm(f"Delete {_words(filter)} from the queue", yes)
    told = line.call("queue.delete", **chosen)
    line.answer(told, lambda _: line.say(f"{told['deleted']} recipient(s) deleted"))


def _words(chosen: tuple[str, ...]) -> str:
    return f"what fits {' '.join(chosen)}" if chosen else "everything that waits"


def _chosen(chosen: tuple[str, ...], everything: bool) -> dict[str, Any]:
    if bool(chosen) == everything:
        raise click.UsageError("give a FILTER, or --all")
    return {"all": True} if everything else {"pattern": " ".join(chosen)}


def show_stats(told: dict[str, Any]) -> None:
    """Print the numbers, then the fullest destinations."""
    facts(
        {
            "messages": str(told["messages"]),
            "size": size(told["octets"]),
            "oldest": "-" if told["oldest"] is None else since(told["oldest"], time.time()),
            **{f"recipients {state}": str(many) for state, many in sorted(told["states"].items())},
        }
    )
    if told["destinations"]:
        click.echo()
        table(told["destinations"], DESTINATIONS)


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
            "number": f"row:{row['id']}",
            "sender": row["sender"] or "<>",
            "recipient": row["recipient"],
            "account": row["account"] or "-",
            "domain": row["for_domain"] or "-",
            "size": size(row["size"]),
            "state": row["state"],
            **{name: moment(value) for name, value in times.items()},
            "attempts": str(row["attempts"]),
            "last answer": row["last_answer"] or "-",
        }
    )
    click.echo()
