"""SPF as receivers read it."""

from __future__ import annotations

from collections.abc import Sequence

from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase

from hostmail.clientsetup.spf import BadSpfError, policies, result, with_terms

HERE, HERE6 = "192.0.2.1", "2001:db8::1"


class SpfTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.known: dict[tuple[str, str], list[str]] = {
            ("one.test", "MX"): ["10 mx.host.test."],
            ("mx.host.test", "A"): [HERE],
            ("mx.host.test", "AAAA"): [HERE6],
        }
        self.asked: list[tuple[str, str]] = []

    async def ask(self, name: str, kind: str) -> Sequence[str]:
        self.asked.append((name, kind))
        return self.known.get((name, kind), [])

    def result(self, policy: str, address: str = HERE) -> str:
        self.known["one.test", "TXT"] = [policy]
        return self.successResultOf(Deferred.fromCoroutine(result(self.ask, "one.test", address)))

    def trouble(self, *policies: str) -> str:
        self.known["one.test", "TXT"] = list(policies)
        wanted = Deferred.fromCoroutine(result(self.ask, "one.test", HERE))
        return str(self.failureResultOf(wanted, BadSpfError).value)

    def test_mechanisms(self) -> None:
        """Those that name addresses, directly or through other records."""
        for fits in (
            "mx",
            "a:mx.host.test",
            "ip4:192.0.2.1",
            "ip4:192.0.2.0/24",
            "A:MX.host.test/24",
            "mx/24//64",
            "all",
        ):
            self.assertEqual(self.result(f"v=spf1 {fits} -all"), "pass", fits)
        for fits in ("mx", "a:mx.host.test//64", "ip6:2001:db8::/32"):
            self.assertEqual(self.result(f"v=spf1 {fits} -all", HERE6), "pass", fits)
        for misses in ("a", "ip4:198.51.100.0/24", "ip6:2001:db8::/32", "exists:%{i}.x.test", "ptr", "a:%{d}.x.test"):
            self.assertEqual(self.result(f"v=spf1 {misses} -all"), "fail", misses)

    def test_qualifiers(self) -> None:
        """The first that fits decides."""
        self.assertEqual(self.result("v=spf1 -mx +all"), "fail")
        self.assertEqual(self.result("v=spf1 ?mx -all"), "neutral")
        self.assertEqual(self.result("v=spf1 ~all"), "softfail")
        self.assertEqual(self.result("v=spf1"), "neutral")
        self.assertEqual(self.result("v=spf2 mx"), "none")

    def test_include(self) -> None:
        """It fits if the other record says pass, and only then."""
        self.known["_spf.host.test", "TXT"] = ["v=spf1 ip4:192.0.2.0/24 -all"]
        self.assertEqual(self.result("v=spf1 include:_spf.host.test -all"), "pass")
        self.assertEqual(self.result("v=spf1 include:_spf.host.test ~all", "198.51.100.1"), "softfail")
        self.assertIn("which has no SPF record", self.trouble("v=spf1 include:none.test -all"))

    def test_redirect(self) -> None:
        """Another record in its place, where nothing fits."""
        self.known["_spf.host.test", "TXT"] = ["v=spf1 mx:one.test -all"]
        self.assertEqual(self.result("v=spf1 exp=x.test redirect=_SPF.host.test"), "pass")
        self.assertEqual(self.result("v=spf1 redirect=_spf.host.test", "198.51.100.1"), "fail")
        self.assertIn("refers to none.test", self.trouble("v=spf1 redirect=none.test"))

    def test_broken(self) -> None:
        """What receivers take for an error is said to be one."""
        self.assertIn("has 2 SPF records", self.trouble("v=spf1 mx -all", "v=spf1 a -all"))
        self.assertIn("'mxx'", self.trouble("v=spf1 mxx -all"))
        self.assertIn("is no network", self.trouble("v=spf1 ip4:mail.test -all"))

    def test_ends(self) -> None:
        """Records that refer to themselves, or to many others, do not keep us busy (RFC 7208 4.6.4)."""
        self.assertIn("more than 10 questions", self.trouble("v=spf1 include:one.test -all"))
        self.assertIn("more than 10 questions", self.trouble("v=spf1 " + " ".join(f"a:a{n}.test" for n in range(50))))
        self.assertLess(len(self.asked), 40)

    def test_many_exchangers(self) -> None:
        """Ten of them, and no more, are looked at."""
        self.known["one.test", "MX"] = [f"10 mx{n}.test." for n in range(100)]
        self.assertEqual(self.result("v=spf1 mx -all"), "fail")
        self.assertLess(len(self.asked), 15)

    def test_policies(self) -> None:
        """Only texts of that version are SPF records."""
        self.assertEqual(policies(["v=spf1", "V=SPF1 mx", "v=spf10 mx", "google-site=x"]), ["v=spf1", "V=SPF1 mx"])

    def test_with_terms(self) -> None:
        """What is missing goes in front, where nothing has decided yet."""
        self.assertEqual(with_terms("v=spf1 a -all", ["mx", "a"]), "v=spf1 mx a -all")
        self.assertEqual(with_terms("v=spf1", ["mx"]), "v=spf1 mx")
        self.assertEqual(with_terms("v=spf1 -all mx", ["mx"]), "v=spf1 mx -all")
        self.assertEqual(with_terms("v=spf1 a mx ~all", ["mx"]), "v=spf1 a mx ~all")
