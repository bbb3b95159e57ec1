"""What becomes of a message whose mailboxes gave different answers: pure arithmetic over refusals (D4)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from hostmail.errors import Refusal


@dataclass(frozen=True, slots=True)
class Settlement:
    """Either `refusal` for the whole message, or positions: `bounce` gets a report to the sender, `retry` waits in the queue."""

    refusal: Refusal | None = None
    bounce: tuple[int, ...] = ()
    retry: tuple[int, ...] = ()


def settle(answers: Sequence[Refusal | None], elsewhere: bool) -> Settlement:
    """Decide from each mailbox's answer; `elsewhere` tells that other recipients are safely in the queue.

    If nobody has the message, the sender's server keeps it and hears the reason: a temporary one if there is any, for then trying again
    helps somebody. As soon as anybody has it, we have taken it, and the others' fate is ours to sort out.
    """
    refusals = [answer for answer in answers if answer is not None]
    if refusals and len(refusals) == len(answers) and not elsewhere:
        return Settlement(refusal=next((no for no in refusals if not no.permanent), refusals[0]))
    return Settlement(
        bounce=tuple(i for i, no in enumerate(answers) if no is not None and no.permanent),
        retry=tuple(i for i, no in enumerate(answers) if no is not None and not no.permanent),
    )
