"""The store over Maildir trees keeps what every store promises."""

from __future__ import annotations

from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.trial.unittest import TestCase

from hostmail.storage.folder import Folder
from hostmail.storage.store import MaildirStore
from hostmail.threads import Threads
from tests.contracts.fakes import FakeEvents, FakeUsage
from tests.contracts.mailstore import MailStoreContract


class MaildirStoreContract(MailStoreContract, TestCase):
    """With real threads; a restart closes all files and opens them anew."""

    def make_store(self, usage: FakeUsage, events: FakeEvents, message_size_limit: int) -> MaildirStore:
        self.threads = Threads(reactor, 4, "storage")
        self.addCleanup(self.threads.stop)
        self.made_with = {"usage": usage, "events": events, "message_size_limit": message_size_limit}
        return self.make_again(self.mktemp())

    def make_again(self, data_dir: str) -> MaildirStore:
        return MaildirStore(data_dir, self.threads.run, reactor, **self.made_with)

    def make_spool(self) -> object:
        return self.store.spool

    async def indexed(self, folder: Folder) -> None:
        filler = folder._store.filler
        filler.worthwhile = 1
        uids = list((await folder.snapshot()).uids)
        await folder.candidates("words", uids)
        await filler.finished()

    async def restart(self, store: MaildirStore) -> MaildirStore:
        await store.close()
        return self.make_again(store.data_dir)


class OtherProcessContract(MaildirStoreContract):
    """The same when another process looks at everything: each test's store is not the one that opened the mailbox first."""

    async def folder(self, name: str = "INBOX", account: object = None) -> object:
        store = self.make_again(self.store.data_dir)
        self.addCleanup(lambda: Deferred.fromCoroutine(store.close()))
        return await (await store.open(account or self.ann)).folder(name)
