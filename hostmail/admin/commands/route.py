"""hostmail route ADDRESS"""

from __future__ import annotations

from typing import Any

import click

from hostmail.admin.cli import CommandLine, clean, pass_line
from hostmail.admin.commands.waysout import way_said
from hostmail.admin.values import given


@click.command()
@click.argument("address")
@click.option("--from", "sender", metavar="SENDER", help="Also tell which way out mail of this sender takes.")
@pass_line
def route(line: CommandLine, address: str, sender: str | None) -> None:
    """What would happen to mail for ADDRESS now, step by step, and why."""
    line.answer(line.call("route", address=address, **given(sender=sender)), explain)


def explain(told: dict[str, Any]) -> None:
    """Print the steps, each below the one that led to it, and what comes of them."""
    for step in told["steps"]:
        click.echo(clean(f"{'  ' * step['depth']}{step['address']}: {step['rule']}: {step['words']}"))
    click.echo()
    for end in told["ends"]:
        click.echo(clean(_END[end["kind"]](end)))
    if "way_out" in told:
        click.echo(clean(f"mail of {told['sender']} that leaves this server {way_said(told['way_out'])}"))


def _mailbox(end: dict[str, Any]) -> str:
    words = f"delivered into {end['address']}"
    if end.get("caught"):
        words += f", where the catch-all puts {end['caught']}"
    return words + (": refused while it is full, as it is now (552 5.2.2)" if end.get("full") else "")


def _refused(end: dict[str, Any]) -> str:
    if end["address"]:
        return f"reported to the sender for {end['address']}: {end['answer']}"
    return f"refused: {end['answer']}"


_END = {
    "mailbox": _mailbox,
    "forward": lambda end: f"sent on to {end['address']} for {end['forwarder']}",
    "discard": lambda end: "accepted, counted, and thrown away",
    "list": lambda end: f"taken for the mailing list, by {end['address']}",
    "refuse": _refused,
    "relay": lambda end: (
        f"sent to {end['address']} for whoever may relay; for strangers: 550 5.7.1 relaying prohibited"
    ),
}
