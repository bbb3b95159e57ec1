"""The way of one request to the API: what stands there, who asks, how often, what exactly; then the verb, and its answer as JSON."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from hashlib import sha256
from secrets import token_hex
from typing import Any
from urllib.parse import quote

import msgspec
from twisted.logger import Logger

from hostmail.actor import Actor
from hostmail.errors import Refusal
from hostmail.interfaces.admin import IAdmin
from hostmail.rates import Rates
from hostmail.web.answers import Answer
from hostmail.web.api.bearers import Bearers
from hostmail.web.api.kept import KeptAnswer, KeptAnswers, key_of
from hostmail.web.api.paging import Order, limit_of, link_to, part_of
from hostmail.web.api.problems import JSON, UNEXPECTED, Trouble, of_refusal, of_status
from hostmail.web.api.rates import rate_headers
from hostmail.web.api.reading import arguments, check_accepts, check_conditions, is_paged
from hostmail.web.api.shape import Shape
from hostmail.web.api.table import PREFIX, Endpoint, Paths
from hostmail.web.asked import Asked

log = Logger(namespace="web")

DOCUMENT = "/openapi.json"
WORDS = {413: "a body may have 64 KiB, a query 100 words"}


@dataclass(slots=True)
class Call:
    """One request under way: the number it has in answer and log, what it calls, who makes it, and headers for its answer."""

    asked: Asked
    number: str
    endpoint: Endpoint | None = None
    who: str = ""
    headers: list[tuple[str, str]] = field(default_factory=list)


class Api:
    """Answers programs. `document` makes what describes it all (OpenAPI), for anybody."""

    def __init__(
        self,
        *,
        admin: IAdmin,
        shapes: Mapping[str, Shape],
        endpoints: Sequence[Endpoint],
        document: Callable[[], bytes],
        bearers: Bearers,
        rates: Rates,
        kept: KeptAnswers,
    ) -> None:
        self._admin = admin
        self._shapes = shapes
        self._document = document
        self._bearers = bearers
        self._rates = rates
        self._kept = kept
        self._paths = Paths([*endpoints, Endpoint("GET", DOCUMENT, "")])

    def unread(self, status: int) -> Answer:
        """To a request that did not come in whole."""
        number = token_hex(8)
        log.info("not_read: {status} [{number}]", status=status, number=number)
        return of_status(status, WORDS.get(status, ""), number, more=(("x-request-id", number),))

    async def answer(self, asked: Asked, _: Mapping[str, str]) -> Answer:
        """One request; whatever goes wrong is told as problem+json."""
        call = Call(asked, token_hex(8))
        try:
            answer = await self._answer(call)
        except Trouble as trouble:
            answer = of_status(trouble.status, trouble.detail, call.number, trouble.argument, more=trouble.headers)
        except Refusal as refusal:
            if refusal.private:
                log.warn("call_refused: {path}: {reason}", path=asked.raw_path[:200], reason=refusal.private)
            argument = call.endpoint.called(refusal.argument) if call.endpoint is not None else ""
            answer = of_refusal(refusal, call.number, argument)
        except Exception:  # noqa: BLE001 - the edge: logged whole, and the program learns nothing of it
            log.failure(
                "call_failed: {method} {path} [{number}]",
                method=asked.method,
                path=asked.raw_path[:200],
                number=call.number,
            )
            answer = of_status(500, UNEXPECTED, call.number)
        log.info(
            "called: {method} {path} by {who} from {ip}: {status} [{number}]",
            method=asked.method,
            path=asked.raw_path[:200],
            who=call.who or "-",
            ip=asked.ip,
            status=answer.status,
            number=call.number,
        )
        return replace(answer, more=(*answer.more, *call.headers, ("x-request-id", call.number)))

    async def _answer(self, call: Call) -> Answer:
        asked = call.asked
        found = self._paths.find(asked.raw_path.removeprefix(PREFIX))
        if found is None:
            raise Trouble(404, "there is nothing here")
        methods, parts = found
        allowed = ("allow", ", ".join(sorted({*methods, "OPTIONS", *(["HEAD"] if "GET" in methods else [])})))
        if asked.method == "OPTIONS":
            return Answer(status=204, more=(allowed,))
        endpoint = methods.get("GET" if asked.method == "HEAD" else asked.method)
        if endpoint is None:
            raise Trouble(405, f"not with {asked.method}", allowed)
        call.endpoint = endpoint
        check_accepts(asked.headers.get("accept", ""))
        if not endpoint.verb:
            return Answer(self._document(), kind=JSON)
        actor, token = await self._bearers.who(asked.headers.get("authorization", ""), asked.ip)
        call.who = actor.login
        room = self._rates.take(sha256(token.encode("ascii")).digest())
        call.headers += rate_headers(room)
        if room.wait:
            raise Trouble(429, "that was too much at once: wait as long as Retry-After says")
        check_conditions(endpoint, asked)
        given = arguments(endpoint, self._shapes[endpoint.verb], asked, parts)
        key = asked.headers.get("idempotency-key") if endpoint.method == "POST" else None
        if key is None:
            return await self._ask(endpoint, asked, given, actor)
        return await self._once(endpoint, asked, given, actor, token, key_of(key))

    async def _ask(self, endpoint: Endpoint, asked: Asked, given: Mapping[str, Any], actor: Actor) -> Answer:
        """The verb's answer."""
        shape = self._shapes[endpoint.verb]
        limit = limit_of(asked) if is_paged(endpoint, shape) else 0
        told = await self._admin.call(endpoint.verb, given, actor)
        if not shape.is_list:
            location = made_at(endpoint.made, told) if endpoint.made else ""
            return Answer(msgspec.json.encode(told), 201 if endpoint.creates else 200, JSON, location)
        if not limit:
            return Answer(msgspec.json.encode({"items": told, "next": None}), kind=JSON)
        part = part_of(told, limit, asked.query.text("cursor"), Order(endpoint.key))
        body = msgspec.json.encode({"items": part.rows, "next": part.following or None})
        return Answer(body, kind=JSON, more=(link_to(asked, part.following),) if part.following else ())

    async def _once(
        self, endpoint: Endpoint, asked: Asked, given: Mapping[str, Any], actor: Actor, token: str, key: str
    ) -> Answer:
        """The same, but what was done with this key before is not done again. Only what succeeds is kept."""
        request = b"\0".join((asked.method.encode(), asked.path.encode(), asked.body))
        before = self._kept.begin(token, key, request)
        if before is not None:
            return Answer(before.body, before.status, JSON, before.location, more=(("idempotency-replayed", "true"),))
        try:
            answer = await self._ask(endpoint, asked, given, actor)
        except BaseException:
            with log.failuresHandled("key_not_given_back"):
                self._kept.give_up(token, key)
            raise
        # What is done is done, and told so, even where that cannot be written down.
        with log.failuresHandled("answer_not_kept"):
            self._kept.end(token, key, KeptAnswer(answer.status, answer.location, answer.body))
        return answer


def made_at(template: str, told: Mapping[str, Any]) -> str:
    """Where something new is found."""
    return PREFIX + template.format_map({name: quote(str(value), safe="@") for name, value in told.items()})
