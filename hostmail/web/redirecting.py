"""The plain HTTP port for mail programs that look for their settings there: those answers, and the way to the panel for all else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from hostmail.interfaces.admin import ISessions
from hostmail.web.answers import Answer
from hostmail.web.app import Route, WebApp
from hostmail.web.asked import Asked, Proxies
from hostmail.web.limits import BODY_OCTETS
from hostmail.web.server import BoundedSite


def make_redirecting(
    *,
    panel_url: str,
    routes: Sequence[Route],
    connections: ISessions,
    reactor: Any,
    trusted_proxies: Sequence[str] = (),
) -> BoundedSite:
    """The site. People are led to the panel's own address, whatever name they used; "" if there is no panel."""

    async def elsewhere(asked: Asked, parts: Mapping[str, str]) -> Answer:
        return lead_to(panel_url)

    proxies = Proxies(trusted_proxies)
    whole = [*routes, Route("first", "/", elsewhere), Route("elsewhere", "/<path:path>", elsewhere)]
    return BoundedSite(
        WebApp(whole, proxies=proxies, error=lambda status: Answer(status=status)).resource(),
        reactor=reactor,
        connections=connections,
        service="setup",
        body_limit=lambda request: BODY_OCTETS,
        is_proxy=proxies.trusts,
    )


def lead_to(panel_url: str) -> Answer:
    """The panel's first page: forms and secrets are for there, not for here."""
    if not panel_url:
        return Answer(b"There is nothing here.\n", 404, "text/plain; charset=utf-8")
    return Answer(status=302, location=f"{panel_url}/")
