"""One's own sign-ins to the panel, and the second factor."""

from __future__ import annotations

from hostmail.web.panel.pages.browsers import known_as
from tests.web.facts import CODE, PASSWORD
from tests.web.fakes import Browser, PanelCase

FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
IPHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.0 Safari/604.1"


class OwnTests(PanelCase):
    # ---------------------------------------------------------------------------------------------------- browsers

    def test_where_he_is_signed_in(self) -> None:
        """Somebody sees his own browsers, which one is this, and nobody else's."""
        Browser(self.site, "203.0.113.5").sign_in("owen")
        Browser(self.site, "203.0.113.6").sign_in("root")
        text = self.browser.get("/browsers").text
        self.assertIn("203.0.113.5", text)
        self.assertNotIn("203.0.113.6", text)
        self.assertEqual((text.count("this one"), text.count(">Sign out <span")), (1, 1))
        self.assertNotIn("id", self.browser.get("/browsers?format=csv").text.splitlines()[0].split(","))

    def test_logins(self) -> None:
        """Everybody who manages something sees who tried to be him; an operator sees it of all of them."""
        row = {"last": 1.7e9, "first": 1.7e9, "count": 3, "protocol": "panel", "ip": "203.0.113.9", "login": "owen"}
        row |= {"tls": True, "accepted": False, "reason": "<b>wrong", "advice": ""}
        self.site.admin.logins = [row]
        text = self.browser.get("/logins").text
        self.assertIn("203.0.113.9", text)
        self.assertIn("&lt;b&gt;wrong", text)
        root = Browser(self.site)
        root.sign_in("root")
        self.assertIn("203.0.113.9", root.get("/logins/of?login=owen").text)
        self.assertIn(("person.logins", {"login": "owen"}), self.site.admin.calls)
        self.assertEqual(root.get("/logins/of").status, 303)

    def test_new_recovery_codes(self) -> None:
        """They are shown to who has a code, this once; the second factor stays as it is."""
        self.site.admin.factor = {"recovery_codes": 1}
        self.assertEqual(self.browser.fill("/second-factor", "codes", code="000000").status, 403)
        self.assertIn("five-six", self.browser.fill("/second-factor", "codes", code=CODE).text)
        self.assertNotIn("five-six", self.browser.get("/second-factor").text)

    def test_ends_one(self) -> None:
        """One of the others is ended, and that browser has to sign in again."""
        other = Browser(self.site)
        other.sign_in("owen")
        self.browser.fill("/browsers", "end", session="2")
        self.assertEqual(other.get("/browsers").status, 303)
        self.assertEqual(self.browser.fill("/browsers", "end", session="2").status, 404)
        self.assertEqual(self.browser.get("/browsers").status, 200)

    def test_ends_the_others(self) -> None:
        """All but this one are ended; somebody else's are not touched by number."""
        mine, theirs = Browser(self.site), Browser(self.site)
        mine.sign_in("owen")
        theirs.sign_in("root")
        for number in ("1", "3", "x", ""):
            self.assertIn(self.browser.fill("/browsers", "end", session=number).status, (404, 422))
        self.browser.fill("/browsers", "end_others")
        self.assertEqual((mine.get("/browsers").status, theirs.get("/browsers").status), (303, 200))
        self.assertIn("1 browser.", self.browser.get("/browsers").text)

    def test_names(self) -> None:
        """Browsers have the names that people know."""
        self.assertEqual([known_as(FIREFOX), known_as(IPHONE)], ["Firefox on Linux", "Safari on iPhone"])
        self.assertEqual([known_as("curl/8"), known_as("")], ["curl/8", "unknown"])

    # ----------------------------------------------------------------------------------------------- second factor

    def test_sets_it_up(self) -> None:
        """The app's code is shown as a picture; a code of it switches the factor on, and shows recovery codes once."""
        self.assertIn("password alone", self.browser.get("/second-factor").text)
        self.assertNotIn("ABCD", self.browser.fill("/second-factor", "begin", current="wrong").text)
        begun = self.browser.fill("/second-factor", "begin", current=PASSWORD)
        self.assertIn('src="data:image/svg+xml', begun.text)
        self.assertIn("ABCD", begun.text)
        fields = {"uri": "otpauth://totp/panel:owen?secret=ABCD", "secret": "ABCD"}
        wrong = self.browser.fill("/second-factor", "confirm", code="000000", **fields)
        self.assertIn("That code is not accepted", wrong.text)
        self.assertIn('src="data:image/svg+xml', wrong.text)
        done = self.browser.fill("/second-factor", "confirm", code=CODE, **fields)
        self.assertIn("three-four", done.text)
        again = self.browser.get("/second-factor").text
        self.assertNotIn("three-four", again)
        self.assertIn("10 recovery codes", again)

    def test_he_stays(self) -> None:
        """Who switches it on or off stays signed in here, though his sign-ins elsewhere end."""
        other = Browser(self.site)
        other.sign_in("owen")
        token = self.browser.csrf("/second-factor")

        async def change() -> None:
            self.site.sign_in.stamps["owen"] = "another"

        self.site.admin.before = change
        self.browser.post("/second-factor", csrf=token, action="confirm", code=CODE)
        self.assertEqual(self.browser.get("/second-factor").status, 200)
        self.assertEqual(other.get("/second-factor").status, 303)

    def test_removes_it(self) -> None:
        """It goes with a code, and with nothing less."""
        self.site.admin.factor = {"recovery_codes": 9}
        self.assertEqual(self.browser.fill("/second-factor", "remove", code="").status, 422)
        self.assertEqual(self.browser.fill("/second-factor", "remove", code="000000").status, 403)
        self.assertEqual(self.browser.fill("/second-factor", "remove", code=CODE).status, 303)
        self.assertIn("has been removed", self.browser.get("/second-factor").text)

    def test_only_codes_of_ours_are_drawn(self) -> None:
        """A form with some other address in it makes no picture of that."""
        wrong = self.browser.fill("/second-factor", "confirm", code="1", uri="https://evil.example/", secret="x")
        self.assertNotIn("data:image", wrong.text)
        self.assertNotIn("evil", wrong.text)
