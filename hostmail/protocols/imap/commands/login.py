"""LOGIN and AUTHENTICATE (RFC 3501 section 6.2, SASL-IR of RFC 4959)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from twisted.internet.defer import Deferred, maybeDeferred
from twisted.mail import imap4

from hostmail.errors import LoginFailed, PlaintextRefused, Refusal, as_refusal
from hostmail.interfaces.logins import PasswordLogin
from hostmail.protocols.imap.capabilities import capability_words, may_log_in
from hostmail.protocols.imap.tokens import BadSyntax, Cursor
from hostmail.protocols.logs import shown
from hostmail.protocols.sasl import (
    Challenge,
    Credentials,
    Mechanism,
    SaslError,
    Step,
    decode_text,
    login_within,
    mechanism_named,
)

if TYPE_CHECKING:
    from hostmail.protocols.imap.server import HostmailIMAP4


async def login(session: HostmailIMAP4, cursor: Cursor) -> bytes | None:
    """LOGIN user password."""
    cursor.space()
    user = cursor.astring()
    cursor.space()
    password = cursor.astring()
    cursor.end()
    try:
        credentials = Credentials(decode_text(user), decode_text(password))
    except SaslError as problem:
        raise BadSyntax(problem.words) from None
    return await _check(session, credentials, b"LOGIN")


async def authenticate(session: HostmailIMAP4, cursor: Cursor) -> bytes | None:
    """AUTHENTICATE mechanism [initial response]."""
    cursor.space()
    name = cursor.keyword()
    initial = None
    if not cursor.at_end():
        cursor.space()
        initial = cursor.rest()
    if not may_log_in(session):
        credentials = login_within(name.decode("ascii"), initial)
        if credentials is None:
            raise PlaintextRefused
        return await _check(session, credentials, b"AUTHENTICATE")
    mechanism = mechanism_named(name.decode("ascii"))
    if mechanism is None:
        raise Refusal("that mechanism is not offered")
    return await _step(session, mechanism, lambda: mechanism.start(initial))


async def _step(session: HostmailIMAP4, mechanism: Mechanism, take: Any) -> bytes | None:
    """One exchange; `*` and nonsense are the client's error (I17)."""
    try:
        step: Step = take()
    except SaslError as problem:
        raise BadSyntax(problem.words) from None
    if isinstance(step, Challenge):
        session.write(b"+ " + step.encoded + b"\r\n")
        session.line_reader = lambda line: _continued(session, mechanism, line)
        return None
    return await _check(session, step, b"AUTHENTICATE")


async def _continued(session: HostmailIMAP4, mechanism: Mechanism, line: bytes) -> None:
    session.line_reader = None
    await session.conclude(_step(session, mechanism, lambda: mechanism.answer(line)))


async def _check(session: HostmailIMAP4, credentials: Credentials, verb: bytes) -> bytes | None:
    try:
        account, log_out = await _ask_portal(session, credentials)
    except LoginFailed as refusal:
        _refused(session, credentials, refusal)
        return None
    if session.closing or session.session is None:
        log_out()
        return None
    try:
        session.sessions.logged_in(session.session)
    except Refusal:
        log_out()
        session.peer.account_id, session.peer.login = None, ""
        raise
    session.adopt(account, log_out)
    session.log.info("logged in: {login} from {ip}", login=session.peer.login, ip=session.peer.ip)
    return b"OK [CAPABILITY %b] %b completed" % (b" ".join(capability_words(session)), verb)


async def _ask_portal(session: HostmailIMAP4, credentials: Credentials) -> tuple[Any, Any]:
    """The portal hears who asks: the peer is the mind, and part of the credentials. It refuses what came without TLS and must not."""
    plaintext = None if may_log_in(session) else PlaintextRefused(private="no TLS")
    login = PasswordLogin(credentials.username, credentials.password, session.peer, credentials.authzid, plaintext)
    portal: Any = session.portal
    asked: Deferred[Any] = maybeDeferred(portal.login, login, session.peer, imap4.IAccount)
    try:
        _, account, log_out = await asked
    except Exception as problem:
        refusal = as_refusal(problem)
        if refusal is not problem:
            session.log.failure("login could not be checked: {peer}", peer=shown(session.peer))
        raise refusal from problem
    return account, log_out


def _refused(session: HostmailIMAP4, credentials: Credentials, refusal: LoginFailed) -> None:
    """Answer first, then close (BEHAVIOURS H5); five tries are enough (I22)."""
    session.failed_logins += 1
    why = refusal.private
    session.log.info("login failed: {user} from {ip}: {why}", user=credentials.username, ip=session.peer.ip, why=why)
    session.refuse(refusal)
    if session.failed_logins >= session.settings.failed_logins:
        session.bye("too many failed logins")
        session.close()
