"""Questions to name servers (RFC 1035, RFC 7766): by UDP, again and elsewhere if nobody answers, and by TCP where an answer is too long.

dnspython writes and reads the messages. Nothing waits in a thread: a thousand questions about names whose servers are dead can be on
their way, a socket each, and keep nobody from asking about others.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice, product
from typing import Any

import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.resolver
from twisted.internet.defer import CancelledError, Deferred, DeferredSemaphore, maybeDeferred
from twisted.internet.endpoints import TCP4ClientEndpoint, TCP6ClientEndpoint, connectProtocol
from twisted.internet.protocol import DatagramProtocol, connectionDone
from twisted.internet.udp import Port
from twisted.protocols.basic import Int16StringReceiver
from twisted.python import context
from twisted.python.failure import Failure
from twisted.python.log import ILogContext

from hostmail.address import normal_ip
from hostmail.relay.contracts import Exchange
from hostmail.relay.dns import LONGEST_NEGATIVE, Answer
from hostmail.relay.failures import DnsFailure, NoSuchDomain

MOST_AT_ONCE = 1000
MOST_RECORDS = 100
MOST_OCTETS = 8 * 1024
FIRST_PATIENCE = 1.0

Query = dns.message.Message
Server = tuple[str, int]
Servers = Callable[[], Sequence[Server]]


def system_servers() -> Sequence[Server]:
    """Those of /etc/resolv.conf, as it is now."""
    try:
        return [(str(each), 53) for each in dns.resolver.Resolver().nameservers]
    except dns.resolver.NoResolverConfiguration:
        return []


class Asker:
    """Finds records with the help of `servers`, within `seconds`."""

    def __init__(self, reactor: Any, servers: Servers, seconds: float) -> None:
        self._reactor = reactor
        self._servers = servers
        self._seconds = seconds
        self._places = DeferredSemaphore(MOST_AT_ONCE)

    async def __call__(self, name: str, kind: str) -> Answer:
        """The records of `kind` (MX, A, AAAA, TXT, SRV) at `name`, behind aliases (CNAME)."""
        try:
            query = dns.message.make_query(f"{name}.", kind, use_edns=0, payload=1232)
            plain = dns.message.make_query(f"{name}.", kind)
        except dns.exception.DNSException as error:
            return Answer((), LONGEST_NEGATIVE, NoSuchDomain(f"{name} is no domain name", repr(error)))
        async with self._places:
            return await self._answer(name, [query, query, plain, plain])

    async def _answer(self, name: str, rounds: Sequence[Query]) -> Answer:
        """Asked in `rounds`, each more patient than the one before; the last ones are for servers that cannot read EDNS (RFC 6891 7)."""
        why = "no name server"
        deadline = self._reactor.seconds() + self._seconds
        servers = self._servers()
        for number, (query, server) in enumerate(product(rounds, servers)):
            patience = FIRST_PATIENCE * 2 ** (number // len(servers))
            if self._reactor.seconds() >= deadline:
                break
            try:
                return _meaning(name, query, await self._ask(query, server, patience, deadline))
            except CancelledError:
                raise
            except Exception as error:  # noqa: BLE001 - whatever a server or a socket does, the next one may do better
                why = f"{server[0]}: {error!r}"
        return Answer(refusal=DnsFailure(f"the DNS has no answer about {name} at present", why))

    async def _ask(self, query: Query, server: Server, patience: float, deadline: float) -> Query:
        datagram = _Datagram(query, server)
        port = _Port(0, datagram, "::" if ":" in server[0] else "", reactor=self._reactor)
        _quietly(port.startListening)
        try:
            patience = max(min(patience, deadline - self._reactor.seconds()), 0.0)
            reply: Query = await datagram.reply.addTimeout(patience, self._reactor)
        finally:
            await maybeDeferred(port.stopListening)
        return await self._ask_by_stream(query, server, deadline) if reply.flags & dns.flags.TC else reply

    async def _ask_by_stream(self, query: Query, server: Server, deadline: float) -> Query:
        left = max(deadline - self._reactor.seconds(), 0.0)
        endpoint = (TCP6ClientEndpoint if ":" in server[0] else TCP4ClientEndpoint)(
            self._reactor, *server, timeout=left
        )
        stream = await connectProtocol(endpoint, _Stream(query))
        try:
            left = max(deadline - self._reactor.seconds(), 0.0)
            reply: Query = await stream.reply.addTimeout(left, self._reactor)
        finally:
            stream.end()
        return reply


def _read(query: Query, octets: bytes) -> Query | None:
    """The reply to `query`; None for anything else, which somebody may have forged."""
    try:
        reply = dns.message.from_wire(octets, ignore_trailing=True)
    except dns.exception.DNSException:
        return None
    return reply if query.is_response(reply) else None


class _Port(Port):
    """As `listenUDP` makes it, but nobody reads in the log of its coming and going: it lives for one question."""

    def connectionLost(self, reason: Failure | None = None) -> None:
        """It is closed."""
        _quietly(super().connectionLost, reason)


def _quietly(function: Callable[..., object], *arguments: Any) -> None:
    """An event with an empty format is not written."""
    context.call({ILogContext: {**(context.get(ILogContext) or {}), "log_format": ""}}, function, *arguments)


class _Datagram(DatagramProtocol):
    """One question from a port of its own, which the kernel chooses at random and opens for answers of that server alone."""

    noisy = False

    def __init__(self, query: Query, server: Server) -> None:
        self._query = query
        self._server = server
        self.reply: Deferred[Query] = Deferred()

    def startProtocol(self) -> None:
        """Ask."""
        transport: Any = self.transport
        try:
            transport.connect(*self._server)
            transport.write(self._query.to_wire())
        except (OSError, ValueError) as error:
            self.reply.errback(error)

    def datagramReceived(self, datagram: bytes, addr: Any) -> None:
        """The reply, or something to be passed over."""
        reply = _read(self._query, datagram)
        if reply is not None and not self.reply.called:
            self.reply.callback(reply)

    def connectionRefused(self) -> None:
        """Nobody listens there."""
        if not self.reply.called:
            self.reply.errback(ConnectionRefusedError())


class _Stream(Int16StringReceiver):
    """One question over TCP."""

    noisy = False

    def __init__(self, query: Query) -> None:
        self._query = query
        self.reply: Deferred[Query] = Deferred()

    def connectionMade(self) -> None:
        """Ask."""
        self.sendString(self._query.to_wire())

    def stringReceived(self, string: bytes) -> None:
        """The reply."""
        reply = _read(self._query, string)
        if reply is not None and not self.reply.called:
            self.reply.callback(reply)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """No reply will come."""
        if not self.reply.called:
            self.reply.errback(reason)

    def end(self) -> None:
        """Whatever came, there is no more to say."""
        transport: Any = self.transport
        transport.abortConnection()


def _meaning(name: str, query: Any, reply: Any) -> Answer:
    """What a reply says; raises what makes another server worth asking."""
    if reply.rcode() not in (dns.rcode.NOERROR, dns.rcode.NXDOMAIN):
        raise dns.exception.DNSException(dns.rcode.to_text(reply.rcode()))
    question = query.question[0]
    reply.question = query.question
    chain = reply.resolve_chaining()
    seconds = float(chain.minimum_ttl)
    if reply.rcode() == dns.rcode.NXDOMAIN:
        return Answer((), min(seconds, LONGEST_NEGATIVE), NoSuchDomain(f"the domain {name} does not exist"))
    if chain.answer is None:
        return Answer((), min(seconds, LONGEST_NEGATIVE))
    records = (_plain(record) for record in islice(chain.answer, MOST_RECORDS) if record.rdtype == question.rdtype)
    return Answer(tuple(_few(records)), seconds)


def _few(records: Iterable[Exchange | str]) -> Iterator[Exchange | str]:
    """Those that one name may take room for where they are remembered."""
    left = MOST_OCTETS
    for record in records:
        left -= len(record.host if isinstance(record, Exchange) else record)
        if left < 0:
            return
        yield record


def _plain(record: Any) -> Exchange | str:
    if hasattr(record, "exchange"):
        return Exchange(int(record.preference), record.exchange.to_text(omit_final_dot=True).lower().removesuffix("."))
    if hasattr(record, "weight"):
        return f"{record.priority} {record.weight} {record.port} {record.target.to_text().lower()}"
    if hasattr(record, "strings"):
        return b"".join(record.strings).decode("utf-8", "replace")
    return normal_ip(record.address)
