"""Verbs about setting up mail programs (F3)."""

from __future__ import annotations

from typing import TypedDict

from hostmail.address import Address, parse_domain
from hostmail.admin.parts import Addressed, Parts, Verb, named_address
from hostmail.admin.permissions import ADDRESS, EVERYBODY, May
from hostmail.admin.setups import make_setup
from hostmail.clientsetup.guides import essentials, guides, notes, profile_link
from hostmail.clientsetup.plaintext import whole
from hostmail.clientsetup.qr import svg
from hostmail.clientsetup.setup import Setup
from hostmail.errors import BadAddress, NotFound


class ServerTold(TypedDict):
    """A server as mail programs have to be told of it; `in_clear` says that passwords may come without TLS, too."""

    protocol: str
    host: str
    port: int
    security: str
    in_clear: bool


class SettingTold(TypedDict):
    """Something to type in, and its name in the program."""

    name: str
    value: str


class GuideStepTold(TypedDict):
    """A step, and what to type in."""

    text: str
    facts: list[SettingTold]


class GuideTold(TypedDict):
    """The steps for one mail program."""

    key: str
    title: str
    steps: list[GuideStepTold]


class ClientTold(TypedDict):
    """How to set up mail programs for one address; `apple_code` is an image (SVG) of the profile's address, for telephones."""

    address: str
    login: str
    domain: str
    servers: list[ServerTold]
    settings: list[SettingTold]
    notes: list[str]
    guides: list[GuideTold]
    apple_profile: str
    apple_code: str
    panel: str
    text: str


class Clients:
    """How people reach their mailboxes. What is told depends on the domain; only the verb looks whether there is such an account."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        may = May(EVERYBODY, looks=True, about={"address": ADDRESS})
        self.verbs = {"client.show": Verb(Addressed, self.show, may)}

    async def setup_of(self, domain: str) -> Setup | None:
        """For the people of a domain hosted here, or of one that stands for it (E6)."""
        try:
            name = parse_domain(domain)
        except BadAddress:
            return None
        directory = self._parts.directory
        home = await directory.domain(name) or await directory.domain(await directory.domain_alias(name))
        return make_setup(self._parts.settings, home, name, self._parts.convinces) if home is not None else None

    async def show(self, asked: Addressed) -> ClientTold:
        """Everything that the owner of an account needs to set up any program."""
        written = named_address(asked.address)
        setup = await self.setup_of(written.domain)
        if setup is None:
            raise NotFound(f"{written.domain} is not hosted here")
        account = await self._parts.find_account(str(Address(written.local, setup.login_domain)))
        return told(setup, Address(Address.parse(account.address).local, setup.domain))


def told(setup: Setup, address: Address) -> ClientTold:
    """A set-up for one address as JSON."""
    link = profile_link(setup, address)
    return {
        "address": str(address),
        "login": setup.login(address),
        "domain": setup.domain,
        "servers": [
            {
                "protocol": server.protocol.value,
                "host": server.host,
                "port": server.port,
                "security": server.security.value,
                "in_clear": server.in_clear,
            }
            for server in setup.servers
        ],
        "settings": [{"name": name, "value": value} for name, value in essentials(setup, address)],
        "notes": list(notes(setup, address)),
        "guides": [
            {
                "key": guide.key,
                "title": guide.title,
                "steps": [
                    {"text": step.text, "facts": [{"name": name, "value": value} for name, value in step.facts]}
                    for step in guide.steps
                ],
            }
            for guide in guides(setup, address)
        ],
        "apple_profile": link,
        "apple_code": svg(link).decode() if link else "",
        "panel": setup.web,
        "text": whole(setup, address),
    }
