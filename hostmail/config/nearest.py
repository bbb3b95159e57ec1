"""What somebody probably meant: the known name closest to one that is not known."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from itertools import islice

# One wrong letter of three still counts: `anm` is near `ann`.
CUTOFF = 0.6
# Domains share their ends: `nope.test` is not near `example.test`.
DOMAIN_CUTOFF = 0.8
# Comparing that many takes some ten milliseconds.
MOST_COMPARED, LONGEST = 5_000, 100


def nearest(word: str, known: Iterable[str], cutoff: float = CUTOFF) -> str:
    """The name in `known` that `word` was probably meant to be, in whatever case, or ""."""
    names = {name.casefold(): name for name in islice(known, MOST_COMPARED)}
    found = difflib.get_close_matches(word[:LONGEST].casefold(), names, n=1, cutoff=cutoff)
    return names[found[0]] if found else ""
