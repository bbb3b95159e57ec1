"""Who changed what, in plain words: the entries of `audit.list` as people read them, in the command and in the panel. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Entry = Mapping[str, Any]


def who(entry: Entry) -> str:
    """Who wanted it."""
    return f"{entry['login']} ({entry['role']})"


def way(entry: Entry) -> str:
    """By the command, in the panel, or through the API; and from where."""
    return f"{entry['way']} from {entry['ip']}" if entry["ip"] else str(entry["way"])


def details(entry: Entry) -> str:
    """What was said of it but whom it is about, and why it was refused."""
    told = {name.replace("_", " "): value for name, value in entry["arguments"].items() if value != entry["subject"]}
    words = ", ".join(f"{name} {_plainly(value)}" for name, value in told.items())
    return words if entry["outcome"] == "done" else f"{words} ({entry['outcome']})".strip()


def _plainly(value: Any) -> str:
    """An argument as people write it; of the rows of an import their text."""
    if value is None:
        return "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Mapping):
        return " ".join(each for each in value.values() if isinstance(each, str))
    return ", ".join(map(_plainly, value)) if isinstance(value, list) else str(value)
