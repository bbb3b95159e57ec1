"""A real Thunderbird is given a name, an address and a password, and nothing else (F3)."""

from __future__ import annotations

from typing import ClassVar

from tests.journeys.base import ANN, BOB, Journey
from tests.listen.certs import Authority
from tests.support.appliance import PASSWORD
from tests.support.socks import Socks
from tests.support.thunderbird import Thunderbird

HOST = "mail.example.test"
WITH, WITHOUT, ALIAS = "example.test", "two.test", "example.net"
"""A domain with certificates for its names, one without, and one whose mail is the first one's."""

HTTPS, HTTP = 443, 80


class ThunderbirdTests(Journey):
    """One service, and one Thunderbird that trusts its certificates as those of any well-known authority."""

    accounts = (ANN, BOB, f"dora@{WITHOUT}")
    more = ("panel", "setup")
    settings = "tls: {directory: certificates}\n"
    socks: ClassVar[Socks]
    thunderbird: ClassVar[Thunderbird]

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        authority = Authority("An authority")
        folder = cls.here.folder / "certificates"
        folder.mkdir()
        for name in (HOST, WITH, f"autoconfig.{WITH}", f"autodiscover.{WITH}"):
            (folder / f"{name}.pem").write_bytes(b"".join(authority.pems(name)))
        cls.here.command("domain", "alias", "add", ALIAS, WITH)
        cls.socks = Socks()
        cls.socks.open()
        try:
            cls.thunderbird = Thunderbird(cls.socks)
            cls.thunderbird.trusts(authority.certificate)
        except BaseException:
            cls.socks.close()
            super().tearDownClass()
            raise

    @classmethod
    def tearDownClass(cls) -> None:
        cls.thunderbird.end()
        cls.socks.close()
        super().tearDownClass()

    def leads(self, *hosts: tuple[str, int]) -> None:
        """Where the DNS and routers lead to: these, and the mail server."""
        web = {HTTPS: self.here.ports["panel"], HTTP: self.here.ports["setup"]}
        mail = self.here.ports.values()
        self.socks.leads = {(HOST, port): port for port in mail} | {(host, port): web[port] for host, port in hosts}

    def servers(self, *services: str) -> list[list[object]]:
        """How Thunderbird is to see ports of ours."""
        kinds = {"imap": "imap", "pop3": "pop3", "subm": "smtp"}
        return [
            [kinds[service[:4]], HOST, self.here.ports[service], "TLS" if service.endswith("s") else "STARTTLS"]
            for service in services
        ]

    def test_sets_itself_up(self) -> None:
        """In its own dialog it finds the servers; then Ann reads her mail, and writes one that comes back."""
        self.leads((f"autoconfig.{WITH}", HTTPS))
        self.deliver("A letter to Ann", body="Can you read this?\n")
        thunderbird = self.thunderbird
        thunderbird.fills_in("realName", "Ann Other")
        thunderbird.fills_in("email", ANN)
        thunderbird.goes_on()
        found = thunderbird.shows("incomingHost", "incomingPort", "outgoingHost", "outgoingPort", "sharedUsername")
        ports = {name: str(port) for name, port in self.here.ports.items()}
        self.assertEqual(found, [HOST, ports["imaps"], HOST, ports["submissions"], ANN])
        thunderbird.goes_on()
        thunderbird.fills_in("password", PASSWORD)
        thunderbird.goes_on()
        thunderbird.shows("accountHubEncryptionLink")
        thunderbird.goes_on()
        self.assertEqual(thunderbird.reads("A letter to Ann"), "Can you read this?")
        thunderbird.sends(ANN, "A letter from Ann", "Yes, I can.\n.\nAnn\n")
        self.assertEqual(thunderbird.reads("A letter from Ann"), "Yes, I can.\n.\nAnn")
        self.assertEqual(thunderbird.reads("A letter from Ann", "SentMail"), "Yes, I can.\n.\nAnn")
        client = self.imap()
        client.select("Sent", readonly=True)
        self.assertEqual(client.search(None, "SUBJECT", '"A letter from Ann"')[1], [b"1"])
        client.logout()

    def test_wherever_it_asks(self) -> None:
        """Both addresses of the file, with TLS and without, give the same servers, the best first."""
        for host in (f"autoconfig.{WITH}", WITH):
            for port, way in ((HTTPS, "https"), (HTTP, "http")):
                self.leads((host, port))
                found = self.thunderbird.looks_up(ANN)
                self.assertEqual(found["from"], f"xml-from-isp-{way}", (host, port))
                self.assertEqual(found["incoming"], self.servers("imaps", "imap", "pop3s", "pop3"))
                self.assertEqual(found["outgoing"], self.servers("submissions", "submission"))
                self.assertEqual(found["logins"], [ANN, ANN])

    def test_without_a_certificate(self) -> None:
        """A domain that has none for its names is found by the plain port: what TLS shows there is not believed."""
        dora = f"dora@{WITHOUT}"
        names = [f"{label}{WITHOUT}" for label in ("autoconfig.", "autodiscover.", "")]
        self.leads(*((name, HTTPS) for name in names))
        self.assertIsNone(self.thunderbird.looks_up(dora))
        self.leads(*((name, port) for name in names for port in (HTTPS, HTTP)))
        found = self.thunderbird.looks_up(dora)
        self.assertEqual(found["from"], "xml-from-isp-http")
        self.assertEqual(found["incoming"][0], self.servers("imaps")[0])

    def test_by_autodiscover(self) -> None:
        """Where only Outlook's questions are answered, it asks those, and understands us."""
        for port, way in ((HTTPS, "url1"), (HTTP, "url3")):
            self.leads((f"autodiscover.{WITH}", port))
            found = self.thunderbird.looks_up(ANN)
            self.assertEqual(found["from"], f"exchange-from-{way}")
            self.assertEqual(found["incoming"], self.servers("imaps", "pop3s"))
            self.assertEqual(found["outgoing"], self.servers("submissions"))
            self.assertEqual(found["logins"], [ANN, ANN])

    def test_it_guesses(self) -> None:
        """Where it can ask nobody, the names and ports that people expect lead to the best of our servers."""
        usual = {"imaps": 993, "imap": 143, "pop3s": 995, "pop3": 110, "submissions": 465, "submission": 587}
        self.socks.leads = {(HOST, port): self.here.ports[service] for service, port in usual.items()}
        self.assertEqual(self.thunderbird.guesses(WITH), [["imap", HOST, 993, "TLS"], ["smtp", HOST, 465, "TLS"]])

    def test_an_alias_domain(self) -> None:
        """The login is that of the mailbox behind the address (E6)."""
        self.leads((f"autoconfig.{ALIAS}", HTTP))
        found = self.thunderbird.looks_up(f"ann@{ALIAS}")
        self.assertEqual(found["incoming"][0], self.servers("imaps")[0])
        self.assertEqual(found["logins"], [ANN, ANN])
