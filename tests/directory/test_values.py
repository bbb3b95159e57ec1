"""hostmail.directory.values: names that are made rather than given."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from hostmail.directory.values import directory_name, make_main_login


class DirectoryNameTests(SynchronousTestCase):
    def test_readable(self) -> None:
        """An ordinary name stays readable, so that an operator finds the folder."""
        self.assertEqual(directory_name("Ann-Lee", "mark"), "ann-lee.mark")

    def test_hostile(self) -> None:
        """Nothing in an address can leave its folder or hide in it."""
        self.assertEqual(directory_name("../../etc", "m"), "%2e.%2f..%2fetc.m")
        self.assertEqual(directory_name(".", "m"), "%2e.m")

    def test_unique(self) -> None:
        """The same name twice is two folders (D13)."""
        self.assertNotEqual(directory_name("ann"), directory_name("ann"))

    @given(st.text(min_size=1, max_size=64))
    def test_any_name_is_safe(self, local: str) -> None:
        """Whatever the local part, the folder's name is plain ASCII, short, and no dot file."""
        name = directory_name(local[:64].encode(errors="ignore")[:64].decode(errors="ignore"))
        self.assertTrue(re.fullmatch(r"[a-z0-9_%-]?[a-z0-9._%-]*", name), name)
        self.assertLessEqual(len(name), 255)


class MainLoginTests(SynchronousTestCase):
    def test_letters_and_digits(self) -> None:
        """Only letters and digits of the first label are taken, 8 at most."""
        self.assertEqual(make_main_login("my-home-page.net", lambda login: False), "myhomepa")
        self.assertEqual(make_main_login("4u.example", lambda login: False), "4u")

    def test_taken(self) -> None:
        """A number replaces the end until the login is free."""
        taken = {"homepage", *(f"homepag{n}" for n in range(2, 10))}
        self.assertEqual(make_main_login("homepages.net", taken.__contains__), "homepa10")

    def test_without_letters(self) -> None:
        """A label without any usable letter still gets a login."""
        self.assertEqual(make_main_login("xn--fsqu00a.example", lambda login: False), "xnfsqu00")
        self.assertEqual(make_main_login("--.example", lambda login: False), "domain")
