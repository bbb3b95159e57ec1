"""The stages behind the verbs, in memory: just enough of each contract, and a record of what was asked."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from twisted.internet.defer import Deferred
from twisted.python.failure import Failure
from zope.interface import implementer

from hostmail.actor import Actor, command_actor
from hostmail.address import Address
from hostmail.admin.parts import Parts
from hostmail.admin.service import Admin
from hostmail.config.schema import Settings
from hostmail.decisions import CATCH_REFUSE
from hostmail.envelope import Envelope, Peer, Recipient
from hostmail.errors import AlreadyExists, BadValue, NotFound, Refusal, TemporaryFailure
from hostmail.interfaces.admin import CertificateInfo, ISessions, SessionInfo
from hostmail.interfaces.autoresponders import Autoresponder
from hostmail.interfaces.directory import (
    Account,
    CaughtName,
    Domain,
    ICaughtNames,
    IDirectory,
    IDirectoryChanges,
    IWelcomes,
    Name,
    OwnWelcome,
    RemovedAccount,
    Usage,
)
from hostmail.interfaces.lists import MailingList
from hostmail.interfaces.logins import (
    Grant,
    ILoginAttempts,
    IPasswords,
    IRelayGrants,
    IThrottle,
    LoginAttempt,
    Throttled,
)
from hostmail.interfaces.mailstore import IMailStore, Room
from hostmail.interfaces.queue import Changed, IQueue, Owner, Queued, QueueStats, WaitingFor
from tests.admin.people import FakeAudit, FakeFactors, FakePeople, FakeSignIn, FakeTokens
from tests.delivery.fakes import FakeAnswered, FakeHistory, FakeMembers
from tests.relay.facts import FakeWays

NOW = 1_800_000_000.0
ROOT = command_actor("root")


@implementer(IDirectory, IDirectoryChanges)
class Facts:
    """The directory and its changes."""

    def __init__(self) -> None:
        self.by_name: dict[str, Domain] = {}
        self.by_key: dict[str, Account] = {}
        self.gone: list[tuple[RemovedAccount, Account]] = []
        self.hashes: dict[int, str] = {}
        self.used: dict[int, Usage] = {}
        self.replaced: dict[int, str] = {}
        self.standing: dict[str, str] = {}
        self.autoresponders: dict[int, Autoresponder] = {}

    async def domain(self, name: str) -> Domain | None:
        return self.by_name.get(name.lower())

    async def account_for(self, address: Address) -> Account | None:
        return self.by_key.get(address.key)

    async def account(self, account_id: int) -> Account | None:
        return next((one for one in self.by_key.values() if one.id == account_id), None)

    async def login(self, name: str) -> tuple[Account, str] | None:
        account = self.by_key.get(name.casefold())
        return (account, self.hashes[account.id]) if account is not None else None

    async def counts(self) -> tuple[int, int]:
        return len(self.by_name), len(self.by_key)

    async def was_hash(self, account_id: int, old_hash: str) -> bool:
        return self.replaced.get(account_id) == old_hash

    async def login_meant(self, name: str) -> tuple[str, int]:
        raise NotImplementedError

    async def domains(self) -> list[Domain]:
        return sorted(self.by_name.values(), key=lambda one: one.name)

    async def accounts(self, domain: str | None = None) -> list[Account]:
        found = sorted(self.by_key.values(), key=lambda one: one.address)
        return [one for one in found if domain in (None, one.domain)]

    async def usage(self, accounts: Sequence[Account]) -> dict[int, Usage]:
        return {one.id: self.used[one.id] for one in accounts if one.id in self.used}

    async def name(self, address: Address) -> Name | None:
        return None

    async def domain_alias(self, name: str) -> str:
        return self.standing.get(name, "")

    async def mailing_list(self, address: Address) -> MailingList | None:
        return None

    async def mailing_lists(self, domain: str | None = None) -> list[MailingList]:
        return []

    async def add_list(self, address: str, *, owners: Sequence[str], **columns: Any) -> MailingList:
        raise NotImplementedError

    async def set_list(self, address: str, **changes: Any) -> MailingList:
        raise NotImplementedError

    async def remove_list(self, address: str) -> MailingList:
        raise NotImplementedError

    async def autoresponder(self, account_id: int) -> Autoresponder | None:
        return self.autoresponders.get(account_id)

    async def set_autoresponder(
        self, address: str, *, subject: str, text: str, starts: float | None, until: float | None, every: float
    ) -> Autoresponder:
        account = await self.account_for(Address.parse(address))
        if account is None:
            raise NotFound(f"there is no account {address}")
        found = Autoresponder(account.id, subject, text, starts, until, every)
        self.autoresponders[account.id] = found
        return found

    async def remove_autoresponder(self, address: str) -> None:
        account = await self.account_for(Address.parse(address))
        if account is None or self.autoresponders.pop(account.id, None) is None:
            raise NotFound(f"{address} has no autoresponder")

    async def names(self, domain: str | None = None) -> list[Name]:
        return []

    async def domain_aliases(self, domain: str | None = None) -> list[tuple[str, str]]:
        return sorted(self.standing.items())

    async def domain_usage(self, name: str) -> Usage:
        return Usage(sum(self.used.get(one.id, Usage()).bytes for one in await self.accounts(name)))

    def within_limits(self) -> Facts:
        return self

    async def add_domain(
        self, name: str, *, quota_bytes: int | None = None, main_login: str = "", catch_all: str = CATCH_REFUSE
    ) -> Domain:
        if name in self.by_name:
            raise AlreadyExists(f"{name} is hosted here already")
        self.by_name[name] = Domain(name, main_login or name[:8], quota_bytes, catch_all=catch_all)
        return self.by_name[name]

    async def set_domain(self, name: str, **changes: Any) -> Domain:
        if name not in self.by_name:
            raise NotFound(f"{name} is not hosted here")
        if "default_mailbox" in changes:
            address = changes.pop("default_mailbox")
            changes["default_account_id"] = self.by_key[address].id if address else None
        self.by_name[name] = dataclasses.replace(self.by_name[name], **changes)
        return self.by_name[name]

    async def remove_domain(self, name: str) -> None:
        del self.by_name[name]
        self.by_key = {key: one for key, one in self.by_key.items() if one.domain != name}

    async def add_account(
        self, address: str, *, password_hash: str, quota_bytes: int | None = None, quota_messages: int | None = None
    ) -> Account:
        parsed = Address.parse(address)
        if parsed.key in self.by_key:
            raise AlreadyExists(f"{address} exists already")
        if parsed.domain not in self.by_name:
            raise NotFound(f"{parsed.domain} is not hosted here")
        number = len(self.hashes) + 1
        account = Account(number, str(parsed), parsed.domain, f"d{number}", quota_bytes, quota_messages)
        if not await self.accounts(parsed.domain):
            await self.set_domain(parsed.domain, default_account_id=number)
        self.by_key[parsed.key] = account
        self.hashes[number] = password_hash
        return account

    async def set_account(self, address: str, **changes: Any) -> Account:
        key = address.casefold()
        self.by_key[key] = dataclasses.replace(self.by_key[key], **changes)
        return self.by_key[key]

    async def set_password(self, address: str, password_hash: str) -> Account:
        account = self.by_key[address.casefold()]
        self.hashes[account.id] = password_hash
        return account

    async def upgrade_hash(self, account_id: int, old_hash: str, new_hash: str) -> bool:
        raise NotImplementedError

    async def add_targets(
        self, address: str, targets: Sequence[str], *, forward: bool, keep_copy: bool | None = None
    ) -> Name:
        raise NotImplementedError

    async def remove_targets(self, address: str, targets: Sequence[str], *, forward: bool) -> Name | None:
        raise NotImplementedError

    async def block_name(self, address: str, blocked: bool = True) -> None:
        raise NotImplementedError

    async def add_domain_alias(self, name: str, domain: str) -> None:
        raise NotImplementedError

    async def remove_domain_alias(self, name: str) -> str:
        raise NotImplementedError

    async def remove_account(self, address: str) -> Account:
        account = self.by_key.pop(address.casefold())
        gone = RemovedAccount(account.id, address, account.domain, account.directory, NOW, True)
        self.gone.append((gone, account))
        return account

    async def removed_accounts(self, since: float, domain: str | None = None) -> list[RemovedAccount]:
        return [one for one, _ in self.gone if one.removed >= since and domain in (None, one.domain)][::-1]

    async def restore_account(self, number: int, address: str = "") -> Account:
        account = next(account for one, account in self.gone if one.id == number)
        address = address or account.address
        if address.casefold() in self.by_key:
            raise AlreadyExists(f"{address} exists already")
        self.gone = [(one, was) for one, was in self.gone if one.id != number]
        self.by_key[address.casefold()] = account = dataclasses.replace(account, address=address)
        return account

    async def forget_removed(self, before: float) -> int:
        return 0


@implementer(IPasswords)
class Hashes:
    """A password is its own hash."""

    async def hash(self, password: str) -> str:
        return "{ARGON2ID}" + password

    async def verify(self, stored: str, password: str) -> bool:
        return stored == "{ARGON2ID}" + password

    def needs_upgrade(self, stored: str) -> bool:
        raise NotImplementedError

    def check_strength(self, password: str, login: str) -> None:
        if len(password) < 8:
            raise BadValue("the password needs at least 8 characters")

    def check_scheme(self, stored: str) -> None:
        if not stored.startswith(("{ARGON2ID}", "{SHA512-CRYPT}")):
            raise BadValue("that kind of password hash is not known")


@implementer(IRelayGrants)
class Grants:
    """Grants in a list."""

    def __init__(self) -> None:
        self.live: list[Grant] = []

    async def grant(self, ip: str, account_id: int, login: str, seconds: float | None = None) -> None:
        self.live.append(Grant(ip, account_id, login, NOW + (seconds or 1800)))

    async def find(self, ip: str) -> Grant | None:
        return next((one for one in self.live if one.ip == ip), None)

    async def list(self) -> list[Grant]:
        return self.live

    async def revoke(self, ip: str | None = None, account_id: int | None = None) -> int:
        before = len(self.live)
        self.live = [
            one
            for one in self.live
            if (ip is not None and one.ip != ip) or (account_id is not None and one.account_id != account_id)
        ]
        return before - len(self.live)


@implementer(IMailStore)
class Store:
    """Remembers what was removed; `report` is what verify says."""

    def __init__(self) -> None:
        self.removed: list[str] = []
        self.restored: list[str] = []
        self.stuck: set[str] = set()
        self.report: dict[str, Any] = {"messages": 3, "problems": [], "repaired": 0}

    async def open(self, account: Account) -> Any:
        raise NotImplementedError

    async def deliver(self, spooled: Any, drops: Sequence[Any]) -> list[Refusal | None]:
        raise NotImplementedError

    async def room(self, account: Account, wanted: int | None = None) -> Room:
        raise NotImplementedError

    async def verify(self, account: Account, repair: bool = False) -> dict[str, Any]:
        return self.report | ({"repaired": len(self.report["problems"])} if repair else {})

    async def remove(self, account: Account) -> None:
        if account.address in self.stuck:
            raise TemporaryFailure(private="no room")
        self.removed.append(account.address)

    async def restore(self, domain: str, account: Account) -> bool:
        self.restored.append(account.address)
        return True

    async def close(self) -> None:
        raise NotImplementedError


@implementer(ISessions)
class Sessions:
    """Open sessions."""

    def __init__(self) -> None:
        self.open: list[SessionInfo] = []
        self.words: list[str] = []

    def add(self, login: str, account_id: int | None, protocol: str) -> None:
        peer = Peer("192.0.2.9", protocol, login=login, account_id=account_id, tls=protocol.endswith("s"))
        info = SessionInfo(len(self.open) + 1, peer, NOW - 90, self.words.append, {"folder": "INBOX", "odd": object()})
        self.open.append(info)

    def admit(self, peer: Peer, kick: Callable[[str], None]) -> SessionInfo:
        raise NotImplementedError

    def logged_in(self, session: SessionInfo) -> None:
        raise NotImplementedError

    def leave(self, session: SessionInfo) -> None:
        raise NotImplementedError

    def all(self) -> Iterable[SessionInfo]:
        return self.open

    def kick(self, words: str, account_id: int | None = None, session_id: int | None = None) -> int:
        chosen = [
            one for one in self.open if account_id in (None, one.peer.account_id) and session_id in (None, one.id)
        ]
        self.open = [one for one in self.open if one not in chosen]
        self.words += [words] * len(chosen)
        return len(chosen)


def unheard(changed: Sequence[tuple[str, str]]) -> None:
    pass


@implementer(IQueue)
class Waiting:
    """Queued rows."""

    def __init__(self) -> None:
        self.rows: list[Queued] = []

    def add(self, recipient: str) -> None:
        number = len(self.rows) + 1
        row = Queued(number, f"Q{number}", "", recipient, "/secret/path", 2048, 1, NOW - 3600, NOW + 60)
        row.last_answer = "450 \x1b[31mlater"
        self.rows.append(row)

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
        raise NotImplementedError

    async def list(self, pattern: str = "", most: int | None = None) -> list[Queued]:
        fitting = [one for one in self.rows if all(self._fits(one, word) for word in pattern.split())]
        return fitting[:most]

    def _fits(self, row: Queued, word: str) -> bool:
        name, _, value = word.partition(":")
        if name == "domain":
            return row.for_domain == value
        return (value if name == "to" else word) in row.recipient + row.queue_id

    async def stats(self, pattern: str = "") -> QueueStats:
        rows = await self.list(pattern)
        waiting = WaitingFor("b.test", len(rows), NOW - 3600, 0, "450 later")
        return QueueStats(len(rows), 2048 * len(rows), NOW - 3600, {"waiting": len(rows)}, [waiting])

    async def content(self, queue_id: str) -> bytes:
        if queue_id not in [row.queue_id for row in self.rows]:
            raise NotFound(f"no message {queue_id}")
        return b"Subject: caf\xc3\xa9\r\n\r\nhello\r\n"

    async def retry(self, pattern: str) -> int:
        return len(await self.list(pattern))

    async def hold(self, pattern: str, changed: Changed = unheard) -> int:
        return self._become("held", await self.list(pattern), changed)

    async def held(self, account_id: int) -> tuple[int, int]:
        raise NotImplementedError

    async def owners(self, pattern: str) -> Sequence[Owner]:
        return list(
            {(row.account_id or 0, row.for_domain): 0 for row in await self.list(pattern) if row.state == "held"}
        )

    async def release(self, pattern: str, changed: Changed = unheard, kept: Sequence[Owner] = ()) -> int:
        rows = [row for row in await self.list(pattern) if (row.account_id or 0, row.for_domain) not in kept]
        return self._become("waiting", rows, changed)

    async def bounce(self, pattern: str, changed: Changed = unheard) -> int:
        return self._become("bounced", await self.list(pattern), changed)

    def _become(self, state: str, rows: Sequence[Queued], changed: Changed) -> int:
        for row in rows:
            row.state = state
        changed([(row.queue_id, row.recipient) for row in rows])
        return len(rows)

    async def delete(self, pattern: str, changed: Changed = unheard) -> int:
        gone = await self.list(pattern)
        self.rows = [one for one in self.rows if one not in gone]
        return self._become("gone", gone, changed)

    async def count(self) -> int:
        return len(self.rows)


@implementer(ICaughtNames)
class Caught:
    """Names that a catch-all has caught."""

    def __init__(self) -> None:
        self.known: dict[str, CaughtName] = {}

    def caught(self, address: str) -> None:
        count = self.known[address].count if address in self.known else 0
        self.known[address] = CaughtName(address, count + 1, NOW - 60, NOW)

    async def names(self, domain: str) -> list[CaughtName]:
        return [name for address, name in self.known.items() if address.endswith(f"@{domain}")]

    async def forget(self, address: str) -> None:
        self.known.pop(address, None)


INSTEAD = {
    "directory",
    "changes",
    "members",
    "caught",
    "explain",
    "store",
    "ways_out",
    "explain_way",
    "convinces",
    "live_dns",
    "now",
    "certificates",
}


@implementer(IThrottle)
class FakeThrottle:
    """Slowed clients, as they were put in."""

    def __init__(self) -> None:
        self.slowed = {"192.0.2.66/32": Throttled("192.0.2.66/32", 3.0, NOW - 60, NOW + 900)}

    def throttled(self, most: int) -> list[Throttled]:
        return list(self.slowed.values())[:most]

    def forgive(self, ip: str) -> bool:
        return self.slowed.pop(f"{ip.partition('/')[0]}/32", None) is not None


@implementer(ILoginAttempts)
class FakeAttempts:
    """Attempts, as they were put in."""

    def __init__(self) -> None:
        self.seen: list[LoginAttempt] = []

    def tell(self, account_id: int, login: str, refused: str, peer: Peer) -> None:
        self.seen.append(LoginAttempt(account_id, login, refused, peer.protocol, peer.ip, peer.tls, NOW, NOW))

    async def of_account(self, account_id: int, most: int = 100) -> list[LoginAttempt]:
        return [one for one in self.seen if one.account_id == account_id]

    async def last_checks(self, account_ids: Sequence[int]) -> dict[int, LoginAttempt]:
        return {one.account_id: one for one in self.seen if not one.refused and one.account_id in account_ids}


@implementer(IWelcomes)
class FakeWelcomes:
    """What domains have laid down."""

    def __init__(self) -> None:
        self.own: dict[str, OwnWelcome] = {}

    async def of_domain(self, name: str) -> OwnWelcome | None:
        return self.own.get(name)

    async def lay_down(self, name: str, wanted: OwnWelcome | None) -> None:
        self.own.pop(name, None)
        if wanted is not None:
            self.own[name] = wanted


class World:
    """All of them, an Admin over them, and a way to call it. What a test gives instead (`directory`, `changes`...) is used instead."""

    def __init__(self, running: bool = True, **given: Any) -> None:
        instead = {name: given.pop(name) for name in list(given) if name in INSTEAD}
        self.facts = Facts()
        self.grants = Grants()
        self.throttle = FakeThrottle()
        self.attempts = FakeAttempts()
        self.store = Store()
        self.sessions = Sessions()
        self.queue = Waiting()
        self.history = FakeHistory()
        self.answered = FakeAnswered()
        self.caught = Caught()
        self.people, self.factors = FakePeople(), FakeFactors()
        self.tokens, self.sign_in, self.audit = FakeTokens(), FakeSignIn(self.factors), FakeAudit()
        self.letters: list[tuple[str, str, str]] = []
        self.held_posts: list[Queued] = []
        self.letters_refused: Exception | None = None
        self.settings = Settings(hostname="mail.test", **given)
        parts: dict[str, Any] = {
            "directory": self.facts,
            "changes": self.facts,
            "passwords": Hashes(),
            "people": self.people,
            "factors": self.factors,
            "tokens": self.tokens,
            "sign_in": self.sign_in,
            "audit": self.audit,
            "grants": self.grants,
            "throttle": self.throttle,
            "attempts": self.attempts,
            "store": self.store,
            "sessions": self.sessions if running else None,
            "queue": self.queue,
            "history": self.history,
            "answered": self.answered,
            "members": FakeMembers(),
            "held_posts": self.posts_held,
            "settings": self.settings,
            "now": lambda: NOW,
            "version": "9.9",
            "was_hash": self.facts.was_hash,
            "counts": self.facts.counts,
            "caught": self.caught,
            "explain": self.explain,
            "ways_out": FakeWays(),
            "explain_way": self.explain_way,
            "convinces": lambda name: False,
            "certificates": self.no_certificates,
            "live_dns": lambda: self.ask_dns,
            "welcomes": FakeWelcomes(),
            "put_letter": self.put_letter,
        }
        self.admin = Admin(Parts(**parts | instead))

    async def explain(self, address: Address) -> dict[str, Any]:
        """Everything goes into the mailbox of its own name."""
        account = await self.facts.account_for(address)
        number = account.id if account is not None else 0
        end = {"kind": "mailbox", "address": str(address), "account_id": number, "caught": ""}
        return {"address": str(address), "steps": [], "ends": [end]}

    async def put_letter(self, account: Account, subject: str, text: str) -> None:
        """Letters are kept, as long as there is room."""
        if self.letters_refused is not None:
            raise self.letters_refused
        self.letters.append((account.address, subject, text))

    async def posts_held(self, address: Address | None = None) -> list[Queued]:
        """Posts to lists that wait for their owners."""
        return [post for post in self.held_posts if address is None or Address.parse(post.recipient).key == address.key]

    async def no_certificates(self) -> list[CertificateInfo]:
        """None at all."""
        return []

    async def ask_dns(self, name: str, kind: str) -> list[str]:
        """The DNS is empty."""
        return []

    async def explain_way(self, account_id: int | None, sender: str) -> dict[str, Any]:
        """All mail goes by MX records."""
        return {"kind": "mx", "sources": []}

    def call(self, verb: str, **arguments: Any) -> Any:
        """The answer to the operator; raises what the verb raises. Nothing here waits."""
        return self.call_as(ROOT, verb, **arguments)

    def call_as(self, actor: Actor, verb: str, **arguments: Any) -> Any:
        """The answer to somebody else."""
        results: list[Any] = []
        Deferred.fromCoroutine(self.admin.call(verb, arguments, actor)).addBoth(results.append)
        (result,) = results
        if isinstance(result, Failure):
            result.raiseException()
        return result

    def populate(self) -> None:
        """A domain with two accounts, who are connected, have a grant, and mail."""
        self.call("domain.add", name="one.test")
        for number, name in enumerate(("ann", "bob"), 1):
            self.call("account.add", address=f"{name}@one.test", password="long enough")
            self.facts.used[number] = Usage(1 << 20, 7)
            self.grants.live.append(Grant(f"192.0.2.{number}", number, f"{name}@one.test", NOW + 600))
            self.sessions.add(f"{name}@one.test", number, "pop3")
            self.sessions.add(f"{name}@one.test", number, "imaps")
