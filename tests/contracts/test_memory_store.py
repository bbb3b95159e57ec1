"""The store in memory keeps what every store promises."""

from __future__ import annotations

from twisted.trial.unittest import TestCase

from hostmail.storage.memory import MemorySpool, MemoryStore
from tests.contracts.fakes import FakeEvents, FakeUsage
from tests.contracts.mailstore import MailStoreContract


class MemoryStoreContract(MailStoreContract, TestCase):
    """Its "restart" keeps the objects: there is no disk to come back from."""

    def make_store(self, usage: FakeUsage, events: FakeEvents, message_size_limit: int) -> MemoryStore:
        return MemoryStore(usage=usage, events=events, message_size_limit=message_size_limit)

    def make_spool(self) -> MemorySpool:
        return MemorySpool()

    async def restart(self, store: MemoryStore) -> MemoryStore:
        await store.close()
        return store
