"""Names on disk: message files and folders. Pure; nothing here touches a file system.

Every function that makes a name promises that it holds no "/" and no NUL, is neither "." nor ".." and fits 255 octets.
Names read back from a directory are foreign until parsed: parsing never fails, it only finds less.
"""

from __future__ import annotations

import os
import re
import secrets
import socket
import time
from binascii import Error as Base64Error
from binascii import a2b_base64, b2a_base64
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from functools import lru_cache

from hostmail.errors import BadFolderName, TooMany
from hostmail.interfaces.mailstore import Flag

MAX_FILE_NAME = 255
MAX_LEVEL, MAX_FOLDER_NAME, MAX_DEPTH = 255, 1_000, 20
MAX_UID = 2**32 - 1
MAX_LETTERS = 26
INBOX = "INBOX"

_FLAG_LETTERS = (
    ("D", Flag.DRAFT),
    ("F", Flag.FLAGGED),
    ("R", Flag.ANSWERED),
    ("S", Flag.SEEN),
    ("T", Flag.DELETED),
)
_FLAG_OF = {letter: int(flag) for letter, flag in _FLAG_LETTERS}
_DIGITS = re.compile(r"[0-9]{1,18}\Z")
_BAD_IN_BASE = re.compile(r"[/\x00,:]")
_SYSTEM_FLAGS = [
    "".join(letter for letter, flag in _FLAG_LETTERS if bits & flag) for bits in range(32)
]  # all 32 combinations, ready made: renames of 1,000 files ask for them

_BITS_OF = {letters: bits for bits, letters in enumerate(_SYSTEM_FLAGS)}
_OURS = re.compile(r"([^,:]+),S=(0|[1-9][0-9]{0,17}),U=([1-9][0-9]{0,8})(?::2,(D?F?R?S?T?))?\Z")
"""Nearly all of our own names: read at once, for a lost index asks for 100,000 of them."""

# ------------------------------------------------------------------------------------------------------------ message files


@dataclass(frozen=True, slots=True)
class MessageName:
    """What a message's file name says.

    `base` is the part before the first "," or ":" and stays the same for the life of the file. `size` is the file's size
    (S=), `wire_size` its size with CRLF (W=, written by others), `uid` ours (U=); each None when not named. `flags` holds
    the five system bits, `letters` the keyword letters (a-z, sorted), `extra` fields and `others` flag letters that
    belong to other programs and are kept for them. `has_info` is False for a name without ":2,", as in new/.
    """

    base: str
    size: int | None = None
    uid: int | None = None
    wire_size: int | None = None
    flags: int = 0
    letters: str = ""
    extra: tuple[str, ...] = ()
    others: str = ""
    has_info: bool = True

    @property
    def filename(self) -> str:
        """The name again; equal to what was parsed except for the order of fields and letters."""
        fields = [self.base]
        if self.size is not None:
            fields.append(f"S={self.size}")
        if self.wire_size is not None:
            fields.append(f"W={self.wire_size}")
        fields += self.extra
        if self.uid is not None:
            fields.append(f"U={self.uid}")
        name = ",".join(fields)
        return f"{name}:2,{self._info()}" if self.has_info else name

    def _info(self) -> str:
        system = _SYSTEM_FLAGS[self.flags & 31]
        capitals = "".join(sorted(system + self.others)) if self.others else system
        return capitals + self.letters


def parse(filename: str) -> MessageName:
    """Read any file name of cur/ or new/; what is not understood is kept in `extra` and `others`."""
    ours = _OURS.match(filename)
    if ours is not None:
        base, size, uid, letters = ours.groups()
        return MessageName(base, int(size), int(uid), None, _BITS_OF[letters or ""], "", (), "", letters is not None)
    stem, colon, info = filename.partition(":")
    base, *fields = stem.split(",")
    found: dict[str, int] = {}
    extra: list[str] = []
    for field in fields:
        key, value = field[:2], field[2:]
        if key in ("S=", "W=", "U=") and key not in found and _DIGITS.match(value) and _fits(key, int(value)):
            found[key] = int(value)
        else:
            extra.append(field)
    flags, letters, others = flags_of(info[2:]) if info.startswith("2,") else (0, "", "")
    return MessageName(
        base, found.get("S="), found.get("U="), found.get("W="), flags, letters, tuple(extra), others, bool(colon)
    )


def copied_name(filename: str, base: str, uid: int, flags: int) -> str:
    """The name of a message's copy: without a part for flags in new/, where none are."""
    ours = _OURS.match(filename)
    if ours is not None and flags < 1 << 5:
        return f"{base},S={ours[2]},U={uid}:2,{_SYSTEM_FLAGS[flags]}" if flags else f"{base},S={ours[2]},U={uid}"
    old = parse(filename)
    letters, others = letters_of(flags), old.others if flags else ""
    return MessageName(base, old.size, uid, old.wire_size, flags & 31, letters, (), others, bool(flags)).filename


def own_names(filenames: Iterable[str]) -> Iterator[tuple[str, int, int, int]]:
    """Those names that are just as we write them and have no keywords: with size, UID and system flags, which is all that they say."""
    match, bits = _OURS.match, _BITS_OF
    for filename in filenames:
        ours = match(filename)
        if ours is not None and filename.isascii() and len(filename) <= MAX_FILE_NAME:
            size, uid, letters = ours.group(2, 3, 4)
            yield filename, int(size), int(uid), bits[letters] if letters else 0


def fitting(filename: str, unique: Callable[[], str]) -> str:
    """The name, or if a file system could not hold it one with another base, and without what belongs to other programs."""
    if len(filename) <= MAX_FILE_NAME and (filename.isascii() or len(filename.encode()) <= MAX_FILE_NAME):
        return filename
    return replace(parse(filename), base=unique(), extra=(), others="").filename


def _fits(key: str, number: int) -> bool:
    return key != "U=" or 1 <= number <= MAX_UID


def flags_of(info: str) -> tuple[int, str, str]:
    """System flag bits, keyword letters and unknown letters of what follows ":2,"."""
    flags, letters, others = 0, set(), set()
    for character in info:
        if character in _FLAG_OF:
            flags |= _FLAG_OF[character]
        elif "a" <= character <= "z":
            letters.add(character)
        elif character not in "/\0":
            others.add(character)
    return flags, "".join(sorted(letters)), "".join(sorted(others))


def build(base: str, size: int, uid: int | None = None, flags: int = 0, letters: str = "") -> str:
    """The file name for a message of ours; `flags` as in `interfaces.Flag` (keyword bits are left out, see `letters_of`).

    Raises ValueError for a base that is none, for that is a fault of the caller.
    """
    if not base or base.startswith(".") or _BAD_IN_BASE.search(base):
        raise ValueError(f"not the base of a message file name: {base!r}")
    middle = f",S={size}" if uid is None else f",S={size},U={uid}"
    return f"{base}{middle}:2,{_SYSTEM_FLAGS[flags & 31]}{letters}"


def letters_of(flags: int) -> str:
    """The letters for the first 26 keyword bits of `flags` (bit 5 is "a"); the rest are in a file of their own (`unlettered`)."""
    bits = (flags >> 5) & (1 << MAX_LETTERS) - 1
    if not bits:
        return ""
    return "".join(chr(97 + i) for i in range(MAX_LETTERS) if bits >> i & 1)


def keyword_bits(letters: str) -> int:
    """The flag bits of keyword letters, bit 5 for "a"; the inverse of `letters_of`."""
    bits = 0
    for letter in letters:
        bits |= 1 << (5 + ord(letter) - 97)
    return bits


class UniqueNames:
    """Bases of message file names that no other process, host or boot makes: `<seconds>.M<usec>P<pid>Q<n>R<random>.<host>`.

    The form is the one that Dovecot and the Maildir description use. `random` is asked once: it tells apart makers that share
    a process id, as in containers over one shared tree. Thread-safe under the interpreter lock.
    """

    def __init__(
        self,
        now: Callable[[], float] = time.time,
        pid: Callable[[], int] = os.getpid,
        host: str = "",
        random: Callable[[], str] = lambda: secrets.token_hex(4),
    ) -> None:
        self._now = now
        self._pid = pid
        self._host = host_in_name(host or socket.gethostname())
        self._random = random()
        self._made = iter(range(1, 1 << 62))

    def __call__(self) -> str:
        """The next base."""
        seconds, microseconds = divmod(int(self._now() * 1_000_000), 1_000_000)
        return f"{seconds}.M{microseconds}P{self._pid()}Q{next(self._made)}R{self._random}.{self._host}"


def host_in_name(host: str) -> str:
    """A host name without the characters that mean something in file names, 64 octets at most."""
    octal = re.sub(r"[/:,\\\x00-\x20\x7f-\U0010ffff]", lambda found: f"\\{ord(found[0]) & 0o777:03o}", host)
    return octal[:64] or "localhost"


# ------------------------------------------------------------------------------------------------------------------- folders


@lru_cache(4096)
def normal_folder_name(name: str) -> str:
    """The one spelling of a folder name: INBOX in capitals at the first level, no trailing "/". Raises as `folder_directory`."""
    levels = name.removesuffix("/").split("/")
    if levels[0].upper() == INBOX:
        levels[0] = INBOX
    _check_levels(levels)
    return "/".join(levels)


def _check_levels(levels: list[str]) -> None:
    if len(levels) > MAX_DEPTH:
        raise TooMany(f"folders can be nested {MAX_DEPTH} deep")
    total = len(levels) - 1
    for level in levels:
        if not level or "\0" in level:
            raise BadFolderName
        try:
            octets = len(level.encode())
        except UnicodeEncodeError:
            raise BadFolderName from None
        total += octets
        if octets > MAX_LEVEL or total > MAX_FOLDER_NAME:
            raise TooMany("that folder name is too long")


@lru_cache(4096)
def folder_directory(name: str) -> str:
    """The directory of a folder below the Maildir: "Work/2026" is ".Work.2026", INBOX is "" (the Maildir itself).

    Maildir++ with names in modified UTF-7, as Dovecot has them; a "." inside a level goes into the base64 part as well, so
    that every name has its own directory. Raises BadFolderName, and TooMany for what is too long or deep (a Maildir++ name
    is one file name: 255 octets for all levels together).
    """
    name = normal_folder_name(name)
    if name == INBOX:
        return ""
    directory = "".join(f".{_encode_level(level)}" for level in name.split("/"))
    if len(directory) > MAX_FILE_NAME:
        raise TooMany("that folder name is too long")
    return directory


def folder_name(directory: str) -> str | None:
    """The folder kept in this directory, or None if `folder_directory` would never have chosen that name."""
    name = foreign_folder_name(directory)
    if name is None:
        return None
    try:
        return name if folder_directory(name) == directory else None
    except (BadFolderName, TooMany):
        return None


def foreign_folder_name(directory: str) -> str | None:
    """The best reading of a directory that another program named: None only if it cannot be a folder's.

    UTF-8 and stray "&" are taken as they stand, so the answer's `folder_directory` may be another one: an adoption then
    renames the directory.
    """
    if not directory:
        return INBOX
    if not directory.startswith(".") or "/" in directory or "\0" in directory:
        return None
    try:
        return normal_folder_name("/".join(_decode_level(part) for part in directory[1:].split(".")))
    except (BadFolderName, TooMany):
        return None


def _encode_level(level: str) -> str:
    if level.isascii() and level.isprintable() and "." not in level and "&" not in level:
        return level
    out: list[str] = []
    for plain in re.findall(r"[ -%'-\-/-~]+|&|[^ -\-/-~]+", level):
        if plain == "&":
            out.append("&-")
        elif " " <= plain[0] <= "~" and plain[0] != ".":
            out.append(plain)
        else:
            base64 = b2a_base64(plain.encode("utf-16-be"), newline=False).decode().rstrip("=").replace("/", ",")
            out.append(f"&{base64}-")
    return "".join(out)


def _decode_level(part: str) -> str:
    """A level read back; itself where it is no modified UTF-7. A "/" hidden in base64 stays hidden."""
    if "&" not in part:
        return part
    try:
        level = re.sub(r"&([^-]*)(-|\Z)", _shift, part)
        right = "/" not in level and _encode_level(level) == part
    except (ValueError, Base64Error):
        return part
    return level if right else part


def _shift(found: re.Match[str]) -> str:
    base64 = found[1]
    if not base64 and found[2]:
        return "&"
    padded = base64.replace(",", "/") + "=" * (-len(base64) % 4)
    return a2b_base64(padded.encode("ascii"), strict_mode=True).decode("utf-16-be")
