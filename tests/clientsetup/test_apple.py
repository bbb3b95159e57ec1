"""Configuration profiles and their codes."""

from __future__ import annotations

import plistlib
from xml.etree import ElementTree

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519
from cryptography.hazmat.primitives.serialization import pkcs7
from twisted.trial.unittest import SynchronousTestCase

from hostmail.address import Address
from hostmail.clientsetup.apple import Signer, profile
from hostmail.clientsetup.qr import MAX_CONTENT, svg
from tests.clientsetup.values import ANN, setup
from tests.listen.certs import pems


class ProfileTests(SynchronousTestCase):
    def test_one_account(self) -> None:
        """Both servers, the login, and no password."""
        whole = plistlib.loads(profile(setup(), ANN, "Ann"))
        [account] = whole["PayloadContent"]
        self.assertEqual((whole["PayloadType"], account["PayloadType"]), ("Configuration", "com.apple.mail.managed"))
        self.assertEqual((account["EmailAccountType"], account["EmailAddress"]), ("EmailTypeIMAP", "Ann@one.test"))
        for way, port in (("Incoming", 993), ("Outgoing", 465)):
            self.assertEqual(account[f"{way}MailServerHostName"], "mail.one.test")
            self.assertEqual(account[f"{way}MailServerPortNumber"], port)
            self.assertEqual(account[f"{way}MailServerUsername"], "Ann@one.test")
            self.assertIs(account[f"{way}MailServerUseSSL"], True)
        self.assertEqual(account["EmailAccountName"], "Ann")
        self.assertIs(account["OutgoingPasswordSameAsIncomingPassword"], True)
        self.assertEqual(
            [key for key in account if key.endswith("Password")], ["OutgoingPasswordSameAsIncomingPassword"]
        )

    def test_pop3(self) -> None:
        """Where there is no IMAP."""
        [account] = plistlib.loads(profile(setup({"pop3s": 995, "submissions": 465}), ANN))["PayloadContent"]
        self.assertEqual((account["EmailAccountType"], "EmailAccountName" in account), ("EmailTypePOP", False))

    def test_the_same_again_for_the_same_address_only(self) -> None:
        """A new profile replaces the old one of its address, and of no other."""
        self.assertEqual(profile(setup(), ANN), profile(setup(), ANN))
        first, second = (plistlib.loads(profile(setup(), each)) for each in (ANN, Address.parse("bob@one.test")))
        for key in ("PayloadUUID", "PayloadIdentifier"):
            self.assertNotEqual(first[key], second[key])
        self.assertTrue(first["PayloadIdentifier"].startswith("test.one.mail."))

    def test_signed(self) -> None:
        """The content is inside, with the certificate and its chain (CMS)."""
        certificate, key = pems("mail.one.test")
        other = x509.load_pem_x509_certificate(pems("ca.test")[0])
        leaf = x509.load_pem_x509_certificate(certificate)
        content = profile(setup(), ANN)
        signed = Signer(leaf, serialization.load_pem_private_key(key, None), (other,)).sign(content)
        self.assertIn(content, signed)
        self.assertEqual(set(pkcs7.load_der_pkcs7_certificates(signed)), {leaf, other})

    def test_a_key_that_cannot_sign(self) -> None:
        """An unsigned profile is better than none."""
        leaf = x509.load_pem_x509_certificate(pems("mail.one.test")[0])
        self.assertEqual(Signer(leaf, ed25519.Ed25519PrivateKey.generate()).sign(b"x"), b"x")


class CodeTests(SynchronousTestCase):
    def test_scales(self) -> None:
        """An image of its own, black on white, without a size."""
        root = ElementTree.fromstring(svg("https://w.test/setup/apple.mobileconfig?address=Ann@one.test&x=1"))
        self.assertEqual(root.tag, "{http://www.w3.org/2000/svg}svg")
        self.assertIsNone(root.get("width"))
        self.assertIsNotNone(root.get("viewBox"))

    def test_too_long(self) -> None:
        """Nobody's telephone reads a code of thousands of squares."""
        self.assertRaises(ValueError, svg, "x" * (MAX_CONTENT + 1))
