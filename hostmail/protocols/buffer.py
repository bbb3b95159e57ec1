"""Input waiting to be understood, bounded, with lines cut at CRLF."""

from __future__ import annotations

from typing import Final


class TooLong:
    """The answer for a line over its limit; the rest of that line is being thrown away."""


TOO_LONG: Final = TooLong()


class InputBuffer:
    """Octets received and not yet used. The owner bounds it by pausing the transport."""

    __slots__ = ("_data", "_discarding", "_pos")

    def __init__(self) -> None:
        self._data = b""
        self._pos = 0
        self._discarding = False

    def __len__(self) -> int:
        return len(self._data) - self._pos

    def append(self, data: bytes) -> None:
        """More octets from the peer."""
        self._data = self._data[self._pos :] + data if self._pos < len(self._data) else data
        self._pos = 0

    def clear(self) -> None:
        """Forget everything, as before a TLS handshake (RFC 3207 4.2)."""
        self._data, self._pos, self._discarding = b"", 0, False

    def take_all(self) -> bytes:
        """Everything there is."""
        data = self._data[self._pos :] if self._pos else self._data
        self._data, self._pos = b"", 0
        return data

    def take(self, count: int) -> bytes:
        """At most `count` octets."""
        data = self._data[self._pos : self._pos + count]
        self._pos += len(data)
        return data

    def push_back(self, data: bytes) -> None:
        """Give back octets that belong to whatever comes next."""
        self._data, self._pos = data + self.take_all(), 0

    def take_line(self, limit: int) -> bytes | TooLong | None:
        """One line without its CRLF, None if none is complete, TOO_LONG once for a line of more than `limit` octets.

        The rest of a line that was too long is discarded as it arrives, so memory stays bounded and text of one line can never be run as
        another command.
        """
        while True:
            end = self._data.find(b"\r\n", self._pos)
            if self._discarding:
                if end < 0:
                    self._keep_last_cr()
                    return None
                self._pos, self._discarding = end + 2, False
                continue
            if end < 0:
                if len(self) <= limit + 1:
                    return None
                self._discarding = True
                self._keep_last_cr()
                return TOO_LONG
            line = self._data[self._pos : end]
            self._pos = end + 2
            return line if len(line) <= limit else TOO_LONG

    def _keep_last_cr(self) -> None:
        self._data, self._pos = (b"\r", 0) if self._data.endswith(b"\r") else (b"", 0)
