"""An account that sends too much: refused for now, then held and told, until the operator decides (LIMITS, Relaying and sending)."""

from __future__ import annotations

import smtplib
from typing import Any

from tests.journeys.base import ANN, BOB, letter, until
from tests.journeys.behind import SinkJourney
from tests.support.appliance import PASSWORD

LIMIT, PATIENCE, HELD = 3, 10, 4
SLOW = "slow@far.test"


class HeldTests(SinkJourney):
    accounts = (ANN, BOB)
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

    def test_suspended(self) -> None:
        """What somebody has sent, and waits, is held once he may send nothing, until somebody releases it after that is over (A9)."""
        self.sink.answers[f"RCPT {SLOW}"] = "451 4.7.1 come back"
        with smtplib.SMTP("127.0.0.1", self.here.ports["submission"], timeout=30) as client:
            client.login(BOB, PASSWORD)
            client.send_message(letter("waits", sender=BOB, to=SLOW))
        until(lambda: "come back" in self.row()["last_answer"], self.here.text)
        self.here.command("account", "set", BOB, "--suspend", "outgoing")
        self.here.command("queue", "retry", f"account:{BOB}")
        until(lambda: self.row()["state"] == "held", self.here.text)
        self.assertEqual(self.row()["last_answer"], f"outgoing mail of {BOB} is suspended")
        refused = self.here.command("queue", "release", "--all", expect=1)
        self.assertIn(f"outgoing mail of {BOB} is suspended", refused.stderr)
        self.here.command("account", "set", BOB, "--resume", "outgoing")
        self.sink.answers.clear()
        self.here.command("queue", "release", f"to:{SLOW}")
        self.sink.waits_for(1)
        self.assertIn(f"held for {SLOW}: outgoing mail of {BOB} is suspended", self.told(SLOW))

    def row(self) -> dict[str, Any]:
        [found] = self.here.json("queue", "list", f"to:{SLOW}")
        return dict(found)

    def told(self, address: str) -> str:
        return self.here.command("trace", address).stdout
