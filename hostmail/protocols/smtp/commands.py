"""What stands behind MAIL, RCPT, HELO and EHLO, read into values (RFC 5321 4.1)."""

from __future__ import annotations

import re
from functools import lru_cache

from hostmail.address import MAX_ADDRESS, Address
from hostmail.envelope import Envelope, Recipient
from hostmail.errors import BadAddress, Refusal
from hostmail.protocols.smtp.parameters import bad_parameter, mail_parameters, rcpt_parameters, split_parameters

MAX_HELO = 255

_IN_BRACKETS = re.compile(r'<((?:"(?:[^"\\]|\\.)*"|[^"<>\s])*)>(?:\s+|\Z)')
_ANYTHING_IN_BRACKETS = re.compile(r"<([^<>]*)>")
_WITHOUT_BRACKETS = re.compile(r"([^\s<>]+)(?:\s+|\Z)")
_SOURCE_ROUTE = re.compile(r"@(?:\[[^\]]*\]|[^\s,:@]+)(?:,@(?:\[[^\]]*\]|[^\s,:@]+))*:")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_NOT_A_HOST = re.compile(r"[^A-Za-z0-9._:\[\]-]")


def clean_line(line: bytes) -> str:
    """A command line as text; octets that are not UTF-8 stay visible as surrogates, and addresses with them are refused.

    Raises a Refusal for control characters: nothing of a command may become a line of its own in header fields or logs (S10).
    """
    text = line.decode("utf-8", "surrogateescape").replace("\t", " ")
    if _CONTROL.search(text):
        raise Refusal("control characters are not allowed here", code=500, enhanced="5.5.2")
    return text


def clean_helo(argument: str) -> str:
    """The name a client gave itself, safe for trace fields and logs: anything goes, for real clients say anything."""
    words = argument.split()
    if not words:
        raise Refusal("please say who you are: HELO or EHLO and a host name", code=501, enhanced="5.5.4")
    return _NOT_A_HOST.sub("?", words[0])[:MAX_HELO]


def parse_mail(argument: str) -> Envelope:
    """Read `FROM:<reverse-path> [parameters]`."""
    path, rest = _split_path("FROM", argument)
    parameters = mail_parameters(split_parameters(rest))
    return Envelope(
        reverse_path=_address(path, parameters.smtputf8) if path else None,
        size=parameters.size,
        body=parameters.body,
        smtputf8=parameters.smtputf8,
        ret=parameters.ret,
        envid=parameters.envid,
    )


def parse_rcpt(argument: str, smtputf8: bool) -> Recipient:
    """Read `TO:<forward-path> [parameters]`; `smtputf8` as MAIL FROM said."""
    path, rest = _split_path("TO", argument)
    parameters = rcpt_parameters(split_parameters(rest))
    if not parameters.orcpt.isascii() and not smtputf8:
        raise bad_parameter("ORCPT must be ASCII without SMTPUTF8")
    address = _address(path, smtputf8, postmaster=True)
    return Recipient(address, parameters.notify, parameters.orcpt)


def named(argument: str) -> str:
    """What stands where MAIL and RCPT have their address, whatever it is: for people who look for it in the history."""
    text = argument.partition(":")[2].strip() or argument
    match = _ANYTHING_IN_BRACKETS.match(text)
    return (match[1] if match else text)[:MAX_ADDRESS].encode("utf-8", "replace").decode()


def _split_path(keyword: str, argument: str) -> tuple[str, str]:
    """The path without brackets and source route, and the text behind it.

    A blank behind the colon and an address without brackets are no SMTP, but old programs and devices send both.
    """
    word, colon, rest = argument.partition(":")
    rest = rest.strip()
    match = _IN_BRACKETS.match(rest) or _WITHOUT_BRACKETS.match(rest)
    if not colon or word.strip().upper() != keyword or match is None:
        raise Refusal(f"the form is {keyword}:<address>", code=501, enhanced="5.5.4")
    path = match[1]
    route = _SOURCE_ROUTE.match(path)
    return (path[route.end() :] if route else path), rest[match.end() :]


_parsed = lru_cache(4096)(Address.parse)
"""The same few addresses come in all day, and are values."""


def _address(path: str, smtputf8: bool, postmaster: bool = False) -> Address:
    if not path.isascii():
        if any("\ud800" <= c <= "\udfff" for c in path):
            raise BadAddress("the address is not valid UTF-8")
        if not smtputf8:
            raise Refusal("this address needs SMTPUTF8", code=553, enhanced="5.6.7")
    address = _parsed(path)
    if not address.domain and not postmaster:
        raise BadAddress("an address needs a domain")
    return address
