"""Threads of messages (RFC 5256 section 3): ORDEREDSUBJECT and REFERENCES, as pure functions over small facts.

Threads may be as deep as somebody writes References, so nothing here calls itself. A mailbox takes its time, so all of it goes in `steps`;
and it may be large, so that trees are columns of numbers: a hundred thousand objects that know each other would keep Python's collector
of cycles busy, during which nobody has a turn.
"""

from __future__ import annotations

from array import array
from collections.abc import Sequence

from msgspec import Struct

from hostmail.protocols.imap.steps import EACH, Steps, ordered

FEW = 16
NONE = -1
_OPEN, _CLOSE = -2, -3


class Facts(Struct, frozen=True, gc=False):
    """What threading has to know of a message.

    `number` is what the answer calls it; `date` is its sent date (Unix time), or its internal date for want of that;
    `references` are the ids of References, or the one of In-Reply-To, from the oldest on, with blanks between them.
    """

    number: int
    date: int
    subject: str
    is_reply: bool = False
    message_id: bytes = b""
    references: bytes = b""


class Forest:
    """Nodes and their parents. The first nodes are the messages; what comes after them are dummies, for messages that are not here."""

    def __init__(self, messages: Sequence[Facts]) -> None:
        self.messages = messages
        self.parents = array("i", [NONE]) * len(messages)
        self.roots: list[int] = []
        self._next: array[int] = array("i")
        self._first: array[int] = array("i")

    def is_dummy(self, node: int) -> bool:
        """Whether there is no message in its place."""
        return node >= len(self.messages)

    def add_dummy(self) -> int:
        """A new node, which is nobody's child."""
        self.parents.append(NONE)
        return len(self.parents) - 1

    def in_order(self) -> Steps[list[int]]:
        """All messages by date, then by number."""
        messages = self.messages
        return (yield from ordered(range(len(messages)), lambda node: (messages[node].date, messages[node].number)))

    def grow(self, order: Sequence[int]) -> Steps[None]:
        """Roots and children, each in that order of messages: a dummy, which has no parent, comes where its first child does."""
        parents = self.parents
        self._first = array("i", [NONE]) * len(parents)
        self._next, last = self._first[:], self._first[:]
        for count, node in enumerate(order):
            if count % EACH == 0:
                yield
            parent = parents[node]
            if parent == NONE:
                self.roots.append(node)
                continue
            if last[parent] != NONE:
                self._next[last[parent]] = node
            else:
                self._first[parent] = node
                if self.is_dummy(parent):
                    self.roots.append(parent)
            last[parent] = node

    def children(self, node: int) -> list[int]:
        """In their order."""
        found: list[int] = []
        child = self._first[node]
        while child != NONE:
            found.append(child)
            child = self._next[child]
        return found


def by_subject(messages: Sequence[Facts]) -> Steps[Forest]:
    """ORDEREDSUBJECT: a thread for each base subject, all messages below the earliest."""
    forest = Forest(messages)
    order = yield from forest.in_order()
    threads: dict[str, int] = {}
    for count, node in enumerate(order):
        if count % EACH == 0:
            yield
        root = threads.setdefault(messages[node].subject, node)
        if root != node:
            forest.parents[node] = root
    yield from forest.grow(order)
    return forest


def by_references(messages: Sequence[Facts]) -> Steps[Forest]:
    """REFERENCES: who answered whom, then threads of one subject put together."""
    forest = Forest(messages)
    order = yield from forest.in_order()
    yield from _link(forest)
    yield from _prune(forest)
    yield from _merge(forest, order)
    yield from forest.grow(order)
    return forest


class _Links:
    """Parents while they are found out, and how many children each node has by then."""

    def __init__(self, forest: Forest) -> None:
        self._forest = forest
        self._parents = forest.parents
        self._children = array("i", [0]) * len(forest.messages)
        self._named: dict[bytes, int] = {}

    def name(self, node: int, message_id: bytes) -> None:
        """A message's own id; a second message of the same id is on its own."""
        if message_id:
            self._named.setdefault(message_id, node)

    def named(self, message_id: bytes) -> int:
        """The node of that id."""
        node = self._named.get(message_id)
        if node is None:
            node = self._named[message_id] = self._forest.add_dummy()
            self._children.append(0)
        return node

    def adopt(self, parent: int, child: int) -> None:
        """Take a child, away from wherever it was; not if it is above the parent, or the parent itself."""
        if self._is_below(parent, child):
            return
        former = self._parents[child]
        if former != NONE:
            self._children[former] -= 1
        self._parents[child] = parent
        self._children[parent] += 1

    def _is_below(self, node: int, other: int) -> bool:
        if not self._children[other]:
            return node == other
        while node != NONE:
            if node == other:
                return True
            node = self._parents[node]
        return False


def _link(forest: Forest) -> Steps[None]:
    """Step 1: the trees that References tell."""
    links = _Links(forest)
    for count, facts in enumerate(forest.messages):
        if count % EACH == 0:
            yield
        links.name(count, facts.message_id)
    for node, facts in enumerate(forest.messages):
        references = facts.references.split()
        if node % FEW == 0 or len(references) > FEW:
            yield  # for each reference may be looked for all the way up a thread
        parent = NONE
        for name in references:
            above, parent = parent, links.named(name)
            if above != NONE and forest.parents[parent] == NONE:
                links.adopt(above, parent)
        if parent != NONE:
            links.adopt(parent, node)


def _prune(forest: Forest) -> Steps[None]:
    """Steps 2 and 3: no dummies but at the root, and those with at least two children. Each message gets its parent for good."""
    parents, many = forest.parents, len(forest.messages)
    children: dict[int, int] = {}
    for node in range(many):
        if node % FEW == 0:
            yield
        above, passed = parents[node], []
        while above >= many and parents[above] != NONE:
            passed.append(above)
            above = parents[above]
        for dummy in passed:
            parents[dummy] = above
        parents[node] = above
        if above >= many:
            children[above] = children.get(above, 0) + 1
    for node in range(many):
        if node % EACH == 0:
            yield
        if children.get(parents[node]) == 1:
            parents[node] = NONE


def _merge(forest: Forest, order: Sequence[int]) -> Steps[None]:
    """Steps 4 and 5: threads of one subject become one."""
    parents, messages = forest.parents, forest.messages
    first: dict[int, int] = {}
    for count, node in enumerate(order):
        if count % EACH == 0:
            yield
        parent = parents[node]
        if parent == NONE:
            first[node] = node
        elif forest.is_dummy(parent):
            first.setdefault(parent, node)
    table: dict[str, int] = {}
    for count, (root, node) in enumerate(first.items()):
        if count % EACH == 0:
            yield
        known = table.get(messages[node].subject)
        if known is None or _is_better(forest, root, node, known):
            table[messages[node].subject] = root
    joined: dict[int, int] = {}
    for count, (root, node) in enumerate(first.items()):
        if count % EACH == 0:
            yield
        known = table[messages[node].subject]
        if root != known and messages[node].subject and parents[root] == NONE:
            if forest.is_dummy(root):
                joined[root] = known
                continue
            if not forest.is_dummy(known) and messages[known].is_reply >= messages[root].is_reply:
                dummy = forest.add_dummy()
                parents[known] = table[messages[node].subject] = dummy
                known = dummy
            parents[root] = known
    for count, node in enumerate(order if joined else ()):
        if count % EACH == 0:
            yield
        parents[node] = joined.get(parents[node], parents[node])


def _is_better(forest: Forest, root: int, node: int, known: int) -> bool:
    """As the one that others of the subject go under; `node` is the root's message, or for a dummy that of its first child."""
    if forest.is_dummy(known):
        return False
    return forest.is_dummy(root) or (forest.messages[known].is_reply and not forest.messages[node].is_reply)


def format_threads(forest: Forest) -> Steps[bytes]:
    """As THREAD answers: `(2)(3 6 (4 23)(44 7 96))`."""
    out: list[bytes] = []
    count = 0
    for root in forest.roots:
        waiting = [_CLOSE, root, _OPEN]
        while waiting:
            node = waiting.pop()
            count += 1
            if count % EACH == 0:
                yield
            if node < 0:
                out.append(b"(" if node == _OPEN else b")")
                continue
            children = forest.children(node)
            if not forest.is_dummy(node):
                out.append(b"%d" % forest.messages[node].number)
                if children:
                    out.append(b" ")
            if len(children) == 1:
                waiting += children
                continue
            for child in reversed(children):
                waiting += (_CLOSE, child, _OPEN)
    return b"".join(out)
