"""Which run of the machine's kernel this is: what was written before another one began may have been lost with the power."""

from __future__ import annotations

import secrets
from functools import lru_cache

BOOT_ID = "/proc/sys/kernel/random/boot_id"


@lru_cache
def boot_id(path: str = BOOT_ID) -> str:
    """The same for all processes until the machine starts again; where that cannot be known, another one for each process."""
    try:
        with open(path, encoding="ascii") as file:
            return file.read().strip()
    except OSError:
        return secrets.token_hex(16)
