"""What a value in the configuration may look like: one reader per kind, from the words in the file to the value.

A reader raises ValueError whose text says what is wrong and what would be right. Readers never touch the disk.
"""

from __future__ import annotations

import ipaddress
import json
import os
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hostmail.address import parse_domain
from hostmail.config import units
from hostmail.config.nearest import nearest
from hostmail.errors import BadAddress

_HOST_PORT = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[^:\[\]\s]+):([0-9]{1,5})\Z", re.ASCII)
_ENDPOINT = re.compile(r"([A-Za-z][A-Za-z0-9_-]*):(.+)\Z", re.DOTALL)
_TCP_PORT = re.compile(r"tcp6?:(?:port=)?([0-9]+)(?::|\Z)", re.IGNORECASE)
_WEB_SERVER = re.compile(r"(https?)://([^:/?#\[\]\s@]+)(?::([0-9]{1,5}))?/?\Z", re.ASCII | re.IGNORECASE)
_INTERFACE = re.compile(r":interface=((?:[^:\\]|\\.)*)")


@dataclass(frozen=True, slots=True)
class Kind:
    """How one scalar is read. `shape` names it for people; `read` gets the words and the folder of the file.

    `write` makes words that `read` understands, as YAML.
    """

    shape: str
    read: Callable[[str, Path], Any]
    write: Callable[[Any], str] = str


def _plain(read: Callable[[str], Any]) -> Callable[[str, Path], Any]:
    return lambda text, _: read(text)


def quoted(value: Any) -> str:
    """Text as a YAML scalar, in quotes only where YAML would read something else."""
    text = str(value)
    return (
        text if re.fullmatch(r"/?[A-Za-z][A-Za-z0-9_./@-]*", text, re.ASCII) else json.dumps(text, ensure_ascii=False)
    )


def near(word: str, known: list[str]) -> str:
    """` (did you mean X?)` for the known name closest to `word`, or nothing."""
    found = nearest(word, known)
    return f" (did you mean {found}?)" if found else ""


def choice(*allowed: str) -> Kind:
    """One of a few words."""
    listed = ", ".join(allowed[:-1]) + " or " + allowed[-1]

    def read(text: str) -> str:
        if text not in allowed:
            raise ValueError(f"{text!r} is not known; write {listed}{near(text, list(allowed))}")
        return text

    return Kind(listed, _plain(read))


def _switch(text: str) -> bool:
    words = {"yes": True, "true": True, "on": True, "no": False, "false": False, "off": False}
    if text.lower() not in words:
        raise ValueError(f"{text!r} is neither yes nor no")
    return words[text.lower()]


def _hidden(text: str) -> str:
    who, *words = text.split()[:30] or [""]
    if not words:
        raise ValueError(f"{text!r} names no capability; write a pattern and capabilities: Outlook* QRESYNC CONDSTORE")
    return " ".join([who, *(word.upper() for word in words)])


def count(least: int = 1, most: int = 1_000_000_000) -> Kind:
    """A whole number between bounds."""

    def read(text: str) -> int:
        if not re.fullmatch(r"[0-9]{1,18}", text, re.ASCII):
            raise ValueError(f"{text!r} is no whole number")
        if not least <= int(text) <= most:
            raise ValueError(f"{text} is out of range; it must be {least} to {most}")
        return int(text)

    return Kind("whole number", _plain(read))


def size(least: int = 0) -> Kind:
    """Octets, binary units."""

    def read(text: str) -> int:
        octets = units.parse_size(text)
        if octets < least:
            raise ValueError(f"{text!r} is too small; at least {units.format_size(least)}")
        return octets

    return Kind("size like 20M", _plain(read), units.format_size)


def duration(least: int = 1) -> Kind:
    """Seconds."""

    def read(text: str) -> int:
        seconds = units.parse_duration(text)
        if seconds < least:
            raise ValueError(f"{text!r} is too short; at least {units.format_duration(least)}")
        return seconds

    return Kind("duration like 30m", _plain(read), units.format_duration)


def _text(text: str) -> str:
    if not text.strip() or any(ord(character) < 32 for character in text):
        raise ValueError("needs some text, on one line")
    return text


def _hostname(text: str) -> str:
    try:
        name = parse_domain(text)
    except BadAddress:
        raise ValueError(f"{text!r} is no host name; write it like mail.example.net") from None
    if name.startswith("["):
        raise ValueError(f"{text!r} is an address; this needs a host name like mail.example.net")
    return name


def _hostname_of_domain(text: str) -> str:
    name = _hostname(text.replace("{domain}", "domain.example"))
    return text.lower() if "{domain}" in text.lower() else name


def _path(text: str, folder: Path) -> Path:
    if "\0" in text or not text.strip():
        raise ValueError("needs a path")
    return Path(os.path.normpath(folder / Path(text).expanduser()))


def _host_port(text: str) -> str:
    match = _HOST_PORT.match(text)
    if not match or not 1 <= int(match[2]) <= 65535:
        raise ValueError(f"{text!r} is not host:port; write it like smtp.provider.example:587")
    return f"{match[1].lower()}:{int(match[2])}"


def _address(text: str) -> str:
    try:
        return str(ipaddress.ip_address(text))
    except ValueError:
        raise ValueError(f"{text!r} is no IP address; write it like 192.0.2.1 or 2001:db8::1") from None


def _named_address(text: str) -> str:
    words = text.split()
    if len(words) != 2:
        raise ValueError(f"{text!r} is not an address and its name; write it like 192.0.2.1 mail.example.net")
    return f"{_address(words[0])} {_hostname(words[1])}"


def _server(text: str) -> str:
    host, port = text, "53"
    if _HOST_PORT.match(text):
        host, _, port = text.rpartition(":")
    if not 1 <= int(port) <= 65535:
        raise ValueError(f"{text!r} has no valid port")
    address = _address(host.strip("[]"))
    return f"[{address}]:{int(port)}" if ":" in address else f"{address}:{int(port)}"


def _endpoint(text: str) -> str:
    if text.isdigit():
        raise ValueError(f"{text!r} is no endpoint; write tcp:{text}")
    match = _ENDPOINT.match(text)
    if not match:
        raise ValueError(f"{text!r} is no endpoint; write it like tcp:25 or tcp6:25:interface=\\:\\:")
    if match[1].lower() == "haproxy":
        raise ValueError("haproxy: believes anybody; write {endpoint: tcp:..., proxy_from: [ADDRESS]} instead")
    if match[1].lower() in ("ssl", "tls"):
        raise ValueError(f"{match[1]}: is not needed; write tcp:..., the service itself decides about TLS")
    port = _TCP_PORT.match(text)
    if match[1].lower() in ("tcp", "tcp6") and (not port or int(port[1]) > 65535):
        raise ValueError(f"{text!r} has no valid port; ports are 0 to 65535, as in tcp:25")
    return text


def tcp_port(endpoint: str) -> int | None:
    """The port of a tcp: or tcp6: endpoint, None for any other."""
    found = _TCP_PORT.match(endpoint)
    return int(found[1]) if found else None


def interface(endpoint: str) -> str:
    """The address that an endpoint is bound to, "" if to none in particular."""
    found = _INTERFACE.search(endpoint)
    return found[1].replace("\\:", ":") if found else ""


def is_loopback(endpoint: str) -> bool:
    """Whether only this machine can connect to an endpoint with an address."""
    address = interface(endpoint)
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return address == "localhost"


def _network(text: str) -> str:
    try:
        return str(ipaddress.ip_network(text, strict=False))
    except ValueError:
        raise ValueError(f"{text!r} is no address or network; write it like 192.0.2.1 or 192.0.2.0/24") from None


def _web_server(text: str) -> str:
    found = _WEB_SERVER.match(text)
    if not found or not 1 <= int(found[3] or 443) <= 65535:
        raise ValueError(f"{text!r} is no web server; write it like https://panel.example.net, without a path")
    return f"{found[1].lower()}://{_hostname(found[2])}{f':{int(found[3])}' if found[3] else ''}"


BY_SERVER_NAME = "server_name"


def _bare_names(text: str) -> str:
    return text if text == BY_SERVER_NAME else _hostname(text)


SWITCH = Kind("yes or no", _plain(_switch), lambda value: "yes" if value else "no")
TEXT = Kind("text", _plain(_text), quoted)
HIDDEN = Kind("pattern and capabilities", _plain(_hidden), quoted)
HOSTNAME = Kind("host name", _plain(_hostname), quoted)
HOSTNAME_OF_DOMAIN = Kind("host name, with {domain} in it perhaps", _plain(_hostname_of_domain), quoted)
PATH = Kind("path", _path, quoted)
HOST_PORT = Kind("host:port", _plain(_host_port), quoted)
ADDRESS = Kind("IP address", _plain(_address), quoted)
NAMED_ADDRESS = Kind("IP address and host name", _plain(_named_address), quoted)
SERVER = Kind("IP address, or address:port", _plain(_server), quoted)
ENDPOINT = Kind("Twisted endpoint", _plain(_endpoint), quoted)
BARE_NAMES = Kind("domain, or server_name", _plain(_bare_names), quoted)
WEB_SERVER = Kind("web server", _plain(_web_server), quoted)
NETWORK = Kind("address or network", _plain(_network), quoted)
