"""A client that goes by NOTIFY alone knows at any time how things stand (RFC 5465), whoever has done what."""

from __future__ import annotations

import re
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from hostmail.interfaces.mailstore import IAccountStore
from tests.protocols.imap.talk import ANN, HELLO, ImapCase, Talk

NAMES = ["INBOX", "A", "A/B", "A/B/C", "D", "Sent"]
EVENTS = (
    b"(MessageNew MessageExpunge FlagChange MailboxName SubscriptionChange MailboxMetadataChange ServerMetadataChange)"
)
LISTED = re.compile(rb'\* LIST \(([^)]*)\) "/" (\S+)(?: \("OLDNAME" \((\S+)\)\))?')
COUNTED = re.compile(rb"\* STATUS (\S+) \(MESSAGES (\d+) UIDNEXT (\d+) UIDVALIDITY \d+ UNSEEN (\d+)")
ANNOTATED = re.compile(rb"\* METADATA (\S+) (.*)")
EMPTY = (0, 1, 0)

names = st.sampled_from(NAMES)
changes = st.one_of(
    st.tuples(st.sampled_from(["create", "delete", "subscribe", "unsubscribe", "append", "see", "expunge"]), names),
    st.tuples(st.just("rename"), names, names),
    st.tuples(st.just("annotate"), st.sampled_from([*NAMES, ""]), st.sampled_from(["/private/a", "/shared/b"])),
)
steps = st.lists(st.tuples(st.booleans(), changes, st.booleans()), max_size=25)


class Known:
    """What the client knows: of each folder (messages, UIDNEXT, unseen); subscriptions; metadata by (folder, name)."""

    def __init__(self) -> None:
        self.counts: dict[str, tuple[int, int, int]] = {}
        self.subscribed: set[str] = set()
        self.metadata: dict[tuple[str, str], bytes] = {}
        self.stale: set[tuple[str, str]] = set()

    def hears(self, line: bytes) -> None:
        if found := LISTED.fullmatch(line):
            flags, name, old = found[1].split(), found[2].decode(), (found[3] or b"").decode()
            if old:
                self.renamed(old, name)
            if b"\\NonExistent" in flags:
                self.deleted(name)
            else:
                self.counts.setdefault(name, EMPTY)
            (self.subscribed.add if b"\\Subscribed" in flags else self.subscribed.discard)(name)
        elif found := COUNTED.match(line):
            self.counts[found[1].decode()] = (int(found[2]), int(found[3]), int(found[4]))
        elif found := ANNOTATED.fullmatch(line):
            self.stale.update((found[1].decode().strip('"'), name.decode()) for name in found[2].split())
        elif not line.startswith(b"* OK"):
            raise AssertionError(line)

    def renamed(self, old: str, new: str) -> None:
        for name in [name for name in self.counts if f"{name}/".startswith(f"{old}/")]:
            self.counts[new + name[len(old) :]] = self.counts.pop(name)
        for folder, name in [key for key in self.metadata if f"{key[0]}/".startswith(f"{old}/")]:
            self.metadata[new + folder[len(old) :], name] = self.metadata.pop((folder, name))

    def deleted(self, folder: str) -> None:
        self.counts.pop(folder, None)
        self.metadata = {key: value for key, value in self.metadata.items() if key[0] != folder}


class ModelTests(ImapCase):
    @settings(max_examples=150, deadline=None)
    @given(steps)
    def test_nothing_is_missed(self, steps: list[tuple[bool, tuple[str, ...], bool]]) -> None:
        """Changes of others in any order, many or few at a time, between changes of the client's own."""
        self.setUp()
        self.store: IAccountStore = self.done(self.house.store.open(ANN))
        self.talk, self.known = self.ann(), Known()
        self.looks()
        self.assertTrue(self.talk.last(b"NOTIFY SET (personal %b)" % EVENTS).startswith(b". OK"))
        for own, change, wait in steps:
            if own:
                self.does_itself(self.talk, *change)
            else:
                self.done(self.others_do(*change))
            if not wait:
                self.compares(change)
        self.compares(None)
        self.talk.hangs_up()

    def looks(self) -> None:
        """How things stand to begin with."""
        self.known.counts, self.known.subscribed, self.known.metadata = self.done(self.truth())

    def compares(self, change: Any) -> None:
        """What the client knows is so."""
        for _ in range(3):
            self.events_arrive()
        for line in self.talk.wire.said().split(b"\r\n")[:-1]:
            self.known.hears(line)
        counts, subscribed, metadata = self.done(self.truth())
        for key in self.known.stale:
            self.known.metadata.pop(key, None)
            if key in metadata:
                self.known.metadata[key] = metadata[key]
        self.known.stale.clear()
        self.assertEqual(self.known.counts, counts, change)
        self.assertEqual(self.known.subscribed, subscribed, change)
        self.assertEqual(self.known.metadata, metadata, change)

    async def truth(self) -> tuple[Any, Any, Any]:
        counts, metadata = {}, {}
        for info in await self.store.folders():
            if info.selectable:
                status = await (await self.store.folder(info.name)).status()
                counts[info.name] = (status.messages, status.uidnext, status.unseen)
                for name, value in (await self.store.annotations(info.name)).items():
                    metadata[info.name, name] = value
        for name, value in (await self.store.annotations(None)).items():
            metadata["", name] = value
        return counts, set(await self.store.subscriptions()), metadata

    async def others_do(self, what: str, name: str, more: str = "") -> None:
        """Somebody else tries; whether it works does not matter."""
        store = self.store
        try:
            if what in ("create", "delete"):
                await getattr(store, what)(name)
            elif what == "rename":
                await store.rename(name, more)
            elif what == "annotate":
                before = await store.annotations(name or None)
                await store.annotate(name or None, {more: None if more in before else b"x"})
            elif what in ("subscribe", "unsubscribe"):
                await store.subscribe(name, what == "subscribe")
            else:
                await self.messages_change(what, await store.folder(name))
        except Exception as refusal:  # noqa: BLE001 - names that are not there, or taken
            self.refused = refusal

    async def messages_change(self, what: str, folder: Any) -> None:
        uids = list((await folder.snapshot()).uids)
        if what == "append":
            incoming = await folder.begin_append(len(HELLO))
            incoming.write(HELLO)
            await incoming.commit()
        elif what == "see":
            await folder.set_flags(uids[:1], "add", 1, [])
        else:
            await folder.expunge(uids[:1], only_deleted=False)

    def does_itself(self, talk: Talk, what: str, name: str, more: str = "") -> None:
        """The client itself does so to a folder that it knows, knows what comes of it, and is not told."""
        if what in ("see", "expunge") or (
            what in ("append", "annotate", "rename", "delete") and not self.is_known(name)
        ):
            return
        wire, wire_more = name.encode(), more.encode()
        words = {
            "annotate": b'SETMETADATA "%b" (%b "y")' % (wire, wire_more),
            "append": b"APPEND %b {%d+}\r\n%b" % (wire, len(HELLO), HELLO),
            "rename": b"RENAME %b %b" % (wire, wire_more),
        }.get(what, b"%b %b" % (what.upper().encode(), wire))
        lines = talk.asks(words)
        answered = [line.startswith(b". ") for line in lines].index(True)
        for line in lines[:answered]:
            self.known.hears(line)
        if lines[answered].startswith(b". OK"):
            self.knows(what, name, more)
        for line in lines[answered + 1 :]:
            self.known.hears(line)

    def is_known(self, name: str) -> bool:
        return not name or name in self.known.counts

    def knows(self, what: str, name: str, more: str) -> None:
        known = self.known
        if what == "create":
            for folder in (name, *parents(name)):
                known.counts.setdefault(folder, EMPTY)
        elif what == "delete":
            known.deleted(name)
        elif what == "rename":
            self.moved(name, more)
        elif what in ("subscribe", "unsubscribe"):
            (known.subscribed.add if what == "subscribe" else known.subscribed.discard)(name)
        elif what == "annotate":
            known.metadata[name, more] = b"y"
        elif what == "append":
            messages, uidnext, unseen = known.counts.get(name, EMPTY)
            known.counts[name] = (messages + 1, uidnext + 1, unseen + 1)

    def moved(self, old: str, new: str) -> None:
        """INBOX stays, and what becomes of its messages the client has to look up."""
        for folder in parents(new):
            self.known.counts.setdefault(folder, EMPTY)
        if old != "INBOX":
            self.known.renamed(old, new)
            return
        counts, _, metadata = self.done(self.truth())
        self.known.counts.update({"INBOX": counts["INBOX"], new: counts[new]})
        self.known.metadata.update({key: value for key, value in metadata.items() if key[0] == new})


def parents(name: str) -> list[str]:
    """The levels above."""
    levels = name.split("/")
    return ["/".join(levels[:depth]) for depth in range(1, len(levels))]
