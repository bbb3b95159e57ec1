"""The fields that delivery writes in front of a message (RFC 5321 4.4), and the ids that name it in logs and replies."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

from hostmail.delivery.accepted import Responsible
from hostmail.envelope import Envelope, Peer
from hostmail.message.trace import received_field, with_protocol

_DIGITS = "0123456789abcdefghjkmnpqrstvwxyz"


def new_queue_id(now: float, random: Random) -> str:
    """A new id of 14 characters that sorts by time; unique by its millisecond and 24 bits of chance."""
    number = int(now * 1000) << 24 | random.getrandbits(24)
    text = ""
    while number:
        number, digit = divmod(number, 32)
        text = _DIGITS[digit] + text
    return text


def received(
    peer: Peer,
    envelope: Envelope,
    recipients: Sequence[str],
    responsible: Responsible | None,
    *,
    hostname: str,
    queue_id: str,
    now: float,
) -> bytes:
    """Our Received field; it names the account a message is attributed to (C4), and its recipient if there is just one."""
    return received_field(
        helo=peer.helo,
        ip=peer.ip,
        by=hostname,
        protocol=with_protocol(
            esmtp=peer.esmtp, tls=peer.tls, authenticated=peer.account_id is not None, utf8=envelope.smtputf8
        ),
        queue_id=queue_id,
        timestamp=now,
        recipients=recipients,
        tls=f"{peer.tls_version} {peer.tls_cipher}".strip() if peer.tls else "",
        comment=_attribution(responsible),
    )


def _attribution(responsible: Responsible | None) -> str:
    if responsible is None:
        return ""
    words = "authenticated as" if responsible.how == "auth" else "relaying by mail check of"
    return f"{words} {responsible.login}"


def final_fields(sender: str, delivered_to: str, addressed: str = "") -> bytes:
    """What final delivery writes above the Received field: Return-Path, Delivered-To, and the address named where that is another."""
    original = f"X-Original-To: {addressed}\r\n" if addressed else ""
    return f"Return-Path: <{sender}>\r\n{original}Delivered-To: {delivered_to}\r\n".encode()
