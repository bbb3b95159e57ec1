"""What answers on the web: the panel, and the port that helps mail programs find their settings, over the parts."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, get_type_hints
from urllib.parse import urlsplit

from twisted.internet.interfaces import IProtocolFactory

from hostmail import __version__
from hostmail.admin.parts import Verb
from hostmail.admin.service import Admin
from hostmail.admin.setups import panel_address
from hostmail.config.schema import Settings
from hostmail.interfaces.admin import IAdmin
from hostmail.interfaces.directory import IDirectory
from hostmail.interfaces.lists import IOneClick
from hostmail.parts import Parts
from hostmail.rates import Rates
from hostmail.web.api.kept import KeptAnswers
from hostmail.web.api.making import api_routes
from hostmail.web.api.shape import Shape
from hostmail.web.asked import is_ip
from hostmail.web.panel.making import make_panel
from hostmail.web.redirecting import make_redirecting
from hostmail.web.sessions import WebSessions
from hostmail.web.setup.answers import SetupAnswers, SignerOf
from hostmail.web.setup.routes import plain_routes, setup_routes


class WebParts:
    """The sites of the web ports. Who is signed in outlives a reload, and the process, as does what the API has answered."""

    def __init__(self, settings: Settings, admin: IAdmin) -> None:
        self._admin = admin
        self._sessions = WebSessions(path=settings.data_dir / "panel.sqlite", now=time.time)
        self._kept = KeptAnswers(path=settings.data_dir / "api.sqlite", now=time.time)

    def sites(
        self, parts: Parts, admin: Admin, one_click: IOneClick, signer_of: SignerOf
    ) -> dict[str, IProtocolFactory]:
        """By service, with the settings as they are now; all listeners of a service share one.

        `admin` is asked how mail programs are set up, and what the API offers; `signer_of` signs set-up answers.
        """
        settings = parts.settings
        answers = SetupAnswers(setup_of=admin.setup_of, signer_of=signer_of, now=time.time)
        setup_rates = Rates(per_minute=settings.limits.setup_requests, now=parts.reactor.seconds)
        common: dict[str, Any] = {
            "connections": parts.sessions,
            "reactor": parts.reactor,
            "trusted_proxies": settings.trusted_proxies,
        }
        api = api_routes(
            admin=self._admin,
            shapes=shapes_of(admin.verbs),
            tokens=parts.tokens,
            guesses=parts.throttle,
            kept=self._kept,
            reactor=parts.reactor,
            per_minute=settings.limits.api_requests,
            version=__version__,
        )
        panel = make_panel(
            admin=self._admin,
            sign_in=parts.sign_in(),
            sessions=self._sessions,
            now=time.time,
            is_ours=own_hosts(settings, parts.directory),
            per_minute=settings.limits.panel_requests,
            server=settings.hostname,
            one_click=one_click,
            more=[*setup_routes(answers, setup_rates), *api],
            **common,
        )
        panel_url = panel_address(settings, settings.hostname)
        setup = make_redirecting(panel_url=panel_url, routes=plain_routes(answers, setup_rates), **common)
        return {"panel": panel, "setup": setup}

    def close(self) -> None:
        """Close the files."""
        self._sessions.close()
        self._kept.close()


def shapes_of(verbs: Mapping[str, Verb]) -> dict[str, Shape]:
    """What the API has to know of each verb."""
    return {
        name: Shape(
            verb.arguments,
            get_type_hints(verb.work)["return"],
            verb.may.looks,
            verb.may.who,
            (verb.work.__doc__ or "").partition("\n")[0],
            verb.may.only,
        )
        for name, verb in verbs.items()
    }


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
