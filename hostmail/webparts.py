"""What answers on the web: the panel, and the port that helps mail programs find their settings, over the parts."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from functools import cache
from urllib.parse import urlsplit

from twisted.internet.interfaces import IProtocolFactory

from hostmail.admin.setups import panel_address
from hostmail.config.schema import Settings
from hostmail.interfaces import IAdmin, IDirectory
from hostmail.parts import Parts
from hostmail.web.asked import is_ip
from hostmail.web.panel.making import make_panel
from hostmail.web.redirecting import make_redirecting
from hostmail.web.sessions import WebSessions


def open_web_sessions(settings: Settings) -> WebSessions:
    """Who is signed in to the panel; it outlives a reload."""
    return WebSessions(path=settings.data_dir / "panel.sqlite", now=time.time)


def web_factories(parts: Parts, *, admin: IAdmin, sessions: WebSessions) -> Callable[[str], IProtocolFactory]:
    """Makes the site behind the listeners of `panel`, or of `setup`: all of a service share one."""
    settings = parts.settings
    is_ours = own_hosts(settings, parts.directory)

    @cache
    def make(service: str) -> IProtocolFactory:
        if service == "setup":
            return make_redirecting(
                panel_url=panel_address(settings, settings.hostname),
                routes=(),
                connections=parts.sessions,
                reactor=parts.reactor,
                trusted_proxies=settings.trusted_proxies,
            )
        return make_panel(
            admin=admin,
            sign_in=parts.sign_in(),
            sessions=sessions,
            connections=parts.sessions,
            reactor=parts.reactor,
            now=time.time,
            is_ours=is_ours,
            server=settings.hostname,
            trusted_proxies=settings.trusted_proxies,
        )

    return make


def own_hosts(settings: Settings, directory: IDirectory) -> Callable[[str], Awaitable[bool]]:
    """Whether the panel answers under a name: the server's own, the one it is said to have, a hosted domain or a name right below one.

    Addresses, too, for who has no DNS yet: no other site can make a browser take them for itself.
    """
    own = {settings.hostname, "localhost", urlsplit(settings.panel_url or "").hostname}

    async def is_ours(host: str) -> bool:
        if not host:
            return False
        if host in own or is_ip(host):
            return True
        for name in (host, host.partition(".")[2]):
            if name and (await directory.domain(name) is not None or await directory.domain_alias(name)):
                return True
        return False

    return is_ours
