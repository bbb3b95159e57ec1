"""Which certificate a client is shown (A5)."""

from __future__ import annotations

import datetime
import os
import stat

from OpenSSL import SSL
from twisted.internet.interfaces import IOpenSSLServerConnectionCreator, IProtocolNegotiationFactory
from twisted.internet.protocol import Factory, Protocol
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport
from twisted.logger import LogEvent, globalLogPublisher
from twisted.protocols.tls import TLSMemoryBIOFactory
from twisted.trial.unittest import SynchronousTestCase
from zope.interface import implementer
from zope.interface.verify import verifyObject

from hostmail.config.schema import Settings, Tls
from hostmail.errors import ConfigurationError
from hostmail.listen.pem import BadCertificate, Pair, self_signed
from hostmail.listen.tls import CertificateStore, open_store
from tests.listen.certs import folder, pems, place, shown


@implementer(IProtocolNegotiationFactory)
class Web(Factory):
    """Speaks HTTP."""

    def acceptableProtocols(self) -> list[bytes]:
        return [b"http/1.1"]


class StoreTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.root = folder(self)
        self.default = place(self.root / "default.pem", "default.test")
        self.folder = self.root / "names"
        self.folder.mkdir()
        self.time = os.stat(self.folder).st_mtime + 100
        self.logged: list[LogEvent] = []
        globalLogPublisher.addObserver(self.logged.append)
        self.addCleanup(globalLogPublisher.removeObserver, self.logged.append)

    def open(self) -> CertificateStore:
        tls = Tls(certificate=self.default, directory=self.folder)
        return open_store(Settings(hostname="mail.test", data_dir=self.root, tls=tls), lambda: self.time)

    def shown(self, store: CertificateStore, name: str | None = None) -> str:
        return shown(store.serverConnectionForTLS(None), name)

    def later(self) -> None:
        self.time += 1.5

    def warnings(self) -> list[str]:
        return [
            str(event["log_format"]).partition(":")[0] for event in self.logged if event["log_level"].name == "warn"
        ]

    def test_interface(self) -> None:
        """It is what startTLS and TLSMemoryBIOFactory take."""
        verifyObject(IOpenSSLServerConnectionCreator, self.open())

    def test_by_name(self) -> None:
        """Each name gets its own certificate, whichever of the layouts it is in; case does not matter."""
        place(self.folder / "one.test.pem", "one.test")
        chain, key = pems("two.test")
        (self.folder / "two.test").mkdir()
        (self.folder / "two.test" / "fullchain.pem").write_bytes(chain)
        (self.folder / "two.test" / "privkey.pem").write_bytes(key)
        store = self.open()
        self.assertEqual(self.shown(store, "one.test"), "one.test")
        self.assertEqual(self.shown(store, "Two.Test"), "two.test")
        self.assertEqual(store.names(), ["one.test", "two.test"])

    def test_default(self) -> None:
        """Clients that ask by IP, or for a name we do not have, get the default certificate."""
        store = self.open()
        for name in (None, "unknown.test", "../../default", "x" * 63 + ".test", "a b", "*.test"):
            self.assertEqual(self.shown(store, name), "default.test")

    def test_wildcard(self) -> None:
        """A wildcard's file serves one more label, under either spelling, and an exact name wins."""
        place(self.folder / "_.wild.test.pem", "*.wild.test")
        place(self.folder / "*.star.test.pem", "*.star.test")
        place(self.folder / "exact.wild.test.pem", "exact.wild.test")
        store = self.open()
        self.assertEqual(self.shown(store, "mail.wild.test"), "*.wild.test")
        self.assertEqual(self.shown(store, "mail.star.test"), "*.star.test")
        self.assertEqual(self.shown(store, "exact.wild.test"), "exact.wild.test")
        self.assertEqual(self.shown(store, "deep.mail.wild.test"), "default.test")

    def test_names_of_a_domain(self) -> None:
        """mail.D is served by D's certificate if that is valid for it, so one certificate does for all names of a domain (A5)."""
        place(self.folder / "d.test.pem", "d.test", "mail.d.test")
        store = self.open()
        self.assertEqual(self.shown(store, "mail.d.test"), "d.test")
        self.assertEqual(self.shown(store, "pop.d.test"), "default.test")

    def test_replaced(self) -> None:
        """A certificate replaced on disk is used by the next handshake, the default one as well: no restart (A5)."""
        place(self.folder / "one.test.pem", "one.test")
        store = self.open()
        self.assertEqual(self.shown(store, "one.test"), "one.test")
        place(self.folder / "one.test.pem", "renewed.test")
        place(self.default, "new-default.test")
        self.later()
        self.assertEqual(self.shown(store, "one.test"), "renewed.test")
        self.assertEqual(self.shown(store), "new-default.test")

    def test_told(self) -> None:
        """Told that files were replaced, the store looks at once, without waiting for the second to pass."""
        place(self.folder / "one.test.pem", "one.test")
        store = self.open()
        self.assertEqual((self.shown(store), self.shown(store, "one.test")), ("default.test", "one.test"))
        for name in ("one.test.pem", "two.test.pem"):
            place(self.folder / name, "fresh.test")
        place(self.default, "new-default.test")
        self.assertEqual((self.shown(store), self.shown(store, "one.test")), ("default.test", "one.test"))
        store.look_again()
        self.assertEqual((self.shown(store), self.shown(store, "one.test")), ("new-default.test", "fresh.test"))
        self.assertEqual(self.shown(store, "two.test"), "fresh.test")

    def test_added_and_removed(self) -> None:
        """Certificates that come and go count without a restart."""
        store = self.open()
        self.assertEqual(self.shown(store, "one.test"), "default.test")
        place(self.folder / "one.test.pem", "one.test")
        self.later()
        self.assertEqual(self.shown(store, "one.test"), "one.test")
        (self.folder / "one.test.pem").unlink()
        self.later()
        self.assertEqual(self.shown(store, "one.test"), "default.test")

    def test_broken_replacement(self) -> None:
        """A broken or half-written replacement keeps the old certificate, says so once, and is taken when it is whole."""
        path = place(self.folder / "one.test.pem", "one.test")
        store = self.open()
        self.shown(store, "one.test")
        path.write_bytes(b"-----BEGIN CERTIFICATE-----\nhalf")
        self.default.unlink()
        for _ in range(3):
            self.later()
            self.assertEqual(self.shown(store, "one.test"), "one.test")
            self.assertEqual(self.shown(store), "default.test")
        self.assertEqual(sorted(self.warnings()), ["certificate_kept", "certificate_kept"])
        place(path, "whole.test")
        self.later()
        self.assertEqual(self.shown(store, "one.test"), "whole.test")

    def test_key_of_another(self) -> None:
        """A certificate whose key has not been replaced yet is not used."""
        folder = self.folder / "two.test"
        folder.mkdir()
        (folder / "fullchain.pem").write_bytes(pems("two.test")[0])
        (folder / "privkey.pem").write_bytes(pems("two.test")[1])
        store = self.open()
        self.assertEqual(self.shown(store, "two.test"), "default.test")
        self.assertEqual(self.warnings(), ["certificate_unusable"])

    def test_unknown_names_cost_no_disk(self) -> None:
        """However many names a peer invents, the folder is looked at once a second and read only when it changed."""
        store = self.open()
        self.shown(store, "warm.test")
        folder, self.folder = self.folder, self.root / "moved"
        folder.rename(self.folder)
        for number in range(200):
            self.shown(store, f"n{number}.test")
        self.later()
        self.assertEqual(self.shown(store, "gone.test"), "default.test")

    def test_folder_gone(self) -> None:
        """A folder that cannot be read for a while changes nothing."""
        place(self.folder / "one.test.pem", "one.test")
        store = self.open()
        self.assertEqual(self.shown(store, "one.test"), "one.test")
        self.folder.rename(self.root / "away")
        self.later()
        self.assertEqual(self.shown(store, "one.test"), "one.test")

    def test_convinces(self) -> None:
        """A name is good for people if the certificate that is shown for it is for that name, in time, and of somebody else (A5)."""
        self.time = datetime.datetime(2026, 7, 1, tzinfo=datetime.UTC).timestamp()
        place(self.folder / "mail.one.test.pem", "mail.one.test", authority="An authority")
        place(self.folder / "mail.two.test.pem", "mail.two.test")
        place(self.folder / "mail.three.test.pem", "else.test", authority="An authority")
        store = self.open()
        self.assertTrue(store.convinces("mail.one.test"))
        for name in (
            "mail.two.test",
            "mail.three.test",
            "imap.one.test",
            "default.test",
            "b\u00fccher.test",
            "x" * 300,
        ):
            self.assertFalse(store.convinces(name), name)
        self.time += 3651 * 86400
        self.assertFalse(store.convinces("mail.one.test"))

    def test_signs(self) -> None:
        """Only with a certificate that convinces."""
        self.time = datetime.datetime(2026, 7, 1, tzinfo=datetime.UTC).timestamp()
        place(self.folder / "mail.one.test.pem", "mail.one.test", authority="An authority")
        store = self.open()
        signer = store.signer("mail.one.test")
        assert signer is not None
        self.assertIn(b"content", signer.sign(b"content"))
        self.assertNotEqual(signer.sign(b"content"), b"content")
        self.assertIsNone(store.signer("default.test"))

    def test_old_tls(self) -> None:
        """TLS before 1.2 is not spoken."""
        with self.assertRaises(SSL.Error):
            shown(self.open().serverConnectionForTLS(None), version=SSL.TLS1_1_VERSION)

    def test_bad_default(self) -> None:
        """A default certificate that cannot be used ends the start with the key's name."""
        self.default.write_bytes(b"nonsense")
        with self.assertRaisesRegex(ConfigurationError, "tls.certificate: .*default.pem holds no readable"):
            self.open()
        self.default.write_bytes(pems("a.test")[0])
        with self.assertRaisesRegex(ConfigurationError, "holds no readable private key"):
            self.open()
        self.default.unlink()
        with self.assertRaisesRegex(ConfigurationError, "cannot be read: No such file"):
            self.open()

    def agreed(self, factory: type[Factory], *offered: bytes, asks_for: str | None = None) -> bytes:
        store = self.open()
        inside = TLSMemoryBIOFactory(store, False, factory.forProtocol(Protocol), Clock())
        protocol = inside.buildProtocol(None)
        assert protocol is not None
        protocol.makeConnection(StringTransport())
        connection = protocol.getHandle()
        shown(connection, asks_for, speaks=offered)
        return connection.get_alpn_proto_negotiated()

    def test_browsers_connect(self) -> None:
        """A browser that offers h2 and http/1.1 gets the one we speak; a certificate of the name's own changes nothing."""
        place(self.folder / "one.test.pem", "one.test")
        for name in (None, "one.test"):
            self.assertEqual(self.agreed(Web, b"h2", b"http/1.1", asks_for=name), b"http/1.1")

    def test_no_name_in_common(self) -> None:
        """Whoever offers only what we do not speak there is connected all the same, as if he had offered nothing."""
        self.assertEqual(self.agreed(Web, b"h2"), b"")
        self.assertEqual(self.agreed(Factory, b"imap"), b"")


class SelfSignedTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.root = folder(self)
        self.now = 1_800_000_000.0

    def made(self, hostname: str = "mail.test") -> bytes:
        return self_signed(hostname, self.root / "tls", self.now).chain.read_bytes()

    def test_made_once(self) -> None:
        """Without a certificate one is made, kept, and used again: clients who trusted it are not asked twice."""
        settings = Settings(hostname="mail.test", data_dir=self.root)
        store = open_store(settings, lambda: self.now)
        self.assertEqual(shown(store.serverConnectionForTLS(None)), "mail.test")
        self.assertEqual(self.made(), self.made())
        self.assertEqual(store.names(), [])

    def test_secret(self) -> None:
        """Nobody else can read its key, nor its folder."""
        pair = self_signed("mail.test", self.root / "tls", self.now)
        self.assertEqual(stat.S_IMODE(pair.key.stat().st_mode), 0o600)
        self.assertEqual(stat.S_IMODE(pair.key.parent.stat().st_mode), 0o700)
        self.assertEqual(pair.key.stat().st_uid, self.root.stat().st_uid)

    def test_made_again(self) -> None:
        """Another host name, or an end that is near, needs another one."""
        first = self.made()
        self.assertNotEqual(self.made("other.test"), first)
        second = self.made("other.test")
        self.now += 3640 * 86400
        self.assertNotEqual(self.made("other.test"), second)

    def test_not_writable(self) -> None:
        """A data directory that cannot hold it is named."""
        (self.root / "file").write_bytes(b"")
        with self.assertRaisesRegex(ConfigurationError, "data_dir: a certificate cannot be written"):
            open_store(Settings(hostname="a.test", data_dir=self.root / "file"), lambda: self.now)
        (self.root / "tls" / "self-signed.pem").mkdir(parents=True)
        with self.assertRaises(BadCertificate):
            self_signed("a.test", self.root / "tls", self.now)

    def test_pair_without_names(self) -> None:
        """Reading what is no certificate says which file."""
        with self.assertRaisesRegex(BadCertificate, "none.pem cannot be read"):
            Pair(self.root / "none.pem", self.root / "none.pem").certificates()
