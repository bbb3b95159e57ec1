"""What a configuration that reads well may still get wrong on this machine: files that are not there."""

from __future__ import annotations

import os
from pathlib import Path

from hostmail.config.schema import Settings


def warnings(settings: Settings) -> list[str]:
    """A line for each thing to look at; nothing is changed."""
    found = []
    files = {
        "tls.certificate": settings.tls.certificate,
        "tls.private_key": settings.tls.private_key,
        "smarthost_password_file": settings.smarthost_password_file,
    }
    for key, path in files.items():
        if path is not None and not _readable(path):
            found.append(f"{key}: {path} cannot be read")
    folder = settings.tls.directory
    if folder is not None and not folder.is_dir():
        found.append(f"tls.directory: {folder} is no directory")
    if settings.data_dir.exists() and not settings.data_dir.is_dir():
        found.append(f"data_dir: {settings.data_dir} is no directory")
    if not settings.listen:
        found.append("listen: no service has a port, nobody can connect")
    return found


def _readable(path: Path) -> bool:
    return path.is_file() and os.access(path, os.R_OK)
