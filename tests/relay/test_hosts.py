"""Which hosts to try for a domain, in which order (C9)."""

from __future__ import annotations

from ipaddress import ip_address
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from hostmail.errors import Refusal
from hostmail.relay.contracts import Exchange
from hostmail.relay.failures import DnsFailure, NoSuchDomain, NotAllowed
from hostmail.relay.hosts import MOST_ADDRESSES, MOST_EXCHANGES, Policy, candidates, is_public, literal_target, targets

V4, OTHER4, V6 = "198.41.0.4", "198.41.0.5", "2001:503:ba3e::2:30"
OPEN = Policy(is_us={"mail.us.test"}.__contains__, is_ours={"198.41.0.99"}.__contains__)


def ips(*found: str | Refusal | list[str], policy: Policy = OPEN, preferences: tuple[int, ...] = ()) -> list[str]:
    """Addresses to try for hosts a, b, c... with these addresses."""
    hosts = [Exchange(preferences[i] if preferences else i, "abcdefghijkl"[i]) for i in range(len(found))]
    addresses = {each.host: [one] if isinstance(one, str) else one for each, one in zip(hosts, found, strict=True)}
    return [target.ip for target in targets("x.test", hosts, addresses, policy)]


class CandidateTests(SynchronousTestCase):
    def names(self, *found: tuple[int, str], seed: int = 1) -> list[str]:
        exchanges = [Exchange(*each) for each in found]
        return [each.host for each in candidates("x.test", exchanges, Random(seed))]

    def refused(self, *found: tuple[int, str]) -> str:
        refusal = self.assertRaises(Refusal, self.names, *found)
        return f"{refusal.code} {refusal.smtp_line()}"

    def test_preference(self) -> None:
        """The lowest preference comes first."""
        self.assertEqual(self.names((30, "c"), (10, "a"), (20, "b")), ["a", "b", "c"])

    def test_ties(self) -> None:
        """Equals come in random order, so that each gets its share (RFC 5321 5.1)."""
        firsts = [self.names((10, "a"), (10, "b"), (20, "c"), seed=seed) for seed in range(50)]
        self.assertEqual({tuple(each) for each in firsts}, {("a", "b", "c"), ("b", "a", "c")})

    def test_without_mx(self) -> None:
        """A domain without MX records is its own mail host (RFC 5321 5.1)."""
        self.assertEqual(self.names(), ["x.test"])

    def test_null_mx(self) -> None:
        """A domain that says it takes no mail is believed, at once (RFC 7505)."""
        self.assertEqual(self.refused((0, "")), "556 5.1.10 x.test does not accept mail")

    def test_null_mx_beside_others(self) -> None:
        """A null MX among hosts is a mistake, and passed over (RFC 7505 3)."""
        self.assertEqual(self.names((0, ""), (10, "a")), ["a"])

    def test_literals(self) -> None:
        """An MX record must name a host (RFC 5321 5.1): an address is passed over."""
        self.assertEqual(self.names((10, "192.0.2.1"), (20, "a")), ["a"])
        self.assertIn("550 5.4.4", self.refused((10, "192.0.2.1"), (20, "2001:db8::1")))

    def test_no_host_names(self) -> None:
        """Nor is a host what the DNS can name and nobody can be called: control characters, blanks, labels without end when written."""
        odd = (r"a\032b.test", r"\000" * 20 + ".test", "*.test", "-.test", r"a\.b.test", "[::1]")
        self.assertEqual(self.names(*((10, each) for each in odd), (20, "_a.b-c.test")), ["_a.b-c.test"])
        for each in odd:
            self.assertEqual(self.refused((10, each)), "550 5.4.4 the mail exchangers of x.test are no names of hosts")

    def test_many(self) -> None:
        """Of hundreds of records the best ones count."""
        names = self.names(*((100 - i, f"h{i}") for i in range(100)))
        self.assertEqual(names, [f"h{i}" for i in range(99, 99 - MOST_EXCHANGES, -1)])

    def test_repeated(self) -> None:
        """A host that is named again and again is there once, at its best, and pushes nobody off the list."""
        self.assertEqual(self.names(*[(i % 3, "A") for i in range(100)], (5, "b"), (3, "a")), ["A", "b"])


HOSTS = ("mail.us.test", "a", "b", "c", "d")


class AnyTests(SynchronousTestCase):
    @settings(deadline=None, max_examples=300)
    @given(
        st.lists(st.tuples(st.integers(0, 3), st.sampled_from(HOSTS)), max_size=30),
        st.dictionaries(
            st.sampled_from(HOSTS),
            st.lists(st.sampled_from([V4, OTHER4, V6, "10.0.0.1", "::1", "198.41.0.99"]), max_size=6),
        ),
        st.integers(),
    )
    def test_any_domain(self, records: list[tuple[int, str]], known: dict[str, list[str]], seed: int) -> None:
        """Whatever the DNS says: never ourselves, nothing private, worse hosts later, and not too many."""
        found = [Exchange(*each) for each in records]
        answers = {host: known.get(host, []) for host in (*HOSTS, "x.test")}
        try:
            tried = targets("x.test", candidates("x.test", found, Random(seed)), answers, OPEN)
        except Refusal:
            return
        preferences = {host: {each.preference for each in found if each.host == host} for host in HOSTS}
        ours = [each.preference for each in found if each.host == HOSTS[0] or "198.41.0.99" in answers[each.host]]
        for target in tried:
            self.assertTrue(is_public(ip_address(target.ip)))
            self.assertTrue(OPEN.is_ours(target.ip) is OPEN.is_us(target.host) is False)
            if found and ours:
                self.assertLess(min(preferences[target.host]), min(ours))
        best = [min(preferences[target.host], default=0) for target in tried if found]
        if len(set(records)) == len({host for _, host in records}):
            self.assertEqual(best, sorted(best))
        self.assertLessEqual(len(tried), MOST_ADDRESSES)


class TargetTests(SynchronousTestCase):
    def refused(self, *found: str | Refusal | list[str], policy: Policy = OPEN) -> str:
        refusal = self.assertRaises(Refusal, lambda: ips(*found, policy=policy))
        return f"{refusal.code} {refusal.smtp_line()}"

    def test_order(self) -> None:
        """Host after host, IPv6 and IPv4 in turn."""
        self.assertEqual(ips([V4, OTHER4, V6], "198.41.0.6"), [V6, V4, OTHER4, "198.41.0.6"])

    def test_caps(self) -> None:
        """A host has four addresses at most, a domain ten."""
        many = [f"198.41.1.{i}" for i in range(100)]
        self.assertEqual(ips(many), many[:4])
        self.assertEqual(len(ips(many, many, many, many)), MOST_ADDRESSES)

    def test_no_address(self) -> None:
        """Hosts without an address are passed over; if none has one the mail comes back."""
        self.assertEqual(ips([], NoSuchDomain(), V4), [V4])
        self.assertEqual(self.refused([], NoSuchDomain()), "550 5.4.4 no mail exchanger of x.test has an address")

    def test_no_mx_and_no_address(self) -> None:
        """The words tell a domain that does not exist from one that has nothing to do with mail."""
        alone = [Exchange(0, "x.test")]
        for answer, words in (
            ([], "550 5.4.4 x.test has no mail exchanger and no address"),
            (NoSuchDomain("the domain x.test does not exist"), "550 5.1.2 the domain x.test does not exist"),
        ):
            refusal = self.assertRaises(Refusal, targets, "x.test", alone, {"x.test": answer}, OPEN)
            self.assertEqual(f"{refusal.code} {refusal.smtp_line()}", words)

    def test_dns_in_trouble(self) -> None:
        """A host whose address cannot be found for now does not keep mail from others, and never makes it come back."""
        trouble = DnsFailure("the DNS has no answer about a")
        self.assertEqual(ips(trouble, V4), [V4])
        self.assertEqual(self.refused(trouble, []), "451 4.4.3 the DNS has no answer about a")

    def test_ourselves_by_name(self) -> None:
        """We are the second of three: only the first is tried, the third would give the mail to us (RFC 5321 5.1)."""
        exchanges = [Exchange(10, "a"), Exchange(20, "mail.us.test"), Exchange(20, "b"), Exchange(30, "c")]
        known = {each.host: [V4] for each in exchanges}
        self.assertEqual([each.host for each in targets("x.test", exchanges, known, OPEN)], ["a"])

    def test_ourselves_by_address(self) -> None:
        """A host of another name with our address is us."""
        self.assertEqual(ips(V4, [OTHER4, "198.41.0.99"], V6), [V4])

    def test_loop(self) -> None:
        """The best host is ourselves: the mail comes back, with the reason."""
        self.assertEqual(
            self.refused("198.41.0.99", V4),
            "554 5.4.6 mail for x.test would come back to this server, which does not know that domain",
        )

    def test_private_addresses(self) -> None:
        """Private addresses from the DNS are passed over, or the mail waits; a setting allows them."""
        self.assertEqual(ips(["10.0.0.1", V4], "127.0.0.1"), [V4])
        self.assertEqual(self.refused("10.0.0.1"), "451 4.4.4 a: no address that this server may connect to")
        allowed = Policy(OPEN.is_us, OPEN.is_ours, private_addresses=True)
        self.assertEqual(ips("10.0.0.1", policy=allowed), ["10.0.0.1"])

    def test_families(self) -> None:
        """With one of our addresses to send from, only its kind is used."""
        four = Policy(OPEN.is_us, OPEN.is_ours, families=frozenset({4}))
        self.assertEqual(ips([V4, V6], policy=four), [V4])
        refusal = self.assertRaises(NotAllowed, lambda: ips(V6, policy=four))
        self.assertIn("source_addresses", refusal.private)

    def test_public(self) -> None:
        """Loopback, private, link-local, multicast and reserved addresses are not public, in whatever wrapping."""
        inside = "127.0.0.1 10.1.2.3 192.168.0.1 172.16.0.1 169.254.1.1 100.64.0.1 0.0.0.0 224.0.0.1 240.0.0.1 255.255.255.255"
        inside6 = (
            "::1 :: fe80::1 fc00::1 ff02::1 2001:db8::1 ::ffff:10.0.0.1 64:ff9b::7f00:1 2002:7f00:1::1 ::127.0.0.1"
        )
        for text in (inside + " " + inside6).split():
            self.assertFalse(is_public(ip_address(text)), text)
        for text in (V4, V6, f"::ffff:{V4}", "64:ff9b::c629:4"):
            self.assertTrue(is_public(ip_address(text)), text)

    def test_address_literals(self) -> None:
        """user@[192.0.2.1] names its host itself."""
        self.assertIsNone(literal_target("x.test"))
        for domain, ip in (
            ("[192.0.2.1]", "192.0.2.1"),
            ("[IPv6:2001:db8::1]", "2001:db8::1"),
            ("[ipv6:::1]", "::1"),
            ("[IPv6:::ffff:7f00:1]", "127.0.0.1"),
        ):
            target = literal_target(domain)
            assert target is not None
            self.assertEqual(target.ip, ip)
