"""The last part of a delivery, in a thread: complete, synced files into mailboxes, each in a transaction of its index.

Several mailboxes go together where that is possible: all links are made before the first directory is synced, for on
most file systems that one commit of the journal then serves them all. Mailboxes are taken in the order of their paths, so
that two processes cannot wait for each other; who would have to be waited for comes afterwards, alone.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import partial
from traceback import format_exc

from twisted.logger import Logger

from hostmail.errors import Refusal, TemporaryFailure
from hostmail.interfaces.directory import Usage
from hostmail.storage import keywords, unlettered
from hostmail.storage.boxes import Box, BoxRef, Row
from hostmail.storage.content import MessageFile
from hostmail.storage.disk import storage_refusal
from hostmail.storage.folders import make_with_parents
from hostmail.storage.mailbox import BROKEN, Mailbox
from hostmail.storage.names import MAX_UID, MessageName, letters_of, normal_folder_name
from hostmail.storage.opening import SPECIAL_NAMES
from hostmail.storage.scan import prepare
from hostmail.storage.transaction import Transaction
from hostmail.storage.tree import CUR, NEW

log = Logger()
SYSTEM_FLAGS = 31


@dataclass(slots=True)
class Arrival:
    """One copy of a message on its way into a folder; afterwards `uid` and `uidvalidity`, or `refusal`.

    `ref` is an open folder's (APPEND), which must still be there; None for a folder by name, made again if somebody deleted it.
    """

    mailbox: Mailbox
    prefix: bytes
    folder: str
    flags: int = 0
    keywords: Sequence[str] = ()
    ref: BoxRef | None = None
    uid: int = 0
    uidvalidity: int = 0
    refusal: Refusal | None = None


Group = list[tuple[Arrival, MessageFile]]
Touched = dict[tuple[int, int], Box]


def into_mailboxes(groups: list[Group]) -> None:
    """Every arrival gets its answer; each group is what came for one mailbox."""
    alone = groups
    if len(groups) > 1:
        groups.sort(key=lambda group: group[0][0].mailbox.root)
        together = [_Together(group) for group in groups]
        for each in together:
            each.begin()
        _charge(together)
        for each in together:
            each.place()
        for each in together:
            each.sync()
        for each in together:
            each.commit()
        alone = [each.group for each in together if each.is_alone]
    for group in alone:
        _into_mailbox(group)


def _charge(together: list[_Together]) -> None:
    """Room for all in one transaction of the directory; who is refused asks again for each message by itself."""
    asking = [(each, after) for each in together if (after := each.after) is not None]
    usage = asking[0][0].mailbox.tools.usage if asking else None
    refusals: list[Refusal | None] = [None] * len(asking)
    if usage is not None:
        try:
            refusals = usage.charge_all([(each.mailbox.account.id, after) for each, after in asking])
        except Exception as error:  # noqa: BLE001 - each of them is undone and answered
            for each, _ in asking:
                each.fail(error)
            return
    for (each, after), refusal in zip(asking, refusals, strict=True):
        each.charged(after if refusal is None else None)


def _into_mailbox(group: Group) -> None:
    mailbox = group[0][0].mailbox
    try:
        mailbox.call(_deliver, mailbox, group)
    except Exception as error:  # noqa: BLE001 - one of many must not spoil the others
        _refuse(group, error)


def _refuse(group: Group, error: Exception) -> None:
    refusal = storage_refusal(error)
    if not isinstance(error, Refusal | OSError):
        account = group[0][0].mailbox.account.address
        log.error("delivery_failed: {account}\n{trace}", account=account, trace=format_exc())
    for arrival, _ in group:
        arrival.refusal = arrival.refusal or refusal


def _deliver(mailbox: Mailbox, group: Group) -> None:
    with mailbox.writing() as transaction:
        sync_places(transaction, place_all(transaction, group))


class _Together:
    """One of several mailboxes whose transactions are open at the same time. `is_alone`: it has to be done by itself."""

    def __init__(self, group: Group) -> None:
        self.group = group
        self.mailbox = group[0][0].mailbox
        self.is_alone = False
        self._transaction: Transaction | None = None
        self._context: AbstractContextManager[Transaction]
        self._touched: Touched = {}

    def begin(self) -> None:
        """Open the transaction if nobody has to be waited for."""
        self._context = self.mailbox.writing(wait=False)
        try:
            self._transaction = self._context.__enter__()
        except BlockingIOError:
            self.is_alone = True
        except Exception as error:  # noqa: BLE001 - one of many must not spoil the others
            self._failed(error)

    @property
    def after(self) -> Usage | None:
        """What the mailbox will hold; None if its own limits do not allow that, or there is no transaction any more."""
        if self._transaction is None:
            return None
        try:
            return self._transaction.after(_usage_of(self.group))
        except Refusal:
            return None

    def charged(self, after: Usage | None) -> None:
        """There is room for all; None if not."""
        if self._transaction is not None:
            self._transaction.taken = after

    def place(self) -> None:
        """Links and rows."""
        self._step(self._place)

    def _place(self, transaction: Transaction) -> None:
        self._touched = place_all(transaction, self.group)

    def sync(self) -> None:
        """The messages' names are on disk."""
        self._step(lambda transaction: sync_places(transaction, self._touched))

    def commit(self) -> None:
        """Visible."""
        if self._transaction is not None:
            self._transaction = None
            try:
                self._context.__exit__(None, None, None)
            except Exception as error:  # noqa: BLE001
                self._failed(error)

    def _step(self, work: Callable[[Transaction], None]) -> None:
        if self._transaction is None:
            return
        try:
            work(self._transaction)
        except Exception as error:  # noqa: BLE001
            self.fail(error)

    def fail(self, error: Exception) -> None:
        """Undo it, and say so."""
        self._transaction = None
        try:
            self._context.__exit__(type(error), error, error.__traceback__)
        except Exception:  # noqa: BLE001 - what came while undoing it
            log.error("delivery_not_undone: {trace}", trace=format_exc())
        self._failed(error)

    def _failed(self, error: Exception) -> None:
        if isinstance(error, BROKEN):
            self.is_alone = True
        else:
            _refuse(self.group, error)


def place_all(transaction: Transaction, group: Group) -> Touched:
    """Links and rows for all that came; an arrival that cannot be has its refusal, the others go on."""
    for arrival, _ in group:
        arrival.refusal = None
    together = transaction.taken is not None or _take_together(transaction, group)
    touched: Touched = {}
    for arrival, file in group:
        try:
            if not together:
                transaction.take(Usage(file.size, 1))
            box, place = _add(transaction, arrival, file)
            touched[box.id, place] = box
        except (OSError, Refusal) as error:
            arrival.refusal = storage_refusal(error)
    return touched


def sync_places(transaction: Transaction, touched: Touched) -> None:
    """The names that `place_all` has made are on disk."""
    for (_, place), box in touched.items():
        transaction.tree(box).sync(place)


def _usage_of(group: Group) -> Usage:
    return Usage(sum(file.size for _, file in group), len(group))


def _take_together(transaction: Transaction, group: Group) -> bool:
    """Room for all with one charge; False if they have to be asked for one by one."""
    try:
        transaction.take(_usage_of(group))
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
    row = Row(uid, flags, file.size, file.date, box.next_modseq(), place, 0, name)
    transaction.index.add_message(box, row)
    if arrival.keywords:
        transaction.at_end.append(partial(unlettered.note, transaction, box, (row,)))
    if file.facts is not None:
        transaction.index.add_facts(box, uid, file.facts)
    transaction.touch(box)
    arrival.uid, arrival.uidvalidity = uid, box.uidvalidity
    return box, place


def _box(transaction: Transaction, arrival: Arrival) -> Box:
    mailbox = transaction.mailbox
    if arrival.ref is not None:
        return mailbox.box(arrival.ref)
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
