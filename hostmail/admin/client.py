"""The command's side of the control socket: one request, one answer, with the standard library only.

A verb is told only to a service that has taken the connection up (RFC 9110, 10.1.1: Expect). What the kernel has queued for a service that
stops, or has no room for, ends with a reset; nothing was done then, and the command may simply ask again.
"""

from __future__ import annotations

import http.client
import json
import os
import socket
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from hostmail.errors import Refusal

TIMEOUT_SECONDS = 600.0
BUSY_SECONDS, LOOK_SECONDS = 60.0, 0.05
PAUSES = (0.05, 0.2, 1.0)
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"


class NotRunning(Exception):
    """No service answers at this socket."""


class Unreachable(Exception):
    """There is a service, but this user cannot talk to it, or it broke off; the text says what to do."""


class _NotTaken(Exception):
    """The connection ended before the service took it up: it has done nothing."""


class Refused(Refusal):
    """What the service said no with."""

    def __init__(self, words: str, code: int, suggestion: str = "") -> None:
        super().__init__(words, code=code)
        self.suggestion = suggestion


class _Connection(http.client.HTTPConnection):
    def __init__(self, path: Path) -> None:
        super().__init__("localhost", timeout=TIMEOUT_SECONDS)
        self._path = path

    def connect(self) -> None:
        """Open the UNIX socket instead of a port."""
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        try:
            self.sock.connect(os.fspath(self._path))
        except OSError:
            self.sock.close()
            raise


class ControlClient:
    """Carries verbs to the running service."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def call(self, verb: str, arguments: Mapping[str, Any]) -> Any:
        """The verb's answer; raises Refused, NotRunning, Unreachable."""
        for pause in PAUSES:
            try:
                return self._try(verb, arguments)
            except _NotTaken:
                time.sleep(pause)
        try:
            return self._try(verb, arguments)
        except _NotTaken as error:
            raise Unreachable(f"the service hangs up: {error}") from None

    def _try(self, verb: str, arguments: Mapping[str, Any]) -> Any:
        connection = self._connected()
        try:
            _begin(connection, verb, body := json.dumps(arguments).encode())
            connection.send(body)
            response = connection.getresponse()
            status, answer = response.status, json.loads(response.read())
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise Unreachable(f"the service broke off, and may have done it or not: {error}") from None
        finally:
            connection.close()
        if status != 200:
            raise Refused(answer["error"], answer["code"], answer.get("suggestion", ""))
        return answer

    def _connected(self) -> _Connection:
        """A connection, as soon as there is a place for one more that waits to be taken up."""
        deadline = time.monotonic() + BUSY_SECONDS
        while True:
            connection = _Connection(self._path)
            try:
                connection.connect()
            except (FileNotFoundError, ConnectionRefusedError, NotADirectoryError):
                raise NotRunning(str(self._path)) from None
            except BlockingIOError:
                if time.monotonic() >= deadline:
                    raise Unreachable("the service is too busy to answer: please try again") from None
                time.sleep(LOOK_SECONDS)
            except OSError as error:
                raise Unreachable(
                    f"{self._path}: {error.strerror or error}; run this as the service's user or as root"
                ) from None
            else:
                return connection


def _begin(connection: _Connection, verb: str, body: bytes) -> None:
    """Say what will be asked, and wait until that is wanted; raises _NotTaken. A refusal at once is left to be read."""
    try:
        connection.putrequest("POST", f"/v1/{verb}", skip_accept_encoding=True)
        for name, value in (
            ("Content-Type", "application/json"),
            ("Content-Length", str(len(body))),
            ("Expect", "100-continue"),
        ):
            connection.putheader(name, value)
        connection.endheaders()
        first = connection.sock.recv(len(CONTINUE), socket.MSG_PEEK)
        if first == CONTINUE:
            connection.sock.recv(len(CONTINUE))
    except OSError as error:
        raise _NotTaken(error.strerror or str(error)) from None
    if not first:
        raise _NotTaken("no answer")
