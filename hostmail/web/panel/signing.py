"""Signing in and out: login and password, a code where there is a second factor, and a new session each time."""

from __future__ import annotations

from urllib.parse import quote

from hostmail.envelope import Peer
from hostmail.errors import LoginFailed, Overloaded, Refusal
from hostmail.interfaces.people import Signed
from hostmail.web.answers import Answer, cookie_name, redirect
from hostmail.web.asked import Asked
from hostmail.web.forms import distrust, own_path
from hostmail.web.panel.errors import status_of
from hostmail.web.panel.panel import CODE_PATH, LOGIN_PATH, WAY, Panel
from hostmail.web.sessions import WebSession, csrf_token, new_token

WRONG_LOGIN = "That login and password do not fit together. Both are case-sensitive. With a mailbox, sign in with the full mail address."
WRONG_CODE = "That code is not right, or was used before. Wait for the next one, or use a recovery code."
WAIT = "Too many attempts. Please wait a few minutes, then try again."


class Signing:
    """The pages before the panel.

    A browser has a random cookie from the first page on, for the form's token to hang on; it is of no account, and signing in never
    keeps it: nobody can have his own session taken over by a victim (session fixation).
    """

    def __init__(self, panel: Panel) -> None:
        self._panel = panel

    async def login(self, asked: Asked) -> Answer:
        """The first page; POST signs in."""
        back = own_path(asked.query.text("next") or "/")
        if asked.method != "POST":
            if await self._panel.who(asked) is not None:
                return redirect(back)
            return self._login_page(asked, back=back)
        back = own_path(asked.form.text("next") or "/")
        token = asked.cookies.get(cookie_name(asked.secure), "")
        if distrust(asked, token):
            words = "This page was open for too long. Please sign in once more."
            return self._login_page(asked, back=back, words=words, status=403)
        login = asked.form.text("login")[:254]
        try:
            signed = await self._panel.sign_in.sign_in(login, asked.form.raw("password")[:1024], peer_of(asked))
        except Refusal as refusal:
            return self._login_page(asked, back=back, words=words_of(refusal, WRONG_LOGIN), status=status_of(refusal))
        return self._begin(asked, signed, login, token, back)

    async def code(self, asked: Asked) -> Answer:
        """The second page, for those whose account wants a code."""
        token = asked.cookies.get(cookie_name(asked.secure), "")
        session = self._panel.sessions.find(token)
        if session is None or not session.is_half:
            return redirect(LOGIN_PATH)
        if asked.method != "POST":
            return self._code_page(token, own_path(asked.query.text("next") or "/"))
        back = own_path(asked.form.text("next") or "/")
        if distrust(asked, token):
            return self._panel.error(403)
        try:
            await self._panel.sign_in.check_code(session.subject, asked.form.text("code")[:64], peer_of(asked))
        except Refusal as refusal:
            return self._code_page(token, back, words_of(refusal, WRONG_CODE), status_of(refusal))
        signed = Signed(session.subject, session.credential)
        return self._begin(asked, signed, session.login, token, back)

    async def logout(self, asked: Asked) -> Answer:
        """The end of a session; POST only, as everything that changes something."""
        token = asked.cookies.get(cookie_name(asked.secure), "")
        if distrust(asked, token):
            return self._panel.error(403)
        self._panel.sessions.end(token)
        return redirect(LOGIN_PATH, self._panel.session_cookie(asked, ""))

    def _begin(self, asked: Asked, signed: Signed, login: str, old_token: str, back: str) -> Answer:
        """A new session in place of whatever the browser had."""
        self._panel.sessions.end(old_token)
        token = self._panel.sessions.begin(
            subject=signed.subject,
            credential=signed.credential,
            login=login,
            ip=asked.ip,
            program=asked.program,
            is_half=signed.needs_code,
        )
        to = f"{CODE_PATH}?next={quote(back)}" if signed.needs_code else back
        return redirect(to, self._panel.session_cookie(asked, token))

    def _login_page(self, asked: Asked, *, back: str, words: str = "", status: int = 200) -> Answer:
        token = asked.cookies.get(cookie_name(asked.secure), "")
        is_new = not token or len(token) > 100 or self._session(token) is not None
        token = new_token() if is_new else token
        return self._panel.rendering.plain(
            "login.html",
            status,
            self._panel.session_cookie(asked, token) if is_new else "",
            csrf=csrf_token(token),
            back=back,
            words=words,
            login=asked.form.text("login")[:254],
        )

    def _code_page(self, token: str, back: str, words: str = "", status: int = 200) -> Answer:
        return self._panel.rendering.plain("code.html", status, csrf=csrf_token(token), back=back, words=words)

    def _session(self, token: str) -> WebSession | None:
        return self._panel.sessions.find(token)


def peer_of(asked: Asked) -> Peer:
    """Who signs in, for the throttle and the log."""
    return Peer(ip=asked.ip, protocol=WAY, tls=asked.secure)


def words_of(refusal: Refusal, wrong: str) -> str:
    """What a visitor reads: never which of the two was wrong."""
    if isinstance(refusal, LoginFailed):
        return wrong
    return (
        WAIT
        if isinstance(refusal, Overloaded)
        else "Signing in does not work at the moment. Please try again in a minute."
    )
