"""The form for an autoresponder, which owners fill in for an account and users for themselves (E4)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from hostmail.errors import NotFound
from hostmail.web.fields import BadField
from hostmail.web.panel.page import Visit

DAY_SECONDS = 86_400
EVERY = ((1, "once a day"), (3, "once in three days"), (7, "once a week"), (30, "once a month"))


async def shown(visit: Visit, address: str) -> dict[str, Any]:
    """The facts for autoreply_form.html: the one there is, if there is one, as it is typed."""
    try:
        there: Mapping[str, Any] = await visit.call("autoreply.show", address=address)
    except NotFound:
        there = {}
    days = round(there.get("every", 7 * DAY_SECONDS) / DAY_SECONDS)
    every = EVERY if any(days == each for each, _ in EVERY) else (*EVERY, (days, f"once in {days} days"))
    return {
        "address": address,
        "there": there,
        "starts": _day(there.get("starts")),
        "until": _day(there.get("until"), last=True),
        "days": str(days),
        "every": [(str(each), words) for each, words in every],
        "preview": None,
    }


def _day(when: float | None, last: bool = False) -> str:
    """As a day is typed; the end of one is the midnight after it."""
    return "" if when is None else datetime.fromtimestamp(when - last).astimezone().date().isoformat()


def typed(visit: Visit) -> dict[str, Any]:
    """What was filled in, as the verb takes it; raises BadField."""
    form = visit.form
    days = form.number("every")
    if not days or days > 366:
        raise BadField("every", "Choose how often")
    return {
        "subject": form.text("subject"),
        "text": form.needed("text", "Type what is to be answered"),
        "starts": form.day("starts"),
        "until": form.day("until", last=True),
        "every": float(days * DAY_SECONDS),
    }
