"""hostmail catchall ..."""

from __future__ import annotations

from typing import Any

import click

from hostmail.admin.cli import CommandLine, facts, pass_line, table
from hostmail.admin.values import moment, yes
from hostmail.decisions import CATCH_DEFAULT, CATCH_DISCARD, CATCH_REFUSE

COLUMNS = (
    ("NAME", lambda row: row["address"]),
    ("MESSAGES", lambda row: str(row["count"])),
    ("FIRST", lambda row: moment(row["first_seen"]) if row["first_seen"] else "-"),
    ("LAST", lambda row: moment(row["last_seen"]) if row["last_seen"] else "-"),
    ("BLOCKED", lambda row: yes(row["blocked"])),
)


@click.group()
def catchall() -> None:
    """What becomes of mail for names that nobody has, and which names get any."""


@catchall.command()
@click.argument("domain")
@pass_line
def show(line: CommandLine, domain: str) -> None:
    """A domain's catch-all."""
    line.answer(line.call("catchall.show", name=domain), show_one)


@catchall.command("set")
@click.argument("domain")
@click.argument("target", required=False)
@click.option("--refuse", "choice", flag_value=CATCH_REFUSE, help="Refuse such mail: its sender hears at once.")
@click.option("--discard", "choice", flag_value=CATCH_DISCARD, help="Take it and throw it away.")
@click.option("--default-mailbox", "choice", flag_value=CATCH_DEFAULT, help="Whichever is the domain's at the time.")
@pass_line
def set_(line: CommandLine, domain: str, target: str | None, choice: str | None) -> None:
    """Let mail for unknown names go to TARGET, a mailbox of the domain or an address anywhere; or say otherwise."""
    if (target is None) == (choice is None):
        raise click.UsageError("name a TARGET, or say --refuse, --discard or --default-mailbox")
    line.answer(
        line.call("catchall.set", name=domain, catch_all=_address(target, domain) if target else choice), show_one
    )


@catchall.command()
@click.argument("domain")
@click.option("--block", metavar="NAME", multiple=True, help="Refuse this name from now on; may be given again.")
@click.option("--unblock", metavar="NAME", multiple=True, help="Let the catch-all have it again.")
@click.option(
    "--alias",
    nargs=2,
    metavar="NAME TARGET",
    multiple=True,
    help="Make it an alias of TARGET, an address or a name of this domain.",
)
@pass_line
def names(
    line: CommandLine, domain: str, block: tuple[str, ...], unblock: tuple[str, ...], alias: tuple[tuple[str, str], ...]
) -> None:
    """The unknown names that got mail: how often, and when first and last."""
    for name in block:
        line.call("catchall.block", address=_address(name, domain))
    for name in unblock:
        line.call("catchall.unblock", address=_address(name, domain))
    for name, target in alias:
        line.call("alias.add", address=_address(name, domain), targets=[_address(target, domain)])
    line.answer(line.call("catchall.names", name=domain), lambda rows: table(rows, COLUMNS))


def _address(name: str, domain: str) -> str:
    return name if "@" in name else f"{name}@{domain}"


def show_one(row: dict[str, Any]) -> None:
    """Print a catch-all."""
    facts({"domain": row["domain"], "unknown names": said(row["catch_all"], row["target"])})


def said(catch_all: str, target: str | None) -> str:
    """A catch-all in words."""
    if catch_all == CATCH_REFUSE:
        return "refused"
    if catch_all == CATCH_DISCARD:
        return "taken and thrown away"
    if catch_all == CATCH_DEFAULT:
        return f"to the default mailbox, {target}" if target else "refused: there is no default mailbox"
    return f"to {target}"
