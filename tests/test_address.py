"""hostmail.address: when two spellings are one address."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from hostmail.address import Address, caseless


class SpellingTests(SynchronousTestCase):
    def test_key(self) -> None:
        """Case does not matter for delivery (A2), in no script, nor do letters put together in another way, nor the domain's script."""
        key = Address.parse("j\u00fcrgen@xn--bcher-kva.example").key
        for text in (
            "J\u00dcRGEN@B\u00dcCHER.example",
            "ju\u0308rgen@b\u00fccher.example",
            "JU\u0308rgen@xn--BCHER-kva.example",
        ):
            self.assertEqual(Address.parse(text).key, key)
        self.assertNotEqual(Address.parse("jurgen@xn--bcher-kva.example").key, key)

    def test_caseless(self) -> None:
        """Text that says so in small letters stays; it is what SQL compares with."""
        self.assertEqual(caseless("Ann@Example.COM"), "ann@example.com")
        self.assertEqual(caseless(caseless("\u00d6ZG\u00dcR")), "\u00f6zg\u00fcr")
