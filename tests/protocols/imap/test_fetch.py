"""FETCH."""

from __future__ import annotations

import re

from twisted.internet.defer import Deferred
from twisted.mail import imap4

from hostmail.errors import TemporaryFailure
from tests.protocols.imap.talk import ANN, HELLO, Broken, Gate, ImapCase, Talk

MULTIPART = (
    b"From: a@example.net\r\nReceived: one\r\nSubject: parts\r\nReceived: two\r\nMIME-Version: 1.0\r\n"
    b"Content-Type: multipart/mixed; boundary=x\r\n\r\npreamble\r\n"
    b"--x\r\nContent-Type: text/plain\r\n\r\nfirst\r\n"
    b"--x\r\nContent-Type: message/rfc822\r\n\r\nSubject: inner\r\n\r\ninside\r\n"
    b"--x--\r\n"
)


def literal(lines: bytes, label: bytes) -> bytes:
    """The octets of the literal that follows a label."""
    found = re.search(re.escape(label) + rb" \{(\d+)\}\r\n", lines)
    assert found is not None, lines
    return lines[found.end() : found.end() + int(found.group(1))]


class Rows(ImapCase):
    """What the index answers."""

    def test_columns(self) -> None:
        """Flags, UID, date and size of a range, a row each."""
        self.put(HELLO, HELLO, date=760654345)
        talk = self.ann(b"INBOX")
        self.assertEqual(
            talk.asks(b"FETCH 2,1 (FLAGS UID INTERNALDATE RFC822.SIZE)"),
            [
                b'* %d FETCH (FLAGS (\\Recent) UID %d INTERNALDATE " 7-Feb-1994 20:52:25 +0000" RFC822.SIZE 161)'
                % (n, n)
                for n in (1, 2)
            ]
            + [b". OK FETCH completed"],
        )

    def test_uid_fetch_always_tells_the_uid(self) -> None:
        """Also when it is not asked for; UIDs that do not exist are passed over (RFC 3501 section 6.4.8)."""
        self.put(HELLO, HELLO)
        talk = self.ann(b"INBOX")
        talk.last(b"STORE 1 +FLAGS.SILENT (\\Deleted)")
        talk.last(b"EXPUNGE")
        self.assertEqual(
            talk.asks(b"UID FETCH 1:* (FLAGS)"), [b"* 1 FETCH (UID 2 FLAGS (\\Recent))", b". OK FETCH completed"]
        )
        self.assertEqual(talk.asks(b"UID FETCH 1,99 FLAGS"), [b". OK FETCH completed"])
        self.assertEqual(len(talk.asks(b"UID FETCH 99:* FLAGS")), 2)

    def test_numbers_that_do_not_exist_are_bad(self) -> None:
        """RFC 9051 section 6.4.5; `*` in an empty folder is forgiven."""
        talk = self.ann(b"INBOX")
        self.assertEqual(talk.asks(b"FETCH 1:* FLAGS"), [b". OK FETCH completed"])
        self.assertEqual(talk.asks(b"UID FETCH 1:* FLAGS"), [b". OK FETCH completed"])
        self.assertTrue(talk.last(b"FETCH 1 FLAGS").startswith(b". BAD "))
        self.put(HELLO)
        talk.last(b"NOOP")
        self.assertTrue(talk.last(b"FETCH 1:2 FLAGS").startswith(b". BAD "))
        self.assertEqual(len(talk.asks(b"FETCH 1:* FLAGS")), 2)

    def test_envelope_and_structures(self) -> None:
        """Ready-made answers come out as they are (RFC 3501 section 7.4.2)."""
        self.put(MULTIPART)
        line = self.ann(b"INBOX").asks(b"FETCH 1 (ENVELOPE BODY BODYSTRUCTURE)")[0]
        self.assertIn(b'ENVELOPE (NIL "parts" ((NIL NIL "a" "example.net"))', line)
        self.assertIn(b'BODY (("text" "plain"', line)
        self.assertIn(b"BODYSTRUCTURE ((", line)

    def test_i04_odd_messages_do_not_end_the_session(self) -> None:
        """Raw 8-bit headers, torn content types, empty charsets: answered, and on we go (I4, I21)."""
        odd = [
            b"Subject: gr\xfc\xdf\r\nFrom: no at sign, group: a@b, c;\r\n\r\n\xff",
            b"Content-Type: text/plain;\r\n\r\nx",
            b"Content-Type: text/plain; charset=\r\nContent-Disposition: ;;\r\n\r\nx",
            b'Content-Type: multipart/mixed; boundary="a;b"\r\n\r\n--a;b\r\n\r\nx\r\n--a;b--',
            b"",
            b"\r\n",
            b"\0\0\0",
            b"no header at all",
        ]
        self.put(*odd)
        talk = self.ann(b"INBOX")
        lines = talk.asks(b"FETCH 1:* (ENVELOPE BODYSTRUCTURE BODY[1] BODY[2] BODY[1.2.3] BODY[HEADER] BODY[1.MIME])")
        self.assertEqual(lines[-1], b". OK FETCH completed")
        self.assertEqual(len([line for line in lines if b" FETCH (ENVELOPE (" in line]), len(odd))
        self.assertEqual(talk.last(b"NOOP"), b". OK NOOP completed")

    def test_i21_envelopes_have_ten_fields_and_addresses_four(self) -> None:
        """Addresses without @, groups and absent senders keep the form of RFC 3501 section 7.4.2 (I21)."""
        self.put(b"From: nobody\r\nTo: Friends: a@b.c, d@e.f;\r\n\r\nx")
        row = self.ann(b"INBOX").asks(b"FETCH 1 ENVELOPE")[0].removeprefix(b"* 1 FETCH ")
        ((_, envelope),) = imap4.parseNestedParens(row)
        self.assertEqual(len(envelope), 10)
        for addresses in filter(None, envelope[2:8]):
            self.assertEqual({len(address) for address in addresses}, {4})
        self.assertEqual([address[2] for address in envelope[5]], [b"Friends", b"a", b"d", None])

    def test_i20_many_rows_wait_for_a_slow_reader(self) -> None:
        """Rows go out in batches; when the client does not read, no more are made (I20)."""
        self.put(*[HELLO] * 5000)
        talk = self.ann(b"INBOX")
        talk.server.pauseProducing()
        talk.server.resumeProducing()
        sent: list[int] = []
        write = talk.wire.write

        def one_at_a_time(data: bytes) -> None:
            sent.append(len(data))
            write(data)
            talk.server.pauseProducing()

        talk.wire.write = one_at_a_time  # type: ignore[method-assign]
        talk.sends(b"A FETCH 1:* (UID FLAGS RFC822.SIZE INTERNALDATE)\r\n")
        self.assertEqual(len(sent), 1)
        self.assertGreater(sent[0], 64 * 1024)
        while talk.server.congested:
            talk.server.resumeProducing()
        self.assertGreater(len(sent), 2)
        self.assertLess(max(sent), 512 * 1024)

    def test_a_client_that_leaves_half_way(self) -> None:
        """Nothing more is made for it, and nothing is logged as an error."""
        self.put(*[HELLO] * 3000)
        talk = self.ann(b"INBOX")
        talk.server.pauseProducing()
        talk.server.resumeProducing()
        write = talk.wire.write
        talk.wire.write = lambda data: (write(data), talk.server.pauseProducing())  # type: ignore[method-assign,assignment]
        talk.sends(b"A FETCH 1:* (UID FLAGS ENVELOPE)\r\n")
        talk.hangs_up()
        self.assertNotIn(b"A OK", talk.wire.said())


class Bodies(ImapCase):
    """Sections of messages."""

    def fetched(self, message: bytes, items: bytes) -> bytes:
        """Everything heard for one message."""
        self.put(message)
        return b"\r\n".join(self.ann(b"INBOX").asks(b"FETCH 1 " + items))

    def test_the_message_comes_back_octet_by_octet(self) -> None:
        """BODY[] and RFC822 are what was stored, also when it is large and comes in blocks."""
        large = HELLO + b"0123456789abcdef\r\n" * 30_000
        heard = self.fetched(large, b"(UID BODY.PEEK[])")
        self.assertEqual(literal(heard, b"UID 1 BODY[]"), large)
        self.assertTrue(heard.endswith(b")\r\n. OK FETCH completed"))
        self.assertEqual(literal(b"\r\n".join(self.ann(b"INBOX").asks(b"FETCH 1 RFC822")), b"RFC822"), large)

    def test_i05_headers_come_as_they_are(self) -> None:
        """Order, case and repetition are kept, and the blank line is there (I5)."""
        heard = self.fetched(MULTIPART, b"(BODY[HEADER] RFC822.HEADER BODY[HEADER.FIELDS (received SUBJECT)])")
        header = MULTIPART[: MULTIPART.index(b"\r\n\r\n") + 4]
        self.assertEqual(literal(heard, b"BODY[HEADER]"), header)
        self.assertEqual(literal(heard, b"RFC822.HEADER"), header)
        self.assertEqual(
            literal(heard, b"BODY[HEADER.FIELDS (received SUBJECT)]"),
            b"Received: one\r\nSubject: parts\r\nReceived: two\r\n\r\n",
        )

    def test_parts_by_number(self) -> None:
        """Parts, their MIME headers, messages within messages; NIL for what is not there."""
        items = b"(BODY[1] BODY[1.MIME] BODY[2] BODY[2.HEADER] BODY[2.TEXT] BODY[2.1] BODY[3] BODY[TEXT] RFC822.TEXT)"
        heard = self.fetched(MULTIPART, items)
        self.assertEqual(literal(heard, b"BODY[1]"), b"first")
        self.assertEqual(literal(heard, b"BODY[1.MIME]"), b"Content-Type: text/plain\r\n\r\n")
        self.assertEqual(literal(heard, b"BODY[2]"), b"Subject: inner\r\n\r\ninside")
        self.assertEqual(literal(heard, b"BODY[2.HEADER]"), b"Subject: inner\r\n\r\n")
        self.assertEqual(literal(heard, b"BODY[2.TEXT]"), b"inside")
        self.assertEqual(literal(heard, b"BODY[2.1]"), b"inside")
        self.assertIn(b" BODY[3] NIL ", heard)
        self.assertTrue(literal(heard, b"BODY[TEXT]").startswith(b"preamble\r\n"))
        self.assertEqual(literal(heard, b"RFC822.TEXT"), literal(heard, b"BODY[TEXT]"))

    def test_i06_octet_ranges(self) -> None:
        """<0.4> gives four octets, beyond the end fewer, behind it none (I6)."""
        heard = self.fetched(HELLO, b"(BODY[]<0.4> BODY[TEXT]<6.3> BODY[TEXT]<20.99> BODY[]<9999.5> BODY[9]<0.1>)")
        self.assertEqual(literal(heard, b"BODY[]<0>"), HELLO[:4])
        self.assertEqual(literal(heard, b"BODY[TEXT]<6>"), b"Ann")
        self.assertEqual(literal(heard, b"BODY[TEXT]<20>"), b"you?\r\n")
        self.assertEqual(literal(heard, b"BODY[]<9999>"), b"")
        self.assertIn(b" BODY[9]<0> NIL", heard)

    def test_i07_reading_marks_as_seen(self) -> None:
        r"""BODY[] sets \Seen and says so; PEEK, and a second reading, do not (I7)."""
        self.put(HELLO, HELLO)
        talk = self.ann(b"INBOX")
        self.assertNotIn(b"Seen", b"".join(talk.asks(b"FETCH 1:* (BODY.PEEK[] RFC822.HEADER)")))
        lines = talk.asks(b"FETCH 1:* BODY[]<0.1>")
        self.assertEqual(lines[-3:-1], [b"* %d FETCH (FLAGS (\\Seen \\Recent))" % n for n in (1, 2)])
        self.assertNotIn(b"Seen", b"".join(talk.asks(b"FETCH 1:* BODY[]<0.1>")))
        lines = talk.asks(b"UID FETCH 1 (FLAGS)")
        self.assertEqual(lines[0], b"* 1 FETCH (UID 1 FLAGS (\\Seen \\Recent))")
        self.assertIn(b"* STATUS INBOX (UNSEEN 0)", talk.asks(b"STATUS INBOX (UNSEEN)"))

    def test_i07_uid_fetch_tells_the_uid_with_the_new_flags(self) -> None:
        """RFC 3501 section 6.4.8."""
        self.put(HELLO)
        lines = self.ann(b"INBOX").asks(b"UID FETCH 1 BODY[]<0.1>")
        self.assertIn(b"* 1 FETCH (UID 1 FLAGS (\\Seen \\Recent))", lines)

    def test_a_huge_header(self) -> None:
        """Found in ever larger reads."""
        message = b"X: y\r\n" * 10_000 + b"Subject: end\r\n\r\nbody"
        heard = self.fetched(message, b"(BODY[HEADER.FIELDS (Subject)] BODY[TEXT] BODY[HEADER])")
        self.assertEqual(literal(heard, b"BODY[TEXT]"), b"body")
        self.assertEqual(len(literal(heard, b"BODY[HEADER]")), len(message) - 4)

    def test_structures_are_kept_for_the_next_part(self) -> None:
        """Part after part of one large message, and of many messages."""
        big = MULTIPART.replace(b"first", b"f" * 100_000)
        self.put(*[big] * 6)
        talk = self.ann(b"INBOX")
        for number in (b"1", b"1", b"2:6", b"1"):
            heard = b"\r\n".join(talk.asks(b"FETCH " + number + b" (BODY.PEEK[2])"))
            self.assertEqual(literal(heard, b"BODY[2]"), b"Subject: inner\r\n\r\ninside")
        assert talk.server.selected is not None
        self.assertLessEqual(len(talk.server.selected.structures), 4)

    def test_twisteds_own_client_understands(self) -> None:
        """The stock parser reads our rows."""
        heard = self.fetched(MULTIPART, b"(FLAGS BODYSTRUCTURE)")
        row = heard.split(b"\r\n")[0].removeprefix(b"* 1 FETCH ")
        self.assertEqual(imap4.parseNestedParens(row)[0][0], b"FLAGS")


class Trouble(ImapCase):
    """Messages that vanish or cannot be read."""

    def with_store(self, failures: dict[str, BaseException], *messages: bytes) -> Talk:
        """Ann with INBOX selected, through a store that fails."""
        self.put(*messages)
        talk = self.ann()
        account = talk.server.account
        assert account is not None
        account.store = Broken(account.store, failures)
        talk.last(b"SELECT INBOX")
        return talk

    def test_a_message_expunged_by_another_session_is_passed_over(self) -> None:
        """NO [EXPUNGEISSUED] by number, OK by UID; its flags are still known (RFC 2180 section 4.1)."""
        self.put(HELLO, HELLO, HELLO)
        talk, other = self.ann(b"INBOX"), self.ann(b"INBOX")
        other.last(b"STORE 2 +FLAGS.SILENT (\\Deleted)")
        other.last(b"EXPUNGE")
        for items in (b"BODY.PEEK[TEXT]", b"ENVELOPE", b"(UID ENVELOPE)"):
            lines = talk.asks(b"FETCH 1:3 " + items)
            self.assertEqual(lines[-1], b". NO [EXPUNGEISSUED] some of the messages are no longer there")
            self.assertEqual([line[:3] for line in lines if b" FETCH (" in line], [b"* 1", b"* 3"])
        self.assertEqual(len(talk.asks(b"FETCH 1:3 FLAGS")), 4)
        self.assertEqual(talk.last(b"UID FETCH 1:3 (BODY.PEEK[TEXT])"), b". OK FETCH completed")

    def test_failures_before_the_first_octet_are_answered(self) -> None:
        """NO, and the session lives."""
        failing: dict[str, BaseException] = {"read_now": TemporaryFailure(), "read_many": TemporaryFailure()}
        talk = self.with_store(failing, HELLO, b"x" * 1_000_000)
        for number in (b"1", b"2"):
            self.assertTrue(talk.last(b"FETCH " + number + b" BODY.PEEK[]").startswith(b". NO [UNAVAILABLE]"))
            self.assertEqual(talk.last(b"NOOP"), b". OK NOOP completed")

    def test_failures_in_the_middle_end_the_connection(self) -> None:
        """Whatever was said next would be taken for the message."""
        for failure in (TemporaryFailure(), ValueError("secret")):
            failures: dict[str, BaseException] = {}
            talk = self.with_store(failures, b"x" * 1_000_000)
            write = talk.wire.write

            def then_break(
                data: bytes,
                write=write,
                failures=failures,
                failure=failure,  # type: ignore[no-untyped-def]
            ) -> None:
                failures["read_now"] = failure
                write(data)

            talk.wire.write = then_break  # type: ignore[method-assign]
            heard = talk.sends(b"A FETCH 1 BODY.PEEK[]\r\n")
            self.assertTrue(talk.wire.aborted)
            self.assertNotIn(b"A NO", heard)
            self.assertNotIn(b"BYE", heard)
        self.flushLoggedErrors(ValueError)

    def test_a_file_that_has_become_shorter_is_filled_up(self) -> None:
        """The size was told; what is missing is blanks (D11)."""
        talk = self.with_store({}, HELLO)
        state = self.house.store._state(ANN).folders["INBOX"]
        assert talk.server.selected is not None
        reader = self.done(talk.server.selected.folder.open(1))
        from hostmail.protocols.imap.bodies import MessageReader

        opened = MessageReader(talk.server.selected, 1, reader, len(HELLO))
        self.assertEqual(self.done(opened.octets(len(HELLO) - 2, len(HELLO) + 3)), b"\r\n   ")
        self.assertEqual(len(state.rows), 1)

    def test_marking_as_seen_may_fail(self) -> None:
        """The message was read all the same."""
        talk = self.with_store({"set_flags": TemporaryFailure()}, HELLO)
        self.assertEqual(talk.last(b"FETCH 1 BODY[]"), b". OK FETCH completed")

    def test_slow_disks(self) -> None:
        """Every read may wait; the answer is the same (I12)."""
        self.put(HELLO)
        talk = self.ann()
        account = talk.server.account
        assert account is not None
        gates: list[Deferred[None]] = []
        account.store = Gate(account.store, gates)
        talk.sends(b"A SELECT INBOX\r\nB FETCH 1 (ENVELOPE BODY[])\r\nC FETCH 1 FLAGS\r\n")
        heard = b""
        while gates:
            gates.pop(0).callback(None)
            heard += talk.wire.said()
        self.assertEqual(literal(heard, b"BODY[]"), HELLO)
        self.assertLess(heard.index(b"B OK"), heard.index(b"C OK"))
        self.assertIn(b"* 1 FETCH (FLAGS (\\Seen \\Recent))\r\nC OK", heard)


class HeaderFields(ImapCase):
    """HEADER.FIELDS of what the index keeps, and of what it does not."""

    def test_the_same_either_way(self) -> None:
        """Kept fields, others, and both; of small headers and of large ones; in any case and with odd names."""
        large = b"X-Large: " + b"x" * 5000 + b"\r\n" + HELLO
        self.put(HELLO, large, b"Received: from x\r\n" + HELLO)
        talk = self.ann(b"INBOX")
        subject = b"Subject: hello\r\n\r\n"
        for names, answers in (
            (b"SUBJECT", [subject] * 3),
            (b"subject received", [subject, subject, b"Received: from x\r\n" + subject]),
            (b'"a%d%b"', [b"\r\n"] * 3),
        ):
            for numbers in (range(1, 4), (1, 3)):
                label = b"BODY[HEADER.FIELDS (%b)]" % names
                wanted = b"".join(
                    b"* %d FETCH (UID %d %b {%d}\r\n%b)\r\n"
                    % (
                        at,
                        at,
                        label.replace(b'"', b"") if b"%" not in names else label,
                        len(answers[at - 1]),
                        answers[at - 1],
                    )
                    for at in numbers
                )
                listed = b",".join(b"%d" % at for at in numbers)
                said = talk.sends(b"A UID FETCH " + listed + b" (BODY.PEEK[HEADER.FIELDS (" + names + b")])\r\n")
                self.assertEqual(said, wanted + b"A OK FETCH completed\r\n")

    def test_several_at_once(self) -> None:
        """Two lists of names in one FETCH, marking as read."""
        self.put(HELLO)
        talk = self.ann(b"INBOX")
        said = talk.sends(b"A FETCH 1 (BODY[HEADER.FIELDS (To)] BODY.PEEK[HEADER.FIELDS (From)])\r\n")
        to, sender = b"To: ann@example.com\r\n\r\n", b"From: Bob <bob@example.net>\r\n\r\n"
        first = b"BODY[HEADER.FIELDS (To)] {%d}\r\n%b" % (len(to), to)
        second = b"BODY[HEADER.FIELDS (From)] {%d}\r\n%b" % (len(sender), sender)
        self.assertTrue(
            said.startswith(b"* 1 FETCH (" + first + b" " + second + b")\r\n* 1 FETCH (FLAGS (\\Seen"), said
        )
