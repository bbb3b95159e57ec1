"""hostmail trace: where is my mail?"""

from __future__ import annotations

import click

from hostmail.admin.cli import CommandLine, clean, pass_line
from hostmail.admin.values import Duration, given, moment
from hostmail.stories import Facts, sentence, stories, title

MOST_NOT_TAKEN = 10


@click.command()
@click.argument("text", metavar="ADDRESS|MESSAGE-ID|QUEUE-ID")
@click.option("--since", "seconds", type=Duration(), help="Only what happened so long ago or later, like 2h or 3d.")
@click.option(
    "--limit", "most", type=click.IntRange(1, 10_000), default=1000, show_default=True, help="At most so many facts."
)
@pass_line
def trace(line: CommandLine, text: str, seconds: int | None, most: int) -> None:
    """Tell what became of mail: taken, refused, delivered, waiting, sent on, given up.

    Exit code 1 if nothing is known.
    """
    found = line.call("trace", text=text, most=most, **given(seconds=seconds))
    line.answer(found, show)
    if not found:
        line.say(f"nothing is known of {text}; how long mail is remembered is the setting history")
        raise click.exceptions.Exit(1)


def show(facts: Facts) -> None:
    """Print the stories, each message's together, in the order they began."""
    for number, story in enumerate(stories(facts)):
        if number:
            click.echo()
        click.echo(clean(title(story)))
        for fact in story[:MOST_NOT_TAKEN] if not story[0]["queue_id"] else story:
            click.echo(clean(f"  {moment(fact['at'])}  {sentence(fact)}"))
        if not story[0]["queue_id"] and len(story) > MOST_NOT_TAKEN:
            click.echo(f"  ... {len(story) - MOST_NOT_TAKEN:,} more like these")
