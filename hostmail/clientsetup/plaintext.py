"""Set-up as plain text, for terminals, paper and letters."""

from __future__ import annotations

from collections.abc import Iterator
from textwrap import fill

from hostmail.address import Address
from hostmail.clientsetup.guides import Facts, Guide, Step, essentials, guides, notes
from hostmail.clientsetup.setup import Setup

WIDTH = 76


def whole(setup: Setup, address: Address) -> str:
    """Everything for one address."""
    parts = (
        headed(f"Setting up a mail program for {address}", "="),
        settings_text(setup, address),
        notes_text(setup, address),
        guides_text(setup, address),
    )
    return "\n\n".join(parts) + "\n"


def settings_text(setup: Setup, address: Address) -> str:
    """The table of what to enter."""
    return "\n".join(_table(essentials(setup, address)))


def notes_text(setup: Setup, address: Address) -> str:
    """What people stumble over."""
    return "\n\n".join(_filled(words) for words in notes(setup, address))


def guides_text(setup: Setup, address: Address) -> str:
    """The steps for all programs."""
    return "\n\n".join(_guide(guide) for guide in guides(setup, address))


def headed(title: str, line: str) -> str:
    """A title with a line below it."""
    return f"{title}\n{line * len(title)}"


def _guide(guide: Guide) -> str:
    return "\n\n".join([headed(guide.title, "-"), *(_step(*each) for each in enumerate(guide.steps, 1))])


def _step(number: int, step: Step) -> str:
    text = _filled(step.text, f"{number}. ", "   ")
    return "\n".join([text, "", *_table(step.facts, "     ")]) if step.facts else text


def _table(facts: Facts, indent: str = "  ") -> Iterator[str]:
    """Names and values in two columns. Values are never broken: they are to be copied."""
    width = max(len(name) for name, _ in facts)
    for name, value in facts:
        yield f"{indent}{name:<{width}}  {value}"


def _filled(words: str, first: str = "", later: str = "") -> str:
    return fill(
        words, WIDTH, initial_indent=first, subsequent_indent=later, break_long_words=False, break_on_hyphens=False
    )
