"""What the sender of one message hears at once of its ends here: failures (D4), and confirmations he asked for (RFC 3461)."""

from __future__ import annotations

from collections.abc import Sequence

from twisted.logger import Logger

from hostmail.delivery.bounce import Original
from hostmail.delivery.ends import End
from hostmail.delivery.header import HeaderFilter
from hostmail.delivery.notices import Notices, cause_of, outcome, wanted
from hostmail.delivery.ours import Cause
from hostmail.envelope import Envelope
from hostmail.errors import Refusal
from hostmail.interfaces.mailstore import ISpoolFile

log = Logger(namespace="delivery")


class Reports:
    """Of one message that came in at `began` (Unix time).

    Whatever goes wrong here stays here: the mailboxes are filled by now, and raising would bring the message into them a second time.
    """

    def __init__(
        self,
        notices: Notices,
        queue_id: str,
        envelope: Envelope,
        began: float,
        header: HeaderFilter,
        spooled: ISpoolFile,
        cause: Cause,
    ) -> None:
        self._notices = notices
        self._queue_id = queue_id
        self._envelope = envelope
        self._began = began
        self._header = header
        self._spooled = spooled
        self._cause = cause

    async def failed(self, ends: Sequence[End]) -> bool:
        """Whether it is safe that the sender hears of these, or that he need not."""
        return await self._told("failed", ends, "notice_postponed")

    async def delivered(self, ends: Sequence[End]) -> None:
        """The message is safe, so trouble with the confirmation is only logged."""
        await self._told("delivered", ends, "notice_lost")

    async def _told(self, action: str, ends: Sequence[End], trouble: str) -> bool:
        try:
            await self._tell(action, ends)
        except Refusal as refusal:
            log.warn(f"{trouble}: {{queue_id}} {{why}}", queue_id=self._queue_id, why=refusal.smtp_line())
        except Exception:  # noqa: BLE001
            log.failure(f"{trouble}: {{queue_id}}", queue_id=self._queue_id)
        else:
            return True
        return False

    async def _tell(self, action: str, ends: Sequence[End]) -> None:
        """Report under the addresses that the sender knows; what several ends of one recipient have in common, once."""
        outcomes = [
            outcome(action, str(recipient.address), recipient.orcpt, end.answer)
            for end in ends
            for recipient in end.recipients
            if wanted(action, recipient.notify)
        ]
        if not outcomes:
            return
        envelope = self._envelope
        whole = self._spooled.body() if action == "failed" and envelope.ret.upper() == "FULL" else None
        content = self._header.header if whole is None else whole
        original = Original(
            self._queue_id, envelope.sender, content, self._began, envelope.envid, whole=whole is not None
        )
        outcomes = list(dict.fromkeys(outcomes))
        cause = cause_of(self._cause, [each.recipient for each in outcomes])
        await self._notices.tell(original, action, outcomes, cause)
