"""Files with many accounts, as the command and the panel take them: CSV in UTF-8, whose first line names the columns."""

from __future__ import annotations

import csv
import re
from typing import Any

COLUMNS = ("address", "password", "quota")
TOLD = ("used", "messages", "last_check", "checked_by", "state")
"""What the panel's table of accounts has besides when it is saved as CSV: that can be sent as it is, and these are not read."""
_LINE = re.compile(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+")


class BadAccountFile(ValueError):
    """What makes a file no such list, and in which line."""

    def __init__(self, line: int, words: str) -> None:
        super().__init__(words)
        self.line = line


def read_accounts(octets: bytes) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """The rows as `account.import` takes them, and those with a problem that is seen already; raises BadAccountFile."""
    rows: list[dict[str, Any]] = []
    problems: list[dict[str, Any]] = []
    seen: dict[str, int] = {}
    reader = csv.DictReader(_LINE.findall(_text(octets)))
    try:
        _check_columns(list(reader.fieldnames or []))
        for row in reader:
            _take({name: row.get(name) or "" for name in COLUMNS}, reader.line_num, None in row, rows, problems, seen)
    except csv.Error as error:
        raise BadAccountFile(reader.line_num + 1, f"cannot be read as CSV: {error}") from None
    return rows, problems


def _text(octets: bytes) -> str:
    try:
        return octets.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = octets.count(b"\n", 0, error.start) + 1
        raise BadAccountFile(line, "is not UTF-8 text; save the file as UTF-8 first") from None


def _check_columns(names: list[str]) -> None:
    unknown = [name for name in names if name not in (*COLUMNS, *TOLD)]
    if "address" not in names or unknown:
        what = f"has an unknown column {unknown[0]!r}" if unknown else "lacks address"
        raise BadAccountFile(1, f"{what}; the first line must name the columns: {','.join(COLUMNS)}")


def _take(
    row: dict[str, str],
    number: int,
    too_long: bool,
    rows: list[dict[str, Any]],
    problems: list[dict[str, Any]],
    seen: dict[str, int],
) -> None:
    """Sort one row into what is asked for and what is wrong already."""
    address = row["address"].strip()
    first = seen.setdefault(address.casefold(), number)
    problem = ""
    if too_long:
        problem = "the line has more fields than columns; is a comma in a password not in quotes?"
    elif first != number:
        problem = f"is in line {first} already"
    told: dict[str, Any] = {"line": number, "address": address}
    if problem:
        problems.append(told | {"outcome": "problem", "problem": problem})
    else:
        rows.append(told | {"password": row["password"], "quota": row["quota"]})
