"""Certificates for tests, and a TLS handshake in memory."""

from __future__ import annotations

import datetime
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from OpenSSL import SSL
from twisted.trial.unittest import SynchronousTestCase

TODAY = datetime.datetime(2026, 6, 1, tzinfo=datetime.UTC)


def folder(test: SynchronousTestCase) -> Path:
    """An empty folder that is gone after the test."""
    made = tempfile.mkdtemp()
    test.addCleanup(shutil.rmtree, made)
    return Path(made)


def pems(*names: str, authority: str = "") -> tuple[bytes, bytes]:
    """A fresh certificate for these names, and its key; it names `authority` as the one who signed it, by default itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    return _octets(_certificate(names, key, authority or names[0]).sign(key, hashes.SHA256())), _secret(key)


class Authority:
    """Somebody whose certificates hold for those who trust `certificate`."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._key = ec.generate_private_key(ec.SECP256R1())
        own = _certificate((name,), self._key, name).add_extension(x509.BasicConstraints(True, 0), True)
        self.certificate = _octets(own.sign(self._key, hashes.SHA256()))

    def pems(self, *names: str) -> tuple[bytes, bytes]:
        """A fresh certificate for these names, signed, and its key."""
        key = ec.generate_private_key(ec.SECP256R1())
        return _octets(_certificate(names, key, self._name).sign(self._key, hashes.SHA256())), _secret(key)


def _certificate(names: Sequence[str], key: ec.EllipticCurvePrivateKey, issuer: str) -> x509.CertificateBuilder:
    subject, signer = (x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]) for name in (names[0], issuer))
    return (
        x509.CertificateBuilder(signer, subject, key.public_key(), x509.random_serial_number())
        .not_valid_before(TODAY)
        .not_valid_after(TODAY + datetime.timedelta(3650))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name) for name in names]), False)
    )


def _octets(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)


def _secret(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def place(path: Path, *names: str, authority: str = "") -> Path:
    """Put certificate and key into one file, as a renewal does: a new file under the old name."""
    path.parent.mkdir(parents=True, exist_ok=True)
    new = path.with_name(".new")
    new.write_bytes(b"".join(pems(*names, authority=authority)))
    new.rename(path)
    return path


def shown(
    server: SSL.Connection, asks_for: str | None = None, version: int | None = None, speaks: Sequence[bytes] = ()
) -> str:
    """Shake hands with a server connection; the common name of the certificate it shows. `speaks` is offered by ALPN."""
    context = SSL.Context(SSL.TLS_METHOD)
    if speaks:
        context.set_alpn_protos(list(speaks))
    if version is not None:
        context.set_max_proto_version(version)
        context.set_cipher_list(b"ALL:@SECLEVEL=0")
    client = SSL.Connection(context, None)
    if asks_for is not None:
        client.set_tlsext_host_name(asks_for.encode())
    client.set_connect_state()
    server.set_accept_state()
    for _ in range(10):
        for end, other in ((client, server), (server, client)):
            try:
                end.do_handshake()
            except SSL.WantReadError:
                pass
            try:
                other.bio_write(end.bio_read(65536))
            except SSL.WantReadError:
                pass
    certificate = client.get_peer_certificate(as_cryptography=True)
    assert certificate is not None
    return str(certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)[0].value)
