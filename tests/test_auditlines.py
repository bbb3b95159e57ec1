"""hostmail.auditlines: a change as the command and the panel tell it."""

from __future__ import annotations

from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from hostmail.auditlines import details, way, who


def entry(outcome: str = "done", ip: str = "", **arguments: Any) -> dict[str, Any]:
    said = {"address": "ann@one.test", **arguments}
    return {
        "login": "max",
        "role": "owner",
        "way": "panel",
        "ip": ip,
        "subject": "ann@one.test",
        "arguments": said,
        "outcome": outcome,
    }


class AuditLinesTests(SynchronousTestCase):
    def test_who_and_whence(self) -> None:
        """Who it was, by what, and from where if that is known."""
        self.assertEqual(who(entry()), "max (owner)")
        self.assertEqual([way(entry()), way(entry(ip="192.0.2.1"))], ["panel", "panel from 192.0.2.1"])

    def test_arguments(self) -> None:
        """What was asked for is told as people write it, but for whom it is about."""
        self.assertEqual(details(entry()), "")
        self.assertEqual(
            details(
                entry(quota=None, keep_copy=True, targets=["a@x.test", "b@x.test"], rows=[{"line": 1, "name": "a"}])
            ),
            "quota none, keep copy yes, targets a@x.test, b@x.test, rows a",
        )

    def test_refused(self) -> None:
        """What was not done says why."""
        self.assertEqual(details(entry("refused: no such account")), "(refused: no such account)")
        self.assertEqual(details(entry("failed", keep_copy=False)), "keep copy no (failed)")
