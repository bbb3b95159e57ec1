"""Every page of the panel as a real Chromium shows it, to each role: nothing for axe-core to find, no script but ours, nothing too wide."""

from __future__ import annotations

import http.client
import json
import socket
import time
from base64 import b32decode
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import quote

from hostmail.actor import Role
from hostmail.auth import totp
from hostmail.web.panel.page import Page
from tests.journeys.base import SECONDS, logs_in, trusting
from tests.journeys.browsing import Browsing
from tests.support.appliance import PASSWORD
from tests.support.browser import NARROWEST, WIDE, Browser
from tests.support.furnished import ANN, DOMAIN, LONG, OTHER, SCRIPT, STRANGER, UNREACHABLE, Furnished
from tests.support.pages import looked_at, path_of
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
    cookies: ClassVar[dict[str, dict[str, Any]]] = {}
    maxDiff = None

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls.furnished = Furnished(cls.here, accounts=12)

    def surfer(self, login: str = "") -> Surfer:
        """The browser, signed in: each of them signs in once, and comes back with his cookie."""
        surfer = Surfer(self.here.ports["panel"])
        if login in self.cookies:
            surfer.browser.tell("Network.setCookie", url=surfer.origin, **self.cookies[login])
        elif login:
            surfer.sign_in(login, PASSWORD)
            [self.cookies[login]] = surfer.driver.get_cookies()
        return surfer

    def faults(self, surfer: Surfer, what: str) -> list[str]:
        """What is wrong with the page that is open: its markup, its colours in both lights, its width, and what the console said.

        It stays as wide as it was looked at last: the next page begins there.
        """
        browser = surfer.browser
        found = browser.complaints() + ["a script of a stranger's ran"] * ("owned" in surfer.driver.title)
        for width in sorted((WIDE, NARROWEST), key=lambda each: each != browser.width):
            if width != browser.width:
                browser.look(width, dark=width == NARROWEST)
            rules = () if width == WIDE else ("color-contrast",)
            found += browser.judged(*rules) + too_wide(browser)
        return [f"{what}: {each}" for each in found]

    def looks_well(self, surfer: Surfer, what: str) -> None:
        """The page that is open; wide again, it can be used."""
        self.assertEqual("\n".join(self.faults(surfer, what)), "")
        surfer.browser.look(WIDE)

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
        self.look_at(self.surfer("root"), looked_at(Role.OPERATOR))

    def test_owner(self) -> None:
        """Every page that the owner of a domain sees by its main login, and an operator does not, or another way."""
        self.look_at(self.surfer("examplecom"), looked_at(Role.OWNER))

    def test_user(self) -> None:
        """Every page that somebody with a mailbox sees another way than an owner."""
        self.look_at(self.surfer(ANN), looked_at(Role.USER))

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

    def test_previews(self) -> None:
        """What forms show before anything is done, or once it is: previews, what became of a file, a password that was made."""
        surfer = self.surfer("examplecom")
        surfer.open(f"/domains/{DOMAIN}/autoresponders/{LONG}")
        surfer.fill("set-text", "Back on Monday.")
        surfer.press(surfer.button("preview"))
        self.looks_well(surfer, "autoresponder preview")
        surfer.open(f"/domains/{DOMAIN}/welcome")
        surfer.press(surfer.button("preview"))
        self.looks_well(surfer, "letter preview")
        surfer.open(f"/domains/{DOMAIN}/accounts")
        surfer.sends("add", name="made-here", make="yes")
        self.looks_well(surfer, "new password")

    def test_a_file_of_accounts(self) -> None:
        """A file is tried, with what is wrong in it; then its accounts are made, and can sign in."""
        surfer = self.surfer("examplecom")
        surfer.open(f"/domains/{DOMAIN}/accounts/import")
        surfer.sends("try", file=str(self.file(f"carl@{DOMAIN},{PASSWORD}\n{LONG},\ndora@{OTHER},{PASSWORD}\n")))
        self.assertIn("nothing has been written", surfer.text)
        self.looks_well(surfer, "a file that was tried")
        surfer.press(surfer.button("do"))
        self.assertIn("1 created, 0 updated, 1 unchanged", surfer.text)
        self.looks_well(surfer, "a file that was taken")
        self.assertTrue(logs_in(self.here, f"carl@{DOMAIN}")["imap"])

    def file(self, rows: str) -> Path:
        """A CSV file."""
        path = self.here.folder / "people.csv"
        path.write_text("address,password\n" + rows)
        return path

    def test_second_factor_and_token(self) -> None:
        """What is shown only once: the secret as a picture, recovery codes, the token of a program; and the second step of signing in."""
        surfer = self.surfer("agency")
        surfer.open("/second-factor")
        surfer.sends("begin", current=PASSWORD)
        self.looks_well(surfer, "picture to scan")
        secret = str(surfer.one("#secret").text)
        surfer.sends("confirm", code=self.code(secret))
        self.looks_well(surfer, "recovery codes")
        recovery = str(surfer.one("#codes").text).split()[0]
        surfer.open("/tokens")
        surfer.sends("add", name="script", current=PASSWORD, scope="all")
        self.looks_well(surfer, "a token")
        self.assertEqual(self.known_as(str(surfer.one("#token").text)), "agency (script)")
        surfer.press(surfer.one('form[action="/logout"] button'))
        surfer.sign_in("agency", PASSWORD)
        self.looks_well(surfer, "second step")
        surfer.fill("code", recovery)
        surfer.press(surfer.one("main form button"))
        self.assertIn("Domains", surfer.text)

    def code(self, secret: str) -> str:
        """What an app would show."""
        octets = b32decode(secret + "=" * (-len(secret) % 8))
        return totp.code_of(octets, int(time.time() // totp.STEP_SECONDS))

    def known_as(self, token: str) -> str:
        """Whose a token is, says the API."""
        line = http.client.HTTPSConnection("127.0.0.1", self.here.ports["panel"], timeout=SECONDS, context=trusting())
        line.request("GET", "/api/v1/own", headers={"authorization": f"Bearer {token}"})
        told = json.loads(line.getresponse().read())
        line.close()
        return str(told["login"])

    def test_errors(self) -> None:
        """What is said in place of a page, to who is signed in."""
        surfer = self.surfer("examplecom")
        surfer.open("/queue")
        surfer.browser.complaints()
        self.looks_well(surfer, "not there")
        surfer.open(f"/domains/{DOMAIN}/settings")
        surfer.browser.run("for (const one of document.querySelectorAll('[name=csrf]')) one.value = 'x'")
        surfer.press(surfer.button("change"))
        self.assertIn("That form was not taken", surfer.text)
        surfer.browser.complaints()
        self.looks_well(surfer, "distrusted")

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
