"""Threads of messages (RFC 5256 section 3): ORDEREDSUBJECT and REFERENCES, as pure functions over small facts.

Threads may be as deep as somebody writes References, so nothing here calls itself. A mailbox takes its time, so all of it goes in `steps`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain

from hostmail.protocols.imap.steps import EACH, Steps, collected, ordered

FEW = 128


@dataclass(frozen=True, slots=True)
class Facts:
    """What threading has to know of a message.

    `number` is what the answer calls it; `date` is its sent date (Unix time), or its internal date for want of that;
    `references` are the ids of References, or the one of In-Reply-To, from the oldest on.
    """

    number: int
    date: int
    subject: str
    is_reply: bool = False
    message_id: bytes = b""
    references: Sequence[bytes] = ()


@dataclass(eq=False, slots=True)
class Node:
    """A place in a tree: a message, or a dummy for one that is not here."""

    facts: Facts | None = None
    parent: Node | None = None
    children: list[Node] = field(default_factory=list)

    @property
    def first(self) -> Facts:
        """The message, or for a dummy that of its first child; dummies have children, and no dummies among them."""
        return self.facts or self.children[0].first

    def order(self) -> tuple[int, int]:
        """By date, then by number."""
        facts = self.first
        return facts.date, facts.number

    def adopt(self, child: Node) -> None:
        """Take a child, away from wherever it was."""
        if child.parent is self:
            return
        if child.parent is not None:
            child.parent.children.remove(child)
        child.parent = self
        self.children.append(child)

    def is_below(self, other: Node) -> bool:
        """Whether `other` is this node or above it."""
        if not other.children:
            return self is other
        node: Node | None = self
        while node is not None:
            if node is other:
                return True
            node = node.parent
        return False


def by_subject(messages: Sequence[Facts]) -> Steps[list[Node]]:
    """ORDEREDSUBJECT: a thread for each base subject, all messages below the earliest."""
    threads: dict[str, Node] = {}
    earliest_first = yield from ordered(messages, lambda each: (each.date, each.number))
    for count, facts in enumerate(earliest_first):
        if count % EACH == 0:
            yield
        node = Node(facts)
        root = threads.setdefault(facts.subject, node)
        if root is not node:
            root.adopt(node)
    return list(threads.values())


def by_references(messages: Sequence[Facts]) -> Steps[list[Node]]:
    """REFERENCES: who answered whom, then threads of one subject put together."""
    linked = yield from _linked(messages)
    roots = yield from _pruned(linked)
    for root in roots:
        if root.facts is None:
            root.children = yield from ordered(root.children, Node.order)
    roots = yield from ordered(roots, Node.order)
    roots = yield from _merged(roots)
    return (yield from _sort_all(roots))


def _linked(messages: Sequence[Facts]) -> Steps[list[Node]]:
    """Step 1 and 2: the trees that References tell; the roots."""
    named: dict[bytes, Node] = {}
    nodes: list[Node] = []
    for count, facts in enumerate(messages):
        if count % FEW == 0:
            yield
        node = _place(named, facts)
        nodes.append(node)
        parent: Node | None = None
        for name in facts.references:
            above, parent = parent, named.setdefault(name, Node())
            if above is not None and parent.parent is None and not above.is_below(parent):
                above.adopt(parent)
        if parent is not None and not parent.is_below(node):
            parent.adopt(node)
    seen: dict[int, Node] = {}
    for count, node in enumerate(chain(nodes, named.values())):
        if count % EACH == 0:
            yield
        if node.parent is None:
            seen.setdefault(id(node), node)
    return list(seen.values())


def _place(named: dict[bytes, Node], facts: Facts) -> Node:
    """A message's node; a second message of the same id is on its own."""
    if facts.message_id:
        node = named.setdefault(facts.message_id, Node())
        if node.facts is None:
            node.facts = facts
            return node
    return Node(facts)


def _pruned(roots: list[Node]) -> Steps[list[Node]]:
    """Step 3: no dummies but at the root, and those with at least two children."""
    nodes = yield from collected(_walk(roots))
    for count, node in enumerate(reversed(nodes)):
        if count % EACH == 0:
            yield
        kept: list[Node] = []
        for child in node.children:
            kept.extend([child] if child.facts is not None else child.children)
        for child in kept:
            child.parent = node
        node.children = kept
    found: list[Node] = []
    for root in roots:
        if root.facts is not None or len(root.children) > 1:
            found.append(root)
        elif root.children:
            root.children[0].parent = None
            found.append(root.children[0])
    return found


def _merged(roots: list[Node]) -> Steps[list[Node]]:
    """Step 5 and 6: threads of one subject become one."""
    table: dict[str, Node] = {}
    for count, root in enumerate(roots):
        if count % EACH == 0:
            yield
        facts = root.first
        known = table.get(facts.subject)
        if known is None or _is_better(root, known):
            table[facts.subject] = root
    merged: dict[int, Node] = {}
    for count, root in enumerate(roots):
        if count % EACH == 0:
            yield
        subject = root.first.subject
        known = table[subject]
        if root is not known and subject:
            joined = _joined(known, root)
            if joined is not known:
                merged[id(known)] = table[subject] = joined
        else:
            merged[id(root)] = root
    return list({id(node): node for node in merged.values()}.values())


def _is_better(root: Node, known: Node) -> bool:
    """As the one that others of the subject go under."""
    if known.facts is None:
        return False
    return root.facts is None or (known.first.is_reply and not root.first.is_reply)


def _joined(known: Node, root: Node) -> Node:
    if known.facts is None and root.facts is None:
        for child in tuple(root.children):
            known.adopt(child)
        return known
    if known.facts is None or (root.first.is_reply and not known.first.is_reply):
        known.adopt(root)
        return known
    dummy = Node()
    dummy.adopt(known)
    dummy.adopt(root)
    return dummy


def _sort_all(roots: list[Node]) -> Steps[list[Node]]:
    nodes = yield from collected(_walk(roots))
    for count, node in enumerate(reversed(nodes)):
        if count % EACH == 0:
            yield
        if len(node.children) > 1:
            node.children = yield from ordered(node.children, Node.order)
    return (yield from ordered(roots, Node.order))


def _walk(roots: Iterable[Node]) -> Iterator[Node]:
    """Every node, parents before their children."""
    waiting = list(roots)
    while waiting:
        node = waiting.pop()
        yield node
        waiting.extend(node.children)


def format_threads(roots: Iterable[Node]) -> Steps[bytes]:
    """As THREAD answers: `(2)(3 6 (4 23)(44 7 96))`."""
    out: list[bytes] = []
    waiting: list[Node | bytes] = []
    count = 0
    for root in roots:
        waiting = [b")", root, b"("]
        while waiting:
            item = waiting.pop()
            count += 1
            if count % EACH == 0:
                yield
            if isinstance(item, bytes):
                out.append(item)
                continue
            if item.facts is not None:
                out.append(b"%d" % item.facts.number)
                if item.children:
                    out.append(b" ")
            if len(item.children) == 1:
                waiting.append(item.children[0])
                continue
            for child in reversed(item.children):
                waiting += (b")", child, b"(")
    return b"".join(out)
