"""The way of one request: is it for us, who asks, may he, whose is it; then the page's handler, and an answer."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from math import ceil
from secrets import token_hex
from urllib.parse import quote

from twisted.logger import Logger

from hostmail.actor import Actor, Role
from hostmail.errors import BadValue, NotAllowed, NotFound, Overloaded, Refusal
from hostmail.interfaces.admin import IAdmin, ISessions
from hostmail.interfaces.people import ISignIn
from hostmail.rates import Rates
from hostmail.web.answers import Answer, cookie, cookie_name, redirect
from hostmail.web.asked import Asked
from hostmail.web.forms import ACTION_FIELD, distrust
from hostmail.web.panel.errors import status_of
from hostmail.web.panel.keptrows import KeptRows
from hostmail.web.panel.notices import Notices
from hostmail.web.panel.page import Done, Page, Subject, View, Visit, trouble_of
from hostmail.web.panel.rendering import Rendering, Urls
from hostmail.web.sessions import OPERATOR_IDLE_SECONDS, WebSession, WebSessions, has_ended, number_of

log = Logger(namespace="web")

LOGIN_PATH, CODE_PATH, LOGOUT_PATH = "/login", "/login/code", "/logout"
WAY = "panel"

IsOurs = Callable[[str], Awaitable[bool]]
"""Whether a host name is one of this server's."""


@dataclass(frozen=True, slots=True)
class SignedIn:
    """Who asks, by which session."""

    actor: Actor
    session: WebSession
    token: str


class Panel:
    """Answers for pages. `now` is Unix time."""

    def __init__(
        self,
        *,
        admin: IAdmin,
        sign_in: ISignIn,
        sessions: WebSessions,
        connections: ISessions,
        now: Callable[[], float],
        is_ours: IsOurs,
        urls: Urls,
        rendering: Rendering,
        rates: Rates,
    ) -> None:
        self.admin = admin
        self.sign_in = sign_in
        self.sessions = sessions
        self._connections = connections
        self.rendering = rendering
        self.is_ours = is_ours
        self._now = now
        self._urls = urls
        self._notices = Notices()
        self._kept = KeptRows(now)
        self._rates = rates

    async def guarded(self, asked: Asked, work: Callable[[], Awaitable[Answer]]) -> Answer:
        """What `work` answers, or an error page. What nobody expected is logged here, once, and has a number to ask about."""
        try:
            if not await self.is_ours(asked.host):
                return self.error(421)
            return await work()
        except Refusal as refusal:
            if refusal.private:
                log.warn("page_refused: {path}: {reason}", path=asked.path[:200], reason=refusal.private)
            return await self._told(asked, status_of(refusal), refusal)
        except Exception:  # noqa: BLE001 - the edge: logged whole, and the visitor learns nothing of it
            reference = token_hex(4)
            log.failure(
                "page_failed: {method} {path} [{reference}]",
                method=asked.method,
                path=asked.path[:200],
                reference=reference,
            )
            return await self._told(asked, 500, reference=reference)

    async def missing(self, asked: Asked, status: int) -> Answer:
        """What is said in place of a page that there is not."""

        async def work() -> Answer:
            return self.error(status, who=await self.who(asked))

        return await self.guarded(asked, work)

    async def _told(self, asked: Asked, status: int, refusal: Refusal | None = None, reference: str = "") -> Answer:
        """An error page, in the frame if it can be told just now who is signed in."""
        try:
            who = await self.who(asked)
        except Exception:  # noqa: BLE001 - what is wrong is in the log already, and is said without a frame
            who = None
        return self.error(status, refusal, reference, who)

    def error(
        self, status: int, refusal: Refusal | None = None, reference: str = "", who: SignedIn | None = None
    ) -> Answer:
        """An error page. A refusal says why, but for what is not there and what is not his: those look the same."""
        told = refusal.public if refusal is not None and status not in (403, 404) else ""
        actor, token = (who.actor, who.token) if who is not None else (None, "")
        return self.rendering.error(status, actor, token, told=told, reference=reference)

    async def who(self, asked: Asked) -> SignedIn | None:
        """Who asks, if he is signed in: asked anew each time, so that a session ends with the password it began with."""
        token = asked.cookies.get(cookie_name(asked.secure), "")
        session = self.sessions.find(token)
        if session is None or session.is_half:
            return None
        actor = await self.sign_in.actor(session.subject, session.credential, WAY, asked.ip)
        if actor is None or (actor.role is Role.OPERATOR and has_ended(session, self._now(), OPERATOR_IDLE_SECONDS)):
            self.sessions.end(token)
            return None
        self.sessions.used(session)
        self._count(asked, actor, session)
        return SignedIn(actor, session, token)

    def _count(self, asked: Asked, actor: Actor, session: WebSession) -> None:
        """From now on the connection counts for him, and not for his address, which a whole office may have; raises TooMany.

        A proxy's connections, which have no address, are many people's.
        """
        connection, number = asked.connection, number_of(session.subject)
        if connection is None or number is None or not connection.peer.ip or connection.peer.account_id == number:
            return
        connection.peer.login, connection.peer.account_id = actor.login, number
        self._connections.logged_in(connection)

    async def answer(self, page: Page, asked: Asked, parts: Mapping[str, str]) -> Answer:
        """One request to one page."""
        self._kept.sweep()
        who = await self.who(asked)
        if who is None:
            return self._to_login(asked)
        if wait := self._rates.take(who.session.subject.encode()).wait:
            return self._too_often(wait)
        if asked.method == "POST" and (reason := distrust(asked, who.token)):
            log.warn(
                "form_distrusted: {path} by {login} from {ip}: {reason}",
                path=asked.path[:200],
                login=who.actor.login,
                ip=asked.ip,
                reason=reason,
            )
            return self.error(403, who=who)
        if who.actor.role not in page.who:
            return self.error(404, who=who)
        visit = Visit(
            who.actor,
            asked,
            page,
            who.session,
            self.admin,
            self._urls,
            self._renew,
            self.sessions,
            self._kept,
            parts=parts,
        )
        try:
            visit = await self._about(visit)
        except (NotFound, NotAllowed, BadValue):
            return self.error(404, who=who)
        return await self._act(visit, who) if asked.method == "POST" else await self._show(visit, who)

    def _too_often(self, wait: float) -> Answer:
        seconds = ceil(wait)
        told = Overloaded(
            f"The server gives so many pages a minute to one person. Load this one again in {seconds} seconds."
        )
        return replace(self.error(429, told), more=(("retry-after", str(seconds)),))

    def _to_login(self, asked: Asked) -> Answer:
        """To the login and back again; programs that ask for data are told the status alone."""
        if asked.query.text("format"):
            return self.rendering.error(401, told="", reference="")
        back = asked.raw_path.removesuffix("/")
        return redirect(f"{LOGIN_PATH}?next={quote(back)}" if back else LOGIN_PATH)

    async def _about(self, visit: Visit) -> Visit:
        """The visit with what its page is about; raises NotFound alike for what is not there and what is not his."""
        subject, parts = visit.page.subject, dict(visit.parts)
        if subject is Subject.MAILBOX:
            if not visit.actor.address:
                raise NotFound("no mailbox")
            parts["address"] = visit.actor.address
            return replace(visit, parts=parts, account=await visit.call("account.show", address=visit.actor.address))
        if subject is Subject.NOTHING:
            return visit
        domain = await visit.call("domain.show", name=parts["domain"])
        if "address" in parts and parts["address"].rpartition("@")[2].lower() != domain["name"]:
            raise NotFound("of another domain")
        parts["domain"] = domain["name"]
        account = await visit.call("account.show", address=parts["address"]) if subject is Subject.ACCOUNT else {}
        return replace(visit, parts=parts, domain=domain, account=account)

    async def _show(self, visit: Visit, who: SignedIn) -> Answer:
        shown = await visit.page.show(visit)
        if isinstance(shown, Done):
            return redirect(shown.to)
        is_html = not visit.query.text("format")
        notice = self._notices.take(who.token) if is_html and visit.asked.method == "GET" else ""
        return self.rendering.page(visit, shown, token=who.token, notice=notice)

    async def _act(self, visit: Visit, who: SignedIn) -> Answer:
        """Carry out a form; one that is refused is shown again as it was typed, with the reason."""
        name = visit.form.text(ACTION_FIELD)
        act = visit.page.actions.get(name)
        if act is None:
            return self.error(400, who=who)
        try:
            done = await act(visit)
        except Refusal as refusal:
            visit = replace(visit, trouble=trouble_of(visit.page, name, refusal, visit.form.names))
            shown = await visit.page.show(visit)
            if isinstance(shown, Done):
                return redirect(shown.to)
            return self.rendering.page(visit, shown, token=who.token, status=status_of(refusal))
        if isinstance(done, View):
            return self.rendering.page(visit, done, token=who.token)
        if done.words:
            self._notices.leave(who.token, done.words)
        return redirect(done.to)

    async def _renew(self, session: WebSession) -> None:
        self.sessions.renew(session, await self.sign_in.credential(session.subject))

    def session_cookie(self, asked: Asked, token: str) -> str:
        """The Set-Cookie line for a session's token; "" ends it."""
        return cookie(cookie_name(asked.secure), token, asked.secure, None if token else 0)
