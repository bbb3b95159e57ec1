"""Templates: everything is escaped, nothing is ever marked safe, and a name that is missing is an error and no empty place."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, ClassVar

from jinja2 import BytecodeCache, Environment, PackageLoader, StrictUndefined
from jinja2.bccache import Bucket

from hostmail.config.units import format_duration, format_size, human_size


def size(octets: int | None) -> str:
    """Octets for people."""
    if octets is None:
        return "no limit"
    words = human_size(octets)
    return f"{words[:-1]}\u00a0{words[-1].removesuffix('B')}B"


def percent(used: int, quota: int | None) -> int:
    """How full, 0 where there is no limit; more than 100 only if that is so."""
    if quota is None:
        return 0
    return round(100 * used / quota) if quota else 100


def moment(when: float | None) -> str:
    """A point in time, in the server's own."""
    return "never" if not when else datetime.fromtimestamp(when, UTC).astimezone().strftime("%Y-%m-%d %H:%M")


def iso(when: float) -> str:
    """The same for machines."""
    return datetime.fromtimestamp(when, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def span(seconds: float | None) -> str:
    """A duration."""
    return "-" if seconds is None else format_duration(round(seconds))


def thousands(number: int) -> str:
    """12 345: a thin space, which reads the same everywhere."""
    return f"{number:,}".replace(",", "\u202f")


def pieces(text: str) -> list[str]:
    """Where a line may end inside words: before "@"; within what is longer than LONG after a dot or hyphen, or anywhere at last."""
    found = [""]
    for part in re.split(r"(?=@)|(?<=[ ._-])", text):
        for first in range(0, len(part), LONG):
            piece = part[first : first + LONG]
            word = found[-1].rpartition(" ")[2]
            if word and (piece.startswith("@") or len(word) + len(piece) > LONG):
                found.append(piece)
            else:
                found[-1] += piece
    return [piece for piece in found if piece]


def of(many: str, count: int) -> str:
    """The word for so many of them: one of "addresses" is an "address"."""
    if count != 1 or not many.endswith("s"):
        return many
    return many.removesuffix("es" if many.endswith("sses") else "s")


def upper_first(text: str) -> str:
    """A sentence begins with a capital letter; the rest of it stays."""
    return text[:1].upper() + text[1:]


LONG = 20
FILTERS: dict[str, Callable[..., Any]] = {
    "size": size,
    "size_typed": format_size,
    "percent": percent,
    "moment": moment,
    "iso": iso,
    "span": span,
    "thousands": thousands,
    "pieces": pieces,
    "of": of,
    "upper_first": upper_first,
}


class Compiled(BytecodeCache):
    """Templates as they come out of the compiler, which takes a while, for all environments of the process."""

    _known: ClassVar[dict[str, bytes]] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        """Called by Jinja: what is known of a template."""
        if (known := self._known.get(bucket.key)) is not None:
            bucket.bytecode_from_string(known)

    def dump_bytecode(self, bucket: Bucket) -> None:
        """Called by Jinja: a template has been compiled."""
        self._known[bucket.key] = bucket.bytecode_to_string()


def compile_templates() -> None:
    """Compile all of them, for a thread at the start: else the first page that somebody looks at would hold up everybody's mail."""
    environment = make_templates()
    for name in environment.list_templates():
        environment.get_template(name)


def make_templates(**everywhere: Any) -> Environment:
    """The templates of the panel; `everywhere` are names that all of them know."""
    environment = Environment(
        loader=PackageLoader("hostmail.web.panel"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
        bytecode_cache=Compiled(),
    )
    environment.filters.update(FILTERS)
    environment.globals.update(everywhere)
    return environment
