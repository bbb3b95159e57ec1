"""The mail store over Maildir trees: DATA/domains/<domain>/<account>/Maildir, with one index for each account beside it."""

from __future__ import annotations

import os
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Sequence
from traceback import format_exc
from typing import Any

from twisted.internet.defer import Deferred, gatherResults
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger
from zope.interface import implementer

from hostmail.envelope import Peer
from hostmail.errors import Refusal, TemporaryFailure
from hostmail.interfaces.directory import Account, IUsage, Usage
from hostmail.interfaces.events import IEvents
from hostmail.interfaces.mailstore import CachedMessage, Drop, IMailStore, Room
from hostmail.interfaces.threads import InThread
from hostmail.storage import lock, quota, trash
from hostmail.storage.account import AccountStore
from hostmail.storage.arriving import Arrival
from hostmail.storage.boot import boot_id
from hostmail.storage.content import Source
from hostmail.storage.delivery import Consignment, Deliverer
from hostmail.storage.departing import depart
from hostmail.storage.disk import Disk, storage_refusal
from hostmail.storage.facts import facts_of
from hostmail.storage.filling import Filler
from hostmail.storage.lookout import Lookout
from hostmail.storage.mailbox import Mailbox, Tools
from hostmail.storage.names import UniqueNames
from hostmail.storage.outside import OutsideChanges
from hostmail.storage.spool import Spool
from hostmail.storage.verify import verify

MESSAGE_SIZE_LIMIT = 15 << 20
MAX_IDLE = 200
LOCK_FILE = "pop3.lock"


@implementer(IMailStore)
class MaildirStore:
    """See `IMailStore`.

    `run_in_thread` is where disks are waited for; `clock` is what a second POP3 session
    waits with; `domain_free` tells what the quota of an account's domain leaves (None: no limit), for `room`. Mailboxes that nobody
    uses stay open, `max_idle` of them.
    """

    log = Logger()

    def __init__(
        self,
        data_dir: str,
        run_in_thread: InThread,
        clock: IReactorTime,
        *,
        host: str = "",
        usage: IUsage | None = None,
        events: IEvents | None = None,
        domain_free: Callable[[Account], Awaitable[int | None]] | None = None,
        now: Callable[[], float] = time.time,
        wall: Callable[[], int] = time.time_ns,
        message_size_limit: int = MESSAGE_SIZE_LIMIT,
        facts: Callable[[int, bytes], CachedMessage] = facts_of,
        disk: Disk | None = None,
        spool: Spool | None = None,
        max_idle: int = MAX_IDLE,
        grace_seconds: float = trash.GRACE_SECONDS,
        full_text_search: bool = True,
        boot: Callable[[], str] = boot_id,
    ) -> None:
        disk = disk or Disk()
        unique = UniqueNames(host=host)
        self.data_dir = data_dir
        self.run_in_thread = run_in_thread
        self.now = now
        self.spool = spool or Spool(os.path.join(data_dir, "spool"), disk, unique=unique)
        self._tools = Tools(disk, usage, events, now, wall, unique, facts, message_size_limit, boot())
        self._clock = clock
        self._outside = OutsideChanges(clock)
        self.lookout = Lookout(clock, run_in_thread, self._outside, events)
        self._domain_free = domain_free
        self._deliverer = Deliverer(run_in_thread, self._tools, self.spool.directory)
        self._users: dict[Mailbox, int] = {}
        self._mailboxes: dict[tuple[str, str], Mailbox] = {}
        self._idle: OrderedDict[Mailbox, None] = OrderedDict()
        self._max_idle = max_idle
        self._grace_seconds = grace_seconds
        self.filler = Filler(run_in_thread, clock, self._hold, self.let_go, self.spool.is_nearly_full, full_text_search)
        self._at_work: set[Deferred[None]] = set()
        self._closed = False

    @property
    def message_size_limit(self) -> int:
        """The largest message APPEND takes, in octets; may be changed while running (D3)."""
        return self._tools.message_size_limit

    @message_size_limit.setter
    def message_size_limit(self, octets: int) -> None:
        self._tools.message_size_limit = octets

    # -------------------------------------------------------------------------------------------------- open mailboxes

    def _take(self, account: Account) -> Mailbox:
        """The account's mailbox for one more user; its limits are now those of `account`."""
        if self._closed:
            raise TemporaryFailure(private="the store is closed")
        key = account.domain, account.directory
        mailbox = self._mailboxes.get(key)
        if mailbox is None or mailbox.removed:
            mailbox = Mailbox(account, self.root_of(account), self._tools)
            self._mailboxes[key] = mailbox
        mailbox.account = account
        self._hold(mailbox)
        return mailbox

    def holds(self, account_id: int) -> bool:
        """Whether this account's mailbox is open, or idle and not yet closed."""
        return any(mailbox.account.id == account_id for mailbox in self._mailboxes.values())

    def account_changed(self, account: Account) -> None:
        """The account's limits are other ones now: a mailbox that is open goes by them from here on (E7)."""
        mailbox = self._mailboxes.get((account.domain, account.directory))
        if mailbox is not None and mailbox.account.id == account.id:
            mailbox.account = account

    def _hold(self, mailbox: Mailbox) -> None:
        """One more user of an open mailbox."""
        self._users[mailbox] = self._users.get(mailbox, 0) + 1
        self._idle.pop(mailbox, None)

    def let_go(self, mailbox: Mailbox) -> None:
        """One user less; the mailboxes idle for the longest time are closed."""
        self._users[mailbox] -= 1
        if self._users[mailbox]:
            return
        del self._users[mailbox]
        key = mailbox.account.domain, mailbox.account.directory
        if self._mailboxes.get(key) is not mailbox:
            self._later(mailbox.retire)
            return
        self._idle[mailbox] = None
        if mailbox.texts.is_open:
            self._later(mailbox.texts.close)
        if mailbox.has_large_views:
            self._later(mailbox.save_views)
        while len(self._idle) > self._max_idle:
            oldest, _ = self._idle.popitem(last=False)
            del self._mailboxes[oldest.account.domain, oldest.account.directory]
            self._later(oldest.retire)

    def _later(self, work: Callable[[], None]) -> None:
        """In a thread; `close` waits for it. A failure is only logged, for nobody has asked."""

        async def working() -> None:
            try:
                await self.run_in_thread(work)
            except Exception:  # noqa: BLE001
                self.log.error("housekeeping_failed: {trace}", trace=format_exc())

        done = Deferred.fromCoroutine(working())
        self._at_work.add(done)
        done.addBoth(lambda _: self._at_work.discard(done))

    def root_of(self, account: Account) -> str:
        """The account's directory."""
        for part in (account.domain, account.directory):
            if not part or part in (".", "..") or "/" in part or "\0" in part:
                raise TemporaryFailure(private=f"no directory name: {part!r}")
        return os.path.join(self.data_dir, "domains", account.domain, account.directory)

    async def open(self, account: Account) -> AccountStore:
        """The account's IAccountStore, made on first use."""
        mailbox = self._take(account)
        try:
            if not mailbox.is_open:
                await self.run_in_thread(mailbox.call, _open, mailbox)
        except BaseException:
            self.let_go(mailbox)
            raise
        return AccountStore(self, mailbox)

    # -------------------------------------------------------------------------------------------------------- deliver

    async def deliver(self, spooled: Any, drops: Sequence[Drop]) -> list[Refusal | None]:
        """Each drop on disk and synced, or its refusal; in the order of `drops`."""
        taken: list[Mailbox] = []
        answers: list[Arrival | Refusal] = []
        for drop in drops:
            try:
                mailbox = self._take(drop.account)
            except Refusal as refusal:
                answers.append(refusal)
                continue
            taken.append(mailbox)
            answers.append(Arrival(mailbox, drop.prefix, drop.folder, int(drop.flags)))
        try:
            arrivals = [answer for answer in answers if isinstance(answer, Arrival)]
            if arrivals:
                await self._carry_out(spooled, arrivals)
        finally:
            for mailbox in taken:
                self.let_go(mailbox)
        return [answer.refusal if isinstance(answer, Arrival) else answer for answer in answers]

    async def _carry_out(self, spooled: Any, arrivals: list[Arrival]) -> None:
        try:
            source = Source(spooled)
        except (OSError, Refusal) as error:
            for arrival in arrivals:
                arrival.refusal = storage_refusal(error)
            return
        await self.carry_out(Consignment(source, int(self.now()), arrivals))

    def carry_out(self, consignment: Consignment) -> Deferred[None]:
        """Fires when every arrival has its answer."""
        self.filler.delivered()
        return self._deliverer.deliver(consignment)

    # ---------------------------------------------------------------------------------------------------------- facts

    async def room(self, account: Account, wanted: int | None = None) -> Room:
        """Quota and usage without opening a session; for `wanted` octets without asking the index either, if they fit."""
        mailbox = self._take(account)
        try:
            known = None if wanted is None else mailbox.index_at_hand
            if wanted is not None and known is not None:
                room = await self._room(mailbox, known.used)
                if quota.has_room(room, wanted):
                    return room
            return await self.room_of(mailbox)
        finally:
            self.let_go(mailbox)

    async def room_of(self, mailbox: Mailbox) -> Room:
        """The same for an open mailbox."""
        at_hand = mailbox.used_now()
        used = at_hand if at_hand is not None else await self.run_in_thread(mailbox.call, _used, mailbox)
        return await self._room(mailbox, used)

    async def _room(self, mailbox: Mailbox, used: Usage) -> Room:
        free = None if self._domain_free is None else await self._domain_free(mailbox.account)
        return quota.room(mailbox.account, used, free)

    async def lock_maildrop(
        self, mailbox: Mailbox, wait_seconds: float, peer: Peer, take_over: Callable[[], bool]
    ) -> lock.MaildropLock:
        """See `IAccountStore.lock_maildrop`."""
        path = os.path.join(mailbox.root, LOCK_FILE)
        return await lock.acquire(path, wait_seconds, peer, take_over, self._clock, now=self.now)

    async def verify(self, account: Account, repair: bool = False) -> dict[str, Any]:
        """Compare tree and index; nothing is erased (D11)."""
        mailbox = self._take(account)
        try:
            return await self.run_in_thread(mailbox.call, verify, mailbox, repair)
        finally:
            self.let_go(mailbox)

    # ----------------------------------------------------------------------------------------------------------- ends

    async def remove(self, account: Account) -> None:
        """Put a deleted account's tree aside for the grace period (D13)."""
        root = self.root_of(account)
        mailbox = self._mailboxes.pop((account.domain, account.directory), None)
        if mailbox is not None:
            self._idle.pop(mailbox, None)
            await self.run_in_thread(mailbox.call, _remove, mailbox)
        await self.run_in_thread(trash.put_aside, self._tools.disk, self.data_dir, root, account, self.now())

    async def removed(self, domain: str, directory: str) -> list[tuple[int, str]]:
        """(when, path) of the trees that an account with this directory left behind, oldest first."""
        return await self.run_in_thread(trash.list_removed, self.data_dir, domain, directory)

    async def restore(self, domain: str, account: Account) -> bool:
        """The tree that an account of `domain` with the same directory left is `account`'s now (D13); False if there is none.

        Raises AlreadyExists if there is mail where it has to go.
        """
        trees = await self.removed(domain, account.directory)
        if trees:
            await self.run_in_thread(trash.put_back, self._tools.disk, trees[-1][1], self.root_of(account))
        return bool(trees)

    async def depart(self, account: Account) -> int:
        """Write the files by which Dovecot takes the mailbox over with all UIDs, UIDLs and keywords; how many folders."""
        mailbox = self._take(account)
        try:
            return await self.run_in_thread(mailbox.call, depart, mailbox)
        finally:
            self.let_go(mailbox)

    async def purge_removed(self) -> int:
        """Erase removed accounts whose grace period is over; how many."""
        return await self.run_in_thread(trash.purge, self.data_dir, self.now() - self._grace_seconds)

    async def sweep_spool(self) -> int:
        """Remove what dead processes left in the spool; how many files."""
        return await self.run_in_thread(self.spool.sweep, self.now())

    async def close(self) -> None:
        """Finish what runs, close all files."""
        if self._closed:
            return
        self._closed = True
        self.lookout.close()
        self._outside.close()
        await self.filler.stop()
        for mailbox in list(self._mailboxes.values()):
            self._later(mailbox.retire)
        self._mailboxes.clear()
        self._idle.clear()
        await gatherResults(list(self._at_work))


def _open(mailbox: Mailbox) -> None:
    with mailbox.reading():
        pass


def _used(mailbox: Mailbox) -> Usage:
    with mailbox.reading() as index:
        return index.used


def _remove(mailbox: Mailbox) -> None:
    mailbox.removed = True
    mailbox.close()
