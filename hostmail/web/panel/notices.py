"""What a form has done, said on the page that follows. It may name secrets nowhere else to be seen, so it is never written to a file."""

from __future__ import annotations

from collections import OrderedDict

MOST = 1_000


class Notices:
    """One for each session, by its token, until it is shown; the oldest go first."""

    def __init__(self) -> None:
        self._words: OrderedDict[str, str] = OrderedDict()

    def leave(self, token: str, words: str) -> None:
        """For the next page of this session."""
        self._words[token] = words
        self._words.move_to_end(token)
        if len(self._words) > MOST:
            self._words.popitem(last=False)

    def take(self, token: str) -> str:
        """What was left, "" for nothing."""
        return self._words.pop(token, "")
