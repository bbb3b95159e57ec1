"""What is cached about a message."""

from __future__ import annotations

from datetime import date

import msgspec
from twisted.trial.unittest import SynchronousTestCase

from hostmail.message.bodystructure import build_structures
from hostmail.message.envelope import NIL_ENVELOPE, build_envelope
from hostmail.message.scan import scan
from hostmail.message.summary import summarise, summarise_scanned
from tests import corpus
from tests.message import imapgrammar

HELLO = b"Message-ID: <1@x>\r\nSubject: hello\r\n\r\nHello\r\n"


class SummaryTests(SynchronousTestCase):
    def test_agrees_with_the_builders(self) -> None:
        """The cached answers are those made afresh."""
        for data in corpus.odd_messages().values():
            root, made = scan(data), summarise(data)
            self.assertEqual(made.envelope, build_envelope(data, root))
            self.assertEqual(made.bodystructure, build_structures(data, root).extended)
            self.assertEqual(made.body, build_structures(data, root).basic)
            self.assertEqual((made.size, made.header_size), (len(data), root.body_start))
            self.assertEqual(made.faults, ())

    def test_date(self) -> None:
        """The moment, and the day as written; None where missing."""
        made = summarise(corpus.PLAIN)
        self.assertEqual((made.sent_date, made.sent_day), (1699999998, date(2023, 11, 14).toordinal()))
        none = summarise(b"\r\nx")
        self.assertEqual((none.sent_date, none.sent_day), (None, None))

    def test_references(self) -> None:
        """Of References all ids, the newest of very many; else the one of In-Reply-To; else none."""
        both = b"In-Reply-To: <9@x>\r\nReferences: <1@x>\r\n (and) <2@x>,<3@x\r\n\r\n"
        self.assertEqual(summarise(both).references, b"<1@x> <2@x>")
        self.assertEqual(summarise(b"In-Reply-To: your mail <9@x> of <8@x>\r\n\r\n").references, b"<9@x>")
        self.assertEqual(summarise(b"References: none\r\n\r\n").references, b"")
        many = b" ".join(b"<%d@x>" % number for number in range(1000))
        self.assertEqual(
            summarise(b"References: " + many + b"\r\n\r\n").references, many[-len(b"<900@x> ") * 100 + 1 :]
        )

    def test_digest(self) -> None:
        """The same for the same octets, another for another header or length."""
        made = {summarise(data).digest for data in (HELLO, HELLO, HELLO + b"x", HELLO.replace(b"1", b"2", 1))}
        self.assertEqual(len(made), 3)

    def test_builder_errors_cost_no_message(self) -> None:
        """A fault in a builder leaves valid blanks and is named for the log (TWISTED I4)."""
        root = scan(corpus.PLAIN)
        broken = msgspec.structs.replace(root, fields=(*root.fields[:-1], None))
        with_date = msgspec.structs.replace(broken, fields=(root.fields[4], root.fields[-1], None))
        made = summarise_scanned(corpus.PLAIN, with_date)
        self.assertEqual(made.envelope, NIL_ENVELOPE)
        self.assertEqual(
            [fault.partition(":")[0] for fault in made.faults],
            ["bodystructure", "envelope", "references", "fields", "head"],
        )
        self.assertEqual(imapgrammar.check_structure(imapgrammar.parse(made.bodystructure), True), [((1,), root.size)])
        imapgrammar.check_structure(imapgrammar.parse(made.body), False)
