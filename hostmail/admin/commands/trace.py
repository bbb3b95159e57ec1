"""hostmail trace: where is my mail?"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import click

from hostmail.admin.cli import CommandLine, clean, pass_line
from hostmail.admin.values import Duration, given, moment

MOST_NOT_TAKEN = 10
Facts = Sequence[Mapping[str, Any]]
Tell = Callable[[Mapping[str, Any]], str]

_REPORTED = {
    "failed": "could not be delivered",
    "delayed": "is delayed",
    "delivered": "was delivered",
    "relayed": "was passed on",
}

_SENTENCES: Mapping[str, Tell] = {
    "refused": lambda f: f"refused{_for(f)}: {f['words']}",
    "broken off": lambda f: f"never came to its end{_for(f)}: {f['words']}",
    "accepted": lambda f: f"accepted {f['words']}",
    "led to": lambda f: f"{f['recipient']} leads to {f['words']}",
    "delivered": lambda f: f"delivered into the mailbox of {f['recipient']}{_because(f)}",
    "discarded": lambda f: f"thrown away{_for(f)}{_because(f)}",
    "not forwarded": lambda f: f"not sent on{_to(f)}{_because(f)}",
    "queued": lambda f: f"waits in the queue{_for(f)}{_because(f)}",
    "sent": lambda f: f"taken by the next server{_for(f)}: {f['words']}",
    "postponed": lambda f: f"not taken yet{_for(f)}, will be tried again: {f['words']}",
    "held": lambda f: f"held{_for(f)}{_because(f)}",
    "failed": lambda f: f"given up{_for(f)}: {f['words']}",
    "deleted": lambda f: f"deleted from the queue{_for(f)}{_because(f)}",
    "returned": lambda f: f"ordered back to its sender{_for(f)}{_because(f)}",
    "reported": lambda f: f"told {f['sender']} that mail{_for(f)} {_REPORTED.get(f['words'], f['words'])}",
    "unreported": lambda f: f"nobody was told that mail{_for(f)} could not be delivered{_because(f)}",
    "answered": lambda f: f"answered automatically{_for(f)}{_because(f)}",
    "not answered": lambda f: f"no automatic answer{_for(f)}{_because(f)}",
    "list": lambda f: f"mailing list {f['recipient']}: {f['words']}",
}


def _sentence(fact: Mapping[str, Any]) -> str:
    return f"... {fact['more']:,} more like the following" if fact["more"] else _SENTENCES[fact["what"]](fact)


def _for(fact: Mapping[str, Any]) -> str:
    return f" for {fact['recipient']}" if fact["recipient"] else ""


def _to(fact: Mapping[str, Any]) -> str:
    return f" to {fact['recipient']}" if fact["recipient"] else ""


def _because(fact: Mapping[str, Any]) -> str:
    return f": {fact['words']}" if fact["words"] else ""


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
            click.echo(clean(f"  {moment(fact['at'])}  {_sentence(fact)}"))
        if not story[0]["queue_id"] and len(story) > MOST_NOT_TAKEN:
            click.echo(f"  ... {len(story) - MOST_NOT_TAKEN:,} more like these")


def stories(facts: Facts) -> Iterable[list[Mapping[str, Any]]]:
    """Facts of one message together, its arrival first; and recipients of one sender that were refused alike, one after the other."""
    together: dict[Any, list[Mapping[str, Any]]] = {}
    alike, number = None, 0
    for fact in facts:
        before, alike = alike, None if fact["queue_id"] else (fact["sender"], fact["message_id"], fact["words"])
        number += alike != before
        together.setdefault(fact["queue_id"] or number, []).append(fact)
    return [sorted(story, key=lambda fact: fact["what"] != "accepted") for story in together.values()]


def title(story: Facts) -> str:
    """Which message it is; its sender is not known where its beginning is forgotten."""
    known = {name: next((f[name] for f in story if f[name]), "") for name in ("queue_id", "sender", "message_id")}
    is_null = any(f["what"] in ("accepted", "refused", "broken off") for f in story)
    parts = [known["queue_id"] or "not taken"]
    if known["sender"] or is_null:
        parts.append(f"from {known['sender'] or '<>'}")
    if known["message_id"]:
        parts.append(f"Message-ID <{known['message_id']}>")
    return "  ".join(parts)
