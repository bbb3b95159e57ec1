"""Set-up answers, as mail programs ask for them."""

from __future__ import annotations

import json
import plistlib
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from twisted.trial.unittest import SynchronousTestCase

from hostmail.clientsetup.apple import Signer
from hostmail.clientsetup.setup import Setup
from hostmail.errors import TemporaryFailure
from hostmail.rates import Rates
from hostmail.web.redirecting import make_redirecting
from hostmail.web.setup.answers import SetupAnswers
from hostmail.web.setup.routes import plain_routes, setup_routes
from tests.clientsetup.test_outlook import question
from tests.clientsetup.values import setup
from tests.listen.certs import pems
from tests.web.fakes import Browser, Reply, Site

WEB = "https://mail.one.test:8443"
DOMAINS = {
    "one.test": setup(web=WEB),
    "two.test": setup(domain="two.test", web=WEB),
    "bare.test": setup(domain="bare.test", login_domain="bare.test"),
    "closed.test": setup({"smtp": 25}, domain="closed.test", web=WEB),
}
UNKNOWN = ("three.test", "x.one.test", "", "[192.0.2.1]", "192.0.2.1", "a b")


class AnswersTestCase(SynchronousTestCase):
    per_minute = 100
    seconds = 0.0

    def setUp(self) -> None:
        self.asked: list[str] = []
        self.signer: Signer | None = None
        folder = Path(self.mktemp())
        folder.mkdir()
        answers = SetupAnswers(setup_of=self.setup_of, signer_of=lambda name: self.signer, now=lambda: 0.0)
        rates = Rates(per_minute=self.per_minute, now=lambda: self.seconds)
        self.site = Site(folder, more=setup_routes(answers, rates))
        self.browser = Browser(self.site)
        (folder / "plain").mkdir()
        self.plain = Site(folder / "plain")
        self.plain.site = make_redirecting(
            panel_url=WEB,
            routes=plain_routes(answers, rates),
            connections=self.plain.connections,
            reactor=self.plain.clock,
        )

    async def setup_of(self, domain: str) -> Setup | None:
        self.asked.append(domain)
        if domain == "broken.test":
            raise TemporaryFailure
        return DOMAINS.get(domain)

    def get(self, path: str, host: str = "mail.one.test") -> Reply:
        return self.browser.get(path, host=host)

    def post(self, body: bytes, path: str = "/autodiscover/autodiscover.xml", host: str = "mail.one.test") -> Reply:
        return self.browser.send("POST", path, body, host=host, content_type="text/xml")

    def without_tls(self, path: str, host: str, method: str = "GET", body: bytes = b"") -> Reply:
        return Browser(self.plain).send(method, path, body, host=host, x_forwarded_proto="", x_forwarded_for="")

    def is_nothing(self, reply: Reply) -> None:
        self.assertEqual((reply.status, reply.body), (404, b"There is nothing here.\n"))


class RateTests(AnswersTestCase):
    per_minute = 3

    def test_so_often(self) -> None:
        """Who asks too often is told when he may again, whatever he asks and by which port; others are answered meanwhile."""
        self.get("/mail/config-v1.1.xml?emailaddress=ann@one.test")
        self.get("/setup/apple.mobileconfig?address=ann@one.test")
        self.post(b"nonsense")
        asked = len(self.asked)
        for path in ("/mail/config-v1.1.xml", "/setup/one.test.txt", "/setup/apple.mobileconfig?address=ann@one.test"):
            reply = self.get(path)
            self.assertEqual((reply.status, reply.headers["retry-after"]), (429, "20"), path)
        self.assertEqual(len(self.asked), asked)
        other = Browser(self.site)
        self.assertEqual(
            other.get("/setup/one.test.txt", host="mail.one.test", x_forwarded_for="192.0.2.99").status, 200
        )
        self.seconds = 21.0
        self.assertEqual(self.get("/setup/one.test.txt").status, 200)

    def test_one_network(self) -> None:
        """Who has a whole /64 gets no more answers than who has one address."""
        for number in range(5):
            ip = f"2001:db8::{number + 1}"
            status = self.browser.get("/setup/one.test.txt", host="mail.one.test", x_forwarded_for=ip).status
            self.assertEqual(status, 200 if number < 3 else 429)


class AutoconfigTests(AnswersTestCase):
    def test_both_addresses(self) -> None:
        """autoconfig.D/mail/... and D/.well-known/..., with an address or without one."""
        wanted = self.get("/mail/config-v1.1.xml?emailaddress=ann@one.test")
        self.assertEqual((wanted.status, wanted.headers["content-type"]), (200, "application/xml; charset=utf-8"))
        self.assertIn(b"<hostname>mail.one.test</hostname>", wanted.body)
        for path, host in (
            ("/mail/config-v1.1.xml", "autoconfig.one.test"),
            ("/mail/config-v1.1.xml?emailaddress=nobody%40one.test", "autoconfig.one.test"),
            ("/.well-known/autoconfig/mail/config-v1.1.xml", "one.test"),
            ("/.well-known/autoconfig/mail/config-v1.1.xml?emailaddress=x@ONE.test", "one.test"),
        ):
            self.assertEqual(self.get(path, host).body, wanted.body, path)
            self.assertEqual(self.without_tls(path, host).body, wanted.body, path)

    def test_alias_domains(self) -> None:
        """Their own names, and the logins of the domain behind them (E6)."""
        body = self.get("/mail/config-v1.1.xml?emailaddress=ann@two.test", "autoconfig.one.test").body
        self.assertIn(b"<domain>two.test</domain>", body)
        self.assertIn(b"%EMAILLOCALPART%@one.test", body)

    def test_what_is_not_hosted_here(self) -> None:
        """One and the same answer for whatever it is."""
        for domain in UNKNOWN[:2]:
            self.is_nothing(self.get(f"/mail/config-v1.1.xml?emailaddress=ann@{domain}"))
            self.is_nothing(self.get("/mail/config-v1.1.xml", f"autoconfig.{domain}"))
        self.is_nothing(self.get("/mail/config-v1.1.xml?emailaddress=ann"))
        self.is_nothing(self.get("/mail/config-v1.1.xml?emailaddress=ann@[192.0.2.1]"))
        self.is_nothing(self.get("/mail/config-v1.1.xml?emailaddress=postmaster"))

    def test_nothing_to_set_up(self) -> None:
        """Where mail cannot be fetched, or not be sent, programs find nothing."""
        self.is_nothing(self.get("/mail/config-v1.1.xml?emailaddress=ann@closed.test"))
        self.is_nothing(self.get("/setup/apple.mobileconfig?address=ann@closed.test"))

    def test_whole_sites(self) -> None:
        """The bare domain may be somebody's web site without TLS, of which these paths alone are ours: no browser is told otherwise."""
        for path in ("/.well-known/autoconfig/mail/config-v1.1.xml", "/setup/one.test.txt", "/setup/three.test.txt"):
            self.assertNotIn("strict-transport-security", self.get(path, "one.test").headers)
        self.assertIn("strict-transport-security", self.browser.get("/login").headers)

    def test_nobody_is_looked_up(self) -> None:
        """All that is asked for are domains."""
        self.get("/mail/config-v1.1.xml?emailaddress=ann@one.test")
        self.post(question())
        self.get("/setup/apple.mobileconfig?address=ann@one.test")
        self.assertEqual(set(self.asked), {"one.test"})

    def test_directory_in_trouble(self) -> None:
        """The program is told to come again, and nothing else."""
        reply = self.get("/mail/config-v1.1.xml?emailaddress=ann@broken.test")
        self.assertEqual((reply.status, reply.body), (503, b"Please try again later.\n"))


class AutodiscoverTests(AnswersTestCase):
    def test_in_xml(self) -> None:
        """In whatever case the path is written."""
        for path in (
            "/autodiscover/autodiscover.xml",
            "/Autodiscover/Autodiscover.xml",
            "/AutoDiscover/AutoDiscover.XML",
        ):
            reply = self.post(question(), path)
            self.assertEqual((reply.status, reply.headers["content-type"]), (200, "text/xml; charset=utf-8"), path)
            self.assertIn(b"<LoginName>Ann@one.test</LoginName>", reply.body)

    def test_other_questions(self) -> None:
        """ActiveSync is not available; what is no question is told so; other domains are nothing."""
        self.assertIn(b"<ErrorCode>601<", self.post(question(schema="mobilesync")).body)
        reply = self.post(b"<!DOCTYPE x []><x/>")
        self.assertEqual(reply.status, 400)
        self.assertIn(b"<ErrorCode>600<", reply.body)
        self.is_nothing(self.post(question("ann@three.test")))

    def test_led_to_tls(self) -> None:
        """Who looks around without TLS is told where there is TLS, and answered nothing else."""
        reply = self.without_tls("/autodiscover/autodiscover.xml", "autodiscover.one.test")
        self.assertEqual((reply.status, reply.headers["location"]), (302, f"{WEB}/autodiscover/autodiscover.xml"))
        for host in ("autodiscover.three.test", "autodiscover.bare.test"):
            self.is_nothing(self.without_tls("/autodiscover/autodiscover.xml", host))
        self.is_nothing(self.get("/autodiscover/autodiscover.xml"))

    def test_in_json(self) -> None:
        """It says where to ask in XML, for the address in the query or in the path."""
        for path in (
            "/autodiscover/autodiscover.json?Email=ann@one.test&Protocol=AutodiscoverV1",
            "/Autodiscover/Autodiscover.json?email=ann@one.test&protocol=autodiscoverv1",
            "/autodiscover/autodiscover.json/v1.0/ann@one.test?Protocol=AutodiscoverV1",
        ):
            reply = self.get(path)
            self.assertEqual((reply.status, reply.headers["content-type"]), (200, "application/json"), path)
            self.assertEqual(json.loads(reply.body)["Url"], f"{WEB}/autodiscover/autodiscover.xml")

    def test_in_json_otherwise(self) -> None:
        """Other protocols, other domains, and a server without a panel."""
        path = "/autodiscover/autodiscover.json?Protocol={}&Email=ann@{}"
        self.assertEqual(self.get(path.format("Ews", "one.test")).status, 400)
        self.is_nothing(self.get(path.format("AutodiscoverV1", "three.test")))
        self.is_nothing(self.get(path.format("AutodiscoverV1", "bare.test")))


class ProfileTests(AnswersTestCase):
    def test_profile(self) -> None:
        """A file to be opened, for the address as it was asked."""
        reply = self.get("/setup/apple.mobileconfig?address=Ann@one.test")
        self.assertEqual(reply.headers["content-type"], "application/x-apple-aspen-config")
        self.assertIn("one.test.mobileconfig", reply.headers["content-disposition"])
        [account] = plistlib.loads(reply.body)["PayloadContent"]
        self.assertEqual(account["IncomingMailServerUsername"], "Ann@one.test")
        for text in ("", "ann", "ann@three.test", "postmaster", "a@[192.0.2.1]"):
            self.is_nothing(self.get(f"/setup/apple.mobileconfig?address={text}"))

    def test_signed(self) -> None:
        """With the server's certificate, if there is one that convinces."""
        certificate, key = pems("mail.one.test", authority="An authority")
        self.signer = Signer(x509.load_pem_x509_certificate(certificate), serialization.load_pem_private_key(key, None))
        body = self.get("/setup/apple.mobileconfig?address=Ann@one.test").body
        self.assertNotEqual(body[:5], b"<?xml")
        self.assertIn(b"<string>Ann@one.test</string>", body)

    def test_never_without_tls(self) -> None:
        """Somebody on the way could lead the whole account to himself."""
        reply = self.without_tls("/setup/apple.mobileconfig?address=Ann@one.test", "one.test")
        self.assertEqual((reply.status, reply.headers["location"]), (302, f"{WEB}/"))


class GuideTests(AnswersTestCase):
    def test_guide(self) -> None:
        """As text, for a domain."""
        reply = self.get("/setup/one.test.txt")
        self.assertEqual(reply.headers["content-type"], "text/plain; charset=utf-8")
        self.assertIn("Setting up a mail program for you@one.test", reply.text)
        for domain in ("three.test", "a%20b"):
            self.is_nothing(self.get(f"/setup/{domain}.txt"))
