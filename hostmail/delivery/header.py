"""The top of a message on its way in: read once, cleaned of what only we may write, and remembered for the checks."""

from __future__ import annotations

from hostmail.message.dates import format_date
from hostmail.message.headers import count_received, field_value, field_values, header_end, remove_field

MAX_HEADER = 256 * 1024


class HeaderFilter:
    """Holds back a message's octets until its header is complete, then passes on everything as it comes.

    An existing Return-Path is dropped (RFC 5321 4.4: only final delivery writes one). A header over 256 KiB is cut there for all our
    purposes and its rest passes as body (LIMITS, Messages). `received`, `delivered_to` and `header` are set from then on.
    """

    def __init__(self) -> None:
        self.done = False
        self.received = 0
        self.delivered_to: frozenset[str] = frozenset()
        self.header = b""
        self._held = bytearray()

    def feed(self, chunk: bytes) -> bytes:
        """What may be written now: nothing until the header is complete."""
        if self.done:
            return chunk
        looked_at = max(len(self._held) - 3, 0)
        self._held += chunk
        complete = self._held.startswith(b"\r\n") or self._held.find(b"\r\n\r\n", looked_at) >= 0
        return self.finish() if complete or len(self._held) >= MAX_HEADER else b""

    def finish(self) -> bytes:
        """What is still held back, for a message that ends within its header."""
        if self.done:
            return b""
        self.done = True
        data = bytes(self._held)
        self._held.clear()
        end = header_end(data)
        header = data[:end]
        self.received = count_received(header)
        self.delivered_to = frozenset(
            value.decode("utf-8", "replace").strip("<> ").casefold() for value in field_values(header, b"delivered-to")
        )
        self.header = remove_field(header, b"return-path")
        return self.header + data[end:]


def waiting_header(path: str, skip: int) -> bytes:
    """The header of a message in a file, as its sender wrote it, behind `skip` octets of ours; nothing if it cannot be read any more."""
    try:
        with open(path, "rb") as file:
            file.seek(skip)
            top = file.read(MAX_HEADER)
    except OSError:
        return b""
    return top[: header_end(top)]


def missing_fields(header: bytes, now: float, message_id: str) -> bytes:
    """Date and Message-ID for a message of our own users that lacks them (RFC 6409 8.2, 8.3)."""
    fields = b""
    if field_value(header, b"date") is None:
        fields += b"Date: " + format_date(now) + b"\r\n"
    if field_value(header, b"message-id") is None:
        fields += b"Message-ID: <" + message_id.encode("ascii", "replace") + b">\r\n"
    return fields
