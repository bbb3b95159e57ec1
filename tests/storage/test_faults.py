"""Each system call of each change fails once: what was there stays, what was not answered with success leaves nothing."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Coroutine
from typing import Any

from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

from hostmail.errors import OutOfSpace, Refusal, TemporaryFailure
from hostmail.interfaces.directory import Usage
from hostmail.interfaces.mailstore import Drop, Flag
from tests.contracts.mailstore_base import LETTER
from tests.storage.ground import DiskGround

NUMBERS = (errno.EMFILE, errno.ENOSPC, errno.EIO)
OPERATIONS = (
    *("open_nameless", "open_new", "open_directory", "open_read", "write", "fdatasync", "fsync"),
    *(
        "link",
        "link_open_file",
        "rename",
        "unlink",
        "make_directory",
        "listdir",
        "sync_directory",
        "replace_file",
        "append_file",
    ),
)


class FaultTests(DiskGround):
    """Two messages, and a change that meets a fault at every operation in turn."""

    def setUp(self) -> None:
        super().setUp()
        self.inbox = self.get(self.fill([LETTER, LETTER]))
        self.get(self.fill([LETTER], "Work"))

    def try_at_each_step(
        self, change: Callable[[], Coroutine[Any, Any, object]], untouched: Callable[[], None]
    ) -> None:
        """The fault comes at the first, second... call of each operation, until the change meets none any more."""
        for operation in OPERATIONS:
            for number in NUMBERS:
                for step in range(20):
                    left = [step]
                    met = self.arm(operation, number, left)
                    refusal = self.refused_with(change())
                    self.disk.faults.clear()
                    if refusal is not None:
                        wanted = OutOfSpace if number == errno.ENOSPC else TemporaryFailure
                        self.assertIsInstance(refusal, wanted, f"{operation} {step}")
                        untouched()
                    self.assert_clean(f"{operation} {step}")
                    if not met:
                        break

    def refused_with(self, change: Coroutine[Any, Any, object]) -> Refusal | None:
        answers: list[object] = []
        Deferred.fromCoroutine(change).addBoth(answers.append)
        (answer,) = answers
        if not isinstance(answer, Failure):
            return None
        answer.trap(Refusal)
        found: Refusal = answer.value
        return found

    def arm(self, operation: str, number: int, left: list[int]) -> list[int]:
        met: list[int] = []

        def fault() -> None:
            left[0] -= 1
            if left[0] < 0 and not met:
                met.append(1)
                raise OSError(number, os.strerror(number))

        self.disk.faults[operation] = fault
        return met

    def assert_clean(self, when: str) -> None:
        """Nothing in tmp or in the spool, no half-written file, and index, tree and usage agree."""
        for directory, _, files in os.walk(self.root()):
            self.assertEqual([name for name in files if name.endswith(".new")], [], f"{directory} {when}")
            if os.path.basename(directory) == "tmp":
                self.assertEqual(files, [], f"{directory} {when}")
        self.assertEqual(os.listdir(self.store.spool.directory), [])
        for folder in ("INBOX", "Work"):
            self.get(self.get(self.folder(folder)).snapshot())
        self.assertEqual(self.get(self.store.verify(self.ann))["problems"], [], when)
        used = self.get(self.store.room(self.ann)).used
        self.assertEqual(self.usage.accounts[self.ann.id], used)

    def count(self, folder: str = "INBOX") -> int:
        return len(self.get(self.contents(self.get(self.folder(folder)))))

    def test_append(self) -> None:
        """APPEND."""
        counted = [2]

        async def change() -> None:
            await self.append(self.inbox, LETTER, flags=Flag.SEEN)
            counted[0] += 1

        self.try_at_each_step(change, lambda: self.assertEqual(self.count(), counted[0]))
        self.assertEqual(
            self.get(self.store.room(self.ann)).used, Usage((counted[0] + 1) * len(LETTER), counted[0] + 1)
        )

    def test_append_with_a_new_keyword(self) -> None:
        """A keyword is written down before a name uses it, and one that has no letter before it is told."""
        counted = [0]

        async def change() -> None:
            counted[0] += 1
            await self.append(self.inbox, LETTER, keywords=[f"word{counted[0]}"])

        self.try_at_each_step(change, lambda: None)
        flags = self.get(self.flags(self.inbox))
        self.get(self.store.close())
        self.drop_index()
        self.store = self.store_on(self.store.data_dir)
        again = self.get(self.flags(self.get(self.folder())))
        self.assertEqual(again, flags)

    def test_copy(self) -> None:
        """COPY: all or none."""
        counted = [1]

        async def change() -> None:
            await self.inbox.copy([1, 2], "Work")
            counted[0] += 2

        self.try_at_each_step(change, lambda: self.assertEqual(self.count("Work"), counted[0]))

    def test_move(self) -> None:
        """MOVE, there and back."""

        async def change() -> None:
            source, target = ("INBOX", "Work") if self.at_home else ("Work", "INBOX")
            folder = await self.folder(source)
            uids = list((await folder.snapshot()).uids)
            await folder.move(uids[:1], target)
            self.at_home = not self.at_home

        self.at_home = True
        self.try_at_each_step(change, lambda: self.assertEqual(self.count() + self.count("Work"), 3))
        self.assertEqual(self.count() + self.count("Work"), 3)

    def test_replace(self) -> None:
        """REPLACE: the old message is there or the new one, and not both, so that whoever tries again does not have one more."""

        async def change() -> None:
            faults, self.disk.faults = self.disk.faults, {}
            last = (await self.inbox.snapshot()).uids[-1]
            self.disk.faults = faults
            incoming = await self.inbox.begin_append(len(LETTER))
            incoming.write(LETTER)
            await self.inbox.commit_all([incoming], (self.inbox, last))

        self.try_at_each_step(change, lambda: self.assertEqual(self.count(), 2))
        self.assertEqual(self.count(), 2)

    def test_store(self) -> None:
        """STORE: a failure leaves every message with one name, and its flags in it."""

        async def change() -> None:
            self.turn = not self.turn
            await self.inbox.set_flags([1, 2], "add" if self.turn else "remove", Flag.SEEN | Flag.FLAGGED, [])

        self.turn = False
        self.try_at_each_step(change, lambda: self.assertEqual(self.count(), 2))

    def test_expunge(self) -> None:
        """EXPUNGE: the message is there, or it is gone."""

        async def change() -> None:
            faults, self.disk.faults = self.disk.faults, {}
            await self.deliver([Drop(self.ann, b"")])
            last = (await self.inbox.snapshot()).uids[-1]
            self.disk.faults = faults
            self.assertEqual(await self.inbox.expunge([last], only_deleted=False), [last])

        self.try_at_each_step(change, lambda: None)
        self.assertEqual(list(self.get(self.inbox.snapshot()).uids)[:2], [1, 2])

    def test_folders(self) -> None:
        """CREATE, RENAME and DELETE."""
        number = [0]

        async def change() -> None:
            number[0] += 1
            account = await self.store.open(self.ann)
            try:
                await account.create(f"New {number[0]}")
                await account.rename(f"New {number[0]}", f"Other {number[0]}")
                await account.delete(f"Other {number[0]}")
            finally:
                account.close()

        self.try_at_each_step(change, lambda: self.assertEqual(self.count(), 2))

    def test_new_mailbox(self) -> None:
        """The first delivery of all: what was begun is finished by the next one."""
        for operation in OPERATIONS:
            for step in range(20):
                account = self.make_account(f"new{operation.replace('_', '')}{step}")
                met = self.arm(operation, errno.ENOSPC, [step])
                self.get(self.deliver([Drop(account, b"")]))
                self.disk.faults.clear()
                self.assertEqual(self.get(self.deliver([Drop(account, b"")])), [None])
                self.assertEqual(self.get(self.store.verify(account))["problems"], [])
                if not met:
                    break


class LongNameTests(DiskGround):
    def test_folder(self) -> None:
        """A folder whose name fills its directory entry lives like any other."""
        old, new = "x" * 254, "y" * 254
        account = self.get(self.store.open(self.ann))
        self.get(account.create(old))
        self.get(self.fill([LETTER], old))
        self.get(account.rename(old, new))
        self.assertEqual(self.get(self.contents(self.get(self.folder(new)))), [LETTER])
        self.get(account.subscribe(new, True))
        self.get(account.delete(new))
        self.assertNotIn(new, [info.name for info in self.get(account.folders())])

    def test_foreign_message(self) -> None:
        """A foreign file whose name is long has room for all flags and keywords."""
        inbox = self.get(self.fill([LETTER]))
        for length in range(195, 252, 7):
            self.put("1600000000." + "m" * (length - 11), LETTER, place="new")
        uids = list(self.get(inbox.snapshot()).uids)
        self.assertEqual(len(uids), 10)
        self.get(inbox.set_flags(uids, "add", 31, [f"word{number}" for number in range(26)]))
        self.assertEqual(set(self.get(inbox.snapshot()).flags), {(1 << 31) - 1})
        self.get(self.store.close())
        self.drop_index()
        self.store = self.store_on(self.store.data_dir)
        self.assertEqual(set(self.get(self.get(self.folder()).snapshot()).flags), {(1 << 31) - 1})
