"""What the client said about a message before sending it, and who the client is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from hostmail.address import Address


@dataclass(frozen=True, slots=True)
class Recipient:
    """One RCPT TO: with the DSN parameters of RFC 3461 kept as given (`notify` e.g. ("FAILURE", "DELAY")).

    One that is `routed` is the very mailbox where routing has brought the message, past all aliases and forwards, and where it could not
    be stored yet: they must not be followed a second time. It remembers what a catch-all has `caught` on the way. `addressed` is the
    address that was named, if this is another one: that of a mailbox, or one that mail is forwarded to. One that is `held`, with the
    reason, waits in the queue until somebody releases it.

    Mail to many goes out a little at a time: a recipient's first turn comes after `delay` seconds. `own_sender` is a reverse-path for
    this recipient alone.
    """

    address: Address
    notify: tuple[str, ...] = ()
    orcpt: str = ""
    routed: bool = False
    held: str = ""
    addressed: str = ""
    caught: str = ""
    delay: float = 0.0
    own_sender: str = ""

    @property
    def known_as(self) -> str:
        """ORCPT for mail that goes on under another address: reports name the one that its sender knows (RFC 3461 5.2.1)."""
        if self.orcpt:
            return self.orcpt
        return f"{'rfc822' if self.address.is_ascii else 'utf-8'};{to_xtext(str(self.address))}"


def to_xtext(text: str) -> str:
    """RFC 3461 4: an octet that is not printable ASCII, and `+` and `=`, as `+` and two hexadecimal digits."""
    return "".join(
        chr(octet) if 33 <= octet <= 126 and octet not in b"+=" else f"+{octet:02X}" for octet in text.encode()
    )


def first_of(recipients: Sequence[Recipient], shown: int = 10) -> str:
    """Recipients for the log: the first few, and how many more."""
    named = ", ".join(str(recipient.address) for recipient in recipients[:shown])
    return named if len(recipients) <= shown else f"{named} and {len(recipients) - shown} more"


@dataclass(slots=True)
class Envelope:
    """One mail transaction (RFC 5321 3.3).

    `reverse_path` None is the null sender. `size` is what MAIL SIZE= promised, or None. `body` is 7BIT, 8BITMIME or
    BINARYMIME.
    """

    reverse_path: Address | None
    size: int | None = None
    body: str = "7BIT"
    smtputf8: bool = False
    ret: str = ""
    envid: str = ""
    recipients: list[Recipient] = field(default_factory=list)

    @property
    def sender(self) -> str:
        """The reverse-path as text, empty for the null sender."""
        return "" if self.reverse_path is None else str(self.reverse_path)


@dataclass(slots=True)
class Peer:
    """The other end of one session, as all stages see it. It is the `mind` at the portal.

    `ip` is canonical (`address.normal_ip`), empty on a UNIX socket. `protocol` is the listener's name: smtp, submission,
    submissions, pop3, pop3s, imap, imaps. `account` and `login` are set once it has logged in.
    """

    ip: str
    protocol: str
    port: int = 0
    local_ip: str = ""
    local_port: int = 0
    helo: str = ""
    esmtp: bool = False
    tls: bool = False
    tls_version: str = ""
    tls_cipher: str = ""
    server_name: str = ""
    account_id: int | None = None
    login: str = ""
