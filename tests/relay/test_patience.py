"""A slow or hostile server costs time, but not for ever (C9; LIMITS, Relaying)."""

from __future__ import annotations

from hostmail.relay.client import SEARCH_SECONDS, TRANSMISSION_SECONDS, Way
from hostmail.relay.conversation import GREETING_SECONDS
from hostmail.relay.transaction import RCPT_SECONDS
from tests.relay.talk import TalkCase


class PatienceTests(TalkCase):
    many = 1

    async def ways(self) -> list[Way]:
        return [Way(self.endpoint, self.manners)] * self.many

    def test_endless_transmission(self) -> None:
        """A server that answers every command just in time is given up after an hour; who has his answer keeps it."""
        sending = self.send(*(f"r{i}@x.example" for i in range(30)))
        self.server.greets("SIZE 1000000")
        self.server.says("250 ok")
        for _ in range(12):
            self.clock.advance(RCPT_SECONDS - 1)
            self.server.says("550 5.1.1 no")
        self.clock.advance(TRANSMISSION_SECONDS - 12 * (RCPT_SECONDS - 1))
        results = self.results(sending)
        self.assertEqual(results[0], "550 5.1.1 mx.x.example said: 550 5.1.1 no")
        self.assertEqual(results[-1], "451 4.4.2 mx.x.example is too slow")
        self.assertTrue(self.server.gone)
        self.server.hangs_up()
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_many_silent_hosts(self) -> None:
        """Of many hosts that accept connections and say nothing, as many are waited for as ten minutes allow."""
        self.many = 10
        sending = self.send()
        self.clock.pump([GREETING_SECONDS] * 2)
        self.assertEqual(self.results(sending), ["451 4.4.2 mx.x.example did not answer in time"])
        self.assertEqual(len(self.endpoint.servers), SEARCH_SECONDS / GREETING_SECONDS)

    def test_stopped_while_searching(self) -> None:
        """A process that is about to stop tries no further hosts."""
        self.many = 10
        sending = self.send()
        self.destination.abort()
        self.assertEqual(self.results(sending), ["451 4.3.2 this server was being stopped"])
        self.assertEqual(len(self.endpoint.servers), 1)
        self.assertEqual(self.results(self.send()), ["451 4.3.2 this server was being stopped"])
