"""Names on disk: what is made is safe, what is read is never refused."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from hostmail.errors import BadFolderName, TooMany
from hostmail.interfaces.mailstore import Flag
from hostmail.storage import names

_LEVEL = st.text(st.characters(exclude_characters="/\0", codec="utf-8"), min_size=1, max_size=20)
_FOLDER = st.lists(_LEVEL, min_size=1, max_size=5).map("/".join)
_BASE = st.from_regex(r"[0-9]{1,10}\.[A-Za-z0-9]{1,20}\.[a-z.]{1,20}", fullmatch=True)
_LETTERS = st.sets(st.sampled_from("abcdefghijklmnopqrstuvwxyz")).map(lambda letters: "".join(sorted(letters)))


def safe(name: str) -> bool:
    """One harmless component of a path."""
    octets = len(name.encode("utf-8", "surrogateescape"))
    return name not in ("", ".", "..") and "/" not in name and "\0" not in name and octets <= 255


class MessageNames(SynchronousTestCase):
    def test_build(self) -> None:
        """Size and UID lie in the name, flags in the order of the alphabet after :2, and keyword letters after them."""
        name = names.build("1700000000.M1P2Q3.host", 512, 77, Flag.SEEN | Flag.DRAFT, "ac")
        self.assertEqual(name, "1700000000.M1P2Q3.host,S=512,U=77:2,DSac")

    def test_each_flag(self) -> None:
        """The letters are those of the Maildir description."""
        letters = {Flag.DRAFT: "D", Flag.FLAGGED: "F", Flag.ANSWERED: "R", Flag.SEEN: "S", Flag.DELETED: "T"}
        for flag, letter in letters.items():
            self.assertEqual(names.build("1.a.b", 1, 1, flag), f"1.a.b,S=1,U=1:2,{letter}")

    @given(_BASE, st.integers(0, 10**15), st.none() | st.integers(1, 2**32 - 1), st.integers(0, 31), _LETTERS)
    def test_round_trip(self, base: str, size: int, uid: int | None, flags: int, letters: str) -> None:
        """What is built is parsed to the same values, and rendered to the same name."""
        filename = names.build(base, size, uid, flags, letters)
        parsed = names.parse(filename)
        self.assertEqual((parsed.base, parsed.size, parsed.uid), (base, size, uid))
        self.assertEqual((parsed.flags, parsed.letters, parsed.filename), (flags, letters, filename))
        self.assertTrue(safe(filename))

    @given(st.text(st.characters(exclude_characters="/\0"), max_size=80))
    def test_parses_anything(self, filename: str) -> None:
        """No name makes the parser fail, and reading its rendering changes nothing more."""
        parsed = names.parse(filename)
        self.assertEqual(names.parse(parsed.filename), parsed)

    @given(
        st.text("0123456789.MPQRx-_", max_size=20),
        st.integers(0, 10**18 - 1),
        st.integers(1, names.MAX_UID),
        st.sampled_from(["", ":2,", ":2,S", ":2,DFRST", ":2,FS", ":2,SF", ":2,Sa", ":1,x", ":2,DDS"]),
    )
    def test_ours_as_any_other(self, base: str, size: int, uid: int, info: str) -> None:
        """A name of ours is read by a shorter way, to the same end."""
        self.assertEqual(names.parse(f"{base},S={size},U={uid}{info}"), names.parse(f"{base},U={uid},S={size}{info}"))

    @given(
        st.text("0123456789.MPQRx-_ü,:", max_size=20),
        st.sampled_from(["0", "1", "007", "123456789012345678", "1234567890123456789", "-1", ""]),
        st.sampled_from(["0", "1", "01", "999999999", "9999999999", "x"]),
        st.sampled_from(["", ":2,", ":2,S", ":2,DFRST", ":2,SF", ":2,Sa", ":1,x", ":2,SS", ":2,S\n"]),
    )
    def test_own_names_say_no_less(self, base: str, size: str, uid: str, info: str) -> None:
        """What is read at once is what `parse` reads, and would be written just so; where the two differ it is not read at once."""
        name = f"{base},S={size},U={uid}{info}"
        for filename, own_size, own_uid, flags in names.own_names([name, "x", ""]):
            parsed = names.parse(name)
            self.assertEqual((filename, parsed.filename), (name, name))
            self.assertEqual((own_size, own_uid, flags), (parsed.size, parsed.uid, parsed.flags))
            self.assertEqual((parsed.letters, parsed.others, parsed.extra, parsed.wire_size), ("", "", (), None))
            self.assertTrue(parsed.base)

    def test_dovecot_name(self) -> None:
        """A name by Dovecot brings its sizes and flags; there is no UID in it."""
        parsed = names.parse("1390.M1P2.mx,S=100,W=103:2,RSab")
        self.assertEqual((parsed.size, parsed.wire_size, parsed.uid), (100, 103, None))
        self.assertEqual((parsed.flags, parsed.letters), (Flag.ANSWERED | Flag.SEEN, "ab"))

    def test_foreign_name(self) -> None:
        """A name without fields and info is only a base."""
        parsed = names.parse("1390.123_0.mx")
        self.assertEqual(parsed, names.MessageName("1390.123_0.mx", has_info=False))

    def test_keeps_what_others_wrote(self) -> None:
        """Fields and flags of other programs survive a change of ours (isync's FMD5, the passed flag)."""
        filename = "1.a.b,S=1,FMD5=9a0b,U=3:2,PS"
        self.assertEqual(names.parse(filename).filename, filename)

    def test_senseless_fields(self) -> None:
        """A UID of 0 or beyond 32 bits, and sizes that are no numbers, count as not there."""
        parsed = names.parse("1.a.b,S=-1,S=x,U=0,U=4294967296,U=٣:2,")
        self.assertEqual((parsed.size, parsed.uid), (None, None))
        self.assertEqual(len(parsed.extra), 5)

    def test_experimental_info(self) -> None:
        """Info of another version than 2 has no flags that we know."""
        self.assertEqual(names.parse("1.a.b:1,S").flags, 0)

    def test_refuses_bad_base(self) -> None:
        """A base that would break out of the folder or the syntax is a fault of the caller."""
        for base in ("", "../x", "a/b", "a,b", "a:b", "a\0", ".hidden"):
            self.assertRaises(ValueError, names.build, base, 1)

    @given(_LETTERS)
    def test_keyword_letters(self, letters: str) -> None:
        """Letters and flag bits from 1 << 5 up are two spellings of the same."""
        bits = names.keyword_bits(letters)
        self.assertEqual(names.letters_of(bits | Flag.SEEN), letters)
        self.assertEqual(bits & 31, 0)

    def test_keywords_beyond_letters(self) -> None:
        """The 27th keyword has no letter; the index alone keeps it."""
        self.assertEqual(names.letters_of(1 << (5 + 26)), "")

    @given(
        st.integers(0, 1 << 33),
        st.sampled_from(["", ",W=77", ",X=1"]),
        st.sampled_from(["", ":2,", ":2,FS", ":2,FSab", ":2,PZ"]),
    )
    def test_copies(self, flags: int, field: str, info: str) -> None:
        """A copy's name says its size, its own UID and its own flags; flag letters of other programs go with it, but not into new/."""
        copied = names.parse(names.copied_name(f"1.M2.host,S=5{field},U=3{info}", "4.M5.host", 6, flags))
        self.assertEqual((copied.base, copied.size, copied.uid), ("4.M5.host", 5, 6))
        self.assertEqual(copied.wire_size, 77 if field == ",W=77" else None)
        self.assertEqual((copied.flags, copied.letters), (flags & 31, names.letters_of(flags)))
        self.assertEqual(copied.others, "PZ" if flags and info == ":2,PZ" else "")
        self.assertEqual(copied.has_info, bool(flags))


class Uniqueness(SynchronousTestCase):
    def test_form(self) -> None:
        """Seconds, then what makes it unique, then the host."""
        maker = names.UniqueNames(lambda: 1700000000.25, lambda: 9, "mx.example", lambda: "ab")
        self.assertEqual(maker(), "1700000000.M250000P9Q1Rab.mx.example")

    def test_same_instant(self) -> None:
        """Two names of one instant differ."""
        maker = names.UniqueNames(lambda: 1.0)
        self.assertNotEqual(maker(), maker())

    @given(st.text(max_size=90))
    def test_host(self, host: str) -> None:
        """Whatever the host is called, the base can be built into a name."""
        maker = names.UniqueNames(host=host)
        self.assertTrue(safe(names.build(maker(), 10**12, 2**32 - 1, 31, "abcdefghijklmnopqrstuvwxyz")))


class FolderNames(SynchronousTestCase):
    def test_like_dovecot(self) -> None:
        """Ordinary names are where Dovecot and Courier have them."""
        for name, directory in (
            ("INBOX", ""),
            ("inbox", ""),
            ("Sent", ".Sent"),
            ("Work/2026", ".Work.2026"),
            ("INBOX/Old", ".INBOX.Old"),
            ("Entwürfe", ".Entw&APw-rfe"),
            ("Black & White", ".Black &- White"),
            ("日本/語", ".&ZeVnLA-.&ip4-"),
        ):
            self.assertEqual(names.folder_directory(name), directory)
            self.assertEqual(names.folder_name(directory), names.normal_folder_name(name))

    @given(_FOLDER)
    def test_round_trip(self, name: str) -> None:
        """Every name has one safe directory of its own, and is read back from it."""
        try:
            directory = names.folder_directory(name)
        except TooMany:
            return
        self.assertTrue(directory == "" or safe(directory))
        self.assertEqual(names.folder_name(directory), names.normal_folder_name(name))

    @given(st.text(st.characters(exclude_characters="/\0"), max_size=60) | st.from_regex(r"(\.[&a-zA-C,-]{0,12}){1,3}"))
    def test_reads_anything(self, directory: str) -> None:
        """No directory name makes the reader fail, and what it reads can be written."""
        name = names.folder_name(directory)
        if name is not None:
            self.assertEqual(names.folder_directory(name), directory)
        names.foreign_folder_name(directory)

    def test_dots_stay_inside_their_level(self) -> None:
        """A dot never becomes a level, not even in front or alone."""
        for name in ("a.b", ".hidden", "..", ".", "a/../b", "v1.0/x."):
            directory = names.folder_directory(name)
            self.assertEqual(directory.count("."), name.count("/") + 1)
            self.assertEqual(names.folder_name(directory), name)

    def test_refuses(self) -> None:
        """NUL, empty levels and half characters are no names."""
        for name in ("", "/", "a//b", "/a", "a\0b", "\ud800"):
            self.assertRaises(BadFolderName, names.folder_directory, name)

    def test_limits(self) -> None:
        """255 octets a level, 1,000 in all, 20 levels, and what one file name can hold."""
        for name in ("x" * 256, "ü" * 128, "/".join(["x" * 250] * 5), "/".join("x" * 21), "x" * 255):
            self.assertRaises(TooMany, names.folder_directory, name)
        self.assertEqual(len(names.folder_directory("x" * 254)), 255)

    def test_trailing_separator(self) -> None:
        """CREATE "a/" means "a" (RFC 3501 6.3.3)."""
        self.assertEqual(names.normal_folder_name("a/"), "a")

    def test_foreign_spellings(self) -> None:
        """UTF-8 directories and stray ampersands are read as they stand, and are not taken for our own."""
        for directory, name in ((".Entwürfe", "Entwürfe"), (".A&B", "A&B"), (".x.&AC8-", "x/&AC8-")):
            self.assertEqual(names.foreign_folder_name(directory), name)
            self.assertIsNone(names.folder_name(directory))

    def test_no_folder(self) -> None:
        """Other entries of the tree are no folders."""
        for directory in ("cur", ".", "..", "...", ".a..b", ".a/b", ".a\0", "Maildir", ".\udcff", ".\udcff&"):
            self.assertIsNone(names.foreign_folder_name(directory), directory)
