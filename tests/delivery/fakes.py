"""Small stand-ins for the stages around delivery; each implements the contract that it stands in for."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from zope.interface import implementer

from hostmail.address import Address
from hostmail.envelope import Envelope, Recipient
from hostmail.errors import NoSuchRecipient, OutOfSpace, Refusal
from hostmail.interfaces.autoresponders import Answer, Autoresponder, IAnswered
from hostmail.interfaces.delivery import ISenderRewriting
from hostmail.interfaces.directory import Account, Domain, IDirectory, Name, RemovedAccount, Usage
from hostmail.interfaces.history import IHistory, MailFact
from hostmail.interfaces.lists import MailingList
from hostmail.interfaces.logins import Grant, IRelayGrants
from hostmail.interfaces.mailstore import Drop, IMailStore, ISpool, ISpoolFile, Room
from hostmail.interfaces.queue import Changed, IQueue, Owner, Queued, QueueStats
from hostmail.srs import is_rewritten


@implementer(IDirectory)
class FakeDirectory:
    """Domains and accounts in dictionaries; tests change them at will."""

    def __init__(self, *addresses: str) -> None:
        self.all_domains: dict[str, Domain] = {}
        self.all_accounts: dict[int, Account] = {}
        self.all_names: dict[str, Name] = {}
        self.aliases: dict[str, str] = {}
        self.autoresponders: dict[int, Autoresponder] = {}
        self.lists: dict[str, MailingList] = {}
        for address in addresses:
            self.add(address)

    def add(self, address: str, **facts: Any) -> Account:
        domain = address.rpartition("@")[2].lower()
        account = Account(len(self.all_accounts) + 1, address, domain, address.partition("@")[0].lower(), **facts)
        self.all_accounts[account.id] = account
        self.all_domains.setdefault(domain, Domain(domain, domain[:8], default_account_id=account.id))
        return account

    def lead(self, address: str, *targets: str, **facts: Any) -> None:
        """Let an address lead to others: hosted ones are aliases."""
        parsed = [Address.parse(target) for target in targets]
        domain = address.partition("@")[2]
        here = tuple(one for one in parsed if one.domain in self.all_domains)
        away = tuple(one for one in parsed if one.domain not in self.all_domains)
        self.all_names[Address.parse(address).key] = Name(address, domain, here, away, **facts)
        self.set(domain, has_names=True)

    def add_list(self, address: str, *owners: str, **facts: Any) -> MailingList:
        """A mailing list."""
        domain = address.partition("@")[2]
        found = MailingList(len(self.lists) + 1, address, domain, tuple(map(Address.parse, owners)), **facts)
        self.lists[Address.parse(address).key] = found
        self.set(domain, has_lists=True)
        return found

    def set(self, domain: str, **facts: Any) -> None:
        """Change a domain."""
        self.all_domains[domain] = replace(self.all_domains[domain], **facts)

    async def domain(self, name: str) -> Domain | None:
        return self.all_domains.get(name.lower())

    async def name(self, address: Address) -> Name | None:
        return self.all_names.get(address.key)

    async def domain_alias(self, name: str) -> str:
        return self.aliases.get(name, "")

    async def mailing_list(self, address: Address) -> MailingList | None:
        return self.lists.get(address.key)

    async def mailing_lists(self, domain: str | None = None) -> list[MailingList]:
        return list(self.lists.values())

    async def autoresponder(self, account_id: int) -> Autoresponder | None:
        return self.autoresponders.get(account_id)

    async def names(self, domain: str | None = None) -> list[Name]:
        raise NotImplementedError

    async def domain_aliases(self, domain: str | None = None) -> list[tuple[str, str]]:
        raise NotImplementedError

    async def account_for(self, address: Address) -> Account | None:
        owners = (a for a in self.all_accounts.values() if Address.parse(a.address).key == address.key)
        return next(owners, None)

    async def account(self, account_id: int) -> Account | None:
        return self.all_accounts.get(account_id)

    async def login(self, name: str) -> tuple[Account, str] | None:
        raise NotImplementedError

    async def login_meant(self, name: str) -> tuple[str, int]:
        raise NotImplementedError

    async def removed_accounts(self, since: float, domain: str | None = None) -> list[RemovedAccount]:
        raise NotImplementedError

    async def domains(self) -> list[Domain]:
        return sorted(self.all_domains.values(), key=lambda domain: domain.name)

    async def accounts(self, domain: str | None = None) -> list[Account]:
        return list(self.all_accounts.values())

    async def usage(self, accounts: Sequence[Account]) -> dict[int, Usage]:
        raise NotImplementedError

    async def domain_usage(self, name: str) -> Usage:
        raise NotImplementedError


@implementer(ISpoolFile)
class FakeSpoolFile:
    """A message in a real file, so that a queue can link it; sealed on request, gone after `discard`."""

    def __init__(self, path: str, prefix: bytes, failure: Refusal | None) -> None:
        self.path = path
        self.prefix = prefix
        self.size = 0
        self.sealed = False
        self.in_memory = False
        self._failure = failure
        self._file = open(path, "xb")  # noqa: SIM115
        self.write(prefix)

    def body(self) -> bytes | None:
        return self.message() if self.in_memory else None

    def write(self, chunk: bytes) -> None:
        self.size += len(chunk)
        self._file.write(chunk)

    async def seal(self) -> None:
        if self._failure:
            raise self._failure
        self._file.flush()
        self.sealed = True

    def discard(self) -> None:
        self._file.close()
        if os.path.exists(self.path):
            os.unlink(self.path)

    def message(self) -> bytes:
        """What was written behind the prefix."""
        with open(self.path, "rb") as file:
            return file.read()[len(self.prefix) :]


@implementer(ISpool)
class FakeSpool:
    def __init__(self) -> None:
        self.root = tempfile.mkdtemp(prefix="spool")
        self.files: list[FakeSpoolFile] = []
        self.full = self.in_memory = False
        self.failure: Refusal | None = None

    def create(self, prefix: bytes) -> FakeSpoolFile:
        if self.full:
            raise OutOfSpace()
        self.files.append(FakeSpoolFile(f"{self.root}/{len(self.files)}", prefix, self.failure))
        self.files[-1].in_memory = self.in_memory
        return self.files[-1]

    def clean(self) -> None:
        """After a test."""
        for file in self.files:
            file.discard()
        shutil.rmtree(self.root)

    @property
    def left(self) -> list[str]:
        return os.listdir(self.root)


@implementer(IMailStore)
class FakeStore:
    """Keeps delivered messages by address; `refusals` are answers by address, `linked` tells who could share the spool's file."""

    def __init__(self) -> None:
        self.mail: dict[str, list[bytes]] = {}
        self.rooms: dict[int, Room] = {}
        self.refusals: dict[str, Refusal] = {}
        self.linked: list[str] = []

    async def open(self, account: Account) -> Any:
        raise NotImplementedError

    async def deliver(self, spooled: Any, drops: Sequence[Drop]) -> list[Refusal | None]:
        return [self._drop(spooled, drop) for drop in drops]

    def _drop(self, spooled: Any, drop: Drop) -> Refusal | None:
        address = drop.account.address
        if address in self.refusals:
            return self.refusals[address]
        with open(spooled.path, "rb") as file:
            content = file.read()
        assert content.startswith(spooled.prefix)
        self.mail.setdefault(address, []).append(drop.prefix + content[len(spooled.prefix) :])
        if drop.prefix == spooled.prefix:
            self.linked.append(address)
        return None

    async def room(self, account: Account, wanted: int | None = None) -> Room:
        return self.rooms.get(account.id, Room(Usage(), None, None, None))

    async def verify(self, account: Account, repair: bool = False) -> dict[str, Any]:
        raise NotImplementedError

    async def remove(self, account: Account) -> None:
        raise NotImplementedError

    async def restore(self, domain: str, account: Account) -> bool:
        raise NotImplementedError

    async def close(self) -> None:
        raise NotImplementedError


@dataclass
class FakePrepared:
    """Rows that become visible in the queue's `committed` on commit."""

    queue: FakeQueue
    queue_id: str
    content: bytes
    prefix: bytes
    envelope: Envelope
    recipients: list[str]
    account_id: int | None
    for_domain: str = ""
    aborted: bool = False
    standing: bool = False

    async def stand_by(self, *others: FakePrepared) -> None:
        if self.queue.stand_by_failure:
            raise self.queue.stand_by_failure
        for each in (self, *others):
            each.standing = True

    async def commit(self, *others: FakePrepared, also: Sequence[Recipient] = ()) -> None:
        if self.queue.commit_failure:
            raise self.queue.commit_failure
        self.recipients += [str(recipient.address) for recipient in also]
        self.queue.committed += [self, *others]

    async def abort(self) -> None:
        self.aborted = True


@implementer(IQueue)
@dataclass
class FakeQueue:
    committed: list[FakePrepared] = field(default_factory=list)
    prepared: list[FakePrepared] = field(default_factory=list)
    reasons: dict[str, str] = field(default_factory=dict)
    failure: Refusal | None = None
    room_taken: tuple[int, int] = (0, 0)
    stand_by_failure: Refusal | None = None
    commit_failure: Refusal | None = None

    async def prepare(
        self,
        queue_id: str,
        spooled: Any,
        envelope: Envelope,
        recipients: Sequence[Recipient],
        account_id: int | None,
        mark: bytes = b"",
        for_domain: str = "",
    ) -> Any:
        if self.failure:
            raise self.failure
        with open(spooled.path, "rb") as file:
            content = file.read()
        names = [str(recipient.address) for recipient in recipients]
        self.reasons.update({str(one.address): one.held for one in recipients if one.held})
        self.prepared.append(
            FakePrepared(self, queue_id, mark + content, mark + spooled.prefix, envelope, names, account_id, for_domain)
        )
        return self.prepared[-1]

    async def list(self, pattern: str = "", most: int | None = None) -> list[Queued]:
        raise NotImplementedError

    async def stats(self, pattern: str = "") -> QueueStats:
        raise NotImplementedError

    async def content(self, queue_id: str) -> bytes:
        raise NotImplementedError

    async def retry(self, pattern: str) -> int:
        raise NotImplementedError

    async def hold(self, pattern: str, changed: Changed | None = None) -> int:
        raise NotImplementedError

    async def held(self, account_id: int) -> tuple[int, int]:
        return self.room_taken

    async def owners(self, pattern: str) -> Sequence[Owner]:
        raise NotImplementedError

    async def release(self, pattern: str, changed: Changed | None = None, kept: Sequence[Owner] = ()) -> int:
        raise NotImplementedError

    async def bounce(self, pattern: str, changed: Changed | None = None) -> int:
        raise NotImplementedError

    async def delete(self, pattern: str, changed: Changed | None = None) -> int:
        raise NotImplementedError

    async def count(self) -> int:
        return sum(len(prepared.recipients) for prepared in self.committed)


@implementer(ISenderRewriting)
class FakeSenders:
    """Rewrites visibly."""

    async def rewrite(self, sender: Address, forwarder: Address) -> Address:
        return Address(f"srs0=x=y={sender.domain}={sender.local}", forwarder.domain)

    async def original(self, address: Address) -> Address | None:
        if not is_rewritten(address):
            return None
        domain, _, local = address.local.split("=", 3)[3].partition("=")
        if not local:
            raise NoSuchRecipient
        return Address(local, domain)


@implementer(IAnswered)
class FakeAnswered:
    """Claims once for each account and sender."""

    def __init__(self) -> None:
        self.claimed: set[tuple[int, str]] = set()

    async def claim(self, account_id: int, sender: Address, every: float) -> bool:
        new = (account_id, sender.key) not in self.claimed
        self.claimed.add((account_id, sender.key))
        return new

    async def give_back(self, account_id: int, sender: Address) -> None:
        self.claimed.discard((account_id, sender.key))

    async def answers(self, account_id: int) -> list[Answer]:
        return [Answer(sender, 1.0, 1) for claimer, sender in sorted(self.claimed) if claimer == account_id]


@implementer(IHistory)
class FakeHistory:
    """Facts in the order they were told."""

    def __init__(self) -> None:
        self.facts: list[MailFact] = []

    def tell(self, fact: MailFact) -> None:
        self.facts.append(fact)

    async def find(
        self, text: str, since: float, most: int, whose: Callable[[str], bool] | None = None
    ) -> list[MailFact]:
        about = [fact for fact in self.facts if text in (fact.sender, fact.recipient, fact.queue_id)]
        if whose is not None:
            theirs = {fact.queue_id for fact in self.facts if whose(fact.sender) or whose(fact.recipient)}
            about = [fact for fact in about if fact.queue_id in theirs]
        return about[-most:]

    @property
    def story(self) -> list[tuple[str, str, str]]:
        """What happened, to whom, and the words."""
        return [(fact.what.value, fact.recipient, fact.words) for fact in self.facts]


@implementer(IRelayGrants)
class FakeGrants:
    def __init__(self, *grants: Grant) -> None:
        self.grants = list(grants)

    async def grant(self, ip: str, account_id: int, login: str, seconds: float | None = None) -> None:
        self.grants.append(Grant(ip, account_id, login, seconds or 1800.0))

    async def find(self, ip: str) -> Grant | None:
        return max((grant for grant in self.grants if grant.ip == ip), key=lambda g: g.until, default=None)

    async def list(self) -> list[Grant]:
        return list(self.grants)

    async def revoke(self, ip: str | None = None, account_id: int | None = None) -> int:
        raise NotImplementedError
