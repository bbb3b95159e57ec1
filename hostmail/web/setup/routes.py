"""Where mail programs ask: the paths are theirs, in whatever case they write them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from math import ceil

from twisted.logger import Logger

from hostmail.address import client_network
from hostmail.errors import Refusal
from hostmail.rates import Rates
from hostmail.web.answers import Answer
from hostmail.web.app import Route, Work
from hostmail.web.asked import Asked
from hostmail.web.setup.answers import LATER, SLOWER, SetupAnswers

log = Logger(namespace="web")

DISCOVERY = '/<nocase("autodiscover"):folder>/<nocase("autodiscover.{kind}"):file>'


def guarded(work: Work, rates: Rates) -> Work:
    """What `work` answers, so often for one address; of trouble inside, only that there is some."""

    async def answer(asked: Asked, parts: Mapping[str, str]) -> Answer:
        network = client_network(asked.ip)
        if network and (wait := rates.take(network.encode()).wait):
            return replace(SLOWER, more=(("retry-after", str(ceil(wait))),))
        try:
            return await work(asked, parts)
        except Refusal as refusal:
            log.warn("setup_refused: {path}: {reason}", path=asked.path[:200], reason=refusal.private or refusal.public)
            return LATER

    return answer


def plain_routes(answers: SetupAnswers, rates: Rates) -> list[Route]:
    """What is answered without TLS: programs have no other way to begin. None of it is secret, and a profile is not among it."""
    xml, json = (DISCOVERY.format(kind=kind) for kind in ("xml", "json"))
    autoconfig, autodiscover = guarded(answers.autoconfig, rates), guarded(answers.autodiscover, rates)
    autodiscover_json = guarded(answers.autodiscover_json, rates)
    return [
        Route("autoconfig", "/mail/config-v1.1.xml", autoconfig),
        Route("autoconfig_well_known", "/.well-known/autoconfig/mail/config-v1.1.xml", autoconfig),
        Route("autodiscover", xml, autodiscover, ("GET", "POST"), takes_form=False),
        Route("autodiscover_json", json, autodiscover_json),
        Route("autodiscover_json_path", f"{json}/v1.0/<address>", autodiscover_json),
    ]


def setup_routes(answers: SetupAnswers, rates: Rates) -> list[Route]:
    """All of it, for the panel's port."""
    return [
        *plain_routes(answers, rates),
        Route("apple_profile", "/setup/apple.mobileconfig", guarded(answers.apple_profile, rates)),
        Route("guide", "/setup/<domain>.txt", guarded(answers.guide, rates)),
    ]
