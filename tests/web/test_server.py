"""HTTP with an end to everything: what a peer may send, how slowly, and how often (LIMITS, Panel)."""

from __future__ import annotations

from pathlib import Path

from twisted.internet.defer import Deferred
from twisted.internet.error import ConnectionDone
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase

from hostmail.monitoring.sessions import Sessions
from hostmail.web import limits
from tests.web.facts import HOST, PEOPLE
from tests.web.fakes import Browser, Site, replies

GET = b"GET /login HTTP/1.1\r\nhost: panel.example.net\r\n\r\n"


class ServerTests(SynchronousTestCase):
    def setUp(self) -> None:
        folder = Path(self.mktemp())
        folder.mkdir()
        self.site = Site(folder)

    def test_answers_and_stays(self) -> None:
        """One connection serves one request after the other."""
        protocol, transport = self.site.connect()
        protocol.dataReceived(GET)
        protocol.dataReceived(GET)
        self.assertEqual([reply.status for reply in replies(transport.value())], [200, 200])
        self.assertFalse(transport.disconnecting)

    def test_many_at_once_are_answered_in_order(self) -> None:
        """Requests that come without waiting for answers are all answered, however many fit into a packet."""
        protocol, transport = self.site.connect()
        protocol.dataReceived(GET * 200)
        self.assertEqual([reply.status for reply in replies(transport.value())], [200] * 200)

    def test_not_for_ever(self) -> None:
        """After a thousand requests the connection ends, and says so."""
        protocol, transport = self.site.connect()
        protocol._counted = limits.REQUESTS_PER_CONNECTION - 2
        protocol.dataReceived(GET * 3)
        found = replies(transport.value())
        self.assertEqual([reply.headers.get("connection") for reply in found], [None, "close"])
        self.assertTrue(transport.disconnecting)

    def test_a_host_that_is_none(self) -> None:
        """A Host header that nobody has is answered with 400, and is no fault of ours to be logged."""
        for host in (b"\xff\xfe", b"a..b", b"a" * 64, b"x" * 300, b"[::1", b"a:b", b"a@b", b"a b"):
            protocol, transport = self.site.connect()
            protocol.dataReceived(GET.replace(b"panel.example.net", host))
            self.assertEqual([reply.status for reply in replies(transport.value())], [400], host)
            self.assertTrue(transport.disconnecting, host)
        self.assertEqual(self.flushLoggedErrors(), [])

    def test_a_head_has_its_time(self) -> None:
        """Headers that trickle in an octet a second end with the connection, after twenty seconds all the same."""
        protocol, transport = self.site.connect()
        for octet in GET[:15]:
            self.site.clock.advance(1)
            protocol.dataReceived(bytes([octet]))
        self.assertFalse(transport.aborted)
        self.site.clock.advance(6)
        self.assertTrue(transport.aborted)

    def test_a_connection_without_a_request(self) -> None:
        """Who connects and says nothing is cut off."""
        _, transport = self.site.connect()
        self.site.clock.advance(limits.HEADER_SECONDS)
        self.assertTrue(transport.aborted)

    def test_a_body_has_its_time(self) -> None:
        """A body that trickles in ends with the connection after a minute."""
        protocol, transport = self.site.connect()
        protocol.dataReceived(b"POST /login HTTP/1.1\r\nhost: x\r\ncontent-length: 1000\r\n\r\n")
        for _ in range(59):
            self.site.clock.advance(1)
            protocol.dataReceived(b"a")
        self.assertFalse(transport.aborted)
        self.site.clock.advance(2)
        self.assertTrue(transport.aborted)

    def test_a_pause_has_its_time(self) -> None:
        """A connection without another request is closed; the first octet of one begins a new time."""
        protocol, transport = self.site.connect()
        protocol.dataReceived(GET)
        self.site.clock.advance(limits.IDLE_SECONDS - 1)
        protocol.dataReceived(GET[:5])
        self.site.clock.advance(limits.HEADER_SECONDS - 1)
        self.assertFalse(transport.aborted)
        protocol.dataReceived(GET[5:])
        self.assertEqual(len(replies(transport.value())), 2)
        self.site.clock.advance(limits.IDLE_SECONDS)
        self.assertTrue(transport.aborted)

    def test_an_answer_nobody_takes(self) -> None:
        """A peer that does not take its last answer is cut off in the end."""
        protocol, transport = self.site.connect()
        protocol.dataReceived(GET.replace(b"\r\n\r\n", b"\r\nconnection: close\r\n\r\n"))
        self.site.clock.advance(limits.SENDING_SECONDS - 1)
        self.assertFalse(transport.aborted)
        self.site.clock.advance(1)
        self.assertTrue(transport.aborted)

    def test_our_own_time_is_nobodys_fault(self) -> None:
        """While we work on an answer, no deadline runs; and work goes on when the browser has gone."""
        waiting: Deferred[None] = Deferred()
        browser = Browser(self.site)
        browser.sign_in("root")
        self.site.admin.calls.clear()

        async def wait() -> None:
            self.site.admin.before = None
            await waiting

        self.site.admin.before = wait
        protocol, transport = self.site.connect("127.0.0.1")
        cookie = f"__Host-session={browser.cookies['__Host-session']}"
        head = (
            f"GET /domains/example.com HTTP/1.1\r\nhost: {HOST}\r\nx-forwarded-proto: https\r\ncookie: {cookie}\r\n\r\n"
        )
        protocol.dataReceived(head.encode())
        self.site.clock.advance(600)
        self.assertFalse(transport.aborted)
        protocol.connectionLost(Failure(ConnectionDone()))
        waiting.callback(None)
        self.assertEqual([verb for verb, _ in self.site.admin.calls][:2], ["domain.show", "account.list"])

    def test_long_lines(self) -> None:
        """A request line of more than 8 KiB is refused, and nothing after it is looked at."""
        protocol, transport = self.site.connect()
        protocol.dataReceived(b"GET /" + b"a" * 9000 + b" HTTP/1.1\r\n\r\n" + GET)
        self.assertEqual([reply.status for reply in replies(transport.value())], [431])
        self.assertTrue(transport.disconnecting)
        protocol.dataReceived(GET)
        self.assertEqual(len(replies(transport.value())), 1)

    def test_a_line_without_an_end(self) -> None:
        """Octets that never become a line are not collected."""
        protocol, transport = self.site.connect()
        for _ in range(10):
            protocol.dataReceived(b"a" * 1000)
        self.assertTrue(transport.disconnecting)

    def test_many_headers(self) -> None:
        """More than sixty header fields, or 16 KiB of them, are refused."""
        for fields in (b"a: b\r\n" * 100, b"a: " + b"b" * 4000 + b"\r\n", b"a: " + b"b" * 4000 + b"\r\n"):
            protocol, transport = self.site.connect()
            many = fields * (5 if len(fields) > 1000 else 1)
            protocol.dataReceived(b"GET /login HTTP/1.1\r\nhost: x\r\n" + many + b"\r\n")
            self.assertEqual(transport.value()[:12], b"HTTP/1.1 400")
            self.assertTrue(transport.disconnecting)

    def test_large_forms(self) -> None:
        """A form of more than 64 KiB is told that it is too large, without being kept."""
        browser = Browser(self.site)
        reply = browser.send("POST", "/login", b"login=" + b"a" * limits.BODY_OCTETS)
        self.assertEqual(reply.status, 413)
        self.assertIn("64 KiB", reply.text)

    def test_bodies_without_end(self) -> None:
        """A body beyond any limit ends the connection at once, with or without its length told before."""
        protocol, transport = self.site.connect()
        protocol.dataReceived(b"POST /login HTTP/1.1\r\nhost: x\r\ncontent-length: 99999999999\r\n\r\n")
        self.assertEqual([reply.status for reply in replies(transport.value())], [413])
        protocol, transport = self.site.connect()
        protocol.dataReceived(b"POST /login HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n")
        for _ in range(21):
            protocol.dataReceived(b"100000\r\n" + b"a" * 0x100000 + b"\r\n")
        self.assertTrue(transport.disconnecting)
        self.assertEqual([reply.status for reply in replies(transport.value())], [413])

    def test_two_lengths(self) -> None:
        """A body whose length can be read in two ways is refused (request smuggling)."""
        for second in (b"content-length: 5", b"transfer-encoding: chunked"):
            protocol, transport = self.site.connect()
            protocol.dataReceived(b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 3\r\n" + second + b"\r\n\r\nabc")
            self.assertEqual(transport.value()[:12], b"HTTP/1.1 400")

    def test_damaged_forms(self) -> None:
        """What is no form is refused, and asks nobody for a password."""
        browser = Browser(self.site)
        for kind in ("text/plain", "multipart/form-data", "multipart/form-data; boundary=x", "nonsense"):
            reply = browser.send("POST", "/login", b"login=a&password=b", content_type=kind)
            self.assertEqual(reply.status, 400, kind)
        self.assertEqual(self.site.sign_in.asked, [])

    def test_too_many_fields(self) -> None:
        """More than a hundred fields are refused, in forms and in addresses."""
        browser = Browser(self.site)
        many = "&".join(f"a{number}=1" for number in range(101))
        self.assertEqual(browser.send("POST", "/login", many.encode()).status, 413)
        self.assertEqual(browser.get(f"/login?{many}").status, 413)

    def test_head(self) -> None:
        """HEAD has the headers of GET, and no body."""
        browser = Browser(self.site)
        whole, head = browser.send("GET", "/login"), browser.send("HEAD", "/login")
        self.assertEqual((head.status, head.body), (200, b""))
        self.assertEqual(head.headers["content-length"], str(len(whole.body)))

    def test_other_methods(self) -> None:
        """Methods that a page does not know are refused, with those it knows."""
        browser = Browser(self.site)
        for method in ("PUT", "DELETE", "OPTIONS", "TRACE", "NONSENSE"):
            reply = browser.send(method, "/login")
            self.assertEqual(reply.status, 405, method)
            self.assertEqual(reply.headers["allow"], "GET, HEAD, POST")
        self.assertEqual(browser.get("/logout").status, 405)

    def test_strange_paths(self) -> None:
        """Paths that are none of ours are not there, however they are written; none leads to a file or elsewhere."""
        browser = Browser(self.site)
        strange = (
            "/static/../server.py",
            "/static/..%2f..%2fserver.py",
            "/static/%2e%2e/server.py",
            "/static/panel.css",
            "/static//etc/passwd",
            "//evil.example/",
            "//evil.example/login",
            "/%ff%fe",
            "/%00",
            "*",
            "http://evil.example/login",
        )
        for path in strange:
            reply = browser.get(path)
            self.assertIn(reply.status, (400, 404, 405), path)
            self.assertNotIn("location", reply.headers, path)
            self.assertNotIn("evil", reply.text, path)

    def test_names_that_are_not_ours(self) -> None:
        """Under another name than ours there is no panel, and nothing of that name comes back."""
        for host in ("evil.example", "panel.example.net.evil.example"):
            browser = Browser(self.site)
            reply = browser.get("/login", host=host)
            self.assertEqual(reply.status, 421, host)
            self.assertNotIn(host, reply.text)
            self.assertEqual(reply.cookies, [])

    def test_two_names(self) -> None:
        """A request with two hosts, or none, is for nobody."""
        protocol, transport = self.site.connect()
        protocol.dataReceived(
            GET.replace(b"host: panel.example.net\r\n", b"host: panel.example.net\r\nhost: evil.example\r\n")
        )
        protocol.dataReceived(GET.replace(b"host: panel.example.net\r\n", b""))
        self.assertEqual([reply.status for reply in replies(transport.value())], [421, 421])

    def test_connections_are_counted(self) -> None:
        """One address has so many connections and no more; one that ends makes room."""
        self.site.site.connections = self.site.connections = Sessions(now=self.site.clock.seconds, unauthenticated=2)
        first, _ = self.site.connect()
        self.site.connect()
        _, refused = self.site.connect()
        self.assertEqual([reply.status for reply in replies(refused.value())], [503])
        self.assertTrue(refused.disconnecting)
        first.connectionLost(Failure(ConnectionDone()))
        _, welcome = self.site.connect()
        self.assertFalse(welcome.disconnecting)

    def test_an_office_is_many_people(self) -> None:
        """Connections of who is signed in count for him, and no longer for the address that he shares with others."""
        self.site.sign_in.people = {f"person:{number}": PEOPLE["root"] for number in (1, 2, 3)}
        self.site.sign_in.stamps = dict.fromkeys(self.site.sign_in.people, "stamp")
        self.site.connections._unauthenticated = 1
        for number in range(1, 6):
            subject = f"person:{number % 3 + 1}"
            token = self.site.sessions.begin(subject=subject, credential="stamp", login="root", ip="")
            protocol, transport = self.site.connect()
            head = f"GET /status HTTP/1.1\r\nhost: {HOST}\r\ncookie: session={token}\r\n\r\n"
            for _ in range(2):
                protocol.dataReceived(head.encode())
            self.assertFalse(transport.disconnecting)
        logins = [one.peer.login for one in self.site.connections.all()]
        self.assertEqual(logins, ["root"] * 5)
        counted = {one.peer.account_id for one in self.site.connections.all()}
        self.assertEqual(len(counted), 3)

    def test_a_proxy_is_many_people(self) -> None:
        """Connections of a trusted proxy are not limited by its address."""
        self.site.site.connections = self.site.connections = Sessions(now=self.site.clock.seconds, unauthenticated=2)
        found = [self.site.connect("127.0.0.1")[1] for _ in range(5)]
        self.assertEqual([transport.disconnecting for transport in found], [False] * 5)

    def test_kicked(self) -> None:
        """Who is disconnected from outside gets the answer that is under way, and no other."""
        protocol, transport = self.site.connect()
        protocol.dataReceived(GET)
        self.site.connections.kick("server is shutting down")
        self.assertTrue(transport.disconnecting)
        self.assertEqual(list(self.site.connections.all()), [])

    def test_kicked_while_idle(self) -> None:
        """A browser does not look at idle connections, so that TLS is never closed by both: it is cut off."""
        transport = self.site.connect()[1]
        self.site.connections.kick("server is shutting down")
        self.assertTrue(transport.disconnecting)
        self.assertFalse(transport.aborted)
        self.site.clock.advance(limits.FAREWELL_SECONDS)
        self.assertTrue(transport.aborted)

    def test_nobody_learns_what_runs_here(self) -> None:
        """The Server header has our name and no version, and errors tell nothing of our insides."""
        browser = Browser(self.site)
        self.assertEqual(browser.get("/login").headers["server"], "hostmail")
        self.assertNotIn("Twisted", browser.get("/nothing").text)
