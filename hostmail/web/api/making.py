"""The API put together, as routes beside those of the panel."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

from hostmail.interfaces.admin import IAdmin
from hostmail.interfaces.people import ITokens
from hostmail.rates import Rates
from hostmail.web.api.api import Api
from hostmail.web.api.bearers import Bearers, Guesses
from hostmail.web.api.kept import KeptAnswers
from hostmail.web.api.openapi import document
from hostmail.web.api.shape import Shape
from hostmail.web.api.table import ENDPOINTS
from hostmail.web.app import Route


def api_routes(
    *,
    admin: IAdmin,
    shapes: Mapping[str, Shape],
    tokens: ITokens,
    guesses: Guesses,
    kept: KeptAnswers,
    reactor: Any,
    per_minute: int,
    version: str,
) -> list[Route]:
    """All of it below one path. `per_minute` is how many requests a token may make."""
    api = Api(
        admin=admin,
        shapes=shapes,
        endpoints=ENDPOINTS,
        document=cache(lambda: document(ENDPOINTS, shapes, version)),
        bearers=Bearers(tokens=tokens, guesses=guesses, clock=reactor),
        rates=Rates(per_minute=per_minute, now=reactor.seconds),
        kept=kept,
    )

    return [Route("api", "/api/<anything:rest>", api.answer, methods=(), takes_form=False, error=api.unread)]
