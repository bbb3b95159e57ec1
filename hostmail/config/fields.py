"""How the schema says what a key is: a dataclass field whose metadata holds its kind, its sentence and its default by profile."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from hostmail.config.kinds import Kind


@dataclass(frozen=True, slots=True)
class Key:
    """One key. Exactly one of `kind`, `section`, `services` says how its value is read; `many` makes `kind` a list.

    A key with `by_profile` takes its default from the profile, and accepts null for just that. `optional` accepts null.
    """

    sentence: str
    kind: Kind | None = None
    section: type | None = None
    services: type | None = None
    many: bool = False
    optional: bool = False
    required: bool = False
    by_profile: Mapping[str, Any] | None = None


def key(
    kind: Kind, sentence: str, default: Any = dataclasses.MISSING, *, many: bool = False, nullable: bool = False
) -> Any:
    """A scalar (or with many=True a list); without a default the key is required."""
    required = default is dataclasses.MISSING
    optional = default is None or nullable
    facts = Key(sentence, kind, many=many, optional=optional, required=required)
    return dataclasses.field(default=default, metadata={"key": facts})


def profiled(kind: Kind, sentence: str, **by_profile: Any) -> Any:
    """A scalar whose default is the profile's; a `Settings` made by hand gets the classic one."""
    facts = Key(sentence, kind, optional=True, by_profile=by_profile)
    return dataclasses.field(default=by_profile["classic"], metadata={"key": facts})


def section(kind: type, sentence: str) -> Any:
    """A mapping of further keys, read into the dataclass `kind`."""
    return dataclasses.field(default_factory=kind, metadata={"key": Key(sentence, section=kind)})


def services(kind: type, sentence: str, default: Any) -> Any:
    """The `listen` mapping: service name to listeners."""
    return dataclasses.field(default_factory=default, metadata={"key": Key(sentence, services=kind)})


def keys_of(kind: type) -> dict[str, Key]:
    """The keys of a schema class, in the order they are written."""
    return {field.name: field.metadata["key"] for field in dataclasses.fields(kind)}
