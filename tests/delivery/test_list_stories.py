"""What `hostmail trace` tells of a post that waited for its list's owners."""

from __future__ import annotations

from tests.delivery.test_lists import OWNER, TEAM, ListCase, by


class DecidedTests(ListCase):
    def decided(self, word: str) -> list[str]:
        """The story of a stranger's post for which the owner has written to the address with that word."""
        self.post(by("eve@evil.example", TEAM, "buy"), "eve@evil.example")
        [row] = self.rows()
        part = self.letters(OWNER)[-1].get_body()
        assert part is not None
        address = self.tagged(word, str(part.get_content()))
        self.send(address, message=by(OWNER, address), sender=OWNER)
        self.settle()
        return [f"{fact.what.value}: {fact.words}" for fact in self.history.facts if fact.queue_id == row.queue_id]

    def test_approved(self) -> None:
        """It says who let the post go, before it goes to the members."""
        story = self.decided("approve")
        place = story.index(f"list: {OWNER} let it go")
        self.assertIn("held: eve@evil.example is not a member", story[:place])
        self.assertIn("list: sent to its members", "\n".join(story[place + 1 :]))

    def test_rejected(self) -> None:
        """Or who rejected it, and what became of it."""
        self.assertEqual(self.decided("reject")[-1], f"list: {OWNER} rejected it, which is deleted")
