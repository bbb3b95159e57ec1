"""A panel with a browser in front of it, and behind it an admin and a sign-in that know three people."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from html import unescape
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from twisted.internet.address import IPv4Address
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport
from twisted.trial.unittest import SynchronousTestCase
from zope.interface import implementer

from hostmail.actor import Actor
from hostmail.envelope import Peer
from hostmail.errors import LoginFailed
from hostmail.interfaces.people import ISignIn, Signed
from hostmail.monitoring.sessions import Sessions
from hostmail.web.app import Route
from hostmail.web.panel.making import make_panel
from hostmail.web.panel.page import Page
from hostmail.web.panel.routes import PAGES
from hostmail.web.sessions import WebSessions
from tests.web.facts import CODE, HOST, PASSWORD, PEOPLE
from tests.web.fakeadmin import FakeAdmin
from tests.web.fakeoneclick import FakeOneClick


@implementer(ISignIn)
class FakeSignIn:
    """Everybody has the same password; who is in `with_code` needs a code, too."""

    def __init__(self) -> None:
        self.people = dict(PEOPLE)
        self.stamps = dict.fromkeys(PEOPLE, "stamp")
        self.with_code: set[str] = set()
        self.asked: list[tuple[str, str]] = []
        self.refusal: Exception | None = None

    async def sign_in(self, login: str, password: str, peer: Peer) -> Signed:
        self.asked.append((login, peer.ip))
        if self.refusal is not None:
            raise self.refusal
        if login not in self.people or password != PASSWORD:
            raise LoginFailed(private="wrong")
        return Signed(login, self.stamps[login], login in self.with_code)

    async def check_code(self, subject: str, code: str, peer: Peer) -> None:
        if code != CODE:
            raise LoginFailed()

    async def actor(self, subject: str, credential: str, way: str, ip: str) -> Actor | None:
        return self.people.get(subject) if self.stamps.get(subject) == credential else None

    async def credential(self, subject: str) -> str:
        return self.stamps.get(subject, "")


@dataclass
class Reply:
    """An answer as a browser has it."""

    status: int
    headers: dict[str, str]
    body: bytes
    cookies: list[str] = field(default_factory=list)
    reason: str = ""

    @property
    def text(self) -> str:
        """The page, without the places where a long address may be broken."""
        return self.body.decode().replace("<wbr>", "")


def replies(octets: bytes, method: str = "GET") -> list[Reply]:
    """All answers in what a server sent."""
    found = []
    while octets:
        head, _, octets = octets.partition(b"\r\n\r\n")
        first, *lines = head.decode("latin-1").split("\r\n")
        pairs = [line.split(": ", 1) for line in lines]
        headers = {name.lower(): value for name, value in pairs}
        _, number, reason = first.split(" ", 2)
        status = int(number)
        has_body = method != "HEAD" and status not in (100, 204, 304)
        length = int(headers.get("content-length", 0)) if has_body else 0
        body, octets = octets[:length], octets[length:]
        found.append(
            Reply(status, headers, body, [value for name, value in pairs if name.lower() == "set-cookie"], reason)
        )
    return found


class Transport(StringTransport):
    """What a connection goes over."""

    def __init__(self, ip: str = "192.0.2.7") -> None:
        super().__init__(peerAddress=IPv4Address("TCP", ip, 40_000))
        self.aborted = False

    def setTcpNoDelay(self, enabled: bool) -> None: ...

    def abortConnection(self) -> None:
        self.aborted = self.disconnecting = True


class Site:
    """A panel as it is put together, with time in our hands."""

    def __init__(
        self,
        folder: Path,
        pages: Sequence[Page] = PAGES,
        proxies: Sequence[str] = ("127.0.0.1",),
        more: Sequence[Route] = (),
        per_minute: int = 100_000,
    ) -> None:
        self.clock = Clock()
        self.clock.advance(1_000_000)
        self.admin, self.sign_in, self.one_click = FakeAdmin(), FakeSignIn(), FakeOneClick()
        self.connections = Sessions(now=self.clock.seconds)
        self.sessions = WebSessions(path=folder / "panel.sqlite", now=self.clock.seconds)
        self.site = make_panel(
            admin=self.admin,
            sign_in=self.sign_in,
            sessions=self.sessions,
            connections=self.connections,
            reactor=self.clock,
            now=self.clock.seconds,
            is_ours=self._is_ours,
            server="mail.example.net",
            one_click=self.one_click,
            trusted_proxies=proxies,
            pages=pages,
            more=more,
            per_minute=per_minute,
        )

    async def _is_ours(self, host: str) -> bool:
        return host in (HOST, "127.0.0.1")

    def connect(self, ip: str = "192.0.2.7") -> tuple[Any, Transport]:
        """One connection."""
        protocol, transport = self.site.buildProtocol(None), Transport(ip)
        protocol.makeConnection(transport)
        return protocol, transport


class Browser:
    """Somebody's browser, behind the reverse proxy that speaks TLS for us: keeps cookies, follows nothing by itself."""

    def __init__(self, site: Site, ip: str = "198.51.100.3") -> None:
        self.site = site
        self.ip = ip
        self.cookies: dict[str, str] = {}

    def send(self, method: str, path: str, body: bytes = b"", **headers: str) -> Reply:
        """One request on a connection of its own."""
        protocol, transport = self.site.connect("127.0.0.1")
        given = {"host": HOST, "x-forwarded-for": self.ip, "x-forwarded-proto": "https", "connection": "close"}
        if body:
            given |= {"content-type": "application/x-www-form-urlencoded", "content-length": str(len(body))}
        if self.cookies:
            given["cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        given |= {name.replace("_", "-"): value for name, value in headers.items()}
        lines = [f"{method} {path} HTTP/1.1", *(f"{name}: {value}" for name, value in given.items() if value)]
        protocol.dataReceived("\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + body)
        [reply] = replies(transport.value(), method)
        for line in reply.cookies:
            name, _, value = line.partition(";")[0].partition("=")
            if "Max-Age=0" in line:
                self.cookies.pop(name, None)
            else:
                self.cookies[name] = value
        return reply

    def get(self, path: str, **headers: str) -> Reply:
        """Look."""
        return self.send("GET", path, **headers)

    def post(self, path: str, headers: Mapping[str, str] | None = None, **fields: str) -> Reply:
        """Send a form as it is, from one of our pages as browsers say."""
        more = {"origin": f"https://{HOST}", "sec_fetch_site": "same-origin"} | dict(headers or {})
        return self.send("POST", path, urlencode(fields).encode() or b"x=", **more)

    def upload(self, path: str, action: str, content: bytes) -> Reply:
        """Load a page and send its form with a file."""
        fields = {"csrf": self.csrf(path), "action": action}
        parts = [f'content-disposition: form-data; name="{name}"\r\n\r\n{value}' for name, value in fields.items()]
        parts.append('content-disposition: form-data; name="file"; filename="f.csv"\r\n\r\n')
        body = b"--b\r\n" + "\r\n--b\r\n".join(parts).encode() + content + b"\r\n--b--\r\n"
        kind = "multipart/form-data; boundary=b"
        return self.send("POST", path, body, content_type=kind, origin=f"https://{HOST}", sec_fetch_site="same-origin")

    def csrf(self, path: str) -> str:
        """The token in the forms of a page."""
        found = re.search(r'name="csrf" value="([^"]+)"', self.get(path).text)
        return unescape(found[1]) if found else ""

    def sign_in(self, login: str, password: str = PASSWORD) -> Reply:
        """Through the login page."""
        token = self.csrf("/login")
        return self.post("/login", csrf=token, next="/", login=login, password=password)

    def fill(self, path: str, action: str, **fields: str) -> Reply:
        """Load a page and send one of its forms."""
        return self.post(path, csrf=self.csrf(path), action=action, **fields)


class PanelCase(SynchronousTestCase):
    """A panel, and a browser in which `login` has signed in, "" for nobody."""

    login = "owen"

    def setUp(self) -> None:
        folder = Path(self.mktemp())
        folder.mkdir()
        self.site = Site(folder)
        self.admin = self.site.admin
        self.browser = Browser(self.site)
        if self.login:
            self.browser.sign_in(self.login)
