"""Real sockets on loopback, for what only a kernel can tell."""

from __future__ import annotations

import ctypes
import socket
import struct

from tests.support.missing import lacking

SO_ATTACH_FILTER = 26


def connected() -> tuple[socket.socket, socket.socket]:
    """Both ends of a TCP connection."""
    with socket.create_server(("127.0.0.1", 0)) as port:
        client = socket.create_connection(port.getsockname())
        return client, port.accept()[0]


def vanish(client: socket.socket) -> None:
    """From now on this end receives nothing and acknowledges nothing, as if its cable were cut."""
    nothing = ctypes.create_string_buffer(struct.pack("HBBI", 6, 0, 0, 0))
    program = struct.pack("HxxxxxxP", 1, ctypes.addressof(nothing))
    try:
        client.setsockopt(socket.SOL_SOCKET, SO_ATTACH_FILTER, program)
    except OSError as error:
        raise lacking(f"packets cannot be dropped here: {error}") from error


def fill(sender: socket.socket) -> None:
    """Send until the kernel takes no more."""
    sender.setblocking(False)
    try:
        while True:
            sender.send(bytes(65536))
    except BlockingIOError:
        pass
