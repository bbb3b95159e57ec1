"""What a client has switched on (ENABLE of RFC 5161, and the commands that switch CONDSTORE on by themselves)."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True)
class Dialect:
    """One session's.

    `condstore`: rows carry MODSEQ (RFC 7162). `qresync`: EXPUNGE is told as VANISHED, by UID (the same). `utf8`: folder names are
    UTF-8 (RFC 6855). `rev2`: the answers of IMAP4rev2, which knows no \\Recent and answers SEARCH with ESEARCH (RFC 9051).
    """

    condstore: bool = False
    qresync: bool = False
    utf8: bool = False
    rev2: bool = False

    def enable(self, word: bytes) -> bool:
        """Whether that is something that can be switched on; it is now."""
        if word == b"QRESYNC":
            self.condstore = self.qresync = True
        elif word == b"CONDSTORE":
            self.condstore = True
        elif word == b"UTF8=ACCEPT":
            self.utf8 = True
        elif word == b"IMAP4REV2":
            self.utf8 = self.rev2 = True
        else:
            return False
        return True
