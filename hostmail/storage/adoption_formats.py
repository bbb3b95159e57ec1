"""The files that Dovecot and Courier keep beside a Maildir: bytes in, plain values out, and back.

All readers take what they can: a damaged line is counted and passed over, a damaged file is None or empty. File names are
`str` with surrogate escapes, as `os.listdir` gives them. Formats as those programs' sources and manuals describe them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from hostmail.interfaces.directory import Usage
from hostmail.storage.names import MAX_UID, folder_directory, foreign_folder_name

MAX_UIDL = 255
_UIDL = re.compile(r"[!-~]+\Z")
_NUMBER = re.compile(r"[0-9]{1,18}\Z")


@dataclass(frozen=True, slots=True)
class UidRow:
    """One message of a UID list: `filename` is the last one known, flags included or not.

    `uidl` is the POP3 unique-id if it is not the server's default one ("" in a file stands for the base of the file name and
    is already resolved here); `wire_size` its size with CRLF, if it was written.
    """

    uid: int
    filename: str
    uidl: str | None = None
    wire_size: int | None = None

    @property
    def key(self) -> str:
        """The part of the name that flags do not change, and by which the file is found again."""
        return self.filename.partition(":")[0]


@dataclass(frozen=True, slots=True)
class UidList:
    """A folder's UIDs: rows ascending, `uidnext` above all of them. `damaged` counts lines that made no sense."""

    uidvalidity: int
    uidnext: int
    rows: list[UidRow] = field(default_factory=list)
    guid: str = ""
    uidl_format: str = ""
    damaged: int = 0


@dataclass(frozen=True, slots=True)
class MaildirSize:
    """Quota as Courier's `maildirsize` has it; limits None where there is none. The usage is theirs: count anew."""

    limit_bytes: int | None
    limit_messages: int | None
    used: Usage


# --------------------------------------------------------------------------------------------------------------- UID lists


def parse_uidlist(data: bytes) -> UidList | None:
    """`dovecot-uidlist` of version 3 or 1, and Courier's `courierimapuiddb`, which is version 1; None without a header.

    UIDs that go down or are given twice mean that the file was damaged: the first one stays, the later ones count as damage.
    """
    lines = _lines(data)
    version, _, rest = lines[0].partition(" ") if lines else ("", "", "")
    if version == "3":
        header = {part[0]: part[1:] for part in rest.split(" ") if part}
    elif version == "1":
        validity, _, uidnext = rest.strip().partition(" ")
        header = {"V": validity, "N": uidnext.partition(" ")[0]}
    else:
        return None
    uidvalidity = _number(header.get("V", ""))
    if not uidvalidity or uidvalidity > MAX_UID:
        return None
    rows, damaged = _uid_rows(lines[1:], version == "3")
    highest = rows[-1].uid if rows else 0
    uidnext_seen = max(_number(header.get("N", "")) or 1, highest + 1)
    return UidList(uidvalidity, min(uidnext_seen, MAX_UID), rows, header.get("G", ""), header.get("P", ""), damaged)


def _lines(data: bytes) -> list[str]:
    return [line for line in data.decode("utf-8", "surrogateescape").split("\n") if line]


def _number(text: str) -> int | None:
    return int(text) if _NUMBER.match(text) else None


def _uid_rows(lines: Sequence[str], extended: bool) -> tuple[list[UidRow], int]:
    rows: list[UidRow] = []
    damaged, last, keys = 0, 0, set()
    for line in lines:
        row = _uid_row(line, extended)
        if row is None or row.uid <= last or row.key in keys:
            damaged += 1
            continue
        rows.append(row)
        last = row.uid
        keys.add(row.key)
    return rows, damaged


def _uid_row(line: str, extended: bool) -> UidRow | None:
    digits, space, rest = line.partition(" ")
    uid = _number(digits)
    if not uid or uid >= MAX_UID or not space:
        return None
    fields = {}
    if extended:
        parts, colon, rest = f" {rest}".partition(" :")
        if not colon:
            return None
        fields = {part[0]: part[1:] for part in parts.split(" ") if part}
    if not rest or "/" in rest or "\0" in rest:
        return None
    uidl = fields.get("P")
    if uidl == "":
        uidl = rest.partition(":")[0]
    return UidRow(uid, rest, usable_uidl(uidl), _number(fields.get("W", "")))


def usable_uidl(uidl: str | None) -> str | None:
    """The unique-id if POP3 can say it (RFC 1939, section 7, though longer than 70 where clients know it so)."""
    return uidl if uidl and len(uidl) <= MAX_UIDL and _UIDL.match(uidl) else None


def format_uidlist(uidvalidity: int, uidnext: int, rows: Iterable[UidRow], guid: str = "") -> bytes:
    """A `dovecot-uidlist` of version 3; rows in any order."""
    header = f"3 V{uidvalidity} N{uidnext}" + (f" G{guid}" if guid else "")
    lines = [header]
    for row in sorted(rows, key=lambda row: row.uid):
        uidl = f"P{row.uidl} " if row.uidl else ""
        size = f"W{row.wire_size} " if row.wire_size is not None and ",W=" not in row.filename else ""
        lines.append(f"{row.uid} {uidl}{size}:{row.filename}")
    return "".join(f"{line}\n" for line in lines).encode("utf-8", "surrogateescape")


def dovecot_uidl(uid: int, uidvalidity: int) -> str:
    """What Dovecot calls a message in POP3 unless told otherwise (`pop3_uidl_format = %08Xu%08Xv`), and hostmail too."""
    return f"{uid:08x}{uidvalidity:08x}"


def expand_uidl_format(template: str, uid: int, uidvalidity: int, base: str) -> str | None:
    """A unique-id by Dovecot's `pop3_uidl_format`: %u, %v, %f and %g with zero padding and X; None for other variables."""
    out: list[str] = []
    for plain, padding, hexadecimal, variable in re.findall(r"([^%]+)|%(0\d)?(X)?(.?)", template):
        if plain:
            out.append(plain)
        elif variable == "%":
            out.append("%")
        elif variable in ("f", "g"):
            out.append(base)
        elif variable in ("u", "v"):
            number = uid if variable == "u" else uidvalidity
            out.append(f"{number:{padding}{'x' if hexadecimal else 'd'}}")
        elif padding or hexadecimal or variable:
            return None
    return usable_uidl("".join(out))


# ---------------------------------------------------------------------------------------------------------------- keywords


def parse_keywords(data: bytes) -> dict[int, str]:
    """`dovecot-keywords`: the keyword behind each number (0 is the letter "a")."""
    found: dict[int, str] = {}
    for line in _lines(data):
        number, _, name = line.partition(" ")
        if _NUMBER.match(number) and int(number) < 1_000 and is_keyword(name):
            found.setdefault(int(number), name)
    return found


def is_keyword(name: str) -> bool:
    """An IMAP atom of at most 100 octets that is no system flag (RFC 3501, section 9)."""
    return bool(re.fullmatch(r"[^\x00-\x20\x7f(){%*\"\\\]\ud800-\udfff]{1,100}", name)) and len(name.encode()) <= 100


def format_keywords(keywords: Sequence[str]) -> bytes:
    """A `dovecot-keywords` file: only those that have a letter."""
    return "".join(f"{number} {name}\n" for number, name in enumerate(keywords[:26])).encode()


def parse_courier_keywords(data: bytes) -> tuple[list[str], dict[str, list[int]]]:
    """`courierimapkeywords/:list`: the keywords, and their numbers by the name that a message has before its ":"."""
    names_part, _, messages_part = data.decode("utf-8", "surrogateescape").partition("\n\n")
    names = [name for name in names_part.split("\n") if name]
    messages: dict[str, list[int]] = {}
    for line in messages_part.split("\n"):
        key, colon, numbers = line.rpartition(":")
        wanted = [int(number) for number in numbers.split() if _NUMBER.match(number) and int(number) < len(names)]
        if colon and key and wanted:
            messages[key] = wanted
    return names, messages


# --------------------------------------------------------------------------------------------------- POP3, quota, the rest


def parse_courier_pop3(data: bytes) -> dict[str, str]:
    """`courierpop3dsizelist`, versions 0 to 3: the UIDL that POP3 clients know, by the name before its ":".

    UIDLs are `UID<n>-<v>` (2 and 3), `UID<n>` (1) or the encoded file name (0).
    """
    lines = _lines(data)
    if lines and lines[0].startswith("/"):
        del lines[0]
    found: dict[str, str] = {}
    for line in lines:
        match = re.fullmatch(r"(\S+) \d+(?: (\d+)(?::(\d+))?(?::\d+)?)?", line)
        if match:
            key = match[1].partition(":")[0]
            uidl = usable_uidl(_courier_uidl(key, match[2] or "0", match[3] or "0"))
            if uidl:
                found[key] = uidl
    return found


def _courier_uidl(key: str, uid: str, validity: str) -> str:
    if int(uid):
        return f"UID{int(uid)}-{int(validity)}" if int(validity) else f"UID{int(uid)}"
    octets = key.encode("utf-8", "surrogateescape")
    return "".join(f"+{octet:02X}" if not 0x21 <= octet <= 0x7E or octet in b"'\"+" else chr(octet) for octet in octets)


def parse_maildirsize(data: bytes) -> MaildirSize:
    """`maildirsize`: a line of limits (`20971520S,1000C`), then lines of octets and messages that add up."""
    lines = _lines(data)
    limits = {part[-1:]: _number(part[:-1]) for part in (lines[0].split(",") if lines else [])}
    pairs = [re.fullmatch(r"\s*(-?\d{1,18})\s+(-?\d{1,18})\s*", line) for line in lines[1:]]
    octets = sum(int(pair[1]) for pair in pairs if pair)
    messages = sum(int(pair[2]) for pair in pairs if pair)
    return MaildirSize(limits.get("S") or None, limits.get("C") or None, Usage(max(0, octets), max(0, messages)))


def parse_subscriptions(data: bytes) -> list[str]:
    """Dovecot's `subscriptions`, old and new form, as our folder names; what is no folder name is left out."""
    lines = _lines(data)
    if lines and lines[0] == "V\t2":
        return _folder_names(".".join(line.split("\t")) for line in lines[1:])
    return _folder_names(line.replace("/", ".") for line in lines)


def parse_courier_subscriptions(data: bytes) -> list[str]:
    """`courierimapsubscribed`: as above, with an "INBOX." in front of every folder but INBOX."""
    return _folder_names(line.removeprefix("INBOX.") for line in _lines(data))


def _folder_names(dotted: Iterable[str]) -> list[str]:
    found = (foreign_folder_name("" if name.upper() == "INBOX" else f".{name}") for name in dotted if name)
    return list(dict.fromkeys(name for name in found if name is not None))


def format_subscriptions(names: Iterable[str]) -> bytes:
    """Dovecot's `subscriptions` in its old form, which all its versions read."""
    directories = (folder_directory(name)[1:] or "INBOX" for name in names)
    return "".join(f"{directory}\n" for directory in directories).encode("utf-8")
