"""Who may ask for what (F1), over the whole table of verbs: one that is added is tried here without a line of test."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st
from msgspec import inspect
from twisted.trial.unittest import SynchronousTestCase

from hostmail.actor import Actor, Role
from hostmail.admin.parts import Verb
from hostmail.admin.permissions import (
    ADDRESS,
    DOMAIN,
    EITHER,
    EVERYBODY,
    OPERATORS,
    Kind,
    May,
    check_subjects,
    narrowed,
    reaches,
    shown,
)
from hostmail.errors import NotAllowed, NotFound, Refusal
from hostmail.interfaces.directory import Account
from hostmail.interfaces.logins import Grant
from tests.admin.facts import NOW
from tests.admin.fakes import ROOT, World

OWNER = Actor(Role.OWNER, "two", "panel", person_id=2, domains=frozenset({"two.test"}))
USER = Actor(Role.USER, "eve@two.test", "panel", address="eve@two.test")
NEIGHBOUR = Actor(Role.USER, "bob@one.test", "panel", address="bob@one.test")
LOOKING = Actor(Role.OPERATOR, "reader", "api", read_only=True)
THEIRS = {
    ADDRESS: ["ann@one.test", "ANN@One.Test", "nobody@one.test", "x@unknown.test"],
    DOMAIN: ["one.test", "stands.test", "unknown.test"],
}
THEIRS[EITHER] = THEIRS[ADDRESS] + THEIRS[DOMAIN]


def something(kind: inspect.Type) -> Any:
    """A value of a type, as somebody would give it who tries his luck."""
    if isinstance(kind, inspect.UnionType):
        return something(kind.types[0])
    if isinstance(kind, inspect.ListType):
        return [something(kind.item_type)]
    if isinstance(kind, inspect.StructType):
        return {field.encode_name: something(field.type) for field in kind.fields if field.required}
    values = {inspect.StrType: "x", inspect.IntType: 1, inspect.FloatType: 1.0, inspect.BoolType: True}
    return values.get(type(kind))


def fields_of(verb: Verb) -> dict[str, inspect.Field]:
    """What a verb takes, by name."""
    return {field.encode_name: field for field in inspect.type_info(verb.arguments).fields}  # type: ignore[attr-defined]


def about(verb: Verb, path: str, text: str) -> dict[str, Any]:
    """One of the arguments that say what it is about."""
    name, _, inner = path.partition(".")
    kind = fields_of(verb)[name].type
    if not isinstance(kind, inspect.ListType):
        return {name: text}
    return {name: [something(kind.item_type) | {inner: text} if inner else text]}


def attempts(verb: Verb) -> Iterator[dict[str, Any]]:
    """Every way to name something that is somebody else's; whatever else must be named is one's own."""
    own: dict[str, Any] = {name: something(each.type) for name, each in fields_of(verb).items() if each.required}
    for path, kind in verb.may.about.items():
        if path.partition(".")[0] in own:
            own |= about(verb, path, "two.test" if kind is DOMAIN else "eve@two.test")
    for path, kind in verb.may.about.items():
        for text in THEIRS[kind]:
            yield own | about(verb, path, text)
    if not verb.may.about:
        yield own


class TableTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.world = World()
        self.world.populate()
        self.world.facts.standing["stands.test"] = "one.test"
        self.world.call("domain.add", name="two.test")
        self.world.call("account.add", address="eve@two.test", password="long enough")
        self.verbs = self.world.admin.verbs

    def state(self) -> str:
        """Everything that a verb could have changed."""
        world = self.world
        kept = (world.facts.__dict__, world.grants.live, world.store.removed, world.sessions.open, world.queue.rows)
        return repr(kept)

    def tries(self, actor: Actor, name: str, arguments: dict[str, Any]) -> Any:
        """The answer, or the refusal."""
        try:
            return self.world.call_as(actor, name, **arguments)
        except Refusal as refusal:
            return refusal

    def assert_shut(self, actor: Actor, name: str) -> None:
        """Whatever he names of others, he is refused, or gets an empty answer; and nothing changes."""
        before = self.state()
        for arguments in attempts(self.verbs[name]):
            answer = self.tries(actor, name, arguments)
            self.assertTrue(answer == [] or isinstance(answer, NotFound | NotAllowed), f"{name} {arguments}: {answer}")
        self.assertEqual(self.state(), before, name)

    def test_other_owners(self) -> None:
        """An owner reaches nothing of a domain that is not his, by any verb."""
        for name, verb in self.verbs.items():
            if verb.may.about or Role.OWNER not in verb.may.who:
                self.assert_shut(OWNER, name)

    def test_users(self) -> None:
        """A user reaches nothing of another's mailbox, whether that is in his domain or not."""
        for name, verb in self.verbs.items():
            if verb.may.about or Role.USER not in verb.may.who:
                self.assert_shut(USER, name)

    def test_neighbours(self) -> None:
        """Not even in his own domain does a user reach what is another's."""
        for name, verb in self.verbs.items():
            for path in verb.may.about:
                answer = self.tries(NEIGHBOUR, name, next(attempts(verb)) | about(verb, path, "ann@one.test"))
                self.assertIsInstance(answer, NotFound | NotAllowed, f"{name}: {answer}")

    def test_there_or_not(self) -> None:
        """A refusal tells nobody whether what he named exists, is hosted here, or is somebody's."""
        for actor in (OWNER, USER):
            for name, verb in self.verbs.items():
                words: dict[str, set[str]] = {}
                for arguments in attempts(verb):
                    answer = self.blurred(self.tries(actor, name, arguments), arguments)
                    words.setdefault(",".join(arguments), set()).add(answer)
                self.assertEqual({named: len(each) for named, each in words.items() if len(each) > 1}, {}, name)

    def blurred(self, answer: object, arguments: dict[str, Any]) -> str:
        """An answer without the name that was asked for."""
        named = [text for texts in THEIRS.values() for text in texts if repr(text) in repr(arguments)]
        return str(answer).replace(max(named, key=len, default="?"), "X")

    def test_read_only(self) -> None:
        """A token that may only look changes nothing, whosever it is."""
        for name, verb in self.verbs.items():
            for arguments in () if verb.may.looks else attempts(verb):
                self.assertIsInstance(self.tries(LOOKING, name, arguments), NotAllowed, name)

    def test_looks_do_not_change(self) -> None:
        """What a token may use that may only look leaves everything as it is."""
        for name, verb in self.verbs.items():
            before = self.state()
            for arguments in attempts(verb) if verb.may.looks else ():
                with contextlib.suppress(NotImplementedError):
                    self.tries(LOOKING, name, arguments)
            self.assertEqual(self.state(), before, name)

    def test_owners_own(self) -> None:
        """In his domain an owner does what the verbs for owners do; other domains' rows are not in his lists."""
        owner = Actor(Role.OWNER, "one", "panel", domains=frozenset({"one.test"}))
        as_owner = self.world.call_as
        self.assertEqual([row["name"] for row in as_owner(owner, "domain.list")], ["one.test"])
        self.assertEqual(len(as_owner(owner, "account.list")), 2)
        self.assertEqual(len(as_owner(owner, "session.list")), 4)
        self.world.grants.live.append(Grant("192.0.2.77", 3, "eve@two.test", NOW + 9))
        self.assertEqual([row["login"] for row in as_owner(owner, "relay.list")], ["ann@one.test", "bob@one.test"])
        as_owner(owner, "account.add", address="cat@one.test", password="long enough")
        as_owner(owner, "account.set", address="cat@one.test", quota=5, login_suspended=True)
        self.assertEqual(as_owner(owner, "session.kick", address="bob@one.test"), {"ended_sessions": 2})

    def test_owners_lists(self) -> None:
        """What an owner lists is read from his domains alone, however much there is of others: his token cannot keep the server busy."""
        owner, listed = Actor(Role.OWNER, "one", "api", domains=frozenset({"one.test", "gone.test"})), []
        accounts = self.world.facts.accounts

        async def noting(domain: str | None = None) -> list[Account]:
            listed.append(domain)
            return await accounts(domain)

        self.world.facts.accounts = noting  # type: ignore[method-assign]
        self.assertEqual([row["name"] for row in self.world.call_as(owner, "domain.list")], ["one.test"])
        self.assertEqual(len(self.world.call_as(owner, "account.list")), 2)
        self.assertEqual(self.world.call_as(owner, "autoreply.list"), [])
        self.assertEqual(set(listed), {"one.test"})

    def test_owners_fields(self) -> None:
        """A domain's quota, suspensions and ways out are the operator's."""
        owner = Actor(Role.OWNER, "one", "panel", domains=frozenset({"one.test"}))
        for change in ({"quota": None}, {"login_suspended": False}, {"smarthost": "mx.test"}, {"main_login": "x"}):
            with self.assertRaises(NotAllowed):
                self.world.call_as(owner, "domain.set", name="one.test", **change)
        for name in ("one.test", "two.test"):
            with self.assertRaises(NotFound):
                self.world.call_as(owner, "quota.set", name=name, quota=None)
        with self.assertRaises(NotAllowed):
            self.world.call_as(owner, "account.set", address="ann@one.test", smarthost="mx.test")

    def test_hidden(self) -> None:
        """The server's own paths and ways out are shown to operators only."""
        owner = Actor(Role.OWNER, "one", "panel", domains=frozenset({"one.test"}))
        hidden = {"folder", "smarthost"}
        for actor in (owner, Actor(Role.USER, "ann@one.test", "panel", address="ann@one.test")):
            told = self.world.call_as(actor, "account.show", address="ann@one.test")
            self.assertEqual(hidden & told.keys(), set())
        self.assertEqual(hidden - self.world.call("account.show", address="ann@one.test").keys(), set())

    def test_own_sessions(self) -> None:
        """By its number nobody ends a session that he could not see, and it is as if it did not exist."""
        for actor in (OWNER, USER, NEIGHBOUR):
            with self.assertRaisesRegex(NotFound, "there is no session 1"):
                self.world.call_as(actor, "session.kick", id=1)
        self.world.call_as(NEIGHBOUR, "session.kick", id=3)
        self.assertEqual([session.id for session in self.world.sessions.open], [1, 2, 4])

    def test_own_grants(self) -> None:
        """Of the grants of an address only one's own are closed; of others' nobody hears (C4)."""
        for number, login in ((1, "ann@one.test"), (2, "bob@one.test"), (3, "eve@two.test")):
            self.world.grants.live.append(Grant("192.0.2.99", number, login, NOW + 9))
        self.assertEqual(self.world.call_as(USER, "relay.revoke", ip="192.0.2.99")["revoked"], 1)
        with self.assertRaisesRegex(NotFound, "192.0.2.99 has no grant"):
            self.world.call_as(OWNER, "relay.revoke", ip="192.0.2.99")
        one = Actor(Role.OWNER, "one", "panel", domains=frozenset({"one.test"}))
        self.assertEqual(self.world.call_as(one, "relay.revoke", ip="192.0.2.99")["revoked"], 2)
        self.assertEqual(len(self.world.grants.live), 2)

    def test_near_misses(self) -> None:
        """Suggestions stay within one's own domains."""
        with self.assertRaisesRegex(NotFound, "did you mean ann@one.test"):
            self.world.call("account.show", address="anm@one.test")
        with self.assertRaises(NotFound) as caught:
            self.world.call_as(OWNER, "account.show", address="anm@one.test")
        self.assertNotIn("mean", caught.exception.public)


class RuleTests(SynchronousTestCase):
    def test_closed(self) -> None:
        """What declares nothing is for operators, and no token that may only look."""
        self.assertEqual((May().who, May().looks), (OPERATORS, False))

    def test_stands_for(self) -> None:
        """A domain that stands for one of his is his, too (E6)."""
        homes = {"stands.test": "two.test"}
        self.assertTrue(reaches(OWNER, "x@Stands.Test", homes))
        self.assertFalse(reaches(OWNER, "x@stands.test"))

    def test_no_subject(self) -> None:
        """Who reaches not all must say what he means."""

        class Asked(msgspec.Struct):
            name: str = ""

        may = May(EVERYBODY, about={"name": EITHER})
        with self.assertRaisesRegex(NotAllowed, "name"):
            check_subjects(may, OWNER, Asked(), {})
        check_subjects(may, ROOT, Asked(), {})

    def test_rows(self) -> None:
        """Rows that belong to nobody, or to others, are not shown."""
        rows = [{"address": None, "why": 1}, {"address": "a@two.test", "why": 2}, {"address": "b@one.test", "why": 3}]
        may = May(EVERYBODY, rows="address", hidden=frozenset({"why"}))
        self.assertEqual(shown(may, OWNER, rows), [{"address": "a@two.test"}])
        self.assertEqual(shown(may, ROOT, rows), rows)

    def test_nobody_looks_through_what_is_others(self) -> None:
        """Who names nothing has asked for each of his own domains, or for his own address."""

        class Asked(msgspec.Struct):
            name: str | None = None

        both = Actor(Role.OWNER, "both", "api", domains=frozenset({"two.test", "one.test"}))

        def names(actor: Actor, kind: Kind, asked: str | None = None, **more: Any) -> list[str | None]:
            may = May(EVERYBODY, about={"name": kind}, **{"rows": "address"} | more)
            return [each.name for each in narrowed(may, actor, Asked(asked))]

        self.assertEqual([names(both, kind) for kind in (DOMAIN, EITHER)], [["one.test", "two.test"]] * 2)
        self.assertEqual([names(USER, kind) for kind in (ADDRESS, EITHER)], [["eve@two.test"]] * 2)
        self.assertEqual(names(both, DOMAIN, "two.test"), ["two.test"])
        self.assertEqual(
            (names(ROOT, DOMAIN), names(both, ADDRESS), names(both, DOMAIN, rows="")), ([None], [None], [None])
        )
        self.assertEqual(names(Actor(Role.OWNER, "x", "api"), DOMAIN), [])

    @given(st.text(max_size=40))
    def test_odd_texts(self, text: str) -> None:
        """No text reaches anything by being odd: only what reads as one of his domains or addresses."""
        for actor in (OWNER, USER):
            if reaches(actor, text):
                self.assertIn("two.test", text.lower())

    def test_nobody(self) -> None:
        """An owner without domains, or a user without an address, reaches nothing."""
        for actor in (Actor(Role.OWNER, "x", "panel"), Actor(Role.USER, "x", "panel")):
            for text in ("", "@", "x", "postmaster", "a@", "one.test", "a@one.test"):
                self.assertFalse(reaches(actor, text), text)
