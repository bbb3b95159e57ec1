"""How mail leaves, which operators say for an account or a whole domain (C9)."""

from __future__ import annotations

import re
from typing import Any

from tests.web.facts import MINE
from tests.web.fakes import Browser, PanelCase

ACCOUNT, LIMITS = f"/domains/{MINE}/accounts/Ann@{MINE}", f"/domains/{MINE}/limits"
THERE = {"host": "smtp.provider.example", "port": 587, "tls": "verified", "login": "us", "password_set": True}
TYPED = {"way": "host", "smarthost": "smtp.provider.example:587", "smarthost_tls": "verified", "smarthost_login": "us"}


class WayOutTests(PanelCase):
    login = "root"

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

    def chosen(self) -> str:
        """What is chosen about TLS before anybody chooses."""
        select = self.browser.get(ACCOUNT).text.partition('name="smarthost_tls"')[2].partition("</select>")[0]
        return next((one for one in re.findall(r'<option value="([^"]*)" ?selected', select)), "")

    def untouched(self, before: dict[str, Any], **typed: str) -> str:
        """What becomes of TLS when only `typed` is changed of the form as it is shown."""
        self.admin.accounts[f"Ann@{MINE}"]["smarthost"] = before
        told = self.said(
            ACCOUNT, **TYPED | {"smarthost_login": before["login"], "smarthost_tls": self.chosen()} | typed
        )
        return str(told["smarthost_tls"])

    def test_a_login_is_added(self) -> None:
        """With a login that is new TLS is verified if nobody chose otherwise: of a host that had none, and of another host."""
        us, other = {"smarthost_login": "us", "smarthost_password": "secret"}, {"smarthost": "smtp.other.example"}
        for tls in ("opportunistic", "required", "verified"):
            before = THERE | {"tls": tls, "login": "", "password_set": False}
            self.assertEqual(self.untouched(before, **us), "verified")
            self.assertEqual(self.untouched(before, **us, **other), "verified")
            self.assertEqual(self.untouched(THERE | {"tls": tls}, **us, **other), "verified")
        open_to_all = THERE | {"tls": "opportunistic", "login": "", "password_set": False}
        self.assertEqual(self.untouched(open_to_all, **us, smarthost_tls="opportunistic"), "opportunistic")

    def test_tls_stays(self) -> None:
        """What was chosen about TLS stays where something else is changed, with and without a login."""
        for login in ("", "us"):
            for tls in ("opportunistic", "required", "verified"):
                before = THERE | {"tls": tls, "login": login, "password_set": bool(login)}
                self.assertEqual(self.untouched(before), tls)

    def test_as_usual_again(self) -> None:
        """As usual is a choice, too: verified with a login, else if it is offered, whatever it was before."""
        for login, usual in (("us", "verified"), ("", "opportunistic")):
            before = THERE | {"tls": "required", "login": login, "password_set": bool(login)}
            self.assertEqual(self.untouched(before, smarthost_tls=""), usual)

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
