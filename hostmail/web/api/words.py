"""What a name in the API means: a sentence, and what is known of its values beyond their type."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Word:
    """What a name means, further keywords of JSON Schema for its values, or for each item of a list, and one such value."""

    means: str
    rules: Mapping[str, Any] = field(default_factory=dict)
    such: str = ""


def address(means: str, such: str = "ann@example.com") -> Word:
    """A mail address."""
    return Word(means, {"format": "idn-email"}, such)


def count(means: str) -> Word:
    """A number of things."""
    return Word(means, {"minimum": 0})


def moment(means: str) -> Word:
    """A point in time."""
    return Word(_in("Unix time, in seconds", means), {"minimum": 0})


def octets(means: str) -> Word:
    """A size."""
    return Word(_in("octets", means), {"minimum": 0})


def _in(unit: str, means: str) -> str:
    first, semicolon, rest = means.partition(";")
    return f"{first} ({unit}){semicolon}{rest}."


def one_of(means: str, *words: str) -> Word:
    """One of these."""
    return Word(means, {"enum": list(words)})


def ip(means: str) -> Word:
    """An IP address."""
    return Word(means, {"anyOf": [{"format": "ipv4"}, {"format": "ipv6"}]}, "192.0.2.1")


def explained(schema: Mapping[str, Any], word: Word) -> dict[str, Any]:
    """A schema with what a word says of its values."""
    rules = {**word.rules, "examples": [word.such]} if word.such else word.rules
    return {**_with(schema, rules), "description": word.means}


def _with(schema: Mapping[str, Any], rules: Mapping[str, Any]) -> dict[str, Any]:
    """The rules are for plain values: those of a list, or those that may be null. Rules about items are for the list itself."""
    if "anyOf" in schema:
        return {**schema, "anyOf": [_with(each, rules) for each in schema["anyOf"]]}
    if schema.get("type") == "array":
        of_list = {name: rule for name, rule in rules.items() if name.endswith("Items")}
        of_each = {name: rule for name, rule in rules.items() if name not in of_list}
        return {**schema, **of_list, "items": _with(schema["items"], of_each)}
    return {**schema, **rules} if schema.get("type") in ("string", "integer", "number") else dict(schema)
