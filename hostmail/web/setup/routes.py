"""Where mail programs ask: the paths are theirs, in whatever case they write them."""

from __future__ import annotations

from collections.abc import Mapping

from twisted.logger import Logger

from hostmail.errors import Refusal
from hostmail.web.answers import Answer
from hostmail.web.app import Route, Work
from hostmail.web.asked import Asked
from hostmail.web.setup.answers import LATER, SetupAnswers

log = Logger(namespace="web")

DISCOVERY = '/<nocase("autodiscover"):folder>/<nocase("autodiscover.{kind}"):file>'


def guarded(work: Work) -> Work:
    """What `work` answers; of trouble inside, only that there is some."""

    async def answer(asked: Asked, parts: Mapping[str, str]) -> Answer:
        try:
            return await work(asked, parts)
        except Refusal as refusal:
            log.warn("setup_refused: {path}: {reason}", path=asked.path[:200], reason=refusal.private or refusal.public)
            return LATER

    return answer


def plain_routes(answers: SetupAnswers) -> list[Route]:
    """What is answered without TLS: programs have no other way to begin. None of it is secret, and a profile is not among it."""
    xml, json = (DISCOVERY.format(kind=kind) for kind in ("xml", "json"))
    return [
        Route("autoconfig", "/mail/config-v1.1.xml", guarded(answers.autoconfig)),
        Route("autoconfig_well_known", "/.well-known/autoconfig/mail/config-v1.1.xml", guarded(answers.autoconfig)),
        Route("autodiscover", xml, guarded(answers.autodiscover), ("GET", "POST"), takes_form=False),
        Route("autodiscover_json", json, guarded(answers.autodiscover_json)),
        Route("autodiscover_json_path", f"{json}/v1.0/<address>", guarded(answers.autodiscover_json)),
    ]


def setup_routes(answers: SetupAnswers) -> list[Route]:
    """All of it, for the panel's port."""
    return [
        *plain_routes(answers),
        Route("apple_profile", "/setup/apple.mobileconfig", guarded(answers.apple_profile)),
        Route("guide", "/setup/<domain>.txt", guarded(answers.guide)),
    ]
