"""Autodiscover."""

from __future__ import annotations

import json
from xml.etree import ElementTree

from hypothesis import given
from hypothesis import strategies as some
from twisted.trial.unittest import SynchronousTestCase

from hostmail.clientsetup import outlook
from hostmail.clientsetup.outlook import ANSWERS, OUTLOOK, read_question
from hostmail.errors import BadValue
from tests.clientsetup.values import ANN, setup

ASKS = "http://schemas.microsoft.com/exchange/autodiscover/outlook/requestschema/2006"
SYNC = "http://schemas.microsoft.com/exchange/autodiscover/mobilesync/responseschema/2006"


def question(address: str = "Ann@one.test", schema: str = OUTLOOK) -> bytes:
    """As Outlook writes it."""
    return (
        f'<?xml version="1.0" encoding="utf-8"?><Autodiscover xmlns="{ASKS}"><Request><EMailAddress>{address}</EMailAddress>'
        f"<AcceptableResponseSchema>{schema}</AcceptableResponseSchema></Request></Autodiscover>"
    ).encode()


class QuestionTests(SynchronousTestCase):
    def test_read(self) -> None:
        """The address, and whether it wants what we know."""
        self.assertEqual(str(read_question(question()).address), "Ann@one.test")
        self.assertTrue(read_question(question()).understood)
        self.assertFalse(read_question(question(schema=SYNC)).understood)

    def test_no_document_types(self) -> None:
        """Neither inner entities (billion laughs) nor outer ones (files of ours) mean anything."""
        for inner in ('<!ENTITY a "Ann@one.test">', '<!ENTITY a SYSTEM "file:///etc/passwd">', "<!ELEMENT x ANY>"):
            hostile = question("&a;").replace(b"?>", f"?><!DOCTYPE Autodiscover [{inner}]>".encode(), 1)
            self.assertRaises(BadValue, read_question, hostile)
        self.assertRaises(
            BadValue, read_question, question().replace(b"?>", b'?><!DOCTYPE x SYSTEM "http://x.test/">', 1)
        )

    def test_limits(self) -> None:
        """What is long or deep is no question."""
        self.assertRaises(BadValue, read_question, question() + b" " * outlook.MAX_QUESTION)
        self.assertRaises(BadValue, read_question, b"<a>" * 1000)

    def test_nonsense(self) -> None:
        """Neither are other things."""
        for body in (b"", b"{}", b"<a/>", question("nobody"), question("<b/>"), question().replace(b"utf-8", b"x-odd")):
            self.assertRaises(BadValue, read_question, body)

    @given(some.binary(max_size=200))
    def test_any_octets(self, body: bytes) -> None:
        """Whatever comes, it is read or refused."""
        try:
            read_question(body)
        except BadValue:
            pass


class AnswerTests(SynchronousTestCase):
    def test_the_best_of_each_kind(self) -> None:
        """IMAP, POP3 and SMTP in this order; Outlook takes the first."""
        root = ElementTree.fromstring(outlook.settings(setup(), ANN))
        self.assertEqual(root.tag, f"{{{ANSWERS}}}Autodiscover")
        space = {"o": OUTLOOK}
        found = root.findall("o:Response/o:Account/o:Protocol", space)
        told = [
            tuple(each.findtext(f"o:{name}", "", space) for name in ("Type", "Port", "Encryption")) for each in found
        ]
        self.assertEqual(told, [("IMAP", "993", "SSL"), ("POP3", "995", "SSL"), ("SMTP", "465", "SSL")])
        self.assertEqual({each.findtext("o:LoginName", "", space) for each in found}, {"Ann@one.test"})
        self.assertEqual(root.findtext("o:Response/o:Account/o:Action", "", space), "settings")

    def test_starttls(self) -> None:
        """Where there is nothing better."""
        self.assertIn(b"<Encryption>TLS</Encryption>", outlook.settings(setup({"imap": 143, "submission": 587}), ANN))

    def test_trouble(self) -> None:
        """In the words of the schema."""
        root = ElementTree.fromstring(outlook.trouble(outlook.NOT_AVAILABLE, 3600.0))
        error = root.find("*/{*}Error")
        assert error is not None
        self.assertEqual((error.get("Time"), error.findtext("{*}ErrorCode")), ("01:00:00", "601"))

    def test_version_2(self) -> None:
        """It says where version 1 is, and nothing about other protocols."""
        url = "https://w.test/autodiscover/autodiscover.xml"
        self.assertEqual(json.loads(outlook.where(url)), {"Protocol": "AutodiscoverV1", "Url": url})
        self.assertEqual(json.loads(outlook.invalid_protocol())["ErrorCode"], "InvalidProtocol")
