"""The panel put together: templates, pages, routes, and the site that a listener hands its connections to."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from hostmail.interfaces import IAdmin, ISessions, ISignIn
from hostmail.web.asked import Proxies
from hostmail.web.panel.app import PanelApp, body_limit
from hostmail.web.panel.page import Page
from hostmail.web.panel.panel import IsOurs, Panel
from hostmail.web.panel.rendering import Rendering, Urls
from hostmail.web.panel.routes import PAGES
from hostmail.web.panel.templating import make_templates
from hostmail.web.server import BoundedSite
from hostmail.web.sessions import WebSessions
from hostmail.web.static import StaticFiles


def make_panel(
    *,
    admin: IAdmin,
    sign_in: ISignIn,
    sessions: WebSessions,
    connections: ISessions,
    reactor: Any,
    now: Callable[[], float],
    is_ours: IsOurs,
    server: str,
    trusted_proxies: Sequence[str] = (),
    pages: Sequence[Page] = PAGES,
) -> BoundedSite:
    """The site of the panel; `server` is what the pages call this server."""
    static, urls, proxies = StaticFiles(), Urls(pages), Proxies(trusted_proxies)
    templates = make_templates(static=static.url, url=urls, server=server)
    panel = Panel(
        admin=admin,
        sign_in=sign_in,
        sessions=sessions,
        now=now,
        is_ours=is_ours,
        pages=pages,
        urls=urls,
        rendering=Rendering(templates, pages, urls),
    )
    return BoundedSite(
        PanelApp(panel, pages, static, proxies).resource(),
        reactor=reactor,
        connections=connections,
        service="panel",
        body_limit=body_limit(pages, sessions),
        is_proxy=proxies.trusts,
    )
