"""What people typed into a form, or stands in an address: bounded, and read as what it is meant to be."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from io import BytesIO
from typing import IO
from urllib.parse import parse_qsl

from werkzeug.exceptions import RequestEntityTooLarge
from werkzeug.formparser import MultiPartParser
from werkzeug.http import parse_options_header

from hostmail.config.units import parse_duration, parse_size
from hostmail.errors import BadValue
from hostmail.web.limits import BODY_OCTETS, FIELDS

NO_LIMIT_WORDS = frozenset({"none", "unlimited", "-"})


class BadField(BadValue):
    """A field of a form whose value cannot be taken: shown beside that field."""

    def __init__(self, field: str, words: str) -> None:
        super().__init__(words)
        self.argument = field


class TooManyFields(BadValue):
    """More than any of our forms has."""

    code, words = 413, "too many fields"


@dataclass(frozen=True, slots=True)
class Upload:
    """A file somebody sent."""

    name: str
    content: bytes


class Fields:
    """Texts by name. A name may come several times (boxes that are ticked); `text` is the last of them."""

    __slots__ = ("_all", "uploads")

    def __init__(self, pairs: list[tuple[str, str]] | None = None, uploads: Mapping[str, Upload] | None = None) -> None:
        self._all: dict[str, list[str]] = {}
        for name, value in pairs or []:
            self._all.setdefault(name, []).append(value.replace("\r\n", "\n"))
        self.uploads = uploads or {}

    @classmethod
    def read(cls, octets: bytes) -> Fields:
        """application/x-www-form-urlencoded; raises TooManyFields."""
        text = octets.decode("utf-8", "replace")
        try:
            return cls(parse_qsl(text, keep_blank_values=True, max_num_fields=FIELDS))
        except ValueError:
            raise TooManyFields from None

    @classmethod
    def read_body(cls, kind: str, stream: IO[bytes]) -> Fields:
        """The body of a POST with this Content-Type; raises BadValue for what is no form, TooManyFields."""
        main, options = parse_options_header(kind)
        if main == "multipart/form-data":
            return cls._multipart(options.get("boundary", ""), stream)
        if main == "application/x-www-form-urlencoded":
            return cls.read(stream.read())
        raise BadValue("that is no form")

    @classmethod
    def _multipart(cls, boundary: str, stream: IO[bytes]) -> Fields:
        parser = MultiPartParser(stream_factory=_in_memory, max_form_memory_size=BODY_OCTETS, max_form_parts=FIELDS)
        try:
            texts, files = parser.parse(stream, boundary.encode("ascii"), None)
        except RequestEntityTooLarge:
            raise TooManyFields from None
        except (ValueError, LookupError):
            raise BadValue("that form came damaged") from None
        uploads = {name: Upload(file.filename or "", file.stream.read()) for name, file in files.items()}
        return cls(list(texts.items(multi=True)), uploads)

    @property
    def names(self) -> frozenset[str]:
        """What is said at all."""
        return frozenset(self._all)

    def raw(self, name: str, default: str = "") -> str:
        """As it was typed: for passwords."""
        return self._all.get(name, [default])[-1]

    def text(self, name: str, default: str = "") -> str:
        """Without the spaces around it."""
        return self.raw(name, default).strip()

    def all(self, name: str) -> list[str]:
        """Every value with this name."""
        return [value.strip() for value in self._all.get(name, [])]

    def lines(self, name: str) -> list[str]:
        """A text field with one value in each line."""
        return [line.strip() for line in self.raw(name).splitlines() if line.strip()]

    def ticked(self, name: str) -> bool:
        """A box that is ticked is sent, one that is not is not."""
        return name in self._all

    def needed(self, name: str, words: str = "this cannot be empty") -> str:
        """A text that must be there; raises BadField."""
        found = self.text(name)
        if not found:
            raise BadField(name, words)
        return found

    def confirm(self, what: str) -> None:
        """Somebody has to have typed the address or domain `what`, in any case, before it is gone; raises BadField."""
        if self.text("confirm").lower() != what.lower():
            raise BadField("confirm", f"Type {what} to confirm")

    def size(self, name: str) -> int | None:
        """Octets as people write them (20M), None for no limit: an empty field, or `none`; raises BadField."""
        text = self.text(name)
        if not text or text.lower() in NO_LIMIT_WORDS:
            return None
        try:
            return parse_size(text)
        except ValueError as error:
            raise BadField(name, f"{error}; leave it empty for no limit") from None

    def number(self, name: str) -> int | None:
        """A whole number, None for an empty field; raises BadField."""
        text = self.text(name)
        if not text:
            return None
        if not (text.isascii() and text.isdigit() and len(text) < 19):
            raise BadField(name, "this must be a whole number")
        return int(text)

    def day(self, name: str, last: bool = False) -> float | None:
        """Unix time at which a day begins here, or with `last` is over; None for an empty field; raises BadField."""
        text = self.text(name)
        if not text:
            return None
        try:
            day = date.fromisoformat(text) + timedelta(days=last)
            return datetime(day.year, day.month, day.day).astimezone().timestamp()
        except (ValueError, OverflowError):
            raise BadField(name, "Write the day like 2026-12-20") from None

    def duration(self, name: str) -> int | None:
        """Seconds as people write them (7d), None for an empty field; raises BadField."""
        text = self.text(name)
        try:
            return parse_duration(text) if text else None
        except ValueError as error:
            raise BadField(name, str(error)) from None


def _in_memory(*_: object, **__: object) -> IO[bytes]:
    return BytesIO()


NO_FIELDS = Fields()
