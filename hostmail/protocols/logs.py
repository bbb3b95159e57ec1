"""How sessions name themselves in the log."""

from __future__ import annotations

from twisted.logger import Logger

from hostmail.envelope import Peer


class StageLogger(Logger):
    """A class's logger that keeps the stage's name; the stock one takes the class's, and makes a new logger for every event."""

    def __get__(self, instance: object, owner: type | None = None) -> Logger:
        return self


def shown(peer: Peer) -> str:
    """The peer as it is at this moment, for a log line: events may be formatted when it has changed or gone."""
    return f"{peer.protocol} {peer.ip or 'local'} {peer.login or '-'}"
