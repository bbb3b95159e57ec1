"""hostmail list ... and the verbs behind it, over a real directory."""

from __future__ import annotations

from hostmail.errors import BadValue
from hostmail.interfaces.queue import Queued
from tests.admin.test_addresses import ANN, BEA, AddressesCase

TEAM = "team@example.com"


class ListTests(AddressesCase):
    def test_life(self) -> None:
        """A list is made, shown, changed, listed and given up; without --owner the default mailbox owns it."""
        told = self.json("list", "add", TEAM, "--description", "The team")
        expected = {
            "address": TEAM,
            "description": "The team",
            "owners": [ANN],
            "post": "members",
            "size_bytes": 1024 * 1024,
            "tell_held": True,
            "members": 0,
            "dropped": 0,
            "held": 0,
        }
        self.assertEqual(told, expected)
        self.assertEqual(self.json("list", "show", "Team@example.com"), expected)
        changed = self.json("list", "set", TEAM, "--owner", BEA, "--owner", ANN, "--post", "anyone", "--size", "20M")
        changes = {"owners": [ANN, BEA], "post": "anyone", "size_bytes": 20 * 1024 * 1024}
        self.assertEqual(changed, expected | changes)
        self.assertEqual(self.json("list", "list"), [changed])
        self.assertEqual(self.json("list", "list", "example.com"), [changed])
        self.assertIn("The team", self.run_command("list", "list"))
        self.assertIn("anyone", self.run_command("list", "show", TEAM))
        self.assertFalse(self.json("list", "set", TEAM, "--no-tell-held")["tell_held"])
        self.run_command("list", "remove", TEAM)
        self.assertEqual(self.talk, f"{TEAM} is no mailing list any more\n")
        self.assertEqual(self.json("list", "list"), [])

    def test_held_posts(self) -> None:
        """Whoever looks at a list sees how many posts wait for its owners, and of many lists each one's own."""
        other = "other@example.com"
        for address in (TEAM, other):
            self.run_command("list", "add", address)
        for number, recipient in enumerate(("Team@example.com", TEAM, other)):
            self.world.held_posts.append(Queued(number, f"q{number}", ANN, recipient, "", 9, None, 0.0, 0.0))
        self.assertEqual([self.json("list", "show", address)["held"] for address in (TEAM, other)], [2, 1])
        self.assertEqual(self.json("list", "set", TEAM, "--post", "anyone")["held"], 2)
        self.assertEqual({row["address"]: row["held"] for row in self.json("list", "list")}, {TEAM: 2, other: 1})
        self.assertRegex(self.run_command("list", "show", TEAM), r"held posts +2\n")

    def test_mistakes(self) -> None:
        """Each is refused with words that help."""
        self.run_command("list", "add", ANN, code=1)
        self.assertIn("is somebody's", self.talk)
        self.run_command("list", "add", TEAM, "--post", "nobody", code=2)
        self.run_command("list", "add", TEAM, "--size", "1", code=1)
        self.run_command("list", "add", "team", code=1)
        self.run_command("list", "add", "team@nowhere.example", code=1)
        self.get(self.changes.add_domain("empty.example"))
        self.run_command("list", "add", "team@empty.example", code=1)
        self.assertIn("name an owner", self.talk)
        self.run_command("list", "add", TEAM)
        self.run_command("list", "show", "taem@example.com", code=1)
        self.assertIn(f"did you mean {TEAM}?", self.talk)


class MemberTests(AddressesCase):
    def setUp(self) -> None:
        super().setUp()
        self.run_command("list", "add", TEAM)

    def members(self) -> list[str]:
        return [row["address"] for row in self.json("list", "member", "list", TEAM)]

    def test_add_and_remove(self) -> None:
        """Several at a time; who is there already stays."""
        self.run_command("list", "member", "add", TEAM, BEA, "bob@far.example")
        self.assertEqual(self.talk, f"{BEA}: added\nbob@far.example: added\n")
        self.run_command("list", "member", "add", TEAM, BEA)
        self.assertEqual(self.talk, f"{BEA}: unchanged\n")
        self.assertIn("bob@far.example", self.run_command("list", "member", "list", TEAM))
        self.run_command("list", "member", "remove", TEAM, BEA)
        self.assertEqual(self.members(), ["bob@far.example"])
        self.run_command("list", "member", "remove", TEAM, "bod@far.example", code=1)
        self.assertIn("did you mean bob@far.example?", self.talk)

    def test_import(self) -> None:
        """From standard input, too; what is wrong is told by line, and the rest is done (exit code 3)."""
        text = "# people\nbob@far.example\n\nno address\nBOB@far.example\neve@far.example\nteam-owner@example.com\n"
        out = self.run_command("list", "member", "import", TEAM, "--dry-run", stdin=text, code=3)
        self.assertIn("would be: 3 added, 0 unchanged, 2 problems", out)
        self.assertEqual(self.members(), [])
        out = self.run_command("list", "member", "import", TEAM, "-", stdin=text, code=3)
        self.assertIn("2 added, 1 unchanged, 2 problems", out)
        self.assertIn("-:4: no address", self.talk)
        self.assertEqual(self.members(), ["bob@far.example", "eve@far.example"])
        file = self.folder / "people.txt"
        file.write_text("bob@far.example\n")
        self.assertIn("0 added, 1 unchanged", self.run_command("list", "member", "import", TEAM, str(file)))
        file.write_text("nobody\n")
        self.run_command("list", "member", "import", TEAM, str(file), code=1)
        file.write_bytes(b"\xff\n")
        self.run_command("list", "member", "import", TEAM, str(file), code=1)

    def test_too_many_rows(self) -> None:
        """A request is bounded."""
        rows = [{"line": n, "member": BEA} for n in range(201)]
        self.assertRaises(BadValue, self.call, "list.member.import", address=TEAM, rows=rows)
