"""hostmail relay ..."""

from __future__ import annotations

from typing import Any

import click

from hostmail.admin.cli import CommandLine, ask_first, pass_line, table
from hostmail.admin.values import Duration, ago, given, moment
from hostmail.config.units import format_duration

COLUMNS = (
    ("ADDRESS", lambda row: row["ip"]),
    ("OPENED BY", lambda row: row["login"]),
    ("UNTIL", lambda row: moment(row["until"])),
    ("LEFT", lambda row: ago(row["seconds_left"])),
)


@click.group()
def relay() -> None:
    """POP before SMTP: who may send without logging in, because he checked his mail."""


@relay.command("list")
@pass_line
def list_(line: CommandLine) -> None:
    """All grants."""
    line.answer(line.call("relay.list"), lambda rows: table(rows, COLUMNS))


@relay.command()
@click.argument("ip", metavar="IP")
@pass_line
def why(line: CommandLine, ip: str) -> None:
    """Whether an address may relay, and why or why not."""
    line.answer(line.call("relay.why", ip=ip), explain)


@relay.command()
@click.argument("ip", metavar="IP")
@click.option("--for", "seconds", type=Duration(), help="How long; default: relay_window of the configuration.")
@pass_line
def allow(line: CommandLine, ip: str, seconds: int | None) -> None:
    """Open relaying for an address."""
    line.answer(line.call("relay.allow", ip=ip, **given(seconds=seconds)), lambda row: table([row], COLUMNS))


@relay.command()
@click.argument("ip", metavar="IP")
@ask_first
@pass_line
def revoke(line: CommandLine, ip: str, yes: bool) -> None:
    """Close an address's grants."""
    line.confirm(f"Close relaying for {ip}", yes)
    line.answer(line.call("relay.revoke", ip=ip), lambda told: line.say(f"{told['revoked']} grant(s) closed"))


@relay.command()
@ask_first
@pass_line
def clear(line: CommandLine, yes: bool) -> None:
    """Close all grants."""
    line.confirm("Close all grants", yes)
    line.answer(line.call("relay.clear"), lambda told: line.say(f"{told['revoked']} grant(s) closed"))


def explain(told: dict[str, Any]) -> None:
    """Say why, in words that can be passed on."""
    if told["may_relay"]:
        words = f"{told['ip']} may relay until {moment(told['until'])}: opened by {told['login']}"
    elif told["pop_before_smtp"] and told["shared_by"]:
        words = (
            f"{told['ip']} may not relay: {told['shared_by']} accounts share it, more than limits.grants_per_ip, and shared_grants"
            " is refuse. Logging in (AUTH) always works."
        )
    elif told["pop_before_smtp"]:
        window = format_duration(told["window"])
        words = f"{told['ip']} may not relay: nobody has checked mail from there within {window}. Logging in (AUTH) always works."
    else:
        words = f"{told['ip']} may not relay: pop_before_smtp is off here. Logging in (AUTH) always works."
    click.echo(words)
