"""What the DNS needs, and what it says."""

from __future__ import annotations

from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from tests.web.facts import MINE
from tests.web.fakes import Browser, Site

PAGE = f"/domains/{MINE}/dns"


class DnsTests(SynchronousTestCase):
    def setUp(self) -> None:
        folder = Path(self.mktemp())
        folder.mkdir()
        self.site = Site(folder)
        self.site.admin.dns_found = "mail goes to <b>elsewhere</b>"
        self.browser = Browser(self.site)
        self.browser.sign_in("owen")

    def test_records(self) -> None:
        """The records are there at once, as text for the zone with a button to copy it; the DNS is not asked before somebody wants it."""
        text = self.browser.get(PAGE).text
        self.assertIn(f"{MINE}. IN MX 10 mail.example.net.", text)
        self.assertIn('data-copy="zone"', text)
        self.assertNotIn("dns.check", [verb for verb, _ in self.site.admin.calls])

    def test_check(self) -> None:
        """A check shows what was found beside what is wanted, as text, and the exact change."""
        text = self.browser.get(f"{PAGE}?check=1").text
        for words in ("is not pointed here yet", "1 record should be changed", "5 &lt;i&gt;mx&lt;/i&gt;.far.test."):
            self.assertIn(words, text)
        self.assertIn("mail goes to &lt;b&gt;elsewhere&lt;/b&gt;", text)
        self.assertIn("replace it", text)
        [row] = self.browser.get(f"{PAGE}?check=1&format=json").body.decode().splitlines()
        self.assertIn('"state":"wrong"', row)
        self.assertIn('href="?check=1&amp;format=csv&amp;q="', text)

    def test_all_is_well(self) -> None:
        """A domain whose records are right says so, and has nothing to change."""
        self.site.admin.dns_found = ""
        text = self.browser.get(f"{PAGE}?check=1").text
        self.assertIn("comes to this server", text)
        self.assertIn("Every record that matters is right", text)
        self.assertNotIn("What to change", text)

    def test_overview(self) -> None:
        """A domain that is not pointed here says so on its overview, with the way to mend it; one that is, says nothing."""
        text = self.browser.get(f"/domains/{MINE}").text
        self.assertIn(f"{MINE} is not pointed here yet", text)
        self.assertIn(f'href="{PAGE}?check=1"', text)
        self.site.admin.dns_found = ""
        self.assertNotIn("See what to change", self.browser.get(f"/domains/{MINE}").text)
