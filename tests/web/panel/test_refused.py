"""What a form that was refused looks like, and what is said in place of a page."""

from __future__ import annotations

from hostmail.errors import AlreadyExists, BadValue, TemporaryFailure
from tests.web.facts import MINE, PASSWORD
from tests.web.fakes import Browser, PanelCase

HOME = f"/domains/{MINE}"
ACCOUNTS, ANN = f"{HOME}/accounts", f"{HOME}/accounts/Ann@{MINE}"


class RefusedTests(PanelCase):
    def refused(self, page: str, action: str, fault: Exception, **fields: str) -> str:
        """The page after a form whose verb was refused."""
        token = self.browser.csrf(page)

        async def refuse() -> None:
            if self.admin.calls[-1][0].endswith((".add", ".set", ".passwd")):
                raise fault

        self.admin.before = refuse
        return self.browser.post(page, csrf=token, action=action, **fields).text

    def test_beside_its_field(self) -> None:
        """A verb's refusal stands beside the field it is about, under whatever name the form knows it; what was typed stays."""
        text = self.refused(ACCOUNTS, "add", AlreadyExists("taken").about("address"), name="bob", make="yes")
        self.assertIn('<p id="add-name-wrong" class="wrong-words">Taken</p>', text)
        self.assertIn('aria-invalid="true" aria-describedby="add-name-wrong add-name-hint"', text)
        self.assertIn('<a href="#add-name">Taken</a>', text)
        self.assertIn('value="bob"', text)

    def test_passwords_are_not_kept(self) -> None:
        """A password that is too weak is said so beside its field, which is empty again."""
        fields = {"make": "no", "password": PASSWORD, "password_again": PASSWORD}
        text = self.refused(ANN, "password", BadValue("too weak").about("password"), **fields)
        self.assertIn('id="password-password-wrong"', text)
        self.assertNotIn(PASSWORD, text)

    def test_about_no_field(self) -> None:
        """What is about something that the form has no field for stands over the page alone."""
        for argument in ("", "quota_messages_of_all"):
            fault = BadValue("not so").about(argument)
            text = self.refused(ANN, "suspensions", fault, login="yes")
            self.assertIn("Nothing was changed: Not so", text)
            self.assertNotIn("-wrong", text)

    def test_the_other_button(self) -> None:
        """A second button of a form belongs to it: a refused preview keeps what was typed, and says where it is wrong."""
        page = f"{HOME}/autoresponders/Ann@{MINE}"
        fields = {"subject": "Away", "text": "Back soon.", "every": "7", "until": "tomorrow"}
        text = self.browser.fill(page, "preview", **fields).text
        self.assertIn('<p id="set-until-wrong"', text)
        self.assertIn("Back soon.</textarea>", text)

    def test_odd_names(self) -> None:
        """A name that cannot stand before an @ is said so at once."""
        text = self.browser.fill(ACCOUNTS, "add", name="a b").text
        self.assertIn('id="add-name-wrong"', text)
        self.assertIn("before the @ is not valid", text)

    def test_status_line(self) -> None:
        """Each status goes out with its name, those that twisted.web has none for, too."""
        token = self.browser.csrf(ACCOUNTS)
        reply = self.browser.post(ACCOUNTS, csrf=token, action="add", name="")
        self.assertEqual((reply.status, reply.reason.partition(" ")[0]), (422, "Unprocessable"))


class ErrorTests(PanelCase):
    def framed(self, path: str) -> int:
        """The status of an error page, which has the frame of who is signed in and can be left again."""
        reply = self.browser.get(path)
        self.assertIn("Signed in as owner", reply.text)
        self.assertIn('href="/browsers"', reply.text)
        self.assertEqual(reply.text.count("<h1>"), 1)
        return reply.status

    def test_in_the_frame(self) -> None:
        """Whoever is signed in keeps his way back: of pages that are not there, not his, or out of order."""
        self.assertEqual(self.framed("/no/such/page"), 404)
        self.assertEqual(self.framed("/queue"), 404)
        self.assertEqual(self.framed("/domains/theirs.example"), 404)
        self.site.admin.fault = TemporaryFailure(private="locked")
        self.assertEqual(self.framed(ACCOUNTS), 503)
        self.site.admin.fault = ZeroDivisionError("inner")
        self.assertEqual(self.framed(ACCOUNTS), 500)
        self.flushLoggedErrors(ZeroDivisionError)

    def test_without(self) -> None:
        """A stranger sees none of it."""
        reply = Browser(self.site).get("/no/such/page")
        self.assertEqual((reply.status, reply.text.count("<h1>")), (404, 1))
        self.assertNotIn("Signed in", reply.text)

    def test_nobody_can_be_told(self) -> None:
        """If it cannot be told who is signed in there is a page all the same."""

        async def locked(*_: object) -> None:
            raise TemporaryFailure(private="locked")

        self.site.sign_in.actor = locked  # type: ignore[method-assign, assignment]
        for path in (ACCOUNTS, "/no/such/page"):
            reply = self.browser.get(path)
            self.assertEqual((reply.status, "Signed in" in reply.text), (503, False))

    def test_a_distrusted_form(self) -> None:
        """A form without its token is refused in the frame, too."""
        reply = self.browser.post(ACCOUNTS, csrf="x", action="add", name="bob")
        self.assertEqual((reply.status, "Signed in as owner" in reply.text), (403, True))
