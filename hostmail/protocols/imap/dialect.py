"""What a client has switched on (ENABLE of RFC 5161, and the commands that switch CONDSTORE on by themselves)."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True)
class Dialect:
    """One session's.

    `condstore`: rows carry MODSEQ (RFC 7162). `qresync`: EXPUNGE is told as VANISHED, by UID (the same).
    """

    condstore: bool = False
    qresync: bool = False

    def enable(self, word: bytes) -> bool:
        """Whether that is something that can be switched on; it is now."""
        if word == b"QRESYNC":
            self.condstore = self.qresync = True
        elif word == b"CONDSTORE":
            self.condstore = True
        else:
            return False
        return True
