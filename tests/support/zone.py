"""A small name server on loopback, UDP and TCP, with the records of a test."""

from __future__ import annotations

import socket
import socketserver
import struct
import threading
from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any

import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdatatype
import dns.rrset

SOA = "ns.test. hostmaster.test. 1 7200 3600 86400 {negative}"


@dataclass
class Zone:
    """Knows the names it was told of; anything else does not exist.

    `broken` names get SERVFAIL, `silent` ones nothing at all; `by_tcp_only` ones are cut short by UDP, and `silent_by_tcp` ones get
    nothing there. `asked` are the questions so far.
    """

    records: dict[str, dict[str, list[str]]] = field(default_factory=lambda: defaultdict(dict))
    broken: set[str] = field(default_factory=set)
    silent: set[str] = field(default_factory=set)
    by_tcp_only: set[str] = field(default_factory=set)
    silent_by_tcp: set[str] = field(default_factory=set)
    reads_edns: bool = True
    seconds: int = 300
    negative: int = 60
    asked: list[tuple[str, str]] = field(default_factory=list)
    port: int = 0
    _servers: list[Any] = field(default_factory=list)

    def add(self, name: str, kind: str, *texts: str) -> None:
        """Records as in a zone file: add("x.test", "MX", "10 mx.x.test.")."""
        self.records[name][kind] = list(texts)

    def mx(self, domain: str, *hosts: str) -> None:
        """Hosts as "10 mx.x.test"."""
        self.add(domain, "MX", *(f"{host}." for host in hosts))

    @property
    def server(self) -> tuple[str, int]:
        """Where it listens."""
        return "127.0.0.1", self.port

    def open(self) -> None:
        """Be asked."""
        zone = self

        class Datagram(socketserver.BaseRequestHandler):
            def handle(self) -> None:
                octets, port = self.request
                if answer := zone.answer(octets, udp=True):
                    port.sendto(answer, self.client_address)

        class Stream(socketserver.StreamRequestHandler):
            def handle(self) -> None:
                size = self.rfile.read(2)
                if len(size) == 2 and (answer := zone.answer(self.rfile.read(struct.unpack("!H", size)[0]), udp=False)):
                    self.wfile.write(struct.pack("!H", len(answer)) + answer)

        socketserver.ThreadingTCPServer.allow_reuse_address = True
        while True:
            tcp = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Stream)
            self.port = tcp.server_address[1]
            try:
                udp = socketserver.UDPServer(("127.0.0.1", self.port), Datagram)
                break
            except OSError:
                tcp.server_close()
        tcp.daemon_threads = True
        self._servers = [tcp, udp]
        for server in self._servers:
            threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()

    def close(self) -> None:
        """Be gone."""
        for server in self._servers:
            server.shutdown()
            server.server_close()
        self._servers = []

    def answer(self, octets: bytes, udp: bool) -> bytes | None:
        """What it says to a question."""
        query = dns.message.from_wire(octets)
        [question] = query.question
        name = question.name.to_text(omit_final_dot=True).lower()
        kind = dns.rdatatype.to_text(question.rdtype)
        self.asked.append((name, kind))
        if name in self.silent or (not udp and name in self.silent_by_tcp):
            return None
        response = dns.message.make_response(query)
        response.flags |= dns.flags.RA
        if query.edns >= 0 and not self.reads_edns:
            response.set_rcode(dns.rcode.FORMERR)
        elif name in self.broken:
            response.set_rcode(dns.rcode.SERVFAIL)
        elif udp and name in self.by_tcp_only:
            response.flags |= dns.flags.TC
        else:
            self._fill(response, name, kind)
        return response.to_wire(max_size=65535)

    def _fill(self, response: Any, name: str, kind: str) -> None:
        while (alias := self.records.get(name, {}).get("CNAME")) and kind != "CNAME":
            response.answer.append(self._rrset(name, "CNAME", alias))
            name = alias[0].rstrip(".")
        known = self.records.get(name)
        if known is None:
            response.set_rcode(dns.rcode.NXDOMAIN)
        if known and kind in known:
            response.answer.append(self._rrset(name, kind, known[kind]))
        else:
            soa = SOA.format(negative=self.negative)
            response.authority.append(dns.rrset.from_text(dns.name.from_text("test."), self.negative, "IN", "SOA", soa))

    def _rrset(self, name: str, kind: str, texts: list[str]) -> Any:
        return dns.rrset.from_text(dns.name.from_text(f"{name}."), self.seconds, "IN", kind, *texts)


def closed_udp_port() -> int:
    """A port where nobody answers."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
