"""What we say we can do (RFC 3501 section 7.2.1): less before login than after it."""

from __future__ import annotations

from fnmatch import fnmatchcase
from functools import lru_cache
from typing import TYPE_CHECKING

from hostmail.protocols.sasl import MECHANISMS

if TYPE_CHECKING:
    from hostmail.protocols.imap.server import HostmailIMAP4

ALWAYS = (b"IMAP4rev1", b"IMAP4rev2", b"LITERAL+", b"SASL-IR", b"ID", b"ENABLE", b"IDLE")
AFTER_LOGIN = (
    b"NAMESPACE",
    b"UIDPLUS",
    b"UNSELECT",
    b"CHILDREN",
    b"MOVE",
    b"SPECIAL-USE",
    b"CREATE-SPECIAL-USE",
    b"LIST-EXTENDED",
    b"LIST-STATUS",
    b"STATUS=SIZE",
    b"UTF8=ACCEPT",
    b"CONDSTORE",
    b"QRESYNC",
    b"OBJECTID",
    b"MULTIAPPEND",
    b"REPLACE",
    b"BINARY",
    b"PREVIEW",
    b"SAVEDATE",
    b"PARTIAL",
    b"ESEARCH",
    b"SEARCHRES",
    b"SORT",
    b"SORT=DISPLAY",
    b"ESORT",
    b"THREAD=ORDEREDSUBJECT",
    b"THREAD=REFERENCES",
    b"WITHIN",
    b"QUOTA",
    b"QUOTA=RES-STORAGE",
    b"QUOTA=RES-MESSAGE",
    b"METADATA",
    b"METADATA-SERVER",
    b"NOTIFY",
)


def may_log_in(session: HostmailIMAP4) -> bool:
    """Passwords are taken over TLS, and without it where the listener allows that (BEHAVIOURS B2)."""
    return session.peer.tls or session.settings.allow_plaintext_login


def may_start_tls(session: HostmailIMAP4) -> bool:
    """TLS can begin once, before login, where there is a certificate."""
    return session.tls_context is not None and not session.peer.tls and session.account is None


def is_hidden(session: HostmailIMAP4, word: bytes) -> bool:
    """Whether the operator keeps this capability from this client, by the name in its ID or by its login."""
    if not session.settings.hidden:
        return False
    client = str(session.session.state.get("client", "")) if session.session is not None else ""
    names = (client.lower(), (session.peer.login or "").lower())
    return any(
        word.decode("ascii").upper() in words and any(fnmatchcase(name, pattern.lower()) for name in names)
        for pattern, words in session.settings.hidden
    )


def capability_words(session: HostmailIMAP4) -> tuple[bytes, ...]:
    """The words of CAPABILITY as things stand."""
    if session.account is not None:
        words = _after_login(session.compressed, session.settings.limits.append_octets)
    else:
        words = _before_login(may_start_tls(session), may_log_in(session))
    if not session.settings.hidden:
        return words
    return tuple(word for word in words if not is_hidden(session, word))


@lru_cache
def _after_login(compressed: bool, append_octets: int) -> tuple[bytes, ...]:
    more = () if compressed else (b"COMPRESS=DEFLATE",)
    return (*ALWAYS, *more, *AFTER_LOGIN, b"APPENDLIMIT=%d" % append_octets)


@lru_cache
def _before_login(tls: bool, login: bool) -> tuple[bytes, ...]:
    mechanisms = tuple(b"AUTH=" + name.encode("ascii") for name in MECHANISMS)
    return (*ALWAYS, *((b"STARTTLS",) if tls else ()), *(mechanisms if login else (b"LOGINDISABLED",)))
