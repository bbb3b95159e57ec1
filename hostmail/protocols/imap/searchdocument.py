"""One message as a SEARCH comes to know it, and what each key says of it by then: yes, no, or that more has to be read.

The same judgement is asked again after each reading: of what the index keeps, of the header, of the whole message.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from hostmail.message.charsets import folded
from hostmail.message.scan import Part
from hostmail.message.searchable import KEPT_FIELDS, field_texts, head_has, header_part, header_text, whole_body_text
from hostmail.protocols.imap import searchkeys as keys
from hostmail.protocols.imap.searchcolumns import Columns, seconds, sieve
from hostmail.protocols.imap.searchkeys import Cost, Key

FACTS = ("digest", "head")
NO_FACTS: tuple[bytes, str | None] = (b"", None)

Judge = Callable[["Document"], bool | None]
Wanted = tuple[str, bool]


class Document:
    """A message in question.

    `saved` is when it was put into the folder, if that is asked for; `header` and `content` are octets once they have been read.
    """

    __slots__ = (
        "_body",
        "_header_text",
        "_part",
        "content",
        "digest",
        "head",
        "header",
        "index",
        "saved",
        "uid",
    )

    def __init__(self, index: int, uid: int, facts: Sequence[Any], saved: int = 0) -> None:
        self.index = index
        self.uid = uid
        self.digest: bytes
        self.head: str | None
        self.digest, self.head = facts
        self.saved = saved
        self.header: bytes | None = None
        self.content: bytes | None = None
        self._part: Part | None = None
        self._body: str | None = None
        self._header_text: str | None = None

    def read(self, content: bytes) -> None:
        """All of it is known now."""
        self.header = self.content = content

    def study(self, content: bytes) -> None:
        """The same, with what takes long done beforehand: this may run in a thread."""
        self.read(content)
        self._body = whole_body_text(content)

    def forget(self) -> None:
        """It is decided: its octets are not needed any more."""
        self.header = self.content = self._part = self._body = self._header_text = None

    def _header_part(self, data: bytes) -> Part:
        if self._part is None:
            self._part = header_part(data)
        return self._part

    def field_has(self, name: bytes, needle: str) -> bool:
        """Whether a field of that name contains the text."""
        data = self.header
        assert data is not None
        return any(needle in text for text in field_texts(data, self._header_part(data), name))

    def header_has(self, needle: str) -> bool:
        """Whether the text occurs anywhere in the header."""
        if self._header_text is None:
            assert self.header is not None
            self._header_text = header_text(self.header, self._header_part(self.header))
        return needle in self._header_text

    def body_has(self, needle: str) -> bool:
        """Whether the text occurs in the text parts."""
        if self._body is None:
            assert self.content is not None
            self._body = whole_body_text(self.content)
        return needle in self._body


class Candidates:
    """For each text that is looked for in bodies (or, True, anywhere): the UIDs where it may be, if that is known.

    Four octets for each, since many may look for common words in large folders at the same time.
    """

    def __init__(self) -> None:
        self._found: dict[Wanted, array[int]] = {}

    def learn(self, wanted: Wanted, uids: Iterable[int]) -> None:
        """It is in none but these, which ascend."""
        self._found[wanted] = array("I", uids)

    def exclude(self, wanted: Wanted, uid: int) -> bool:
        """True if it is certainly not there."""
        found = self._found.get(wanted)
        if found is None:
            return False
        at = bisect_left(found, uid)
        return at == len(found) or found[at] != uid


def texts_of(key: Key) -> list[Wanted]:
    """The texts for which messages have to be read, each once."""
    found = [
        wanted_of(leaf)
        for leaf in keys.leaves(key)
        if isinstance(leaf, keys.Header | keys.Body | keys.Text) and leaf.cost > Cost.FACTS
    ]
    return list(dict.fromkeys(found))


def wanted_of(key: keys.Header | keys.Body | keys.Text) -> Wanted:
    """The text in the form in which texts are compared, and whether the header counts."""
    return folded(key.text), not isinstance(key, keys.Body)


def judge_of(columns: Columns, key: Key, candidates: Candidates) -> Judge:
    """What the key says of a message: None if it cannot tell before more is read."""
    if key.cost is Cost.INDEX:
        passes = sieve(columns, key)
        return lambda document: bool(passes((document.index,)))
    if isinstance(key, keys.And):
        return _all([judge_of(columns, part, candidates) for part in key.keys])
    if isinstance(key, keys.Or):
        parts = [judge_of(columns, part, candidates) for part in (key.one, key.other)]
        return _negated(_all([_negated(part) for part in parts]))
    if isinstance(key, keys.Not):
        return _negated(judge_of(columns, key.key, candidates))
    return _leaf(key, candidates)


def _all(parts: list[Judge]) -> Judge:
    def judge(document: Document) -> bool | None:
        verdict: bool | None = True
        for part in parts:
            found = part(document)
            if found is False:
                return False
            if found is None:
                verdict = None
        return verdict

    return judge


def _negated(inner: Judge) -> Judge:
    def judge(document: Document) -> bool | None:
        found = inner(document)
        return None if found is None else not found

    return judge


def _leaf(key: Key, candidates: Candidates) -> Judge:
    if isinstance(key, keys.Saved):
        first, end = seconds(key.since, 0), seconds(key.before, 2**63)
        return lambda document: first <= document.saved < end
    if isinstance(key, keys.EmailId):
        digest = key.digest
        return lambda document: document.digest == digest
    if isinstance(key, keys.Header):
        return _header(key.field, wanted_of(key), candidates)
    assert isinstance(key, keys.Body | keys.Text)
    return _text(wanted_of(key), candidates)


def _header(field: bytes, wanted: Wanted, candidates: Candidates) -> Judge:
    """What is in a field is in the header: no character of the one is another one in the other, for blanks stand around it."""
    needle, is_kept = wanted[0], field in KEPT_FIELDS

    def judge(document: Document) -> bool | None:
        if is_kept and document.head is not None:
            return head_has(document.head, field, needle)
        if document.header is None:
            return False if candidates.exclude(wanted, document.uid) else None
        return document.field_has(field, needle)

    return judge


def _text(wanted: Wanted, candidates: Candidates) -> Judge:
    needle, with_header = wanted

    def judge(document: Document) -> bool | None:
        if not needle:
            return True
        if document.content is None:
            return False if candidates.exclude(wanted, document.uid) else None
        return (with_header and document.header_has(needle)) or document.body_has(needle)

    return judge
