"""A client that says exactly the octets it is told to, for journeys no well-behaved client would make."""

from __future__ import annotations

import re
import socket
import ssl
from pathlib import Path
from typing import Any

SECONDS = 20.0


def resident(pid: int) -> int:
    """The octets of memory a process holds now."""
    found = re.search(r"VmRSS:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())
    assert found is not None
    return int(found[1]) * 1024


class Raw:
    """One connection. Answers are read line by line; a closed connection reads as b""."""

    def __init__(self, port: int, source: str = "127.0.0.1", greeted: bool = True, buffer: int = 0) -> None:
        self.socket: Any = socket.socket()
        if buffer:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
        self.socket.settimeout(SECONDS)
        self.socket.bind((source, 0))
        self.socket.connect(("127.0.0.1", port))
        self._heard = b""
        if greeted:
            self.greeting = self.line()

    def __enter__(self) -> Raw:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Hang up."""
        self.socket.close()

    def says(self, *octets: bytes) -> None:
        """Send, one segment for each argument as far as the network lets us."""
        for piece in octets:
            self.socket.sendall(piece)

    def line(self) -> bytes:
        """The next line."""
        while b"\n" not in self._heard:
            try:
                more = self.socket.recv(65536)
            except ConnectionResetError:
                more = b""
            if not more:
                return b""
            self._heard += more
        line, _, self._heard = self._heard.partition(b"\n")
        return line + b"\n"

    def reply(self) -> bytes:
        """The last line of the next SMTP reply."""
        while (line := self.line())[3:4] == b"-":
            pass
        return line

    def asks(self, octets: bytes) -> bytes:
        """Send a line, and read an SMTP reply."""
        self.says(octets + b"\r\n")
        return self.reply()

    def tagged(self, tag: bytes) -> bytes:
        """The IMAP answer with this tag; what comes before is skipped."""
        while line := self.line():
            if line.startswith(tag + b" "):
                return line
        return b""

    def starts_tls(self) -> None:
        """Shake hands, trusting anybody."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        self.socket = context.wrap_socket(self.socket)

    def silent(self, seconds: float = 0.3) -> bool:
        """True if nothing more is said for a while."""
        if self._heard:
            return False
        self.socket.settimeout(seconds)
        try:
            self._heard = self.socket.recv(65536)
            return False
        except TimeoutError:
            return True
        finally:
            self.socket.settimeout(SECONDS)
