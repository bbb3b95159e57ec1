"""hostmail operator, owner, token and audit, as a shell asks for them."""

from __future__ import annotations

from hostmail.actor import Role
from hostmail.envelope import Peer
from hostmail.interfaces.people import SecondFactor
from tests.admin.commanding import Base

STRONG = "long enough"


class PeopleCommandTests(Base):
    def test_operator(self) -> None:
        """An operator from the first day to the last, his password made here and shown once."""
        made = self.run_command("operator", "add", "zoe", "--generate")
        self.assertIn("zoe is an operator", self.talk)
        password = made.split()[-1]
        self.assertEqual(self.world.people.hashes["zoe"], "{ARGON2ID}" + password)
        self.run_command("operator", "passwd", "zoe", "--password-file", "-", stdin=STRONG + "\n")
        self.assertNotIn(STRONG, self.out + self.talk)
        self.run_command("operator", "suspend", "zoe")
        (row,) = self.json("operator", "list")
        self.assertTrue(row["suspended"])
        self.run_command("operator", "resume", "zoe")
        self.assertEqual(self.run_command("operator", "list").splitlines()[1].split()[:3], ["zoe", "no", "no"])
        self.run_command("operator", "remove", "zoe", code=2)
        self.run_command("operator", "remove", "zoe", "--yes")
        self.assertEqual(self.json("operator", "list"), [])

    def test_owner(self) -> None:
        """An owner with domains and limits."""
        told = self.json("owner", "add", "max", "--domain", "one.test", "--accounts", "5", "--lists", "0", "--generate")
        self.assertEqual((told["domains"], told["accounts"], told["lists"], told["quota"]), (["one.test"], 5, 0, None))
        self.assertEqual(self.world.people.hashes["max"], "{ARGON2ID}" + told["password"])
        told = self.json("owner", "set", "max", "--accounts", "none", "--quota", "10G", "--forwards", "7")
        self.assertEqual((told["accounts"], told["quota"], told["forwards"]), (None, 10 << 30, 7))
        self.run_command("owner", "set", "max", code=2)
        self.run_command("owner", "set", "max", "--accounts", "many", code=2)
        self.world.call("domain.add", name="two.test")
        self.assertIn("one.test, two.test", self.run_command("owner", "grant", "max", "two.test"))
        self.assertIn("domains        two.test\n", self.run_command("owner", "revoke", "max", "one.test"))
        self.assertIn("10G", self.run_command("owner", "list"))
        self.assertIn("quota          10G\n", self.run_command("owner", "show", "max"))
        self.run_command("owner", "remove", "max", "--yes")
        self.run_command("owner", "show", "max", code=1)

    def test_forget_code(self) -> None:
        """Who has lost his second factor signs in without it."""
        self.world.call("owner.add", login="max", password=STRONG)
        self.world.factors.of["person:1"] = SecondFactor(1, b"x", active=True)
        self.run_command("owner", "forget-code", "max")
        self.assertEqual(self.world.factors.of, {})
        self.run_command("operator", "forget-code", "max", code=1)

    def test_new_codes(self) -> None:
        """Recovery codes are one in each line, for paper."""
        self.world.call("owner.add", login="max", password=STRONG)
        self.world.factors.of["person:1"] = SecondFactor(1, b"x", active=True)
        self.assertEqual(self.run_command("owner", "new-codes", "max"), "three\nfour\n")
        self.run_command("owner", "new-codes", "nobody", code=1)

    def test_logins(self) -> None:
        """Attempts to sign in, with what they mean."""
        self.world.call("operator.add", login="zoe", password=STRONG)
        self.world.attempts.tell(-1, "zoe", "wrong or used code", Peer("192.0.2.66", "panel", tls=True))
        self.assertIn("192.0.2.66", self.run_command("operator", "logins", "zoe"))
        self.assertIn("may know the password", self.talk)


class TokenCommandTests(Base):
    def test_token(self) -> None:
        """A token is made with a scope, shown once, listed without it, and revoked."""
        self.run_command("token", "add", "backup", code=2)
        self.run_command("token", "add", "backup", "--operator", "--account", "ann@one.test", code=2)
        self.assertIn("token  shown 1", self.run_command("token", "add", "backup", "--operator", "--days", "30"))
        self.json("token", "add", "sync", "--domain", "one.test", "--read-only")
        self.json("token", "add", "phone", "--account", "ann@one.test")
        self.assertEqual([token.role for token in self.world.tokens.kept], [Role.OPERATOR, Role.OWNER, Role.USER])
        listed = self.run_command("token", "list")
        self.assertNotIn("shown", listed)
        self.assertIn("one.test", listed)
        self.run_command("token", "revoke", "2")
        self.run_command("token", "revoke", "2", code=1)


class AuditCommandTests(Base):
    def test_audit(self) -> None:
        """What was changed and what was refused is told in a line each."""
        self.run_command("account", "set", "ann@one.test", "--quota", "5M")
        self.run_command("account", "passwd", "ann@one.test", "--password-file", "-", stdin="short\n", code=1)
        lines = self.run_command("audit", "--about", "ann@").splitlines()
        self.assertIn("account.passwd  ann@one.test  password *** (refused: the password needs", lines[1])
        self.assertIn("root (operator)  command  account.set     ann@one.test  quota 5242880", lines[2])
        self.assertEqual(self.json("audit", "--by", "nobody", "--since", "1h"), [])
