"""Messages on their way into a folder that lives in memory."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from zope.interface import implementer

from hostmail.errors import MessageGone, MessageTooBig, NoSuchFolder
from hostmail.interfaces.directory import Usage
from hostmail.interfaces.mailstore import IIncoming, Placed

if TYPE_CHECKING:
    from hostmail.storage.memory_account import AccountState
    from hostmail.storage.memory_folder import FolderState, MemoryFolder


@implementer(IIncoming)
class MemoryIncoming:
    """One message being appended."""

    def __init__(self, account: AccountState, state: FolderState, flags: int, date: int | None) -> None:
        self._account = account
        self._state = state
        self._chunks: list[bytes] = []
        self._done = False
        self.flags = flags
        self.date = date

    def write(self, chunk: bytes) -> None:
        """More octets."""
        self._chunks.append(chunk)

    async def commit(self) -> Placed:
        """Visible; raises OverQuota, MessageTooBig, NoSuchFolder if the folder was deleted meanwhile."""
        return commit_all(self._account, self._state, [self], None)

    def take(self) -> bytes:
        """All of it, once."""
        if self._done:
            raise RuntimeError("commit after commit or abort")
        self._done = True
        return b"".join(self._chunks)

    def abort(self) -> None:
        """Forget it."""
        self._done = True
        self._chunks.clear()


def commit_all(
    account: AccountState,
    state: FolderState,
    incoming: Sequence[MemoryIncoming],
    replaced: tuple[MemoryFolder, int] | None,
) -> Placed:
    """See `IFolder.commit_all`."""
    contents = [message.take() for message in incoming]
    if state.gone:
        raise NoSuchFolder
    if any(len(content) > account.message_size_limit for content in contents):
        raise MessageTooBig
    if replaced is not None and replaced[1] not in replaced[0].state.rows:
        raise MessageGone
    account.charge(Usage(sum(map(len, contents)), len(contents)))
    uids = [
        account.add(state, content, message.flags, message.date)
        for message, content in zip(incoming, contents, strict=True)
    ]
    if replaced is not None:
        with account.shrinking():
            replaced[0].state.remove([replaced[1]])
        account.changed(replaced[0].state.name)
    return Placed(state.uidvalidity, [], uids)
