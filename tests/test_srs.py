"""hostmail.srs: senders of forwarded mail, rewritten and read again."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from hostmail import srs
from hostmail.address import Address
from hostmail.errors import NoSuchRecipient

SECRET = b"s" * 32
NOW = 1_700_000_000.0
DAY = 86_400.0

senders = st.builds(
    lambda local, domain: Address.parse(f"{local}@{domain}"),
    st.sampled_from(["ann", "Ann.B", "a=b", '"odd name"', "b+tag=x", "jürgen", "SRS0=abc=xy=x.example=ann"]),
    st.sampled_from(["x.example", "mail.y.example", "[192.0.2.1]", "xn--bcher-kva.example"]),
)


class RewritingTests(SynchronousTestCase):
    def refused(self, address: Address, words: str, secret: bytes = SECRET, now: float = NOW) -> None:
        refusal = self.assertRaises(NoSuchRecipient, srs.original, address, secret, now)
        self.assertIn(words, refusal.private)
        self.assertNotIn(words, refusal.public)

    @given(senders, st.floats(0, 4e9), st.floats(0, srs.VALID_DAYS * DAY))
    def test_there_and_back(self, sender: Address, now: float, later: float) -> None:
        """Whatever the sender is, its address is read again as long as it is valid; what travels is a valid address."""
        address = srs.named(sender, "here.test", SECRET, now)
        if address is not None:
            self.assertEqual(Address.parse(str(address)), address)
            self.assertTrue(srs.is_rewritten(address))
            self.assertEqual(srs.original(address, SECRET, now + later), sender)

    def test_form(self) -> None:
        """SRS0, hash, day, domain, local part."""
        address = srs.named(Address("ann", "x.example"), "here.test", SECRET, NOW)
        self.assertRegex(str(address), r"^SRS0=[a-z2-7]{6}=[a-z2-7]{2}=x\.example=ann@here\.test$")

    def test_too_long(self) -> None:
        """A local part has at most 64 octets; a longer sender is kept under a number."""
        self.assertIsNone(srs.named(Address("bounce-" + "x" * 40, "mail.x.example"), "here.test", SECRET, NOW))
        address = srs.kept(4711, "here.test", SECRET, NOW)
        self.assertEqual(srs.original(address, SECRET, NOW), 4711)

    def test_case_on_the_way(self) -> None:
        """Hosts may change the case: then the sender's is changed, and nothing worse."""
        address = srs.named(Address("Ann", "x.example"), "here.test", SECRET, NOW)
        assert address is not None
        for local in (address.local.lower(), address.local.upper()):
            found = srs.original(Address(local, address.domain), SECRET, NOW)
            assert isinstance(found, Address)
            self.assertEqual(found.key, "ann@x.example")

    def test_expired(self) -> None:
        """After three weeks an address is worth nothing, and none is from the future."""
        address = srs.kept(1, "here.test", SECRET, NOW)
        self.refused(address, "expired", now=NOW + 22 * DAY)
        self.refused(address, "expired", now=NOW - DAY)

    def test_forged(self) -> None:
        """Nobody else can make one, nor change one."""
        address = srs.named(Address("ann", "x.example"), "here.test", SECRET, NOW)
        assert address is not None
        self.refused(address, "hash", secret=b"t" * 32)
        self.refused(Address(address.local.replace("ann", "eve"), "here.test"), "hash")
        self.refused(Address(address.local.replace("SRS0", "SRSK"), "here.test"), "hash")
        for local in ("SRS0=", "srs0=a", "SRS0=abcdef=ab", "srsk=é=ü=1", "SRS0=abcdef==x=y"):
            self.assertTrue(srs.is_rewritten(Address(local, "here.test")))
            self.assertRaises(NoSuchRecipient, srs.original, Address(local, "here.test"), SECRET, NOW)

    def test_other_addresses(self) -> None:
        """What only looks a little like it is a name like any other."""
        for local in ("srs0", "srs", "ann", "xsrs0=a=b=c=d"):
            self.assertFalse(srs.is_rewritten(Address(local, "here.test")))
