"""Whether a domain lets only its own servers send mail from it (DMARC, RFC 7489): then a list may not."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence

from hostmail.errors import Refusal

MOST_LEVELS = 5
STRICT = frozenset({"quarantine", "reject"})

Texts = Callable[[str], Awaitable[Sequence[str]]]
"""The TXT records at a name; raises a Refusal, a permanent one if the name does not exist."""


async def is_strict(domain: str, texts: Texts) -> bool:
    """Whether a policy of quarantine or reject counts for it.

    A domain without a record has that of the nearest domain above it that has one, which needs no list of public suffixes. If the DNS
    does not answer it is taken as strict: a From that was rewritten for nothing harms nobody, and one that was not, everybody.
    """
    for name in _above(domain):
        try:
            policy = _policy(await texts(f"_dmarc.{name}"), inherited=name != domain)
        except Refusal as refusal:
            if not refusal.permanent:
                return True
            policy = ""
        if policy:
            return policy in STRICT
    return False


def _above(domain: str) -> list[str]:
    """It, and of those above it the last ones before the top: whoever owns a domain can make names below it as long as he likes."""
    if domain.startswith("["):
        return []
    labels = domain.split(".")
    names = [".".join(labels[place:]) for place in range(len(labels) - 1)]
    return names[:1] + names[1:][1 - MOST_LEVELS :]


def _policy(records: Sequence[str], *, inherited: bool) -> str:
    """What the only record there says, "" if there is none (RFC 7489 6.6.3)."""
    found = [tags for record in records if (tags := _tags(record)).get("v") == "DMARC1"]
    if len(found) != 1:
        return ""
    policy = found[0].get("p", "none")
    return (found[0].get("sp", policy) if inherited else policy).lower()


def _tags(record: str) -> dict[str, str]:
    pairs = (part.partition("=") for part in record.split(";"))
    return {name.strip().lower(): value.strip() for name, _, value in pairs}
