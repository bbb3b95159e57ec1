"""hostmail domain ..."""

from __future__ import annotations

from typing import Any

import click

from hostmail.admin.cli import CommandLine, ask_first, facts, pass_line, table
from hostmail.admin.commands.catchall import said
from hostmail.admin.commands.waysout import SMARTHOST, smarthost_changes, smarthost_options
from hostmail.admin.commands.waysout import said as smarthost_said
from hostmail.admin.values import NO_LIMIT, Size, given, size, suspended, suspension_options, suspensions, yes

COLUMNS = (
    ("DOMAIN", lambda row: row["name"]),
    ("MAIN LOGIN", lambda row: row["main_login"]),
    ("ACCOUNTS", lambda row: str(row["accounts"])),
    ("USED", lambda row: size(row["used"])),
    ("QUOTA", lambda row: size(row["quota"])),
    ("SUSPENDED", suspended),
)

ALIASES = (("DOMAIN ALIAS", lambda row: row["name"]), ("STANDS FOR", lambda row: row["domain"]))


@click.group()
def domain() -> None:
    """Domains hosted here."""


@domain.command()
@click.argument("name", metavar="DOMAIN")
@click.option("--quota", type=Size(), help="Limit for all its accounts together; default: none.")
@click.option("--main-login", help="The default mailbox's second login; default: made from the name.")
@pass_line
def add(line: CommandLine, name: str, quota: int | str | None, main_login: str | None) -> None:
    """Host a domain."""
    line.answer(line.call("domain.add", name=name, **given(quota=quota, main_login=main_login)), show_one)


@domain.command("list")
@pass_line
def list_(line: CommandLine) -> None:
    """All domains."""
    line.answer(line.call("domain.list"), lambda rows: table(rows, COLUMNS))


@domain.command()
@click.argument("name", metavar="DOMAIN")
@pass_line
def show(line: CommandLine, name: str) -> None:
    """One domain."""
    line.answer(line.call("domain.show", name=name), show_one)


@domain.command("set")
@click.argument("name", metavar="DOMAIN")
@click.option("--quota", type=Size(), help="Limit for all its accounts together, or none.")
@click.option("--main-login", help="The default mailbox's second login.")
@click.option(
    "--default-mailbox", metavar="ADDRESS", help="Who gets mail for postmaster and has the main login, or none."
)
@click.option("--pop-before-smtp/--no-pop-before-smtp", default=None, help="Whether checking mail opens relaying.")
@click.option(
    "--must-match-sender/--no-must-match-sender", default=None, help="Whether senders must use their own address."
)
@click.option(
    "--active/--not-active", default=None, help="Whether mail to it is taken here, or goes where the DNS says."
)
@click.option(
    "--source-address",
    "sources",
    metavar="IP",
    multiple=True,
    help="What its mail comes from that goes to other servers directly; one IPv4 and one IPv6 may be given; or none.",
)
@smarthost_options
@suspension_options
@pass_line
def set_(
    line: CommandLine,
    name: str,
    default_mailbox: str | None,
    suspend: tuple[str, ...],
    resume: tuple[str, ...],
    sources: tuple[str, ...],
    **options: Any,
) -> None:
    """Change a domain; at once, on live sessions too."""
    smarthost = {each: options.pop(each) for each in tuple(options) if each.startswith(SMARTHOST)}
    changes = given(**options) | suspensions(suspend, resume) | smarthost_changes(**smarthost)
    if sources:
        changes["source_addresses"] = [] if sources == (NO_LIMIT,) else list(sources)
    if default_mailbox is not None:
        changes["default_mailbox"] = "" if default_mailbox.lower() == NO_LIMIT else default_mailbox
    if not changes:
        raise click.UsageError("say what to change; --help lists it")
    line.answer(line.call("domain.set", name=name, **changes), show_one)


@domain.command()
@click.argument("name", metavar="DOMAIN")
@ask_first
@pass_line
def remove(line: CommandLine, name: str, yes: bool) -> None:
    """Stop hosting a domain, with all its accounts; their mail is put aside for a while."""
    found = line.call("domain.show", name=name)
    line.confirm(f"Remove {found['name']} with {found['accounts']} account(s) and {size(found['used'])} of mail", yes)
    removed = line.call("domain.remove", name=name)
    line.answer(
        removed, lambda told: line.say(f"{told['name']} is removed, {told['removed_accounts']} account(s) with it")
    )


@domain.group("alias")
def alias() -> None:
    """Domains that stand for others: every address in one is the same address in the other."""


@alias.command("add")
@click.argument("name", metavar="NAME")
@click.argument("target", metavar="DOMAIN")
@pass_line
def add_alias(line: CommandLine, name: str, target: str) -> None:
    """Let the domain NAME stand for DOMAIN, which is hosted here."""
    told = line.call("domain.alias.add", name=name, domain=target)
    line.answer(told, lambda row: facts({"domain": row["domain"], "known as": ", ".join(row["aliases"])}))


@alias.command("list")
@click.argument("name", metavar="DOMAIN", required=False)
@pass_line
def list_aliases(line: CommandLine, name: str | None) -> None:
    """All domain aliases, or those of a domain."""
    line.answer(line.call("domain.alias.list", **given(name=name)), lambda rows: table(rows, ALIASES))


@alias.command("remove")
@click.argument("name", metavar="NAME")
@pass_line
def remove_alias(line: CommandLine, name: str) -> None:
    """Let NAME stand for nothing any more."""
    told = line.call("domain.alias.remove", name=name)
    line.answer(told, lambda row: line.say(f"{row['name']} stands for {row['domain']} no more"))


def show_one(row: dict[str, Any]) -> None:
    """Print a domain."""
    facts(
        {
            "domain": row["name"],
            "main login": row["main_login"],
            "default mailbox": row["default_mailbox"] or "none",
            "accounts": str(row["accounts"]),
            "used": f"{size(row['used'])} in {row['messages']} message(s)",
            "quota": size(row["quota"]),
            "suspended": suspended(row),
            "POP before SMTP": yes(row["pop_before_smtp"]),
            "sender must match": yes(row["must_match_sender"]),
            "unknown names": said(
                row["catch_all"], row["catch_all"] if "@" in row["catch_all"] else row["default_mailbox"]
            ),
            "active": yes(row["active"]),
            "smarthost": smarthost_said(row),
            "mail comes from": ", ".join(row["source_addresses"]) or "the server's addresses",
        }
    )
