"""From socket octets to commands."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from hostmail.protocols.imap.framing import (
    AppendData,
    AppendLiteral,
    Command,
    Continue,
    Event,
    Framer,
    Refused,
    tag_of,
)
from hostmail.protocols.imap.limits import CommandLimits
from hostmail.protocols.imap.tokens import BadSyntax

SMALL = CommandLimits(line_octets=200, command_octets=1000, literal_octets=100, before_login_octets=300)


def framer(logged_in: bool = True) -> Framer:
    """A framer with limits that are easy to reach."""
    made = Framer(SMALL)
    made.logged_in = logged_in
    return made


def everything(made: Framer, data: bytes = b"") -> list[Event]:
    """All events after more data; every APPEND is accepted."""
    made.append(data)
    events: list[Event] = []
    while (event := made.next_event()) is not None:
        events.append(event)
        if isinstance(event, AppendLiteral):
            made.accept_append()
    return events


class Commands(SynchronousTestCase):
    """Lines and literals."""

    def test_lines_become_commands(self) -> None:
        """CRLF ends a command, and so does a bare LF typed by hand."""
        made = framer()
        self.assertEqual(everything(made, b"a NOOP\r\nb NO"), [Command((b"a NOOP",))])
        self.assertEqual(len(made), 4)
        self.assertEqual(everything(made, b"OP\n"), [Command((b"b NOOP",))])
        self.assertTrue(made.between_commands)

    def test_a_waiting_literal_is_asked_for(self) -> None:
        """{n} gets a continuation request, and its octets stand apart from the text."""
        made = framer()
        self.assertEqual(everything(made, b"a LOGIN {3}\r\n"), [Continue(3)])
        self.assertFalse(made.between_commands)
        self.assertEqual(
            everything(made, b"a\r\n {2+}\r\nxy\r\n"), [Command((b"a LOGIN ", b"a\r\n", b" ", b"xy", b""))]
        )

    def test_i02_a_literal_that_does_not_wait_is_never_a_command(self) -> None:
        """`SELECT {10+}` with `B LOGOUT` inside does not log out (TWISTED I2)."""
        self.assertEqual(
            everything(framer(), b"A SELECT {10+}\r\nB LOGOUT\r\n\r\nC NOOP\r\n"),
            [Command((b"A SELECT ", b"B LOGOUT\r\n", b"")), Command((b"C NOOP",))],
        )

    def test_i02_not_even_in_a_command_that_is_refused(self) -> None:
        """Over the limit, the literal is read and thrown away, later ones of the same command too."""
        inside = b"x LOGOUT\r\n" * 20
        sent = b"A SELECT {200+}\r\n" + inside + b" {10+}\r\nB LOGOUT\r\n\r\nC NOOP\r\n"
        self.assertEqual(everything(framer(), sent), [Refused(b"A", "the literal is too long"), Command((b"C NOOP",))])

    def test_a_waiting_literal_over_the_limit_is_refused_at_once(self) -> None:
        """The client has not sent it, so nothing is thrown away."""
        made = framer()
        self.assertEqual(
            everything(made, b"A SELECT {101}\r\nC NOOP\r\n"),
            [Refused(b"A", "the literal is too long"), Command((b"C NOOP",))],
        )

    def test_all_literals_together_are_limited(self) -> None:
        """Many small literals do not add up to a huge command."""
        sent = b"A X " + b"{90+}\r\n" + b"".join(b"y" * 90 + b" {90+}\r\n" for _ in range(15)) + b"y" * 90 + b"\r\n"
        events = everything(framer(), sent + b"B NOOP\r\n")
        self.assertEqual(events, [Refused(b"A", "the command is too long"), Command((b"B NOOP",))])

    def test_a_literal_beyond_all_reach_ends_the_connection(self) -> None:
        """What cannot be read away within reason is fatal; more so before login (LIMITS, Lines and commands)."""
        for logged_in, size in ((True, 2**63), (False, 301)):
            made = framer(logged_in)
            events = everything(made, b"A X {%d+}\r\nB NOOP\r\n" % size)
            self.assertEqual(events, [Refused(b"A", "the literal is too long", fatal=True)])
            self.assertEqual(everything(made, b"C NOOP\r\n"), [])
            self.assertEqual(len(made), 0)

    def test_strangers_commands_are_short(self) -> None:
        """Before login all literals of a command count together against a small limit."""
        sent = b"A LOGIN {90+}\r\n" + (b"y" * 90 + b" {90+}\r\n") * 4 + b"y" * 90 + b"\r\nB NOOP\r\n"
        self.assertEqual(
            everything(framer(False), sent), [Refused(b"A", "the command is too long"), Command((b"B NOOP",))]
        )

    def test_braces_elsewhere_are_text(self) -> None:
        """Only an announcement at the very end of a line counts."""
        for line in (b'a X "{5}"', b"a X {5} ", b"a X {x}", b"a X {-1}", b"a X {}", b"a X }"):
            self.assertEqual(everything(framer(), line + b"\r\n"), [Command((line,))])

    def test_clearing_forgets_everything(self) -> None:
        """I1: after STARTTLS nothing of what was sent before is left."""
        made = framer()
        made.append(b"a STARTTLS\r\nb LOGIN x y\r\nc LOG")
        self.assertEqual(made.next_event(), Command((b"a STARTTLS",)))
        made.clear()
        self.assertEqual(everything(made, b"d NOOP\r\n"), [Command((b"d NOOP",))])

    def test_tags_for_answers(self) -> None:
        """Without a usable tag the answer is untagged."""
        self.assertEqual(tag_of(b"a1 NOOP"), b"a1")
        self.assertEqual(tag_of(b"a1"), b"a1")
        self.assertEqual(tag_of(b""), b"*")
        self.assertEqual(tag_of(b"a+ NOOP"), b"*")
        self.assertEqual(tag_of(b"\xff NOOP"), b"*")


class LongLines(SynchronousTestCase):
    """A line without end neither fills the memory nor gets lost."""

    def test_a_line_over_the_limit_is_refused_and_read_away(self) -> None:
        """The rest of the line is discarded, the next command works."""
        made = framer()
        for _ in range(100):
            self.assertEqual(everything(made, b"a NOOP " + b"x" * 100), [])
            self.assertLessEqual(len(made), 400)
        self.assertEqual(
            everything(made, b"\r\nb NOOP\r\n"), [Refused(b"a", "the line is too long"), Command((b"b NOOP",))]
        )

    def test_also_when_it_comes_in_one_piece(self) -> None:
        """The limit does not depend on segments."""
        self.assertEqual(
            everything(framer(), b"a NOOP " + b"x" * 300 + b"\r\nb NOOP\r\n"),
            [Refused(b"a", "the line is too long"), Command((b"b NOOP",))],
        )

    def test_a_literal_at_the_end_of_a_long_line_is_read_away_too(self) -> None:
        """I2: not even a refused long line turns its literal into a command."""
        made = framer()
        self.assertEqual(everything(made, b"a X " + b"x" * 500), [])
        self.assertEqual(
            everything(made, b" {10+}\r\nB LOGOUT\r\n more\r\nc NOOP\r\n"),
            [Refused(b"a", "the line is too long"), Command((b"c NOOP",))],
        )

    def test_the_text_of_several_lines_counts_together(self) -> None:
        """64 KiB is for the command without its literals, however it is cut up."""
        sent = b"a X " + b"y" * 150 + b" {1+}\r\nz" + b"y" * 150 + b"\r\nb NOOP\r\n"
        self.assertEqual(everything(framer(), sent), [Refused(b"a", "the line is too long"), Command((b"b NOOP",))])


class Append(SynchronousTestCase):
    """Messages do not pass through memory."""

    def test_the_message_comes_in_pieces(self) -> None:
        """The session is told the size before it answers, then gets the octets as they arrive."""
        made = framer()
        made.append(b"a append INBOX (\\Seen) {500}\r\n")
        self.assertEqual(made.next_event(), AppendLiteral((b"a append INBOX (\\Seen) ",), 500, True, False))
        self.assertIsNone(made.next_event())
        made.accept_append()
        self.assertIsNone(made.next_event())
        self.assertEqual(everything(made, b"x" * 200), [AppendData(b"x" * 200)])
        self.assertEqual(
            everything(made, b"y" * 300 + b"\r\nb NOOP\r\n"),
            [AppendData(b"y" * 300), Command((b"a append INBOX (\\Seen) ", b"", b""), True), Command((b"b NOOP",))],
        )

    def test_a_mailbox_name_may_be_a_literal_itself(self) -> None:
        """The first literal right behind APPEND is the name, the next the message."""
        events = everything(framer(), b"a APPEND {5+}\r\nINBOX {3+}\r\nabc\r\n")
        self.assertEqual(
            events,
            [
                AppendLiteral((b"a APPEND ", b"INBOX", b" "), 3, False, False),
                AppendData(b"abc"),
                Command((b"a APPEND ", b"INBOX", b" ", b"", b""), True),
            ],
        )

    def test_an_empty_message_is_complete_at_once(self) -> None:
        """Nought octets make no piece."""
        events = everything(framer(), b"a APPEND x ~{0+}\r\n\r\n")
        self.assertEqual(
            events, [AppendLiteral((b"a APPEND x ",), 0, False, True), Command((b"a APPEND x ", b"", b""), True)]
        )

    def test_a_refused_message_that_waits_is_not_read(self) -> None:
        """The client is told no instead of go ahead."""
        made = framer()
        made.append(b"a APPEND x {500}\r\nb NOOP\r\n")
        made.next_event()
        made.refuse("too big", code=b"TOOBIG")
        self.assertEqual(everything(made), [Refused(b"a", "too big", b"NO", b"TOOBIG"), Command((b"b NOOP",))])

    def test_a_refused_message_that_does_not_wait_is_thrown_away(self) -> None:
        """It is heard out, then refused, and never run as commands."""
        made = framer()
        made.append(b"a APPEND x {500+}\r\n")
        made.next_event()
        made.refuse("too big", code=b"TOOBIG")
        self.assertEqual(everything(made, b"q LOGOUT\r\n" * 49), [])
        self.assertEqual(
            everything(made, b"q LOGOUT\r\n\r\nb NOOP\r\n"),
            [Refused(b"a", "too big", b"NO", b"TOOBIG"), Command((b"b NOOP",))],
        )

    def test_a_message_can_be_refused_half_way(self) -> None:
        """The disk is full: the rest is read away, then comes the answer."""
        made = framer()
        self.assertEqual(len(everything(made, b"a APPEND x {20}\r\n0123456789")), 2)
        made.refuse("no room")
        self.assertEqual(
            everything(made, b"0123456789\r\nb NOOP\r\n"), [Refused(b"a", "no room", b"NO"), Command((b"b NOOP",))]
        )

    def test_nobody_appends_before_login(self) -> None:
        """A stranger's APPEND is an ordinary command with an ordinary literal."""
        self.assertEqual(everything(framer(False), b"a APPEND x {101}\r\n"), [Refused(b"a", "the literal is too long")])


class PlainLines(SynchronousTestCase):
    """AUTHENTICATE and IDLE read lines."""

    def test_lines_are_read_as_they_are(self) -> None:
        """No literal is looked for, and a command may follow."""
        made = framer()
        made.append(b"dGVzdA=={5}\r\nDO")
        self.assertEqual(made.next_line(100), b"dGVzdA=={5}")
        self.assertIsNone(made.next_line(100))
        self.assertEqual(made.next_line(100), None)
        made.append(b"NE\r\na NOOP\r\n")
        self.assertEqual(made.next_line(100), b"DONE")
        self.assertEqual(made.next_event(), Command((b"a NOOP",)))

    def test_a_line_too_long_is_an_error_at_its_end(self) -> None:
        """It is read away in bounded memory, then reported once."""
        made = framer()
        for _ in range(10):
            made.append(b"x" * 1000)
            self.assertIsNone(made.next_line(100))
            self.assertLess(len(made), 100)
        made.append(b"\r\nabc\r\n" + b"y" * 101 + b"\r\nz\r\n")
        with self.assertRaises(BadSyntax):
            made.next_line(100)
        self.assertEqual(made.next_line(100), b"abc")
        with self.assertRaises(BadSyntax):
            made.next_line(100)
        self.assertEqual(made.next_line(100), b"z")


TEXTS = st.sampled_from([b"a NOOP", b"b LOGIN x y", b"c APPEND box ", b"d X ", b"", b"e APPEND ", b"y" * 150, b"{}"])
LITERALS = st.binary(max_size=120)
ONE = st.tuples(TEXTS, st.lists(st.tuples(LITERALS, st.booleans(), TEXTS), max_size=4))


def on_the_wire(text: bytes, literals: list[tuple[bytes, bool, bytes]]) -> bytes:
    """A command as a client with LITERAL+ sends it."""
    sent = text
    for literal, binary, more in literals:
        sent += (b"~" if binary else b"") + b"{%d+}\r\n" % len(literal) + literal + more
    return sent + b"\r\n"


def joined(events: list[Event]) -> list[Event]:
    """Events with the pieces of a message put together, for they depend on the segments."""
    result: list[Event] = []
    for event in events:
        if isinstance(event, AppendData) and result and isinstance(result[-1], AppendData):
            result[-1] = AppendData(result[-1].data + event.data)
        else:
            result.append(event)
    return result


class AnySegments(SynchronousTestCase):
    """What TCP does to the stream changes nothing."""

    @settings(max_examples=200, deadline=None)
    @given(st.lists(ONE, min_size=1, max_size=5), st.lists(st.integers(1, 60), min_size=1))
    def test_events_do_not_depend_on_segments(
        self, commands: list[tuple[bytes, list[tuple[bytes, bool, bytes]]]], cuts: list[int]
    ) -> None:
        """Cut anywhere, the same commands come out, one for each sent, and never out of a literal."""
        stream = b"".join(on_the_wire(*command) for command in commands)
        whole = joined(everything(framer(), stream))
        made = framer()
        pieces: list[Event] = []
        at = turn = 0
        while at < len(stream):
            step = cuts[turn % len(cuts)]
            pieces += everything(made, stream[at : at + step])
            at, turn = at + step, turn + 1
        self.assertEqual(joined(pieces), whole)
        ends = [event for event in whole if isinstance(event, Command | Refused)]
        self.assertEqual(len(ends), len(commands))
        self.assertEqual(len(made), 0)
        for event, (text, literals) in zip(ends, commands, strict=True):
            if isinstance(event, Command) and not event.streamed and not literals:
                self.assertEqual(event.parts, (text,))
