"""Every page of the panel as a real Chromium shows it, to each role: nothing for axe-core to find, no script but ours, nothing too wide."""

from __future__ import annotations

import socket
from typing import ClassVar
from urllib.parse import quote

from hostmail.actor import Role
from hostmail.web.panel.page import Page
from tests.journeys.base import trusting
from tests.journeys.browsing import Browsing
from tests.support.appliance import PASSWORD
from tests.support.browser import NARROWEST, WIDE, Browser
from tests.support.furnished import ANN, DOMAIN, SCRIPT, STRANGER, UNREACHABLE, Furnished
from tests.support.pages import path_of, shown_to
from tests.support.surfer import Surfer

TOO_WIDE = """
const wide = innerWidth + 1;
if (document.documentElement.scrollWidth <= innerWidth) return [];
return [...document.querySelectorAll("body *")].filter(one => one.getBoundingClientRect().right > wide).map(one => one.outerHTML);
"""
FOCUSED = "return document.activeElement.id || document.activeElement.textContent.trim()"


def too_wide(browser: Browser) -> list[str]:
    """What stands out of the window on its right, of which the first two say enough."""
    return [f"too wide: {each[:200]}" for each in browser.run(TOO_WIDE)[:2]]


class Looks(Browsing):
    """A service that has been used for a while."""

    accounts: ClassVar[tuple[str, ...]] = ()
    further = "direct_delivery: yes\n"
    broken = UNREACHABLE
    furnished: ClassVar[Furnished]
    maxDiff = None

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls.furnished = Furnished(cls.here, accounts=20)

    def surfer(self, login: str = "") -> Surfer:
        """The browser, signed in."""
        surfer = Surfer(self.here.ports["panel"])
        if login:
            surfer.sign_in(login, PASSWORD)
        return surfer

    def faults(self, surfer: Surfer, what: str) -> list[str]:
        """What is wrong with the page that is open: its markup, its colours in both lights, its width, and what the console said."""
        browser = surfer.browser
        found = browser.complaints() + ["a script of a stranger's ran"] * ("owned" in surfer.driver.title)
        found += browser.judged()
        browser.look(NARROWEST, dark=True)
        found += browser.judged("color-contrast") + too_wide(browser)
        browser.look(WIDE)
        found += too_wide(browser)
        return [f"{what}: {each}" for each in found]

    def looks_well(self, surfer: Surfer, what: str) -> None:
        self.assertEqual("\n".join(self.faults(surfer, what)), "")

    def look_at(self, surfer: Surfer, pages: list[Page]) -> None:
        """All of these pages, and all that is wrong with them."""
        found = []
        for page in pages:
            surfer.open(path_of(page))
            found += self.faults(surfer, page.name)
            if not surfer.driver.find_elements("id", "menu"):
                found.append(f"{page.name}: {surfer.path}: {surfer.text}")
        self.assertEqual("\n".join(found), "")

    def test_operator(self) -> None:
        """Every page that an operator sees."""
        surfer = self.surfer("root")
        self.look_at(surfer, shown_to(Role.OPERATOR, has_mailbox=False))

    def test_owner(self) -> None:
        """Every page that the owner of a domain sees by its main login."""
        surfer = self.surfer("examplecom")
        self.look_at(surfer, shown_to(Role.OWNER))

    def test_user(self) -> None:
        """Every page that somebody with a mailbox sees."""
        surfer = self.surfer(ANN)
        self.look_at(surfer, shown_to(Role.USER))

    def test_handshake(self) -> None:
        """Browsers are told in the TLS handshake what is spoken; whoever offers something else is connected all the same."""
        found = []
        for service, offered in (("panel", ["h2", "http/1.1"]), ("panel", ["h2"]), ("imaps", ["imap"])):
            context = trusting()
            context.set_alpn_protocols(offered)
            with (
                socket.create_connection(("127.0.0.1", self.here.ports[service]), 20) as line,
                context.wrap_socket(line) as tls,
            ):
                found.append(tls.selected_alpn_protocol())
        self.assertEqual(found, ["http/1.1", None, None])

    def test_signing_in(self) -> None:
        """The pages before one is signed in, and what is not there."""
        surfer = self.surfer()
        surfer.open("/login")
        self.looks_well(surfer, "login")
        surfer.sign_in("nobody", "nothing")
        surfer.browser.complaints()
        self.looks_well(surfer, "refused login")
        surfer.open("/nothing/here")
        surfer.browser.complaints()
        self.looks_well(surfer, "error")

    def test_refused_form(self) -> None:
        """A form that was refused, with what was typed and the reason."""
        surfer = self.surfer("examplecom")
        surfer.open(f"/domains/{DOMAIN}/accounts")
        surfer.sends("add", name="ann", make="no", password=PASSWORD, password_again="something else")
        surfer.browser.complaints()
        self.looks_well(surfer, "refused form")

    def test_markup_in_mail(self) -> None:
        """What strangers put into envelopes and headers is shown as text wherever it is shown (stored XSS)."""
        surfer = self.surfer("root")
        surfer.open(f"/history?about={quote(STRANGER)}")
        self.assertIn("<script>", surfer.text)
        surfer.open("/queue")
        self.assertIn("<b>stranger</b>", surfer.text)
        surfer.press(surfer.one("tbody a"))
        self.assertIn(f"Subject: Hello {SCRIPT}", surfer.text)
        self.looks_well(surfer, "waiting")
        self.assertEqual(surfer.driver.find_elements("css selector", "main script, main img, main b"), [])

    def test_by_keyboard(self) -> None:
        """The first key leads past the navigation; in forms the keys go from field to field, in the order in which one reads."""
        surfer = self.surfer()
        surfer.open("/login")
        self.assertEqual(self.keys(surfer, 2), ["password", "Sign in"])
        surfer.sign_in("examplecom", PASSWORD)
        surfer.open(f"/domains/{DOMAIN}/accounts")
        self.assertEqual(self.keys(surfer, 1), ["Skip to the content"])
        surfer.types("\ue007")
        self.assertEqual(surfer.browser.run(FOCUSED), "content")
        self.assertEqual(self.keys(surfer, 2), ["q", "Search"])
        surfer.one("#add-name").click()
        expected = [
            "add-make-yes",
            "add-password",
            "add-password_again",
            "add-quota_kind-default",
            "add-quota",
            "Add account",
        ]
        self.assertEqual(self.keys(surfer, 6), expected)

    def keys(self, surfer: Surfer, count: int) -> list[str]:
        """What has the focus after each of so many tab keys."""
        found = []
        for _ in range(count):
            surfer.types("\ue004")
            found.append(str(surfer.browser.run(FOCUSED)))
        return found
