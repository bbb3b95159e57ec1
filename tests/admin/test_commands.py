"""The `hostmail` command as a shell sees it: stdout, stderr and the exit code."""

from __future__ import annotations

import contextlib
import io
import json
import socket
from typing import Any

from hostmail.admin.cli import CommandLine, plain_table
from hostmail.admin.commands.relay import explain
from hostmail.admin.main import main, run
from hostmail.errors import TemporaryFailure
from hostmail.newpassword import generate
from tests.admin.commanding import Base
from tests.admin.fakes import World


class SpeechTests(Base):
    def test_json_anywhere(self) -> None:
        """--json works before the noun and after the verb, and is one value."""
        before = json.loads(self.run_command("--json", "account", "list"))
        self.assertEqual(before, self.json("account", "list", "one.test"))
        self.assertEqual([row["login"] for row in before], ["ann@one.test", "bob@one.test"])
        self.assertEqual((before[0]["quota"], before[0]["used"]), (20 << 20, 1 << 20))

    def test_table(self) -> None:
        """People get a table with sizes they can read."""
        self.assertEqual(
            self.run_command("account", "list").splitlines(),
            [
                "LOGIN         USED  QUOTA  MESSAGES  LAST CHECK  SUSPENDED",
                "ann@one.test  1M    20M    7         -           -",
                "bob@one.test  1M    20M    7         -           -",
            ],
        )

    def test_long_table(self) -> None:
        """A table is plain columns wherever nobody looks at it, each row one line."""
        rows = [{"name": f"n{number}\nx", "size": str(number)} for number in range(3)]
        lines = plain_table(rows, (("NAME", lambda row: row["name"]), ("SIZE", lambda row: row["size"])))
        self.assertEqual(lines, ["NAME  SIZE", "n0 x  0", "n1 x  1", "n2 x  2"])

    def test_octets(self) -> None:
        """Arguments that are no UTF-8 are wrong usage, and not a fault of the database."""
        self.run_command("queue", "list", "\udcff", code=2)
        self.assertIn("pattern is not UTF-8 text", self.talk)
        self.run_command("queue", "list", "b\u00fccher")

    def test_opened_once(self) -> None:
        """However many verbs a command needs, the data is opened once."""
        self.run_command("account", "remove", "ann@one.test", "--yes")
        self.assertEqual(self.opened, 1)

    def test_refusals(self) -> None:
        """What is refused or not found is exit code 1, with a near miss on stderr and nothing on stdout."""
        self.assertEqual(self.run_command("account", "show", "anna@one.test", code=1), "")
        self.assertEqual(self.talk, "hostmail: there is no account anna@one.test (did you mean ann@one.test?)\n")
        self.run_command("domain", "add", "one.test", code=1)
        self.assertIn("exists", self.talk.replace("is hosted here already", "exists"))

    def test_try_again(self) -> None:
        """A fault of ours is exit code 75."""

        async def broken(*_: object) -> None:
            raise TemporaryFailure

        self.world.facts.accounts = broken  # type: ignore[method-assign, assignment]
        self.run_command("account", "list", code=75)

    def test_usage(self) -> None:
        """What makes no sense is exit code 2."""
        for words in (
            ("account", "list", "--colour"),
            ("nonsense",),
            ("quota", "set", "ann@one.test", "huge"),
            ("relay", "allow", "192.0.2.1", "--for", "soon"),
            ("account", "set", "ann@one.test"),
            ("domain", "set", "one.test"),
            ("account", "set", "ann@one.test", "--suspend", "login", "--resume", "login"),
            ("session", "kick"),
            ("queue", "retry"),
        ):
            self.run_command(*words, code=2)
        self.assertEqual(self.opened, 0)

    def test_configuration(self) -> None:
        """A configuration that cannot be used is exit code 78, with line and key."""
        self.config.write_text("hostname: mail.test\nprofle: modern\n")
        self.run_command("account", "list", code=78)
        self.assertIn("hostmail.yaml:2: profle: is not a known key (did you mean profile?)", self.talk)

    def test_unreachable(self) -> None:
        """Without service and without data it is exit code 69; so is a service that breaks off."""
        with CommandLine() as line, contextlib.redirect_stderr(io.StringIO()) as talk:
            self.assertEqual(run(line, ["--config", str(self.config), "status"]), 69)
        self.assertIn("the service is not running", talk.getvalue())
        path = self.folder / "data" / "run"
        path.mkdir(parents=True)
        with socket.socket(socket.AF_UNIX) as listening:
            listening.bind(str(path / "control.sock"))
            listening.listen()
            listening.shutdown(socket.SHUT_RDWR)
            with CommandLine() as line, contextlib.redirect_stderr(io.StringIO()):
                self.assertEqual(run(line, ["--config", str(self.config), "status"]), 69)

    def test_main(self) -> None:
        """The entry exits with the code."""
        out = io.StringIO()
        with contextlib.redirect_stdout(out), self.assertRaises(SystemExit) as ended:
            main(self.offline, arguments=["--config", str(self.config), "version"])
        self.assertEqual(ended.exception.code, 0)
        self.assertTrue(out.getvalue().startswith("hostmail "))

    def test_control_characters(self) -> None:
        """What remote servers said cannot move the cursor of who reads it."""
        self.world.queue.add("x@a.test")
        self.assertNotIn("\x1b", self.run_command("queue", "list"))
        self.assertIn("450 \ufffd[31mlater", self.out)


class PasswordTests(Base):
    def stored(self, number: int) -> str:
        return self.world.facts.hashes[number]

    def test_stdin(self) -> None:
        """A password comes from stdin: its first line, spaces and all."""
        self.run_command("account", "add", "c@one.test", "--password-file", "-", stdin=" with blanks \nmore\n")
        self.assertEqual(self.stored(3), "{ARGON2ID} with blanks ")

    def test_file(self) -> None:
        """Or from a file; one that cannot be read, or holds none, is refused."""
        secret = self.folder / "secret"
        secret.write_bytes(b"long enough\r\n")
        self.run_command("account", "passwd", "ann@one.test", "--password-file", str(secret))
        self.assertEqual(self.stored(1), "{ARGON2ID}long enough")
        for content in (b"", b"\xff\xfe\n"):
            secret.write_bytes(content)
            self.run_command("account", "passwd", "ann@one.test", "--password-file", str(secret), code=1)
        secret.unlink()
        self.run_command("account", "passwd", "ann@one.test", "--password-file", str(secret), code=1)
        self.assertIn("cannot be read: No such file", self.talk)

    def test_generated(self) -> None:
        """A password made here is on stdout, once."""
        told = self.json("account", "add", "c@one.test", "--generate", "--quota", "none")
        self.assertEqual((self.stored(3), told["quota"]), ("{ARGON2ID}" + told["password"], None))
        self.assertIn("password", self.run_command("account", "passwd", "c@one.test", "--generate"))
        self.assertEqual(self.stored(3), "{ARGON2ID}" + self.out.split()[1])
        self.assertIn("password", self.json("account", "passwd", "c@one.test", "--generate"))
        self.assertRegex(generate(), r"\A([a-z2-9]{5}-){3}[a-z2-9]{5}\Z")
        self.assertNotEqual(generate(), generate())

    def test_prompt(self) -> None:
        """At a terminal it is asked for twice."""
        self.interactive = True
        self.run_command("account", "add", "c@one.test", stdin="long enough\nlong enough\n")
        self.assertEqual(self.stored(3), "{ARGON2ID}long enough")
        self.assertEqual(self.run_command("account", "passwd", "c@one.test", stdin="", code=1), "")

    def test_nobody_to_ask(self) -> None:
        """Without a terminal the options are named; both at once make no sense."""
        self.run_command("account", "add", "c@one.test", code=2)
        self.assertIn("--password-file FILE", self.talk)
        self.run_command("account", "add", "c@one.test", "--generate", "--password-file", "-", code=2)


class AskingTests(Base):
    def test_yes(self) -> None:
        """What destroys something needs --yes when nobody can be asked."""
        self.world.queue.add("x@a.test")
        for words in (
            ("account", "remove", "ann@one.test"),
            ("relay", "revoke", "192.0.2.2"),
            ("relay", "clear"),
            ("session", "kick", "--all"),
            ("queue", "delete", "x@"),
            ("domain", "remove", "one.test"),
        ):
            self.run_command(*words, code=2)
            self.run_command(*words, "--yes")
        self.assertEqual(self.json("domain", "list"), [])

    def test_asked(self) -> None:
        """At a terminal the question says what would be lost, and anything but yes keeps it."""
        self.interactive = True
        self.run_command("domain", "remove", "one.test", stdin="n\n", code=1)
        self.assertIn("Remove one.test with 2 account(s) and 2M of mail?", self.talk)
        self.run_command("account", "remove", "ann@one.test", stdin="y\n")
        self.assertEqual(len(self.json("account", "list")), 1)


class VerbTests(Base):
    def test_domain(self) -> None:
        """A domain's life: added, changed, shown."""
        self.run_command("domain", "add", "two.test", "--quota", "500M", "--main-login", "second")
        row = self.json(
            "domain", "set", "one.test", "--default-mailbox", "bob@one.test", "--no-pop-before-smtp", "--quota", "1G"
        )
        self.assertEqual(
            (row["default_mailbox"], row["pop_before_smtp"], row["quota"]), ("bob@one.test", False, 1 << 30)
        )
        row = self.json(
            "domain", "set", "one.test", "--default-mailbox", "none", "--suspend", "login", "--suspend", "incoming"
        )
        self.assertEqual(
            (row["default_mailbox"], row["login_suspended"], row["outgoing_suspended"]), (None, True, False)
        )
        self.assertIn("suspended          login, incoming", self.run_command("domain", "show", "one.test"))
        self.assertRegex(self.run_command("domain", "list"), r"two.test +second +0 +0B +500M +-")

    def test_account(self) -> None:
        """An account is changed and shown with its second login (A3)."""
        row = self.json("account", "set", "ann@one.test", "--quota", "50M", "--suspend", "outgoing")
        self.assertEqual((row["quota"], row["outgoing_suspended"]), (50 << 20, True))
        self.run_command("account", "set", "ann@one.test", "--resume", "outgoing")
        self.assertIn("second login  one.test", self.run_command("account", "show", "ann@one.test"))

    def test_quota(self) -> None:
        """Quotas of accounts and domains, in units."""
        self.assertIn("free   19M", self.run_command("quota", "show", "ann@one.test"))
        self.assertIn("quota  none", self.run_command("quota", "set", "one.test", "none"))
        self.world.facts.by_key["ann@one.test"] = self.world.facts.by_key["ann@one.test"].__class__(
            1, "ann@one.test", "one.test", "d1", 5, 100
        )
        self.assertIn("messages allowed  100", self.run_command("quota", "show", "ann@one.test"))

    def test_relay(self) -> None:
        """Grants are listed, opened and explained in words."""
        self.assertRegex(self.run_command("relay", "list"), r"192.0.2.1 +ann@one.test +20..-.*10m")
        self.assertRegex(self.run_command("relay", "allow", "198.51.100.1", "--for", "2h"), r"operator .*2h")
        self.assertRegex(self.run_command("relay", "why", "192.0.2.1"), "may relay until .* opened by ann@one.test")
        self.assertIn("nobody has checked mail from there within 30m", self.run_command("relay", "why", "192.0.2.88"))
        self.world = World(pop_before_smtp=False)
        self.assertIn("pop_before_smtp is off", self.run_command("relay", "why", "192.0.2.88"))
        refused = {"ip": "192.0.2.1", "may_relay": False, "pop_before_smtp": True, "window": 1800, "shared_by": 9}
        with contextlib.redirect_stdout(io.StringIO()) as said:
            explain(refused)
        self.assertIn("9 accounts share it", said.getvalue())

    def test_session(self) -> None:
        """Sessions with what they do; disconnecting by number or account."""
        self.assertRegex(self.run_command("session", "list"), r"2 +imaps +192.0.2.9 +ann@one.test .*TLS +folder=INBOX")
        self.assertIn("the service is not running", self.talk)
        self.run_command("session", "kick", "1")
        self.run_command("session", "kick", "--account", "ann@one.test")
        self.assertEqual(len(self.json("session", "list", "bob@one.test")), 2)

    def test_mailbox(self) -> None:
        """Verify ends with 4 while there are problems; repair with 0 once they are mended."""
        self.assertEqual(self.run_command("mailbox", "verify", "ann@one.test"), "3 message(s), 0 problem(s)\n")
        self.world.store.report["problems"] = ["size differs: x"]
        self.assertIn("size differs: x\n", self.run_command("mailbox", "verify", "ann@one.test", code=4))
        self.assertIn("1 problem(s), 1 repaired", self.run_command("mailbox", "repair", "ann@one.test"))
        self.world.store.report["problems"] = []
        self.run_command("mailbox", "unlock", "ann@one.test")
        self.assertIn("1 POP3 session(s) of ann@one.test disconnected", self.talk)

    def test_repair_fails(self) -> None:
        """What could not be mended is exit code 4."""
        self.world.call = lambda verb, **_: {"messages": 1, "problems": ["x"], "repaired": 0}  # type: ignore[method-assign]
        self.run_command("mailbox", "repair", "ann@one.test", code=4)

    def test_queue(self) -> None:
        """Waiting mail is listed, shown, tried and dropped."""
        self.world.queue.add("x@a.test")
        self.assertRegex(self.run_command("queue", "list"), r"Q1 +<> +x@a.test +2K +waiting +0")
        self.assertRegex(self.run_command("queue", "show", "a.test"), r"next attempt +20..-")
        self.run_command("queue", "retry", "--all")
        self.run_command("queue", "list", "--limit", "1")
        self.assertIn("the oldest 1;", self.talk)
        self.run_command("queue", "hold", "x@a", "nobody", code=1)
        self.run_command("queue", "hold", "x@a")
        self.assertIn("1 recipient(s) held", self.talk)
        self.assertEqual(self.json("queue", "release", "--all"), {"released": 1, "suspended": []})
        self.assertRegex(self.run_command("queue", "stats"), r"(?s)recipients waiting +1.*b.test +1 +0")
        self.assertIn("hello", self.run_command("queue", "cat", "Q1"))
        self.run_command("queue", "bounce", "--all", "--yes")
        self.assertIn("will be returned", self.talk)
        self.assertEqual(self.json("queue", "delete", "--all", "--yes"), {"deleted": 1})

    def test_queue_story(self) -> None:
        """What an operator does to waiting mail is in its story, and what he was refused is not."""
        self.world.queue.add("x@a.test")
        for verb in ("hold", "release", "bounce"):
            self.run_command("queue", verb, "x@a", *(["--yes"] if verb == "bounce" else []))
        self.run_command("queue", "delete", "x@a", "--yes")
        self.run_command("queue", "delete", "x@a", "--yes", code=1)
        printed = self.run_command("trace", "x@a.test")
        self.assertRegex(
            printed,
            r"(?s)held for x@a.test: by the operator \w+\n.*waits in the queue for x@a.test: released by the operator \w+\n"
            r".*ordered back to its sender for x@a.test: by the operator \w+\n",
        )
        self.assertEqual(printed.count("deleted from the queue for x@a.test: by the operator"), 1)

    def test_queue_of_an_account(self) -> None:
        """The queue is asked for an account by its number, whatever it is called here."""
        asked: list[str] = []

        async def listed(pattern: str = "", most: int | None = None) -> list[Any]:
            asked.append(pattern)
            return []

        self.world.queue.list = listed  # type: ignore[method-assign]
        self.run_command("queue", "list", "Account:ann@one.test", "state:held")
        self.assertRegex(asked[0], r"^account:\d+ state:held$")
        self.run_command("queue", "list", "account:nobody@one.test", code=1)
        self.run_command("queue", "list", "account:17", "to:x@y.test")
        self.assertEqual(asked[1:], ["account:17 to:x@y.test"])

    def test_status(self) -> None:
        """One look, whether the service runs or not."""
        self.assertIn("sessions              2 imaps, 2 pop3", self.run_command("status"))
        self.world = World(running=False)
        self.assertRegex(self.run_command("status"), r"running +no")

    def test_version(self) -> None:
        """The version needs no configuration."""
        self.config.unlink()
        self.assertEqual(list(self.json("version")), ["version"])
