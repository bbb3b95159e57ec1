"""A refusal says which argument it is about, so that a form can show it beside that field."""

from __future__ import annotations

from typing import Any

from hostmail.actor import Actor, Role
from hostmail.errors import BadValue, Refusal, concerning
from tests.admin.test_addresses import ANN, BEA, AddressesCase

OWNER = Actor(Role.OWNER, "olga", "panel", domains=frozenset({"example.com"}))
LIST = "team@example.com"
STRONG = "Correct-Horse-7"
AWAY = {"text": "Away.", "subject": "Away"}

REFUSED: tuple[tuple[str, str, dict[str, Any]], ...] = (
    ("address", "account.add", {"address": ANN, "password": STRONG}),
    ("password", "account.add", {"address": "new@example.com", "password": "short"}),
    ("quota", "account.set", {"address": ANN, "quota": 0}),
    ("password", "account.passwd", {"address": ANN, "password": "short"}),
    ("targets", "address.set", {"address": "x@example.com", "targets": ["x@example.com"]}),
    ("targets", "address.set", {"address": "x@example.com", "targets": ["nobody@example.com"]}),
    ("targets", "address.set", {"address": "x@example.com", "targets": ["no address"]}),
    ("address", "address.set", {"address": LIST, "targets": [BEA]}),
    ("catch_all", "catchall.set", {"name": "example.com", "catch_all": "nobody@example.com"}),
    ("address", "list.add", {"address": ANN}),
    ("address", "list.add", {"address": "team-owner@example.com"}),
    ("owners", "list.add", {"address": "other@example.com", "owners": [LIST]}),
    ("owners", "list.set", {"address": LIST, "owners": ["nobody at all"]}),
    ("description", "list.set", {"address": LIST, "description": "<b>"}),
    ("size_bytes", "list.set", {"address": LIST, "size_bytes": 1}),
    ("member", "list.member.remove", {"address": LIST, "member": "nobody@example.com"}),
    ("subject", "autoreply.set", {"address": ANN, **AWAY, "subject": "a\nb"}),
    ("until", "autoreply.set", {"address": ANN, **AWAY, "starts": 20.0, "until": 10.0}),
)
REFUSED_TO_OWNERS = (("quota", "account.add", {"address": "new@example.com", "password": STRONG, "quota": 3 << 30}),)
REFUSED_TO_OPERATORS: tuple[tuple[str, str, dict[str, Any]], ...] = (
    ("address", "account.add", {"address": "a b@example.com", "password": STRONG}),
    ("default_mailbox", "domain.set", {"name": "example.com", "default_mailbox": "ann@elsewhere.test"}),
    ("name", "domain.add", {"name": "example.com"}),
    ("name", "domain.add", {"name": "no domain"}),
    ("main_login", "domain.set", {"name": "example.com", "main_login": "a@b"}),
    ("main_login", "domain.set", {"name": "other.test", "main_login": "boss"}),
    ("ip", "relay.allow", {"ip": "nowhere"}),
    ("seconds", "relay.allow", {"ip": "192.0.2.1", "seconds": 0}),
    ("ip", "throttle.forgive", {"ip": "192.0.2.1"}),
)


class ArgumentTests(AddressesCase):
    def setUp(self) -> None:
        super().setUp()
        self.call("domain.set", name="example.com", quota=1 << 30, main_login="boss")
        self.call("domain.add", name="other.test")
        self.call("list.add", address=LIST, owners=[ANN])

    def about(self, actor: Actor | None, verb: str, arguments: dict[str, Any]) -> str:
        """The argument that a refusal of this names."""
        call = (lambda: self.world.call_as(actor, verb, **arguments)) if actor else lambda: self.call(verb, **arguments)
        return self.assertRaises(Refusal, call).argument

    def test_to_owners(self) -> None:
        """What an owner's forms can get wrong."""
        for argument, verb, arguments in (*REFUSED, *REFUSED_TO_OWNERS):
            self.assertEqual(self.about(OWNER, verb, arguments), argument, f"{verb} {arguments}")

    def test_to_operators(self) -> None:
        """What an operator's forms can get wrong, too."""
        for argument, verb, arguments in (*REFUSED, *REFUSED_TO_OPERATORS):
            self.assertEqual(self.about(None, verb, arguments), argument, f"{verb} {arguments}")

    def test_the_first_knows_best(self) -> None:
        """What is refused deep inside has the name that was given there."""
        with self.assertRaises(BadValue) as raised, concerning("outer"), concerning("inner"):
            raise BadValue("no")
        self.assertEqual(raised.exception.argument, "inner")
