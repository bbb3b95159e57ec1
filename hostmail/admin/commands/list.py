"""hostmail list ..."""

from __future__ import annotations

from collections import Counter
from typing import Any

import click

from hostmail.admin.cli import PARTLY, REFUSED, CommandLine, Stop, facts, pass_line, table
from hostmail.admin.values import Size, given, moment, size, yes

BATCH = 50
TELL = click.option(
    "--tell-held/--no-tell-held", default=None, help="Whether authors hear that their post waits; default: they do."
)
POST = click.Choice(["members", "anyone", "owners"])
COLUMNS = (
    ("LIST", lambda row: row["address"]),
    ("POSTS OF", lambda row: row["post"]),
    ("MEMBERS", lambda row: str(row["members"])),
    ("DROPPED", lambda row: str(row["dropped"])),
    ("HELD", lambda row: str(row["held"])),
    ("OWNERS", lambda row: ", ".join(row["owners"])),
    ("DESCRIPTION", lambda row: row["description"] or "-"),
)
POSTS = (
    ("QUEUE ID", lambda row: row["queue_id"]),
    ("SENDER", lambda row: row["sender"] or "-"),
    ("AUTHOR", lambda row: row["author"] or "-"),
    ("SUBJECT", lambda row: row["subject"] or "-"),
    ("SIZE", lambda row: size(row["size"])),
    ("SINCE", lambda row: moment(row["since"])),
    ("GIVEN UP", lambda row: moment(row["until"])),
    ("WHY", lambda row: row["why_held"]),
)
MEMBERS = (
    ("MEMBER", lambda row: row["address"]),
    ("SINCE", lambda row: moment(row["joined"])),
    ("GETS MAIL", lambda row: yes(row["active"])),
    ("BOUNCED ON", lambda row: f"{row['bounces']} days" if row["bounces"] else "-"),
)


@click.group("list")
def list_() -> None:
    """Mailing lists: one address, many members, who subscribe and leave by mail."""


@list_.command()
@click.argument("address", metavar="LIST")
@click.option("--owner", "owners", multiple=True, help="Who decides about held posts; may be given again.")
@click.option("--post", type=POST, help="Whose posts go out without asking the owners; default: members.")
@click.option("--description", help="A line about the list.")
@click.option("--size", "size_bytes", type=Size(), help="How large a post may be; default: 1M.")
@TELL
@pass_line
def add(line: CommandLine, address: str, owners: tuple[str, ...], **options: Any) -> None:
    """Make a mailing list; without --owner the domain's default mailbox owns it."""
    line.answer(line.call("list.add", address=address, owners=list(owners), **given(**options)), show_one)


@list_.command("list")
@click.argument("name", metavar="[DOMAIN]", required=False)
@pass_line
def all_(line: CommandLine, name: str | None) -> None:
    """All mailing lists, or those of a domain."""
    line.answer(line.call("list.list", **given(name=name)), lambda rows: table(rows, COLUMNS))


@list_.command()
@click.argument("address", metavar="LIST")
@pass_line
def show(line: CommandLine, address: str) -> None:
    """One mailing list."""
    line.answer(line.call("list.show", address=address), show_one)


@list_.command("set")
@click.argument("address", metavar="LIST")
@click.option("--owner", "owners", multiple=True, help="Instead of the owners there are; may be given again.")
@click.option("--post", type=POST, help="Whose posts go out without asking the owners.")
@click.option("--description", help="A line about the list.")
@click.option("--size", "size_bytes", type=Size(), help="How large a post may be.")
@TELL
@pass_line
def set_(line: CommandLine, address: str, owners: tuple[str, ...], **options: Any) -> None:
    """Change a mailing list, beginning with the next message."""
    changes = given(owners=list(owners) or None, **options)
    line.answer(line.call("list.set", address=address, **changes), show_one)


@list_.command()
@click.argument("address", metavar="LIST")
@pass_line
def remove(line: CommandLine, address: str) -> None:
    """Give a mailing list up, with its members."""
    told = line.call("list.remove", address=address)
    line.answer(told, lambda row: line.say(f"{row['address']} is no mailing list any more"))


@list_.command()
@click.argument("address", metavar="LIST")
@pass_line
def posts(line: CommandLine, address: str) -> None:
    """The posts that wait for the owners of LIST, and why."""
    line.answer(line.call("list.posts", address=address), lambda rows: table(rows, POSTS))


@list_.command()
@click.argument("address", metavar="LIST")
@click.argument("queue_id", metavar="QUEUE-ID")
@pass_line
def approve(line: CommandLine, address: str, queue_id: str) -> None:
    """Let a post that waits for the owners of LIST go to its members."""
    told = line.call("list.approve", address=address, queue_id=queue_id)
    line.answer(told, lambda row: line.say(f"{row['queue_id']} goes to the members of {row['address']}"))


@list_.command()
@click.argument("address", metavar="LIST")
@click.argument("queue_id", metavar="QUEUE-ID")
@pass_line
def reject(line: CommandLine, address: str, queue_id: str) -> None:
    """Return a post that waits for the owners of LIST to the member who sent it; a stranger's is deleted."""
    told = line.call("list.reject", address=address, queue_id=queue_id)
    line.answer(told, lambda row: line.say(f"{row['queue_id']} {rejected(row)}"))


@list_.group()
def member() -> None:
    """Who is on a mailing list."""


@member.command("add")
@click.argument("address", metavar="LIST")
@click.argument("members", metavar="ADDRESS...", nargs=-1, required=True)
@pass_line
def add_member(line: CommandLine, address: str, members: tuple[str, ...]) -> None:
    """Put each ADDRESS on LIST, without asking anybody; who was dropped gets mail again."""
    told = [line.call("list.member.add", address=address, member=one) for one in members]
    line.answer(told, lambda rows: line.say("\n".join(f"{row['member']}: {row['outcome']}" for row in rows)))


@member.command("remove")
@click.argument("address", metavar="LIST")
@click.argument("members", metavar="ADDRESS...", nargs=-1, required=True)
@pass_line
def remove_member(line: CommandLine, address: str, members: tuple[str, ...]) -> None:
    """Take each ADDRESS off LIST."""
    told = [line.call("list.member.remove", address=address, member=one) for one in members]
    line.answer(told, lambda rows: line.say("\n".join(f"{row['member']}: removed" for row in rows)))


@member.command("list")
@click.argument("address", metavar="LIST")
@pass_line
def list_members(line: CommandLine, address: str) -> None:
    """Who is on LIST, who was dropped, and on how many days mail came back."""
    line.answer(line.call("list.member.list", address=address), lambda rows: table(rows, MEMBERS))


@member.command("import")
@click.argument("address", metavar="LIST")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, allow_dash=True), default="-")
@click.option("--dry-run", is_flag=True, help="Only say what would happen.")
@pass_line
def import_(line: CommandLine, address: str, file: str, dry_run: bool) -> None:
    """Put the addresses in FILE, one a line, on LIST; - or nothing is stdin. Empty lines and those that begin with # are passed over.

    Importing the same file again changes nothing.
    """
    rows = read(file)
    counts: Counter[str] = Counter()
    problems = []
    for start in range(0, len(rows), BATCH):
        for row in line.call("list.member.import", address=address, rows=rows[start : start + BATCH], dry_run=dry_run):
            if row["outcome"] == "problem":
                problems.append({name: row[name] for name in ("line", "member", "problem")})
            else:
                counts[row["outcome"]] += 1
    for problem in problems:
        line.say(f"{file}:{problem['line']}: {problem['problem']}")
    told = {name: counts[name] for name in ("added", "unchanged")}
    words = ", ".join(f"{count} {name}" for name, count in (*told.items(), ("problems", len(problems))))
    answer = told | {"dry_run": dry_run, "problems": problems}
    line.answer(answer, lambda _: click.echo(f"would be: {words}" if dry_run else words))
    if problems:
        raise click.exceptions.Exit(PARTLY if counts.total() else REFUSED)


def read(file: str) -> list[dict[str, Any]]:
    """The lines that have an address, with their numbers; raises Stop for a file that is no text."""
    try:
        with click.open_file(file, "rb") as content:
            lines = content.read().decode("utf-8-sig").splitlines()
    except UnicodeDecodeError:
        raise Stop(f"{file} is not UTF-8 text") from None
    stripped = [(number, text.strip()) for number, text in enumerate(lines, 1)]
    return [{"line": number, "member": text} for number, text in stripped if text and not text.startswith("#")]


def rejected(row: dict[str, Any]) -> str:
    """What became of a post that was rejected."""
    return f"goes back to {row['returned_to']}" if row["returned_to"] else "is deleted"


def show_one(row: dict[str, Any]) -> None:
    """Print a list."""
    facts(
        {
            "list": row["address"],
            "description": row["description"] or "-",
            "owners": ", ".join(row["owners"]),
            "posts of": row["post"],
            "size": size(row["size_bytes"]),
            "tells authors of held posts": yes(row["tell_held"]),
            "held posts": str(row["held"]),
            "members": f"{row['members']}, and {row['dropped']} dropped" if row["dropped"] else str(row["members"]),
        }
    )
