"""The verbs: what an operator asks for, and what it does to the stages."""

from __future__ import annotations

import json
from base64 import b64decode
from typing import Any

from twisted.logger import capturedLogs, formatEvent
from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from hostmail.errors import AlreadyExists, BadValue, NotFound, Overloaded, Refusal, TemporaryFailure
from hostmail.interfaces.admin import IAdmin, ISessions
from hostmail.interfaces.directory import IDirectory, IDirectoryChanges
from hostmail.interfaces.logins import IPasswords, IRelayGrants
from hostmail.interfaces.mailstore import IMailStore
from hostmail.interfaces.queue import IQueue
from tests.admin.facts import NOW, Facts
from tests.admin.fakes import World
from tests.admin.stages import Grants, Hashes, Sessions, Store, Waiting


class Base(SynchronousTestCase):
    def setUp(self) -> None:
        self.world = World()
        self.call = self.world.call
        self.world.populate()

    def refused(self, kind: type[Refusal], words: str, verb: str, **arguments: Any) -> Refusal:
        with self.assertRaisesRegex(kind, words) as caught:
            self.call(verb, **arguments)
        return caught.exception  # type: ignore[no-any-return]

    def grants(self) -> list[str]:
        return [grant.login for grant in self.world.grants.live]

    def connected(self) -> list[str]:
        return sorted({session.peer.login for session in self.world.sessions.open})


class TableTests(Base):
    def test_interfaces(self) -> None:
        """The fakes, and the service itself, are what they say."""
        verifyObject(IAdmin, self.world.admin)
        for interface, fake in (
            (IDirectory, Facts()),
            (IDirectoryChanges, Facts()),
            (IPasswords, Hashes()),
            (IRelayGrants, Grants()),
            (IMailStore, Store()),
            (ISessions, Sessions()),
            (IQueue, Waiting()),
        ):
            verifyObject(interface, fake)

    def test_unknown_verb(self) -> None:
        """A verb that does not exist is answered with the one that was meant."""
        refusal = self.refused(NotFound, "did you mean account.list", "account.lists")
        self.assertEqual(getattr(refusal, "suggestion", ""), "account.list")

    def test_arguments_are_checked(self) -> None:
        """Unknown, missing or mistyped arguments are refused before anything happens."""
        for arguments in ({}, {"name": 7}, {"name": "two.test", "qouta": 1}, {"name": "two.test", "quota": "1"}):
            self.refused(BadValue, "domain.add: ", "domain.add", **arguments)
        self.assertEqual(len(self.call("domain.list")), 1)

    def test_answers_are_json(self) -> None:
        """Every answer can be written as JSON."""
        self.world.queue.add("x@elsewhere.test")
        for verb in ("domain.list", "account.list", "relay.list", "session.list", "queue.list", "status", "version"):
            json.dumps(self.call(verb))


class DomainTests(Base):
    def test_list(self) -> None:
        """A domain is listed with its login, its default mailbox and its real use (D2)."""
        (row,) = self.call("domain.list")
        self.assertEqual(
            {name: row[name] for name in ("name", "main_login", "default_mailbox", "accounts", "used", "quota")},
            {
                "name": "one.test",
                "main_login": "one.test",
                "default_mailbox": "ann@one.test",
                "accounts": 2,
                "used": 2 << 20,
                "quota": None,
            },
        )
        self.assertEqual(self.call("domain.show", name="one.test"), row)

    def test_near_miss(self) -> None:
        """A domain that is not hosted is answered with the one that was meant."""
        self.refused(NotFound, "on.test is not hosted here .did you mean one.test", "domain.show", name="on.test")

    def test_set(self) -> None:
        """Only what is given changes; null takes a limit away."""
        self.call("domain.set", name="one.test", quota=5 << 20, must_match_sender=True)
        row = self.call("domain.set", name="one.test", default_mailbox="bob@one.test")
        self.assertEqual(
            (row["quota"], row["must_match_sender"], row["default_mailbox"]), (5 << 20, True, "bob@one.test")
        )
        row = self.call("domain.set", name="one.test", quota=None, default_mailbox="")
        self.assertEqual((row["quota"], row["default_mailbox"]), (None, None))
        self.assertEqual((len(self.grants()), len(self.connected())), (2, 2))

    def test_login_suspension(self) -> None:
        """Suspending a domain's logins disconnects everybody and closes their grants (A9, C4)."""
        self.call("domain.set", name="one.test", login_suspended=True)
        self.assertEqual((self.grants(), self.connected()), ([], []))

    def test_outgoing_suspension(self) -> None:
        """Suspending a domain's sending closes its grants and leaves sessions alone (A9, C4); so does switching grants off (C5)."""
        self.call("domain.set", name="one.test", outgoing_suspended=True)
        self.assertEqual((self.grants(), len(self.connected())), ([], 2))
        self.call("relay.allow", ip="192.0.2.50")
        self.call("domain.set", name="one.test", pop_before_smtp=False)
        self.assertEqual(self.grants(), ["operator"])

    def test_remove(self) -> None:
        """Removing a domain ends sessions and grants, and puts all its mail aside (D13)."""
        self.assertEqual(self.call("domain.remove", name="one.test"), {"name": "one.test", "removed_accounts": 2})
        self.assertEqual((self.grants(), self.connected()), ([], []))
        self.assertEqual(self.world.store.removed, ["ann@one.test", "bob@one.test"])
        self.refused(NotFound, "is not hosted", "domain.remove", name="one.test")

    def test_one_mailbox_is_stuck(self) -> None:
        """A mailbox that cannot be put aside does not leave the domain's others lying in the tree; the log names its folder."""
        self.world.store.stuck.add("ann@one.test")
        with capturedLogs() as events:
            self.refused(TemporaryFailure, "try again later", "domain.remove", name="one.test")
        self.assertEqual(self.world.store.removed, ["bob@one.test"])
        self.assertEqual(
            [formatEvent(event) for event in events], ["mailbox_not_put_aside: ann@one.test, in d1: no room"]
        )


class AccountTests(Base):
    def test_add(self) -> None:
        """An account gets the default quota, another one, or none, and argon2id (D2, A6)."""
        for name, more, quota in (("c", {}, 20 << 20), ("d", {"quota": 7}, 7), ("e", {"quota": None}, None)):
            told = self.call("account.add", address=f"{name}@one.test", password="long enough", **more)
            self.assertEqual((told["login"], told["quota"]), (f"{name}@one.test", quota))
        self.assertEqual(self.world.facts.hashes[3], "{ARGON2ID}long enough")

    def test_bad_password(self) -> None:
        """A weak password, none, or an unknown hash creates nothing."""
        for more in (
            {"password": "short"},
            {},
            {"password": "long enough", "password_hash": "{X}y"},
            {"password_hash": "{X}y"},
        ):
            self.refused(BadValue, "password", "account.add", address="c@one.test", **more)
        self.assertEqual(len(self.call("account.list")), 2)

    def test_hash(self) -> None:
        """A hash of another system is stored as it is (A7)."""
        self.call("account.add", address="c@one.test", password_hash="{SHA512-CRYPT}$6$x")
        self.assertEqual(self.world.facts.hashes[3], "{SHA512-CRYPT}$6$x")

    def test_taken(self) -> None:
        """Two accounts that differ only by case cannot exist (A2)."""
        self.refused(AlreadyExists, "exists already", "account.add", address="ANN@one.test", password="long enough")

    def test_list(self) -> None:
        """Accounts are listed with login, quota and use, in octets."""
        rows = self.call("account.list", domain="one.test")
        self.assertEqual(
            next((row["login"], row["address"], row["quota"], row["used"]) for row in rows),
            ("ann@one.test", "ann@one.test", 20 << 20, 1 << 20),
        )
        self.assertEqual(self.call("account.list"), rows)
        self.refused(NotFound, "not hosted", "account.list", domain="two.test")

    def test_show(self) -> None:
        """The default mailbox shows its second login (A3)."""
        self.assertEqual(self.call("account.show", address="Ann@One.Test")["main_login"], "one.test")
        self.assertIsNone(self.call("account.show", address="bob@one.test")["main_login"])

    def test_where_it_is(self) -> None:
        """Whoever must look at the files, or put removed ones back, is told their folder (D11, D13)."""
        folder = self.call("account.show", address="ann@one.test")["folder"]
        self.assertEqual(folder, f"{self.world.settings.data_dir}/domains/one.test/d1")

    def test_near_miss(self) -> None:
        """Only the local part decides what is near."""
        self.refused(
            NotFound,
            "there is no account anna@one.test .did you mean ann@one.test",
            "account.show",
            address="anna@one.test",
        )
        self.refused(NotFound, "there is no account zebra@one.test$", "account.show", address="zebra@one.test")
        self.refused(BadValue, "needs a local part", "account.show", address="ann")

    def test_password(self) -> None:
        """A new password closes the account's grants; its sessions stay (A6, C4)."""
        told = self.call("account.passwd", address="ann@one.test", password="another one")
        self.assertEqual(told, {"address": "ann@one.test", "revoked_grants": 1})
        self.assertEqual((self.grants(), len(self.connected())), (["bob@one.test"], 2))
        self.assertEqual(self.world.facts.hashes[1], "{ARGON2ID}another one")
        self.refused(BadValue, "8 characters", "account.passwd", address="ann@one.test", password="x")

    def test_suspensions(self) -> None:
        """Sending: grants close. Login: sessions end too. Incoming: neither (A9)."""
        self.call("account.set", address="ann@one.test", incoming_suspended=True)
        self.assertEqual(len(self.grants()), 2)
        row = self.call("account.set", address="ann@one.test", outgoing_suspended=True)
        self.assertEqual((row["outgoing_suspended"], self.grants(), len(self.connected())), (True, ["bob@one.test"], 2))
        self.call("account.set", address="bob@one.test", login_suspended=True, quota=None)
        self.assertEqual((self.grants(), self.connected()), ([], ["ann@one.test"]))

    def test_remove(self) -> None:
        """A removed account is gone at once: login, grants, sessions; its mail is put aside (D13)."""
        told = self.call("account.remove", address="ann@one.test")
        self.assertEqual(told, {"address": "ann@one.test", "revoked_grants": 1, "ended_sessions": 2})
        self.assertEqual(self.world.store.removed, ["ann@one.test"])
        self.assertEqual(self.connected(), ["bob@one.test"])


class ImportTests(Base):
    def outcomes(self, *rows: tuple[str, str, str], dry_run: bool = False) -> list[str]:
        asked = [
            {"line": line, "address": address, "password": password, "quota": quota}
            for line, (address, password, quota) in enumerate(rows, 2)
        ]
        told = self.call("account.import", rows=asked, dry_run=dry_run)
        self.assertEqual([row["line"] for row in told], [row["line"] for row in asked])
        return [row.get("problem", row["outcome"]) for row in told]

    def test_outcomes(self) -> None:
        """New accounts are created, others updated or left alone; saying it twice changes nothing."""
        rows = (
            ("c@one.test", "long enough", ""),
            ("d@one.test", "{SHA512-CRYPT}$6$x", "none"),
            ("ann@one.test", "long enough", "20M"),
            ("bob@one.test", "", "5M"),
        )
        self.assertEqual(self.outcomes(*rows), ["created", "created", "unchanged", "updated"])
        self.assertEqual(self.outcomes(*rows), ["unchanged"] * 4)
        quotas = [row["quota"] for row in self.call("account.list")]
        self.assertEqual(quotas, [20 << 20, 5 << 20, 20 << 20, None])

    def test_upgraded_meanwhile(self) -> None:
        """An imported hash that a good login replaced by ours is the same password still (A7); another hash is another."""
        row = ("c@one.test", "{SHA512-CRYPT}$6$x", "")
        self.assertEqual(self.outcomes(row), ["created"])
        self.world.facts.hashes[3], self.world.facts.replaced[3] = "{ARGON2ID}long enough", row[1]
        self.assertEqual(self.outcomes(row, dry_run=True), ["unchanged"])
        self.assertEqual(self.outcomes(row), ["unchanged"])
        self.assertEqual(self.outcomes(("c@one.test", "{SHA512-CRYPT}$6$y", "")), ["updated"])

    def test_bare_crypt(self) -> None:
        """A hash without its scheme is not stored as if it were the password itself."""
        hash_of_shadow = "$6$saltsalt$" + "x" * 86
        (words,) = self.outcomes(("c@one.test", hash_of_shadow, ""))
        self.assertIn("looks like a hash of crypt(3): write it as {CRYPT}$6$", words)
        self.assertEqual(self.outcomes(("c@one.test", "$6$ earned today", "")), ["created"])

    def test_new_password(self) -> None:
        """A password that changes closes grants, as it does everywhere (C4)."""
        self.assertEqual(self.outcomes(("ann@one.test", "something else", "")), ["updated"])
        self.assertEqual(self.grants(), ["bob@one.test"])

    def test_problems(self) -> None:
        """A row that is wrong has its own words, and the others are done."""
        self.assertEqual(
            self.outcomes(
                ("nobody", "long enough", ""),
                ("x@two.test", "long enough", ""),
                ("x@one.test", "short", ""),
                ("x@one.test", "{ROT13}x", ""),
                ("x@one.test", "", ""),
                ("x@one.test", "long enough", "big"),
                ("y@one.test", "long enough", "1G"),
            ),
            [
                "an address needs a local part, an @ and a domain",
                "two.test is not hosted here",
                "the password needs at least 8 characters",
                "that kind of password hash is not known",
                "a new account needs a password",
                "'big' is no size; write it like 20M, 1.5G or 20971520",
                "created",
            ],
        )

    def test_dry_run(self) -> None:
        """A dry run says what would happen and does nothing."""
        rows = (("c@one.test", "long enough", ""), ("ann@one.test", "another one", "1M"), ("d@one.test", "x", ""))
        self.assertEqual(self.outcomes(*rows, dry_run=True)[:2], ["created", "updated"])
        self.assertEqual([row["quota"] for row in self.call("account.list")], [20 << 20, 20 << 20])
        self.assertEqual(self.world.facts.hashes[1], "{ARGON2ID}long enough")

    def test_bounded(self) -> None:
        """A batch has at most 200 rows."""
        self.refused(BadValue, "at most 200", "account.import", rows=[{"line": 1, "address": "x"}] * 201)

    def test_fault(self) -> None:
        """A fault of ours is no problem of the row: the whole batch is to be tried again."""

        for fault in (TemporaryFailure, Overloaded):

            async def broken(address: object, fault: type[Refusal] = fault) -> None:
                raise fault

            self.world.facts.account_for = broken  # type: ignore[method-assign, assignment]
            self.refused(fault, "try again", "account.import", rows=[{"line": 2, "address": "c@one.test"}])


class QuotaTests(Base):
    def test_account(self) -> None:
        """An address means its account."""
        told = self.call("quota.set", name="ann@one.test", quota=3 << 20)
        self.assertEqual((told["quota"], told["used"], told["free"], told["messages"]), (3 << 20, 1 << 20, 2 << 20, 7))
        self.assertIsNone(self.call("quota.set", name="ann@one.test", quota=None)["free"])

    def test_domain(self) -> None:
        """A name without @ means a domain; what is over the limit has nothing free."""
        told = self.call("quota.set", name="one.test", quota=1)
        self.assertEqual((told["name"], told["used"], told["free"]), ("one.test", 2 << 20, 0))


class RelayTests(Base):
    def test_why(self) -> None:
        """An address may relay because somebody checked his mail there, or it may not and is told the rules (C2, C4)."""
        told = self.call("relay.why", ip="::ffff:192.0.2.1")
        self.assertEqual((told["may_relay"], told["login"], told["seconds_left"]), (True, "ann@one.test", 600))
        told = self.call("relay.why", ip="192.0.2.77")
        self.assertEqual((told["may_relay"], told["pop_before_smtp"], told["window"]), (False, True, 1800))
        self.assertEqual(told["shared_by"], 0)

    def test_why_not_when_shared(self) -> None:
        """Grants that do not count because too many share the address are not called missing (C6)."""

        async def none_counts(ip: str) -> None:
            return None

        self.world.grants.find = none_counts  # type: ignore[method-assign, assignment]
        self.assertEqual(self.call("relay.why", ip="192.0.2.1")["shared_by"], 1)

    def test_allow_and_revoke(self) -> None:
        """An operator opens relaying for a while, and closes it."""
        told = self.call("relay.allow", ip="2001:DB8::1", seconds=60)
        self.assertEqual((told["ip"], told["account_id"], told["until"]), ("2001:db8::1", 0, NOW + 60))
        self.assertEqual(self.call("relay.revoke", ip="2001:db8::1"), {"ip": "2001:db8::1", "revoked": 1})
        self.refused(NotFound, "has no grant", "relay.revoke", ip="2001:db8::1")
        self.refused(BadValue, "is no IP address", "relay.allow", ip="ann")
        for seconds in (0, 1 << 62):
            self.refused(BadValue, "at least a second", "relay.allow", ip="192.0.2.1", seconds=seconds)

    def test_clear(self) -> None:
        """All grants at once."""
        self.assertEqual(self.call("relay.clear"), {"revoked": 2})
        self.assertEqual(self.call("relay.list"), [])


class SessionTests(Base):
    def test_list(self) -> None:
        """Who is connected: protocol, address, login, since when, and what he does (D10)."""
        rows = self.call("session.list", address="bob@one.test")
        self.assertEqual(
            rows[1],
            {
                "id": 4,
                "protocol": "imaps",
                "ip": "192.0.2.9",
                "login": "bob@one.test",
                "address": "bob@one.test",
                "since": NOW - 90,
                "tls": "TLS",
                "state": {"folder": "INBOX"},
            },
        )
        self.assertEqual(len(self.call("session.list")), 4)

    def test_kick(self) -> None:
        """One session, one account, or everybody."""
        self.assertEqual(self.call("session.kick", id=1), {"ended_sessions": 1})
        self.assertEqual(self.call("session.kick", address="bob@one.test"), {"ended_sessions": 2})
        self.assertEqual(self.call("session.kick", all=True), {"ended_sessions": 1})
        self.refused(NotFound, "no session 1", "session.kick", id=1)
        self.refused(BadValue, "name one", "session.kick")
        self.refused(BadValue, "name one", "session.kick", id=1, all=True)

    def test_not_running(self) -> None:
        """Without a service there are no sessions, and nothing to disconnect."""
        world = World(running=False)
        world.populate()
        self.assertEqual(world.call("session.list"), [])
        self.assertEqual(world.call("session.kick", all=True), {"ended_sessions": 0})
        self.assertEqual(world.call("mailbox.unlock", address="ann@one.test")["ended_sessions"], 0)
        self.assertEqual(world.call("account.remove", address="ann@one.test")["ended_sessions"], 0)


class MailboxTests(Base):
    def test_verify_and_repair(self) -> None:
        """What the store finds, and mends (D11)."""
        self.world.store.report["problems"] = ["size differs"]
        self.assertEqual(self.call("mailbox.verify", address="ann@one.test")["repaired"], 0)
        self.assertEqual(self.call("mailbox.repair", address="ann@one.test")["repaired"], 1)

    def test_unlock(self) -> None:
        """Only POP3 sessions hold the maildrop; only they are disconnected (D10)."""
        self.assertEqual(self.call("mailbox.unlock", address="ann@one.test")["ended_sessions"], 1)
        self.assertEqual([row["protocol"] for row in self.call("session.list", address="ann@one.test")], ["imaps"])


class QueueTests(Base):
    def test_verbs(self) -> None:
        """Rows are found by any of their words, tried again, or dropped; paths stay our own affair."""
        for recipient in ("x@a.test", "y@b.test"):
            self.world.queue.add(recipient)
        self.assertEqual([row["recipient"] for row in self.call("queue.list", pattern="b.test")], ["y@b.test"])
        [shown] = self.call("queue.show", pattern="x@")
        self.assertFalse({"path", "octets", "file"} & set(shown))
        self.assertEqual((shown["account"], shown["for_domain"]), ("ann@one.test", ""))
        self.assertEqual(self.call("queue.retry", all=True), {"retried": 2})
        self.assertEqual(self.call("queue.hold", pattern="b.test"), {"held": 1})
        self.assertEqual([row["state"] for row in self.call("queue.list")], ["waiting", "held"])
        self.assertEqual(self.call("queue.release", all=True), {"released": 2, "suspended": []})
        self.assertEqual(self.call("queue.stats")["states"], {"waiting": 2})
        self.assertEqual(self.call("queue.bounce", pattern="b.test"), {"bounced": 1})
        self.assertEqual(len(self.call("queue.list", most=1)), 1)
        for too_many in (0, 10_001):
            self.assertRaises(BadValue, self.call, "queue.list", most=too_many)
        self.assertEqual(b64decode(self.call("queue.cat", queue_id="Q1")["message"])[:12], b"Subject: caf")
        self.refused(NotFound, "no message", "queue.cat", queue_id="Q9")
        self.assertEqual(self.call("queue.delete", pattern="Q1"), {"deleted": 1})
        self.refused(NotFound, "nothing in the queue", "queue.show", pattern="Q1")
        self.refused(NotFound, "nothing waiting in the queue", "queue.retry", pattern="Q1")
        self.refused(BadValue, "or all", "queue.delete")
        self.refused(BadValue, "or all", "queue.delete", pattern="x", all=True)
        self.call("queue.delete", all=True)
        self.assertEqual(self.call("queue.delete", all=True), {"deleted": 0})

    def test_suspended(self) -> None:
        """Held mail of who may send nothing now stays, and that is said; others' goes."""
        ann, bob = (self.world.facts.by_key[f"{name}@one.test"].id for name in ("ann", "bob"))
        for owner, domain in ((ann, "one.test"), (bob, "one.test"), (None, "one.test"), (99, "gone.test")):
            self.world.queue.add("x@a.test")
            row = self.world.queue.rows[-1]
            row.account_id, row.for_domain, row.state = owner, domain, "held"
        self.call("account.set", address="ann@one.test", outgoing_suspended=True)
        self.refused(BadValue, "ann@one.test is suspended, so what is held stays", "queue.release", pattern="Q1")
        self.assertEqual(self.call("queue.release", all=True), {"released": 3, "suspended": ["ann@one.test"]})
        self.assertEqual([row.state for row in self.world.queue.rows], ["held", "waiting", "waiting", "waiting"])
        self.call("queue.hold", all=True)
        self.call("domain.set", name="one.test", outgoing_suspended=True)
        self.assertEqual(self.call("queue.release", all=True), {"released": 1, "suspended": ["one.test"]})
        self.refused(BadValue, "one.test is suspended", "queue.release", pattern="Q1")


class StatusTests(Base):
    def test_running(self) -> None:
        """One look: who is connected, what waits."""
        told = self.call("status")
        self.assertEqual((told["running"], told["uptime"], told["sessions"]), (True, 0, {"imaps": 2, "pop3": 2}))
        self.assertEqual((told["domains"], told["accounts"], told["relay_grants"], told["queue"]), (1, 2, 2, 0))
        self.assertEqual(self.call("version"), {"version": "9.9"})

    def test_stopped(self) -> None:
        """A service that does not run says so."""
        told = World(running=False).call("status")
        self.assertEqual((told["running"], told["pid"], told["uptime"]), (False, None, None))
