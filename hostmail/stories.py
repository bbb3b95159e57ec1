"""What became of mail, in plain words: the facts of `trace` as people read them, in the command and in the panel. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

Facts = Sequence[Mapping[str, Any]]
Tell = Callable[[Mapping[str, Any]], str]

_REPORTED = {
    "failed": "could not be delivered",
    "delayed": "is delayed",
    "delivered": "was delivered",
    "relayed": "was passed on",
}

_NOT_TAKEN = ("refused", "broken off")

_SENTENCES: Mapping[str, Tell] = {
    "refused": lambda f: f"refused{_for(f)}: {f['words']}",
    "broken off": lambda f: f"never came to its end{_for(f)}: {f['words']}",
    "accepted": lambda f: f"accepted {f['words']}",
    "led to": lambda f: f"{f['recipient']} leads to {f['words']}",
    "delivered": lambda f: f"delivered into the mailbox of {f['recipient']}{_because(f)}",
    "discarded": lambda f: f"thrown away{_for(f)}{_because(f)}",
    "not forwarded": lambda f: f"not sent on{_to(f)}{_because(f)}",
    "queued": lambda f: f"waits in the queue{_for(f)}{_because(f)}",
    "sent": lambda f: f"taken by the next server{_for(f)}: {f['words']}",
    "postponed": lambda f: f"not taken yet{_for(f)}, will be tried again: {f['words']}",
    "held": lambda f: f"held{_for(f)}{_because(f)}",
    "failed": lambda f: f"given up{_for(f)}: {f['words']}",
    "deleted": lambda f: f"deleted from the queue{_for(f)}{_because(f)}",
    "returned": lambda f: f"ordered back to its sender{_for(f)}{_because(f)}",
    "reported": lambda f: f"told {f['sender']} that mail{_for(f)} {_REPORTED.get(f['words'], f['words'])}",
    "unreported": lambda f: f"nobody was told that mail{_for(f)} could not be delivered{_because(f)}",
    "answered": lambda f: f"answered automatically{_for(f)}{_because(f)}",
    "not answered": lambda f: f"no automatic answer{_for(f)}{_because(f)}",
    "list": lambda f: f"mailing list {f['recipient']}: {f['words']}",
}


def sentence(fact: Mapping[str, Any]) -> str:
    """What happened, in plain words."""
    return f"... {fact['more']:,} more like the following" if fact["more"] else _SENTENCES[fact["what"]](fact)


def _for(fact: Mapping[str, Any]) -> str:
    return f" for {fact['recipient']}" if fact["recipient"] else ""


def _to(fact: Mapping[str, Any]) -> str:
    return f" to {fact['recipient']}" if fact["recipient"] else ""


def _because(fact: Mapping[str, Any]) -> str:
    return f": {fact['words']}" if fact["words"] else ""


def stories(facts: Facts) -> Iterable[list[Mapping[str, Any]]]:
    """Facts of one message together, its arrival first; and recipients of one sender that were refused alike, one after the other."""
    together: dict[Any, list[Mapping[str, Any]]] = {}
    alike, number = None, 0
    for fact in facts:
        before, alike = alike, None if fact["queue_id"] else _alike(fact)
        number += alike != before
        together.setdefault(fact["queue_id"] or number, []).append(fact)
    return [sorted(story, key=lambda fact: fact["what"] != "accepted") for story in together.values()]


def _alike(fact: Mapping[str, Any]) -> tuple[str, ...]:
    where = "" if fact["what"] in _NOT_TAKEN else fact["recipient"]
    return fact["what"], fact["sender"], fact["message_id"], fact["words"], where


def identity(story: Facts) -> Mapping[str, str]:
    """Its queue_id, sender and message_id, "" for what is not known: so is the sender where the beginning is forgotten."""
    known = {name: next((f[name] for f in story if f[name]), "") for name in ("queue_id", "sender", "message_id")}
    is_null = any(f["what"] in ("accepted", *_NOT_TAKEN) for f in story)
    return known | {"sender": known["sender"] or ("<>" if is_null else "")}


def title(story: Facts) -> str:
    """Which message it is, or which mailing list where something came of no message, in one line."""
    known = identity(story)
    parts = [known["queue_id"] or of_no_message(story[0])]
    if known["sender"]:
        parts.append(f"from {known['sender']}")
    if known["message_id"]:
        parts.append(f"Message-ID <{known['message_id']}>")
    return "  ".join(parts)


def of_no_message(fact: Mapping[str, Any]) -> str:
    """What a fact without a queue id is about: mail that never got one, or a mailing list, of which somebody asked by the web."""
    return "not taken" if fact["what"] in _NOT_TAKEN else f"mailing list {fact['recipient']}"
