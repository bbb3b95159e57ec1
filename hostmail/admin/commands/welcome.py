"""hostmail welcome ..."""

from __future__ import annotations

from typing import Any, BinaryIO

import click

from hostmail.admin.cli import CommandLine, clean, facts, pass_line


@click.group()
def welcome() -> None:
    """The letter that each new mailbox begins with; it says how mail programs are set up."""


@welcome.command()
@click.argument("domain")
@pass_line
def show(line: CommandLine, domain: str) -> None:
    """The letter of DOMAIN as it was written, and what may stand in braces."""
    line.answer(line.call("welcome.show", name=domain), show_one)


@welcome.command("set")
@click.argument("domain")
@click.option("--file", "file", type=click.File("rb"), required=True, help="The letter, in UTF-8; - is stdin.")
@pass_line
def set_(line: CommandLine, domain: str, file: BinaryIO) -> None:
    """Give DOMAIN a letter of its own: Subject: ..., an empty line, the text."""
    told = line.call("welcome.set", name=domain, template=read(file))
    line.answer(told, lambda row: line.say(f"new mailboxes of {row['name']} begin with this letter"))


@welcome.command()
@click.argument("domain")
@pass_line
def off(line: CommandLine, domain: str) -> None:
    """Let new mailboxes of DOMAIN begin empty."""
    told = line.call("welcome.off", name=domain)
    line.answer(told, lambda row: line.say(f"new mailboxes of {row['name']} begin empty"))


@welcome.command()
@click.argument("domain")
@pass_line
def reset(line: CommandLine, domain: str) -> None:
    """Let new mailboxes of DOMAIN begin as the server's do; a letter of its own is given up."""
    told = line.call("welcome.reset", name=domain)
    state = {True: "the server's letter", False: "nothing"}
    line.answer(told, lambda row: line.say(f"new mailboxes of {row['name']} begin with {state[row['on']]}"))


@welcome.command()
@click.argument("address")
@click.option(
    "--file", "file", type=click.File("rb"), help="A letter that is being written, instead of the domain's; - is stdin."
)
@pass_line
def preview(line: CommandLine, address: str, file: BinaryIO | None) -> None:
    """Print the letter as ADDRESS would get it."""
    more = {"template": read(file)} if file is not None else {}
    told = line.call("welcome.preview", address=address, **more)
    line.answer(told, lambda row: click.echo(clean(f"Subject: {row['subject']}\n\n{row['text']}"), nl=False))


@welcome.command()
@click.argument("address")
@pass_line
def send(line: CommandLine, address: str) -> None:
    """Put the letter into the mailbox of ADDRESS, once more or now."""
    told = line.call("welcome.send", address=address)
    line.answer(told, lambda row: line.say(f"{row['address']} has it"))


def read(file: BinaryIO) -> str:
    """A letter from a file."""
    try:
        return file.read().decode("utf-8-sig")
    except UnicodeDecodeError:
        raise click.UsageError("the letter is not UTF-8 text") from None


def show_one(row: dict[str, Any]) -> None:
    """Print a domain's letter."""
    state = "with its own letter" if row["own"] else "with the server's letter"
    facts({"domain": row["name"], "new mailboxes begin": state if row["on"] else "empty"})
    click.echo()
    click.echo(clean("\n".join(f"    {words}".rstrip() for words in row["template"].splitlines())))
    click.echo()
    facts({f"{{{one['name']}}}": one["means"] for one in row["placeholders"]})
