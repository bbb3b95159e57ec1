"""What is cached about a message."""

from __future__ import annotations

from datetime import date

import msgspec
from twisted.trial.unittest import SynchronousTestCase

from hostmail.message.bodystructure import build_body, build_bodystructure
from hostmail.message.envelope import NIL_ENVELOPE, build_envelope
from hostmail.message.scan import scan
from hostmail.message.summary import SearchTexts, summarise, summarise_scanned
from tests import corpus
from tests.message import imapgrammar


class SummaryTests(SynchronousTestCase):
    def test_agrees_with_the_builders(self) -> None:
        """The cached answers are those made afresh."""
        for data in corpus.odd_messages().values():
            root, made = scan(data), summarise(data)
            self.assertEqual(made.envelope, build_envelope(data, root))
            self.assertEqual(made.bodystructure, build_bodystructure(data, root))
            self.assertEqual(made.body, build_body(data, root))
            self.assertEqual((made.size, made.header_size), (len(data), root.body_start))
            self.assertEqual(made.lines, data.count(b"\n"))
            self.assertEqual(made.faults, ())

    def test_date_and_id(self) -> None:
        """The moment, the day as written, and the Message-ID; None where missing."""
        made = summarise(corpus.PLAIN)
        self.assertEqual((made.sent_date, made.sent_day), (1699999998, date(2023, 11, 14).toordinal()))
        self.assertEqual(made.message_id, b"<1@example.org>")
        none = summarise(b"\r\nx")
        self.assertEqual((none.sent_date, none.sent_day, none.message_id), (None, None, None))

    def test_search_texts(self) -> None:
        """Decoded and folded, repeated fields a line each."""
        data = b"Subject: =?utf-8?Q?GR=C3=9CSSE?=\r\nFrom: A <A@B>\r\nTo: C@D\r\nTo: E@F\r\n\r\n"
        self.assertEqual(
            summarise(data).search, SearchTexts(sender="a <a@b>", to="c@d\ne@f", cc="", bcc="", subject="grüsse")
        )

    def test_builder_errors_cost_no_message(self) -> None:
        """A fault in a builder leaves valid blanks and is named for the log (TWISTED I4)."""
        root = scan(corpus.PLAIN)
        broken = msgspec.structs.replace(root, fields=(*root.fields[:-1], None))
        with_date = msgspec.structs.replace(broken, fields=(root.fields[4], root.fields[-1], None))
        made = summarise_scanned(corpus.PLAIN, with_date)
        self.assertEqual(made.envelope, NIL_ENVELOPE)
        self.assertEqual(made.search, SearchTexts())
        self.assertEqual([fault.partition(":")[0] for fault in made.faults], ["bodystructure", "envelope", "search"])
        self.assertEqual(imapgrammar.check_structure(imapgrammar.parse(made.bodystructure), True), [((1,), root.size)])
        imapgrammar.check_structure(imapgrammar.parse(made.body), False)
