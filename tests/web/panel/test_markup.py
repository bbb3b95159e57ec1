"""Whatever stands in mail, names or the DNS is text on every page: tried with each text of each answer, over the table of pages (F1)."""

from __future__ import annotations

from collections.abc import Mapping
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from hostmail.actor import Actor
from hostmail.web.panel.routes import PAGES
from tests.web.facts import PEOPLE
from tests.web.fakes import Browser, Site
from tests.web.panel.test_access import path_of

MARKUP = "\"'><script>alert(1)</script><img src=x onerror=alert(1)><a href=javascript:alert(1)>&lt;b&gt;"
SCRIPT = "javascript:alert(1)"
CHOSEN = frozenset(
    ("name", "domain", "address", "state", "post", "role", "catch_all", "outcome", "what", "key", "message", "zone")
)
"""Words of ours that pages look up, what paths are made of (`test_access` has paths with markup), and what is no text."""


def poisoned(value: Any, text: str, name: str = "") -> Any:
    """An answer with this text in place of, or behind, each of its texts."""
    if isinstance(value, Mapping):
        return {key: poisoned(one, text, key) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [poisoned(one, text, name) for one in value]
    if not isinstance(value, str) or name in CHOSEN:
        return value
    return text if text == SCRIPT else f"{value}{text}"


class Found(HTMLParser):
    """What a browser makes of a page: its elements, and what could be run."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.scripts: list[str] = []
        self.wrong: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag == "script":
            self.scripts.append(given.get("src") or "")
        for name, value in attrs:
            if name.startswith("on") or name == "style" or name == "srcdoc":
                self.wrong.append(f"{tag} {name}={value}")
            if name in ("href", "src", "action") and (value or "").strip().lower().startswith("javascript:"):
                self.wrong.append(f"{tag} {name}={value}")
        if tag in ("img", "a") and given.get("src") == "x":
            self.wrong.append(tag)


class MarkupTests(SynchronousTestCase):
    def pages(self, text: str) -> int:
        """Look at every page as everybody whom it is for; on how many the text was."""
        folder = Path(self.mktemp())
        folder.mkdir()
        site = Site(folder)
        answer = site.admin.call

        async def call(verb: str, arguments: Mapping[str, Any], actor: Actor) -> Any:
            return poisoned(await answer(verb, arguments, actor), text)

        site.admin.call = call  # type: ignore[method-assign]
        seen = 0
        for login, actor in PEOPLE.items():
            browser = Browser(site)
            browser.sign_in(login)
            for page in PAGES:
                if actor.role not in page.who:
                    continue
                for query in ("", "?check=1", "?about=x", "?login=owen", "?id=Q7", "?program=generic"):
                    reply = browser.get(path_of(page) + query)
                    if reply.status != 200:
                        self.assertIn(reply.status, (303, 404), f"{page.name}{query} for {login}: {reply.text[:300]}")
                        continue
                    found = Found(reply.text)
                    self.assertEqual(found.wrong, [], f"{page.name}{query} for {login}")
                    self.assertTrue(
                        all(one.startswith("/static/copy.") for one in found.scripts), f"{page.name} {found.scripts}"
                    )
                    seen += "alert(1)" in reply.text
        return seen

    def test_markup(self) -> None:
        """Markup in an answer is shown as it is written."""
        self.assertGreater(self.pages(MARKUP), len(PAGES))

    def test_links(self) -> None:
        """No text from outside becomes a link that runs something."""
        self.assertGreater(self.pages(SCRIPT), len(PAGES))
