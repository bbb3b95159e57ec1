"""The other stages as the verbs meet them: passwords, grants, mail, sessions, the queue."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from zope.interface import implementer

from hostmail.envelope import Envelope, Peer, Recipient
from hostmail.errors import BadValue, NotFound, Refusal, TemporaryFailure
from hostmail.interfaces.admin import ISessions, SessionInfo
from hostmail.interfaces.directory import (
    Account,
    CaughtName,
    ICaughtNames,
    IWelcomes,
    OwnWelcome,
)
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
from tests.admin.facts import NOW


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
