"""A session that is notified, and another that does things."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tests.protocols.imap.talk import ANN, ImapCase, Talk

ALL = b"(MessageNew MessageExpunge FlagChange)"
LIST = b"(MailboxName SubscriptionChange)"


class NotifyCase(ImapCase):
    """`talk` is notified; `other` is another session of the same account."""

    def setUp(self) -> None:
        super().setUp()
        self.talk = self.ann()
        self.other = self.ann()

    def sets(self, words: bytes, talk: Talk | None = None) -> list[bytes]:
        """NOTIFY SET that is done; what was told on the way."""
        *told, last = (talk or self.talk).asks(b"NOTIFY SET " + words)
        self.assertEqual(last, b". OK NOTIFY completed")
        self.events_arrive()
        return told

    def hears(self) -> list[bytes]:
        """What is pushed when announcements have arrived."""
        self.events_arrive()
        return self.talk.wire.said().split(b"\r\n")[:-1]

    def does(self, *commands: bytes) -> list[bytes]:
        """The other session does this; what is pushed then."""
        for command in commands:
            self.assertIn(b" OK ", self.other.last(command), command)
        return self.hears()

    def annotates(self, folder: str | None, values: Mapping[str, bytes | None]) -> None:
        """Somebody changes metadata."""
        self.done(self.done(self.house.store.open(ANN)).annotate(folder, values))


class Outside:
    """A folder that other programs reach as well."""

    def __init__(self, inner: Any) -> None:
        self._inner = inner
        self.heard: list[Any] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    def watch(self, heard: Any) -> Any:
        self.heard.append(heard)
        return lambda: self.heard.remove(heard)

    def changes_outside(self) -> None:
        for heard in self.heard:
            heard()
