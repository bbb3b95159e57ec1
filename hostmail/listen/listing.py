"""What there is of certificates, for people: read from the files as they are now, whether they can be used or not."""

from __future__ import annotations

import os
from collections.abc import Sequence

from cryptography import x509
from cryptography.x509.oid import NameOID

from hostmail.interfaces.admin import CertificateInfo
from hostmail.listen.pem import BadCertificate, Pair, names_of


def looked_at(pairs: Sequence[tuple[str, Pair]]) -> list[CertificateInfo]:
    """Each of these, by server name; reads files, so it is for a thread."""
    return [look_at(name, pair) for name, pair in pairs]


def look_at(server_name: str, pair: Pair) -> CertificateInfo:
    """One of them."""
    file = os.fspath(pair.chain)
    try:
        leaf = pair.certificates()[0]
    except BadCertificate as error:
        return CertificateInfo(server_name, file, problem=str(error))
    problem = ""
    try:
        pair.read()
    except BadCertificate as error:
        problem = str(error)
    return CertificateInfo(
        server_name=server_name,
        file=file,
        names=tuple(names_of(leaf)),
        issuer=issuer_of(leaf),
        valid_from=leaf.not_valid_before_utc.timestamp(),
        valid_until=leaf.not_valid_after_utc.timestamp(),
        self_signed=leaf.issuer == leaf.subject,
        problem=problem,
    )


def issuer_of(leaf: x509.Certificate) -> str:
    """Who signed it, as people know him."""
    for kind in (NameOID.ORGANIZATION_NAME, NameOID.COMMON_NAME):
        found = leaf.issuer.get_attributes_for_oid(kind)
        if found:
            return str(found[0].value)
    return leaf.issuer.rfc4514_string()
