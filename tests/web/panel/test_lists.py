"""Mailing lists in the panel (E3)."""

from __future__ import annotations

from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from tests.web.facts import MINE
from tests.web.fakes import Browser, Site

LISTS = f"/domains/{MINE}/lists"
TEAM = f"team@{MINE}"
PAGE = f"{LISTS}/{TEAM}"


class ListTests(SynchronousTestCase):
    def setUp(self) -> None:
        folder = Path(self.mktemp())
        folder.mkdir()
        self.site = Site(folder)
        self.admin = self.site.admin
        self.browser = Browser(self.site)
        self.browser.sign_in("owen")
        self.made = self.browser.fill(
            LISTS, "add", name="team", description="The team", post="owners", owners=f"info@{MINE}"
        )

    def test_add(self) -> None:
        """A list is made, and shown with what it is for, who may write and who owns it."""
        self.assertEqual(self.made.headers["location"], PAGE)
        text = self.browser.get(LISTS).text
        for words in (TEAM, "The team", "its owners", f"info@{MINE}"):
            self.assertIn(words, text)

    def test_how_many_are_held(self) -> None:
        """How many posts wait for the owners is told in the table."""
        self.admin.lists[TEAM]["held"] = 23
        self.assertIn(",23,", self.browser.get(f"{LISTS}?format=csv").text)

    def test_held_posts(self) -> None:
        """Each is shown as text, whatever its sender wrote, with what to know to decide; or that there is none."""
        self.assertIn("No post waits for the owners.", self.browser.get(PAGE).text)
        self.hold("q1", author="<b>Eve</b> <eve@far.test>", subject="<script>x()</script>")
        self.hold("q2", author="", subject="", sender="")
        text = self.browser.get(PAGE).text
        for words in (
            "2 posts wait for the owners",
            "&lt;b&gt;Eve",
            "&lt;script&gt;x()",
            "is not a member",
            "2\N{NO-BREAK SPACE}KB",
        ):
            self.assertIn(words, text)
        self.assertEqual((text.count(">Let it go <span"), text.count(">Reject <span")), (2, 2))
        for tag in ("<b>", "<script>x"):
            self.assertNotIn(tag, text)

    def test_decide(self) -> None:
        """Each is let go or rejected with its own button; the page then says what became of it."""
        for number in range(3):
            self.hold(f"q{number}")
        self.assertEqual(self.browser.fill(PAGE, "approve", post="q1").headers["location"], PAGE)
        self.assertIn("The post goes to the members.", self.browser.get(PAGE).text)
        self.browser.fill(PAGE, "reject", post="q0")
        self.assertIn("The post is deleted. Nobody is told.", self.browser.get(PAGE).text)
        self.admin.returned_to = "bob@far.test"
        self.browser.fill(PAGE, "reject", post="q2")
        self.assertIn("The post goes back to bob@far.test.", self.browser.get(PAGE).text)
        self.assertEqual(self.admin.posts, [])

    def test_decided_meanwhile(self) -> None:
        """Whoever comes second is told that the post waits no more, over the page as it is now."""
        for action in ("approve", "reject"):
            answer = self.browser.fill(PAGE, action, post="q1")
            self.assertEqual(answer.status, 404)
            self.assertIn("No post q1 waits for the owners", answer.text)
            self.assertIn("No post waits for the owners.", answer.text)

    def hold(self, queue_id: str, **told: str) -> None:
        usual = {"sender": "eve@far.test", "author": "Eve <eve@far.test>", "subject": "hello"}
        more = {"size": 2048, "since": 1.7e9, "until": 1.7e9 + 9, "why_held": "eve@far.test is not a member"}
        self.admin.posts.append({"queue_id": queue_id, **more, **usual, **told})

    def test_change(self) -> None:
        """How it works is changed; it keeps an owner and a limit."""
        usual = {"description": "All of us", "post": "anyone", "owners": f"info@{MINE}\nAnn@{MINE}", "size": "2M"}
        self.assertEqual(self.browser.fill(PAGE, "change", **usual).status, 303)
        told = self.admin.lists[TEAM]
        self.assertEqual((told["post"], told["size_bytes"], told["tell_held"]), ("anyone", 2 << 20, False))
        self.assertEqual(told["owners"], [f"info@{MINE}", f"Ann@{MINE}"])
        for wrong, words in (({"size": ""}, "how large a post"), ({"owners": ""}, "needs an owner")):
            self.assertIn(words, self.browser.fill(PAGE, "change", **usual | wrong).text)

    def test_members(self) -> None:
        """Many are put on it at once; who could not be is named. One is taken off."""
        typed = "a@far.test\nb@far.test\nnonsense\n" + "\n".join(f"m{n}@far.test" for n in range(300))
        self.browser.fill(PAGE, "add_members", members=typed)
        text = self.browser.get(PAGE).text
        self.assertIn("302 added. 1 not taken: nonsense: no address", text)
        self.assertEqual([len(a["rows"]) for v, a in self.admin.calls if v == "list.member.import"], [200, 103])
        self.browser.fill(PAGE, "add_members", members="a@far.test")
        self.assertIn("0 added. 1 had been on it before.", self.browser.get(PAGE).text)
        self.assertEqual(self.browser.fill(PAGE, "remove_member", member="b@far.test").status, 303)
        self.assertNotIn("b@far.test", self.admin.members)
        self.assertEqual(self.browser.fill(PAGE, "remove_member", member="b@far.test").status, 404)
        for members in ("", "x@far.test\n" * 1_001):
            self.assertEqual(self.browser.fill(PAGE, "add_members", members=members).status, 422)

    def test_remove(self) -> None:
        """It is deleted by whoever types its name."""
        self.assertIn("to confirm", self.browser.fill(PAGE, "remove", confirm="no").text)
        self.assertEqual(self.browser.fill(PAGE, "remove", confirm=TEAM).headers["location"], LISTS)
        self.assertEqual(self.admin.lists, {})
