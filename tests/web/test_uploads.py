"""Files come only to pages that take them, from who is signed in; and no octets whatever make the server fail."""

from __future__ import annotations

import tempfile
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.internet.error import ConnectionDone
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase

from hostmail.web import limits
from hostmail.web.panel.page import EVERYBODY, Done, Page, Subject, View, Visit
from tests.web.facts import HOST, MINE
from tests.web.fakes import Browser, Site

KIND = "multipart/form-data; boundary=b"
PIECES = [
    b"GET / HTTP/1.1\r\n",
    b"POST /login HTTP/1.1\r\n",
    b"HTTP/1.0\r\n",
    b"\r\n",
    b"host: panel.example.net\r\n",
    b"content-length: 5\r\n",
    b"content-length: -1\r\n",
    b"transfer-encoding: chunked\r\n",
    b"content-type: multipart/form-data; boundary=b\r\n",
    b"expect: 100-continue\r\n",
    b"cookie: __Host-session=\xff; ;=;;a\r\n",
    b"x-forwarded-for: ,,[::1]:,\r\n",
    b"connection: close\r\n",
    b" folded\r\n",
    b"5\r\nhello\r\n",
    b"0\r\n\r\n",
    b"ffffffffffffffffffff\r\n",
    b"--b\r\n",
    b"GET /%ff HTTP/1.1\r\n\r\n",
    b"GET /domains/%00/accounts?page=-1&q=%fe HTTP/1.1\r\n\r\n",
]


async def show(visit: Visit) -> View:
    """A page with a form for a file."""
    return View("mailbox.html")


async def take(visit: Visit) -> Done:
    """Says how large the file was."""
    return Done("", f"/{len(visit.form.uploads['file'].content)}")


PAGE = Page("up", "/domains/<domain>/up", "Up", "Help.", show, EVERYBODY, Subject.DOMAIN, {"up": take}, uploads=True)
HOME = Page("home", "/", "Home", "Help.", show, EVERYBODY)


class UploadTests(SynchronousTestCase):
    def setUp(self) -> None:
        folder = Path(self.mktemp())
        folder.mkdir()
        self.site = Site(folder, [HOME, PAGE])
        self.browser = Browser(self.site)

    def send(self, size: int, path: str = f"/domains/{MINE}/up", csrf: str = "") -> tuple[int, str]:
        """A file of this size."""
        fields = b"".join(
            f'--b\r\ncontent-disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode()
            for name, value in {"csrf": csrf, "action": "up"}.items()
        )
        file = (
            b'--b\r\ncontent-disposition: form-data; name="file"; filename="f"\r\n\r\n' + b"a" * size + b"\r\n--b--\r\n"
        )
        reply = self.browser.send("POST", path, fields + file, content_type=KIND, origin=f"https://{HOST}")
        return reply.status, reply.headers.get("location", "")

    def test_a_large_file(self) -> None:
        """A page that takes files takes them up to 20 MiB."""
        self.browser.sign_in("root")
        from hostmail.web.sessions import csrf_token

        csrf = csrf_token(self.browser.cookies["__Host-session"])
        self.assertEqual(self.send(3 * limits.MIB, csrf=csrf), (303, f"/{3 * limits.MIB}"))
        self.assertEqual(self.send(100, csrf="x")[0], 403)

    def test_not_from_strangers(self) -> None:
        """Nobody who is not signed in sends files, and other pages take none."""
        self.assertEqual(self.send(3 * limits.MIB)[0], 413)
        about = {"subject": "person:1", "credential": "c", "login": "root", "ip": ""}
        self.browser.cookies["__Host-session"] = self.site.sessions.begin(**about, is_half=True)
        self.assertEqual(self.send(3 * limits.MIB)[0], 413)
        self.browser.sign_in("root")
        self.assertEqual(self.send(3 * limits.MIB, "/login")[0], 413)


class NastyTests(SynchronousTestCase):
    @settings(max_examples=150, deadline=None)
    @given(st.lists(st.sampled_from(PIECES) | st.binary(max_size=20), max_size=25))
    def test_anything(self, pieces: list[bytes]) -> None:
        """Whatever comes, in whatever pieces, nothing is logged as a fault, and the connection is over in the end."""
        with tempfile.TemporaryDirectory() as folder:
            site = Site(Path(folder))
            protocol, transport = site.connect()
            for piece in pieces:
                protocol.dataReceived(piece)
            site.clock.advance(limits.UPLOAD_SECONDS)
            site.clock.advance(limits.UPLOAD_SECONDS)
            self.assertTrue(transport.disconnecting)
            protocol.connectionLost(Failure(ConnectionDone()))
            self.assertEqual(list(site.connections.all()), [])
            self.assertEqual(site.clock.getDelayedCalls(), [])
            site.sessions.close()
        self.assertEqual(self.flushLoggedErrors(), [])
