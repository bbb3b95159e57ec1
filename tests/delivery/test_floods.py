"""hostmail.delivery.floods: very many refusals of one client."""

from __future__ import annotations

from dataclasses import replace

from hostmail.delivery import floods
from hostmail.delivery.floods import MOST_AN_HOUR, Floods
from hostmail.errors import NoSuchRecipient
from tests.delivery.intaking import IntakeCase


class FloodTests(IntakeCase):
    def refuse(self, ip: str = "192.0.2.7", times: int = 1) -> list[str]:
        """What is told about so many refusals."""
        self.history.facts.clear()
        for number in range(times):
            peer = replace(self.peer, ip=ip)
            self.intake.turned_away(peer, "eve@x.example", f"n{number}@example.com", NoSuchRecipient())
        return [fact.words for fact in self.history.facts]

    def test_one_client(self) -> None:
        """A thousand refusals an hour are told of one client, the last with the words that more are in the log alone."""
        told = self.refuse(times=MOST_AN_HOUR + 50)
        self.assertEqual(len(told), MOST_AN_HOUR)
        self.assertTrue(told[-1].endswith("; what else this client is refused within the hour is in the log alone"))
        self.assertNotIn("in the log alone", told[-2])

    def test_others(self) -> None:
        """Everybody else's are told, and this client's in the next hour; addresses of one /64 are one client."""
        self.refuse(ip="2001:db8::1", times=MOST_AN_HOUR)
        self.assertEqual(self.refuse(ip="2001:db8::2"), [])
        self.assertEqual(len(self.refuse(ip="2001:db8:0:1::1")), 1)
        self.assertEqual(len(self.refuse(ip="", times=MOST_AN_HOUR + 1)), MOST_AN_HOUR + 1)
        counting = Floods()
        self.assertEqual([counting.count("192.0.2.7", at) for at in (0.0, 3599.0, 3600.0)], [999, 998, 999])

    def test_memory(self) -> None:
        """So many clients are counted, and not more."""
        self.patch(floods, "MOST_CLIENTS", 3)
        counting = Floods()
        for number in range(10):
            counting.count(f"192.0.2.{number}", 0.0)
            self.assertLessEqual(len(counting._refused), 3)
