"""Nobody who is signed in keeps the server busy for himself."""

from __future__ import annotations

from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from hostmail.errors import BadValue, Overloaded, TemporaryFailure, TooMany
from hostmail.web.panel.errors import status_of
from tests.web.fakes import Browser, Site


class RateTests(SynchronousTestCase):
    def setUp(self) -> None:
        folder = Path(self.mktemp())
        folder.mkdir()
        self.site = Site(folder, per_minute=3)
        self.browser = Browser(self.site)
        self.browser.sign_in("owen")

    def test_so_many_pages(self) -> None:
        """Who asks for too many pages reads how long he has to wait; nothing is done for him meanwhile, whatever he sends."""
        for _ in range(3):
            self.assertEqual(self.browser.get("/tokens").status, 200)
        asked = len(self.site.admin.calls)
        for reply in (self.browser.get("/tokens"), self.browser.post("/tokens", action="revoke", id="1")):
            self.assertEqual((reply.status, reply.headers["retry-after"]), (429, "20"))
            self.assertIn("in 20 seconds", reply.text)
        self.assertEqual(len(self.site.admin.calls), asked)
        self.site.clock.advance(20)
        self.assertEqual(self.browser.get("/tokens").status, 200)

    def test_by_whoever_it_is(self) -> None:
        """Another browser of his own has no more of them, another person has his."""
        for _ in range(3):
            self.browser.get("/tokens")
        again, other = Browser(self.site), Browser(self.site)
        again.sign_in("owen")
        self.assertEqual(again.get("/tokens").status, 429)
        other.sign_in("root")
        self.assertEqual(other.get("/tokens").status, 200)

    def test_too_many_connections(self) -> None:
        """What mail programs hear as 421 is no wrong name here; what is for now and for good keeps its meaning."""
        self.assertEqual(status_of(TooMany("too many connections for this account", code=421)), 429)
        self.assertEqual([status_of(Overloaded()), status_of(TemporaryFailure())], [429, 503])
        self.assertEqual([status_of(BadValue("x")), status_of(TooMany("x", code=422))], [422, 422])
