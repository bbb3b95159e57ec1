"""When a session tells what others have done: behind its commands, while it idles (RFC 2177), and between commands (RFC 5465)."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from twisted.python.failure import Failure

from hostmail.errors import Refusal
from hostmail.interfaces.mailstore import Changes, Placed
from hostmail.protocols.base import Action
from hostmail.protocols.imap.answers import SessionOver
from hostmail.protocols.imap.dialect import Dialect
from hostmail.protocols.imap.fetchatts import MODSEQ, UID
from hostmail.protocols.imap.fetching import Fetch
from hostmail.protocols.imap.framing import Framer
from hostmail.protocols.imap.idling import Idling
from hostmail.protocols.imap.listchanges import Infos
from hostmail.protocols.imap.notices import Notices
from hostmail.protocols.imap.notifyargs import FLAGS, NotifyRequest
from hostmail.protocols.imap.selected import Selected
from hostmail.protocols.imap.sequence import slices_of
from hostmail.protocols.logs import shown

if TYPE_CHECKING:
    from hostmail.protocols.imap.server import HostmailIMAP4

ROWS = 1000


class News(Idling):
    """Part of `HostmailIMAP4`.

    `news_waits`: an event said that the selected folder has changed. `news_missed`: looking failed for now. `notices` is what NOTIFY asked
    for; without it, the selected folder's news are told behind commands and while the client idles.
    """

    framer: Framer
    dialect: Dialect
    news_waits = False
    news_missed = False
    notices: Notices | None = None

    # --------------------------------------------------------------------------------------------- the selected folder

    def folder_changed(self) -> None:
        """Somebody, perhaps we ourselves, changed the selected folder."""
        self.news_waits = True
        if self.idle_tag is not None or self.notices is not None:
            self.pump()

    async def _tell_news(self, polls: bool, expunges: bool) -> None:
        selected = self.selected
        assert selected is not None
        if polls or self.news_waits or self.news_missed:
            await self.refresh(expunges, look=polls)
        elif selected.gone and expunges:
            self.write(selected.take_expunges())

    def look_again(self) -> None:
        """For what no event told."""
        self.news_missed = True
        self.folder_changed()

    async def refresh(self, expunges: bool = True, look: bool = True) -> None:
        """Write what happened in the selected folder since the client last heard of it; who was told of it need not `look` for it."""
        selected = self.selected
        if selected is None or self._is_deaf:
            return
        self.news_waits = False
        if self.news_missed:
            self.news_missed, look = False, True
        try:
            changes = await selected.folder.changes(selected.modseq, look)
        except Refusal as refusal:
            self._lost_sight(refusal)
            return
        if self.selected is selected:
            await self._tell(selected, changes, expunges)

    async def _tell(self, selected: Selected, changes: Changes, expunges: bool) -> None:
        notices = self.notices
        last = selected.uids[-1] if selected.uids else 0
        words, rows = selected.news(changes, expunges, flags=notices is None or FLAGS in notices.request.selected)
        self.write(words)
        await self.tell_flags(selected, rows)
        if notices is None:
            return
        own, notices.own_uids = notices.own_uids, set()
        wanted = notices.request.fetch
        if wanted is not None:
            arrived = range(bisect_right(selected.uids, last), len(selected))
            if self.dialect.condstore:
                wanted = wanted.with_item(MODSEQ).with_item(UID)
            fetch = Fetch(self._whole, selected, wanted, by_uid=False)
            await self._fetch(fetch, [index for index in arrived if selected.uids[index] not in own])

    async def tell_flags(self, selected: Selected, indices: Sequence[int], with_uid: bool = True) -> None:
        """A row for each of these messages; of many some at a time, as the client reads them, with turns for others."""
        for first in range(0, len(indices), ROWS):
            if first:
                await self.written()
            self.write(selected.flag_rows(indices[first : first + ROWS], with_uid))

    async def _fetch(self, fetch: Fetch, indices: list[int]) -> None:
        """What NOTIFY wants to know of new messages; that it fails spoils no command."""
        try:
            await fetch.run(slices_of(indices))
        except Refusal as refusal:
            self.note(refusal)
            if self.mid_answer:
                self.abort()
                raise SessionOver from None

    def _lost_sight(self, refusal: Refusal) -> None:
        """The folder was deleted under us, or cannot be read for now."""
        self.note(refusal)
        if not refusal.permanent:
            self.news_missed = True
            return
        self.flush()
        self.bye("the selected folder was deleted or renamed, please connect again")
        self.close()
        raise SessionOver

    # ------------------------------------------------------------------------------------------------------------- NOTIFY

    @property
    def _whole(self) -> HostmailIMAP4:
        return self  # type: ignore[return-value]

    @property
    def _is_deaf(self) -> bool:
        """Whether the client wants to hear nothing of the selected folder (RFC 5465 section 3.1)."""
        return self.notices is not None and not self.notices.request.selected

    def notify(self, notices: Notices | None) -> None:
        """Another NOTIFY is in force from now on."""
        before = self.notices
        if before is not notices:
            self.notices = notices
            self.listen()
        if before is not None:
            before.stop()

    def listen(self) -> None:
        """Hear at once what other programs do to the selected folder, if that is pushed; else not, for it costs the system a watch."""
        if self.selected is None:
            return
        if self.idle_tag is not None or (self.notices is not None and not self._is_deaf):
            self.selected.listen_outside(self.folder_changed)
        else:
            self.selected.stop_listening_outside()

    def placed(self, placed: Placed, unseen: Callable[[], int]) -> None:
        """The client itself has put these messages somewhere; `unseen` counts those that are not read."""
        if self.notices is not None:
            self.notices.placed(placed, unseen())

    def absorb(self, change: Callable[..., Infos], *arguments: Any) -> None:
        """The client itself has changed the list of folders, as one of `listchanges` says."""
        if self.notices is not None:
            self.notices.absorb(change, *arguments)

    def left(self, selected: Selected) -> None:
        """A folder is no longer selected: what has not been told of it is now told as of any other."""
        if self.notices is not None and self.news_waits:
            self.notices.heard(selected.name)
        self.news_waits = False
        if self.news_missed:
            self.news_missed = False

    # ---------------------------------------------------------------------------------------------------------- pushing

    def due(self) -> Action | None:
        """Something that the client is to be told now, though it has not asked."""
        notices = self.notices
        if self.idle_tag is None and (notices is None or not self.framer.between_commands):
            return None
        if self._selected_is_due() or (notices is not None and notices.waiting):
            return self.push_news
        return None

    def _selected_is_due(self) -> bool:
        if self.selected is None or self._is_deaf:
            return False
        return self.news_waits or (bool(self.selected.gone) and self._pushes_expunges and not self.news_missed)

    @property
    def _pushes_expunges(self) -> bool:
        """While idling always; else if that is wanted though it moves message numbers (RFC 5465 section 6.1)."""
        return self.idle_tag is not None or (self.notices is not None and not self.notices.request.delayed)

    async def push_news(self) -> None:
        """Tell a client that has not asked. A fault ends what NOTIFY has begun, and says so (RFC 5465 section 5.8)."""
        notices = self.notices
        self.begin_turn()
        try:
            if self._selected_is_due():
                await self.refresh(self._pushes_expunges, look=False)
            if notices is not None and notices.waiting:
                if notices.overflows:
                    self._overflow()
                else:
                    await notices.tell()
        except SessionOver:
            return
        except Exception:
            if notices is None or self.mid_answer:
                raise
            self.log.failure("notices failed: {peer}", failure=Failure(), peer=shown(self.peer))
            self._overflow()
        self.flush()

    def _overflow(self) -> None:
        self.notify(Notices(self._whole, NotifyRequest()))
        self.write(b"* OK [NOTIFICATIONOVERFLOW] no more is told until you ask again\r\n")
