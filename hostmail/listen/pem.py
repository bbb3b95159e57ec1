"""Certificates and keys on disk: reading them with their chain, and making a self-signed one for a server that has none."""

from __future__ import annotations

import datetime
import os
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from OpenSSL import SSL
from twisted.internet.ssl import CertificateOptions, TLSVersion

MAX_PEM = 1 << 20
SELF_SIGNED_DAYS, RENEW_DAYS = 3650, 30

Stamp = tuple[tuple[int, int, int], ...]


class BadCertificate(ValueError):
    """Files that make no usable certificate; the text says which and why."""


@dataclass(frozen=True, slots=True)
class Pair:
    """Where a certificate (with its chain, leaf first) and its key are; one file may hold both."""

    chain: Path
    key: Path

    def stamp(self) -> Stamp:
        """What changes when either file is replaced; empty while one is missing."""
        try:
            found = [os.stat(path) for path in dict.fromkeys((self.chain, self.key))]
        except OSError:
            return ()
        return tuple((status.st_mtime_ns, status.st_ino, status.st_size) for status in found)

    def certificates(self) -> list[x509.Certificate]:
        """The certificates, leaf first; raises BadCertificate."""
        try:
            return x509.load_pem_x509_certificates(_read(self.chain))
        except ValueError as error:
            raise BadCertificate(f"{self.chain} holds no readable certificate: {error}") from None

    def private_key(self) -> PrivateKeyTypes:
        """The key; raises BadCertificate."""
        try:
            return serialization.load_pem_private_key(_read(self.key), None)
        except (ValueError, TypeError, UnsupportedAlgorithm) as error:
            raise BadCertificate(f"{self.key} holds no readable private key: {error}") from None

    def read(self) -> Identity:
        """Both; raises BadCertificate, also when key and certificate do not belong together."""
        leaf, *chain = self.certificates()
        identity = Identity(leaf, tuple(chain), self.private_key())
        try:
            identity.options(lambda name: None).getContext()
        except SSL.Error:
            raise BadCertificate(f"{self.key} is not the key of {self.chain}") from None
        return identity


@dataclass(frozen=True, slots=True)
class Identity:
    """A certificate with its chain and its key."""

    leaf: x509.Certificate
    chain: tuple[x509.Certificate, ...]
    key: PrivateKeyTypes

    def options(self, select: Callable[[bytes | None], SSL.Context | None]) -> CertificateOptions:
        """Server options for TLS 1.2 and later, `select` choosing by server name."""
        # Typed for pyOpenSSL's own objects, which pyOpenSSL itself calls deprecated.
        return CertificateOptions(
            privateKey=self.key,  # type: ignore[arg-type]
            certificate=self.leaf,  # type: ignore[arg-type]
            extraCertChain=self.chain,  # type: ignore[arg-type]
            raiseMinimumTo=TLSVersion.TLSv1_2,
            contextForServerName=select,
        )

    def convinces(self, name: str, now: float) -> bool:
        """Whether a program that asks for this name will find nothing wrong, as far as can be told here: the name and the time are right,
        and somebody else has signed it.
        """
        moment = datetime.datetime.fromtimestamp(now, datetime.UTC)
        in_time = self.leaf.not_valid_before_utc <= moment < self.leaf.not_valid_after_utc
        return in_time and self.leaf.issuer != self.leaf.subject and covers(self.leaf, name)


def _read(path: Path) -> bytes:
    try:
        with open(path, "rb") as stream:
            return stream.read(MAX_PEM)
    except OSError as error:
        raise BadCertificate(f"{path} cannot be read: {error.strerror}") from None


def covers(certificate: x509.Certificate, name: str) -> bool:
    """True if the certificate is for this server name (RFC 6125: one label may stand for the asterisk)."""
    wildcard = "*." + name.partition(".")[2]
    return any(one in (name, wildcard) for one in names_of(certificate))


def names_of(certificate: x509.Certificate) -> list[str]:
    """The server names it is for, in lower case."""
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (x509.ExtensionNotFound, ValueError):
        return []
    return [name.lower() for name in names.get_values_for_type(x509.DNSName)]


def self_signed(hostname: str, folder: Path, now: float) -> Pair:
    """The server's own certificate: made once (ECDSA P-256), kept 0600 in `folder`, made again only shortly before it ends.

    It proves nothing to a client, but lets STARTTLS work from the first minute. Raises BadCertificate if it cannot be written.
    """
    pair = Pair(folder / "self-signed.pem", folder / "self-signed.pem")
    today = datetime.datetime.fromtimestamp(now, datetime.UTC)
    if pair.chain.exists():
        leaf = pair.certificates()[0]
        if covers(leaf, hostname) and leaf.not_valid_after_utc - today > datetime.timedelta(RENEW_DAYS):
            return pair
    key = ec.generate_private_key(ec.SECP256R1())
    certificate = _certificate(hostname, key, today)
    secret = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    try:
        _place(pair.chain, secret + certificate.public_bytes(serialization.Encoding.PEM))
    except OSError as error:
        raise BadCertificate(f"a certificate cannot be written to {pair.chain}: {error.strerror}") from None
    return pair


def _certificate(hostname: str, key: ec.EllipticCurvePrivateKey, today: datetime.datetime) -> x509.Certificate:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, hostname[:64])])
    builder = (
        x509.CertificateBuilder(issuer_name=name, subject_name=name, public_key=key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(today - datetime.timedelta(1))
        .not_valid_after(today + datetime.timedelta(SELF_SIGNED_DAYS))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(hostname)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
    )
    return builder.sign(key, hashes.SHA256())


def _place(path: Path, content: bytes) -> None:
    """Write a secret file so that nobody ever sees half of it, or sees it at all.

    Made as root (before privileges drop), it belongs to whoever owns the folder above, who must read it later.
    """
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=".new-")
    try:
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        if os.geteuid() == 0:
            owner = os.stat(path.parent.parent)
            for ours in (path.parent, temporary):
                os.chown(ours, owner.st_uid, owner.st_gid)
        os.rename(temporary, path)
    except OSError:
        os.unlink(temporary)
        raise
