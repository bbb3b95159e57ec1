"""SASL PLAIN (RFC 4616) and LOGIN (the expired draft that every mail program still speaks), without any I/O.

SMTP, POP3 and IMAP frame these exchanges differently and mean the same: base64 lines, `*` to cancel, and `=` for an initial
response that is empty. A mechanism here is fed the lines as they came from the wire and answers with the next `Challenge` or
with the `Credentials`; it never checks a password. The stock mechanisms of twisted.mail prompt with the wrong words and take
any base64 (BEHAVIOURS H1, TWISTED S12).
"""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from typing import Protocol

MAX_RESPONSE = 12_288
"""Octets of one base64 line (RFC 4954, section 4)."""


class SaslError(Exception):
    """The exchange is over without credentials; the text may go to the peer. `cancelled` if the client said `*`."""

    def __init__(self, words: str, cancelled: bool = False) -> None:
        super().__init__(words)
        self.words = words
        self.cancelled = cancelled


@dataclass(frozen=True, slots=True)
class Challenge:
    """What to ask next, not yet encoded."""

    text: bytes

    @property
    def encoded(self) -> bytes:
        """The base64 to send after `334 ` or `+ `."""
        return base64.b64encode(self.text)


@dataclass(frozen=True, slots=True)
class Credentials:
    """What the client claims to be. `authzid` is whom it wants to act as, empty for itself."""

    username: str
    password: str
    authzid: str = ""


Step = Challenge | Credentials


class Mechanism(Protocol):
    """One exchange: `start` once, then `answer` for each further line."""

    def start(self, initial: bytes | None) -> Step:
        """Begin; `initial` is the initial response as it came (base64, or `=`), None if there was none."""

    def answer(self, line: bytes) -> Step:
        """The client's answer to the last challenge, as it came."""


def decode_response(line: bytes) -> bytes:
    """The octets of one base64 line, strictly (RFC 4648, 3.3); raises SaslError, also for `*`."""
    if line == b"*":
        raise SaslError("authentication cancelled", cancelled=True)
    if len(line) > MAX_RESPONSE:
        raise SaslError("authentication exchange line is too long")
    try:
        octets = base64.b64decode(line, validate=True)
    except (binascii.Error, ValueError):
        raise SaslError("that is not valid base64") from None
    if base64.b64encode(octets) != line:
        raise SaslError("that is not valid base64")
    return octets


def decode_initial(initial: bytes) -> bytes:
    """As `decode_response`, but `=` stands for an empty response (RFC 4954, section 4)."""
    return b"" if initial == b"=" else decode_response(initial)


def decode_text(octets: bytes) -> str:
    """UTF-8, or Latin-1 from programs older than that; raises SaslError for a NUL."""
    if b"\0" in octets:
        raise SaslError("login and password cannot contain NUL")
    try:
        return octets.decode()
    except UnicodeDecodeError:
        return octets.decode("latin-1")


class PlainMechanism:
    """PLAIN: `[authzid] NUL authcid NUL password` in one response."""

    def start(self, initial: bytes | None) -> Step:
        """An empty challenge if the client did not send all at once."""
        return Challenge(b"") if initial is None else self._credentials(decode_initial(initial))

    def answer(self, line: bytes) -> Step:
        """The whole response."""
        return self._credentials(decode_response(line))

    def _credentials(self, response: bytes) -> Credentials:
        parts = response.split(b"\0")
        if len(parts) != 3 or not parts[1]:
            raise SaslError("malformed PLAIN response")
        authzid, username, password = map(decode_text, parts)
        return Credentials(username, password, authzid)


class LoginMechanism:
    """LOGIN: two prompts, which clients compare octet by octet (BEHAVIOURS B3, H1)."""

    USERNAME = b"Username:"
    PASSWORD = b"Password:"

    def __init__(self) -> None:
        self._username: str | None = None

    def start(self, initial: bytes | None) -> Step:
        """Ask for the user name unless it came along; an empty one is asked for all the same."""
        name = b"" if initial is None else decode_initial(initial)
        return self._named(name) if name else Challenge(self.USERNAME)

    def answer(self, line: bytes) -> Step:
        """The user name, then the password."""
        text = decode_response(line)
        if self._username is None:
            return self._named(text)
        return Credentials(self._username, decode_text(text))

    def _named(self, name: bytes) -> Challenge:
        if not name:
            raise SaslError("the user name is missing")
        self._username = decode_text(name)
        return Challenge(self.PASSWORD)


MECHANISMS: dict[str, type[PlainMechanism] | type[LoginMechanism]] = {"PLAIN": PlainMechanism, "LOGIN": LoginMechanism}
"""What we offer, in the order announced."""


def mechanism_named(name: str) -> Mechanism | None:
    """A new exchange of the mechanism `name` (any case), or None if we do not offer it."""
    found = MECHANISMS.get(name.upper())
    return found() if found else None


def login_within(name: str, initial: bytes | None) -> Credentials | None:
    """The whole login that an initial response gives away, None if it holds none: for one that should not have been sent."""
    mechanism = mechanism_named(name)
    if mechanism is None or initial is None:
        return None
    try:
        step = mechanism.start(initial)
    except SaslError:
        return None
    return step if isinstance(step, Credentials) else None
