"""Finds the messages that a SEARCH means.

What the index can answer is answered for all messages first; only those still in question are opened, each once. Long
searches give the reactor a turn now and then.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import date
from typing import TYPE_CHECKING

from hostmail.errors import MessageGone
from hostmail.message.charsets import folded
from hostmail.message.decode import body_text, decode_header, header_block_text
from hostmail.protocols.imap import searchkeys as keys
from hostmail.protocols.imap.bodies import MessageReader
from hostmail.protocols.imap.flags import SYSTEM, keyword_bit
from hostmail.protocols.imap.searchkeys import Cost, Key
from hostmail.protocols.imap.selected import Selected
from hostmail.protocols.imap.sequence import contains

if TYPE_CHECKING:
    from hostmail.protocols.imap.server import HostmailIMAP4

TURN_OCTETS = 2 * 1024 * 1024
MESSAGE_COST = 8 * 1024
FACTS_AT_ONCE = 1000
DAY = 86_400
EPOCH = date(1970, 1, 1).toordinal()
TEXT_OCTETS = 16 * 1024 * 1024

Test = Callable[[int], bool]
DeepTest = Callable[[int, "Document"], Awaitable[bool]]


Facts = tuple[int | None, bytes, int]
NO_FACTS: Facts = (None, b"", 0)


class Document:
    """A message in question, opened and read only as far as the keys ask."""

    def __init__(self, selected: Selected, uid: int, facts: dict[int, Facts]) -> None:
        self._selected = selected
        self._uid = uid
        self._facts = facts
        self._opened: MessageReader | None = None
        self._body: str | None = None
        self._header: str | None = None

    @property
    def cost(self) -> int:
        """What it took, in octets."""
        return 0 if self._opened is None else MESSAGE_COST + self._opened.octets_read

    def close(self) -> None:
        """Let go of the file."""
        if self._opened is not None:
            self._opened.close()

    async def _reader(self) -> MessageReader:
        if self._opened is None:
            self._opened = await MessageReader.open(self._selected, self._uid)
        return self._opened

    def sent_day(self) -> int | None:
        """The day of the Date field as it is written there (RFC 3501 section 6.4.4)."""
        return self._facts.get(self._uid, NO_FACTS)[0]

    def digest(self) -> bytes:
        """What EMAILID is made of."""
        return self._facts.get(self._uid, NO_FACTS)[1]

    def saved(self) -> int:
        """When it was put into the folder."""
        return self._facts.get(self._uid, NO_FACTS)[2]

    async def field_texts(self, name: bytes) -> list[str]:
        """The decoded, folded values of a header field."""
        reader = await self._reader()
        part = await reader.header()
        data = await reader.header_octets()
        return [folded(decode_header(field.value(data))) for field in part.fields if field.name == name]

    async def body(self) -> str:
        """The text parts, folded."""
        if self._body is None:
            reader = await self._reader()
            data = await reader.whole()
            self._body = folded(body_text(data, await reader.structure(), TEXT_OCTETS))
        return self._body

    async def header(self) -> str:
        """All header fields, folded."""
        if self._header is None:
            reader = await self._reader()
            part = await reader.header()
            self._header = folded(header_block_text(await reader.header_octets(), part))
        return self._header


async def search(session: HostmailIMAP4, selected: Selected, key: Key) -> list[int]:
    """The indices of the messages that match, in order."""
    now = session.clock.seconds()
    cheap, dear = _split(key)
    test = index_test(selected, cheap, now)
    found = await session.sift(range(len(selected)), test)
    if dear is None:
        return found
    return await _open_each(session, selected, found, dear)


def _split(key: Key) -> tuple[Key, Key | None]:
    """What the index can decide beforehand, and what is left."""
    if key.cost is Cost.INDEX:
        return key, None
    if not isinstance(key, keys.And):
        return keys.All(), key
    cheap = [part for part in key.keys if part.cost is Cost.INDEX]
    dear = [part for part in key.keys if part.cost is not Cost.INDEX]
    return keys.And(tuple(cheap)), keys.conjunction(dear)


async def _open_each(session: HostmailIMAP4, selected: Selected, indices: list[int], key: Key) -> list[int]:
    test = deep_test(selected, key, session.clock.seconds())
    facts: dict[int, Facts] = {}
    if _asks_for_facts(key):
        facts = await _facts_of(session, selected, [selected.uids[index] for index in indices])
    found: list[int] = []
    left = TURN_OCTETS
    for index in indices:
        document = Document(selected, selected.uids[index], facts)
        try:
            if await test(index, document):
                found.append(index)
        except MessageGone:
            continue
        finally:
            document.close()
        left -= document.cost
        if left < 0:
            left = TURN_OCTETS
            await session.breathe()
    return found


def _asks_for_facts(key: Key) -> bool:
    if isinstance(key, keys.And):
        return any(_asks_for_facts(part) for part in key.keys)
    if isinstance(key, keys.Or):
        return _asks_for_facts(key.one) or _asks_for_facts(key.other)
    return (
        _asks_for_facts(key.key)
        if isinstance(key, keys.Not)
        else isinstance(key, keys.Sent | keys.Saved | keys.EmailId)
    )


async def _facts_of(session: HostmailIMAP4, selected: Selected, uids: list[int]) -> dict[int, Facts]:
    """From what the index has made ready, without opening a message."""
    facts: dict[int, Facts] = {}
    for first in range(0, len(uids), FACTS_AT_ONCE):
        rows = await selected.folder.cached_columns(uids[first : first + FACTS_AT_ONCE], ("sent_day", "digest"))
        saved = await selected.folder.saved_dates(uids[first : first + FACTS_AT_ONCE])
        facts.update((uid, (day, digest, saved.get(uid, 0))) for uid, day, digest in rows)
        if first:
            await session.breathe()
    return facts


def index_test(selected: Selected, key: Key, now: float) -> Test:
    """A test that looks at the columns only."""
    if isinstance(key, keys.And):
        tests = [index_test(selected, part, now) for part in key.keys]
        return lambda index: all(test(index) for test in tests)
    if isinstance(key, keys.Or):
        one, other = index_test(selected, key.one, now), index_test(selected, key.other, now)
        return lambda index: one(index) or other(index)
    if isinstance(key, keys.Not):
        inner = index_test(selected, key.key, now)
        return lambda index: not inner(index)
    return _column_test(selected, key, now)


def _column_test(selected: Selected, key: Key, now: float) -> Test:
    sizes, dates = selected.sizes, selected.dates
    if isinstance(key, keys.HasFlag):
        return _flag_test(selected, key)
    if isinstance(key, keys.Recent):
        first = selected.recent_from()
        return lambda index: (index >= first) == key.wanted
    if isinstance(key, keys.Numbers | keys.Uids) and key.numbers.is_saved:
        uids, saved = selected.uids, frozenset(selected.saved)
        return lambda index: uids[index] in saved
    if isinstance(key, keys.Numbers):
        numbers = key.numbers.resolve(len(selected) or 1)
        return lambda index: contains(numbers, index + 1)
    if isinstance(key, keys.Uids):
        uids, named = selected.uids, key.numbers.resolve(selected.uids[-1] if selected.uids else 1)
        return lambda index: contains(named, uids[index])
    if isinstance(key, keys.Size):
        return (lambda index: sizes[index] > key.octets) if key.larger else (lambda index: sizes[index] < key.octets)
    if isinstance(key, keys.Arrived):
        since, before = _seconds(key.since, 0), _seconds(key.before, 2**63)
        return lambda index: since <= dates[index] < before
    if isinstance(key, keys.ChangedSince):
        modseqs = selected.modseqs
        return lambda index: modseqs[index] >= key.modseq
    if isinstance(key, keys.Age):
        edge = now - key.seconds
        return (lambda index: dates[index] >= edge) if key.younger else (lambda index: dates[index] <= edge)
    return lambda index: True


def _flag_test(selected: Selected, key: keys.HasFlag) -> Test:
    flags = selected.flags
    bit = SYSTEM.get(key.flag) or keyword_bit(selected.keywords, key.flag.decode("ascii"))
    return (lambda index: bool(flags[index] & bit)) if key.wanted else (lambda index: not flags[index] & bit)


def _seconds(day: date | None, otherwise: int) -> int:
    return otherwise if day is None else (day.toordinal() - EPOCH) * DAY


def deep_test(selected: Selected, key: Key, now: float) -> DeepTest:
    """A test that reads messages where it must."""
    if key.cost is Cost.INDEX:
        shallow = index_test(selected, key, now)
        return lambda index, document: _known(shallow(index))
    if isinstance(key, keys.And):
        return _all_of([deep_test(selected, part, now) for part in key.keys])
    if isinstance(key, keys.Or):
        return _either(deep_test(selected, key.one, now), deep_test(selected, key.other, now))
    if isinstance(key, keys.Not):
        return _negated(deep_test(selected, key.key, now))
    return _document_test(key)


async def _known(answer: bool) -> bool:
    return answer


def _all_of(tests: list[DeepTest]) -> DeepTest:
    async def test(index: int, document: Document) -> bool:
        for part in tests:
            if not await part(index, document):
                return False
        return True

    return test


def _either(one: DeepTest, other: DeepTest) -> DeepTest:
    async def test(index: int, document: Document) -> bool:
        return await one(index, document) or await other(index, document)

    return test


def _negated(inner: DeepTest) -> DeepTest:
    async def test(index: int, document: Document) -> bool:
        return not await inner(index, document)

    return test


def _document_test(key: Key) -> DeepTest:
    if isinstance(key, keys.Sent):
        since = key.since.toordinal() if key.since else 0
        before = key.before.toordinal() if key.before else 2**31

        async def sent(index: int, document: Document) -> bool:
            day = document.sent_day()
            return day is not None and since <= day < before

        return sent
    if isinstance(key, keys.Saved):
        first, end = _seconds(key.since, 0), _seconds(key.before, 2**63)

        async def was_saved(index: int, document: Document) -> bool:
            return first <= document.saved() < end

        return was_saved
    if isinstance(key, keys.EmailId):
        wanted = key.digest

        async def is_it(index: int, document: Document) -> bool:
            return document.digest() == wanted

        return is_it
    assert isinstance(key, keys.Header | keys.Body | keys.Text)
    needle = folded(key.text)
    if isinstance(key, keys.Header):
        field = key.field

        async def header(index: int, document: Document) -> bool:
            return any(needle in text for text in await document.field_texts(field))

        return header
    with_header = isinstance(key, keys.Text)

    async def text(index: int, document: Document) -> bool:
        return (with_header and needle in await document.header()) or needle in await document.body()

    return text
