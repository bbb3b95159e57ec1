"""The panel put together: templates, pages, routes, and the site that a listener hands its connections to."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from hostmail.interfaces.admin import IAdmin, ISessions
from hostmail.interfaces.lists import IOneClick
from hostmail.interfaces.people import ISignIn
from hostmail.rates import Rates
from hostmail.web.answers import Answer
from hostmail.web.app import Route, WebApp, body_limit
from hostmail.web.asked import Asked, Proxies
from hostmail.web.panel.page import Page
from hostmail.web.panel.panel import CODE_PATH, LOGIN_PATH, LOGOUT_PATH, IsOurs, Panel
from hostmail.web.panel.rendering import Rendering, Urls
from hostmail.web.panel.routes import PAGES
from hostmail.web.panel.signing import Signing
from hostmail.web.panel.templating import make_templates
from hostmail.web.panel.unsubscribing import unsubscribing_route
from hostmail.web.server import BoundedSite
from hostmail.web.sessions import WebSessions
from hostmail.web.static import PREFIX, StaticFiles


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
    one_click: IOneClick,
    trusted_proxies: Sequence[str] = (),
    pages: Sequence[Page] = PAGES,
    more: Sequence[Route] = (),
    per_minute: int = 600,
) -> BoundedSite:
    """The site of the panel; `server` is what the pages call this server, `more` are routes beside the pages.

    `per_minute` is how many pages one person may ask for."""
    static, urls, proxies = StaticFiles(), Urls(pages), Proxies(trusted_proxies)
    templates = make_templates(static=static.url, url=urls, server=server)
    panel = Panel(
        admin=admin,
        sign_in=sign_in,
        sessions=sessions,
        connections=connections,
        now=now,
        is_ours=is_ours,
        urls=urls,
        rendering=Rendering(templates, pages, urls),
        rates=Rates(per_minute=per_minute, now=reactor.seconds),
    )
    routes = [
        *page_routes(panel, pages),
        *signing_routes(panel),
        unsubscribing_route(panel, one_click),
        file_route(panel, static),
        *more,
    ]
    return BoundedSite(
        WebApp(routes, proxies=proxies, error=panel.error, missing=panel.missing).resource(),
        reactor=reactor,
        connections=connections,
        service="panel",
        body_limit=body_limit(routes, sessions),
        is_proxy=proxies.trusts,
    )


def page_routes(panel: Panel, pages: Sequence[Page]) -> list[Route]:
    """One for each page; those without forms take no POST."""

    def route(page: Page) -> Route:
        async def work(asked: Asked, parts: Mapping[str, str]) -> Answer:
            return await panel.guarded(asked, lambda: panel.answer(page, asked, parts))

        methods = ("GET", "POST") if page.actions else ("GET",)
        return Route(page.name, page.path, work, methods, uploads=page.uploads)

    return [route(page) for page in pages]


def signing_routes(panel: Panel) -> list[Route]:
    """Signing in and out."""
    signing = Signing(panel)

    async def login(asked: Asked, _: Mapping[str, str]) -> Answer:
        return await panel.guarded(asked, lambda: signing.login(asked))

    async def code(asked: Asked, _: Mapping[str, str]) -> Answer:
        return await panel.guarded(asked, lambda: signing.code(asked))

    async def logout(asked: Asked, _: Mapping[str, str]) -> Answer:
        return await panel.guarded(asked, lambda: signing.logout(asked))

    return [
        Route("login", LOGIN_PATH, login, ("GET", "POST")),
        Route("code", CODE_PATH, code, ("GET", "POST")),
        Route("logout", LOGOUT_PATH, logout, ("POST",)),
    ]


def file_route(panel: Panel, static: StaticFiles) -> Route:
    """Stylesheet, script and icon."""

    async def work(asked: Asked, parts: Mapping[str, str]) -> Answer:
        return static.find(parts["name"], asked.known_etag) or panel.error(404)

    return Route("static", f"{PREFIX}<name>", work)
