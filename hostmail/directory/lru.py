"""A small bounded memory of answers, "there is none" among them."""

from __future__ import annotations

from collections import OrderedDict
from typing import Generic, TypeVar

T = TypeVar("T")
MISSING: object = object()


class Answers(Generic[T]):
    """Answers by key, the least recently used forgotten first.

    An answer read before a change must not be kept after it: `generation` grows with every forgetting, and `keep` ignores
    what was read under an older one. Forgetting costs what is forgotten: suspending a domain announces each of its accounts.
    """

    def __init__(self, size: int) -> None:
        self._size = size
        self._answers: OrderedDict[object, tuple[str, T]] = OrderedDict()
        self._keys: dict[str, set[object]] = {}
        self.generation = 0

    def __len__(self) -> int:
        return len(self._answers)

    def get(self, key: object) -> T | object:
        """The answer, or MISSING."""
        found = self._answers.get(key)
        if found is None:
            return MISSING
        self._answers.move_to_end(key)
        return found[1]

    def keep(self, key: object, domain: str, answer: T, generation: int) -> None:
        """Remember; `domain` is whose changes make it doubtful, "" everybody's."""
        if generation != self.generation:
            return
        self._drop(key)
        self._answers[key] = (domain, answer)
        self._keys.setdefault(domain, set()).add(key)
        if len(self._answers) > self._size:
            self._drop(next(iter(self._answers)))

    def forget(self, domain: str) -> None:
        """Drop what a change in `domain` makes doubtful."""
        self.generation += 1
        for owner in {"", domain}:
            for key in self._keys.pop(owner, ()):
                del self._answers[key]

    def _drop(self, key: object) -> None:
        found = self._answers.pop(key, None)
        if found is not None:
            keys = self._keys[found[0]]
            keys.discard(key)
            if not keys:
                del self._keys[found[0]]
