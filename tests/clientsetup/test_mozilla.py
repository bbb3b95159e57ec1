"""Autoconfig files."""

from __future__ import annotations

from xml.etree import ElementTree

from twisted.trial.unittest import SynchronousTestCase

from hostmail.clientsetup.mozilla import autoconfig
from tests.clientsetup.values import setup


class AutoconfigTests(SynchronousTestCase):
    def test_all_servers_in_order(self) -> None:
        """Each server with host, port, security, login and password, the best first."""
        root = ElementTree.fromstring(autoconfig(setup()))
        self.assertEqual((root.tag, root.get("version")), ("clientConfig", "1.1"))
        servers = [each for each in root.iter() if each.tag.endswith("Server")]
        self.assertEqual(
            [(each.tag, each.get("type"), each.findtext("port"), each.findtext("socketType")) for each in servers],
            [
                ("incomingServer", "imap", "993", "SSL"),
                ("incomingServer", "imap", "143", "STARTTLS"),
                ("incomingServer", "pop3", "995", "SSL"),
                ("incomingServer", "pop3", "110", "STARTTLS"),
                ("outgoingServer", "smtp", "465", "SSL"),
                ("outgoingServer", "smtp", "587", "STARTTLS"),
            ],
        )
        self.assertEqual({each.findtext("hostname") for each in servers}, {"mail.one.test"})
        self.assertEqual({each.findtext("username") for each in servers}, {"%EMAILADDRESS%"})
        self.assertEqual({each.findtext("authentication") for each in servers}, {"password-cleartext"})

    def test_names_the_domain(self) -> None:
        """As the DNS has it, and as people write it."""
        provider = ElementTree.fromstring(autoconfig(setup(domain="xn--bcher-kva.test"))).find("emailProvider")
        assert provider is not None
        self.assertEqual((provider.get("id"), provider.findtext("domain")), ("xn--bcher-kva.test",) * 2)
        self.assertEqual(provider.findtext("displayName"), "bücher.test mail")

    def test_the_logins_of_an_alias_domain(self) -> None:
        """They are those of the domain behind it (E6)."""
        self.assertIn(b"<username>%EMAILLOCALPART%@one.test</username>", autoconfig(setup(domain="two.test")))

    def test_says_where_help_is(self) -> None:
        """Only where somebody serves it."""
        self.assertIn(b'url="https://w.test/setup/one.test.txt"', autoconfig(setup(web="https://w.test")))
        self.assertNotIn(b"documentation", autoconfig(setup()))
