"""How much one customer may send to other hosts: a stolen password must not make us a spammer (LIMITS, Relaying and sending)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from enum import Enum
from pathlib import Path

from hostmail.checks.counts import Counting, Counts
from hostmail.checks.responsible import OPERATOR, Responsible
from hostmail.errors import TooMany

PATIENCE = 10


class Verdict(Enum):
    """What becomes of one recipient more."""

    SEND = "sent"
    REFUSE = "refused"
    HOLD = "held"


def judge(refused_in_hour: int) -> Verdict:
    """Beyond the limits a burst is refused for now, so that a mail program's user notices, and an honest server slows
    down; whoever goes on is given the impression of success, and his mail waits for somebody to look at it (see `holding`).
    """
    return Verdict.REFUSE if refused_in_hour < PATIENCE else Verdict.HOLD


class SendingRates:
    """Counts the recipients elsewhere that each account has named in the last hour and the last day, to the nearest five minutes.

    What is sent by an account's relay grant counts for the account, and for the client's address, which may have half of what an
    account may: whoever shares that address shares the grant. What the operator opened by hand is not counted. Counters are in a file
    that all processes share, and outlast them. `now` is Unix time.
    """

    def __init__(self, *, path: Path, now: Callable[[], float], per_hour: int, per_day: int) -> None:
        self._counts = Counts(path=path, now=now)
        self._per_hour = per_hour
        self._per_day = per_day

    def count(self, responsible: Responsible, ip: str) -> bool:
        """One recipient more; True if its mail is to be held. Raises TooMany, and TemporaryFailure if the counters cannot be read."""
        if responsible.account_id == OPERATOR:
            return False
        account = responsible.account_id
        shares = [(f"account {account}", 1)]
        if responsible.how == "grant":
            shares.append((f"client {ip}", 2))
        with self._counts.writing() as counting:
            excess = next((words for key, share in shares if (words := self._excess(counting, key, share))), "")
            refused = f"refused {account}"
            verdict = judge(counting.sum(refused, 1)) if excess else Verdict.SEND
            for key in _counted(verdict, [key for key, _ in shares], refused):
                counting.add(key)
        if verdict is Verdict.REFUSE:
            words = f"you have sent to {excess}: please go on later, or ask your provider"
            raise TooMany(words, "sending limit", code=452, enhanced="4.7.1")
        return verdict is Verdict.HOLD

    def claim_notice(self, account_id: int) -> bool:
        """True once a day: somebody has to be told that mail of this account is held."""
        key = f"noticed {account_id}"
        with self._counts.writing() as counting:
            noticed = counting.sum(key, 24)
            if not noticed:
                counting.add(key)
        return not noticed

    def close(self) -> None:
        """Close the file."""
        self._counts.close()

    def _excess(self, counting: Counting, key: str, share: int) -> str:
        """Which limit is reached, in words; "" if none is."""
        recent, today = counting.sum(key, 1), counting.sum(key, 24)
        if recent >= max(self._per_hour // share, 1):
            return f"{recent} recipients within an hour"
        return f"{today} recipients within a day" if today >= max(self._per_day // share, 1) else ""


def _counted(verdict: Verdict, sent: Sequence[str], refused: str) -> Sequence[str]:
    """What is held the queue counts, which knows what became of it."""
    return sent if verdict is Verdict.SEND else [refused] if verdict is Verdict.REFUSE else []
