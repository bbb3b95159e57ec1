"""The control panel of a running service, over TLS, as a browser without scripts uses it."""

from __future__ import annotations

import http.client
import re
import signal
import socket
from html import unescape
from pathlib import Path
from urllib.parse import quote, urlencode

from tests.journeys.base import ANN, SECONDS, Journey, logs_in, trusting, until
from tests.support.appliance import PASSWORD, Appliance

ACCOUNTS = "/domains/example.test/accounts"
NEW = "Another-Horse-8"


class Behind(http.client.HTTPConnection):
    """HTTP over a UNIX socket, as a reverse proxy speaks it."""

    def __init__(self, path: Path) -> None:
        super().__init__("localhost", timeout=SECONDS)
        self._path = path

    def connect(self) -> None:
        """Open the socket."""
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(SECONDS)
        self.sock.connect(str(self._path))


class Visitor:
    """A browser with one cookie."""

    def __init__(self, here: Appliance) -> None:
        self.port = here.ports["panel"]
        self.origin = f"https://127.0.0.1:{self.port}"
        self.headers: dict[str, str] = {}
        self.cookie = ""
        self.location = ""

    def line(self) -> http.client.HTTPConnection:
        """A connection."""
        return http.client.HTTPSConnection("127.0.0.1", self.port, timeout=SECONDS, context=trusting())

    def ask(self, method: str, path: str, **fields: str) -> tuple[int, str]:
        """One request; the status and the page."""
        line, headers = self.line(), {"cookie": self.cookie, **self.headers}
        if method == "POST":
            headers |= {"content-type": "application/x-www-form-urlencoded", "origin": self.origin}
        line.request(method, path, urlencode(fields) if method == "POST" else None, headers)
        answer = line.getresponse()
        text = answer.read().decode()
        line.close()
        given = answer.getheader("set-cookie", "")
        self.cookie = given.partition(";")[0] or self.cookie
        self.location = answer.getheader("location", "")
        return answer.status, text

    def fill(self, path: str, **fields: str) -> tuple[int, str]:
        """Load a page, and send one of its forms."""
        found = re.search(r'name="csrf" value="([^"]+)"', self.ask("GET", path)[1])
        assert found is not None, path
        return self.ask("POST", path, csrf=unescape(found[1]), **fields)

    def sign_in(self, login: str, password: str = PASSWORD) -> bool:
        """Through the login page."""
        return self.fill("/login", login=login, password=password, next="/")[0] == 303


class ProxiedVisitor(Visitor):
    """The same through a reverse proxy that speaks TLS."""

    def __init__(self, here: Appliance, ip: str) -> None:
        super().__init__(here)
        self.path = here.folder / "panel.sock"
        self.origin = "https://mail.example.test"
        self.headers = {"host": "mail.example.test", "x-forwarded-for": ip, "x-forwarded-proto": "https"}

    def line(self) -> http.client.HTTPConnection:
        """A connection of the proxy's."""
        return Behind(self.path)


class PanelJourney(Journey):
    """An owner who signs in with his domain's main login (A3)."""

    accounts = (ANN, "carl@other.test")
    settings = "limits: {failed_login_delay: 0s, failed_login_delay_most: 0s, failed_logins_per_ip: 20}\n"
    more = ("panel",)

    def owner(self) -> Visitor:
        visitor = Visitor(self.here)
        login = self.here.json("domain", "show", "example.test")["main_login"]
        self.assertTrue(visitor.sign_in(login))
        return visitor

    def test_an_account_works_at_once(self) -> None:
        """An account made in the panel signs in by IMAP and SMTP at once, and with a changed password only by that (E7)."""
        visitor = self.owner()
        fields = {"make": "no", "password": NEW, "password_again": NEW}
        self.assertEqual(visitor.fill(ACCOUNTS, action="add", name="Dora", quota_kind="default", **fields)[0], 303)
        dora = "Dora@example.test"
        self.assertEqual(logs_in(self.here, dora, NEW), {"imap": True, "smtp": True})
        page = f"{ACCOUNTS}/{dora}"
        fields = {"make": "no", "password": PASSWORD, "password_again": PASSWORD}
        self.assertEqual(visitor.fill(page, action="password", **fields)[0], 303)
        self.assertEqual(logs_in(self.here, dora, NEW), {"imap": False, "smtp": False})
        self.assertEqual(logs_in(self.here, dora), {"imap": True, "smtp": True})
        self.assertEqual(visitor.fill(page, action="suspensions", incoming="yes", outgoing="yes")[0], 303)
        self.assertEqual(logs_in(self.here, dora)["imap"], False)
        self.assertEqual(visitor.fill(page, action="remove", confirm=dora)[0], 303)
        self.assertIn(f"{dora} has been deleted", visitor.ask("GET", ACCOUNTS)[1])
        self.assertNotIn(dora, visitor.ask("GET", ACCOUNTS)[1])

    def test_the_neighbour_is_out_of_reach(self) -> None:
        """By address and by form, another customer's domain is not there."""
        visitor = self.owner()
        for path in (
            "/domains/other.test",
            "/domains/other.test/accounts",
            "/domains/other.test/accounts/carl@other.test",
        ):
            self.assertEqual(visitor.ask("GET", path)[0], 404)
        self.assertEqual(visitor.ask("GET", f"{ACCOUNTS}/carl@other.test")[0], 404)

    def test_own_password(self) -> None:
        """Whose password is changed by command is signed out at his next request; who changes it himself stays."""
        here, there = self.owner(), self.owner()
        fields = {"make": "no", "current": PASSWORD, "password": PASSWORD, "password_again": PASSWORD}
        self.assertEqual(here.fill(f"{ACCOUNTS}/{ANN}", action="password", **fields)[0], 303)
        self.assertEqual(here.ask("GET", ACCOUNTS)[0], 200)
        self.assertEqual(there.ask("GET", ACCOUNTS)[0], 303)
        self.here.command("account", "passwd", ANN, "--password-file", "-", stdin=PASSWORD + "\n")
        self.assertEqual(here.ask("GET", ACCOUNTS)[0], 303)

    def test_who_may_sign_in(self) -> None:
        """Operators and mailbox users sign in as well, and nobody with a wrong password."""
        self.here.command("operator", "add", "root", "--password-file", "-", stdin=PASSWORD + "\n")
        operator, user = Visitor(self.here), Visitor(self.here)
        self.assertFalse(operator.sign_in("root", NEW))
        self.assertTrue(operator.sign_in("root"))
        self.assertIn("other.test", operator.ask("GET", "/")[1])
        self.assertTrue(user.sign_in(ANN))
        self.assertEqual((user.ask("GET", "/")[0], user.location), (303, "/mailbox"))
        self.assertEqual(user.ask("GET", ACCOUNTS)[0], 404)

    def test_a_reload_signs_nobody_out(self) -> None:
        """After SIGHUP the panel goes on with the same sessions."""
        visitor = self.owner()
        before = self.here.text().count("reloaded")
        self.here.signal(signal.SIGHUP)
        until(lambda: self.here.text().count("reloaded") > before, self.here.text)
        self.assertEqual(visitor.ask("GET", ACCOUNTS)[0], 200)

    def test_behind_a_proxy(self) -> None:
        """On the UNIX socket a reverse proxy says who asks: that is whose login fails, and who is signed in."""
        visitor = ProxiedVisitor(self.here, "203.0.113.77")
        self.assertFalse(visitor.sign_in(ANN, NEW))
        self.assertTrue(visitor.sign_in(ANN))
        self.assertTrue(visitor.cookie.startswith("__Host-session="))
        self.assertIn("203.0.113.77", visitor.ask("GET", "/browsers")[1])
        until(lambda: "203.0.113.77" in self.here.command("account", "logins", ANN).stdout, self.here.text)

    def test_guessing(self) -> None:
        """Who guesses is shut out, wherever he says he comes from, and with the right password, too; others are not."""
        guesser, other = (ProxiedVisitor(self.here, ip) for ip in ("1.2.3.4, 198.51.100.66", "198.51.100.67"))
        guesses = [f"Guess-number-{number}" for number in range(22)]
        seen = [guesser.fill("/login", login="carl@other.test", password=guess, next="/")[0] for guess in guesses]
        self.assertEqual((seen[0], seen[-1]), (403, 429))
        guesser.headers["x-forwarded-for"] = "5.6.7.8, 198.51.100.66"
        self.assertFalse(guesser.sign_in("carl@other.test"))
        self.assertTrue(other.sign_in("carl@other.test"))

    def test_what_strangers_write(self) -> None:
        """Markup in an envelope, a header and an unknown name is text where owner and operator look for mail."""
        evil, name = '"<script>alert(1)</script>"@far.test', '"<svg/onload=alert(1)>"@example.test'
        head = 'Message-ID: <"><img src=x onerror=alert(1)>@x>\r\nSubject: <script>alert(1)</script>\r\n\r\n'
        with self.smtp() as client:
            client.ehlo("far.test")
            for to in (ANN, name):
                client.docmd("MAIL", f"FROM:<{evil}>")
                client.docmd("RCPT", f"TO:<{to}>")
                self.assertEqual(client.data(head)[0], 250)
        visitor = self.owner()
        for path in (
            f"/domains/example.test/history?about={ANN}",
            f"/domains/example.test/history?about={quote(evil)}",
            "/domains/example.test/default",
            f"/domains/example.test/default/{quote(name, safe='@')}",
        ):
            status, page = visitor.ask("GET", path)
            self.assertEqual((status, re.findall("<script>|<svg/|<img src=x", page)), (200, []), path)
            self.assertIn("alert", page, path)

    def test_losing_a_domain(self) -> None:
        """An owner from whom a domain is taken does not reach it at his next request; nor does a token of his."""
        self.here.command(
            "owner", "add", "max", "--domain", "other.test", "--password-file", "-", stdin=PASSWORD + "\n"
        )
        visitor = Visitor(self.here)
        self.assertTrue(visitor.sign_in("max"))
        page = visitor.fill("/tokens", action="add", name="x", scope="all", days="1", current=PASSWORD)[1]
        token = re.search(r"hostmail_[\w-]+", page)
        assert token is not None
        visitor.headers["authorization"] = f"Bearer {token[0]}"
        paths = ("/domains/other.test/accounts", "/api/v1/domains/other.test")
        self.assertEqual([visitor.ask("GET", path)[0] for path in paths], [200, 200])
        self.here.command("owner", "revoke", "max", "other.test")
        self.assertEqual([visitor.ask("GET", path)[0] for path in paths], [404, 404])
        self.here.command("owner", "remove", "max", "--yes")
        self.assertEqual([visitor.ask("GET", path)[0] for path in paths], [303, 401])

    def test_the_cookie(self) -> None:
        """The cookie is for this server alone, and for TLS."""
        visitor = self.owner()
        self.assertTrue(visitor.cookie.startswith("__Host-session="))
