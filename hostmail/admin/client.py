"""The command's side of the control socket: one request, one answer, with the standard library only."""

from __future__ import annotations

import http.client
import json
import os
import socket
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from hostmail.errors import Refusal

TIMEOUT_SECONDS = 600.0


class NotRunning(Exception):
    """No service answers at this socket."""


class Unreachable(Exception):
    """There is a service, but this user cannot talk to it, or it broke off; the text says what to do."""


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
        connection = _Connection(self._path)
        try:
            connection.connect()
        except (FileNotFoundError, ConnectionRefusedError, NotADirectoryError):
            raise NotRunning(str(self._path)) from None
        except OSError as error:
            raise Unreachable(
                f"{self._path}: {error.strerror or error}; run this as the service's user or as root"
            ) from None
        try:
            connection.request("POST", f"/v1/{verb}", json.dumps(arguments), {"Content-Type": "application/json"})
            response = connection.getresponse()
            status, answer = response.status, json.loads(response.read())
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise Unreachable(f"the service broke off: {error}") from None
        finally:
            connection.close()
        if status != 200:
            raise Refused(answer["error"], answer["code"], answer.get("suggestion", ""))
        return answer
