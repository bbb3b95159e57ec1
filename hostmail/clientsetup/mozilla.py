"""Autoconfig files (version 1.1): what Thunderbird, Evolution, KMail, K-9 and others fetch for a domain.

https://wiki.mozilla.org/Thunderbird:Autoconfiguration:ConfigFileFormat, draft-ietf-mailmaint-autoconfig.
"""

from __future__ import annotations

from xml.etree.ElementTree import Element, SubElement, indent, tostring

from hostmail.clientsetup.setup import Protocol, Security, Server, Setup

CONTENT_TYPE = "application/xml; charset=utf-8"

_SOCKETS = {Security.TLS: "SSL", Security.STARTTLS: "STARTTLS"}


def autoconfig(setup: Setup) -> bytes:
    """The file. Programs put the address in themselves, so it is the same for everybody."""
    root = Element("clientConfig", version="1.1")
    provider = SubElement(root, "emailProvider", id=setup.domain)
    _text(provider, "domain", setup.domain)
    _text(provider, "displayName", f"{setup.shown} mail")
    _text(provider, "displayShortName", setup.shown)
    for protocol in Protocol:
        for server in setup.of(protocol):
            _server(provider, server, login_pattern(setup))
    if setup.web:
        words = SubElement(provider, "documentation", url=f"{setup.web}/setup/{setup.domain}.txt")
        _text(words, "descr", f"How to set up mail programs for {setup.shown}").set("lang", "en")
    indent(root)
    return tostring(root, encoding="utf-8", xml_declaration=True) + b"\n"


def login_pattern(setup: Setup) -> str:
    """The exact login, in Mozilla's words."""
    return "%EMAILADDRESS%" if setup.login_domain == setup.domain else f"%EMAILLOCALPART%@{setup.login_domain}"


def _server(provider: Element, server: Server, login: str) -> None:
    outgoing = server.protocol is Protocol.SMTP
    found = SubElement(provider, "outgoingServer" if outgoing else "incomingServer", type=server.protocol)
    _text(found, "hostname", server.host)
    _text(found, "port", str(server.port))
    _text(found, "socketType", _SOCKETS[server.security])
    _text(found, "username", login)
    _text(found, "authentication", "password-cleartext")


def _text(parent: Element, name: str, text: str) -> Element:
    found = SubElement(parent, name)
    found.text = text
    return found
