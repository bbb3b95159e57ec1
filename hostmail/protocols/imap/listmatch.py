"""Matches mailbox names against LIST patterns (RFC 3501 section 6.3.8).

`*` stands for anything, `%` for anything without the delimiter. The pattern becomes one machine whose states are the
bits of a number, so that a name of n characters costs n steps whatever the pattern: `*a*a*a*a*b` is as cheap as `*`.
"""

from __future__ import annotations

import re

WILDCARDS = re.compile(r"[*%]{2,}")


def canonical_inbox(name: str, delimiter: str) -> str:
    """The name with its first level spelled INBOX if it is INBOX in any case (RFC 3501 section 5.1)."""
    head, found, tail = name.partition(delimiter)
    return "INBOX" + found + tail if head.upper() == "INBOX" else name


class ListPattern:
    """One pattern, ready to be asked about many names."""

    def __init__(self, pattern: str, delimiter: str) -> None:
        self._delimiter = delimiter
        self._plain = _Machine(pattern, delimiter)
        self._any_case = _Machine(pattern.upper(), delimiter)

    def matches(self, name: str) -> bool:
        """Whether the pattern stands for this name; INBOX matches in any case."""
        if self._plain.accepts(name):
            return True
        return name.upper() == "INBOX" and self._any_case.accepts("INBOX")


class _Machine:
    """Bit i is set when the first i elements of the pattern have been matched."""

    def __init__(self, pattern: str, delimiter: str) -> None:
        pattern = WILDCARDS.sub(lambda run: "*" if "*" in run.group() else "%", pattern)
        self._delimiter = delimiter
        self._any = self._level = 0
        self._takes: dict[str, int] = {}
        for at, element in enumerate(pattern):
            if element == "*":
                self._any |= 1 << at
            elif element == "%":
                self._level |= 1 << at
            else:
                self._takes[element] = self._takes.get(element, 0) | 1 << at
        self._accepting = 1 << len(pattern)

    def accepts(self, name: str) -> bool:
        wild = self._any | self._level
        states = 1
        states |= (states & wild) << 1
        for character in name:
            stay = self._any if character == self._delimiter else wild
            states = (states & stay) | (states & self._takes.get(character, 0)) << 1
            states |= (states & wild) << 1
            if not states:
                return False
        return bool(states & self._accepting)
