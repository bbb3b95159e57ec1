"""Tables: described once, shown as HTML, CSV and JSON."""

from __future__ import annotations

import csv
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from io import StringIO
from typing import Any

import msgspec

PER_PAGE = 100
NO_LIMIT = "none"
_FORMULA = ("=", "+", "-", "@", "\t", "\r")

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Button:
    """What can be done with a row: a form with this `action`, whose field `name` is the column's value; none where that is None."""

    action: str
    words: str
    name: str


@dataclass(frozen=True, slots=True)
class Column:
    """One column: the key of the rows' value, and `kind`, the macro of cells.html that shows it (text, mono, size, use, count, moment...).

    `link` makes it lead somewhere, `value` computes what no key has. With `number` it is aligned like numbers; with
    `only_data` it stands in CSV and JSON alone, with a `button` in neither.
    """

    key: str
    title: str
    kind: str = "text"
    link: Callable[[Row], str] | None = None
    value: Callable[[Row], Any] | None = None
    number: bool = False
    only_data: bool = False
    button: Button | None = None

    def of(self, row: Row) -> Any:
        """The value in a row."""
        return self.value(row) if self.value is not None else row.get(self.key)


@dataclass(frozen=True, slots=True)
class Table:
    """Rows under columns. `empty` is said where there are none; `name` is that of the saved file.

    `page` is the one shown, from 1, of `per_page` rows each; `search` leaves only rows in which a text appears.
    """

    name: str
    columns: Sequence[Column]
    rows: Sequence[Row]
    empty: str = "There is nothing here yet."
    page: int = 1
    per_page: int = PER_PAGE
    search: str = ""

    def asked(self, search: str, page: int) -> Table:
        """As somebody wants to see it."""
        wanted = search.strip().casefold()[:100]
        rows = [row for row in self.rows if wanted in self._words(row)] if wanted else self.rows
        last = max(1, -(-len(rows) // self.per_page))
        return replace(self, rows=rows, search=search.strip()[:100], page=min(max(page, 1), last))

    @property
    def pages(self) -> int:
        """How many there are."""
        return max(1, -(-len(self.rows) // self.per_page))

    @property
    def shown(self) -> Sequence[Row]:
        """The rows of this page."""
        first = (self.page - 1) * self.per_page
        return self.rows[first : first + self.per_page]

    @property
    def shown_columns(self) -> Sequence[Column]:
        """Those that people see."""
        return [column for column in self.columns if not column.only_data]

    @property
    def data_columns(self) -> Sequence[Column]:
        """Those that programs get."""
        return [column for column in self.columns if column.button is None]

    def csv(self) -> bytes:
        """For spreadsheets, with plain values: octets, and times as ISO 8601 in UTC."""
        text = StringIO()
        writer = csv.writer(text, lineterminator="\r\n")
        writer.writerow([column.key for column in self.data_columns])
        writer.writerows([_csv_cell(column, row) for column in self.data_columns] for row in self.rows)
        return text.getvalue().encode()

    def json(self) -> bytes:
        """For programs."""
        return msgspec.json.encode([{one.key: one.of(row) for one in self.data_columns} for row in self.rows])

    def _words(self, row: Row) -> str:
        return "\n".join(str(value) for column in self.data_columns if (value := column.of(row))).casefold()


def _csv_cell(column: Column, row: Row) -> str:
    """What spreadsheets cannot take for a formula: some of this was written by strangers. A size that is None is no limit."""
    value = column.of(row)
    if value is None:
        return NO_LIMIT if column.kind == "size" else ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float):
        is_moment = column.kind in ("moment", "check") and value
        return datetime.fromtimestamp(value, UTC).strftime("%Y-%m-%dT%H:%M:%SZ") if is_moment else str(value)
    text = ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
    return f"'{text}" if text.startswith(_FORMULA) else text
