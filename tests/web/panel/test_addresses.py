"""Forwards and aliases, and the default address."""

from __future__ import annotations

from typing import Any

from tests.web.facts import MINE
from tests.web.fakes import PanelCase

ADDRESSES, DEFAULT = f"/domains/{MINE}/addresses", f"/domains/{MINE}/default"
ANN = f"{ADDRESSES}/Ann@{MINE}"


class AddressTests(PanelCase):
    def asked(self, verb: str) -> dict[str, Any]:
        """What the verb was asked for last."""
        return [arguments for name, arguments in self.admin.calls if name == verb][-1]

    # --------------------------------------------------------------------------------------------- forwards and aliases

    def test_list(self) -> None:
        """Each address is shown with where its mail goes, and leads to its own page."""
        text = self.browser.get(ADDRESSES).text
        self.assertIn(f'href="{ANN}"', text)
        self.assertIn(f"far@{MINE}", text)

    def test_add(self) -> None:
        """One is added with the part before the @, one target in each line; it is in the list afterwards."""
        reply = self.browser.fill(ADDRESSES, "add", name="sales", targets=f"info@{MINE}\r\n carl@far.test \r\n")
        self.assertEqual((reply.status, reply.headers["location"]), (303, ADDRESSES))
        self.assertEqual(
            self.asked("address.set"),
            {"address": f"sales@{MINE}", "targets": [f"info@{MINE}", "carl@far.test"], "keep_copy": False},
        )
        self.assertIn(f"sales@{MINE}", self.browser.get(ADDRESSES).text)

    def test_add_what_is_there(self) -> None:
        """An address that leads somewhere already is not overwritten by the form for new ones."""
        reply = self.browser.fill(ADDRESSES, "add", name="Ann", targets="carl@far.test")
        self.assertIn("leads somewhere already", reply.text)
        self.assertIn("carl@far.test</textarea>", reply.text)
        self.assertEqual(self.admin.addresses[f"Ann@{MINE}"]["forwards"], [f"far@{MINE}"])

    def test_refused(self) -> None:
        """What is refused is said, with what was typed; a form without targets, or for another domain, asks nothing."""
        for fields, words in (
            ({"name": "a", "targets": "refused@example.net"}, "round in a loop"),
            ({"name": "a", "targets": " "}, "where the mail shall go"),
            ({"name": "a@other.example", "targets": "x@far.test"}, "Only the part before the @"),
        ):
            self.assertIn(words, self.browser.fill(ADDRESSES, "add", **fields).text)
        self.assertEqual(self.asked("address.set")["targets"], ["refused@example.net"])

    def test_one(self) -> None:
        """Its page shows what happens to a message, and changes or ends it."""
        text = self.browser.get(ANN).text
        self.assertIn("is sent on &lt;b&gt;elsewhere&lt;/b&gt;", text)
        self.browser.fill(ANN, "change", targets="carl@far.test", keep_copy="yes")
        row = self.admin.addresses[f"Ann@{MINE}"]
        self.assertEqual((row["forwards"], row["keep_copy"]), (["carl@far.test"], True))
        self.assertIn("delete the address below", self.browser.fill(ANN, "change", targets="").text)
        reply = self.browser.fill(ANN, "remove")
        self.assertEqual(reply.headers["location"], ADDRESSES)
        self.assertNotIn(f"Ann@{MINE}", self.admin.addresses)
        self.assertEqual(self.browser.get(ANN).headers["location"], ADDRESSES)

    # ---------------------------------------------------------------------------------------------------- default address

    def test_choices(self) -> None:
        """What happens to mail for unknown names is one of four (E2)."""
        for choice, chosen in (("refuse", "refuse"), ("default", "default"), ("discard", "discard")):
            self.assertEqual(self.browser.fill(DEFAULT, "choose", choice=choice).status, 303)
            self.assertEqual(self.admin.catch_all[MINE], chosen)
            self.assertIn(f'value="{choice}" checked', self.browser.get(DEFAULT).text)
        self.browser.fill(DEFAULT, "choose", choice="address", target="carl@far.test")
        self.assertEqual(self.admin.catch_all[MINE], "carl@far.test")
        self.assertIn('value="carl@far.test"', self.browser.get(DEFAULT).text)
        for fields in ({"choice": "address", "target": ""}, {"choice": "other"}, {}):
            self.assertEqual(self.browser.fill(DEFAULT, "choose", **fields).status, 422)
        self.assertEqual(self.admin.catch_all[MINE], "carl@far.test")

    def test_names(self) -> None:
        """The names that got mail are shown as what strangers made them up to be, escaped."""
        text = self.browser.get(DEFAULT).text
        self.assertIn(f"webmaster@{MINE}", text)
        self.assertIn("&lt;i&gt;odd&lt;/i&gt;", text)
        self.assertNotIn("<i>odd", text)

    def test_one_name(self) -> None:
        """One name is refused, treated as before again, or given to somebody."""
        page = f"{DEFAULT}/webmaster@{MINE}"
        self.browser.fill(page, "block")
        self.assertEqual(self.admin.blocked, {f"webmaster@{MINE}"})
        self.browser.fill(page, "unblock")
        self.assertEqual(self.admin.blocked, set())
        self.assertEqual(self.browser.fill(page, "alias", targets=" ").status, 422)
        self.browser.fill(page, "alias", targets=f"info@{MINE}")
        self.assertEqual(self.asked("address.set"), {"address": f"webmaster@{MINE}", "targets": [f"info@{MINE}"]})
        self.assertEqual(self.browser.get(f"{DEFAULT}/nobody@{MINE}").headers["location"], DEFAULT)
