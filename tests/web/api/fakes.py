"""The API over the real verbs, with stages in memory behind them; and programs that show tokens."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase
from zope.interface import implementer

from hostmail.actor import Actor, Role
from hostmail.admin.service import Admin
from hostmail.errors import Overloaded
from hostmail.interfaces.admin import IAdmin
from hostmail.interfaces.people import ITokens
from hostmail.web.api.kept import KeptAnswers
from hostmail.web.api.making import api_routes
from hostmail.web.api.table import PREFIX
from hostmail.webparts import shapes_of
from tests.admin.fakes import World
from tests.admin.people import FakeTokens
from tests.web.facts import HOST
from tests.web.fakes import Reply, Site, replies

TOKENS = {
    "hostmail_root": Actor(Role.OPERATOR, "root (script)", "api"),
    "hostmail_one": Actor(Role.OWNER, "owen (script)", "api", domains=frozenset({"one.test"})),
    "hostmail_two": Actor(Role.OWNER, "twain (script)", "api", domains=frozenset({"two.test"})),
    "hostmail_ann": Actor(Role.USER, "ann@one.test (script)", "api", address="ann@one.test"),
    "hostmail_eve": Actor(Role.USER, "eve@two.test (script)", "api", address="eve@two.test"),
    "hostmail_looks": Actor(Role.OPERATOR, "root (graphs)", "api", read_only=True),
}
ROOT, ONE, TWO, ANN, EVE, LOOKS = TOKENS
PER_MINUTE = 1_000
IP = "192.0.2.7"


@implementer(ITokens)
class KnownTokens(FakeTokens):
    """Everybody's token."""

    async def actor(self, token: str, ip: str) -> Actor | None:
        return TOKENS.get(token)


class Guesses:
    """What slows guessing; `blocked` are addresses that have done too much of it."""

    def __init__(self) -> None:
        self.told: list[tuple[str, bool]] = []
        self.blocked: set[str] = set()
        self.delay = 0.0

    def admit(self, ip: str, account_id: int | None) -> None:
        if ip in self.blocked:
            raise Overloaded(wait=899.5)

    def failed(self, ip: str, login: str, account_id: int | None, *, guessing: bool = True) -> float:
        self.told.append((ip, guessing))
        return self.delay


@implementer(IAdmin)
class TypedAdmin:
    """The verbs, held to what they say that they tell."""

    def __init__(self, admin: Admin) -> None:
        self._admin = admin
        self._shapes = shapes_of(admin.verbs)

    async def call(self, verb: str, arguments: Mapping[str, Any], actor: Actor) -> Any:
        """The same; raises ValidationError for an answer that is not as the document says, or has more in it."""
        told = msgspec.to_builtins(await self._admin.call(verb, arguments, actor))
        assert msgspec.convert(told, self._shapes[verb].answer, strict=True) == told, verb
        return told


class ApiTestCase(SynchronousTestCase):
    """A site with the API, over a domain one.test with two accounts."""

    per_minute = PER_MINUTE
    keeps: type[KeptAnswers] = KeptAnswers

    def setUp(self) -> None:
        self.folder = Path(self.mktemp())
        self.folder.mkdir()
        self.world = World()
        self.world.populate()
        self.world.call("domain.add", name="two.test")
        self.guesses = Guesses()
        self.begin()

    def begin(self) -> None:
        """A process begins."""
        self.clock = Clock()
        self.clock.advance(1_000_000)
        self.kept = self.keeps(path=self.folder / "api.sqlite", now=self.clock.seconds)
        self.addCleanup(self.kept.close)
        self.tokens = KnownTokens()
        routes = api_routes(
            admin=TypedAdmin(self.world.admin),
            shapes=shapes_of(self.world.admin.verbs),
            tokens=self.tokens,
            guesses=self.guesses,
            kept=self.kept,
            reactor=self.clock,
            per_minute=self.per_minute,
            version="9.9",
        )
        self.site = Site(self.folder, more=routes)

    def send(self, method: str, path: str, token: str = ROOT, body: Any = None, **headers: str) -> Any:
        """A request, and what shows its answer once it is there."""
        protocol, transport = self.site.connect("127.0.0.1")
        octets = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        given = {"host": HOST, "connection": "close", "x-forwarded-for": IP, "x-forwarded-proto": "https"}
        if token:
            given["authorization"] = f"Bearer {token}"
        if octets:
            given |= {"content-type": "application/json", "content-length": str(len(octets))}
        given |= {name.replace("_", "-"): value for name, value in headers.items()}
        lines = [f"{method} {PREFIX}{path} HTTP/1.1", *(f"{name}: {value}" for name, value in given.items())]
        protocol.dataReceived("\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + octets)
        return lambda: replies(transport.value(), method)

    def ask(self, method: str, path: str, token: str = ROOT, body: Any = None, **headers: str) -> Reply:
        """A request and its answer."""
        answer = self.send(method, path, token, body, **headers)
        self.clock.advance(0)
        [reply] = answer()
        return reply

    def told(self, method: str, path: str, token: str = ROOT, body: Any = None, **headers: str) -> Any:
        """What a request that succeeds is told."""
        reply = self.ask(method, path, token, body, **headers)
        self.assertIn(reply.status, (200, 201), reply.text)
        return json.loads(reply.body)

    def problem(self, reply: Reply, status: int) -> dict[str, Any]:
        """What is in an answer that is a problem with this status."""
        self.assertEqual(
            (reply.status, reply.headers["content-type"]), (status, "application/problem+json"), reply.text
        )
        told = json.loads(reply.body)
        self.assertEqual(told["status"], status)
        return told
