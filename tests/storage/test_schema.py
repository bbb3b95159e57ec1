"""The index file and its versions."""

from __future__ import annotations

import apsw
from twisted.trial.unittest import SynchronousTestCase

from hostmail.storage import schema
from tests.contracts.mailstore_base import LETTER
from tests.storage.ground import DiskGround


class UpgradeTests(DiskGround):
    def test_facts_of_version_2_are_made_anew(self) -> None:
        """An index that kept no searchable fields keeps all it knows but the facts, which are read from the messages again."""
        inbox = self.get(self.fill([LETTER] * 2))
        modseq = self.get(inbox.snapshot()).highestmodseq
        self.get(self.store.close())
        path = f"{self.root()}/index.sqlite"
        database = apsw.Connection(path)
        database.execute("ALTER TABLE cache DROP COLUMN head; PRAGMA user_version=2")
        database.close()
        self.store = self.store_on(self.store.data_dir)
        inbox = self.get(self.folder())
        self.assertEqual(self.get(inbox.snapshot()).highestmodseq, modseq)
        heads = self.get(inbox.cached_columns([1, 2], ["head"]))
        self.assertEqual(heads, [(uid, "\0fbob <bob@example.net>\0tann@example.com\0shello") for uid in (1, 2)])

    def test_version_4_did_not_know_when_the_machine_started(self) -> None:
        """Its messages keep their UIDs, and count as changed once: whether something was lost before cannot be told."""
        inbox = self.get(self.fill([LETTER] * 2))
        modseq = self.get(inbox.snapshot()).highestmodseq
        self.get(self.store.close())
        database = apsw.Connection(f"{self.root()}/index.sqlite")
        database.execute("DROP TABLE boot; PRAGMA user_version=4")
        database.close()
        self.store = self.store_on(self.store.data_dir)
        snapshot = self.get(self.get(self.folder()).snapshot())
        self.assertEqual(list(snapshot.uids), [1, 2])
        self.assertGreater(min(snapshot.modseqs), modseq)


class VersionTests(SynchronousTestCase):
    def test_other_versions(self) -> None:
        """A file of another version is not touched."""
        path = self.mktemp()
        database = apsw.Connection(path)
        database.execute("PRAGMA user_version=99")
        self.assertRaises(schema.WrongVersion, schema.connect, path)
        self.assertEqual(database.pragma("user_version"), 99)
