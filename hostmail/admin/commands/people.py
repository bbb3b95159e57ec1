"""hostmail operator ..., and hostmail owner ..."""

from __future__ import annotations

from typing import Any

import click

from hostmail.admin.cli import CommandLine, ask_first, facts, pass_line, table
from hostmail.admin.commands.throttle import show_logins
from hostmail.admin.secret import obtain, password_options
from hostmail.admin.values import NO_LIMIT, Size, moment, size, yes

OPERATORS = (
    ("LOGIN", lambda row: row["login"]),
    ("SECOND FACTOR", lambda row: yes(row["second_factor"])),
    ("SUSPENDED", lambda row: yes(row["suspended"])),
    ("CREATED", lambda row: moment(row["created"])),
)
OWNERS = (
    *OPERATORS[:-1],
    ("DOMAINS", lambda row: ", ".join(row["domains"]) or "-"),
    ("ACCOUNTS", lambda row: count(row["accounts"])),
    ("FORWARDS", lambda row: count(row["forwards"])),
    ("LISTS", lambda row: count(row["lists"])),
    ("QUOTA", lambda row: size(row["quota"])),
)


class Count(click.ParamType):  # type: ignore[type-arg]
    """20, or none for no limit."""

    name = "NUMBER"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int | str:
        """A number from 0 up, or NO_LIMIT."""
        if isinstance(value, int):
            return value
        if str(value).lower() == NO_LIMIT:
            return NO_LIMIT
        if not str(value).isascii() or not str(value).isdigit():
            self.fail(f"{value} is neither a number nor none", param, ctx)
        return int(value)


def count(limit: int | None) -> str:
    """For tables."""
    return NO_LIMIT if limit is None else str(limit)


def limit_options(function: Any) -> Any:
    """How much an owner may have."""
    for name, kind, words in (
        ("quota", Size(), "What he may give to accounts, all together, or none for no limit."),
        ("lists", Count(), "Mailing lists he may have, or none."),
        ("forwards", Count(), "Addresses elsewhere he may forward to, or none."),
        ("accounts", Count(), "Accounts he may have, or none."),
    ):
        function = click.option(f"--{name}", type=kind, help=words)(function)
    return function


def limits(**given: int | str | None) -> dict[str, Any]:
    """The arguments of a verb for these options."""
    return {name: None if value == NO_LIMIT else value for name, value in given.items() if value is not None}


@click.group()
def operator() -> None:
    """People who run this server and sign in to its panel. The command itself needs no login."""


@click.group()
def owner() -> None:
    """People who manage domains in the panel, within limits.

    Each domain's main login manages that one domain, too: this is for several domains, or for limits.
    """


def commands(group: click.Group, what: str) -> None:
    """What operators and owners have in common."""

    @group.command()
    @click.argument("login")
    @password_options
    @pass_line
    def passwd(line: CommandLine, login: str, password_file: str | None, generate: bool) -> None:
        """Set a password; whoever is signed in with the old one is signed out."""
        password = obtain(line, password_file, generate, login)
        told = line.call(f"{what}.passwd", login=login, password=password)
        shown(line, told, password if generate else "", f"the password of {told['login']} is changed")

    @group.command()
    @click.argument("login")
    @pass_line
    def suspend(line: CommandLine, login: str) -> None:
        """Let nobody sign in with this login, at once."""
        told = line.call(f"{what}.set", login=login, suspended=True)
        line.answer(told, lambda told: line.say(f"{told['login']} may not sign in"))

    @group.command()
    @click.argument("login")
    @pass_line
    def resume(line: CommandLine, login: str) -> None:
        """Let him sign in again."""
        told = line.call(f"{what}.set", login=login, suspended=False)
        line.answer(told, lambda told: line.say(f"{told['login']} may sign in"))

    @group.command()
    @click.argument("login")
    @ask_first
    @pass_line
    def remove(line: CommandLine, login: str, yes: bool) -> None:
        """Take the login away, with its tokens. Domains and accounts stay as they are."""
        line.confirm(f"Remove the {what} {login}", yes)
        told = line.call(f"{what}.remove", login=login)
        line.answer(told, lambda told: line.say(f"{told['login']} is removed"))

    @group.command()
    @click.argument("login")
    @pass_line
    def logins(line: CommandLine, login: str) -> None:
        """The last attempts to sign in with this login, and why they failed."""
        line.answer(line.call("person.logins", login=login), show_logins)

    @group.command("new-codes")
    @click.argument("login")
    @pass_line
    def new_codes(line: CommandLine, login: str) -> None:
        """Make recovery codes in place of those he has lost, or used. A domain's main login may have some, too."""
        told = line.call("factor.codes", login=login)
        line.answer(told, lambda told: click.echo("\n".join(told["recovery_codes"])))

    @group.command("forget-code")
    @click.argument("login")
    @pass_line
    def forget_code(line: CommandLine, login: str) -> None:
        """Take away the second factor of somebody who has lost it. A domain's main login may have one, too."""
        told = line.call("factor.remove", login=login)
        line.answer(told, lambda told: line.say(f"{told['login']} signs in without a code"))


commands(operator, "operator")
commands(owner, "owner")


def shown(line: CommandLine, told: dict[str, Any], password: str, words: str) -> None:
    """That something is done, and the password that was made for it: this is the only time it can be seen."""
    told |= {"password": password} if password else {}

    def show(_: object) -> None:
        line.say(words)
        if password:
            facts({"login": told["login"], "password": password})

    line.answer(told, show)


@operator.command("add")
@click.argument("login")
@password_options
@pass_line
def add_operator(line: CommandLine, login: str, password_file: str | None, generate: bool) -> None:
    """Let somebody more run this server. LOGIN has no @, and is spelled as here."""
    password = obtain(line, password_file, generate, login)
    told = line.call("operator.add", login=login, password=password)
    shown(line, told, password if generate else "", f"{told['login']} is an operator")


@operator.command("list")
@pass_line
def list_operators(line: CommandLine) -> None:
    """All operators."""
    line.answer(line.call("operator.list"), lambda rows: table(rows, OPERATORS))


@owner.command("add")
@click.argument("login")
@click.option("--domain", "domains", multiple=True, metavar="DOMAIN", help="What he manages; may be given again.")
@limit_options
@password_options
@pass_line
def add_owner(
    line: CommandLine,
    login: str,
    domains: tuple[str, ...],
    password_file: str | None,
    generate: bool,
    **given: int | str | None,
) -> None:
    """Let somebody manage domains. LOGIN has no @, and is spelled as here."""
    password = obtain(line, password_file, generate, login)
    told = line.call("owner.add", login=login, password=password, domains=list(domains), **limits(**given))
    shown(line, told, password if generate else "", f"{told['login']} is an owner")


@owner.command("list")
@pass_line
def list_owners(line: CommandLine) -> None:
    """All owners with a login of their own."""
    line.answer(line.call("owner.list"), lambda rows: table(rows, OWNERS))


@owner.command("show")
@click.argument("login")
@pass_line
def show_owner(line: CommandLine, login: str) -> None:
    """One owner."""
    line.answer(line.call("owner.show", login=login), show_one)


@owner.command("set")
@click.argument("login")
@limit_options
@pass_line
def set_owner(line: CommandLine, login: str, **given: int | str | None) -> None:
    """Change an owner's limits. What he has already stays."""
    changes = limits(**given)
    if not changes:
        raise click.UsageError("say what to change; --help lists it")
    line.answer(line.call("owner.set", login=login, **changes), show_one)


@owner.command()
@click.argument("login")
@click.argument("domain")
@pass_line
def grant(line: CommandLine, login: str, domain: str) -> None:
    """Let an owner manage a domain, too."""
    line.answer(line.call("owner.grant", login=login, domain=domain), show_one)


@owner.command()
@click.argument("login")
@click.argument("domain")
@pass_line
def revoke(line: CommandLine, login: str, domain: str) -> None:
    """Take a domain from an owner."""
    line.answer(line.call("owner.revoke", login=login, domain=domain), show_one)


def show_one(row: dict[str, Any]) -> None:
    """Print an owner."""
    facts(
        {
            "login": row["login"],
            "domains": ", ".join(row["domains"]) or "-",
            "accounts": count(row["accounts"]),
            "forwards": count(row["forwards"]),
            "lists": count(row["lists"]),
            "quota": size(row["quota"]),
            "second factor": yes(row["second_factor"]),
            "suspended": yes(row["suspended"]),
            "created": moment(row["created"]),
        }
    )
