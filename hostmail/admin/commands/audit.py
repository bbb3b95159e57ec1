"""hostmail audit"""

from __future__ import annotations

import click

from hostmail.admin.cli import CommandLine, pass_line, table
from hostmail.admin.values import Duration, given, moment
from hostmail.auditlines import details, way, who

COLUMNS = (
    ("WHEN", lambda row: moment(row["at"])),
    ("WHO", who),
    ("BY", way),
    ("WHAT", lambda row: row["verb"]),
    ("ABOUT", lambda row: row["subject"]),
    ("DETAILS", details),
)


@click.command()
@click.option("--since", "seconds", type=Duration(), help="Only the last 2h, 7d...")
@click.option("--by", metavar="LOGIN", help="Only what somebody did; for the command it is the system user's name.")
@click.option("--about", metavar="TEXT", help="Only what is about an address, a domain, a login that holds TEXT.")
@click.option("--limit", "most", type=int, default=100, show_default=True, help="At most so many.")
@click.option("--before", type=int, metavar="NUMBER", help="Only what has a smaller number, as --json tells them.")
@pass_line
def audit(
    line: CommandLine, seconds: int | None, by: str | None, about: str | None, most: int, before: int | None
) -> None:
    """Who changed what, the newest first: by this command, in the panel, or through the API.

    What was refused is there, too. Passwords are not.
    """
    found = line.call("audit.list", most=most, **given(seconds=seconds, by=by, about=about, before=before))
    line.answer(found, lambda rows: table(rows, COLUMNS))
