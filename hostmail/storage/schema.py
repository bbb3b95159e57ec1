"""The index database: one SQLite file (WAL) per account, with all its folders.

It is a cache of the tree (ARCHITECTURE 3): message names carry UIDs, sizes and flags, so that a lost index costs
MODSEQs and ready-made ENVELOPEs, and nothing else. Hence synchronous=NORMAL: a power cut may take the
last commits, and the next scan of the tree brings them back.

A message's key is `box << 32 | uid`: one integer, ordered by folder and UID. The ids of boxes begin somewhere else in each
new index, so that nobody who remembers one from before takes another folder for his.
"""

from __future__ import annotations

import secrets

import apsw

VERSION = 5
BUSY_TIMEOUT_MS = 10_000
UID_BITS = 32

CACHE = """
CREATE TABLE cache (
    id INTEGER PRIMARY KEY,
    envelope BLOB NOT NULL, bodystructure BLOB NOT NULL, body BLOB NOT NULL, header_size INTEGER NOT NULL,
    sent_date INTEGER, sent_day INTEGER, refs BLOB NOT NULL, digest BLOB NOT NULL, head TEXT, fields BLOB
);
"""
SEEN = """
CREATE TABLE IF NOT EXISTS boot (box INTEGER PRIMARY KEY, id TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS words (box INTEGER PRIMARY KEY, size INTEGER NOT NULL, base INTEGER NOT NULL);
"""
SCHEMA = f"""{CACHE}{SEEN}CREATE TABLE account (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    last_uidvalidity INTEGER NOT NULL,
    mtime INTEGER NOT NULL, recheck INTEGER NOT NULL, ready INTEGER NOT NULL
);
CREATE TABLE box (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    directory TEXT NOT NULL UNIQUE, special_use TEXT NOT NULL,
    uidvalidity INTEGER NOT NULL, uidnext INTEGER NOT NULL, mark INTEGER NOT NULL,
    modseq INTEGER NOT NULL, floor INTEGER NOT NULL, first_recent INTEGER NOT NULL, scanned INTEGER NOT NULL,
    bytes INTEGER NOT NULL, messages INTEGER NOT NULL,
    new_mtime INTEGER NOT NULL, new_recheck INTEGER NOT NULL, cur_mtime INTEGER NOT NULL, cur_recheck INTEGER NOT NULL
);
CREATE TABLE keyword (box INTEGER NOT NULL, bit INTEGER NOT NULL, name TEXT NOT NULL, PRIMARY KEY (box, bit)) WITHOUT ROWID;
CREATE TABLE msg (
    id INTEGER PRIMARY KEY, box INTEGER NOT NULL, modseq INTEGER NOT NULL, flags INTEGER NOT NULL,
    size INTEGER NOT NULL, date INTEGER NOT NULL, place INTEGER NOT NULL, converted INTEGER NOT NULL, name TEXT NOT NULL
);
CREATE INDEX msg_modseq ON msg (box, modseq);
CREATE TABLE expunged (box INTEGER NOT NULL, modseq INTEGER NOT NULL, uid INTEGER NOT NULL, PRIMARY KEY (box, modseq, uid)) WITHOUT ROWID;
CREATE TABLE uidl (id INTEGER PRIMARY KEY, uidl TEXT NOT NULL);
CREATE TABLE columns (box INTEGER PRIMARY KEY, modseq INTEGER NOT NULL, data BLOB NOT NULL);
INSERT INTO account VALUES (1, 0, 0, 0, 0);
"""


class WrongVersion(Exception):
    """The file is an index of another version: it is rebuilt."""


def connect(path: str) -> apsw.Connection:
    """Open the index, made if it is not there; `account.ready` is 0 until the tree has been read into it.

    Raises apsw.CorruptError, apsw.NotADBError or WrongVersion for a file that has to be rebuilt.
    """
    connection = apsw.Connection(path)
    try:
        connection.set_busy_timeout(BUSY_TIMEOUT_MS)
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=NORMAL")
        connection.execute("PRAGMA cache_size=-1024")
        if connection.pragma("user_version") != VERSION:
            _create(connection)
    except BaseException:
        connection.close()
        raise
    return connection


def _create(connection: apsw.Connection) -> None:
    connection.execute("BEGIN IMMEDIATE")
    try:
        version = connection.pragma("user_version")
        if version == 0:
            connection.execute(SCHEMA)
            connection.execute("INSERT INTO sqlite_sequence (name, seq) VALUES ('box', ?)", (secrets.randbits(30),))
            connection.execute(f"PRAGMA user_version={VERSION}")
        elif version in (2, 3):
            connection.execute(f"DROP TABLE cache; {CACHE}{SEEN}PRAGMA user_version={VERSION}")
        elif version == 4:
            connection.execute(f"{SEEN}PRAGMA user_version={VERSION}")
        elif version != VERSION:
            raise WrongVersion(str(version))
        connection.execute("COMMIT")
    except BaseException:
        connection.execute("ROLLBACK")
        raise
