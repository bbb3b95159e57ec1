"""Another process of ours on a mailbox of a running service, as a second worker would be: it does what it is told, line by line."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.task import Clock

from hostmail.interfaces.directory import Account
from hostmail.interfaces.mailstore import Flag
from hostmail.storage.store import MaildirStore
from tests.storage.ground import at_once


async def do(store: MaildirStore, account: Account, words: list[str]) -> Any:
    """append SUBJECT | flag UID WORD | expunge UID | move UID FOLDER | uids"""
    folder = await (await store.open(account)).folder("INBOX")
    match words:
        case ["append", subject]:
            letter = f"Subject: {subject}\r\n\r\n".encode()
            incoming = await folder.begin_append(len(letter))
            incoming.write(letter)
            return list((await incoming.commit()).target_uids)
        case ["flag", uid, word]:
            return len((await folder.set_flags([int(uid)], "add", Flag.FLAGGED, [word])).changed)
        case ["expunge", uid]:
            return await folder.expunge([int(uid)], only_deleted=False)
        case ["move", uid, target]:
            return list((await folder.move([int(uid)], target)).target_uids)
        case _:
            return list((await folder.snapshot()).uids)


def main() -> None:
    """`root` is DATA/domains/DOMAIN/DIRECTORY."""
    root = Path(sys.argv[1])
    account = Account(1, f"x@{root.parent.name}", root.parent.name, root.name)
    store = MaildirStore(str(root.parents[2]), at_once, Clock())
    for line in sys.stdin:
        answer: list[Any] = []
        Deferred.fromCoroutine(do(store, account, line.split())).addCallback(answer.append)
        sys.stdout.write(f"{answer[0]}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
