"""What a costly message costs: work and octets read are counted, not time, and grow no faster than the message, up to a bound."""

from __future__ import annotations

import sys
from collections.abc import Callable
from itertools import pairwise
from typing import Any

from tests.corpus.nasty import letters_in_letters, many_parts, nested
from tests.protocols.house import DiskCase
from tests.storage.ground import FaultyDisk

GREEDY: dict[str, Callable[[int], bytes]] = {
    "parts": many_parts,
    "levels": lambda size: nested(size // 20),
    "letters in letters": lambda size: letters_in_letters(size // 20),
    "fields": lambda size: b"".join(b"X-%d: y\r\n" % number for number in range(size)) + b"\r\nbody\r\n",
    "one field": lambda size: b"Subject: " + b"x" * size * 10 + b"\r\n\r\n",
    "folded lines": lambda size: b"Subject: x" + b"\r\n y" * size + b"\r\n\r\n",
    "recipients": lambda size: b"To: " + b"someone@example.net, " * size + b"\r\n\r\n",
    "groups": lambda size: b"To: " + b"g:a@b,c@d;" * size + b"\r\n\r\n",
    "comments": lambda size: b"From: " + b"(" * size + b")" * size + b" a@b\r\n\r\n",
    "quotes": lambda size: b"From: " + b'"\\"' * size + b" a@b\r\n\r\n",
    "parameters": lambda size: b"Content-Type: text/plain" + b"; a=b" * size + b"\r\n\r\n",
    "continuations": lambda size: (
        b"Content-Type: text/plain" + b"".join(b";\r\n name*%d*=%%e4" % number for number in range(size)) + b"\r\n\r\n"
    ),
    "encoded words": lambda size: b"Subject: " + b"=?utf-8?B?w6Q=?= " * size + b"\r\n\r\n",
    "false boundaries": lambda size: b"Content-Type: multipart/mixed; boundary=x\r\n\r\n" + b"--xx\r\n" * size,
    "base64": lambda size: b"Content-Transfer-Encoding: base64\r\n\r\n" + b"QUFB" * size,
}
QUESTIONS = (
    *(b"ENVELOPE", b"BODYSTRUCTURE", b"BODY.PEEK[HEADER]", b"BODY.PEEK[1.MIME]", b"BODY.PEEK[1.1.1.1]"),
    *(b"BODY.PEEK[500]", b"BODY.PEEK[]<100.10>", b"BODY.PEEK[HEADER.FIELDS (X-7)]", b"PREVIEW", b"BINARY.SIZE[1]"),
)
SIZES = (4_000, 8_000, 16_000)
LINEAR, SOME = 2.5, 2_000


class CountingDisk(FaultyDisk):
    """Counts the octets that are read from files."""

    def __init__(self) -> None:
        super().__init__()
        self.octets = 0

    def pread(self, fd: int, length: int, offset: int) -> bytes:  # type: ignore[override]
        data = super().pread(fd, length, offset)
        self.octets += len(data)
        return data


def steps_of(work: Callable[[], Any]) -> int:
    """How many calls of functions, Python's and C's, it takes."""
    counted = 0

    def count(frame: Any, event: str, argument: Any) -> None:
        nonlocal counted
        counted += event in ("call", "c_call")

    sys.setprofile(count)
    try:
        work()
    finally:
        sys.setprofile(None)
    return counted


class BoundedTests(DiskCase):
    def setUp(self) -> None:
        super().setUp()
        self.disk = CountingDisk()
        self.store._tools.disk = self.disk

    def ask(self, message: bytes, number: int) -> dict[bytes, tuple[int, int]]:
        """(calls, octets read) of each question about a message that nobody has looked at before."""
        talk = self.ann(b"INBOX")
        self.drop(f"17000000{number:02d}.M{number}.host", message)
        talk.last(b"NOOP")
        found = {}
        for question in QUESTIONS:
            self.disk.octets = 0
            calls = steps_of(lambda item=question: self.fetched(talk, item, number))  # type: ignore[misc]
            found[question] = (calls, self.disk.octets)
        talk.hangs_up()
        return found

    def test_no_question_costs_more_than_the_message_is_long(self) -> None:
        """Twice the message is at most twice the work, for each way to make messages greedy; nothing is read twice over."""
        number = 0
        for name, make in GREEDY.items():
            costs = []
            for size in SIZES:
                number += 1
                message = make(size)
                costs.append(self.ask(message, number))
                for question, (_, octets) in costs[-1].items():
                    self.assertLessEqual(octets, 2 * len(message) + 4096, (name, question))
            for question in QUESTIONS:
                calls = [cost[question][0] for cost in costs]
                for less, more in pairwise(calls):
                    self.assertLess(more, LINEAR * less + SOME, (name, question, calls))
