"""A way into the net for a program (SOCKS 5, RFC 1928): the names of a test lead to ports on loopback, all others nowhere."""

from __future__ import annotations

import contextlib
import select
import socket
import socketserver
import threading
from typing import Any

SECONDS = 30.0
GREETING, NO_LOGIN = b"\x05\x01\x00", b"\x05\x00"
CONNECT, TO_NAME = 1, 3
OPEN, REFUSED = b"\x05\x00\x00\x01" + bytes(6), b"\x05\x05\x00\x01" + bytes(6)


class Socks:
    """`leads` says which port here a host and port are; whatever is not in it refuses. `asked` is everything so far."""

    def __init__(self) -> None:
        self.leads: dict[tuple[str, int], int] = {}
        self.asked: list[tuple[str, int]] = []
        self.port = 0

    def open(self) -> None:
        """Be asked."""
        socks = self

        class Connection(socketserver.StreamRequestHandler):
            timeout = SECONDS
            rbufsize = 0

            def handle(self) -> None:
                with contextlib.suppress(OSError):
                    there = socks.lead(self)
                    if there is not None:
                        with there:
                            pump(self.connection, there)

        self._server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Connection)
        self._server.daemon_threads = True
        self.port = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def close(self) -> None:
        """Be gone."""
        self._server.shutdown()
        self._server.server_close()

    def lead(self, peer: Any) -> socket.socket | None:
        """Read where a peer wants to go, and connect it."""
        if peer.rfile.read(3) != GREETING:
            return None
        peer.wfile.write(NO_LOGIN)
        _, command, _, kind, size = peer.rfile.read(5)
        if (command, kind) != (CONNECT, TO_NAME):
            return None
        wanted = peer.rfile.read(size).decode(), int.from_bytes(peer.rfile.read(2))
        self.asked.append(wanted)
        port = self.leads.get(wanted)
        if port is None:
            peer.wfile.write(REFUSED)
            return None
        there = socket.create_connection(("127.0.0.1", port), SECONDS)
        peer.wfile.write(OPEN)
        return there


def pump(here: socket.socket, there: socket.socket) -> None:
    """Carry octets both ways until one side has no more."""
    other = {here: there, there: here}
    while True:
        for each in select.select(list(other), [], [], None)[0]:
            octets = each.recv(65536)
            if not octets:
                return
            other[each].sendall(octets)
