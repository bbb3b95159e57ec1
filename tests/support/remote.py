"""Somebody else's mail server on a real socket, well-behaved or not, as the test tells it."""

from __future__ import annotations

import contextlib
import socket
import socketserver
import ssl
import threading
import time
from dataclasses import dataclass, field

FEATURES = ("PIPELINING", "SIZE 20000000", "8BITMIME", "SMTPUTF8", "DSN")


@dataclass
class Taken:
    """One message that got its 250, with the commands that brought it."""

    mail: str
    recipients: list[str]
    octets: bytes
    secure: bool

    @property
    def sender(self) -> str:
        """The reverse-path, bare."""
        return _bare(self.mail)

    @property
    def to(self) -> list[str]:
        """The recipients, bare."""
        return [_bare(command) for command in self.recipients]


def _bare(command: str) -> str:
    return command.split("<")[1].split(">")[0]


@dataclass
class Remote:
    """Listens at `ip`:`port` while open.

    `answers` replace the usual ones: by verb, by `RCPT <address>`, by GREETING, or END for the final dot; "" says nothing, "hang up"
    ends the connection instead. `drops_after` ends it after so many octets of a message. `tls` is offered as STARTTLS; with
    `breaks_tls` the handshake fails. The final dot is answered after `slow` seconds.
    """

    ip: str = "127.0.0.1"
    port: int = 0
    features: tuple[str, ...] = FEATURES
    answers: dict[str, str] = field(default_factory=dict)
    tls: ssl.SSLContext | None = None
    breaks_tls: bool = False
    drops_after: int | None = None
    slow: float = 0.0
    taken: list[Taken] = field(default_factory=list)
    heard: list[str] = field(default_factory=list)
    connections: int = 0
    clients: list[str] = field(default_factory=list)
    _server: socketserver.ThreadingTCPServer | None = None
    _open: set[socket.socket] = field(default_factory=set)

    def open(self) -> None:
        """Be reachable."""
        remote = self

        class Handler(socketserver.BaseRequestHandler):
            def handle(self) -> None:
                remote._open.add(self.request)
                remote.connections += 1
                remote.clients.append(self.client_address[0])
                with contextlib.suppress(OSError):
                    _Talk(self.request, remote).run()

        class Server(socketserver.ThreadingTCPServer):
            allow_reuse_address = True
            daemon_threads = True
            block_on_close = False
            address_family = socket.AF_INET6 if ":" in self.ip else socket.AF_INET

        self._server = Server((self.ip, self.port), Handler)
        self.port = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def close(self) -> None:
        """Refuse connections, and end those there are; twice is fine."""
        server, self._server = self._server, None
        if server is not None:
            server.shutdown()
            server.server_close()
        for connection in list(self._open):
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def waits_for(self, count: int, seconds: float = 20.0) -> None:
        """Until so many messages were taken in all."""
        deadline = time.monotonic() + seconds
        while len(self.taken) < count:
            if time.monotonic() > deadline:
                raise AssertionError(f"{count} messages expected, {len(self.taken)} came")
            time.sleep(0.01)


class _HangUp(OSError):
    """The script says so."""


class _Talk:
    """One connection."""

    def __init__(self, connection: socket.socket, remote: Remote) -> None:
        self._remote = remote
        self._secure = False
        self._mail, self._to = "", list[str]()
        self._use(connection)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def _use(self, connection: socket.socket) -> None:
        self._connection = connection
        self._in = connection.makefile("rb")

    def run(self) -> None:
        try:
            self._say("GREETING", "220 remote ready")
            while line := self._in.readline():
                text = line.decode("utf-8", "surrogateescape").rstrip("\r\n")
                self._remote.heard.append(text)
                if not self._command(text):
                    return
        finally:
            with contextlib.suppress(OSError):
                self._connection.shutdown(socket.SHUT_RDWR)
            self._connection.close()

    def _say(self, occasion: str, usual: str) -> str:
        text = self._remote.answers.get(occasion, usual)
        if text == "hang up":
            raise _HangUp
        if text:
            self._connection.sendall(text.encode() + b"\r\n")
        return text

    def _command(self, line: str) -> bool:
        verb = line.split(" ")[0].split(":")[0].upper()
        if verb == "EHLO":
            features = self._remote.features + (("STARTTLS",) if self._remote.tls and not self._secure else ())
            lines = ["remote", *features]
            self._say("EHLO", "\r\n".join([*(f"250-{each}" for each in lines[:-1]), f"250 {lines[-1]}"]))
        elif verb == "STARTTLS":
            self._start_tls()
        elif verb == "MAIL":
            self._mail, self._to = line, []
            self._say("MAIL", "250 2.1.0 ok")
        elif verb == "RCPT":
            if self._say(f"RCPT {_bare(line)}", self._remote.answers.get("RCPT", "250 2.1.5 ok")).startswith("250"):
                self._to.append(line)
        elif verb == "DATA":
            self._data()
        elif verb == "QUIT":
            self._say("QUIT", "221 2.0.0 bye")
            return False
        else:
            self._say(verb, "250 2.0.0 ok")
        return True

    def _start_tls(self) -> None:
        if not self._say("STARTTLS", "220 go").startswith("220"):
            return
        if self._remote.breaks_tls:
            self._connection.sendall(b"this is no TLS\r\n")
            raise _HangUp
        assert self._remote.tls is not None
        self._use(self._remote.tls.wrap_socket(self._connection, server_side=True))
        self._secure = True

    def _data(self) -> None:
        if not self._to:
            self._say("DATA", "554 5.5.1 no valid recipients")
            return
        if not self._say("DATA", "354 go").startswith("354"):
            return
        lines, octets = [], 0
        while (line := self._in.readline()) != b".\r\n":
            octets += len(line)
            if not line or (self._remote.drops_after is not None and octets >= self._remote.drops_after):
                raise _HangUp
            lines.append(line.removeprefix(b"."))
        time.sleep(self._remote.slow)
        if self._remote.answers.get("END", "250").startswith("250"):
            self._remote.taken.append(Taken(self._mail, self._to, b"".join(lines), self._secure))
        self._say("END", "250 2.0.0 taken")
