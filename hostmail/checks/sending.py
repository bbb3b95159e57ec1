"""How much one customer may send to other hosts: a stolen password must not make us a spammer (LIMITS, Relaying and sending)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable

from hostmail.checks.responsible import OPERATOR, Responsible
from hostmail.errors import TooMany

SLOT_SECONDS = 300
SLOTS_AN_HOUR = 3600 // SLOT_SECONDS
SLOTS_A_DAY = 24 * SLOTS_AN_HOUR


class SendingRates:
    """Counts the recipients elsewhere that each account has named in the last hour and the last day, to the nearest five minutes.

    What is sent by an account's relay grant counts for the account, and for the client's address, which may have half of what an
    account may: whoever shares that address shares the grant. What the operator opened by hand is not counted. Counters are kept in this
    process and forgotten when it ends. `now` is Unix time.
    """

    def __init__(self, *, now: Callable[[], float], per_hour: int, per_day: int) -> None:
        self._now = now
        self._per_hour = per_hour
        self._per_day = per_day
        self._sent: dict[Hashable, Counter[int]] = {}
        self._swept = 0

    def count(self, responsible: Responsible, ip: str) -> None:
        """One recipient more; raises TooMany, without counting, where that is too many."""
        if responsible.account_id == OPERATOR:
            return
        slot = int(self._now() // SLOT_SECONDS)
        self._sweep(slot)
        shares: list[tuple[Hashable, int]] = [(responsible.account_id, 1)]
        if responsible.how == "grant":
            shares.append((ip, 2))
        for key, share in shares:
            self._check(self._sent.get(key, Counter()), slot, share)
        for key, _ in shares:
            self._sent.setdefault(key, Counter())[slot] += 1

    def _check(self, sent: Counter[int], slot: int, share: int) -> None:
        recent = sum(count for when, count in sent.items() if when > slot - SLOTS_AN_HOUR)
        if recent >= max(self._per_hour // share, 1):
            raise _too_many("an hour", recent)
        if sent.total() >= max(self._per_day // share, 1):
            raise _too_many("a day", sent.total())

    def _sweep(self, slot: int) -> None:
        """Forget what is older than a day, once in five minutes."""
        if slot == self._swept:
            return
        self._swept = slot
        for key, sent in list(self._sent.items()):
            for when in [when for when in sent if when <= slot - SLOTS_A_DAY]:
                del sent[when]
            if not sent:
                del self._sent[key]


def _too_many(period: str, count: int) -> TooMany:
    words = f"you have sent to {count} recipients within {period}: please go on later, or ask your provider"
    return TooMany(words, "sending limit", code=452, enhanced="4.7.1")
