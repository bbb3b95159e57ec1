"""The next mail server on the way, as journeys need it: takes mail on a real socket, and answers as it is told."""

from __future__ import annotations

import contextlib
import socket
import socketserver
import threading
import time
from dataclasses import dataclass, field


@dataclass
class Taken:
    """One message that got its 250."""

    sender: str
    recipients: list[str]
    octets: bytes


@dataclass
class Sink:
    """Listens at `port` while open. `answers` by recipient replace 250 at RCPT; the final dot is answered after `slow` seconds."""

    port: int
    answers: dict[str, str] = field(default_factory=dict)
    taken: list[Taken] = field(default_factory=list)
    slow: float = 0.0
    _server: socketserver.ThreadingTCPServer | None = None
    _open: set[socket.socket] = field(default_factory=set)

    def open(self) -> None:
        """Be reachable."""
        sink = self

        class Handler(socketserver.StreamRequestHandler):
            def handle(self) -> None:
                sink._open.add(self.connection)
                _Talk(self, sink).run()
                sink._open.discard(self.connection)

        class Server(socketserver.ThreadingTCPServer):
            allow_reuse_address = True
            daemon_threads = True
            block_on_close = False

        self._server = Server(("127.0.0.1", self.port), Handler)
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


class _Talk:
    """One connection of a client that pipelines."""

    def __init__(self, handler: socketserver.StreamRequestHandler, sink: Sink) -> None:
        self._in, self._out, self._sink = handler.rfile, handler.wfile, sink
        handler.connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def run(self) -> None:
        try:
            self._say("220 sink.far.test")
            while line := self._in.readline():
                if not self._command(line.decode().rstrip("\r\n")):
                    return
        except OSError:
            return

    def _say(self, text: str) -> None:
        self._out.write(text.encode() + b"\r\n")

    def _command(self, line: str) -> bool:
        verb = line.split(" ")[0].split(":")[0].upper()
        if verb == "EHLO":
            self._say("250-sink.far.test\r\n250-PIPELINING\r\n250-SIZE 20000000\r\n250 8BITMIME")
        elif verb == "MAIL":
            self._sender, self._to = line.split("<")[1].split(">")[0], list[str]()
            self._say("250 2.1.0 ok")
        elif verb == "RCPT":
            self._recipient(line.split("<")[1].split(">")[0])
        elif verb == "DATA":
            self._data()
        else:
            self._say("221 2.0.0 bye" if verb == "QUIT" else "250 2.0.0 ok")
        return verb != "QUIT"

    def _recipient(self, address: str) -> None:
        answer = self._sink.answers.get(address, "250 2.1.5 ok")
        if answer.startswith("250"):
            self._to.append(address)
        self._say(answer)

    def _data(self) -> None:
        if not self._to:
            self._say("554 5.5.1 no valid recipients")
            return
        self._say("354 go")
        lines = []
        while (line := self._in.readline()) != b".\r\n":
            if not line:
                raise OSError("hung up")
            lines.append(line.removeprefix(b"."))
        time.sleep(self._sink.slow)
        self._sink.taken.append(Taken(self._sender, self._to, b"".join(lines)))
        self._say("250 2.0.0 taken")
