"""What NOTIFY asks for (RFC 5465 section 8)."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial

from hostmail.errors import Refusal
from hostmail.protocols.imap.fetchatts import FetchRequest, parse_fetch_request
from hostmail.protocols.imap.names import parents_of, read_folder
from hostmail.protocols.imap.tokens import BadSyntax, Cursor

NEW, EXPUNGED, FLAGS = b"MESSAGENEW", b"MESSAGEEXPUNGE", b"FLAGCHANGE"
NAME, SUBSCRIPTION = b"MAILBOXNAME", b"SUBSCRIPTIONCHANGE"
METADATA, SERVER_METADATA = b"MAILBOXMETADATACHANGE", b"SERVERMETADATACHANGE"
MESSAGES = frozenset({NEW, EXPUNGED, FLAGS})
EVENTS = MESSAGES | {NAME, SUBSCRIPTION, METADATA, SERVER_METADATA}
SPELLED = (
    "MessageNew MessageExpunge FlagChange MailboxName SubscriptionChange MailboxMetadataChange ServerMetadataChange"
)
SELECTED, DELAYED = b"SELECTED", b"SELECTED-DELAYED"
EVERYWHERE = frozenset({b"PERSONAL", b"INBOXES"})
NAMED = frozenset({b"SUBTREE", b"MAILBOXES"})
MOST_GROUPS, MOST_NAMES = 100, 1000


class BadEvent(Refusal):
    """An event that nobody here hears of; the answer names those that are heard."""

    imap, words = f"BADEVENT ({SPELLED})", "such events are not told here"


class TooMuch(Refusal):
    """More than one client is worth (section 3.1)."""

    imap, words = "NOTIFICATIONOVERFLOW", "that is too much to be told"


@dataclass(frozen=True, slots=True)
class Group:
    """Events of some folders. `kind` is the filter's word; `names` are those of SUBTREE and MAILBOXES."""

    kind: bytes
    names: frozenset[str]
    events: frozenset[bytes]

    def covers(self, name: str, subscribed: bool) -> bool:
        """Whether a folder is one of them. Mail may be delivered anywhere, so INBOXES are all (section 6.3)."""
        if self.kind == b"SUBSCRIBED":
            return subscribed
        if self.kind == b"SUBTREE":
            return name in self.names or any(parent in self.names for parent in parents_of(name))
        return self.kind in EVERYWHERE or name in self.names


@dataclass(slots=True)
class NotifyRequest:
    """One NOTIFY SET; without groups, NOTIFY NONE.

    `selected` are the events of the selected folder, `fetch` what is to be told of new messages there: nobody has read what is only
    announced, so it never marks as seen. `delayed`: EXPUNGE waits for a command that allows it. `status`: tell how all other folders
    stand.
    """

    groups: list[Group] = field(default_factory=list)
    selected: frozenset[bytes] = frozenset()
    fetch: FetchRequest | None = None
    delayed: bool = False
    status: bool = False

    def events_of(self, name: str, subscribed: bool) -> frozenset[bytes]:
        """What is to be told of a folder while it is not the selected one."""
        found: frozenset[bytes] = frozenset()
        for group in self.groups:
            if group.covers(name, subscribed):
                found |= group.events
        return found

    def wants(self, event: bytes) -> bool:
        """Whether any folder's, or the server's, is wanted."""
        return any(event in group.events for group in self.groups)


def read_notify(cursor: Cursor) -> NotifyRequest:
    """`NONE`, or `SET [STATUS] (filter events) ...`."""
    request = NotifyRequest()
    word = cursor.keyword()
    if word == b"NONE":
        cursor.end()
        return request
    if word != b"SET":
        raise BadSyntax("SET or NONE is expected")
    cursor.space()
    if cursor.looking_at(b"STATUS "):
        cursor.keyword()
        cursor.space()
        request.status = True
    kinds = cursor.one_or_more(lambda: _read_group(cursor, request))
    cursor.end()
    if kinds.count(SELECTED) + kinds.count(DELAYED) > 1:
        raise BadSyntax("the selected folder can be named once")
    if len(request.groups) > MOST_GROUPS or sum(len(group.names) for group in request.groups) > MOST_NAMES:
        raise TooMuch
    return request


def _read_group(cursor: Cursor, request: NotifyRequest) -> bytes:
    cursor.open()
    kind = cursor.keyword()
    cursor.space()
    if kind in (SELECTED, DELAYED):
        request.selected, request.fetch = _read_events(cursor)
        request.delayed = kind == DELAYED
        if not request.selected <= MESSAGES:
            raise BadSyntax("the selected folder has events of messages only")
    elif kind in EVERYWHERE | NAMED | {b"SUBSCRIBED"}:
        names: frozenset[str] = frozenset()
        if kind in NAMED:
            names = frozenset(_read_names(cursor))
            cursor.space()
        events, fetch = _read_events(cursor)
        if fetch is not None:
            raise BadSyntax("only of the selected folder's messages more can be told")
        request.groups.append(Group(kind, names, events))
    else:
        raise BadSyntax("unknown way to name folders")
    cursor.close()
    return kind


def _read_names(cursor: Cursor) -> list[str]:
    return cursor.parenthesised(partial(read_folder, cursor)) if cursor.peek() == b"(" else [read_folder(cursor)]


def _read_events(cursor: Cursor) -> tuple[frozenset[bytes], FetchRequest | None]:
    """NONE, or events in parentheses; MessageNew may have FETCH items behind it."""
    if cursor.peek() != b"(":
        if cursor.keyword() != b"NONE":
            raise BadSyntax("events in parentheses, or NONE, are expected")
        return frozenset(), None
    found: set[bytes] = set()
    fetch = None
    cursor.open()
    more = True
    while more:
        word = cursor.keyword()
        if word not in EVENTS:
            raise BadEvent
        found.add(word)
        more = cursor.take(b" ")
        if word == NEW and more and cursor.peek() == b"(":
            fetch = parse_fetch_request(cursor).peeking()
            more = cursor.take(b" ")
    cursor.close()
    if found & MESSAGES and not {NEW, EXPUNGED} <= found:
        raise BadSyntax("MessageNew and MessageExpunge belong together, and FlagChange to them")
    return frozenset(found), fetch
