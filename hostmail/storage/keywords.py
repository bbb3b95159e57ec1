"""Keywords: bits in the index, letters in file names, and the `dovecot-keywords` file that says what the letters mean."""

from __future__ import annotations

import os
from collections.abc import Iterable

from hostmail.errors import TooMany
from hostmail.interfaces.mailstore import FIRST_KEYWORD_BIT
from hostmail.storage.adoption_formats import format_keywords, parse_keywords
from hostmail.storage.boxes import Box
from hostmail.storage.names import MAX_LETTERS
from hostmail.storage.transaction import Transaction

FILE = "dovecot-keywords"
MAX_KEYWORDS, MAX_OCTETS = 1_000, 100


def check(box: Box, keywords: Iterable[str]) -> list[str]:
    """The new ones among `keywords`, compared without case; raises TooMany beyond the limits (LIMITS.md)."""
    known = {keyword.lower() for keyword in box.keywords}
    new: dict[str, str] = {}
    for keyword in keywords:
        if keyword.lower() not in known:
            new.setdefault(keyword.lower(), keyword)
    if any(len(keyword.encode("utf-8", "replace")) > MAX_OCTETS for keyword in new):
        raise TooMany(f"keywords can have {MAX_OCTETS} octets")
    if len(box.keywords) + len(new) > MAX_KEYWORDS:
        raise TooMany(f"a folder can have {MAX_KEYWORDS} keywords")
    return list(new.values())


def mask(transaction: Transaction, box: Box, keywords: Iterable[str], make: bool = True) -> int:
    """The flag bits of keywords; unknown ones are made, or passed over. Raises TooMany before anything is made."""
    keywords = list(keywords)
    if not keywords:
        return 0
    if make:
        new = check(box, keywords)
        for keyword in new:
            transaction.index.add_keyword(box, keyword)
        if new and len(box.keywords) - len(new) < MAX_LETTERS:
            save_keywords(transaction, box)
    bits = {keyword.lower(): 1 << bit for bit, keyword in enumerate(box.keywords, FIRST_KEYWORD_BIT)}
    found = 0
    for keyword in keywords:
        found |= bits.get(keyword.lower(), 0)
    return found


def names_of(box: Box, flags: int) -> list[str]:
    """The keywords of a message."""
    return [keyword for bit, keyword in enumerate(box.keywords, FIRST_KEYWORD_BIT) if flags >> bit & 1]


def save_keywords(transaction: Transaction, box: Box) -> None:
    """Write the letters' meaning down, before any file name uses them."""
    path = transaction.mailbox.path_of(box.directory)
    transaction.disk.replace_file(path, FILE, format_keywords(box.keywords))


def load_keywords(transaction: Transaction, box: Box) -> None:
    """Letters that the index does not know (it is new, or another program made them) get their names."""
    content = transaction.disk.read_small(os.path.join(transaction.mailbox.path_of(box.directory), FILE))
    known = parse_keywords(content) if content else {}
    taken = {keyword.lower() for keyword in box.keywords}
    for number in range(len(box.keywords), min(MAX_LETTERS, max(known, default=-1) + 1)):
        name = known.get(number, f"unknown-{number}")
        if name.lower() in taken:
            name = f"unknown-{number}"
        taken.add(name.lower())
        transaction.index.add_keyword(box, name)
