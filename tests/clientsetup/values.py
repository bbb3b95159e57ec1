"""Set-ups for tests."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hostmail.address import Address
from hostmail.clientsetup.setup import Offer, Setup, make_servers

ALL = {"smtp": 25, "submission": 587, "submissions": 465, "pop3": 110, "pop3s": 995, "imap": 143, "imaps": 993}
ANN = Address.parse("Ann@one.test")


def setup(ports: Mapping[str, int] = ALL, in_clear: bool = False, host: str = "mail.one.test", **given: Any) -> Setup:
    """That of one.test."""
    offers = [Offer(service, port, in_clear) for service, port in ports.items()]
    facts = {"domain": "one.test", "login_domain": "one.test", "hostname": "mx.host.test"} | given
    return Setup(servers=make_servers(offers, lambda protocol: host), **facts)
