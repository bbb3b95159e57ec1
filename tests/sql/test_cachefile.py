"""hostmail.sql.cachefile: files that several processes share, and that may be lost without harm."""

from __future__ import annotations

import sqlite3
import stat
from pathlib import Path

from hostmail.errors import ConfigurationError, TemporaryFailure
from hostmail.sql.cachefile import CacheFile
from tests.auth.support import AuthTestCase

SCHEMA = "CREATE TABLE IF NOT EXISTS things (name TEXT PRIMARY KEY)"


class CacheFileTests(AuthTestCase):
    def open(self, path: Path) -> CacheFile:
        file = CacheFile(path=path, schema=SCHEMA)
        self.addCleanup(file.close)
        return file

    def names(self, file: CacheFile) -> list[str]:
        return [name for (name,) in file.connection.execute("SELECT name FROM things ORDER BY name")]

    def add(self, file: CacheFile, name: str) -> None:
        with file.writing() as connection:
            connection.execute("INSERT INTO things VALUES (?)", (name,))

    def test_shared(self) -> None:
        """What one process writes the other sees at once."""
        path = self.file()
        one, two = self.open(path), self.open(path)
        self.add(one, "a")
        self.add(two, "b")
        self.assertEqual(self.names(one), ["a", "b"])
        self.assertEqual(self.names(two), ["a", "b"])

    def test_private(self) -> None:
        """The file and its companions are the service's alone (LIMITS Files)."""
        path = self.file()
        self.add(self.open(path), "a")
        modes = {stat.S_IMODE(found.stat().st_mode) for found in path.parent.glob(f"{path.name}*")}
        self.assertEqual(modes, {0o600})

    def test_all_or_nothing(self) -> None:
        """A transaction that fails leaves nothing, and the next one works."""
        file = self.open(self.file())
        with self.assertRaises(ZeroDivisionError), file.writing() as connection:
            connection.execute("INSERT INTO things VALUES ('a')")
            _ = 1 / 0
        self.add(file, "b")
        self.assertEqual(self.names(file), ["b"])
        refusal = self.assertRaises(TemporaryFailure, self.add, file, "b")
        self.assertNotIn("UNIQUE", refusal.public)
        self.add(file, "c")

    def test_busy(self) -> None:
        """A writer that never ends makes the others fail for now, not hang."""
        path = self.file()
        one, two = self.open(path), self.open(path)
        two.connection.execute("PRAGMA busy_timeout=0")
        with one.writing():
            self.assertRaises(TemporaryFailure, self.add, two, "a")

    def test_damaged(self) -> None:
        """A damaged file is put aside, kept, and begun anew."""
        path = self.file()
        path.write_bytes(b"this was a database once" * 100)
        self.assertEqual(self.names(self.open(path)), [])
        self.assertTrue(path.with_name(f"{path.name}.damaged").read_bytes().startswith(b"this was"))

    def test_damaged_inside(self) -> None:
        """Damage beyond the first page is found too."""
        path = self.file()
        file = CacheFile(path=path, schema=SCHEMA)
        for number in range(2000):
            self.add(file, f"a thing with a long name {number}")
        file.close()
        octets = bytearray(path.read_bytes())
        octets[8192:20000] = b"\xff" * (20000 - 8192)
        path.write_bytes(octets)
        self.assertEqual(self.names(self.open(path)), [])

    def test_damaged_meanwhile(self) -> None:
        """Damage that shows while the file is in use fails that once; the next writer has a new file."""
        path = self.file()
        file = CacheFile(path=path, schema=SCHEMA, check=False)
        for number in range(2000):
            self.add(file, f"a thing with a long name {number}")
        file.close()
        octets = bytearray(path.read_bytes())
        octets[4096:] = b"\xff" * (len(octets) - 4096)
        path.write_bytes(octets)
        file = CacheFile(path=path, schema=SCHEMA, check=False)
        self.addCleanup(lambda: file.close())
        self.assertRaises(TemporaryFailure, self.add, file, "a thing")
        self.add(file, "b")
        self.assertEqual(self.names(file), ["b"])

    def test_damaged_for_readers(self) -> None:
        """A question that meets damage fails that once; the next one is put to a new file."""
        path = self.file()
        file = CacheFile(path=path, schema=SCHEMA)
        for number in range(2000):
            self.add(file, f"a thing with a long name {number}")
        file.close()
        octets = bytearray(path.read_bytes())
        octets[4096:] = b"\xff" * (len(octets) - 4096)
        path.write_bytes(octets)
        file = CacheFile(path=path, schema=SCHEMA, check=False)
        self.addCleanup(file.close)
        self.assertRaises(TemporaryFailure, file.ask, "SELECT name FROM things")
        self.assertEqual(file.ask("SELECT name FROM things"), [])
        self.add(file, "b")

    def test_cannot_be_opened_again(self) -> None:
        """Whoever meets damage while the file cannot be opened anew fails for now, and works again as soon as it can."""
        file = self.open(self.file())
        with self.assertRaises(TemporaryFailure), file.writing():
            raise sqlite3.DatabaseError("malformed")
        file._schema = "NONSENSE"
        self.assertRaises(TemporaryFailure, self.add, file, "a")
        self.assertRaises(TemporaryFailure, file.ask, "SELECT name FROM things")
        file._schema = SCHEMA
        self.add(file, "b")
        self.assertEqual(self.names(file), ["b"])

    def test_begun_anew_by_another_process(self) -> None:
        """Where one process has put a damaged file aside, the others go on with what it began."""
        path = self.file()
        one = self.open(path)
        self.add(one, "a")
        path.rename(path.with_name("aside"))
        for ending in ("-wal", "-shm"):
            path.with_name(path.name + ending).unlink()
        two = self.open(path)
        self.add(two, "b")
        self.assertEqual(one.ask("SELECT name FROM things"), [("b",)])
        self.add(one, "c")
        self.assertEqual(two.ask("SELECT name FROM things ORDER BY name"), [("b",), ("c",)])

    def test_not_openable(self) -> None:
        """What is no damage (no such directory) is told, not repaired."""
        self.assertRaises(ConfigurationError, CacheFile, path=self.file() / "x" / "y", schema=SCHEMA)
        self.assertRaises(sqlite3.OperationalError, CacheFile, path=self.file(), schema="NONSENSE")
