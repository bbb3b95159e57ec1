"""Finds the messages that a SEARCH means.

The columns decide first, then what the index keeps of each message, then an index of words if the store has one. Only messages
that are still in question are read: their headers if those may do, then all of them, many at a time. Long searches give others
their turn.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import TYPE_CHECKING, Any

from hostmail.errors import MessageGone
from hostmail.protocols.imap import searchkeys as keys
from hostmail.protocols.imap.bodies import SMALL, MessageReader
from hostmail.protocols.imap.searchcolumns import Columns, sieve
from hostmail.protocols.imap.searchdocument import FACTS, NO_FACTS, Candidates, Document, Judge, judge_of, texts_of
from hostmail.protocols.imap.searchkeys import Cost, Key
from hostmail.protocols.imap.selected import Selected

if TYPE_CHECKING:
    from hostmail.protocols.imap.server import HostmailIMAP4

TURN_OCTETS = 2 * 1024 * 1024
MESSAGE_COST = 1024
READ_AT_ONCE = 512 * 1024
DOCUMENTS = 1000
TEXTS_AT_ONCE = 20
JUDGED_AT_ONCE = 64
FEW = 8
HEADERS_AT_ONCE = 200


async def search(session: HostmailIMAP4, selected: Selected, key: Key) -> list[int]:
    """The indices of the messages that match, in order."""
    columns = Columns(selected, session.clock.seconds())
    indices: Sequence[int] = range(len(selected))
    if any(isinstance(leaf, keys.Sent) for leaf in keys.leaves(key)):
        columns.sent_days = days = await selected.folder.sent_days(selected.uids[:])
        indices = [index for index, day in enumerate(days) if day >= 0]
    cheap, dear = _split(key)
    found = await session.sift_many(indices, sieve(columns, cheap))
    if dear is None or not found:
        return found
    candidates = await _candidates(selected, dear, found)
    judge = judge_of(columns, dear, candidates)
    return await _Search(session, selected, dear, judge).among(found)


async def _candidates(selected: Selected, key: Key, indices: Sequence[int]) -> Candidates:
    """What the store knows of the texts that are looked for, unless reading is as quick as asking."""
    candidates = Candidates()
    wanted = texts_of(key)[:TEXTS_AT_ONCE] if len(indices) > FEW else []
    uids = [selected.uids[index] for index in indices] if wanted else []
    for needle, in_header in wanted:
        found = await selected.folder.candidates(needle, uids, in_header) if needle else None
        if found is not None:
            candidates.learn((needle, in_header), found)
    return candidates


def _split(key: Key) -> tuple[Key, Key | None]:
    """What the columns can decide beforehand, and what is left."""
    if key.cost is Cost.INDEX:
        return key, None
    if not isinstance(key, keys.And):
        return keys.All(), key
    cheap = [part for part in key.keys if part.cost is Cost.INDEX]
    dear = [part for part in key.keys if part.cost is not Cost.INDEX]
    return keys.And(tuple(cheap)), keys.conjunction(dear)


class _Search:
    """One search at work."""

    def __init__(self, session: HostmailIMAP4, selected: Selected, key: Key, judge: Judge) -> None:
        self._session = session
        self._selected = selected
        self._judge = judge
        self._left = TURN_OCTETS
        leaves = list(keys.leaves(key))
        self._asks_index = any(leaf.cost is Cost.FACTS for leaf in leaves)
        self._asks_saved = any(isinstance(leaf, keys.Saved) for leaf in leaves)
        self._asks_headers = any(isinstance(leaf, keys.Header) for leaf in leaves)

    async def among(self, indices: Sequence[int]) -> list[int]:
        """Those that match."""
        found: list[int] = []
        for first in range(0, len(indices), DOCUMENTS):
            if first:
                await self._session.breathe()
            found += await self._decide(indices[first : first + DOCUMENTS])
        return found

    async def _decide(self, indices: Sequence[int]) -> list[int]:
        found: list[int] = []
        documents = await self._from_index(indices, found)
        if documents and self._asks_headers:
            documents = await self._sorted_out([each async for each in self._with_headers(documents)], found)
        async for document in self._with_contents(documents):
            if self._judge(document):
                found.append(document.index)
            document.forget()
            await self._session.pause()
        found.sort()
        return found

    async def _from_index(self, indices: Sequence[int], found: list[int]) -> list[Document]:
        """What the index keeps of each decides: the documents that are still in question, without those that are gone.

        Those that match go into `found`. Most are decided here, wherefore all are judged in the shape of the same document.
        """
        judge, probe, open_ones = self._judge, Document(0, 0, NO_FACTS), []
        saved: dict[int, int] = {}
        if self._asks_saved:
            saved = await self._selected.folder.saved_dates([self._selected.uids[index] for index in indices])
        for count, (index, (uid, *facts)) in enumerate(zip(*await self._facts(indices), strict=True)):
            if not count % JUDGED_AT_ONCE:
                await self._session.pause()
            probe.index, probe.uid, probe.saved = index, uid, saved.get(uid, 0)
            probe.digest, probe.head = facts
            verdict = judge(probe)
            if verdict is None:
                open_ones.append(Document(index, uid, facts, probe.saved))
            elif verdict:
                found.append(index)
        return open_ones

    async def _facts(self, indices: Sequence[int]) -> tuple[Sequence[int], Sequence[tuple[Any, ...]]]:
        """Of the messages that are there: their indices, and UID and `FACTS`, if the index is asked at all."""
        uids = [self._selected.uids[index] for index in indices]
        if not self._asks_index:
            return indices, [(uid, *NO_FACTS) for uid in uids]
        rows = await self._selected.folder.cached_columns(uids, FACTS)
        if len(rows) < len(uids):
            where = dict(zip(uids, indices, strict=True))
            indices = [where[row[0]] for row in rows]
        return indices, rows

    async def _sorted_out(self, documents: Sequence[Document], found: list[int]) -> list[Document]:
        """The documents that are still in question; those that match go into `found`."""
        judge, open_ones = self._judge, []
        for document in documents:
            await self._session.pause()
            verdict = judge(document)
            if verdict is None:
                open_ones.append(document)
            elif verdict:
                found.append(document.index)
        return open_ones

    async def _with_headers(self, documents: Sequence[Document]) -> AsyncIterator[Document]:
        at = 0
        while at < len(documents):
            uids = [document.uid for document in documents[at : at + HEADERS_AT_ONCE]]
            headers = await self._selected.folder.read_headers(uids, READ_AT_ONCE)
            for document, header in zip(documents[at:], headers, strict=False):
                if header is not None:
                    document.header = header
                    yield document
            at += len(headers)
            await self._worked(sum(len(header) for header in headers if header), len(headers))

    async def _with_contents(self, documents: Sequence[Document]) -> AsyncIterator[Document]:
        """Small messages many at a time, large ones each by itself; without those that are gone."""
        sizes, at = self._selected.sizes, 0
        while at < len(documents):
            end, room = at, READ_AT_ONCE
            while end < len(documents) and (size := sizes[documents[end].index]) <= min(SMALL, room):
                end, room = end + 1, room - size
            contents: list[bytes | None] = []
            if end > at:
                uids = [document.uid for document in documents[at:end]]
                contents = await self._selected.folder.read_many(uids, READ_AT_ONCE)
            if not contents:
                if await self._large(documents[at]):
                    yield documents[at]
                await self._worked(sizes[documents[at].index], 1)
                at += 1
                continue
            octets = 0
            for document, content in zip(documents[at:], contents, strict=False):
                if content is not None:
                    octets += len(content)
                    document.read(content)
                    yield document
            at += len(contents)
            await self._worked(octets, len(contents))

    async def _large(self, document: Document) -> bool:
        """Read one message, and work out its text where it is read; False if it is gone."""
        try:
            reader = await MessageReader.open(self._selected, document.uid)
        except MessageGone:
            return False
        try:
            await reader.examine(document.study)
        finally:
            reader.close()
        return True

    async def _worked(self, octets: int, messages: int) -> None:
        """Others have their turn after so much reading, or so much time."""
        self._left -= octets + messages * MESSAGE_COST
        if self._left < 0 or self._session.clock.seconds() > self._session.turn_ends:
            self._left = TURN_OCTETS
            await self._session.breathe()
