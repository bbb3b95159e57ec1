"""Several processes on one mailbox (ARCHITECTURE 8): any of them may serve it at any time, and no two can tell that the other is there."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections import Counter
from random import Random
from typing import Any

from tests.storage.ground import DiskGround
from tests.storage.one_of_many import ANN, FOLDERS

Told = list[list[Any]]
STEPS = 100


def placed(line: list[Any]) -> tuple[str, list[int]]:
    """Where messages went, by what was told, and the UIDs that they were given."""
    if line[0] == "append":
        return line[1], line[2]
    return (line[3], line[4]) if line[0] in ("copy", "move") else ("", [])


class Outsider:
    """A program that knows nothing of us: it delivers into INBOX, marks and removes files there, as fast as `turns` are given.

    `put` counts what it delivered; `taken` are the UIDs in the names of what it removed.
    """

    def __init__(self, place: str) -> None:
        self._place = place
        self._random = Random(7)
        self.put = 0
        self.taken: set[tuple[str, int]] = set()

    def turn(self) -> None:
        """One thing; who finds a file gone does something else another time."""
        what = self._random.choice([self._put, self._mark, self._mark, self._take])
        try:
            what()
        except FileNotFoundError:
            pass

    def _some_file(self) -> tuple[str, str]:
        names = [(part, name) for part in ("cur", "new") for name in os.listdir(os.path.join(self._place, part))]
        if not names:
            raise FileNotFoundError
        return self._random.choice(sorted(names))

    def _put(self) -> None:
        name = f"1700000000.{self.put}.outside"
        path = os.path.join(self._place, "tmp", name)
        with open(path, "wb") as file:
            file.write(b"Subject: outside\n\nx\n")
        os.rename(path, os.path.join(self._place, "new", name))
        self.put += 1

    def _mark(self) -> None:
        part, name = self._some_file()
        base, _, info = name.partition(":2,")
        marked = f"{base}:2,{''.join(sorted({*info, self._random.choice('FRS')}))}"
        os.rename(os.path.join(self._place, part, name), os.path.join(self._place, "cur", marked))

    def _take(self) -> None:
        part, name = self._some_file()
        if found := re.search(r",U=(\d+)", name):
            os.unlink(os.path.join(self._place, part, name))
            self.taken.add(("INBOX", int(found[1])))


class ProcessesTests(DiskGround):
    """Three processes do a hundred things each, at random, as fast as they can."""

    def begin(self, count: int = 3) -> list[subprocess.Popen[str]]:
        """They are started before any of them may go on, on a mailbox that is not there yet."""
        processes = []
        for number in range(count):
            command = [sys.executable, "-m", "tests.storage.one_of_many", self.store.data_dir, str(number), str(STEPS)]
            process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
            self.addCleanup(process.communicate)
            self.addCleanup(process.kill)
            processes.append(process)
        for process in processes:
            self.go(process)
        return processes

    def go(self, process: subprocess.Popen[str]) -> None:
        assert process.stdin is not None
        process.stdin.write("\n")
        process.stdin.flush()

    def told(self, process: subprocess.Popen[str]) -> Told:
        """Until it has done all."""
        assert process.stdout is not None
        lines: Told = []
        for line in process.stdout:
            lines.append(json.loads(line))
            if lines[-1] == ["done"]:
                return lines[:-1]
        raise AssertionError(f"a process ended by itself after {lines[-3:]}")

    def views(self, processes: list[subprocess.Popen[str]]) -> Any:
        """What every one of them sees, which is the same."""
        found = []
        for process in processes:
            text, _ = process.communicate("\n")
            self.assertEqual(process.returncode, 0)
            found.append([json.loads(line) for line in text.splitlines()])
        for view in found[1:]:
            self.assertEqual(view, found[0])
        return {words[1]: words[2:] for words in found[0] if words[0] == "sees"}, found[0][-1][1]

    def given(self, journals: list[Told]) -> Counter[tuple[str, int]]:
        """(folder, UID) of all that was placed and answered; in each process UIDs only rise."""
        given: Counter[tuple[str, int]] = Counter()
        for journal in journals:
            highest = dict.fromkeys(FOLDERS, 0)
            for line in journal:
                target, uids = placed(line)
                for uid in uids:
                    self.assertGreater(uid, highest[target])
                    highest[target] = uid
                    given[target, uid] += 1
        return given

    def removed(self, journals: list[Told]) -> Counter[tuple[str, int]]:
        """(folder, UID) of all that was expunged or moved."""
        return Counter(
            (line[1], uid)
            for journal in journals
            for line in journal
            if line[0] in ("expunge", "move")
            for uid in line[2]
        )

    def check_flags(self, journals: list[Told], views: Any) -> None:
        """Only one process touches its keyword: the last that it did to a message that is there holds."""
        for number, journal in enumerate(journals):
            last = {(line[1], uid): line[3] for line in journal if line[0] == "flag" for uid in line[2]}
            for name, (_, _, rows, keywords) in views.items():
                for uid, flags in rows:
                    if (name, uid) in last:
                        is_set = f"P{number}" in keywords and bool(flags >> 5 + keywords.index(f"P{number}") & 1)
                        self.assertEqual(is_set, last[name, uid] == "add", (name, uid))

    def check_content(self, journals: list[Told], views: Any) -> None:
        """Usage is what is there, the index what the tree is, and a message that kept its UID kept its octets."""
        subjects = {(line[1], line[2][0]): line[3] for journal in journals for line in journal if line[0] == "append"}
        for name in FOLDERS:
            folder = self.get(self.get(self.store.open(ANN)).folder(name))
            for uid in self.get(folder.snapshot()).uids:
                subject = self.get(self.read(folder, uid)).split(b"\r\n")[0].decode()
                self.assertEqual(subject, f"Subject: {subjects.get((name, uid), subject[9:])}")
        self.assertEqual(self.get(self.store.verify(ANN))["problems"], [])

    def used(self) -> int:
        return sum(self.get(self.get(self.get(self.store.open(ANN)).folder(name)).status()).size for name in FOLDERS)

    def test_side_by_side(self) -> None:
        """No UID twice, nothing lost, every flag kept, usage exact; all see the same."""
        processes = self.begin()
        journals = [self.told(process) for process in processes]
        views, used = self.views(processes)
        given, removed = self.given(journals), self.removed(journals)
        self.assertEqual(set(given.values()), {1}, "a UID was given twice")
        self.assertEqual(set(removed.values()), {1}, "a message was removed twice")
        there = {(name, uid) for name, (_, _, rows, _) in views.items() for uid, _ in rows}
        self.assertEqual(there & removed.keys(), set())
        self.assertEqual(given.keys() - removed.keys() - there, set())
        deliveries = sum(line[0] == "deliver" for journal in journals for line in journal)
        self.assertEqual(len((there | removed.keys()) - given.keys()), deliveries)
        for name, (_, uidnext, _, _) in views.items():
            self.assertGreater(uidnext, max(uid for folder, uid in {*given, *removed, *there} if folder == name))
        self.check_flags(journals, views)
        self.check_content(journals, views)
        self.assertEqual(used, self.used())

    def test_beside_another_program(self) -> None:
        """The same while a program that knows nothing of us changes files: what it did not remove is there, once, with its flags."""
        processes = self.begin()
        outsider = Outsider(self.place())
        journals: list[Told] = [[] for _ in processes]
        for number, process in enumerate(processes):
            assert process.stdout is not None
            for line in process.stdout:
                journals[number].append(json.loads(line))
                if journals[number][-1] == ["done"]:
                    break
                if os.path.isdir(self.place("new")):
                    outsider.turn()
        views, used = self.views(processes)
        given, removed = self.given(journals), self.removed(journals)
        self.assertEqual(set(given.values()), {1}, "a UID was given twice")
        there = {(name, uid) for name, (_, _, rows, _) in views.items() for uid, _ in rows}
        self.assertEqual(there & removed.keys(), set())
        self.assertEqual(given.keys() - removed.keys() - outsider.taken - there, set())
        deliveries = outsider.put + sum(line[0] == "deliver" for journal in journals for line in journal)
        self.assertEqual(len((there | removed.keys() | outsider.taken) - given.keys()), deliveries)
        self.check_flags(journals, views)
        self.check_content(journals, views)
        self.assertEqual(used, self.used())

    def test_one_is_killed(self) -> None:
        """kill -9 in the middle of what it does costs the others nothing: what was answered holds, no UID is given twice."""
        *others, victim = self.begin()
        assert victim.stdout is not None
        told = [json.loads(victim.stdout.readline()) for _ in range(STEPS // 4)]
        victim.kill()
        told += [json.loads(line) for line in victim.communicate()[0].splitlines() if line.endswith("]")]
        journals = [told, *(self.told(process) for process in others)]
        views, used = self.views(others)
        given, removed = self.given(journals), self.removed(journals)
        self.assertEqual(set(given.values()) | set(removed.values()), {1})
        there = {(name, uid) for name, (_, _, rows, _) in views.items() for uid, _ in rows}
        self.assertEqual(there & removed.keys(), set())
        self.assertLessEqual(len(given.keys() - removed.keys() - there), 5, "more is gone than the last thing it did")
        self.check_content(journals, views)
        self.assertEqual(used, self.used())
