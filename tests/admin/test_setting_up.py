"""hostmail init, config and account import."""

from __future__ import annotations

import json
import os
import pwd
import re
import stat

from hostmail.errors import TemporaryFailure
from tests.admin.commanding import Base
from tests.admin.fakes import World


class ConfigTests(Base):
    def test_fine(self) -> None:
        """A good file is exit code 0."""
        self.assertEqual(self.run_command("config", "check"), "")
        self.assertIn("is fine", self.talk)

    def test_wrong(self) -> None:
        """Mistakes are listed and end with 78; what is missing on this machine ends with 4."""
        self.config.write_text("hostname: mail.test\nprofle: 1\nrelay_window: x\n")
        self.assertEqual(len(self.json("config", "check", code=78)["problems"]), 2)
        self.config.write_text(
            "hostname: mail.test\nlisten: {}\ndata_dir: hostmail.yaml\n"
            "smarthost: 'x:25'\nsmarthost_login: me\nsmarthost_password_file: none\n"
            "tls: {certificate: c.pem, private_key: k.pem, directory: d}\n"
        )
        told = self.run_command("config", "check", code=4)
        for words in (
            "tls.certificate: ",
            "tls.private_key: ",
            "tls.directory: ",
            "data_dir: ",
            "listen: ",
            "smarthost_password_file: ",
        ):
            self.assertIn(words, told)

    def test_show(self) -> None:
        """Every setting in force can be read as YAML, and is the same configuration again."""
        shown = self.run_command("config", "show")
        self.assertIn("relay_window: 30m\n", shown)
        self.assertEqual(self.json("config", "show")["relay_window"], 1800)
        before = self.json("config", "show")
        self.config.write_text(shown)
        self.assertEqual(self.json("config", "show"), before)


class ImportTests(Base):
    def file(self, text: str) -> str:
        path = self.folder / "people.csv"
        path.write_text(text, encoding="utf-8-sig")
        return str(path)

    def test_whole(self) -> None:
        """A file without problems is exit code 0 and a summary; again, it changes nothing."""
        path = self.file('address,password,quota\nc@one.test,long enough,5M\nd@one.test,"with, comma",\n')
        self.assertEqual(
            self.run_command("account", "import", path, "--dry-run"),
            "would be: 2 created, 0 updated, 0 unchanged, 0 problems\n",
        )
        self.assertEqual(self.run_command("account", "import", path), "2 created, 0 updated, 0 unchanged, 0 problems\n")
        self.assertEqual(self.json("account", "import", path)["unchanged"], 2)

    def test_partly(self) -> None:
        """Problems have a line each, the rest is done, and the exit code is 3."""
        path = self.file(
            "address,password\nc@one.test,long enough\nC@one.test,long enough\nx@one.test,a,b\ny@one.test,short\n"
        )
        told = self.json("account", "import", path, code=3)
        self.assertEqual([problem["line"] for problem in told["problems"]], [3, 4, 5])
        self.assertIn(f"{path}:3: C@one.test: is in line 2 already\n", self.talk)
        self.assertIn("more fields than columns", self.talk)

    def test_nothing(self) -> None:
        """A file of which nothing could be done is exit code 1; so is one that is no such list."""
        self.run_command("account", "import", self.file("address,password\nx@one.test,short\n"), code=1)
        for text, words in (
            ("address,pasword\n", "unknown column 'pasword'"),
            ("address,password,size\n", "unknown column 'size'"),
            ("password\n", "lacks address"),
            ("", "lacks address"),
        ):
            self.run_command("account", "import", self.file(text), code=1)
            self.assertIn(words, self.talk)
        (self.folder / "people.csv").write_bytes(b"address,password\n\xff,x\n")
        self.run_command("account", "import", str(self.folder / "people.csv"), code=1)
        self.assertIn("people.csv:2: is not UTF-8 text", self.talk)

    def test_as_spreadsheets_write_it(self) -> None:
        """A byte order mark, CRLF, columns in another order, lines that are too short or empty: all understood."""
        path = self.file(
            "quota,password,address\r\nnone,long enough,c@one.test\r\n\r\n20M,long enough,d@one.test\r\n5M\r\n"
        )
        told = self.json("account", "import", path, code=3)
        self.assertEqual((told["created"], [problem["line"] for problem in told["problems"]]), (2, [5]))
        quotas = {row["address"]: row["quota"] for row in self.json("account", "list")}
        self.assertEqual((quotas["c@one.test"], quotas["d@one.test"]), (None, 20 << 20))

    def test_the_panels_own_table(self) -> None:
        """The table of accounts as the panel saves it can be changed and taken: what it has no column for stays as it is."""
        self.run_command("account", "import", self.file("address,password\nc@one.test,long enough\n"))
        saved = "address,used,quota,messages,last_check,checked_by,state\nc@one.test,12,{},1,,,active\n"
        self.assertEqual(self.json("account", "import", self.file(saved.format(5 << 20)))["updated"], 1)
        self.assertEqual(self.json("account", "import", self.file(saved.format(5 << 20)))["unchanged"], 1)
        self.assertEqual(self.json("account", "import", self.file(saved.format("none")))["updated"], 1)
        told = self.json("account", "import", self.file("address,quota\nnew@one.test,5M\n"), code=1)
        self.assertIn("a new account needs a password", told["problems"][0]["problem"])

    def test_not_readable(self) -> None:
        """A line that no CSV reader takes is named."""
        self.run_command("account", "import", self.file("address,password\nx," + "y" * 200_000), code=1)
        self.assertIn("people.csv:2: cannot be read as CSV", self.talk)

    def test_batches(self) -> None:
        """A long file is asked in batches."""
        rows = "".join(f"u{number}@one.test,long enough\n" for number in range(120))
        self.assertEqual(self.json("account", "import", self.file("address,password\n" + rows))["created"], 120)


class InitTests(Base):
    def setUp(self) -> None:
        super().setUp()
        self.config.unlink()
        self.world = World()

    def init(self, *words: str, code: int = 0, stdin: str = "") -> str:
        given = ("--hostname", "mail.two.test", "--data-dir", str(self.folder / "d"), "--domain", "two.test")
        return self.run_command("init", *given, *words, code=code, stdin=stdin)

    def test_everything_given(self) -> None:
        """A configuration, a certificate, a domain and an account; then it can be started."""
        told = json.loads(
            self.init("--account", "ann", "--generate", "--port-offset", "2000", "--profile", "modern", "--json")
        )
        self.assertEqual((told["login"], told["domain"]), ("ann@two.test", "two.test"))
        self.assertEqual(self.world.facts.hashes[1], "{ARGON2ID}" + told["password"])
        (settings,) = self.certificates
        self.assertEqual((settings.hostname, settings.profile), ("mail.two.test", "modern"))
        self.assertEqual([port.endpoint for port in settings.listen["imaps"]], ["tcp:2993"])
        self.assertIn("twistd -n hostmail --config", self.talk)

    def test_operator(self) -> None:
        """Somebody can sign in to the panel at once, with a password that is shown this once; who could before still can."""
        told = json.loads(self.init("--account", "ann", "--generate", "--json"))
        self.assertEqual(self.world.people.hashes, {told["operator"]: "{ARGON2ID}" + told["operator_password"]})
        self.config.unlink()
        again = json.loads(self.init("--account", "bob", "--generate", "--json"))
        self.assertNotIn("operator", again)
        self.assertEqual(len(self.world.people.hashes), 1)

    def test_operators_name_taken(self) -> None:
        """Where that login is somebody else's, it is said what to do."""
        self.world.call("owner.add", login="operator", password="long enough")
        self.init("--account", "ann", "--generate")
        self.assertIn("hostmail operator add", self.talk)

    def test_again(self) -> None:
        """A configuration that is there is never overwritten."""
        self.init("--account", "ann", "--generate")
        before = self.config.read_text()
        self.init("--account", "bob", "--generate", code=1)
        self.assertEqual(self.config.read_text(), before)

    def test_domain_there(self) -> None:
        """A data directory that has the domain already keeps it."""
        self.world.call("domain.add", name="two.test")
        self.init("--account", "ann", "--password-file", "-", stdin="long enough\n")
        self.assertIn("hosted there already", self.talk)

    def test_fails(self) -> None:
        """What fails leaves no configuration, so that it can be said again."""
        self.init("--account", "ann", "--password-file", "-", stdin="short\n", code=1)
        self.assertFalse(self.config.exists())
        self.run_command(
            "init", "--hostname", "a b", "--domain", "x.test", "--account", "y", "--data-dir", "d", "--generate", code=1
        )
        self.assertIn("hostname: 'a b' is no host name", self.talk)
        self.assertFalse(self.config.exists())

    def test_other_refusal(self) -> None:
        """A domain that cannot be added for another reason ends it."""

        async def broken(*_: object, **__: object) -> None:
            raise TemporaryFailure

        self.world.facts.add_domain = broken  # type: ignore[method-assign, assignment]
        self.init("--account", "ann", "--generate", code=75)

    def test_for_another_user(self) -> None:
        """The data directory is made as the service's user's, and the start is told with his name (LIMITS Files)."""
        me = pwd.getpwuid(os.geteuid())
        self.init("--account", "ann", "--generate", "--user", me.pw_name)
        made = (self.folder / "d").stat()
        self.assertEqual((made.st_uid, made.st_gid, stat.S_IMODE(made.st_mode)), (me.pw_uid, me.pw_gid, 0o700))
        self.assertIn(f"--uid {me.pw_name} --gid ", self.talk)
        self.config.unlink()
        self.init("--account", "ann", "--generate", "--user", "nobody-of-that-name", code=1)
        self.assertIn("--user: there is no user nobody-of-that-name", self.talk)

    def test_readable(self) -> None:
        """The service's user can read the configuration, whatever the umask of whoever ran init."""
        before = os.umask(0o077)
        self.addCleanup(os.umask, before)
        self.init("--account", "ann", "--generate")
        self.assertEqual(stat.S_IMODE(self.config.stat().st_mode), 0o644)

    def test_asks(self) -> None:
        """At a terminal what is not given is asked for, with a proposal."""
        self.interactive = True
        answers = f"mail.two.test\n{self.folder}/d\n\n\nlong enough\nlong enough\n"
        self.run_command("init", stdin=answers)
        self.assertIn("postmaster@two.test", self.out)

    def test_nobody_to_ask(self) -> None:
        """Without a terminal the missing option is named."""
        self.run_command("init", code=2)
        self.assertIn("Host name of this server?", re.sub(r"\s+", " ", self.talk))

    def test_not_writable(self) -> None:
        """A place where no file can be is named."""
        blocked = self.folder / "file"
        blocked.write_text("")
        self.config = blocked / "hostmail.yaml"
        self.init("--account", "ann", "--generate", code=1)
        self.assertIn("cannot be written", self.talk)
