"""The control socket: verbs as POST requests, refusals as JSON, and who may open it."""

from __future__ import annotations

import json
import os
import pwd
import shutil
import socket
import stat
import tempfile
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from twisted.application.service import IService
from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.internet.threads import deferToThread
from twisted.trial.unittest import SynchronousTestCase, TestCase
from zope.interface import implementer
from zope.interface.verify import verifyObject

from hostmail.actor import Actor, Role
from hostmail.admin import client as client_module
from hostmail.admin.client import CONTINUE, ControlClient, NotRunning, Refused, Unreachable
from hostmail.admin.control import ControlService, http_status, system_user
from hostmail.admin.control_path import socket_path
from hostmail.errors import (
    AlreadyExists,
    BadValue,
    ConfigurationError,
    NotAllowed,
    NotFound,
    OverQuota,
    Refusal,
    TemporaryFailure,
)
from hostmail.interfaces.admin import IAdmin


@implementer(IAdmin)
class Verbs:
    """Answers by the verb's name."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, dict[str, Any]]] = []
        self.actors: list[Actor] = []
        self.waiting: Deferred[None] = Deferred()

    async def call(self, verb: str, arguments: Mapping[str, Any], actor: Actor) -> Any:
        self.asked.append((verb, dict(arguments)))
        self.actors.append(actor)
        if verb == "refuse":
            raise NotFound("no such thing", "this thing")
        if verb == "break":
            raise RuntimeError("/secret/path")
        if verb == "wait":
            await self.waiting
        return {"told": "Grüße"}


class StatusTests(SynchronousTestCase):
    def test_http(self) -> None:
        """Our own codes are HTTP's; everything else is for good or for now."""
        cases: list[tuple[Refusal, int]] = [
            (NotAllowed(), 403),
            (NotFound("x"), 404),
            (AlreadyExists(), 409),
            (BadValue(), 422),
            (OverQuota(), 422),
            (TemporaryFailure(), 503),
        ]
        for refusal, status in cases:
            self.assertEqual(http_status(refusal), status)


class ControlTests(TestCase):
    def setUp(self) -> None:
        self.data = Path(tempfile.mkdtemp())
        self.addCleanup(shutil.rmtree, self.data)
        self.verbs = Verbs()
        self.service = ControlService(reactor, self.verbs, self.data)
        self.service.startService()
        self.addCleanup(self.service.stopService)
        self.client = ControlClient(socket_path(self.data))

    def raw(self, *pieces: bytes) -> bytes:
        """What the socket answers to these octets."""
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(10)
            connection.connect(str(socket_path(self.data)))
            for piece in pieces:
                connection.sendall(piece)
            answer = b""
            while chunk := connection.recv(65536):
                answer += chunk
        return answer

    async def test_call(self) -> None:
        """A verb with its arguments comes back with its answer."""
        verifyObject(IService, self.service)
        answer = await deferToThread(self.client.call, "account.list", {"domain": "Ä"})
        self.assertEqual(answer, {"told": "Grüße"})
        self.assertEqual(self.verbs.asked, [("account.list", {"domain": "Ä"})])

    async def test_who_asks(self) -> None:
        """Whoever may open the socket is an operator, known by the name that the system knows him by."""
        await deferToThread(self.client.call, "account.list", {})
        name = pwd.getpwuid(os.geteuid()).pw_name
        self.assertEqual(self.verbs.actors, [Actor(Role.OPERATOR, name, "command")])
        self.assertEqual(system_user(4_000_000_000), "uid 4000000000")

    async def test_permissions(self) -> None:
        """Only the service's user may open the socket, or even look into its folder."""
        path = socket_path(self.data)
        self.assertEqual(stat.S_IMODE(path.stat().st_mode), 0o600)
        self.assertEqual(stat.S_IMODE(path.parent.stat().st_mode), 0o700)

    async def test_refusal(self) -> None:
        """A refusal arrives with its words, code and suggestion."""
        refused = await self.assertFailure(deferToThread(self.client.call, "refuse", {}), Refused)
        self.assertEqual(refused.public, "no such thing (did you mean this thing?)")
        self.assertEqual((refused.code, refused.suggestion), (404, "this thing"))

    async def test_fault(self) -> None:
        """A fault of ours is logged and says nothing of our insides."""
        refused = await self.assertFailure(deferToThread(self.client.call, "break", {}), Refused)
        self.assertEqual((refused.public, refused.code), ("local error, please try again later", 451))
        self.assertEqual(len(self.flushLoggedErrors(RuntimeError)), 1)

    async def test_not_a_verb(self) -> None:
        """Only POST below /v1/ is answered, and only JSON objects are read."""
        for request, words in (
            (b"GET /v1/status HTTP/1.0\r\n\r\n", b"ask with POST"),
            (b"POST /other HTTP/1.0\r\n\r\n", b"ask with POST"),
            (b"POST /v1/x HTTP/1.0\r\nContent-Length: 2\r\n\r\n[]", b"no JSON object"),
            (b"POST /v1/x HTTP/1.0\r\nContent-Length: 1\r\n\r\n{", b"no JSON object"),
        ):
            self.assertIn(words, await deferToThread(self.raw, request))
        self.assertEqual(self.verbs.asked, [])

    async def test_empty_body(self) -> None:
        """A verb without arguments needs no body."""
        answer = await deferToThread(self.raw, b"POST /v1/status HTTP/1.0\r\n\r\n")
        self.assertEqual(json.loads(answer.partition(b"\r\n\r\n")[2]), {"told": "Grüße"})

    async def test_large(self) -> None:
        """More than 1 MiB is refused, announced or in chunks, and never kept."""
        announced = b"POST /v1/x HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 1048577\r\n\r\n"
        self.assertIn(b"larger than 1M", await deferToThread(self.raw, announced, b"x" * 1048577))
        chunk = b"10000\r\n" + b"x" * 65536 + b"\r\n"
        chunked = b"POST /v1/x HTTP/1.1\r\nHost: x\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n"
        self.assertIn(b"larger than 1M", await deferToThread(self.raw, chunked, chunk * 17, b"0\r\n\r\n"))
        self.assertEqual(self.verbs.asked, [])

    async def test_hangs_up(self) -> None:
        """A command that goes away in the middle harms nobody."""

        def ask_and_go() -> None:
            with socket.socket(socket.AF_UNIX) as connection:
                connection.connect(str(socket_path(self.data)))
                connection.sendall(b"POST /v1/wait HTTP/1.0\r\n\r\n")

        await deferToThread(ask_and_go)
        await deferToThread(self.client.call, "status", {})
        self.verbs.waiting.callback(None)
        self.assertEqual([verb for verb, _ in self.verbs.asked], ["wait", "status"])

    async def test_many_at_once(self) -> None:
        """Hundreds of commands that come while the service is busy are all answered."""
        answers: list[Any] = []

        def ask() -> None:
            answers.append(self.client.call("status", {}))

        threads = [threading.Thread(target=ask) for _ in range(200)]
        for thread in threads:
            thread.start()
        # All of them wait in the socket's queue by now, or come while the first are answered.
        await deferToThread(lambda: [thread.join() for thread in threads])
        self.assertEqual(answers, [{"told": "Grüße"}] * 200)

    async def test_second_service(self) -> None:
        """A second service on the same data does not start; a dead one's socket is replaced."""
        second = ControlService(reactor, self.verbs, self.data)
        with self.assertRaisesRegex(ConfigurationError, "another hostmail is running"):
            second.startService()
        await self.service.stopService()
        with socket.socket(socket.AF_UNIX) as dead:
            dead.bind(str(socket_path(self.data)))
        second.startService()
        self.assertEqual(await deferToThread(self.client.call, "status", {}), {"told": "Grüße"})
        await second.stopService()

    async def test_not_running(self) -> None:
        """No socket, or a dead one, is a service that does not run."""
        await self.service.stopService()
        await self.service.stopService()
        await self.assertFailure(deferToThread(self.client.call, "status", {}), NotRunning)
        with socket.socket(socket.AF_UNIX) as dead:
            dead.bind(str(socket_path(self.data)))
        await self.assertFailure(deferToThread(self.client.call, "status", {}), NotRunning)


class UnreachableTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.data = Path(tempfile.mkdtemp())
        self.addCleanup(shutil.rmtree, self.data)

    def test_long_path(self) -> None:
        """A data directory too deep for a UNIX socket is a configuration error, and nothing to be called."""
        deep = self.data / ("d" * 100)
        with self.assertRaisesRegex(ConfigurationError, "longer than the 107 octets"):
            ControlService(reactor, Verbs(), deep).startService()
        with self.assertRaisesRegex(Unreachable, "path too long"):
            ControlClient(socket_path(deep)).call("status", {})

    def test_breaks_off(self) -> None:
        """A service that dies in the middle is told apart from one that never was."""
        path = self.data / "sock"
        with socket.socket(socket.AF_UNIX) as listening:
            listening.bind(str(path))
            listening.listen()
            client = ControlClient(path)

            def answer() -> None:
                connection, _ = listening.accept()
                connection.recv(65536)
                connection.sendall(CONTINUE)
                connection.recv(65536)
                connection.close()

            answering = threading.Thread(target=answer)
            answering.start()
            with self.assertRaisesRegex(Unreachable, "may have done it or not"):
                client.call("status", {})
            answering.join()

    def listen(self, backlog: int = 8) -> socket.socket:
        listening = socket.socket(socket.AF_UNIX)
        self.addCleanup(listening.close)
        listening.bind(str(self.data / "sock"))
        listening.listen(backlog)
        return listening

    def serve(self, listening: socket.socket, hang_up: int, heard: list[bytes]) -> threading.Thread:
        """Hang up on so many before a word is read, as a service that stops does; answer one more."""

        def work() -> None:
            for _ in range(hang_up):
                connection, _ = listening.accept()
                connection.close()
            connection, _ = listening.accept()
            with connection:
                connection.recv(65536)
                connection.sendall(CONTINUE)
                heard.append(connection.recv(65536))
                connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")

        thread = threading.Thread(target=work)
        thread.start()
        self.addCleanup(thread.join)
        return thread

    def test_hung_up_on(self) -> None:
        """A connection that is reset before anybody has taken it up is made again, and the verb is told once."""
        self.patch(client_module, "PAUSES", (0.0, 0.0, 0.0))
        heard: list[bytes] = []
        self.serve(self.listen(), 3, heard)
        self.assertEqual(ControlClient(self.data / "sock").call("domain.add", {"name": "x"}), {})
        self.assertEqual(heard, [b'{"name": "x"}'])

    def test_hung_up_on_for_good(self) -> None:
        """Where that goes on, the command says so."""
        self.patch(client_module, "PAUSES", (0.0, 0.0, 0.0))
        heard: list[bytes] = []
        listening = self.listen()
        self.serve(listening, 4, heard)
        with self.assertRaisesRegex(Unreachable, "hangs up"):
            ControlClient(self.data / "sock").call("status", {})
        self.assertEqual(ControlClient(self.data / "sock").call("status", {}), {})

    def test_no_place(self) -> None:
        """Where so many ask that no more fit into the queue of the socket, the command waits for a place; not for ever."""
        listening, heard = self.listen(0), list[bytes]()
        waits: list[float] = []

        def sleep(seconds: float) -> None:
            if not waits:
                self.serve(listening, 1, heard)
            waits.append(seconds)
            time.sleep(0.001)

        self.patch(client_module, "time", SimpleNamespace(monotonic=time.monotonic, sleep=sleep))
        with socket.socket(socket.AF_UNIX) as other:
            other.connect(str(self.data / "sock"))
            self.patch(client_module, "BUSY_SECONDS", 0.0)
            with self.assertRaisesRegex(Unreachable, "too busy"):
                ControlClient(self.data / "sock").call("status", {})
            self.patch(client_module, "BUSY_SECONDS", 60.0)
            self.assertEqual(ControlClient(self.data / "sock").call("status", {}), {})
        self.assertEqual((len(heard), set(waits)), (1, {client_module.LOOK_SECONDS}))
