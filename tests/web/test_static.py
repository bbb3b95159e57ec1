"""Stylesheet, script and icon, and the plain port that leads to the panel."""

from __future__ import annotations

import re
from pathlib import Path

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from hostmail.monitoring.sessions import Sessions
from hostmail.web.redirecting import make_redirecting
from tests.web.fakes import Browser, Site, Transport, replies


class StaticTests(SynchronousTestCase):
    def setUp(self) -> None:
        folder = Path(self.mktemp())
        folder.mkdir()
        self.browser = Browser(Site(folder))
        self.paths = re.findall(r'(?:href|src)="(/static/[^"]+)"', self.browser.get("/login").text)

    def test_kept_for_ever(self) -> None:
        """Each file has a hash of its content in its name, so that browsers never ask again."""
        kinds = ["text/css; charset=utf-8", "image/svg+xml", "text/javascript; charset=utf-8"]
        for path, kind in zip(self.paths, kinds, strict=True):
            reply = self.browser.get(path)
            self.assertEqual((reply.status, reply.headers["content-type"]), (200, kind))
            self.assertIn("immutable", reply.headers["cache-control"])
            self.assertEqual(self.browser.get(path, if_none_match=reply.headers["etag"]).status, 304)
            self.assertEqual(self.browser.get(path, if_none_match='"other"').status, 200)

    def test_nothing_from_elsewhere(self) -> None:
        """The stylesheet loads nothing: no fonts and no pictures of others."""
        text = self.browser.get(self.paths[0]).text
        self.assertNotIn("url(", text)
        self.assertNotIn("@import", text)


class RedirectingTests(SynchronousTestCase):
    def get(self, path: str, panel_url: str, method: str = "GET") -> tuple[int, str]:
        clock = Clock()
        site = make_redirecting(panel_url=panel_url, routes=(), connections=Sessions(now=clock.seconds), reactor=clock)
        protocol, transport = site.buildProtocol(None), Transport()
        protocol.makeConnection(transport)
        protocol.dataReceived(f"{method} {path} HTTP/1.1\r\nhost: evil.example\r\n\r\n".encode())
        [reply] = replies(transport.value())
        return reply.status, reply.headers.get("location", "")

    def test_leads_to_the_panel(self) -> None:
        """Whatever is asked for in plain HTTP, people are led to the panel's own name."""
        for path in ("/", "/login", "/domains/a.test", "//evil.example"):
            self.assertEqual(self.get(path, "https://panel.example.net"), (302, "https://panel.example.net/"))

    def test_takes_no_forms(self) -> None:
        """Nobody's password is taken here."""
        self.assertEqual(self.get("/login", "https://panel.example.net", "POST"), (405, ""))

    def test_without_a_panel(self) -> None:
        """Where there is no panel there is nothing."""
        self.assertEqual(self.get("/", ""), (404, ""))
