"""Telling senders what became of their mail: who is to hear of what (RFC 3461), and sending it off."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from random import Random

from twisted.logger import Logger

from hostmail.address import Address
from hostmail.delivery.bounce import Origin, Original, Outcome, report
from hostmail.delivery.ours import NOBODYS, Cause, Submit
from hostmail.delivery.telling import Telling
from hostmail.errors import BadAddress, Refusal
from hostmail.interfaces.queue import Queued

log = Logger(namespace="delivery")

_ASKED_BY = {"failed": "FAILURE", "delayed": "DELAY", "delivered": "SUCCESS", "relayed": "SUCCESS"}
_PLAIN_STATUS = {"delayed": "4.4.7", "delivered": "2.0.0", "relayed": "2.0.0"}


def wanted(action: str, notify: Sequence[str]) -> bool:
    """Whether a recipient's NOTIFY asks for this report; without NOTIFY failures and delays are told (RFC 3461 4.1)."""
    if not notify:
        return action in ("failed", "delayed")
    return _ASKED_BY[action] in [word.upper() for word in notify]


def outcome(action: str, recipient: str, orcpt: str, refusal: Refusal | None) -> Outcome:
    """One line of a report; a failure's status is permanent whatever made us give up (RFC 3464 2.3.4)."""
    status = _PLAIN_STATUS.get(action, "5.0.0")
    if refusal is None:
        return Outcome(recipient, status, "", orcpt)
    status = refusal.enhanced or status
    if action == "failed" and not status.startswith("5"):
        status = "5" + status[1:]
    return Outcome(recipient, status, refusal.smtp_reply(), orcpt)


def _of_row(action: str, row: Queued, refusal: Refusal | None) -> Outcome:
    """Under the address that its sender knows. Where somebody here forwards it, that is his secret: what another server says is told
    by its code alone (RFC 3464 4.2), for most name the address; our own log has the words."""
    if row.addressed and refusal is not None and refusal.elsewhere:
        words = "does not take it" if refusal.permanent else "could not be reached"
        words = f"the address to which this mail is forwarded {words}"
        refusal = Refusal(words, code=refusal.code, enhanced=refusal.enhanced)
    return outcome(action, row.addressed or row.recipient, row.orcpt, refusal)


def cause_of(message: Cause, recipients: Sequence[str]) -> Cause:
    """Who has caused a report about `recipients`: who sent the message, or with a stranger's the domain that they are in, if it is one."""
    if message != NOBODYS:
        return message
    domains = {recipient.rpartition("@")[2].lower() for recipient in recipients}
    return Cause(domains.pop()) if len(domains) == 1 else NOBODYS


class Notices:
    """Writes reports and submits them as mail of our own with the null sender, so that no report is about a report.

    `submit(recipient, message, cause)` takes the mail durably or raises a Refusal. A report leaves by the way of those that it is about.
    """

    def __init__(
        self, submit: Submit, *, hostname: str, now: Callable[[], float], random: Random, telling: Telling
    ) -> None:
        self._submit = submit
        self._hostname = hostname
        self._now = now
        self._random = random
        self._telling = telling

    async def tell(self, original: Original, action: str, outcomes: Sequence[Outcome], cause: Cause = NOBODYS) -> None:
        """Report to the sender. Raises a temporary Refusal if the report could not be stored; a sender that takes none is logged."""
        if not original.sender or not outcomes:
            self._unreported(original, action, outcomes, "null sender")
            return
        origin = Origin(self._hostname, self._now(), f"{original.queue_id}.{self._random.getrandbits(64):016x}")
        message = report(original, action, outcomes, origin)
        try:
            await self._submit(Address.parse(original.sender), message, cause)
        except BadAddress:
            self._unreported(original, action, outcomes, "sender is no address")
        except Refusal as refusal:
            if not refusal.permanent:
                raise
            self._unreported(original, action, outcomes, refusal.smtp_line())
        else:
            log.info(
                "notice_sent: {queue_id} {action} to <{sender}>",
                queue_id=original.queue_id,
                action=action,
                sender=original.sender,
            )
            self._telling.reported(original, action, outcomes)

    async def report(
        self, results: Sequence[tuple[Queued, Refusal | None]], action: str, content: bytes, whole: bool
    ) -> None:
        """Report on recipients of one queued message, with its header or `whole`; raises as `tell` does."""
        asked = [(row, refusal) for row, refusal in results if wanted(action, row.wishes)]
        if not asked:
            return
        row = asked[0][0]
        original = Original(row.queue_id, row.sender, content, row.created, row.envid, whole)
        await self.tell(
            original,
            action,
            [_of_row(action, row, refusal) for row, refusal in asked],
            cause_of(Cause(row.for_domain, row.account_id), [each.addressed or each.recipient for each, _ in asked]),
        )

    def _unreported(self, original: Original, action: str, outcomes: Sequence[Outcome], why: str) -> None:
        if action == "failed":
            self._telling.unreported(original, outcomes, why)
        for each in outcomes:
            log.warn(
                "notice_impossible: {queue_id} {action} for <{recipient}> ({answer}), sender <{sender}>: {why}",
                queue_id=original.queue_id,
                action=action,
                recipient=each.recipient,
                answer=each.answer,
                sender=original.sender,
                why=why,
            )
