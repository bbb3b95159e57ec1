"""What the verbs work with: the other stages as they were handed in, and finding what people name."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Protocol

import msgspec

from hostmail.actor import Actor
from hostmail.address import Address
from hostmail.admin.permissions import CLOSED, May, domain_of, reaches
from hostmail.admin.setups import Convinces
from hostmail.clientsetup.spf import Ask
from hostmail.config.nearest import DOMAIN_CUTOFF, nearest
from hostmail.config.schema import Settings
from hostmail.errors import BadAddress, BadValue, NotFound, concerning
from hostmail.interfaces.admin import CertificateInfo, IAudit, ISessions
from hostmail.interfaces.autoresponders import IAnswered
from hostmail.interfaces.directory import Account, Domain, ICaughtNames, IDirectory, IDirectoryChanges, IWelcomes
from hostmail.interfaces.history import IHistory
from hostmail.interfaces.lists import IHeldPosts, IListMembers
from hostmail.interfaces.logins import ILoginAttempts, IPasswords, IRelayGrants, IThrottle
from hostmail.interfaces.mailstore import IMailStore
from hostmail.interfaces.people import IPeople, ISecondFactors, ISignIn, ITokens
from hostmail.interfaces.queue import IQueue
from hostmail.interfaces.waysout import IWaysOut

WasHash = Callable[[int, str], Awaitable[bool]]
"""Whether an account's own hash is the upgrade of this foreign one, which somebody imported (A7)."""


Counts = Callable[[], Awaitable[tuple[int, int]]]
"""How many domains and accounts there are, without reading them."""


Explain = Callable[[Address], Awaitable[dict[str, Any]]]
"""Where mail to an address would go, and why: steps and ends, as `hostmail route` shows them."""


ExplainWay = Callable[[int | None, str], Awaitable[dict[str, Any]]]
"""Which way out mail takes that an account sent, or else one that has this reverse-path: as `hostmail route --from` shows it."""


LiveDns = Callable[[], Ask]
"""Begins a check: what asks the DNS as it is now, for a limited time."""


class Greet(Protocol):
    """Lets new mailboxes begin with their letter, where that is wanted (F3); never raises."""

    async def __call__(self, *accounts: Account) -> None: ...


KnownCertificates = Callable[[], Awaitable[Sequence[CertificateInfo]]]
"""All certificates there are, read anew."""


Seconds = Annotated[int, msgspec.Meta(ge=0)]
"""A time that has passed."""


PutLetter = Callable[[Account, str, str], Awaitable[None]]
"""Puts a letter with this subject and text into an account's mailbox, durably; raises a Refusal."""


@dataclass(frozen=True, slots=True)
class Verb:
    """One thing that can be asked for: the shape of its arguments, what does it, and who may.

    With `may.acting` the work takes the actor, too.
    """

    arguments: type[msgspec.Struct]
    work: Callable[..., Awaitable[Any]]
    may: May = CLOSED


class NoArguments(msgspec.Struct, forbid_unknown_fields=True):
    """A verb that needs to know nothing more."""


class Named(msgspec.Struct, forbid_unknown_fields=True):
    """A verb about one domain."""

    name: str


class Addressed(msgspec.Struct, forbid_unknown_fields=True):
    """A verb about one account."""

    address: str


class OneLogin(msgspec.Struct, forbid_unknown_fields=True):
    """A verb about one operator or owner, by a login without @; about second factors, a domain's main login as well."""

    login: str


def named_address(text: str) -> Address:
    """The address somebody names; raises BadValue for what is none."""
    try:
        return Address.parse(text.strip())
    except BadAddress as refusal:
        raise BadValue(f"{text}: {refusal.public}") from None


@dataclass(frozen=True, slots=True)
class Parts:
    """The stages. `sessions` is None when the service is not running and the command works on the data itself."""

    directory: IDirectory
    changes: IDirectoryChanges
    passwords: IPasswords
    people: IPeople
    factors: ISecondFactors
    tokens: ITokens
    sign_in: ISignIn
    audit: IAudit
    grants: IRelayGrants
    throttle: IThrottle
    attempts: ILoginAttempts
    store: IMailStore
    sessions: ISessions | None
    queue: IQueue
    history: IHistory
    answered: IAnswered
    members: IListMembers
    held_posts: IHeldPosts
    settings: Settings
    now: Callable[[], float]
    version: str
    was_hash: WasHash
    counts: Counts
    caught: ICaughtNames
    explain: Explain
    ways_out: IWaysOut
    explain_way: ExplainWay
    convinces: Convinces
    certificates: KnownCertificates
    live_dns: LiveDns
    welcomes: IWelcomes
    put_letter: PutLetter

    async def find_account(self, text: str) -> Account:
        """The account with this address; raises NotFound with a near miss, BadValue for what is no address."""
        address = named_address(text)
        account = await self.directory.account_for(address)
        if account is not None:
            return account
        await self.find_domain(address.domain)
        # The domain is the same in all of them: only the local parts can be near or far.
        known = {one.address.rpartition("@")[0]: one.address for one in await self.directory.accounts(address.domain)}
        raise NotFound(f"there is no account {text}", known.get(nearest(address.local, known), ""))

    async def find_domain(self, name: str) -> Domain:
        """The hosted domain; raises NotFound with a near miss."""
        domain = await self.directory.domain(name.strip())
        if domain is None:
            known = [one.name for one in await self.directory.domains()]
            raise NotFound(f"{name} is not hosted here", nearest(name, known, DOMAIN_CUTOFF))
        return domain

    async def view_of(self, actor: Actor) -> tuple[Callable[[str], bool], Callable[[str], bool]]:
        """Whether an address is his, and whether it is anybody's here: domains that stand for others count as those (E6)."""
        homes = dict(await self.directory.domain_aliases())
        here = {domain.name for domain in await self.directory.domains()} | homes.keys()
        return (lambda address: reaches(actor, address, homes)), (lambda address: domain_of(address) in here)

    async def hashed(self, password: str, login: str) -> str:
        """What to store for a password in clear; raises BadValue for a weak one."""
        with concerning("password"):
            self.passwords.check_strength(password, login)
        return await self.passwords.hash(password)

    async def end_grants(self, account: Account) -> int:
        """Close what the account's logins opened for relaying (C4); how many."""
        return await self.grants.revoke(account_id=account.id)

    def disconnect(self, account: Account, words: str) -> int:
        """End the account's sessions; how many."""
        return self.sessions.kick(words, account_id=account.id) if self.sessions is not None else 0
