"""What there is of certificates, as people are told."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase

from hostmail.config.schema import Settings, Tls
from hostmail.interfaces.admin import CertificateInfo
from hostmail.listen.tls import open_store
from tests.listen.certs import TODAY, folder, pems, place


async def at_once(function: Callable[..., Any], *args: Any) -> Any:
    """As a thread would."""
    return function(*args)


class ListingTests(SynchronousTestCase):
    def test_all(self) -> None:
        """The default one first, then by server name: names, who signed it, times; one that cannot be used with the reason."""
        root = folder(self)
        names = root / "names"
        default = place(root / "default.pem", "mail.test", authority="A Very Good CA")
        place(names / "one.test.pem", "one.test", "mail.one.test")
        (names / "odd.test.pem").write_text("nothing")
        (names / "two.test").mkdir()
        (names / "two.test" / "fullchain.pem").write_bytes(pems("two.test")[0])
        (names / "two.test" / "privkey.pem").write_bytes(pems("two.test")[1])
        tls = Tls(certificate=default, directory=names)
        store = open_store(Settings(hostname="mail.test", data_dir=root, tls=tls), TODAY.timestamp)
        found: list[CertificateInfo] = list(self.successResultOf(Deferred.fromCoroutine(store.listed(at_once))))
        self.assertEqual([one.server_name for one in found], ["", "odd.test", "one.test", "two.test"])
        first, odd, one, two = found
        self.assertEqual((first.names, first.issuer, first.self_signed), (("mail.test",), "A Very Good CA", False))
        self.assertEqual(first.valid_from, TODAY.timestamp())
        self.assertIn("no readable certificate", odd.problem)
        self.assertEqual((one.names, one.self_signed, one.problem), (("one.test", "mail.one.test"), True, ""))
        self.assertIn("is not the key of", two.problem)
        self.assertEqual(two.names, ("two.test",))
