r"""Flags between the wire (\Seen, $Junk) and the storage contract (bits)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache

from hostmail.errors import TooMany
from hostmail.interfaces.mailstore import FIRST_KEYWORD_BIT, Flag
from hostmail.protocols.imap.tokens import BadSyntax

# Plain numbers: an IntFlag makes an object for every single test, and columns are long.
SEEN, DELETED = int(Flag.SEEN), int(Flag.DELETED)
SYSTEM: dict[bytes, int] = {
    b"\\Answered": int(Flag.ANSWERED),
    b"\\Flagged": int(Flag.FLAGGED),
    b"\\Deleted": DELETED,
    b"\\Seen": SEEN,
    b"\\Draft": int(Flag.DRAFT),
}
_BY_NAME = {name.upper(): flag for name, flag in SYSTEM.items()}
_SYSTEM_TEXT = b" ".join(SYSTEM)
KEYWORD_OCTETS = 100
MOST_TEXTS = 10_000


def split_flags(words: Iterable[bytes], lenient: bool = False) -> tuple[int, list[str]]:
    r"""The system bits and the keywords; \Recent is nobody's to set and is passed over.

    An unknown system flag is the client's error, except where old mail is copied in (`lenient`).
    """
    mask = 0
    keywords: dict[str, None] = {}
    for word in words:
        flag = _BY_NAME.get(word.upper())
        if flag is not None:
            mask |= flag
        elif not word.startswith(b"\\"):
            if len(word) > KEYWORD_OCTETS:
                raise TooMany("that keyword is too long")
            keywords[word.decode("ascii")] = None
        elif not lenient and word.upper() != b"\\RECENT":
            raise BadSyntax("unknown system flag")
    return mask, list(keywords)


class FlagTexts(dict[int, bytes]):
    """The words for each combination of bits, joined once and then only looked up; of very many, some are made again."""

    __slots__ = ("_keywords", "_recent")

    def __init__(self, keywords: Sequence[str], recent: bool = False) -> None:
        super().__init__()
        self._keywords = keywords
        self._recent = recent

    def __missing__(self, mask: int) -> bytes:
        words = [name for name, flag in SYSTEM.items() if mask & flag]
        words += [word.encode("ascii") for at, word in enumerate(self._keywords, FIRST_KEYWORD_BIT) if mask >> at & 1]
        if self._recent:
            words.append(b"\\Recent")
        if len(self) >= MOST_TEXTS:
            self.clear()
        text = self[mask] = b" ".join(words)
        return text


@lru_cache(256)
def flag_texts(keywords: tuple[str, ...], recent: bool = False) -> FlagTexts:
    """One for all sessions that have the same keywords before them."""
    return FlagTexts(keywords, recent)


def keyword_bit(keywords: Sequence[str], wanted: str) -> int:
    """The bit of a keyword, any case; nought when the folder does not have it."""
    folded = wanted.lower()
    for at, keyword in enumerate(keywords):
        if keyword.lower() == folded:
            return 1 << FIRST_KEYWORD_BIT + at
    return 0


def announcement(keywords: Sequence[str], read_only: bool) -> bytes:
    r"""FLAGS and PERMANENTFLAGS: what there is, and what may be changed for good; \* invites new keywords (H9)."""
    known = b" ".join([_SYSTEM_TEXT, *(word.encode("ascii") for word in keywords)])
    permanent = b"" if read_only else known + b" \\*"
    return b"* FLAGS (%b)\r\n* OK [PERMANENTFLAGS (%b)] flags that are kept\r\n" % (known, permanent)
