"""Where the service listens for the command, and the command looks for the service."""

from __future__ import annotations

from pathlib import Path


def socket_path(data_dir: Path) -> Path:
    """The control socket of the service with this data directory."""
    return data_dir / "run" / "control.sock"
