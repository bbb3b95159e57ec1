"""Taking over a Maildir++ tree in place, and giving it back: decisions only, the store carries them out.

How the store uses it. Before it opens a tree that has no file of ours, it lists each folder's directory and reads the files
named in `FOLDER_FILES` (and subscriptions and quota at the top) into `FoundFolder`s. `plan` answers with a `MailboxPlan`: for each
folder its name, UIDVALIDITY, UIDNEXT, keywords and messages with UID, UIDL, and the file name that holds them for ever. The store
writes its own folder file (UIDVALIDITY, UIDNEXT) first, then renames directories and files and fills the index. Doing it again
after a crash in the middle plans the same UIDs: rows find their file by the part of the name that does not change, and
names that have a UID already keep it.

On leaving, `departure` makes the files that let Dovecot take the tree back with all UIDs, UIDLs and keywords.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from hostmail.errors import BadFolderName, TooMany
from hostmail.storage import adoption_formats as formats
from hostmail.storage.adoption_formats import MaildirSize, UidList, UidRow
from hostmail.storage.names import (
    MAX_FILE_NAME,
    MAX_LETTERS,
    MAX_UID,
    MessageName,
    folder_directory,
    foreign_folder_name,
    keyword_bits,
    letters_of,
    parse,
)

COURIER_KEYWORDS = "courierimapkeywords/:list"
FOLDER_FILES = ("dovecot-uidlist", "dovecot-keywords", "courierimapuiddb", "courierpop3dsizelist", COURIER_KEYWORDS)
DEFAULT_UIDL_FORMAT = "%08Xu%08Xv"
_SPECIAL_USES = {
    "\\Drafts": ("Drafts", "Draft", "Entwürfe", "Brouillons"),
    "\\Sent": ("Sent", "Sent Items", "Sent Messages", "Sent Mail", "Gesendet", "Gesendete Objekte"),
    "\\Trash": ("Trash", "Deleted Items", "Deleted Messages", "Papierkorb", "Gelöschte Objekte", "Corbeille"),
    "\\Junk": ("Spam", "Junk", "Junk E-mail", "Junk Email", "Bulk Mail"),
    "\\Archive": ("Archive", "Archives", "Archiv"),
}


@dataclass(frozen=True, slots=True)
class FoundFolder:
    """A folder as it lies there: its directory's name ("" for INBOX), the names in cur/ and new/, and the files beside them."""

    directory: str
    cur: Sequence[str]
    new: Sequence[str] = ()
    files: Mapping[str, bytes] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class PlannedMessage:
    """One message: rename `subdirectory`/`old` to `new` in the same place. `uidl` None is the default one.

    `flags` are system flags and keyword bits by `FolderPlan.keywords`; those beyond 26 are in no file name. `size` and
    `wire_size` are what names and lists say: None has to be looked up.
    """

    uid: int
    subdirectory: str
    old: str
    new: str
    flags: int
    uidl: str | None = None
    size: int | None = None
    wire_size: int | None = None


@dataclass(frozen=True, slots=True)
class FolderPlan:
    """One folder: rename `directory` to `new_directory` if they differ. Messages ascend by UID; `problems` are for the log."""

    name: str
    directory: str
    new_directory: str
    uidvalidity: int
    uidnext: int
    keywords: list[str]
    messages: list[PlannedMessage]
    special_use: str = ""
    problems: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class MailboxPlan:
    """A whole mailbox. `quota` is what the old server enforced, for the operator to see; directories in `left` are no folders."""

    folders: list[FolderPlan]
    subscriptions: list[str]
    quota: MaildirSize | None = None
    left: list[str] = field(default_factory=list)


def plan(
    found: Iterable[FoundFolder],
    files: Mapping[str, bytes],
    now: int,
    uidl_format: str = DEFAULT_UIDL_FORMAT,
) -> MailboxPlan:
    """What to do to take over a mailbox. `uidl_format` is the old Dovecot's `pop3_uidl_format`; `now` a new UIDVALIDITY.

    Folders with the same name in two spellings are not mixed: the one in Maildir++'s spelling keeps it, the other is left.
    """
    folders: dict[str, FolderPlan] = {}
    left: list[str] = []
    for folder in sorted(found, key=_canonical_first):
        name = foreign_folder_name(folder.directory)
        directory = _directory_of(name)
        if name is None or directory is None or name in folders:
            left.append(folder.directory)
        else:
            folders[name] = plan_folder(folder, name, directory, now + len(folders), uidl_format)
    uses = special_uses(folders)
    plans = [replace(folders[name], special_use=uses.get(name, "")) for name in sorted(folders)]
    quota = formats.parse_maildirsize(files["maildirsize"]) if "maildirsize" in files else None
    return MailboxPlan(plans, _subscriptions(files), quota, left)


def _canonical_first(folder: FoundFolder) -> tuple[bool, str]:
    return _directory_of(foreign_folder_name(folder.directory)) != folder.directory, folder.directory


def _directory_of(name: str | None) -> str | None:
    try:
        return None if name is None else folder_directory(name)
    except (BadFolderName, TooMany):
        return None


def _subscriptions(files: Mapping[str, bytes]) -> list[str]:
    names = formats.parse_subscriptions(files.get("subscriptions", b""))
    names += formats.parse_courier_subscriptions(files.get("courierimapsubscribed", b""))
    return list(dict.fromkeys(names))


def special_uses(names: Iterable[str]) -> dict[str, str]:
    """Which of these folders are the Sent, Drafts, ... of RFC 6154, by the names that programs give them; one for each use."""
    by_key = {name.casefold(): name for name in sorted(names, reverse=True)}
    uses: dict[str, str] = {}
    for use, candidates in _SPECIAL_USES.items():
        for candidate in candidates:
            name = by_key.get(candidate.casefold(), by_key.get(f"inbox/{candidate}".casefold()))
            if name is not None:
                uses[name] = use
                break
    return uses


# ---------------------------------------------------------------------------------------------------------------- a folder


def plan_folder(folder: FoundFolder, name: str, directory: str, uidvalidity: int, uidl_format: str) -> FolderPlan:
    """UIDs, UIDLs, keywords and file names for one folder; `uidvalidity` only counts where no UID list is found."""
    problems: list[str] = []
    uids = _uid_list(folder.files, problems) or UidList(uidvalidity, 1)
    keywords, keyword_of = _keywords(folder, problems)
    uidls = _Uidls(folder.files, uids, uidl_format)
    messages: list[PlannedMessage] = []
    uidnext = uids.uidnext
    for uid, file in _numbered(folder, uids, problems):
        row, parsed = file.row, file.parsed
        uidnext = max(uidnext, uid + 1)
        flags = parsed.flags | keyword_of(file.old, parsed)
        new = _with_uid(parsed, uid, letters_of(flags), file.old, problems)
        wire_size = parsed.wire_size if parsed.wire_size is not None or row is None else row.wire_size
        uidl = uidls.of(uid, file.old, row, problems)
        messages.append(PlannedMessage(uid, file.subdirectory, file.old, new, flags, uidl, parsed.size, wire_size))
    return FolderPlan(
        name, folder.directory, directory, uids.uidvalidity, uidnext, keywords, messages, problems=problems
    )


def _uid_list(files: Mapping[str, bytes], problems: list[str]) -> UidList | None:
    for file in ("dovecot-uidlist", "courierimapuiddb"):
        if file in files:
            uids = formats.parse_uidlist(files[file])
            if uids is None:
                problems.append(f"{file} cannot be read")
                continue
            if uids.damaged:
                problems.append(f"{file}: {uids.damaged} damaged lines")
            return uids
    return None


@dataclass(frozen=True, slots=True)
class _File:
    """A message file with the row of the list that knows it."""

    subdirectory: str
    old: str
    parsed: MessageName
    row: UidRow | None


def _numbered(folder: FoundFolder, uids: UidList, problems: list[str]) -> list[tuple[int, _File]]:
    """All messages with their UIDs, ascending.

    Those that the list does not know keep a UID in their name if an adoption that was interrupted can have put it there (just
    beyond the list's own); the others are numbered after them by time of arrival, cur/ and new/ together.
    """
    files = _matched(folder, uids.rows)
    given = {file.row.uid: file for file in files if file.row is not None}
    last = uids.uidnext + len(files)
    rest: list[_File] = []
    for file in files:
        uid = file.parsed.uid
        if file.row is None and uid is not None and uids.uidnext <= uid < last and uid not in given:
            given[uid] = file
        elif file.row is None:
            rest.append(file)
    uid = max([uids.uidnext, *(uid + 1 for uid in given)])
    for file in sorted(rest, key=lambda file: (_seconds(file.old), file.old)):
        if uid >= MAX_UID:
            problems.append(f"no UID is left for {file.old}")
            continue
        given[uid] = file
        uid += 1
    return sorted(given.items(), key=lambda item: item[0])


def _matched(folder: FoundFolder, rows: Sequence[UidRow]) -> list[_File]:
    """The message files, each with its row: by the name before ":", or before "," where a UID was put into it meanwhile.

    A name that lies there twice (a crash between link and unlink) has the row once, and is a new message the second time.
    """
    by_key = {row.key: row for row in rows}
    by_base = {parse(row.filename).base: row for row in rows}
    seen: set[int] = set()
    files: list[_File] = []
    for subdirectory, filenames in (("cur", folder.cur), ("new", folder.new)):
        for old in filenames:
            parsed = parse(old)
            if old.startswith(".") or not parsed.base:
                continue
            row = by_key.get(old.partition(":")[0]) or by_base.get(parsed.base)
            if row is not None and row.uid in seen:
                row = None
            elif row is not None:
                seen.add(row.uid)
            files.append(_File(subdirectory, old, parsed, row))
    return files


def _seconds(filename: str) -> int:
    digits = re.match(r"[0-9]{1,18}", filename)
    return int(digits[0]) if digits else 0


def _with_uid(parsed: MessageName, uid: int, letters: str, old: str, problems: list[str]) -> str:
    """The name that holds the UID; the old one where there is no room for it."""
    new = replace(parsed, uid=uid, letters=letters, has_info=parsed.has_info or bool(letters)).filename
    if len(new.encode("utf-8", "surrogateescape")) > MAX_FILE_NAME:
        problems.append(f"no room for a UID in the name {old}")
        return old
    return new


def _keywords(folder: FoundFolder, problems: list[str]) -> tuple[list[str], Callable[[str, MessageName], int]]:
    """The folder's keywords in the order of letters, and what gives a message's keyword bits."""
    if COURIER_KEYWORDS in folder.files and "dovecot-keywords" not in folder.files:
        names, by_key = formats.parse_courier_keywords(folder.files[COURIER_KEYWORDS])
        names = _keyword_names(dict(enumerate(names[:1000])), 0, problems)
        bits = {
            key: sum(1 << 5 + number for number in set(numbers) if number < 1000) for key, numbers in by_key.items()
        }
        return names, lambda old, parsed: bits.get(old.partition(":")[0], 0)
    known = formats.parse_keywords(folder.files.get("dovecot-keywords", b""))
    used = max((keyword_bits(parse(old).letters) for old in (*folder.cur, *folder.new)), default=0)
    names = _keyword_names(known, max(0, used.bit_length() - 5), problems)
    return names, lambda old, parsed: keyword_bits(parsed.letters)


def _keyword_names(known: Mapping[int, str], used: int, problems: list[str]) -> list[str]:
    """A name for every number up to the highest; letters without one get a name, for the flag must not be lost."""
    names: list[str] = []
    taken: set[str] = set()
    for number in range(max([used, *(number + 1 for number in known)])):
        name = known.get(number, "")
        if not formats.is_keyword(name) or name.lower() in taken:
            name = f"unknown-{number}"
            if number < min(used, MAX_LETTERS):
                problems.append(f"keyword {number} has no name")
        taken.add(name.lower())
        names.append(name)
    return names


class _Uidls:
    """The unique-ids that POP3 clients know: the list's own, Courier's, or those of a format; never one twice."""

    def __init__(self, files: Mapping[str, bytes], uids: UidList, uidl_format: str) -> None:
        self._courier = formats.parse_courier_pop3(files.get("courierpop3dsizelist", b""))
        self._uidvalidity = uids.uidvalidity
        self._format = uids.uidl_format or uidl_format
        self._known: set[str] = set()

    def of(self, uid: int, filename: str, row: UidRow | None, problems: list[str]) -> str | None:
        """The UIDL, or None if the default is right."""
        key = filename.partition(":")[0]
        uidl = (row.uidl if row is not None else None) or self._courier.get(key)
        if uidl is None and row is not None and self._format != DEFAULT_UIDL_FORMAT:
            uidl = formats.expand_uidl_format(self._format, uid, self._uidvalidity, row.key)
        default = formats.dovecot_uidl(uid, self._uidvalidity)
        if uidl is not None and uidl in self._known:
            problems.append(f"the UIDL {uidl} is there twice")
            uidl = None
        self._known.add(uidl or default)
        return None if uidl == default else uidl


# --------------------------------------------------------------------------------------------------------------- departure


def departure(uidvalidity: int, uidnext: int, rows: Iterable[UidRow], keywords: Sequence[str]) -> dict[str, bytes]:
    """The files to write beside a folder so that Dovecot goes on where we stop: `UidRow.uidl` None is its default too."""
    files = {"dovecot-uidlist": formats.format_uidlist(uidvalidity, uidnext, rows)}
    if keywords:
        files["dovecot-keywords"] = formats.format_keywords(keywords)
    return files
