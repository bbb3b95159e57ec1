"""Verbs about the letter that a new mailbox begins with, and writing it (F3)."""

from __future__ import annotations

from pathlib import Path
from typing import TypedDict

import msgspec
from twisted.internet.defer import Deferred, DeferredList, DeferredSemaphore
from twisted.logger import Logger

from hostmail.address import Address
from hostmail.admin.clients import Clients
from hostmail.admin.parts import Addressed, Named, Parts, Verb, named_address
from hostmail.admin.permissions import ADDRESS, DOMAIN, OWNERS, May
from hostmail.admin.told import AboutTold
from hostmail.clientsetup.welcome import DEFAULT, MAX_TEXT, PLACEHOLDERS, Letter, Template, letter, read_template
from hostmail.errors import BadValue, NotFound
from hostmail.interfaces.directory import Account, OwnWelcome

GREETED_AT_ONCE = 20

log = Logger(namespace="admin")


class SetWelcome(msgspec.Struct, forbid_unknown_fields=True):
    """welcome.set: `template` is Subject: ..., an empty line, the text."""

    name: str
    template: str


class Preview(msgspec.Struct, forbid_unknown_fields=True):
    """welcome.preview: the letter for an address of a domain; of `template` where one is being written."""

    address: str
    template: str = ""


class PlaceholderTold(TypedDict):
    """A word in a letter that becomes something."""

    name: str
    means: str


class WelcomeTold(TypedDict):
    """What new mailboxes of a domain begin with: its `own` letter or the server's; `laid_down` says that the domain differs from it."""

    name: str
    on: bool
    own: bool
    laid_down: bool
    template: str
    placeholders: list[PlaceholderTold]


class LetterTold(TypedDict):
    """A letter as it would be put into a mailbox."""

    address: str
    subject: str
    text: str


class Welcomes:
    """The server's letter, a domain's own, or none."""

    def __init__(self, parts: Parts, clients: Clients) -> None:
        self._parts = parts
        self._clients = clients
        self._servers = server_template(parts.settings.welcome_template)
        reads, writes = (May(OWNERS, looks=looks, about={"name": DOMAIN}) for looks in (True, False))
        self.verbs = {
            "welcome.show": Verb(Named, self.show, reads),
            "welcome.set": Verb(SetWelcome, self.set, writes),
            "welcome.off": Verb(Named, self.off, writes),
            "welcome.reset": Verb(Named, self.reset, writes),
            "welcome.preview": Verb(Preview, self.preview, May(OWNERS, looks=True, about={"address": ADDRESS})),
            "welcome.send": Verb(Addressed, self.send, May(OWNERS, about={"address": ADDRESS})),
        }

    async def greet(self, *accounts: Account) -> None:
        """Let new mailboxes begin with their letter, several at once: each waits for the disk."""
        places = DeferredSemaphore(GREETED_AT_ONCE)

        async def in_turn(account: Account) -> None:
            async with places:
                await self._greet(account)

        await DeferredList([Deferred.fromCoroutine(in_turn(account)) for account in accounts], fireOnOneErrback=True)

    async def _greet(self, account: Account) -> None:
        """Trouble is logged: the account is there, and that is what counts."""
        with log.failuresHandled("not_welcomed: {address}", address=account.address):
            template = await self._greeting(account.domain)
            if template is not None:
                await self._put(template, account)

    async def show(self, asked: Named) -> WelcomeTold:
        """What new mailboxes of a domain begin with; its own letter as it was laid down, even if it may not stand so any more."""
        domain = await self._parts.find_domain(asked.name)
        own = await self._parts.welcomes.of_domain(domain.name)
        return {
            "name": domain.name,
            "on": own.is_on if own is not None else self._parts.settings.welcome_mail,
            "own": own is not None and bool(own.template),
            "laid_down": own is not None,
            "template": own.template if own is not None and own.template else self._servers.written(),
            "placeholders": [{"name": name, "means": words} for name, (words, _) in PLACEHOLDERS.items()],
        }

    async def set(self, asked: SetWelcome) -> WelcomeTold:
        """Give a domain its own letter, from the next account on."""
        return await self._lay_down(asked.name, OwnWelcome(True, read_template(asked.template).written()))

    async def off(self, asked: Named) -> WelcomeTold:
        """New mailboxes of a domain begin empty; its own letter is kept."""
        domain = await self._parts.find_domain(asked.name)
        own = await self._parts.welcomes.of_domain(domain.name)
        return await self._lay_down(domain.name, OwnWelcome(False, own.template if own is not None else ""))

    async def reset(self, asked: Named) -> WelcomeTold:
        """A domain begins its mailboxes as the server does."""
        return await self._lay_down(asked.name, None)

    async def preview(self, asked: Preview) -> LetterTold:
        """The letter for an address, whether there is such a mailbox or not."""
        address = named_address(asked.address)
        domain = await self._parts.find_domain(address.domain)
        if asked.template:
            template = read_template(asked.template)
        else:
            template = self._template(await self._parts.welcomes.of_domain(domain.name))
        found = await self._letter(template, address)
        return {"address": str(address), "subject": found.subject, "text": found.text}

    async def send(self, asked: Addressed) -> AboutTold:
        """Put the letter into an account's mailbox now, even where new ones begin empty."""
        account = await self._parts.find_account(asked.address)
        await self._put(self._template(await self._parts.welcomes.of_domain(account.domain)), account)
        return {"address": account.address}

    async def _lay_down(self, name: str, wanted: OwnWelcome | None) -> WelcomeTold:
        domain = await self._parts.find_domain(name)
        await self._parts.welcomes.lay_down(domain.name, wanted)
        return await self.show(Named(domain.name))

    def _template(self, own: OwnWelcome | None) -> Template:
        """A domain's own letter or the server's; raises BadValue for one that was laid down before there was a limit that it breaks."""
        return read_template(own.template) if own is not None and own.template else self._servers

    async def _greeting(self, domain: str) -> Template | None:
        """The letter for new mailboxes; None if they begin empty. The server's stands in for one that cannot be used any more."""
        own = await self._parts.welcomes.of_domain(domain)
        if not (own.is_on if own is not None else self._parts.settings.welcome_mail):
            return None
        try:
            return self._template(own)
        except BadValue as refusal:
            words = "welcome: the letter of {domain} cannot be used: {error}; the server's is"
            log.error(words, domain=domain, error=refusal.public)
            return self._servers

    async def _put(self, template: Template, account: Account) -> None:
        found = await self._letter(template, Address.parse(account.address))
        await self._parts.put_letter(account, found.subject, found.text)

    async def _letter(self, template: Template, address: Address) -> Letter:
        setup = await self._clients.setup_of(address.domain)
        if setup is None:
            raise NotFound(f"{address.domain} is not hosted here")
        return letter(template, setup, address)


def server_template(path: Path | None) -> Template:
    """The operator's letter, or hostmail's own. One that cannot be used is no reason to stand still: it is logged."""
    if path is None:
        return DEFAULT
    try:
        with path.open(encoding="utf-8-sig") as file:
            return read_template(file.read(MAX_TEXT + 1024))
    except (OSError, UnicodeDecodeError, BadValue) as error:
        log.error("welcome_template: {path}: {error}; hostmail's own is used", path=str(path), error=str(error))
        return DEFAULT
