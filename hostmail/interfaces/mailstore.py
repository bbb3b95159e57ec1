"""Mailboxes: accounts, folders, messages, and files on their way in."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import IntFlag
from typing import Any

from zope.interface import Attribute, Interface

from hostmail.envelope import Peer
from hostmail.errors import Refusal
from hostmail.interfaces.directory import Account, Usage
from hostmail.interfaces.threads import T


class Flag(IntFlag):
    """The system flags; bits from 1 << 5 up are the folder's keywords, in the order of `Snapshot.keywords`."""

    SEEN = 1
    ANSWERED = 2
    FLAGGED = 4
    DELETED = 8
    DRAFT = 16


FIRST_KEYWORD_BIT = 5


MAX_ANNOTATION_OCTETS = 32 * 1024


@dataclass(slots=True)
class Snapshot:
    """One folder's messages as flat columns, ascending by UID. Others have the same columns: whoever changes them copies them first.

    `sizes` are octets on the wire (CRLF), `dates` internal dates (Unix time), `flags` bit masks as in `Flag`.
    `first_recent` is the lowest UID that this opening may call \\Recent (0: none). `first_unseen` is the number of the first that is
    not \\Seen (0: none), None if nobody has looked.
    """

    uidvalidity: int
    uidnext: int
    highestmodseq: int
    keywords: list[str]
    uids: array[int]
    flags: list[int]
    sizes: array[int]
    dates: array[int]
    modseqs: array[int]
    first_recent: int = 0
    read_only: bool = False
    first_unseen: int | None = None


@dataclass(slots=True)
class Changes:
    """What happened in a folder since a modseq. `changed` rows are (uid, flags, size, date, modseq), new messages among them.

    `modified` are UIDs that a conditional change has left alone, since somebody else had changed them. Where removals since then are no
    longer remembered, `remaining` are the UIDs that are there: all others are gone, and `expunged` says nothing. What the caller itself has
    changed may come with `since`: the modseq before, if nothing else has happened from there to `highestmodseq`.
    """

    uidnext: int
    highestmodseq: int
    keywords: list[str]
    changed: list[tuple[int, int, int, int, int]]
    expunged: list[int]
    modified: list[int] = field(default_factory=list)
    remaining: Sequence[int] | None = None
    since: int | None = None


@dataclass(frozen=True, slots=True)
class FolderInfo:
    """One folder. `name` uses "/" between levels, Unicode, INBOX in capitals. `special_use` is e.g. "\\\\Sent" (RFC 6154) or "".

    `uidvalidity` stays with a folder through renaming, and no two of an account share one; 0 if it is no folder, or not known.
    """

    name: str
    subscribed: bool
    special_use: str = ""
    selectable: bool = True
    has_children: bool = False
    uidvalidity: int = 0


@dataclass(frozen=True, slots=True)
class FolderStatus:
    """STATUS without opening (RFC 3501 6.3.10)."""

    messages: int
    unseen: int
    recent: int
    uidnext: int
    uidvalidity: int
    highestmodseq: int
    size: int
    deleted: int = 0


@dataclass(frozen=True, slots=True)
class CachedMessage:
    """What answers header questions without opening the file: ready-made IMAP bytes and offsets.

    `sent_date` is the Date field as Unix time, `sent_day` its day as written there (proleptic ordinal), for SENTON and its like.
    `references` are message ids with spaces between them, as in `hostmail.message.summary`; `digest` is the same for copies of a message.
    `head` are the header fields searched most, as in `hostmail.message.searchable`; None: ask the message.
    `fields` are the raw header fields that message lists are made of, as in `hostmail.message.keptfields`; None: the same.
    """

    uid: int
    envelope: bytes
    bodystructure: bytes
    body: bytes
    header_size: int
    sent_date: int | None
    sent_day: int | None = None
    references: bytes = b""
    digest: bytes = b""
    head: str | None = None
    fields: bytes | None = None


@dataclass(frozen=True, slots=True)
class Placed:
    """Where new messages went: pairs with the sources' order (COPYUID, APPENDUID)."""

    uidvalidity: int
    source_uids: list[int]
    target_uids: list[int]


@dataclass(frozen=True, slots=True)
class Room:
    """Quota as it stands: limits None for unlimited; `free_bytes` is the smaller of mailbox and domain, None for unlimited."""

    used: Usage
    limit_bytes: int | None
    limit_messages: int | None
    free_bytes: int | None


class IMessage(Interface):
    """An open message: CRLF octets, whatever the file holds. Close it."""

    size: int = Attribute("octets on the wire")  # type: ignore[assignment]

    def read_now(offset: int, length: int) -> bytes | None:
        """The octets if they can be had without waiting for a disk, else None."""

    async def read(offset: int, length: int) -> bytes:
        """Up to `length` octets from `offset`; short only at the end."""

    async def examine(look: Callable[[bytes], T]) -> T:
        """What `look` makes of all the octets, in a thread: for large messages, of which the reading alone takes others' time."""

    def close() -> None:
        """Let go of the file."""


class IIncoming(Interface):
    """One message on its way into a folder (APPEND). Nothing is visible before commit."""

    def write(chunk: bytes) -> None:
        """More octets."""

    async def commit() -> Placed:
        """Durable and visible; raises OverQuota, TemporaryFailure."""

    def abort() -> None:
        """Forget it; nothing is left behind."""


class IFolder(Interface):
    """One open folder. UIDs that are not there are passed over silently."""

    name: str = Attribute("its name as in FolderInfo")  # type: ignore[assignment]

    async def snapshot(claim_recent: bool = False) -> Snapshot:
        """All messages now; foreign changes to the tree are seen first."""

    async def changes(since_modseq: int, look: bool = True) -> Changes:
        """What changed after `since_modseq`; foreign changes are seen first, unless whoever asks was just told that there is something."""

    async def status() -> FolderStatus:
        """The counts."""

    async def uidls(uids: Sequence[int]) -> list[str]:
        """POP3 unique-ids: stable for the life of the message, imported ones kept (D9)."""

    async def set_flags(
        uids: Sequence[int], how: str, flags: int, keywords: Sequence[str], unchanged_since: int | None = None
    ) -> Changes:
        """`how` is "add", "remove" or "replace"; keywords are made as needed (TooMany beyond the limit).

        Messages whose modseq is above `unchanged_since` are left alone (RFC 7162 section 3.1.3).
        """

    async def expunge(uids: Sequence[int], only_deleted: bool = True) -> list[int]:
        """Remove those (with \\Deleted); the UIDs removed. Durable when it returns; space is free at once (D5)."""

    async def copy(uids: Sequence[int], target: str) -> Placed:
        """All or none, one transaction; raises NoSuchFolder, OverQuota."""

    async def move(uids: Sequence[int], target: str) -> Placed:
        """As copy, without ever needing room."""

    async def open(uid: int) -> Any:
        """An IMessage; raises MessageGone. A damaged file is served as far as it can be read (D11)."""

    async def read_many(uids: Sequence[int], limit: int) -> list[bytes | None]:
        """Whole small messages, on the wire, for the first of `uids`: as many as hold together up to `limit` octets.

        None for one that is gone. A list shorter than `uids` ends before the message that would pass the limit: ask again from
        there, and open it if it is the first. Damaged files as in `open`.
        """

    async def read_headers(uids: Sequence[int], limit: int) -> list[bytes | None]:
        """As `read_many`, but header blocks only (see `hostmail.message.scan.header_extent`); the first one whatever its size."""

    async def cached_columns(uids: Sequence[int], columns: Sequence[str]) -> list[tuple[Any, ...]]:
        """Rows (uid, *columns) of some of `CachedMessage`'s fields, ascending by UID: `cached` for thousands of messages."""

    async def sent_days(uids: Sequence[int]) -> Sequence[int]:
        """For each of `uids` the day of its Date field (`CachedMessage.sent_day`): 0 if it has none, -1 if nobody knows any more."""

    async def candidates(needle: str, uids: Sequence[int], in_header: bool = False) -> list[int] | None:
        """Those of `uids` that may hold the folded text in their body (or `in_header`), others than which do not; in any order.

        The texts are those of `hostmail.message.searchable`. None: nothing is known, each has to be read.
        """

    async def cached(uids: Sequence[int]) -> list[CachedMessage]:
        """Cached header facts, in the order of `uids`; built on the fly where missing."""

    async def saved_dates(uids: Sequence[int]) -> dict[int, int]:
        """When each was put into this folder, by whatever way (RFC 8514), as Unix time."""

    async def begin_append(size: int, flags: int = 0, keywords: Sequence[str] = (), date: int | None = None) -> Any:
        """An IIncoming; raises OverQuota, MessageTooBig at once when `size` says so."""

    def watch(heard: Callable[[], None]) -> Callable[[], None]:
        """Call `heard` on the reactor's thread when another program has changed the folder; returns the way to stop.

        `changes` knows of it then without looking. It saves time only: what it misses is found at the next look.
        """

    async def commit_all(incoming: Sequence[Any], replaced: tuple[Any, int] | None = None) -> Placed:
        """Several messages begun with `begin_append`, all or none; with them goes the message `replaced` (its open IFolder, UID)."""

    def close() -> None:
        """The caller needs it no more."""


class IAccountStore(Interface):
    """One account's folders. All openers of an account in a process share one."""

    async def folders() -> list[FolderInfo]:
        """All folders, INBOX first, then by name; default folders are made on first opening (D8)."""

    async def folder(name: str) -> Any:
        """An IFolder; raises NoSuchFolder."""

    async def status(name: str) -> FolderStatus:
        """The counts of a folder, as its `IFolder` gives them; raises NoSuchFolder."""

    async def create(name: str, special_use: str = "") -> None:
        """With missing parents; raises FolderExists, BadFolderName, TooMany."""

    async def delete(name: str) -> None:
        """A folder with children stays as a name that cannot be selected; INBOX cannot be deleted (BadFolderName)."""

    async def rename(old: str, new: str) -> None:
        """With its children; renaming INBOX moves its messages out (RFC 3501 6.3.5)."""

    async def subscribe(name: str, subscribed: bool) -> None:
        """Subscriptions are names; the folder need not exist."""

    async def subscriptions() -> list[str]:
        """All subscribed names."""

    async def annotations(folder: str | None) -> dict[str, bytes]:
        """The values that mail programs keep with a folder, or with the account (None), by name; raises NoSuchFolder.

        They go with the folder when it is renamed, and end with it.
        """

    async def annotate(folder: str | None, changes: Mapping[str, bytes | None]) -> None:
        """Set values, or remove them (None): all or nothing, durable when it returns, announced as a change of the folder.

        Quota does not count them. Raises NoSuchFolder, BadValue (a name that is none, more than MAX_ANNOTATION_OCTETS), and TooMany
        for their number or all their size.
        """

    async def room() -> Room:
        """Quota and usage."""

    async def lock_maildrop(wait_seconds: float, peer: Peer, take_over: Callable[[], bool]) -> Any:
        """An ILock against other POP3 sessions only (D10); `take_over()` is asked while waiting and may drop a dead holder.

        Raises MaildropInUse.
        """

    def close() -> None:
        """The caller needs it no more."""


class ILock(Interface):
    """A held maildrop lock (flock): a dead process cannot leave one."""

    def release() -> None:
        """Give it back; twice is fine."""


@dataclass(frozen=True, slots=True)
class Drop:
    """One copy to deliver: into `folder` of `account`, the spooled message with `prefix` in place of the spool's own."""

    account: Account
    prefix: bytes
    folder: str = "INBOX"
    flags: int = 0


class ISpoolFile(Interface):
    """A message being received: octets on disk, in the data directory, CRLF. It is one immutable file after `seal`."""

    path: str = Attribute("its path")  # type: ignore[assignment]
    prefix: bytes = Attribute("trace fields written in front of the message")  # type: ignore[assignment]
    size: int = Attribute("octets so far, prefix included")  # type: ignore[assignment]

    def body() -> bytes | None:
        """What follows the prefix if it is in memory, which it is while small; None if it is only in the file."""

    def write(chunk: bytes) -> None:
        """More octets; disk errors are kept until `seal`."""

    async def seal() -> None:
        """Flush; raises OutOfSpace or TemporaryFailure for any write that failed."""

    def discard() -> None:
        """Remove the file; twice is fine. What was linked elsewhere stays."""


class ISpool(Interface):
    """Files of messages on their way in."""

    def create(prefix: bytes) -> Any:
        """An ISpoolFile; raises OutOfSpace, TemporaryFailure."""


class IMailStore(Interface):
    """All mailboxes."""

    async def open(account: Account) -> Any:
        """The account's IAccountStore, made on first use."""

    async def deliver(spooled: Any, drops: Sequence[Drop]) -> list[Refusal | None]:
        """Each drop on disk and synced, or its refusal; in the order of `drops`. Never raises for one of many."""

    async def room(account: Account, wanted: int | None = None) -> Room:
        """Quota and usage without opening a session.

        With `wanted` octets, what this process knew last, as long as that has room for them: delivery asks again anyway.
        """

    async def verify(account: Account, repair: bool = False) -> dict[str, Any]:
        """Compare tree and index; a report {messages, problems: [..], repaired: n}. Nothing is erased (D11)."""

    async def remove(account: Account) -> None:
        """Put a deleted account's tree aside for the grace period (D13)."""

    async def restore(domain: str, account: Account) -> bool:
        """What a deleted account of `domain` with the same directory left is `account`'s now; False if it left nothing.

        Raises AlreadyExists if there is mail where it has to go. `verify` tells the directory how much there is.
        """

    async def close() -> None:
        """Finish what runs, close all files."""
