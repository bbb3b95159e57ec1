"""Messages into mailboxes, many at once (group commit): whoever waits for a thread meanwhile shares the next one.

In this order, so that what is answered with success survives kill -9 and power loss (D12), and what is not leaves
nothing: the file complete and synced; then, in one transaction of the account's index, room taken, a UID given, the file linked into
the folder, the directory synced, the row; commit. A crash before the commit leaves at most a whole message that was
not acknowledged, with its UID in its name.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from traceback import format_exc

from twisted.internet.defer import Deferred
from twisted.logger import Logger

from hostmail.errors import Refusal, TemporaryFailure
from hostmail.interfaces import Usage
from hostmail.storage import keywords
from hostmail.storage.content import MessageFile, Source
from hostmail.storage.disk import storage_refusal
from hostmail.storage.folders import make_with_parents
from hostmail.storage.index import Box, Row
from hostmail.storage.mailbox import Mailbox, Tools
from hostmail.storage.names import MAX_UID, MessageName, letters_of, normal_folder_name
from hostmail.storage.opening import SPECIAL_NAMES
from hostmail.storage.scan import prepare
from hostmail.storage.threads import RunInThread
from hostmail.storage.transaction import Transaction
from hostmail.storage.tree import CUR, NEW

log = Logger()
SYSTEM_FLAGS = 31


@dataclass(slots=True)
class Arrival:
    """One copy of a message on its way into a folder; afterwards `uid` and `uidvalidity`, or `refusal`.

    `box_id` is an open folder's (APPEND), which must still be there; 0 for a folder by name, made again if somebody deleted it.
    """

    mailbox: Mailbox
    prefix: bytes
    folder: str
    flags: int = 0
    keywords: Sequence[str] = ()
    box_id: int = 0
    uid: int = 0
    uidvalidity: int = 0
    refusal: Refusal | None = None


@dataclass(slots=True)
class Consignment:
    """One message and all its arrivals."""

    source: Source
    date: int
    arrivals: list[Arrival]

    def refuse(self, refusal: Refusal) -> None:
        """All that have no refusal yet."""
        for arrival in self.arrivals:
            arrival.refusal = arrival.refusal or refusal


class Deliverer:
    """Collects consignments and carries them out in threads, `parallel` at a time, up to `most` in one."""

    def __init__(
        self, run_in_thread: RunInThread, tools: Tools, directory: str, parallel: int = 4, most: int = 64
    ) -> None:
        self._run_in_thread = run_in_thread
        self._tools = tools
        self._directory = directory
        self._parallel = parallel
        self._most = most
        self._waiting: list[tuple[Consignment, Deferred[None]]] = []
        self._running = 0

    def deliver(self, consignment: Consignment) -> Deferred[None]:
        """Fires when every arrival has its answer."""
        done: Deferred[None] = Deferred()
        self._waiting.append((consignment, done))
        if self._running < self._parallel:
            self._running += 1
            Deferred.fromCoroutine(self._work())
        return done

    async def _work(self) -> None:
        try:
            while self._waiting:
                batch, self._waiting = self._waiting[: self._most], self._waiting[self._most :]
                try:
                    await self._run_in_thread(deliver_all, self._tools, self._directory, [item[0] for item in batch])
                except Exception as error:  # noqa: BLE001 - every arrival gets an answer, whatever happens
                    log.error("delivery_failed: {trace}", trace=format_exc())
                    for consignment, _ in batch:
                        consignment.refuse(storage_refusal(error))
                for _, done in batch:
                    done.callback(None)
        finally:
            self._running -= 1


def deliver_all(tools: Tools, directory: str, consignments: list[Consignment]) -> None:
    """In a thread: all files first, then each mailbox once."""
    files: list[MessageFile] = []
    arriving: dict[int, list[tuple[Arrival, MessageFile]]] = {}
    try:
        for consignment in consignments:
            _prepare_files(tools, directory, consignment, files, arriving)
        for file in files:
            file.start_writing()
        failed = {id(file): refusal for file in files if (refusal := _synced(file)) is not None}
        for group in arriving.values():
            whole = [item for item in group if _not_failed(item, failed)]
            if whole:
                _into_mailbox(whole)
    finally:
        for file in files:
            file.close()
        for consignment in consignments:
            consignment.source.close()


def _prepare_files(
    tools: Tools,
    directory: str,
    consignment: Consignment,
    files: list[MessageFile],
    arriving: dict[int, list[tuple[Arrival, MessageFile]]],
) -> None:
    by_prefix: dict[bytes, MessageFile] = {}
    for arrival in consignment.arrivals:
        file = by_prefix.get(arrival.prefix)
        if file is None:
            try:
                file = consignment.source.file(tools, directory, arrival.prefix, consignment.date)
            except OSError as error:
                arrival.refusal = storage_refusal(error)
                continue
            by_prefix[arrival.prefix] = file
            files.append(file)
        arriving.setdefault(id(arrival.mailbox), []).append((arrival, file))


def _synced(file: MessageFile) -> Refusal | None:
    try:
        file.sync()
    except OSError as error:
        return storage_refusal(error)
    return None


def _not_failed(item: tuple[Arrival, MessageFile], failed: dict[int, Refusal]) -> bool:
    arrival, file = item
    arrival.refusal = failed.get(id(file))
    return arrival.refusal is None


def _into_mailbox(group: list[tuple[Arrival, MessageFile]]) -> None:
    mailbox = group[0][0].mailbox
    try:
        mailbox.call(add_arrivals, mailbox, group)
    except Exception as error:  # noqa: BLE001 - one of many must not spoil the others
        if not isinstance(error, Refusal):
            log.error("delivery_failed: {account}\n{trace}", account=mailbox.account.address, trace=format_exc())
        for arrival, _ in group:
            arrival.refusal = arrival.refusal or storage_refusal(error)


def add_arrivals(mailbox: Mailbox, group: list[tuple[Arrival, MessageFile]]) -> None:
    """One transaction for all that came for one mailbox; an arrival that cannot be has its refusal, the others go on."""
    for arrival, _ in group:
        arrival.refusal = None
    with mailbox.writing() as transaction:
        together = _take_together(transaction, [file for _, file in group])
        touched: dict[tuple[int, int], Box] = {}
        for arrival, file in group:
            try:
                if not together:
                    transaction.take(Usage(file.size, 1))
            except Refusal as refusal:
                arrival.refusal = refusal
                continue
            try:
                box, place = _add(transaction, arrival, file)
                touched[box.id, place] = box
            except (OSError, Refusal) as error:
                transaction.free(Usage(file.size, 1))
                arrival.refusal = storage_refusal(error)
        for (_, place), box in touched.items():
            transaction.tree(box).sync(place)


def _take_together(transaction: Transaction, files: Iterable[MessageFile]) -> bool:
    """Room for all with one charge; False if they have to be asked for one by one."""
    sizes = [file.size for file in files]
    try:
        transaction.take(Usage(sum(sizes), len(sizes)))
    except Refusal:
        return False
    return True


def _add(transaction: Transaction, arrival: Arrival, file: MessageFile) -> tuple[Box, int]:
    box = _box(transaction, arrival)
    prepare(transaction, box)
    if box.uidnext >= MAX_UID:
        raise TemporaryFailure(private=f"no UID is left in {box.directory}")
    flags = arrival.flags & SYSTEM_FLAGS | keywords.mask(transaction, box, arrival.keywords)
    uid, place = box.uidnext, CUR if flags else NEW
    name = new_name(transaction.tools.unique, file.size, uid, flags)
    tree = transaction.changing(box, place)
    dir_fd = tree.fd(place)
    file.link(dir_fd, name)
    transaction.on_undo.append(lambda: transaction.disk.unlink(name, dir_fd=dir_fd))
    box.uidnext += 1
    transaction.index.add_message(box, Row(uid, flags, file.size, file.date, box.next_modseq(), place, 0, name))
    if file.facts is not None:
        transaction.index.add_cached(box, [replace(file.facts, uid=uid)])
    transaction.touch(box)
    arrival.uid, arrival.uidvalidity = uid, box.uidvalidity
    return box, place


def _box(transaction: Transaction, arrival: Arrival) -> Box:
    mailbox = transaction.mailbox
    if arrival.box_id:
        return mailbox.box(arrival.box_id)
    box = mailbox.find_box(arrival.folder)
    if box is not None:
        return box
    name = normal_folder_name(arrival.folder)
    return make_with_parents(transaction, name, SPECIAL_NAMES.get(name, ""))


def new_name(unique: Callable[[], str], size: int, uid: int, flags: int) -> str:
    """A file name for a message of ours: without a part for flags in new/, where none are."""
    return MessageName(
        unique(), size, uid, None, flags & SYSTEM_FLAGS, letters_of(flags), has_info=bool(flags)
    ).filename
