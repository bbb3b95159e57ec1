"""What became of each message."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from zope.interface import Interface


class Happened(StrEnum):
    """What can become of a message; the words are those of the history's file."""

    REFUSED = "refused"
    BROKEN_OFF = "broken off"
    ACCEPTED = "accepted"
    LED_TO = "led to"
    DELIVERED = "delivered"
    DISCARDED = "discarded"
    WITHHELD = "not forwarded"
    QUEUED = "queued"
    SENT = "sent"
    POSTPONED = "postponed"
    HELD = "held"
    FAILED = "failed"
    DELETED = "deleted"
    RETURNED = "returned"
    REPORTED = "reported"
    UNREPORTED = "unreported"
    ANSWERED = "answered"
    UNANSWERED = "not answered"
    LIST = "list"


@dataclass(frozen=True, slots=True)
class MailFact:
    """One thing that became of a message, or of it for one `recipient`. `at` is Unix time, `sender` the reverse-path.

    `message_id` is the Message-ID without its brackets. `words` are the other side's answer or where from, for LED_TO the address that
    `recipient` led to, for LIST what the mailing list `recipient` did with it. A message refused before it was taken has no `queue_id`.
    With `more` it stands for so many facts about the message that are like those that follow it, and tells nothing else.
    """

    at: float
    what: Happened
    queue_id: str = ""
    message_id: str = ""
    sender: str = ""
    recipient: str = ""
    words: str = ""
    more: int = 0


class IHistory(Interface):
    """The story of each message, kept for a while."""

    def tell(fact: MailFact) -> None:
        """Remember it; never raises, never waits."""

    async def find(text: str, since: float, most: int, whose: Callable[[str], bool] | None = None) -> list[MailFact]:
        """Facts about messages to or from an address, with a Message-ID, or with a queue id, from the oldest to the newest.

        With `whose`, which says if an address is somebody's, only about messages that came from him or went to him. It is asked in a
        thread.
        """
