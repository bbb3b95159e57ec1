"""Where the configuration file is, when nobody says."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from hostmail.errors import ConfigurationError

VARIABLE = "HOSTMAIL_CONFIG"
STANDARD_PLACES = ("hostmail.yaml", "etc/hostmail.yaml", "/etc/hostmail.yaml")


def find_config(given: str | Path | None, environ: Mapping[str, str] = os.environ) -> Path:
    """The file named, or $HOSTMAIL_CONFIG, or the first that exists in the standard places; raises ConfigurationError."""
    named = given or environ.get(VARIABLE)
    if named:
        return Path(named)
    for place in map(Path, STANDARD_PLACES):
        if place.exists():
            return place
    raise ConfigurationError(
        f"no configuration file: name one with --config or ${VARIABLE}, or make one with `hostmail init`"
    )
