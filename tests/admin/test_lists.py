"""hostmail list ... and the verbs behind it, over a real directory."""

from __future__ import annotations

from twisted.internet.defer import Deferred

from hostmail.actor import Actor, Role
from hostmail.errors import BadValue, NotAllowed, NotFound
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
            self.world.held_posts.rows.append(Queued(number, f"q{number}", ANN, recipient, "", 9, None, 0.0, 0.0))
        self.assertEqual([self.json("list", "show", address)["held"] for address in (TEAM, other)], [2, 1])
        self.assertEqual(self.json("list", "set", TEAM, "--post", "anyone")["held"], 2)
        self.assertEqual({row["address"]: row["held"] for row in self.json("list", "list")}, {TEAM: 2, other: 1})
        self.assertEqual([row["held"] for row in self.json("list", "list", TEAM.partition("@")[2])], [1, 2])
        self.assertRegex(self.run_command("list", "show", TEAM), r"held posts +2\n")

    def hold(self, queue_id: str, sender: str = ANN, address: str = TEAM) -> None:
        self.world.held_posts.rows.append(Queued(1, queue_id, sender, address, "", 2048, None, 0.0, 0.0))

    def test_deciding(self) -> None:
        """Posts that wait are shown, let go and rejected; who did that is told on, and what became of the post is said."""
        self.run_command("list", "add", TEAM)
        self.assertEqual(self.json("list", "posts", TEAM), [])
        for queue_id, sender in (("q1", BEA), ("q2", BEA), ("q3", "eve@far.example")):
            self.hold(queue_id, sender)
        self.world.held_posts.member = BEA
        told = self.json("list", "posts", TEAM)
        self.assertEqual([row["queue_id"] for row in told], ["q1", "q2", "q3"])
        expected = {
            "sender": BEA,
            "author": f"A <{BEA}>",
            "subject": "hello",
            "size": 2048,
            "why_held": "is not a member",
        }
        self.assertEqual({name: told[0][name] for name in expected}, expected)
        self.assertRegex(self.run_command("list", "posts", TEAM), r"(?m)^q3 .*hello .*is not a member$")
        self.run_command("list", "approve", TEAM, "q1")
        self.assertEqual(self.talk, f"q1 goes to the members of {TEAM}\n")
        self.run_command("list", "reject", TEAM, "q2")
        self.assertEqual(self.talk, f"q2 goes back to {BEA}\n")
        self.run_command("list", "reject", TEAM, "q3")
        self.assertEqual(self.talk, "q3 is deleted\n")
        who = "the operator root"
        decided = [("approve", TEAM, "q1", who), ("reject", TEAM, "q2", who), ("reject", TEAM, "q3", who)]
        self.assertEqual(self.world.held_posts.decided, decided)

    def test_whose_they_are(self) -> None:
        """An owner decides about posts of his domains' lists; another's are not there for him, and users decide about none."""
        self.run_command("list", "add", TEAM)
        for queue_id in ("q1", "q2"):
            self.hold(queue_id, BEA)
        his = Actor(Role.OWNER, "joe", "panel", domains=frozenset({"example.com"}))
        other = Actor(Role.OWNER, "moe", "panel", domains=frozenset({"example.net"}))
        user = Actor(Role.USER, ANN, "panel", address=ANN)
        for verb, more in (("posts", {}), ("approve", {"queue_id": "q1"}), ("reject", {"queue_id": "q1"})):
            for actor, refusal in ((other, NotFound), (user, NotAllowed)):
                asked = self.world.admin.call(f"list.{verb}", {"address": TEAM, **more}, actor)
                self.failureResultOf(Deferred.fromCoroutine(asked), refusal)
        self.get(self.world.admin.call("list.approve", {"address": TEAM, "queue_id": "q1"}, his))
        self.get(self.world.admin.call("list.reject", {"address": TEAM, "queue_id": "q2"}, his))
        who = "the owner joe"
        self.assertEqual(self.world.held_posts.decided, [("approve", TEAM, "q1", who), ("reject", TEAM, "q2", who)])

    def test_not_to_be_decided(self) -> None:
        """What waits for another list, what waits no more, and what was never there is refused with words that say so."""
        other = "other@example.com"
        for address in (TEAM, other):
            self.run_command("list", "add", address)
        self.hold("q1", address=other)
        for verb in ("approve", "reject"):
            for queue_id in ("q1", "q9", ""):
                self.run_command("list", verb, TEAM, queue_id, code=1)
                self.assertIn(f"no post {queue_id} waits for the owners of {TEAM}", self.talk)
            self.run_command("list", verb, "nolist@example.com", "q1", code=1)
        self.assertEqual((self.world.held_posts.decided, len(self.world.held_posts.rows)), ([], 1))

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
