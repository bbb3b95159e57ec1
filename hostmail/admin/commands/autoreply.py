"""hostmail autoreply ..."""

from __future__ import annotations

import datetime
from typing import Any, BinaryIO

import click

from hostmail.admin.cli import CommandLine, clean, facts, pass_line, table
from hostmail.admin.values import Duration, ago, given, moment

ANSWERED = (
    ("ANSWERED", lambda row: row["sender"]),
    ("LAST", lambda row: moment(row["at"])),
    ("TIMES", lambda row: str(row["count"])),
)
DAY = datetime.timedelta(days=1)


class Moment(click.ParamType):  # type: ignore[type-arg]
    """2026-12-20, or "2026-12-20 18:00", in local time. `last` is for the end of a time: a bare day counts to its midnight."""

    name = "DATE"

    def __init__(self, last: bool = False) -> None:
        self._last = last

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Unix time."""
        if isinstance(value, float):
            return value
        try:
            when = datetime.datetime.fromisoformat(str(value))
        except ValueError:
            self.fail(f'{value!r} is no date; write it like 2026-12-20, or "2026-12-20 18:00"', param, ctx)
        if self._last and len(str(value)) <= len("2026-12-20"):
            when += DAY
        return when.timestamp()


@click.group()
def autoreply() -> None:
    """Autoresponders: an answer to whoever writes, once in a while (never to lists and machines)."""


@autoreply.command("set")
@click.argument("address")
@click.option("--subject", help="The answer's subject; without it: Auto: and the subject of the message.")
@click.option("--text-file", "file", type=click.File("rb"), required=True, help="The answer, in UTF-8; - is stdin.")
@click.option("--from", "starts", type=Moment(), help='From this day on, or "2026-12-20 18:00".')
@click.option("--until", type=Moment(last=True), help="Until this day is over, or this moment.")
@click.option("--every", type=Duration(), help="How long a sender is left alone after an answer; default: 7d.")
@pass_line
def set_(line: CommandLine, address: str, file: BinaryIO, **options: Any) -> None:
    """Answer mail to ADDRESS, beginning with the next."""
    try:
        text = file.read().decode("utf-8-sig")
    except UnicodeDecodeError:
        raise click.UsageError("the text is not UTF-8") from None
    line.answer(line.call("autoreply.set", address=address, text=text, **given(**options)), show_one)


@autoreply.command("list")
@click.argument("domain", required=False)
@pass_line
def list_(line: CommandLine, domain: str | None) -> None:
    """All accounts that answer, or those of a domain."""
    columns = (
        ("ADDRESS", lambda row: row["address"]),
        ("SUBJECT", lambda row: row["subject"] or "-"),
        ("FROM", lambda row: moment(row["starts"]) if row["starts"] is not None else "-"),
        ("UNTIL", lambda row: moment(row["until"]) if row["until"] is not None else "-"),
    )
    line.answer(line.call("autoreply.list", **given(domain=domain)), lambda rows: table(rows, columns))


@autoreply.command()
@click.argument("address")
@pass_line
def show(line: CommandLine, address: str) -> None:
    """What is answered, and who was."""
    line.answer(line.call("autoreply.show", address=address), show_one)


@autoreply.command()
@click.argument("address")
@pass_line
def off(line: CommandLine, address: str) -> None:
    """Answer no more."""
    told = line.call("autoreply.off", address=address)
    line.answer(told, lambda row: line.say(f"{row['address']} answers no more"))


def show_one(row: dict[str, Any]) -> None:
    """Print an autoresponder."""
    facts(
        {
            "address": row["address"],
            "subject": row["subject"] or "Auto: and the subject of the message",
            "from": moment(row["starts"]) if row["starts"] is not None else "now on",
            "until": moment(row["until"]) if row["until"] is not None else "told otherwise",
            "each sender": f"once in {ago(round(row['every']))}",
        }
    )
    click.echo()
    click.echo(clean("\n".join(f"    {words}".rstrip() for words in row["text"].splitlines())))
    if row["answered"]:
        click.echo()
        table(row["answered"], ANSWERED)
