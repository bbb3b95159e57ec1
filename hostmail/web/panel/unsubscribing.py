"""Leaving a mailing list with one click (RFC 8058): the link in a member's copy is all it takes, and no cookie counts.

Following the link alone changes nothing, for programs look at links by themselves: it shows a button that does what mail programs do.
"""

from __future__ import annotations

from collections.abc import Mapping

from hostmail.interfaces.lists import IOneClick
from hostmail.listnames import UNSUBSCRIBE_PATH
from hostmail.web.answers import Answer
from hostmail.web.app import Route
from hostmail.web.asked import Asked
from hostmail.web.panel.panel import Panel

FIELD, VALUE = "List-Unsubscribe", "One-Click"


def unsubscribing_route(panel: Panel, one_click: IOneClick) -> Route:
    """The page behind the links."""

    async def answer(asked: Asked, parts: Mapping[str, str]) -> Answer:
        does = asked.method == "POST" and asked.form.text(FIELD) == VALUE
        about = parts["list"], parts["token"]
        found = await (one_click.leave(*about, asked.ip) if does else one_click.list_of(*about))
        if found is None:
            return panel.error(404)
        return panel.rendering.plain("unsubscribe.html", list=found, left=does, field=FIELD, value=VALUE)

    async def work(asked: Asked, parts: Mapping[str, str]) -> Answer:
        return await panel.guarded(asked, lambda: answer(asked, parts))

    return Route("unsubscribe", f"{UNSUBSCRIBE_PATH}/<list>/<token>", work, ("GET", "POST"))
