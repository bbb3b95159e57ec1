"""What the table says about a command."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hostmail.protocols.imap.tokens import Cursor

if TYPE_CHECKING:
    from hostmail.protocols.imap.server import HostmailIMAP4

UNAUTHENTICATED, AUTHENTICATED, SELECTED = 1, 2, 4
LOGGED_IN = AUTHENTICATED | SELECTED
ANY = UNAUTHENTICATED | LOGGED_IN

Run = Callable[["HostmailIMAP4", Cursor], Awaitable[bytes | None]]


@dataclass(frozen=True, slots=True)
class Entry:
    """How a command runs, and in which states (RFC 3501 section 3) it may be given.

    `run` gets the cursor behind the command's name and returns the tagged answer, or None if it has answered, or will.
    `polls`: the client asks for news, so look for them. `expunges`: the answer may carry EXPUNGE, which would confuse
    whoever has just used message numbers (section 7.4.1).
    """

    run: Run
    standing: int
    polls: bool = False
    expunges: bool = True
