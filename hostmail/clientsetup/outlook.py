"""Autodiscover: what Outlook asks, in XML (POX) and in JSON (version 2), and what it is told. MS-OXDSCLI.

Only the part for IMAP, POP3 and SMTP exists here; questions about Exchange or ActiveSync are answered with "not available".
"""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from typing import Any
from xml.etree.ElementTree import Element, SubElement, indent, tostring
from xml.parsers import expat

from hostmail.address import Address
from hostmail.clientsetup.setup import Protocol, Security, Server, Setup
from hostmail.errors import BadAddress, BadValue

MAX_QUESTION = 16 * 1024
MAX_DEPTH = 10
CONTENT_TYPE = "text/xml; charset=utf-8"
ANSWERS = "http://schemas.microsoft.com/exchange/autodiscover/responseschema/2006"
OUTLOOK = "http://schemas.microsoft.com/exchange/autodiscover/outlook/responseschema/2006a"
VERSION_1 = "AutodiscoverV1"
INVALID, NOT_AVAILABLE = (600, "Invalid Request"), (601, "Provider is not available")

_TYPES = {Protocol.IMAP: "IMAP", Protocol.POP3: "POP3", Protocol.SMTP: "SMTP"}
_ENCRYPTION = {Security.TLS: "SSL", Security.STARTTLS: "TLS"}


@dataclass(frozen=True, slots=True)
class Question:
    """Whose settings are asked for, and whether in the words that we know."""

    address: Address
    understood: bool


def read_question(body: bytes) -> Question:
    """What a POST says; raises BadValue for what is no question. Document types, and so entities, are refused before they mean anything."""
    if len(body) > MAX_QUESTION:
        raise BadValue("the question is too long")
    reader = _Reader()
    try:
        reader.parser.Parse(body, True)
        address = Address.parse(reader.found.get("EMailAddress", "").strip())
    except (expat.ExpatError, BadAddress, ValueError, LookupError):
        raise BadValue("that is no question about an address") from None
    return Question(address, reader.found.get("AcceptableResponseSchema", OUTLOOK).strip() == OUTLOOK)


class _Reader:
    """The texts of the two elements that matter, wherever they are; what is deep or has a document type is no question."""

    def __init__(self) -> None:
        self.found: dict[str, str] = {}
        self._open: list[str] = []
        self.parser = parser = expat.ParserCreate(namespace_separator=" ")
        parser.StartDoctypeDeclHandler = self._refuse
        parser.EntityDeclHandler = self._refuse
        parser.StartElementHandler = self._begin
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._text

    def _refuse(self, *_: Any) -> None:
        raise ValueError("a document type")

    def _begin(self, name: str, _: dict[str, str]) -> None:
        if len(self._open) >= MAX_DEPTH:
            raise ValueError("too deep")
        self._open.append(name.rpartition(" ")[2])

    def _end(self, _: str) -> None:
        self._open.pop()

    def _text(self, text: str) -> None:
        name = self._open[-1]
        if name in ("EMailAddress", "AcceptableResponseSchema"):
            self.found[name] = self.found.get(name, "") + text


def settings(setup: Setup, address: Address) -> bytes:
    """The answer: the best way of each kind, IMAP first. The login is made from the address, whether there is such a mailbox or not."""
    root = Element("Autodiscover", xmlns=ANSWERS)
    response = SubElement(root, "Response", xmlns=OUTLOOK)
    user = SubElement(response, "User")
    _text(user, "DisplayName", str(address))
    _text(user, "EMailAddress", str(address))
    account = SubElement(response, "Account")
    _text(account, "AccountType", "email")
    _text(account, "Action", "settings")
    for protocol in Protocol:
        server = setup.best(protocol)
        if server is not None:
            _protocol(account, server, setup.login(address))
    return _written(root)


def _protocol(account: Element, server: Server, login: str) -> None:
    found = SubElement(account, "Protocol")
    outgoing = server.protocol is Protocol.SMTP
    for name, text in (
        ("Type", _TYPES[server.protocol]),
        ("Server", server.host),
        ("Port", str(server.port)),
        ("DomainRequired", "off"),
        ("LoginName", login),
        ("SPA", "off"),
        ("SSL", "on"),
        ("Encryption", _ENCRYPTION[server.security]),
        ("AuthRequired", "on"),
        *((("UsePOPAuth", "on"), ("SMTPLast", "off")) if outgoing else ()),
    ):
        _text(found, name, text)


def trouble(what: tuple[int, str], now: float) -> bytes:
    """The answer to what cannot be answered; `now` is Unix time."""
    code, words = what
    root = Element("Autodiscover", xmlns=ANSWERS)
    error = SubElement(SubElement(root, "Response"), "Error", Time=time.strftime("%H:%M:%S", time.gmtime(now)), Id="0")
    _text(error, "ErrorCode", str(code))
    _text(error, "Message", words)
    SubElement(error, "DebugData")
    return _written(root)


def where(url: str) -> bytes:
    """Version 2 only says where version 1 is."""
    return json.dumps({"Protocol": VERSION_1, "Url": url}).encode()


def invalid_protocol() -> bytes:
    """Version 2's answer to a question about anything else."""
    words = f"The given protocol value is invalid. Supported values are '{VERSION_1}'."
    return json.dumps({"ErrorCode": "InvalidProtocol", "ErrorMessage": words}).encode()


def _text(parent: Element, name: str, text: str) -> None:
    SubElement(parent, name).text = text


def _written(root: Element) -> bytes:
    indent(root)
    return tostring(root, encoding="utf-8", xml_declaration=True) + b"\n"
