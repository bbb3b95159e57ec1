"""Who may see what: made from the table of pages, so that no page can be forgotten (F1)."""

from __future__ import annotations

import re

from hostmail.actor import Role
from hostmail.web.panel.page import Page, Subject
from hostmail.web.panel.routes import PAGES
from tests.web.facts import HOST, MINE, PEOPLE, THEIRS
from tests.web.fakes import Browser, PanelCase, Site

SIGNED_IN = {Role.OPERATOR: "root", Role.OWNER: "owen", Role.USER: f"Ann@{MINE}"}


def path_of(page: Page, domain: str = MINE, address: str = "") -> str:
    """A page's path for a domain and an address in it."""
    filled = page.path.replace("<domain>", domain).replace("<path:address>", address or f"Ann@{domain}")
    return filled.replace("<address>", address or f"Ann@{domain}")


def is_about_domain(page: Page) -> bool:
    """Whether the page is about one domain, or an address in it."""
    return page.subject in (Subject.DOMAIN, Subject.ACCOUNT)


class AccessTests(PanelCase):
    login = ""

    def test_nobody_sees_a_page_without_signing_in(self) -> None:
        """Every page leads to the login, and asks nobody anything before."""
        for page in PAGES:
            reply = self.browser.get(path_of(page))
            self.assertEqual(reply.status, 303, page.name)
            self.assertTrue(reply.headers["location"].startswith("/login"), page.name)
        self.assertEqual(self.site.admin.calls, [])

    def test_data_is_not_given_without_signing_in(self) -> None:
        """A program that asks for CSV or JSON is told 401, and nothing else."""
        for page in PAGES:
            for kind in ("csv", "json"):
                self.assertEqual(self.browser.get(f"{path_of(page)}?format={kind}").status, 401, page.name)
        self.assertEqual(self.site.admin.calls, [])

    def test_no_form_works_without_signing_in(self) -> None:
        """A form that is sent without a session changes nothing."""
        for page in PAGES:
            for action in page.actions:
                self.assertEqual(self.browser.post(path_of(page), action=action, csrf="x").status, 303, page.name)
        self.assertEqual(self.site.admin.calls, [])

    def test_a_page_for_others_is_not_there(self) -> None:
        """Who is of another role gets 404 for each page, and for each of its forms."""
        for role, login in SIGNED_IN.items():
            browser = Browser(self.site)
            browser.sign_in(login)
            token = token_of(self.site, browser)
            for page in PAGES:
                if role in page.who:
                    continue
                self.assertEqual(browser.get(path_of(page)).status, 404, f"{page.name} for {role}")
                for action in page.actions:
                    reply = browser.post(path_of(page), action=action, csrf=token)
                    self.assertEqual(reply.status, 404, f"{page.name} {action} for {role}")
        self.assertEqual(self.site.admin.calls, [])

    def test_an_owner_reaches_no_other_domain(self) -> None:
        """By whatever address, another owner's domain is not there, and no handler of the page runs."""
        self.browser.sign_in("owen")
        token = token_of(self.site, self.browser)
        for page in filter(is_about_domain, PAGES):
            for path in (path_of(page, THEIRS), path_of(page, THEIRS.upper()), path_of(page, "nowhere.example")):
                self.assertEqual(self.browser.get(path).status, 404, path)
                self.assertEqual(self.browser.get(f"{path}?format=json").status, 404, path)
                for action in page.actions:
                    self.assertEqual(self.browser.post(path, action=action, csrf=token).status, 404, path)
        self.assertEqual({verb for verb, _ in self.site.admin.calls}, {"domain.show"})

    def test_an_address_of_another_domain_is_not_below_this_one(self) -> None:
        """An owner cannot name somebody else's address below a domain of his."""
        self.browser.sign_in("owen")
        for page in PAGES:
            if "address>" in page.path and is_about_domain(page):
                self.assertEqual(self.browser.get(path_of(page, MINE, f"Ann@{THEIRS}")).status, 404, page.name)

    def test_not_yours_looks_like_not_there(self) -> None:
        """Nobody learns from the answer whether a domain is hosted here."""
        self.browser.sign_in("owen")
        theirs, nowhere = (self.browser.get(f"/domains/{name}") for name in (THEIRS, "nowhere.example"))
        self.assertEqual((theirs.status, theirs.body), (nowhere.status, nowhere.body))

    def test_forms_need_their_token(self) -> None:
        """Without the session's token, or with another session's, each form of each page is refused and nothing is asked."""
        other = Browser(self.site)
        other.sign_in("root")
        foreign = token_of(self.site, other)
        for role, login in SIGNED_IN.items():
            browser = Browser(self.site)
            browser.sign_in(login)
            for page in PAGES:
                for action in page.actions:
                    for csrf in ("", "x", foreign):
                        reply = browser.post(path_of(page), action=action, csrf=csrf)
                        self.assertEqual(reply.status, 403, f"{page.name} {action} for {role}")
        self.assertEqual(self.site.admin.calls, [])

    def test_forms_come_from_our_own_pages(self) -> None:
        """A form from another site, or from another site of the same name, is refused even with the right token."""
        self.browser.sign_in("root")
        token = token_of(self.site, self.browser)
        wrong = (
            {"origin": "https://evil.example"},
            {"origin": f"http://{HOST}"},
            {"origin": f"https://{HOST}:8443"},
            {"origin": "null"},
            {"origin": "", "sec_fetch_site": "cross-site"},
            {"origin": "", "sec_fetch_site": "same-site"},
        )
        for page in PAGES:
            for action in page.actions:
                for headers in wrong:
                    reply = self.browser.post(path_of(page), headers, action=action, csrf=token)
                    self.assertEqual(reply.status, 403, f"{page.name} {action} {headers}")
        self.assertEqual(self.site.admin.calls, [])

    def test_a_form_that_is_none_of_a_page_is_refused(self) -> None:
        """An action that the page does not have is answered with 400, and a page without forms takes no POST."""
        self.browser.sign_in("root")
        token = token_of(self.site, self.browser)
        for page in PAGES:
            if Role.OPERATOR in page.who:
                reply = self.browser.post(path_of(page), action="nonsense", csrf=token)
                self.assertEqual(reply.status, 400 if page.actions else 405, page.name)

    def test_every_page_works_for_those_it_is_for(self) -> None:
        """Each role sees each of its pages, in the frame, with nothing from elsewhere and no script or style in it."""
        for login in PEOPLE:
            browser = Browser(self.site)
            browser.sign_in(login)
            for page in PAGES:
                if PEOPLE[login].role not in page.who or (
                    page.subject is Subject.MAILBOX and login in ("owen", "root")
                ):
                    continue
                reply = browser.get(path_of(page))
                if reply.status == 303:
                    continue
                self.assertEqual(reply.status, 200, f"{page.name} for {login}: {reply.text[:400]}")
                self.assertIn('<main id="content"', reply.text)
                for forbidden in ("<style", " style=", "onclick", "javascript:", "http://", "https://", "|safe"):
                    self.assertNotIn(forbidden, reply.text, page.name)

    def test_every_page_is_private(self) -> None:
        """No cache keeps a page, no other site frames it or reads it."""
        self.browser.sign_in("root")
        for page in PAGES:
            headers = self.browser.get(path_of(page)).headers
            self.assertEqual(headers["cache-control"], "no-store", page.name)
            self.assertIn("default-src 'none'", headers["content-security-policy"])
            self.assertEqual(headers["x-content-type-options"], "nosniff")
            self.assertIn("max-age", headers["strict-transport-security"])

    def test_looking_changes_nothing(self) -> None:
        """GET of any page asks only verbs that look."""
        for login in PEOPLE:
            browser = Browser(self.site)
            browser.sign_in(login)
            for page in PAGES:
                browser.get(path_of(page))
        verbs = {verb for verb, _ in self.site.admin.calls}
        changing = {"add", "set", "passwd", "remove", "delete", "grant", "revoke", "kick", "retry", "hold", "release"}
        self.assertEqual([verb for verb in verbs if verb.rpartition(".")[2] in changing], [])

    def test_what_was_typed_is_shown_as_text(self) -> None:
        """Markup in any field of any form comes back as text (stored and reflected scripting)."""
        self.browser.sign_in("root")
        evil = "\"><script>alert(1)</script><img src=x onerror=alert(1)>'"
        for page in PAGES:
            if Role.OPERATOR not in page.who:
                continue
            fields = set(re.findall(r'name="(\w+)"', self.browser.get(path_of(page)).text)) - {"csrf", "action"}
            for action in page.actions:
                reply = self.browser.fill(path_of(page), action, **dict.fromkeys(fields, evil))
                self.assertNotIn("<script>alert", reply.text, f"{page.name} {action}")
                self.assertNotIn("<img src=x", reply.text, f"{page.name} {action}")
            self.assertNotIn("<script>alert", self.browser.get(f"{path_of(page)}?q={evil.replace(' ', '+')}").text)


def token_of(site: Site, browser: Browser) -> str:
    """The token that this browser's forms have, without loading one."""
    from hostmail.web.sessions import csrf_token

    return csrf_token(browser.cookies["__Host-session"])
