"""The header of a post as members get it, whatever strangers write."""

from __future__ import annotations

from email import message_from_bytes, policy
from email.utils import parseaddr

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from hostmail.address import Address
from hostmail.delivery.lists.fields import cleaned, from_list, list_fields, mailto
from hostmail.delivery.lists.judging import authors
from hostmail.interfaces.lists import MailingList
from hostmail.message.headers import count_fields, field_value, header_end

TEAM = MailingList(1, "team@example.com", "example.com", (Address("ann", "example.com"),))
ONE_LINE = st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\r\n"), max_size=200)


class FromTests(SynchronousTestCase):
    @given(ONE_LINE)
    def test_any_author(self, name: str) -> None:
        """The list is the only author then, and the message's own fields stay one header."""
        header = f"Subject: x\r\nFrom: {name} <bea@far.example>\r\nTo: t\r\n\r\n".encode()
        written = from_list(header, TEAM)
        self.assertEqual((count_fields(written, b"from"), count_fields(written, b"subject")), (1, 1))
        self.assertEqual(authors(written), [TEAM.parsed])
        self.assertEqual(header_end(written), len(written))
        self.assertLess(max(map(len, written.split(b"\r\n"))), 998)

    def test_nobody(self) -> None:
        """Even without an author there is a From."""
        self.assertEqual(authors(from_list(b"From: \r\n\r\n", TEAM)), [TEAM.parsed])

    def test_encoded_name(self) -> None:
        """A name in encoded words is read and written again."""
        written = from_list(b"From: =?utf-8?q?J=C3=B6rg?= <j@far.example>\r\n\r\n", TEAM)
        message = message_from_bytes(written, policy=policy.default)
        self.assertEqual(parseaddr(str(message["From"])), ("Jörg via team", "team@example.com"))


class FieldTests(SynchronousTestCase):
    @given(st.text(st.characters(categories=("L", "N", "P", "S", "Zs"), exclude_characters="<>"), max_size=200))
    def test_any_description(self, description: str) -> None:
        """List-Id ends in the list's own name, and is one field."""
        found = MailingList(1, TEAM.address, TEAM.domain, TEAM.owners, description)
        fields = list_fields(found) + b"\r\n"
        self.assertTrue((field_value(fields, b"list-id") or b"").endswith(b"<team.example.com>"))
        self.assertEqual(header_end(fields), len(fields))
        self.assertEqual(count_fields(fields, b"list-post"), 1)

    def test_description_that_means_something(self) -> None:
        """It is a phrase, quoted where it has to be (RFC 2919 2)."""
        for description, written in (
            ("Our team", b"Our team <team.example.com>"),
            ('Anna, Bob (and) "Carl"', b'"Anna, Bob (and) \\"Carl\\"" <team.example.com>'),
            ("", b"<team.example.com>"),
        ):
            found = MailingList(1, TEAM.address, TEAM.domain, TEAM.owners, description)
            self.assertEqual((field_value(list_fields(found), b"list-id") or b"").strip(), written)

    def test_odd_name(self) -> None:
        """In a URI what means something else there is written as its number (RFC 6068)."""
        self.assertEqual(mailto(Address("a&b%c", "example.com")), "<mailto:a%26b%25c@example.com>")

    def test_nothing_to_clean(self) -> None:
        """Then the octets are the same."""
        header = b"From: a@b\r\nX-List-Id: x\r\n\r\n"
        self.assertEqual(cleaned(header), header)
