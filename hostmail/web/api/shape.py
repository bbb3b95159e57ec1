"""What the API has to know of a verb: what it takes and tells, for the document and for reading texts as what they are meant to be."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, get_origin

import msgspec

from hostmail.actor import Role


@dataclass(frozen=True, slots=True)
class Shape:
    """A verb's arguments, the type of its answer, who may ask for it, what it does in a sentence. One that `looks` changes nothing.

    `only` are the arguments that a role may give, where these are not all.
    """

    arguments: type[msgspec.Struct]
    answer: Any
    looks: bool
    who: frozenset[Role]
    words: str = ""
    only: Mapping[Role, frozenset[str]] = field(default_factory=dict)

    @property
    def is_list(self) -> bool:
        """Whether it answers with rows."""
        return get_origin(self.answer) is list

    @property
    def fields(self) -> dict[str, msgspec.structs.FieldInfo]:
        """Its arguments by name."""
        return {each.encode_name: each for each in msgspec.structs.fields(self.arguments)}
