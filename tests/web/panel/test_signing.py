"""Signing in and out, and how long that lasts (A8, F1)."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import quote

from twisted.trial.unittest import SynchronousTestCase

from hostmail.errors import Overloaded, TemporaryFailure
from hostmail.web.sessions import ABSOLUTE_SECONDS, HALF_SECONDS, IDLE_SECONDS, OPERATOR_IDLE_SECONDS
from tests.web.facts import CODE, HOST, MINE, PASSWORD, PEOPLE
from tests.web.fakes import Browser, Site

HOME = f"/domains/{MINE}"


class SigningTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.folder = Path(self.mktemp())
        self.folder.mkdir()
        self.site = Site(self.folder)
        self.browser = Browser(self.site)

    def test_signs_in(self) -> None:
        """Login and password lead to the first page, with a cookie that no script, no other host and no other site's form gets."""
        reply = self.browser.sign_in("owen")
        self.assertEqual((reply.status, reply.headers["location"]), (303, "/"))
        [cookie] = reply.cookies
        self.assertTrue(cookie.startswith("__Host-session="))
        for attribute in ("; Path=/", "; HttpOnly", "; Secure", "; SameSite=Lax"):
            self.assertIn(attribute, cookie)
        self.assertNotIn("Domain", cookie)
        self.assertEqual(self.browser.get(HOME).status, 200)

    def test_who_asks(self) -> None:
        """The throttle hears of the client's own address, not of the proxy's, nor of one that the client made up."""
        self.browser.sign_in("owen")
        token = self.browser.csrf("/login")
        self.browser.post(
            "/login", {"x-forwarded-for": "203.0.113.1, 198.51.100.9"}, csrf=token, login="owen", password=PASSWORD
        )
        Browser(self.site).sign_in("owen")
        self.assertEqual([ip for _, ip in self.site.sign_in.asked], ["198.51.100.3", "198.51.100.3"])

    def test_without_tls(self) -> None:
        """On plain HTTP, which is on loopback alone, the cookie has a name that browsers take there."""
        reply = self.browser.get("/login", x_forwarded_proto="http")
        self.assertTrue(reply.cookies[0].startswith("session="))
        self.assertNotIn("Secure", reply.cookies[0])
        self.assertNotIn("strict-transport-security", reply.headers)

    def test_wrong(self) -> None:
        """A wrong password and a login that does not exist look the same, and neither is repeated but the login."""
        replies = []
        for login in ("owen", "nobody"):
            token = self.browser.csrf("/login")
            replies.append(self.browser.post("/login", csrf=token, login=login, password="Wrong-Horse-7"))
        texts = [reply.text.replace("owen", "X").replace("nobody", "X") for reply in replies]
        self.assertEqual(texts[0], texts[1])
        self.assertEqual(replies[0].status, 403)
        self.assertIn("do not fit together", texts[0])
        self.assertNotIn("Wrong-Horse-7", texts[0])

    def test_throttled(self) -> None:
        """Who has to wait is told so."""
        self.site.sign_in.refusal = Overloaded()
        reply = self.browser.sign_in("owen")
        self.assertEqual(reply.status, 429)
        self.assertIn("wait a few minutes", reply.text)

    def test_trouble_of_ours(self) -> None:
        """When signing in does not work, nobody is told that his password is wrong."""
        self.site.sign_in.refusal = TemporaryFailure(private="database locked")
        reply = self.browser.sign_in("owen")
        self.assertEqual(reply.status, 503)
        self.assertIn("does not work at the moment", reply.text)
        self.assertNotIn("database", reply.text)

    def test_back_to_where_he_was(self) -> None:
        """After signing in comes the page that was asked for."""
        reply = self.browser.get(f"{HOME}/accounts")
        self.assertEqual(reply.headers["location"], f"/login?next={HOME}/accounts")
        token = self.browser.csrf(reply.headers["location"])
        reply = self.browser.post("/login", csrf=token, next=f"{HOME}/accounts", login="owen", password=PASSWORD)
        self.assertEqual(reply.headers["location"], f"{HOME}/accounts")

    def test_back_to_no_other_site(self) -> None:
        """No address that somebody is sent to the login with leads elsewhere afterwards."""
        away = (
            "//evil.example",
            "https://evil.example",
            "/\\evil.example",
            "\\\\evil.example",
            "/\t/evil.example",
            "javascript:x",
            "evil",
        )
        for target in away:
            token = self.browser.csrf(f"/login?next={quote(target)}")
            reply = self.browser.post("/login", csrf=token, next=target, login="owen", password=PASSWORD)
            self.assertEqual(reply.headers["location"], "/", target)
            self.browser.cookies.clear()

    def test_no_fixation(self) -> None:
        """A cookie from before the login opens nothing afterwards, whoever put it there."""
        self.browser.get("/login")
        before = dict(self.browser.cookies)
        self.browser.sign_in("owen")
        self.assertNotEqual(self.browser.cookies, before)
        other = Browser(self.site)
        other.cookies = before
        self.assertEqual(other.get(HOME).status, 303)

    def test_signing_in_again(self) -> None:
        """A new login gets a new session, and the old one of the same browser ends."""
        self.browser.sign_in("owen")
        old = dict(self.browser.cookies)
        self.site.sign_in.people.pop("owen")
        token = self.browser.csrf("/login")
        self.browser.post("/login", csrf=token, login="root", password=PASSWORD)
        self.site.sign_in.people["owen"] = PEOPLE["owen"]
        self.browser.cookies = old
        self.assertEqual(self.browser.get(HOME).status, 303)

    def test_forged_login(self) -> None:
        """No other site signs anybody in: the form needs its token, and comes from our page."""
        reply = self.browser.post("/login", csrf="x", login="owen", password=PASSWORD)
        self.assertEqual(reply.status, 403)
        token = self.browser.csrf("/login")
        for headers in ({"origin": "https://evil.example"}, {"origin": "", "sec_fetch_site": "cross-site"}):
            reply = self.browser.post("/login", headers, csrf=token, login="owen", password=PASSWORD)
            self.assertEqual(reply.status, 403)
        self.assertEqual(self.site.sign_in.asked, [])

    def test_old_browsers(self) -> None:
        """Browsers that tell nothing of where a form is from need its token alone."""
        token = self.browser.csrf("/login")
        headers = {"origin": "", "sec_fetch_site": ""}
        reply = self.browser.post("/login", headers, csrf=token, login="owen", password=PASSWORD)
        self.assertEqual(reply.status, 303)

    def test_signs_out(self) -> None:
        """Signing out ends the session here, not only in the browser; a link or another site cannot do it."""
        self.browser.sign_in("owen")
        cookies = dict(self.browser.cookies)
        self.assertEqual(self.browser.post("/logout", csrf="x").status, 403)
        self.assertEqual(self.browser.get("/logout").status, 405)
        reply = self.browser.post("/logout", csrf=self.browser.csrf(HOME))
        self.assertEqual((reply.status, reply.headers["location"], self.browser.cookies), (303, "/login", {}))
        self.browser.cookies = cookies
        self.assertEqual(self.browser.get(HOME).status, 303)

    def test_code(self) -> None:
        """With a second factor the password alone opens nothing; the code does, with yet another session."""
        self.site.sign_in.with_code.add("owen")
        reply = self.browser.sign_in("owen")
        self.assertEqual(reply.headers["location"], "/login/code?next=/")
        half = dict(self.browser.cookies)
        self.assertEqual(self.browser.get(HOME).status, 303)
        token = self.browser.csrf("/login/code")
        wrong = self.browser.post("/login/code", csrf=token, code="000000")
        self.assertEqual((wrong.status, "not right" in wrong.text), (403, True))
        reply = self.browser.post("/login/code", csrf=token, code=CODE, next=HOME)
        self.assertEqual((reply.status, reply.headers["location"]), (303, HOME))
        self.assertEqual(self.browser.get(HOME).status, 200)
        self.browser.cookies = half
        self.assertEqual(self.browser.get(HOME).status, 303)
        self.assertEqual(self.browser.get("/login/code").headers["location"], "/login")

    def test_code_needs_its_token(self) -> None:
        """A code from another site is not even tried."""
        self.site.sign_in.with_code.add("owen")
        self.browser.sign_in("owen")
        self.assertEqual(self.browser.post("/login/code", csrf="x", code=CODE).status, 403)

    def test_code_in_time(self) -> None:
        """A code that comes too late begins again at the password."""
        self.site.sign_in.with_code.add("owen")
        self.browser.sign_in("owen")
        self.site.clock.advance(HALF_SECONDS)
        self.assertEqual(self.browser.get("/login/code").headers["location"], "/login")

    def test_idle(self) -> None:
        """A session ends half an hour after its last request, an operator's after a quarter."""
        for login, seconds in (("owen", IDLE_SECONDS), ("root", OPERATOR_IDLE_SECONDS)):
            self.browser.sign_in(login)
            for _ in range(3):
                self.site.clock.advance(seconds - 1)
                self.assertEqual(self.browser.get(HOME).status, 200)
            self.site.clock.advance(seconds)
            self.assertEqual(self.browser.get(HOME).status, 303)

    def test_absolute(self) -> None:
        """Twelve hours after the login a session ends, however busy."""
        self.browser.sign_in("owen")
        for _ in range(int(ABSOLUTE_SECONDS // 1200) - 1):
            self.site.clock.advance(1200)
            self.assertEqual(self.browser.get(HOME).status, 200)
        self.site.clock.advance(1200)
        self.assertEqual(self.browser.get(HOME).status, 303)

    def test_password_changed(self) -> None:
        """A changed password or second factor, a suspension and a removal end all sessions at the next request."""
        self.browser.sign_in("owen")
        self.site.sign_in.stamps["owen"] = "another"
        self.assertEqual(self.browser.get(HOME).status, 303)
        self.site.sign_in.stamps["owen"] = "stamp"
        self.assertEqual(self.browser.get(HOME).status, 303, "it stays ended")
        self.browser.sign_in("owen")
        del self.site.sign_in.people["owen"]
        self.assertEqual(self.browser.get(HOME).status, 303)

    def test_roles_follow(self) -> None:
        """Who has lost a domain meanwhile does not reach it any more."""
        self.browser.sign_in("owen")
        self.site.sign_in.people["owen"] = PEOPLE["owen"].__class__(PEOPLE["owen"].role, "owen", "panel")
        self.assertEqual(self.browser.get(HOME).status, 404)

    def test_over_a_restart(self) -> None:
        """Sessions outlive the process; the file has nothing with which somebody could become somebody."""
        self.browser.sign_in("owen")
        token = self.browser.cookies["__Host-session"]
        whole = b"".join(path.read_bytes() for path in self.folder.iterdir())
        self.assertIn(b"owen", whole)
        self.assertNotIn(token.encode(), whole)
        again = Browser(Site(self.folder))
        again.cookies = self.browser.cookies
        self.assertEqual(again.get(HOME).status, 200)

    def test_a_peer_is_no_proxy(self) -> None:
        """What somebody else than a proxy of ours says about addresses, TLS and names does not count."""
        protocol, transport = self.site.connect("192.0.2.66")
        protocol.dataReceived(
            b"GET /login HTTP/1.1\r\nhost: evil.example\r\nx-forwarded-host: %s\r\nx-forwarded-proto: https\r\n\r\n"
            % HOST.encode()
        )
        self.assertEqual(transport.value()[:12], b"HTTP/1.1 421")
