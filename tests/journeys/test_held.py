"""An account that sends too much: refused for now, then held and told, until the operator decides (LIMITS, Relaying and sending)."""

from __future__ import annotations

import smtplib
from typing import Any

from tests.journeys.base import ANN, letter, until
from tests.journeys.behind import SinkJourney
from tests.support.appliance import PASSWORD

LIMIT, PATIENCE, HELD = 3, 10, 4


class HeldTests(SinkJourney):
    accounts = (ANN,)
    further = f"limits: {{sent_per_hour: {LIMIT}}}\n"

    def held(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.here.json("queue", "list", f"account:{ANN}", "state:held")
        return found

    def test_spree(self) -> None:
        """Whoever knows her password sends under other names; what is held is chosen by her account all the same."""
        codes = []
        with smtplib.SMTP("127.0.0.1", self.here.ports["submission"], timeout=30) as client:
            client.login(ANN, PASSWORD)
            for number in range(LIMIT + PATIENCE + HELD):
                client.mail(f"x{number}@made-up.test")
                codes.append(client.rcpt(f"r{number}@far.test")[0])
                if codes[-1] == 250:
                    message = letter(f"number {number}", sender=f"x{number}@made-up.test", to=f"r{number}@far.test")
                    codes[-1] = client.data(message.as_string())[0]
                client.rset()
        self.assertEqual(codes, [250] * LIMIT + [452] * PATIENCE + [250] * HELD)
        self.sink.waits_for(LIMIT)
        self.assertEqual(len(self.held()), HELD)
        notices = self.pop3()
        self.assertEqual(notices.stat()[0], 1)
        self.assertIn(f"    hostmail queue release account:{ANN}".encode(), notices.retr(1)[1])
        first, *_, last = (row["recipient"] for row in self.held())
        self.here.command("queue", "delete", f"account:{ANN}", "state:held", f"to:{last}", "--yes")
        self.here.command("queue", "release", f"account:{ANN}")
        self.sink.waits_for(LIMIT + HELD - 1)
        self.assertEqual(self.held(), [])
        until(lambda: "taken by the next server" in self.told(first), self.here.text)
        self.assertIn(f"held for {first}: the account has sent more than it may", self.told(first))
        self.assertIn(f"waits in the queue for {first}: released by the operator", self.told(first))
        self.assertIn(f"deleted from the queue for {last}: by the operator ", self.told(last))
        self.assertEqual(len(self.sink.taken), LIMIT + HELD - 1)

    def told(self, address: str) -> str:
        return self.here.command("trace", address).stdout
