"""How a mail program is set up."""

from __future__ import annotations

from tests.web.facts import MINE
from tests.web.fakes import PanelCase

ANN = f"Ann@{MINE}"
PAGE = f"/domains/{MINE}/programs"


class ProgramTests(PanelCase):
    login = ""

    def test_owner_chooses(self) -> None:
        """An owner chooses an account, and has its page to print."""
        self.browser.sign_in("owen")
        self.assertIn(f'href="{PAGE}/{ANN}"', self.browser.get(PAGE).text)
        text = self.browser.get(f"{PAGE}/{ANN}").text
        self.assertIn(f"Set up a mail program for {ANN}", text)
        for words in ("Thunderbird", "iPhone and iPad", "Capital letters matter.", f"All for {ANN}"):
            self.assertIn(words, text)
        self.assertIn("&lt;b&gt;now&lt;/b&gt;", text)

    def test_one_program(self) -> None:
        """Of one program only, for paper; one that nobody knows means all."""
        self.browser.sign_in("owen")
        one, odd = (self.browser.get(f"{PAGE}/{ANN}?program={key}").text for key in ("ios", "x"))
        self.assertNotIn('id="h-thunderbird"', one)
        self.assertIn('id="h-ios"', one)
        self.assertIn('id="h-thunderbird"', odd)

    def test_profile(self) -> None:
        """The profile is fetched from where the visitor is, and its full address is in the code; the other file is linked, too."""
        self.browser.sign_in(ANN)
        text = self.browser.get("/mailbox/programs").text
        self.assertIn(f'href="/setup/apple.mobileconfig?address={ANN}"', text)
        self.assertIn('src="data:image/svg+xml,%3Csvg', text)
        self.assertIn(f'href="/.well-known/autoconfig/mail/config-v1.1.xml?emailaddress={ANN}"', text)

    def test_without_panel_name(self) -> None:
        """Where nothing is served there is no profile, and no code."""
        told = self.site.admin.client_show

        self.site.admin.client_show = lambda *a, **b: told(*a, **b) | {"apple_profile": "", "apple_code": ""}  # type: ignore[method-assign]
        self.browser.sign_in(ANN)
        self.assertNotIn("data:image", self.browser.get("/mailbox/programs").text)

    def test_settings_as_data(self) -> None:
        """The table of settings can be had as CSV."""
        self.browser.sign_in(ANN)
        self.assertIn(f"User name (login),{ANN}", self.browser.get("/mailbox/programs?format=csv").text)
