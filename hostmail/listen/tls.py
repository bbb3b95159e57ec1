"""Which certificate a client gets: by the server name it asks for (SNI), else the default one (BEHAVIOURS A5).

One store serves implicit TLS and STARTTLS alike: it is what `transport.startTLS` and `TLSMemoryBIOFactory` take. Files
replaced on disk count from the next handshake on; a broken replacement leaves the old certificate in use and is logged.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import Any

from OpenSSL import SSL
from twisted.internet.interfaces import IOpenSSLServerConnectionCreator, IProtocolNegotiationFactory
from twisted.logger import Logger
from zope.interface import implementer

from hostmail.clientsetup.apple import Signer
from hostmail.config.schema import Settings
from hostmail.errors import ConfigurationError
from hostmail.interfaces.admin import CertificateInfo
from hostmail.interfaces.threads import InThread
from hostmail.listen.certdir import RECHECK_SECONDS, CertificateFolder
from hostmail.listen.listing import looked_at
from hostmail.listen.pem import BadCertificate, Identity, Pair, Stamp, covers, self_signed

MAX_CONTEXTS = 1_000
MAX_LISTED = 10_000

log = Logger(namespace="listen")


def spoken(protocol: Any) -> tuple[bytes, ...]:
    """The names for ALPN (RFC 7301) of what is spoken inside this TLS connection, the best first; none if its factory has none."""
    wrapped = getattr(getattr(protocol, "factory", None), "wrappedFactory", None)
    negotiating = IProtocolNegotiationFactory(wrapped, None)
    return tuple(negotiating.acceptableProtocols()) if negotiating is not None else ()


def agreed(connection: SSL.Connection, offered: Sequence[bytes]) -> Any:
    """What a client that offers these names gets: the best we speak there, or a connection without a name, as to one that offers none.

    Twisted's own answer breaks off the handshake in that case, even if the factory has no names at all: no browser could connect, and no
    mail program that says "imap" or "pop3". What a connection belongs to is its app data, set by Twisted.
    """
    return next((each for each in spoken(connection.get_app_data()) if each in offered), SSL.NO_OVERLAPPING_PROTOCOLS)


class Loaded:
    """One certificate in use, and the state of its files when it was last looked at."""

    def __init__(
        self, pair: Pair, now: Callable[[], float], select: Callable[[bytes | None], SSL.Context | None]
    ) -> None:
        self.pair = pair
        self._now = now
        self._select = select
        self._stamp: Stamp | None = None
        self._checked: float | None = now()
        self.context: SSL.Context | None = None
        self.identity: Identity | None = None

    def load(self) -> None:
        """Read the files if they are not those read last; raises BadCertificate and keeps what was loaded before."""
        stamp = self.pair.stamp()
        if stamp == self._stamp:
            return
        self._stamp = stamp
        self.identity = self.pair.read()
        self.context = self.identity.options(self._select).getContext()
        self.context.set_alpn_select_callback(agreed)
        log.info("certificate_loaded: {path}", path=str(self.pair.chain))

    def covers(self, name: str) -> bool:
        """Whether it is for this server name."""
        return self.identity is not None and covers(self.identity.leaf, name)

    def look_again(self) -> None:
        """Let the next `refresh` look at the files, however soon it comes."""
        self._checked = None

    def refresh(self) -> None:
        """As `load`, at most once a second, and never raising: a broken replacement is logged once and not used."""
        now = self._now()
        if self._checked is not None and 0 <= now - self._checked < RECHECK_SECONDS:
            return
        self._checked = now
        try:
            self.load()
        except BadCertificate as error:
            log.warn("certificate_kept: {reason}; what was loaded before stays in use", reason=str(error))


@implementer(IOpenSSLServerConnectionCreator)
class CertificateStore:
    """Makes the server side of TLS connections, with the certificate for the name asked for.

    `folder` None: one certificate for all. `now` is Unix time, used only to look at each file at most once a second.
    """

    def __init__(self, default: Pair, folder: CertificateFolder | None, now: Callable[[], float]) -> None:
        self._now = now
        self._folder = folder
        self._by_chain: OrderedDict[Pair, Loaded] = OrderedDict()
        self._default = Loaded(default, now, self._select)
        try:
            self._default.load()
        except BadCertificate as error:
            raise ConfigurationError(f"tls.certificate: {error}") from None

    def serverConnectionForTLS(self, protocol: Any) -> SSL.Connection:
        """Called by Twisted for each new TLS connection."""
        self._default.refresh()
        assert self._default.context is not None
        return SSL.Connection(self._default.context)

    def look_again(self) -> None:
        """Somebody says that files were replaced (SIGHUP): the very next handshakes look at them."""
        for loaded in (self._default, *self._by_chain.values()):
            loaded.look_again()
        if self._folder is not None:
            self._folder.look_again()

    def names(self) -> list[str]:
        """The server names with a certificate of their own."""
        return self._folder.names() if self._folder else []

    async def listed(self, in_thread: InThread) -> Sequence[CertificateInfo]:
        """As ListCertificates; of a great many names the first MAX_LISTED."""
        found = [("", self._default.pair)]
        if self._folder is not None:
            pairs = ((name, self._folder.find(name)) for name in self._folder.names()[:MAX_LISTED])
            found += [(name, pair) for name, pair in pairs if pair is not None]
        return await in_thread(looked_at, found)

    def convinces(self, name: str) -> bool:
        """Whether a client that asks for this name will find nothing wrong with the certificate it gets."""
        identity = self._identity(name)
        return identity is not None and identity.convinces(name, self._now())

    def signer(self, name: str) -> Signer | None:
        """Who signs what a server of this name gives away; None while it has no certificate that convinces anybody."""
        identity = self._identity(name)
        if identity is None or not identity.convinces(name, self._now()):
            return None
        return Signer(identity.leaf, identity.key, identity.chain)

    def _identity(self, name: str) -> Identity | None:
        self._default.refresh()
        return (self._find(name.encode("ascii", "replace")) or self._default).identity

    def _select(self, server_name: bytes | None) -> SSL.Context | None:
        """The context for the name in the ClientHello; None keeps the default one."""
        loaded = self._find(server_name)
        return loaded.context if loaded is not None else None

    def _find(self, server_name: bytes | None) -> Loaded | None:
        if self._folder is None or not server_name or len(server_name) > 255:
            return None
        name = server_name.decode("ascii", "replace").lower().rstrip(".")
        parent = name.partition(".")[2]
        for candidate in (name, f"*.{parent}", parent):
            pair = self._folder.find(candidate)
            loaded = self._loaded(pair) if pair is not None else None
            if loaded is not None and (candidate != parent or loaded.covers(name)):
                return loaded
        return None

    def _loaded(self, pair: Pair) -> Loaded | None:
        """The certificate in these files, or None while there is none that can be used."""
        loaded = self._by_chain.get(pair)
        if loaded is None:
            loaded = self._by_chain[pair] = Loaded(pair, self._now, self._select)
            while len(self._by_chain) > MAX_CONTEXTS:
                self._by_chain.popitem(last=False)
            try:
                loaded.load()
            except BadCertificate as error:
                log.warn("certificate_unusable: {reason}; the default one is used", reason=str(error))
        else:
            self._by_chain.move_to_end(pair)
            loaded.refresh()
        return loaded if loaded.context is not None else None


def open_store(settings: Settings, now: Callable[[], float]) -> CertificateStore:
    """The store that the settings ask for; raises ConfigurationError with the key to look at."""
    tls = settings.tls
    if tls.certificate is not None:
        default = Pair(tls.certificate, tls.private_key or tls.certificate)
    else:
        try:
            default = self_signed(settings.hostname, settings.data_dir / "tls", now())
        except BadCertificate as error:
            raise ConfigurationError(f"data_dir: {error}") from None
    folder = CertificateFolder(tls.directory, now) if tls.directory else None
    return CertificateStore(default, folder, now)
