"""The page behind the links in lists' mail (RFC 8058): no login, no cookie, and only a POST does something."""

from __future__ import annotations

from hostmail.errors import TemporaryFailure
from hostmail.listnames import unsubscribe_path
from tests.web.fakeoneclick import TEAM, TOKEN
from tests.web.fakes import PanelCase, Reply

LINK = unsubscribe_path(TEAM.parsed, TOKEN)
ONE_CLICK = b"List-Unsubscribe=One-Click"


class UnsubscribingTests(PanelCase):
    login = ""

    def post(self, body: bytes = ONE_CLICK, link: str = LINK, **headers: str) -> Reply:
        return self.browser.send("POST", link, body, **headers)

    def test_program(self) -> None:
        """A mail program's POST, from anywhere, is all it takes; it is not sent elsewhere, and gets no cookie (RFC 8058 3.1, 3.2)."""
        for headers in ({}, {"origin": "https://webmail.example", "sec_fetch_site": "cross-site"}, {"origin": "null"}):
            reply = self.post(**headers)
            self.assertEqual((reply.status, reply.cookies), (200, []))
        self.assertEqual(self.site.one_click.left, ["198.51.100.3"] * 3)

    def test_multipart(self) -> None:
        """The other form that RFC 8058 allows."""
        body = b'--b\r\nContent-Disposition: form-data; name="List-Unsubscribe"\r\n\r\nOne-Click\r\n--b--\r\n'
        self.assertEqual(self.post(body, content_type="multipart/form-data; boundary=b").status, 200)
        self.assertEqual(len(self.site.one_click.left), 1)

    def test_person(self) -> None:
        """Following the link shows a button, and so does a POST of something else; nobody has left by that."""
        for reply in (self.browser.get(LINK), self.post(b"x=y"), self.post(b"List-Unsubscribe=no")):
            self.assertEqual(reply.status, 200)
            self.assertIn("team@example.test", reply.text)
            self.assertIn('name="List-Unsubscribe" value="One-Click"', reply.text)
        self.assertEqual(self.site.one_click.left, [])
        self.assertIn("You have left", self.post().text)

    def test_no_link_of_ours(self) -> None:
        """Whatever else stands there is no page."""
        for link in (LINK[:-1], LINK + "x", LINK + "/x", "/unsubscribe/a@b", "/unsubscribe/x/y"):
            for reply in (self.browser.get(link), self.post(link=link)):
                self.assertEqual(reply.status, 404, link)

    def test_trouble(self) -> None:
        """A fault of ours is one for now: the program may try again."""
        self.site.one_click.trouble = TemporaryFailure(private="the database is locked")
        reply = self.post()
        self.assertEqual(reply.status, 503)
        self.assertNotIn("locked", reply.text)

    def test_other_hosts(self) -> None:
        """Only under a name of ours."""
        self.assertEqual(self.post(host="elsewhere.example").status, 421)
        self.assertEqual(self.site.one_click.left, [])
