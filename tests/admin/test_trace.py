"""hostmail trace: where is my mail?"""

from __future__ import annotations

from typing import Any

from hostmail.actor import Actor, Role
from hostmail.interfaces.history import Happened, MailFact
from hostmail.stories import stories, title
from tests.admin.commanding import Base
from tests.admin.facts import NOW

FAR = "carl@far.test"


class TraceTests(Base):
    def tell(self, what: Happened, queue_id: str = "q1", **more: Any) -> None:
        self.world.history.tell(MailFact(NOW, what, queue_id, **more))

    def test_story(self) -> None:
        """Each message's story together, beginning with where it came from; what came later is told after it."""
        self.tell(Happened.REPORTED, sender="ann@one.test", recipient="bob@two.test", words="failed")
        self.tell(
            Happened.ACCEPTED, sender="ann@one.test", message_id="m1@x", words="from 192.0.2.1 by smtp, 20 octets"
        )
        self.tell(Happened.QUEUED, "q2", sender="ann@one.test", recipient="carl@far.test")
        printed = self.run_command("trace", "ann@one.test").splitlines()
        self.assertEqual(printed[0], "q1  from ann@one.test  Message-ID <m1@x>")
        self.assertRegex(printed[1], r"^  \d{4}-\d\d-\d\d \d\d:\d\d:\d\d  accepted from 192.0.2.1 by smtp, 20 octets$")
        self.assertTrue(printed[2].endswith("  told ann@one.test that mail for bob@two.test could not be delivered"))
        self.assertEqual(printed[3:5], ["", "q2  from ann@one.test"])
        self.assertTrue(printed[5].endswith("waits in the queue for carl@far.test"))

    def test_forgotten_beginning(self) -> None:
        """Of a message whose beginning is forgotten nobody says that it had the null sender."""
        self.tell(Happened.SENT, recipient="bob@two.test", words="ok")
        self.tell(Happened.ACCEPTED, "q2", words="from this server itself")
        self.tell(Happened.DELIVERED, "q2", recipient="bob@two.test")
        titles = [line for line in self.run_command("trace", "bob@two.test").splitlines() if line.startswith("q")]
        self.assertEqual(titles, ["q1", "q2"])
        self.assertIn("q2  from <>", self.run_command("trace", "q2"))

    def test_domain_in_other_letters(self) -> None:
        """A domain may be written as people do."""
        self.tell(Happened.QUEUED, sender="ann@one.test", recipient="bob@xn--bcher-kva.test")
        self.assertIn("waits in the queue", self.run_command("trace", "bob@b\u00fccher.test"))
        self.run_command("trace", "no address of b\u00fccher", code=1)

    def test_every_fact_has_words(self) -> None:
        """Whatever happens can be told, and remote words cannot move the cursor."""
        for number, what in enumerate(Happened):
            self.tell(what, f"q{number}", sender="a@one.test", recipient="b@two.test", words="\x1b[2Jwords")
        printed = self.run_command("trace", "a@one.test")
        self.assertEqual(printed.count("from a@one.test"), len(Happened))
        self.assertNotIn("\x1b", printed)

    def test_very_many(self) -> None:
        """What is not told one by one is counted."""
        self.tell(Happened.SENT, more=4990)
        self.assertIn("... 4,990 more like the following", self.run_command("trace", "q1"))

    def test_refusals_stand_alone(self) -> None:
        """What was never taken belongs to no message."""
        for words, recipient in (("no", "bob@two.test"), ("never", "bob@two.test"), ("no", "bob@two.test")):
            self.tell(Happened.REFUSED, "", sender="ann@one.test", recipient=recipient, words=words)
            self.tell(Happened.QUEUED, "q1", sender="ann@one.test")
        printed = self.run_command("trace", "ann@one.test").splitlines()
        self.assertEqual(printed.count("not taken  from ann@one.test"), 3)

    def test_refused_alike(self) -> None:
        """Very many recipients of one sender that were refused with the same words are told of together, and not all of them."""
        for number in range(40):
            self.tell(Happened.REFUSED, "", sender="ann@one.test", recipient=f"n{number}@two.test", words="no")
        self.tell(Happened.REFUSED, "", sender="ann@one.test", recipient="b@two.test", words="not that one")
        printed = self.run_command("trace", "ann@one.test").splitlines()
        self.assertEqual(printed.count("not taken  from ann@one.test"), 2)
        self.assertEqual((len(printed), printed[11]), (15, "  ... 30 more like these"))

    def test_of_no_message(self) -> None:
        """What members did with lists without any mail is told of each list, and never as mail that was not taken."""
        for team in ("team@one.test", "crew@one.test"):
            self.tell(Happened.LIST, "", recipient=team, words="unsubscribe: bob@far.test has left")
        self.tell(Happened.BROKEN_OFF, "", sender=FAR, recipient="team@one.test", words="hung up")
        told = list(self.world.call("trace", text="team@one.test"))
        told[1:1] = self.world.call("trace", text="crew@one.test")
        titles = [title(story) for story in stories(told)]
        self.assertEqual(titles, ["mailing list team@one.test", "mailing list crew@one.test", f"not taken  from {FAR}"])

    def test_nothing_known(self) -> None:
        """Exit code 1, and why that may be."""
        self.run_command("trace", "nobody@one.test", code=1)
        self.assertIn("nothing is known of nobody@one.test", self.talk)
        self.assertEqual(self.json("trace", "nobody@one.test", code=1), [])

    def test_an_owners_share(self) -> None:
        """Other customers' mail takes nothing from the number of facts that an owner asks for."""
        owner = Actor(Role.OWNER, "one", "panel", domains=frozenset({"one.test"}))
        for number in range(6):
            self.tell(Happened.QUEUED, f"q{number}", sender=f"ann@{'one' if number < 3 else 'two'}.test", recipient=FAR)
        told = self.world.call_as(owner, "trace", text=FAR, most=2)
        self.assertEqual([fact["queue_id"] for fact in told], ["q1", "q2"])

    def test_options(self) -> None:
        """--since and --limit are checked, and passed on."""
        for number in range(3):
            self.tell(Happened.QUEUED, f"q{number}", recipient="b@two.test")
        self.assertEqual(len(self.json("trace", "b@two.test", "--since", "2h", "--limit", "2")), 2)
        self.run_command("trace", "b@two.test", "--since", "soon", code=2)
        self.run_command("trace", "b@two.test", "--limit", "0", code=2)
        self.run_command("trace", " ", code=1)
