"""hostmail.auth.barenames: whose names may come without a domain (A4)."""

from __future__ import annotations

from hostmail.auth.barenames import by_server_name, domains_in, of_domain
from hostmail.envelope import Peer
from hostmail.interfaces.directory import Domain
from tests.auth.support import AuthTestCase, People


class HomeTests(AuthTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.people = People()
        self.people.hosted["mail.example.net"] = Domain("mail.example.net", "mail")

    def home(self, server_name: str) -> str:
        return self.get(by_server_name(self.people)(Peer("192.0.2.1", "imaps", server_name=server_name)))  # type: ignore[arg-type]

    def test_by_server_name(self) -> None:
        """The name asked for tells the domain: itself, or what follows mail., pop., smtp., imap. (A5)."""
        for name in ("example.com", "mail.example.com", "IMAP.Example.COM.", "pop.example.com", "smtp.example.com"):
            self.assertEqual(self.home(name), "example.com", name)
        self.assertEqual(self.home("mail.example.net"), "mail.example.net")

    def test_no_domain_of_ours(self) -> None:
        """Other names, and none at all, belong to nobody."""
        for name in ("", ".", "www.example.com", "example.org", "mail", "mail..", "..", "com", "mail.com"):
            self.assertEqual(self.home(name), "", name)

    def test_likeliest_first(self) -> None:
        """Both readings of mail.example.com are tried, whatever it is."""
        self.assertEqual(domains_in("mail.example.com"), ["example.com", "mail.example.com"])
        self.assertEqual(domains_in("example.com"), ["example.com"])

    def test_one_domain(self) -> None:
        """A port may belong to one domain whatever the client asks for."""
        self.assertEqual(self.get(of_domain("example.com")(Peer("", "pop3"))), "example.com")  # type: ignore[arg-type]
