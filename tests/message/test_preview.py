"""Previews, and the words of HTML."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from hostmail.message.htmltext import html_text
from hostmail.message.preview import CHARACTERS, preview
from hostmail.message.scan import scan
from tests import corpus


def preview_of(message: bytes) -> str:
    """For a whole message."""
    return preview(message, scan(message))


class HtmlTextTests(SynchronousTestCase):
    """What people see of HTML."""

    def test_words(self) -> None:
        """Inline tags join, blocks part; entities are characters."""
        text = html_text("<p>Gr&uuml;&szlig;e, <b>An</b>na</p><div>next<br>line &lt;3</div>")
        self.assertEqual(text.split("\n"), ["", "Grüße, Anna", "", "next", "line <3", ""])

    def test_unseen(self) -> None:
        """Comments, scripts, styles and the title are no words."""
        text = html_text(
            "<!doctype html><title>T</title><style>p > a {}</style>a<!-- no > no --><SCRIPT>if (a<b) no</script >b"
        )
        self.assertEqual(text.replace("\n", ""), "ab")

    def test_broken(self) -> None:
        """Brackets that begin nothing are text; what never ends takes the rest."""
        self.assertEqual(html_text("1 < 2 <3 a<b"), "1 < 2 <3 a")
        self.assertEqual(html_text("a<!-- b"), "a")
        self.assertEqual(html_text("a<style>b").strip(), "a")

    def test_much(self) -> None:
        """Each piece a hundred thousand times over: what is not linear would not end."""
        for piece in ("<", "<!--", "<script>", "</", "<a", "<style></styl", "&amp", "<p>"):
            self.assertLessEqual(len(html_text(piece * 100_000)), len(piece) * 100_000)

    @given(st.text(alphabet="<>!-/&; aAscriptyle", max_size=80))
    def test_anything(self, markup: str) -> None:
        """Whatever it is, text comes out."""
        html_text(markup)


class PreviewTests(SynchronousTestCase):
    """RFC 8970."""

    def test_plain(self) -> None:
        """The first words, in one line, at most 200 characters."""
        self.assertEqual(
            preview_of(b"Subject: s\r\n\r\nHello  Ann,\r\n\r\nhow\tare you?\r\n"), "Hello Ann, how are you?"
        )
        self.assertEqual(preview_of(b"\r\n" + b"word " * 100), ("word " * 40).rstrip())
        self.assertLessEqual(len(preview_of(b"\r\n" + b"x" * 1000)), CHARACTERS)

    def test_quotes(self) -> None:
        """The answer, not what it answers; unless there is no more to it."""
        self.assertEqual(preview_of(b"\r\n> you wrote\r\n>> they wrote\r\nI agree.\r\n"), "I agree.")
        self.assertEqual(preview_of(b"\r\n> only this\r\n"), "> only this")

    def test_encoded(self) -> None:
        """Transfer encodings and character sets are undone."""
        head = b"Content-Type: text/plain; charset=iso-8859-1\r\nContent-Transfer-Encoding: quoted-printable\r\n"
        message = head + b"\r\nGr=FC=DFe=\r\n an alle\r\n"
        self.assertEqual(preview_of(message), "Grüße an alle")

    def test_html(self) -> None:
        """Words of HTML where there is no plain text, without the padding that newsletters hide."""
        message = "Content-Type: text/html; charset=utf-8\r\n\r\n<style>x</style><p>Sale!\u200c&nbsp;\u034f now</p>\r\n"
        self.assertEqual(preview_of(message.encode()), "Sale! now")

    def test_alternatives(self) -> None:
        """Plain text is taken before HTML, attachments not at all, nothing where there are no words."""
        head = b"Content-Type: multipart/mixed; boundary=b\r\n\r\n"
        attached = b"--b\r\nContent-Disposition: attachment\r\n\r\nattached\r\n"
        html = b"--b\r\nContent-Type: text/html\r\n\r\n<p>html\r\n"
        plain = b"--b\r\n\r\nplain\r\n"
        self.assertEqual(preview_of(head + attached + html + plain + b"--b--\r\n"), "plain")
        self.assertEqual(preview_of(head + attached + html + b"--b--\r\n"), "html")
        self.assertEqual(preview_of(head + attached + b"--b--\r\n"), "")

    def test_odd_messages(self) -> None:
        """Whatever the message, a short line."""
        for data in corpus.odd_messages().values():
            text = preview_of(data)
            self.assertLessEqual(len(text), CHARACTERS)
            self.assertEqual(text.split(), text.split(" ") if text else [])
