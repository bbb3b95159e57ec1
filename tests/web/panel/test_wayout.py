"""How mail leaves, which operators say for an account or a whole domain (C9)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from tests.web.fakes import MINE, Browser, Site

ACCOUNT, LIMITS = f"/domains/{MINE}/accounts/Ann@{MINE}", f"/domains/{MINE}/limits"
THERE = {"host": "smtp.provider.example", "port": 587, "tls": "verified", "login": "us", "password_set": True}
TYPED = {"way": "host", "smarthost": "smtp.provider.example:587", "smarthost_tls": "verified", "smarthost_login": "us"}


class WayOutTests(SynchronousTestCase):
    def setUp(self) -> None:
        folder = Path(self.mktemp())
        folder.mkdir()
        self.site = Site(folder)
        self.admin = self.site.admin
        self.browser = Browser(self.site)
        self.browser.sign_in("root")

    def said(self, page: str, **fields: str) -> dict[str, Any]:
        """What the verb is told of a form; the account and the domain are as before."""
        self.assertEqual(self.browser.fill(page, "way_out", **fields).status, 303)
        self.admin.accounts[f"Ann@{MINE}"]["smarthost"] = self.admin.domains[MINE]["smarthost"] = None
        verb, arguments = self.admin.calls[-1]
        self.assertIn(verb, ("account.set", "domain.set"))
        return {name: value for name, value in arguments.items() if name.startswith("smarthost")}

    def test_the_three_ways(self) -> None:
        """As above, directly, or through another server with a login there: of an account and of a domain."""
        for page in (ACCOUNT, LIMITS):
            self.assertEqual(self.said(page, way="usual"), {"smarthost": None})
            self.assertEqual(self.said(page, way="direct"), {"smarthost": "direct"})
            whole = {name: value for name, value in TYPED.items() if name != "way"} | {"smarthost_password": "secret"}
            self.assertEqual(self.said(page, **TYPED, smarthost_password="secret"), whole)

    def test_the_password_stays(self) -> None:
        """The same login at the same server keeps its password, which no page shows; another login or server does not."""
        self.admin.accounts[f"Ann@{MINE}"]["smarthost"] = THERE
        self.assertIn('value="smtp.provider.example:587"', self.browser.get(ACCOUNT).text)
        self.assertEqual(self.said(ACCOUNT, **TYPED), {"smarthost_tls": "verified"})
        self.admin.accounts[f"Ann@{MINE}"]["smarthost"] = THERE
        told = self.said(ACCOUNT, **TYPED | {"smarthost_login": ""})
        self.assertEqual((told["smarthost_login"], told["smarthost_password"]), ("", ""))
        self.admin.accounts[f"Ann@{MINE}"]["smarthost"] = THERE
        told = self.said(ACCOUNT, **TYPED | {"smarthost": "smtp.other.example"})
        self.assertEqual((told["smarthost"], told["smarthost_password"]), ("smtp.other.example", ""))

    def test_no_server(self) -> None:
        """Another server has a name."""
        text = self.browser.fill(ACCOUNT, "way_out", way="host").text
        self.assertIn('id="way_out-smarthost-wrong"', text)

    def test_sources(self) -> None:
        """A domain's mail comes from the addresses of this machine that are named."""
        self.browser.fill(LIMITS, "sources", source_addresses="192.0.2.1\n2001:db8::1\n")
        told = self.admin.calls[-1][1]
        self.assertEqual(told["source_addresses"], ["192.0.2.1", "2001:db8::1"])

    def test_not_for_owners(self) -> None:
        """An owner sees nothing of it."""
        owner = Browser(self.site)
        owner.sign_in("owen")
        self.assertNotIn("How its mail leaves", owner.get(ACCOUNT).text)
