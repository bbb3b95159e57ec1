"""What a domain's programs connect to."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from hostmail.address import Address
from hostmail.clientsetup.setup import Protocol, server_name
from tests.clientsetup.values import ALL, ANN, setup


class SetupTests(SynchronousTestCase):
    def test_tls_from_the_first_octet_comes_first(self) -> None:
        """The best way of each kind is first, in whatever order ports were configured (RFC 8314 3)."""
        found = setup(dict(reversed(ALL.items())))
        self.assertEqual([each.port for each in found.of(Protocol.IMAP)], [993, 143])
        self.assertEqual([each.port for each in found.of(Protocol.POP3)], [995, 110])

    def test_port_25_is_the_last_resort(self) -> None:
        """People send through submission; only where there is none they are told of port 25."""
        self.assertEqual([each.port for each in setup().of(Protocol.SMTP)], [465, 587])
        self.assertEqual([each.port for each in setup({"smtp": 25, "pop3": 110}).of(Protocol.SMTP)], [25])

    def test_pop3_only(self) -> None:
        """Without IMAP the incoming server is one of POP3."""
        found = setup({"pop3": 110, "smtp": 25}).incoming
        assert found is not None
        self.assertEqual((found.protocol, found.port), (Protocol.POP3, 110))

    def test_the_login_of_an_alias_domain(self) -> None:
        """Who writes as an address of an alias domain signs in with that of the domain behind it (E6)."""
        self.assertEqual(setup(domain="two.test").login(Address.parse("Ann@two.test")), "Ann@one.test")
        self.assertEqual(setup().login(ANN), "Ann@one.test")

    def test_shown_as_people_write_it(self) -> None:
        """A-labels become letters; what is none stays."""
        self.assertEqual(setup(domain="xn--bcher-kva.test").shown, "bücher.test")
        self.assertEqual(setup(domain="_odd.test").shown, "_odd.test")


class NameTests(SynchronousTestCase):
    def name(self, protocol: Protocol, *covered: str, pattern: str | None = None) -> str:
        return server_name(protocol, "one.test", "mx.host.test", set(covered).__contains__, pattern)

    def test_the_domain_s_own_name_where_a_certificate_is_good_for_it(self) -> None:
        """mail.D for everything, else imap.D, pop.D, smtp.D each for itself (A5)."""
        self.assertEqual(self.name(Protocol.IMAP, "mail.one.test", "imap.one.test"), "mail.one.test")
        self.assertEqual(self.name(Protocol.IMAP, "imap.one.test"), "imap.one.test")
        self.assertEqual(self.name(Protocol.POP3, "pop.one.test"), "pop.one.test")
        self.assertEqual(self.name(Protocol.SMTP, "smtp.one.test"), "smtp.one.test")

    def test_else_the_server_s(self) -> None:
        """A name that would end in a certificate error is never shown."""
        self.assertEqual(self.name(Protocol.SMTP, "pop.one.test", "imap.one.test"), "mx.host.test")

    def test_the_operator_s_word_counts(self) -> None:
        """He may know of certificates that are not here, on a proxy say."""
        self.assertEqual(self.name(Protocol.IMAP, pattern="in.{domain}"), "in.one.test")
        self.assertEqual(self.name(Protocol.IMAP, "mail.one.test", pattern="mail.host.test"), "mail.host.test")
