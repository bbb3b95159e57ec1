"""Fills the indexes of texts behind everybody's back: for folders in which somebody searches, after delivery has been quiet, and
takes out a minute later what was expunged.

One folder at a time, in short turns in a thread with pauses as long as the turns, so that at most half a processor is at it. What is
indexed stays so when a turn fails or the process ends; the next search asks for the rest.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Sequence
from traceback import format_exc

import apsw
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.logger import Logger

from hostmail.errors import NoSuchFolder, Refusal
from hostmail.interfaces.threads import InThread
from hostmail.message.searchable import header_part, header_text, whole_body_text
from hostmail.storage import reading
from hostmail.storage.boxes import UID_MASK, Box, BoxRef, span
from hostmail.storage.fulltext import PASSING, SHORTEST, Folder, FullText, Texts
from hostmail.storage.index import Index
from hostmail.storage.mailbox import Mailbox

QUIET_SECONDS = 1.0
PATIENCE_SECONDS = 10.0
TURN_SECONDS = 0.05
SHORTEST_PAUSE = 0.01
TIDY_SECONDS = 60.0
AT_ONCE = 100
OCTETS_AT_ONCE = 1 << 20
REMOVED_AT_ONCE = 200
WORTHWHILE = 50
MAX_FILE = 1 << 30
MAX_WAITING = 1_000

Asked = tuple[Mailbox, BoxRef]


class Filler:
    """The background work of one store. `hold` and `let_go` tell the store that a mailbox is in use.

    Where `is_full` says that there is hardly any room, only what was expunged is taken out: what room there is mail needs more.
    Without `is_on` there is neither filling nor asking. A folder is filled when a search had to read `worthwhile` messages.
    """

    log = Logger()

    def __init__(
        self,
        run_in_thread: InThread,
        clock: IReactorTime,
        hold: Callable[[Mailbox], None],
        let_go: Callable[[Mailbox], None],
        is_full: Callable[[], bool],
        is_on: bool = True,
        worthwhile: int = WORTHWHILE,
    ) -> None:
        self.is_on = is_on
        self.worthwhile = worthwhile
        self._run_in_thread = run_in_thread
        self._clock = clock
        self._hold = hold
        self._let_go = let_go
        self.is_full = is_full
        self._waiting: OrderedDict[Asked, _Job] = OrderedDict()
        self._untidy: dict[Asked, IDelayedCall] = {}
        self._timer: IDelayedCall | None = None
        self._turn: Deferred[None] | None = None
        self._stopped = False
        self._hoping: list[Deferred[None]] = []
        self._delivered = -QUIET_SECONDS
        self._postponed: float | None = None

    def delivered(self) -> None:
        """A message came: others than we have something to do."""
        self._delivered = self._clock.seconds()

    def expunged(self, mailbox: Mailbox, ref: BoxRef) -> None:
        """Messages are gone: nothing of them shall stay in the index for long."""
        asked = (mailbox, ref)
        if self.is_on and not self._stopped and asked not in self._untidy and mailbox.texts.exists:
            self._untidy[asked] = self._clock.callLater(TIDY_SECONDS, self._tidy, asked)

    def _tidy(self, asked: Asked) -> None:
        del self._untidy[asked]
        self.ask(*asked)

    async def candidates(
        self, mailbox: Mailbox, ref: BoxRef, needle: str, uids: Sequence[int], in_header: bool
    ) -> list[int] | None:
        """See `IFolder.candidates`; asks for filling when much is not indexed."""
        if not self.is_on or self._stopped or len(needle) < SHORTEST or not uids:
            return None
        found, missing = await self._run_in_thread(mailbox.call, _look, mailbox, ref, needle, uids, in_header)
        if missing >= self.worthwhile:
            self.ask(mailbox, ref)
        return found

    def ask(self, mailbox: Mailbox, ref: BoxRef) -> None:
        """Index the folder, some time soon."""
        if self._stopped or (mailbox, ref) in self._waiting or len(self._waiting) >= MAX_WAITING:
            return
        self._hold(mailbox)
        self._waiting[mailbox, ref] = _Job(mailbox, ref, self._clock.seconds)
        if len(self._waiting) == 1:
            self._later(SHORTEST_PAUSE)

    async def stop(self) -> None:
        """No more turns; returns when the one that runs is over."""
        self._stopped = True
        for call in (self._timer, *self._untidy.values()):
            if call is not None:
                call.cancel()
        self._timer = None
        self._untidy.clear()
        if self._turn is not None:
            waiting: Deferred[None] = Deferred()
            self._turn.addBoth(lambda _: waiting.callback(None))
            await waiting
        while self._waiting:
            self._done(next(iter(self._waiting)))

    async def finished(self) -> None:
        """Returns when nothing is left to be done."""
        if self._waiting:
            hope: Deferred[None] = Deferred()
            self._hoping.append(hope)
            await hope

    def _later(self, seconds: float) -> None:
        if not self._stopped:
            self._timer = self._clock.callLater(seconds, self._begin)

    def _begin(self) -> None:
        """The next turn, unless delivery is at work and has not kept us waiting for long."""
        self._timer = None
        now = self._clock.seconds()
        quiet_in = self._delivered + QUIET_SECONDS - now
        if self._postponed is None:
            self._postponed = now
        if quiet_in > 0 and now - self._postponed < PATIENCE_SECONDS:
            self._later(quiet_in)
            return
        self._postponed = None
        turn = self._turn = Deferred.fromCoroutine(self._work())
        turn.addBoth(self._rest)

    async def _work(self) -> None:
        asked, job = next(iter(self._waiting.items()))
        try:
            if await self._run_in_thread(job.turn, not self.is_full()):
                return
        except NoSuchFolder:
            pass  # somebody has deleted it meanwhile
        except (apsw.Error, OSError, Refusal) as error:
            self.log.warn("texts_not_indexed: {root} {error!r}", root=job.mailbox.root, error=error)
        except Exception:  # noqa: BLE001 - nobody waits for it; what cannot be indexed is read
            self.log.error("texts_not_indexed: {root}\n{trace}", root=job.mailbox.root, trace=format_exc())
        self._done(asked)

    def _rest(self, _: object) -> None:
        self._turn = None
        if self._waiting:
            _, job = next(iter(self._waiting.items()))
            self._later(max(SHORTEST_PAUSE, job.took))
            return
        hoping, self._hoping = self._hoping, []
        for hope in hoping:
            hope.callback(None)

    def _done(self, asked: Asked) -> None:
        if self._waiting.pop(asked, None) is not None:
            self._let_go(asked[0])


class _Job:
    """One folder to be indexed: what is new first, then what is gone out of the whole mailbox. Its turns run in threads."""

    def __init__(self, mailbox: Mailbox, ref: BoxRef, seconds: Callable[[], float]) -> None:
        self.mailbox = mailbox
        self.took = 0.0
        self._ref = ref
        self._seconds = seconds
        self._folder = Folder(0, 0)
        self._new: list[int] | None = None
        self._gone: list[tuple[Folder, list[int]]] = []

    def turn(self, may_grow: bool) -> bool:
        """Some of it; False when all is done."""
        began = self._seconds()
        texts = self.mailbox.texts
        try:
            if self._new is None:
                self._begin(texts)
            if not may_grow:
                self._new = []
            while (is_more := self._step(texts)) and self._seconds() - began < TURN_SECONDS:
                pass
        except apsw.Error as error:
            if not isinstance(error, PASSING):
                texts.discard()
            raise
        self.took = self._seconds() - began
        return is_more

    def _begin(self, texts: FullText) -> None:
        with self.mailbox.reading() as index:
            box = self.mailbox.box(self._ref)
            self._folder = Folder(box.id, box.uidvalidity)
            uids = _uids(index, box)
            alive = {Folder(box.id, box.uidvalidity) for box in index.boxes.values()}
        indexed = texts.folders()
        if indexed and not alive & indexed.keys():  # the index of messages was made anew
            texts.discard()
            indexed = {}
        self._new = texts.unknown(self._folder, uids)[::-1]
        for folder, ranges in indexed.items():
            self._look_for_gone(folder, ranges)

    def _look_for_gone(self, folder: Folder, ranges: Sequence[tuple[int, int]]) -> None:
        with self.mailbox.reading() as index:
            box = index.boxes.get(folder.id)
            present = set() if box is None or box.uidvalidity != folder.uidvalidity else set(_uids(index, box))
        gone = [uid for first, last in ranges for uid in range(first, last + 1) if uid not in present]
        if gone:
            self._gone.append((folder, gone))

    def _step(self, texts: FullText) -> bool:
        """The next few messages; False if there is nothing left, or no room for more."""
        if self._new and texts.size() > MAX_FILE:
            self._new = []
        if self._new:
            contents = reading.read_sound(self.mailbox, self._ref, self._new[-AT_ONCE:][::-1], OCTETS_AT_ONCE)
            del self._new[-len(contents) :]
            texts.add(self._folder, [_texts(uid, content) for uid, content in contents if content is not None])
        elif self._gone:
            folder, uids = self._gone[-1]
            texts.remove(folder, uids[-REMOVED_AT_ONCE:])
            del uids[-REMOVED_AT_ONCE:]
            if not uids:
                self._gone.pop()
        return bool(self._new or self._gone)


def _look(
    mailbox: Mailbox, ref: BoxRef, needle: str, uids: Sequence[int], in_header: bool
) -> tuple[list[int] | None, int]:
    """The candidates if there is an index, and how many are not indexed."""
    with mailbox.reading():
        box = mailbox.box(ref)
        folder = Folder(box.id, box.uidvalidity)
    texts = mailbox.texts
    if not texts.exists:
        return None, len(uids)
    try:
        found, missing = texts.candidates(folder, needle, uids, in_header)
    except (*PASSING, OSError) as error:
        Filler.log.warn("texts_not_asked: {root} {error!r}", root=mailbox.root, error=error)
        return None, 0
    except apsw.Error as error:
        Filler.log.error("texts_broken: {root} {error!r}", root=mailbox.root, error=error)
        texts.discard()
        return None, len(uids)
    return (None if missing == len(uids) else found), missing


def _uids(index: Index, box: Box) -> list[int]:
    return [key & UID_MASK for (key,) in index.execute("SELECT id FROM msg WHERE id BETWEEN ? AND ?", span(box))]


def _texts(uid: int, content: bytes) -> Texts:
    return Texts(uid, header_text(content, header_part(content)), whole_body_text(content))
