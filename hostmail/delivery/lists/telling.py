"""What mailing lists do, said once for the log and once for the history."""

from __future__ import annotations

from collections.abc import Callable

from twisted.logger import Logger

from hostmail.delivery.lists.judging import HELD
from hostmail.interfaces.history import Happened, IHistory, MailFact
from hostmail.interfaces.lists import MailingList


class ListTelling:
    """`now` is Unix time."""

    log = Logger(namespace="delivery")

    def __init__(self, history: IHistory, now: Callable[[], float]) -> None:
        self._history = history
        self._now = now

    def held(self, queue_id: str, found: MailingList, reason: str) -> None:
        """A post waits for the owners."""
        self._tell(Happened.HELD, queue_id, found.address, reason.removeprefix(HELD))

    def did(self, queue_id: str, found: MailingList, words: str) -> None:
        """What came of mail to one of its addresses."""
        self._tell(Happened.LIST, queue_id, found.address, words)

    def gone(self, queue_id: str, address: str) -> None:
        """A post waited for a list that is gone."""
        self._tell(Happened.DELETED, queue_id, address, "the mailing list is gone")

    def _tell(self, what: Happened, queue_id: str, address: str, words: str) -> None:
        self._history.tell(MailFact(self._now(), what, queue_id, recipient=address, words=words))
        self.log.info("list: {queue_id} {list}: {words}", queue_id=queue_id, list=address, words=words)
