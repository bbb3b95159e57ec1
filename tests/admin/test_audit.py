"""Who changed what: every change is written down before it is made, without secrets."""

from __future__ import annotations

import json
from typing import Any

from msgspec import inspect
from twisted.trial.unittest import SynchronousTestCase

from hostmail.actor import Actor, Role
from hostmail.admin.auditing import HIDDEN, MOST_OCTETS, entry_of, without_secrets
from hostmail.errors import BadValue, NotAllowed, NotFound, TemporaryFailure
from hostmail.interfaces.admin import AuditEntry
from tests.admin.facts import NOW
from tests.admin.fakes import ROOT, World

OWNER = Actor(Role.OWNER, "max", "panel", "192.0.2.1", person_id=1, domains=frozenset({"one.test"}))
# Arguments that may be told although their names sound like secrets.
HARMLESS = {"smarthost_login", "max_message_size"}


class AuditTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.world = World()
        self.world.populate()
        self.world.audit.entries.clear()
        self.call, self.call_as = self.world.call, self.world.call_as

    def last(self) -> AuditEntry:
        return self.world.audit.entries[-1]

    def test_done(self) -> None:
        """A change is told with who, from where, how, about what, and that it was done."""
        self.call_as(OWNER, "account.set", address="ann@one.test", quota=77)
        entry = self.last()
        self.assertEqual(
            (entry.at, entry.login, entry.role, entry.way, entry.ip), (NOW, "max", "owner", "panel", "192.0.2.1")
        )
        self.assertEqual((entry.verb, entry.subject, entry.outcome), ("account.set", "ann@one.test", "done"))
        self.assertEqual(json.loads(entry.arguments), {"address": "ann@one.test", "quota": 77})

    def test_refused(self) -> None:
        """So is one that was refused: for what it was, for whom, or for its arguments."""
        for actor, verb, more, why in (
            (OWNER, "domain.add", {"name": "x.test"}, NotAllowed),
            (OWNER, "account.remove", {"address": "x@two.test"}, NotFound),
            (ROOT, "account.add", {"address": "cat@one.test", "password": "short"}, BadValue),
            (ROOT, "account.remove", {"addres": "ann@one.test"}, BadValue),
        ):
            with self.assertRaises(why):
                self.call_as(actor, verb, **more)
            self.assertEqual((self.last().login, self.last().verb), (actor.login, verb))
            self.assertTrue(self.last().outcome.startswith("refused: "), self.last())

    def test_failed(self) -> None:
        """A fault of ours is no secret either."""
        self.world.store.stuck.add("ann@one.test")
        with self.assertRaises(TemporaryFailure):
            self.call("account.remove", address="ann@one.test")
        with self.assertRaises(NotImplementedError):
            self.call("alias.add", address="a@one.test", targets=["ann@one.test"])
        self.assertEqual(self.last().outcome, "failed")

    def test_looks(self) -> None:
        """Looking changes nothing, and is not told."""
        self.call("account.list")
        self.assertEqual(self.world.audit.entries, [])

    def test_not_without(self) -> None:
        """What cannot be written down is not done."""
        self.world.audit.full = TemporaryFailure()
        with self.assertRaises(TemporaryFailure):
            self.call("account.remove", address="ann@one.test")
        self.assertEqual(len(self.call("account.list")), 2)

    def test_no_secrets(self) -> None:
        """No password, hash or code is told, in no verb, at no depth."""
        told = without_secrets({"rows": [{"address": "a@b", "password": "x1"}], "current": "x2", "code": "x3"})
        self.assertEqual(told, {"rows": [{"address": "a@b", "password": HIDDEN}], "current": HIDDEN, "code": HIDDEN})
        for name, verb in self.world.admin.verbs.items():
            for field in _fields(inspect.type_info(verb.arguments)):
                if (
                    any(word in field for word in ("pass", "secret", "hash", "code", "key", "token"))
                    and field not in HARMLESS
                ):
                    self.assertEqual(without_secrets({field: "x"}), {field: HIDDEN}, f"{name} {field}")

    def test_unknown_arguments(self) -> None:
        """What the verb does not know is not told: it may be a password that was spelled wrong."""
        with self.assertRaises(BadValue):
            self.call("operator.add", login="zoe", pasword="long enough")
        self.assertNotIn("long", self.last().arguments)

    def test_bounded(self) -> None:
        """Long arguments are cut, and octets that are no text are made one."""
        verb = self.world.admin.verbs["account.import"]
        rows = [{"line": number, "address": "x" * 300} for number in range(500)]
        told = json.loads(entry_of("account.import", verb, {"rows": rows}, ROOT, NOW).arguments)
        self.assertEqual(
            (len(told["rows"]), len(told["rows"][0]["address"]), told["rows"][-1]), (11, 200, "and 490 more")
        )
        deep: dict[str, Any] = {"rows": [{f"n{number}": "x" * 200 for number in range(100)}]}
        self.assertLess(len(entry_of("account.import", verb, deep, ROOT, NOW).arguments), MOST_OCTETS)
        self.assertEqual(without_secrets(["\udcff", b"", object]), ["\\udcff", "bytes", "type"])

    def test_deep(self) -> None:
        """Something inside of something for ever is told as far as people read."""
        deep: Any = "x"
        for _ in range(900):
            deep = {"a": [deep]}
        with self.assertRaises(BadValue):
            self.call("operator.add", login=deep)
        self.assertIn("more inside", self.last().arguments)

    def test_outcomes_are_bounded(self) -> None:
        """A refusal that repeats what was typed fills no log with it."""
        with self.assertRaises(BadValue):
            self.call("account.remove", address=f"x@{'y' * 60000}.test")
        self.assertLess(len(self.last().outcome), 300)

    def test_list(self) -> None:
        """Operators read it: the newest first, by whom, about what, since when."""
        self.call("account.set", address="ann@one.test", quota=1)
        self.call_as(OWNER, "account.set", address="bob@one.test", quota=2)
        rows = self.call("audit.list")
        self.assertEqual([row["arguments"]["quota"] for row in rows], [2, 1])
        self.assertEqual(len(self.call("audit.list", by="max")), 1)
        self.assertEqual(len(self.call("audit.list", about="ann@", seconds=60)), 1)
        with self.assertRaises(BadValue):
            self.call("audit.list", most=0)


def _fields(kind: Any) -> list[str]:
    found = []
    for field in getattr(kind, "fields", ()):
        found += [field.encode_name, *_fields(getattr(field.type, "item_type", None))]
    return found
