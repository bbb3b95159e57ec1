"""A recipient's way as values for people: what `hostmail route` answers. Pure."""

from __future__ import annotations

from typing import Any

from hostmail.decisions import Decision, Discard, Forward, IntoMailbox, ListCommand, Refuse, ToList, targets_of
from hostmail.routing.route import Resolution
from hostmail.routing.rules import Step


def explained(resolution: Resolution) -> dict[str, Any]:
    """`address`; the `steps`, each with its depth, address, rule and words; and the `ends`. JSON values."""
    steps = [
        {"depth": depth, "address": str(step.address), "rule": step.rule, "words": words(step)}
        for depth, step in resolution.steps
    ]
    ends = [_end(target) for target in targets_of(resolution.decision())]
    return {"address": str(resolution.recipient), "steps": steps, "ends": ends}


def words(step: Step) -> str:
    """What a step does with the mail."""
    if step.refusal is not None:
        return f"refused: {step.refusal.smtp_reply()}{f' ({step.refusal.private})' if step.refusal.private else ''}"
    if step.discarded:
        return "taken, and thrown away"
    if step.elsewhere:
        return "sent to another server"
    if isinstance(step.for_list, ToList):
        return f"a post for the mailing list {step.for_list.address}"
    if isinstance(step.for_list, ListCommand):
        return f"{step.for_list.word} at the mailing list {step.for_list.list_address}"
    onward = ", ".join(map(str, step.onward))
    if step.mailbox is None:
        return f"on to {onward}"
    return f"into the mailbox {step.mailbox.address}" + (f", and on to {onward}" if onward else "")


def _end(target: Decision) -> dict[str, Any]:
    if isinstance(target, IntoMailbox):
        found = {"kind": "mailbox", "address": target.delivered_to, "account_id": target.account_id}
        return found | {"caught": target.caught}
    if isinstance(target, Forward):
        found = {"kind": "forward", "address": str(target.address), "forwarder": str(target.forwarder)}
        return found | {"caught": target.caught}
    if isinstance(target, ToList | ListCommand):
        return {"kind": "list", "address": str(target.address)}
    if isinstance(target, Discard):
        return {"kind": "discard", "address": target.caught, "caught": target.caught}
    if isinstance(target, Refuse):
        address = "" if target.address is None else str(target.address)
        return {"kind": "refuse", "address": address, "answer": target.refusal.smtp_reply()}
    return {"kind": "relay", "address": str(getattr(target, "address", ""))}
