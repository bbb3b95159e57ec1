"""What verbs answer is described by types of its own: where an answer is a contract's value, both have the same fields."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from hostmail.admin.auditing import ChangeTold
from hostmail.admin.catchall import CaughtTold
from hostmail.admin.queue import StatsTold
from hostmail.admin.told import AnsweredTold, FactTold, HeldPostTold, MemberTold
from hostmail.interfaces.admin import AuditEntry
from hostmail.interfaces.autoresponders import Answer
from hostmail.interfaces.directory import CaughtName
from hostmail.interfaces.history import MailFact
from hostmail.interfaces.lists import HeldPost, Member
from hostmail.interfaces.queue import QueueStats

SAME: tuple[tuple[Any, Any], ...] = (
    (ChangeTold, AuditEntry),
    (AnsweredTold, Answer),
    (FactTold, MailFact),
    (HeldPostTold, HeldPost),
    (MemberTold, Member),
    (StatsTold, QueueStats),
)


class ToldTests(SynchronousTestCase):
    def test_same_fields(self) -> None:
        """Nothing is told that is not described, and the other way round."""
        for told, value in SAME:
            self.assertEqual({*told.__annotations__}, {each.name for each in fields(value)}, told.__name__)
        self.assertEqual({*CaughtTold.__annotations__}, {each.name for each in fields(CaughtName)} | {"blocked"})
