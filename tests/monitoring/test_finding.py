"""hostmail.monitoring.finding: what somebody who may not know of all mail is told, and at what cost."""

from __future__ import annotations

from hostmail.interfaces.history import Happened
from hostmail.monitoring import finding
from tests.monitoring.test_history import HistoryCase


class OfSomebodyTests(HistoryCase):
    def test_of_somebody(self) -> None:
        """Who may not know of all messages gets as many facts as he asked for about those that were from or for him."""

        def whose(address: str) -> bool:
            return address.endswith("@mine.test")

        for number in range(2400):
            self.tell(Happened.ACCEPTED, f"q{number}", sender="carl@far.test")
            self.tell(Happened.DELIVERED, f"q{number}", recipient=f"ann@{'mine' if number < 6 else 'other'}.test")
        self.tell(Happened.REFUSED, "", sender="carl@far.test", recipient="bob@mine.test")
        self.tell(Happened.REFUSED, "", sender="carl@far.test", recipient="bob@other.test")
        found = self.wait(self.history.find("carl@far.test", 0.0, 9, whose))
        self.assertEqual(
            [(fact.queue_id, fact.what.value) for fact in found],
            [*((f"q{number}", what) for number in range(2, 6) for what in ("accepted", "delivered")), ("", "refused")],
        )
        self.assertEqual(len(self.wait(self.history.find("q7", 0.0, 9))), 2)
        self.assertEqual(self.wait(self.history.find("q7", 0.0, 9, whose)), [])

    def test_of_somebody_at_little_cost(self) -> None:
        """However much there is about a text, an address is looked at once, and no more messages than are told of where they are his."""
        for number in range(1200):
            self.tell(Happened.ACCEPTED, f"q{number}", sender="carl@far.test")
            self.tell(Happened.DELIVERED, f"q{number}", recipient="ann@mine.test")
        self.find("q1")
        asked: list[str] = []
        looked: list[str] = []

        def whose(address: str) -> bool:
            asked.append(address)
            return address == "ann@mine.test"

        connection = self.history._file.connection
        connection.set_trace_callback(looked.append)
        self.assertEqual(len(self.wait(self.history.find("carl@far.test", 0.0, 10, whose))), 10)
        connection.set_trace_callback(None)
        self.assertEqual(sorted(asked), ["", "ann@mine.test", "carl@far.test"])
        self.assertLess(len(looked), 40)

    def test_of_somebody_among_very_many(self) -> None:
        """Of a post to very many, and of all messages together, only so many parties are looked at; by his own address each is found."""
        self.patch(finding, "MOST_PARTIES_OF_ALL", 5)
        asked: list[str] = []

        def whose(address: str) -> bool:
            asked.append(address)
            return address == "m1500@mine.test"

        for queue_id in ("q1", "q2", "q3"):
            self.tell(Happened.ACCEPTED, queue_id, sender="carl@far.test", message_id="m1@far.test")
            for number in range(1600 if queue_id == "q1" else 2):
                self.tell(Happened.DELIVERED, queue_id, recipient=f"m{number}@mine.test")
        self.assertEqual(self.wait(self.history.find("m1@far.test", 0.0, 10, whose)), [])
        self.assertLess(len(asked), 10)
        self.patch(finding, "MOST_PARTIES_OF_ALL", 10_000)
        asked.clear()
        self.assertEqual(self.wait(self.history.find("m1@far.test", 0.0, 10, whose)), [])
        self.assertLess(len(asked), 1010)
        found = self.wait(self.history.find("m1500@mine.test", 0.0, 10, whose))
        self.assertEqual([fact.recipient for fact in found], ["", "m1500@mine.test"])
