"""What a configuration that reads well may still get wrong on this machine: files that are not there."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from hostmail.clientsetup.welcome import read_template
from hostmail.config.loader import line_of
from hostmail.config.schema import Settings
from hostmail.errors import BadValue


@dataclass(frozen=True, slots=True)
class Finding:
    """Something to look at. `fatal`: the service would not start so."""

    key: str
    words: str
    fatal: bool = True


def findings(settings: Settings) -> list[Finding]:
    """Everything that can be seen without changing anything, as the user who asks."""
    found = []
    files = {
        "tls.certificate": settings.tls.certificate,
        "tls.private_key": settings.tls.private_key,
        "smarthost_password_file": settings.smarthost_password_file,
    }
    for key, path in files.items():
        if path is not None and (problem := _unreadable(path)):
            found.append(Finding(key, f"{path} cannot be read: {problem}"))
    template = settings.welcome_template
    if template is not None and (problem := _unreadable(template) or _no_letter(template)):
        found.append(Finding("welcome_template", f"{template}: {problem}", fatal=False))
    folder = settings.tls.directory
    if folder is not None and not folder.is_dir():
        found.append(Finding("tls.directory", f"{folder} is no directory", fatal=False))
    if settings.data_dir.exists() and not settings.data_dir.is_dir():
        found.append(Finding("data_dir", f"{settings.data_dir} is no directory"))
    if not settings.listen:
        found.append(Finding("listen", "no service has a port, nobody can connect", fatal=False))
    return found


def told(file: str | Path, found: Iterable[Finding]) -> list[str]:
    """The findings as lines for people, with the line of the key where the file has it."""
    lines = []
    for finding in found:
        number = line_of(file, finding.key)
        lines.append(f"{file}{f':{number}' if number else ''}: {finding.key}: {finding.words}")
    return lines


def _no_letter(path: Path) -> str:
    try:
        read_template(path.read_bytes()[: 1 << 20].decode("utf-8-sig"))
    except UnicodeDecodeError:
        return "it is not UTF-8 text"
    except BadValue as refusal:
        return refusal.public
    return ""


def _unreadable(path: Path) -> str:
    try:
        with path.open("rb"):
            return ""
    except OSError as error:
        return error.strerror or str(error)
