"""The parameters behind MAIL FROM and RCPT TO: SIZE, 8BITMIME, SMTPUTF8, AUTH and DSN (RFC 1870, 6152, 6531, 4954, 3461)."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from hostmail.errors import Refusal

_KEYWORD = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]*\Z")
_VALUE = re.compile(r"[\x21-\x3c\x3e-\x7e\xa0-\ud7ff\ue000-\U0010ffff]+\Z")
_XTEXT = re.compile(r"(?:[\x21-\x2a\x2c-\x3c\x3e-\x7e\xa0-\ud7ff\ue000-\U0010ffff]|\+[0-9A-F]{2})*\Z")
_HEX = re.compile(r"\+([0-9A-F]{2})")
_PRINTABLE = re.compile(r"[\x20-\x7e]\Z")

_MAX_SIZE_DIGITS, _MAX_ENVID, _MAX_ORCPT = 20, 100, 500
_NOTIFY = ("NEVER", "SUCCESS", "FAILURE", "DELAY")
_BODIES = ("7BIT", "8BITMIME")


@dataclass(slots=True)
class MailParameters:
    """What MAIL FROM said besides the address; `envid` is xtext, as given."""

    size: int | None = None
    body: str = "7BIT"
    smtputf8: bool = False
    ret: str = ""
    envid: str = ""


@dataclass(slots=True)
class RcptParameters:
    """What RCPT TO said besides the address; `orcpt` is `type;address`, the address xtext, as given."""

    notify: tuple[str, ...] = ()
    orcpt: str = ""


def bad_parameter(words: str) -> Refusal:
    """A known parameter with a value that makes no sense."""
    return Refusal(words, code=501, enhanced="5.5.4")


def unknown_parameter(name: str) -> Refusal:
    """RFC 5321 4.1.1.11: what we did not announce must not be ignored (S7)."""
    return Refusal(f"parameter {name} is not supported", code=555, enhanced="5.5.4")


def decode_xtext(text: str) -> str:
    """RFC 3461, section 4: `+XX` stands for an octet. Only printable ASCII may come out, for it ends in header fields."""
    if not _XTEXT.match(text):
        raise bad_parameter("that is not valid xtext")
    decoded = _HEX.sub(lambda match: chr(int(match[1], 16)), text)
    if not all(_PRINTABLE.match(chr(int(octet, 16))) for octet in _HEX.findall(text)):
        raise bad_parameter("xtext may only stand for printable characters")
    return decoded


def split_parameters(text: str) -> list[tuple[str, str]]:
    """`(KEYWORD, value)` pairs in order, values "" where there is no `=`; raises for bad syntax and for repeated keywords."""
    pairs: list[tuple[str, str]] = []
    for word in text.split():
        name, equals, value = word.partition("=")
        if not _KEYWORD.match(name) or (equals and not _VALUE.match(value)):
            raise bad_parameter("that is not a valid parameter")
        pairs.append((name.upper(), value))
    names = [name for name, _ in pairs]
    if len(set(names)) != len(names):
        raise bad_parameter("a parameter was given twice")
    return pairs


def mail_parameters(pairs: Iterable[tuple[str, str]]) -> MailParameters:
    """Read the parameters of MAIL FROM."""
    found = MailParameters()
    for name, value in pairs:
        if name == "SIZE":
            found.size = _size(value)
        elif name == "BODY":
            found.body = _body(value)
        elif name == "SMTPUTF8":
            if value:
                raise bad_parameter("SMTPUTF8 takes no value")
            found.smtputf8 = True
        elif name == "RET":
            found.ret = _one_of(name, value, ("FULL", "HDRS"))
        elif name == "ENVID":
            found.envid = _envid(value)
        elif name == "AUTH":
            _check_auth(value)
        else:
            raise unknown_parameter(name)
    return found


def rcpt_parameters(pairs: Iterable[tuple[str, str]]) -> RcptParameters:
    """Read the parameters of RCPT TO."""
    found = RcptParameters()
    for name, value in pairs:
        if name == "NOTIFY":
            found.notify = _notify(value)
        elif name == "ORCPT":
            found.orcpt = _orcpt(value)
        else:
            raise unknown_parameter(name)
    return found


def _one_of(name: str, value: str, allowed: tuple[str, ...]) -> str:
    if value.upper() not in allowed:
        raise bad_parameter(f"{name} must be {' or '.join(allowed)}")
    return value.upper()


def _size(value: str) -> int:
    if not (value.isascii() and value.isdigit()) or len(value) > _MAX_SIZE_DIGITS:
        raise bad_parameter("SIZE must be a number of octets")
    return int(value)


def _body(value: str) -> str:
    if value.upper() == "BINARYMIME":
        raise unknown_parameter("BODY=BINARYMIME")
    return _one_of("BODY", value, _BODIES)


def _envid(value: str) -> str:
    if not value or len(value) > _MAX_ENVID or not decode_xtext(value).isascii():
        raise bad_parameter("ENVID must have 1 to 100 printable characters")
    return value


def _check_auth(value: str) -> None:
    """AUTH= names the original submitter; nobody is trusted to say so, hence it counts as AUTH=<> (RFC 4954, section 5)."""
    if not value or not decode_xtext(value):
        raise bad_parameter("AUTH needs an address or <>")


def _notify(value: str) -> tuple[str, ...]:
    wishes = tuple(wish.upper() for wish in value.split(","))
    if len(set(wishes)) != len(wishes) or any(wish not in _NOTIFY for wish in wishes):
        raise bad_parameter("NOTIFY must be NEVER, or a list of SUCCESS, FAILURE and DELAY")
    if "NEVER" in wishes and len(wishes) > 1:
        raise bad_parameter("NOTIFY=NEVER must stand alone")
    return wishes


def _orcpt(value: str) -> str:
    kind, semicolon, address = value.partition(";")
    if not semicolon or not _KEYWORD.match(kind) or not address or len(value) > _MAX_ORCPT:
        raise bad_parameter("ORCPT must be a type, a semicolon and an address")
    decode_xtext(address)
    return value
