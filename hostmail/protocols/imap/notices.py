"""What a session tells of other folders than the selected one, and of the list of folders (NOTIFY, RFC 5465).

Events only say where something has changed. What has changed is found by comparing with what the client knows: counts of each folder, the
list of names, and what METADATA says. So one event that stands for many, or one too many, costs a look and never a wrong word.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from hostmail.errors import NoSuchFolder, Refusal
from hostmail.interfaces.mailstore import FolderInfo, FolderStatus, Placed
from hostmail.message import imaptext
from hostmail.protocols.imap.commands.metadata import place_name
from hostmail.protocols.imap.commands.status import format_status
from hostmail.protocols.imap.listchanges import Infos, ListChanges, exists, is_subscribed, list_changes, with_renamed
from hostmail.protocols.imap.names import DELIMITER, wire_name
from hostmail.protocols.imap.notifyargs import (
    FLAGS,
    MESSAGES,
    METADATA,
    NAME,
    SERVER_METADATA,
    SUBSCRIPTION,
    NotifyRequest,
)

if TYPE_CHECKING:
    from hostmail.protocols.imap.server import HostmailIMAP4

LOOK_SECONDS = 300.0
MOST_WAITING = 2000
MANY = 50


class Notices:
    """One NOTIFY in force. `own_uids` are messages that the client itself has put into the selected folder."""

    def __init__(self, session: HostmailIMAP4, request: NotifyRequest) -> None:
        self.request = request
        self.own_uids: set[int] = set()
        self._session = session
        self._changed: set[str] = set()
        self._list_changed = False
        self._infos: Infos = {}
        self._counts: dict[str, FolderStatus] = {}
        self._expected: dict[str, FolderStatus] = {}
        self._metadata: dict[str | None, dict[str, int]] = {}
        self._stop_watching: Callable[[], None] | None = None
        self._look: Any = None

    @property
    def waiting(self) -> bool:
        """Whether there may be something to tell."""
        return self._list_changed or bool(self._changed)

    @property
    def overflows(self) -> bool:
        """Whether more waits than is ever told."""
        return len(self._changed) > MOST_WAITING

    # ------------------------------------------------------------------------------------------------- beginning, end

    async def begin(self) -> None:
        """Learn how things stand, and say so if that is wanted. From the first moment on, changes are taken note of."""
        session, request = self._session, self.request
        if request.groups or request.selected:
            self._look = session.clock.callLater(LOOK_SECONDS, self._look_again)
        if not request.groups:
            return
        assert session.account is not None
        self._stop_watching = session.factory.watch.watch_account(session.account.account.id, self.heard)
        self._infos = await self._list()
        for number, name in enumerate(self._infos, 1):
            await self._learn(name)
            await self._pause(number)
        if request.wants(SERVER_METADATA):
            self._metadata[None] = await self._metadata_of(None)

    async def _pause(self, number: int) -> None:
        """Others have their turn, and a client that reads slowly its time."""
        await self._session.written()
        if number % MANY == 0:
            await self._session.breathe()

    async def _learn(self, name: str) -> None:
        events = self._events(name)
        if not exists(self._infos, name) or not events:
            return
        try:
            if events & MESSAGES:
                self._counts[name] = status = await self._session.store.status(name)
                if self.request.status and not self._is_selected(name):
                    self._write_status(name, status, FLAGS in events)
            if METADATA in events:
                self._metadata[name] = await self._metadata_of(name)
        except Refusal as refusal:
            self._session.note(refusal)

    def stop(self) -> None:
        """Hear no more."""
        stop, self._stop_watching = self._stop_watching, None
        look, self._look = self._look, None
        if stop is not None:
            stop()
        if look is not None and look.active():
            look.cancel()

    # --------------------------------------------------------------------------------------------------------- hearing

    def heard(self, folder: str) -> None:
        """Something in that folder has changed; "" for the list of folders."""
        if not folder:
            self._list_changed = True
        elif not self.overflows:
            self._changed.add(folder)
        self._session.pump()

    def _look_again(self) -> None:
        """For what no event told (ARCHITECTURE 8)."""
        self._look = self._session.clock.callLater(LOOK_SECONDS, self._look_again)
        if self.request.selected and self._session.selected is not None:
            self._session.look_again()
        if self.request.groups:
            self._look_everywhere()
            self.heard("")

    def _look_everywhere(self) -> None:
        self._changed.update(name for name in self._infos if self._events(name) & (MESSAGES | {METADATA}))

    def annotated(self, folder: str | None, changes: Mapping[str, bytes | None]) -> None:
        """The client itself has done so: it need not be told."""
        if self.request.wants(METADATA if folder is not None else SERVER_METADATA):
            known = self._metadata.setdefault(folder, {})
            known.update({name: hash(value) for name, value in changes.items() if value is not None})
            for name in [name for name, value in changes.items() if value is None]:
                known.pop(name, None)

    def placed(self, placed: Placed, unseen: int) -> None:
        """The client itself has put messages somewhere: nothing to be told, unless more has happened there."""
        selected = self._session.selected
        if selected is not None and selected.uidvalidity == placed.uidvalidity:
            self.own_uids.update(placed.target_uids if self.request.fetch is not None else ())
            return
        uids = placed.target_uids
        for name, known in self._counts.items() if uids else ():
            before = self._expected.get(name, known)
            if before.uidvalidity == placed.uidvalidity and before.uidnext == min(uids):
                messages = before.messages + len(uids)
                after = replace(before, uidnext=max(uids) + 1, messages=messages, unseen=before.unseen + unseen)
                self._expected[name] = after

    def absorb(self, change: Callable[..., Infos], *arguments: Any) -> None:
        """The client itself has changed the list like that: it need not be told. What others have done at the same time it still hears."""
        if not self.request.groups:
            return
        before = self._infos
        self._believe(change(before, *arguments))
        if change is with_renamed and arguments[0] == "INBOX" and not exists(before, arguments[1]):
            # The new folder has INBOX's metadata as well (RFC 5464 section 4.1).
            self._metadata[arguments[1]] = dict(self._metadata.get("INBOX", {}))

    # --------------------------------------------------------------------------------------------------------- telling

    async def tell(self) -> None:
        """Write what has changed by now. What changes meanwhile comes next time, behind the client's commands."""
        if self._list_changed:
            self._list_changed = False
            await self._guarded(self._tell_list())
        changed, self._changed = self._changed, set()
        for number, name in enumerate(sorted(changed), 1):
            await self._guarded(self._tell_folder(name), name)
            await self._pause(number)

    async def _guarded(self, work: Any, name: str = "") -> None:
        try:
            await work
        except NoSuchFolder:
            if name and name not in self._infos:
                self._look_everywhere()  # some folder had that name only for a moment
        except Refusal as refusal:
            self._session.note(refusal)

    async def _tell_folder(self, name: str) -> None:
        events = self._events(name)
        if events & MESSAGES:
            if self._is_selected(name):
                self._counts.pop(name, None)
            else:
                await self._tell_counts(name, events)
        if METADATA in events:
            await self._tell_metadata(name)

    async def _tell_counts(self, name: str, events: frozenset[bytes]) -> None:
        status = await self._session.store.status(name)
        before, self._counts[name] = self._counts.get(name), status
        expected = self._expected.pop(name, None)
        if expected is not None and _counts(expected) == _counts(status):
            before = expected  # what the client has done itself it knows; perhaps somebody has changed flags as well
        if self._is_news(before, status, events):
            self._write_status(name, status)

    def _is_news(self, before: FolderStatus | None, after: FolderStatus, events: frozenset[bytes]) -> bool:
        """Whether the client wants to know: messages came or went, or flags have changed in a way that can be told (section 5.1)."""
        if before is None:
            return after.uidnext > 1
        if _counts(before) != _counts(after):
            return True
        changed = before.highestmodseq != after.highestmodseq and self._session.dialect.condstore
        return FLAGS in events and (changed or before.unseen != after.unseen)

    def _write_status(self, name: str, status: FolderStatus, modseq: bool = False) -> None:
        items = [b"MESSAGES", b"UIDNEXT", b"UIDVALIDITY", b"UNSEEN"]
        if modseq or self._session.dialect.condstore:
            items.append(b"HIGHESTMODSEQ")
        self._session.write(format_status(name, self._session.dialect.utf8, status, items))

    async def _tell_metadata(self, folder: str | None) -> None:
        before, after = self._metadata.get(folder, {}), await self._metadata_of(folder)
        self._metadata[folder] = after
        names = sorted(name for name in before.keys() | after.keys() if before.get(name) != after.get(name))
        if names:
            words = b" ".join([imaptext.astring(name.encode()) for name in names])
            self._session.write(b"* METADATA %b %b\r\n" % (place_name(folder, self._session.dialect.utf8), words))

    async def _metadata_of(self, folder: str | None) -> dict[str, int]:
        return {name: hash(value) for name, value in (await self._session.store.annotations(folder)).items()}

    # ------------------------------------------------------------------------------------------------ the list of folders

    async def _tell_list(self) -> None:
        before = self._infos
        changes = self._believe(await self._list())
        self._changed.update(changes.created)
        self._follow(changes)
        for name, old in self._affected(changes, before).items():
            self._session.write(self._list_line(name, old))
        if self.request.wants(SERVER_METADATA):
            await self._tell_metadata(None)

    def _follow(self, changes: ListChanges) -> None:
        """If somebody has renamed the selected folder, what is said of its new name is said of that; perhaps something has been already."""
        session = self._session
        for new, old in changes.renamed.items():
            if self._is_selected(old):
                session.folder_renamed(old, new)
                session.folder_changed()
                return

    def _affected(self, changes: ListChanges, before: Infos) -> dict[str, str]:
        """The names to tell, with the old ones of renamed folders: in an order in which a client can follow, although all is one change.

        What has been deleted first, so that it does not go along with a folder above; then renamed ones, from the deepest.
        """
        found = {name: "" for name in changes.deleted if NAME in self._events(name, before)}
        for new, old in sorted(changes.moved_alone().items(), key=lambda pair: -pair[1].count(DELIMITER)):
            if NAME in self._events(new, before) | self._events(old, before):
                found[new] = old
        others = {each for name in changes.deleted for each in _parent(name)} - set(changes.renamed.values())
        others.update(each for name in changes.created for each in (name, *_parent(name)))
        others.update(name for name in changes.replaced if before[name].uidvalidity)
        others = {name for name in others if NAME in self._events(name, before)}
        others.update(name for name in changes.subscribed if SUBSCRIPTION in self._events(name, before))
        return {**found, **{name: "" for name in sorted(others) if name not in found}}

    def _believe(self, after: Infos) -> ListChanges:
        """That is the list now; what is known of folders goes where they went."""
        changes = list_changes(self._infos, after)
        self._infos = after
        for known in (self._counts, self._metadata):
            _carry(known, changes)  # type: ignore[arg-type]
        # What was announced of them was perhaps announced under other names.
        self._changed.update(changes.renamed, changes.replaced)
        return changes

    async def _list(self) -> Infos:
        store = self._session.store
        found = {info.name: info for info in await store.folders()}
        for name in await store.subscriptions():
            if name not in found:
                found[name] = FolderInfo(name, True, selectable=False)
        return found

    def _list_line(self, name: str, old: str) -> bytes:
        info = self._infos.get(name) or FolderInfo(name, False, selectable=False)
        words = [] if info.selectable else [b"\\NonExistent"]
        if info.subscribed:
            words.append(b"\\Subscribed")
        words.append(b"\\HasChildren" if info.has_children else b"\\HasNoChildren")
        if info.special_use:
            words.append(info.special_use.encode("ascii"))
        utf8 = self._session.dialect.utf8
        extra = b' ("OLDNAME" (%b))' % wire_name(old, utf8) if old else b""
        return b'* LIST (%b) "/" %b%b\r\n' % (b" ".join(words), wire_name(name, utf8), extra)

    def _events(self, name: str, before: Mapping[str, FolderInfo] | None = None) -> frozenset[bytes]:
        """Of one that is subscribed, or was until now."""
        subscribed = is_subscribed(self._infos, name) or is_subscribed(before or {}, name)
        return self.request.events_of(name, subscribed)

    def _is_selected(self, name: str) -> bool:
        selected = self._session.selected
        return selected is not None and selected.name == name


def _counts(status: FolderStatus) -> tuple[int, int, int]:
    return status.uidvalidity, status.uidnext, status.messages


def _parent(name: str) -> list[str]:
    parent = name.rpartition(DELIMITER)[0]
    return [parent] if parent else []


def _carry(known: dict[str, Any], changes: ListChanges) -> None:
    """What is known of folders moves with their names, and ends with them."""
    moved = {new: known.pop(old) for new, old in changes.renamed.items() if old in known}
    for name in changes.deleted:
        known.pop(name, None)
    known.update(moved)
