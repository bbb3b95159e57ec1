"""Configuration profiles (.mobileconfig) for iPhone, iPad and Mac: a property list that sets up one account. No password is in it."""

from __future__ import annotations

import plistlib
import uuid
from dataclasses import dataclass
from typing import Any

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.hazmat.primitives.serialization.pkcs7 import PKCS7Options, PKCS7SignatureBuilder
from cryptography.x509 import Certificate

from hostmail.address import Address
from hostmail.clientsetup.setup import Protocol, Server, Setup

CONTENT_TYPE = "application/x-apple-aspen-config"

_TYPES = {Protocol.IMAP: "EmailTypeIMAP", Protocol.POP3: "EmailTypePOP"}


@dataclass(frozen=True, slots=True)
class Signer:
    """Who vouches for a profile: a certificate with its key and chain."""

    certificate: Certificate
    key: Any
    chain: tuple[Certificate, ...] = ()

    def sign(self, content: bytes) -> bytes:
        """The content with a signature around it (CMS, RFC 5652), or as it is where the key is of a kind that cannot sign so."""
        if not isinstance(self.key, (rsa.RSAPrivateKey, ec.EllipticCurvePrivateKey)):
            return content
        builder = PKCS7SignatureBuilder().set_data(content).add_signer(self.certificate, self.key, SHA256())
        for each in self.chain:
            builder = builder.add_certificate(each)
        try:
            return builder.sign(Encoding.DER, [PKCS7Options.Binary, PKCS7Options.NoCapabilities])
        except (UnsupportedAlgorithm, ValueError):
            return content


def profile(setup: Setup, address: Address, name: str = "") -> bytes:
    """The profile for an address, which goes by `name`. Made again it replaces the one before: its identifiers are the same."""
    whole = {
        "PayloadType": "Configuration",
        "PayloadVersion": 1,
        "PayloadIdentifier": identifier(setup.domain, address),
        "PayloadUUID": _uuid(address, "profile"),
        "PayloadDisplayName": f"Mail for {address}",
        "PayloadDescription": f"Sets up {address} in Mail. You are asked for the password of the mailbox.",
        "PayloadOrganization": setup.shown,
        "PayloadRemovalDisallowed": False,
        "PayloadContent": [_account(setup, address, name)],
    }
    return plistlib.dumps(whole, sort_keys=False)


def identifier(domain: str, address: Address) -> str:
    """A name for the profile that is nobody else's, as Apple likes them: the domain backwards."""
    return ".".join([*reversed(domain.split(".")), "mail", _uuid(address, "identifier")[:8].lower()])


def _account(setup: Setup, address: Address, name: str) -> dict[str, Any]:
    incoming, outgoing = setup.incoming, setup.outgoing
    found: dict[str, Any] = {
        "PayloadType": "com.apple.mail.managed",
        "PayloadVersion": 1,
        "PayloadIdentifier": f"{identifier(setup.domain, address)}.account",
        "PayloadUUID": _uuid(address, "account"),
        "PayloadDisplayName": f"{address}",
        "EmailAccountDescription": f"{address}",
        "EmailAddress": str(address),
        **({"EmailAccountName": name} if name else {}),
    }
    if incoming is not None:
        found["EmailAccountType"] = _TYPES[incoming.protocol]
        found |= _server("Incoming", incoming, setup.login(address))
    if outgoing is not None:
        found |= _server("Outgoing", outgoing, setup.login(address))
        found["OutgoingPasswordSameAsIncomingPassword"] = True
    return found


def _server(way: str, server: Server, login: str) -> dict[str, Any]:
    """With UseSSL the well-known ports decide between TLS from the first octet and STARTTLS."""
    return {
        f"{way}MailServerHostName": server.host,
        f"{way}MailServerPortNumber": server.port,
        f"{way}MailServerUseSSL": True,
        f"{way}MailServerUsername": login,
        f"{way}MailServerAuthentication": "EmailAuthPassword",
    }


def _uuid(address: Address, what: str) -> str:
    return str(uuid.uuid5(uuid.NAMESPACE_DNS, f"{what}:{address.key}")).upper()
