"""The letter that a new mailbox begins with."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as some
from twisted.trial.unittest import SynchronousTestCase

from hostmail.clientsetup.welcome import (
    DEFAULT,
    MAX_PLACEHOLDERS,
    MAX_SUBJECT,
    MAX_TEXT,
    PLACEHOLDERS,
    Template,
    checked,
    letter,
    read_template,
)
from hostmail.errors import BadValue
from tests.clientsetup.values import ANN, setup

WITH_WEB = setup(web="https://w.test")


class TemplateTests(SynchronousTestCase):
    def refused(self, subject: str = "Hello", text: str = "Hello") -> str:
        return self.assertRaises(BadValue, checked, subject, text).public

    def test_read(self) -> None:
        """Subject, an empty line, the text; whatever editor wrote it."""
        wanted = Template("Hello {login}", "Dear,\n\nyours\n")
        self.assertEqual(read_template("Subject: Hello {login}\n\nDear,\n\nyours\n"), wanted)
        self.assertEqual(read_template("\ufeffSUBJECT:Hello {login} \r\n\r\nDear,\r\n\r\nyours\r\n"), wanted)
        self.assertEqual(read_template(wanted.written()), wanted)

    def test_unknown_placeholders(self) -> None:
        """They are found when the letter is written, not when it is sent."""
        self.assertEqual(self.refused(text="at {pannel}"), "{pannel} is no placeholder; did you mean {panel}?")
        self.assertEqual(self.refused("{Login}"), "{Login} is no placeholder; did you mean {login}?")
        self.assertIn("there are {address}, {login}", self.refused(text="{x}"))

    def test_other_braces(self) -> None:
        """They mean themselves: nothing in a letter is ever executed."""
        text = "a { b } {} {{0}} {1} {login.__class__} {login!r} {% if %} {{ 7*7 }}"
        self.assertEqual(letter(checked("x", text), setup(), ANN).text, text + "\n")

    def test_limits(self) -> None:
        """A subject is one line, a letter has a text, and neither is endless."""
        for subject in ("", " ", "a\nb", "a\x07", "x" * (MAX_SUBJECT + 1)):
            self.assertIn("a subject is one line", self.refused(subject))
        for text in ("", " \n", "a\0", "é" * (MAX_TEXT // 2 + 1)):
            self.assertIn("needs a text", self.refused(text=text))
        for written in ("", "Hello", "Subject Hello\n\ntext", "Subject: a\nFrom: b\n\ntext"):
            self.assertRaises(BadValue, read_template, written)

    def test_not_endless(self) -> None:
        """Nobody makes a letter of many megabytes out of a short template: so many guides are the most."""
        self.assertIn("placeholders", self.refused(text="{guides}" * (MAX_PLACEHOLDERS + 1)))
        self.assertIn("placeholders", self.refused("{login}", "{guides}" * MAX_PLACEHOLDERS))
        most = letter(checked("x", "{guides}" * MAX_PLACEHOLDERS), WITH_WEB, ANN)
        self.assertLess(len(most.text), 1 << 20)

    @given(some.text(max_size=300))
    def test_anything(self, written: str) -> None:
        """Whatever somebody writes, it is a letter or is refused."""
        try:
            letter(read_template(written), setup(), ANN)
        except BadValue:
            pass


class LetterTests(SynchronousTestCase):
    def test_every_placeholder(self) -> None:
        """Each is replaced, once: what comes in is not looked at again."""
        for name in PLACEHOLDERS:
            found = letter(checked("x", f"<{{{name}}}>"), WITH_WEB, ANN).text
            self.assertNotIn(f"{{{name}}}", found)
            self.assertGreater(len(found), 3, name)
        odd = letter(checked("{login}", "{login}"), setup(login_domain="{guides}"), ANN)
        self.assertEqual((odd.subject, odd.text), ("Ann@{guides}", "Ann@{guides}\n"))

    def test_without_a_panel(self) -> None:
        """A paragraph whose placeholder has no value goes, and with it what leads to it."""
        template = checked("x", "one\n\nSee:\n\n    {panel}\n\ntwo\n\nmore at {profile}\nif you like\n\nthree")
        self.assertEqual(letter(template, setup(), ANN).text, "one\n\ntwo\n\nthree\n")
        self.assertIn("    https://w.test", letter(template, WITH_WEB, ANN).text)

    def test_own(self) -> None:
        """hostmail's own: what programs want to know, the panel, the steps; in lines that fit."""
        found = letter(DEFAULT, WITH_WEB, ANN)
        self.assertEqual(found.subject, "Your mailbox Ann@one.test")
        for words in (
            "mail.one.test, port 993, SSL/TLS",
            "    https://w.test\n",
            "Thunderbird\n-----",
            "spelled exactly",
        ):
            self.assertIn(words, found.text)
        self.assertEqual([line for line in found.text.splitlines() if len(line) > 78 and "https:" not in line], [])
        self.assertNotIn("control panel", letter(DEFAULT, setup(), ANN).text)
