"""Arguments of MAIL, RCPT and EHLO, as written by the RFCs, by old programs and by people of ill will."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from hostmail.address import Address
from hostmail.errors import Refusal
from hostmail.protocols.smtp.commands import MAX_HELO, clean_helo, clean_line, parse_mail, parse_rcpt

ANN = Address("ann", "example.com")


class Refuses(SynchronousTestCase):
    """What each of the parsers refuses, and how."""

    def refuses(self, code: int, enhanced: str, parse, *arguments: object) -> None:
        """`parse` raises exactly that refusal."""
        refusal = self.assertRaises(Refusal, parse, *arguments)
        self.assertEqual((refusal.code, refusal.enhanced), (code, enhanced), (arguments, refusal.public))


class MailTests(Refuses):
    def test_reads_an_address(self):
        """The plain form, in any case."""
        self.assertEqual(parse_mail("FROM:<ann@example.com>").reverse_path, ANN)
        self.assertEqual(parse_mail("from:<ann@EXAMPLE.com>").reverse_path, ANN)

    def test_is_lenient_as_old_programs_need_it(self):
        """Blanks around the colon and missing brackets are taken."""
        for argument in (
            "FROM: <ann@example.com>",
            "FROM : <ann@example.com>",
            "FROM:ann@example.com",
            "FROM: ann@example.com",
        ):
            self.assertEqual(parse_mail(argument).reverse_path, ANN)
        self.assertEqual(parse_mail("FROM: ann@example.com SIZE=9").size, 9)

    def test_reads_the_null_sender(self):
        """`<>` is nobody."""
        self.assertIsNone(parse_mail("FROM:<>").reverse_path)
        self.assertEqual(parse_mail("FROM:<>").sender, "")

    def test_refuses_what_is_no_path(self):
        """Broken forms are syntax errors."""
        for argument in (
            "",
            "FROM",
            "FROM:",
            "TO:<a@b>",
            "<a@b>",
            "FROM:<a@b",
            "FROM:<a@b>SIZE=1",
            "FROM:<a b@c>",
            "FROM:<<a@b>>",
        ):
            self.refuses(501, "5.5.4", parse_mail, argument)

    def test_refuses_what_is_no_address(self):
        """S11, LIMITS: lengths and characters are checked; a sender needs a domain."""
        for path in (
            "ann",
            "postmaster",
            "@b.c",
            "a@",
            "a@b..c",
            "a@b.c.",
            "a@b@c",
            ".a@b",
            "x" * 65 + "@b.c",
            "a@" + "b" * 64,
        ):
            self.refuses(501, "5.1.3", parse_mail, f"FROM:<{path}>")
        self.refuses(501, "5.1.3", parse_mail, "FROM:<a@" + "b." * 127 + "c>")

    def test_reads_quoted_local_parts(self):
        """Quotes hide blanks and brackets; a line feed in them is long gone (S10)."""
        self.assertEqual(parse_mail(r'FROM:<"a <b> \"c"@d.e> SIZE=1').reverse_path, Address('a <b> "c', "d.e"))

    def test_reads_address_literals(self):
        """S9: literals are addresses too."""
        self.assertEqual(parse_rcpt("TO:<a@[192.0.2.1]>", False).address, Address("a", "[192.0.2.1]"))
        self.assertEqual(parse_rcpt("TO:<a@[IPv6:2001:DB8::1]>", False).address, Address("a", "[IPv6:2001:db8::1]"))
        self.refuses(501, "5.1.3", parse_rcpt, "TO:<a@[300.1.1.1]>", False)

    def test_strips_source_routes(self):
        """RFC 5321 appendix C: the route is ignored, the mailbox counts."""
        for route in ("@a.example:", "@a.example,@b.example:", "@[192.0.2.1],@b:", "@[IPv6:::1]:"):
            self.assertEqual(parse_rcpt(f"TO:<{route}ann@example.com>", False).address, ANN)

    def test_utf8_needs_smtputf8(self):
        """RFC 6531: UTF-8 only where announced (S9)."""
        self.assertEqual(
            parse_mail("FROM:<jürgen@example.com> SMTPUTF8").reverse_path, Address("jürgen", "example.com")
        )
        self.assertEqual(parse_rcpt("TO:<a@grün.example>", True).address.domain, "xn--grn-ioa.example")
        self.refuses(553, "5.6.7", parse_mail, "FROM:<jürgen@example.com>")
        self.refuses(553, "5.6.7", parse_rcpt, "TO:<jürgen@example.com>", False)
        self.refuses(501, "5.1.3", parse_mail, clean_line(b"FROM:<j\xfcrgen@example.com> SMTPUTF8"))

    def test_postmaster_needs_no_domain(self):
        """RFC 5321 4.5.1: `<postmaster>` is somebody, as a recipient, in any case."""
        self.assertEqual(parse_rcpt("TO:<Postmaster>", False).address, Address("Postmaster", ""))
        self.refuses(501, "5.1.3", parse_rcpt, "TO:<root>", False)
        self.refuses(501, "5.1.3", parse_rcpt, "TO:<>", False)


class ParameterTests(Refuses):
    def test_reads_those_of_mail(self):
        """S7: each announced parameter is understood."""
        envelope = parse_mail("FROM:<> SIZE=123 body=8bitmime SMTPUTF8 RET=hdrs ENVID=QQ+2B314 AUTH=<>")
        self.assertEqual((envelope.size, envelope.body, envelope.smtputf8), (123, "8BITMIME", True))
        self.assertEqual((envelope.ret, envelope.envid), ("HDRS", "QQ+2B314"))

    def test_auth_names_nobody(self):
        """RFC 4954: the parameter is checked and not believed."""
        self.assertEqual(parse_mail("FROM:<> AUTH=e+3Dmc2@example.com"), parse_mail("FROM:<> AUTH=<>"))
        self.refuses(501, "5.5.4", parse_mail, "FROM:<> AUTH=")
        self.refuses(501, "5.5.4", parse_mail, "FROM:<> AUTH=a+3")

    def test_reads_those_of_rcpt(self):
        """RFC 3461: NOTIFY and ORCPT, checked and kept as given, for they are passed on as they are."""
        recipient = parse_rcpt("TO:<ann@example.com> NOTIFY=success,DELAY ORCPT=rfc822;Bob+2Bx@example.com", False)
        self.assertEqual(recipient.notify, ("SUCCESS", "DELAY"))
        self.assertEqual(recipient.orcpt, "rfc822;Bob+2Bx@example.com")
        self.assertEqual(parse_rcpt("TO:<a@b> NOTIFY=NEVER", False).notify, ("NEVER",))

    def test_unknown_ones_are_refused(self):
        """S7: what was not announced gets 555, BINARYMIME included."""
        for parameter in ("FOO", "FOO=bar", "NOTIFY=NEVER", "BODY=BINARYMIME", "REQUIRETLS", "MT-PRIORITY=3"):
            self.refuses(555, "5.5.4", parse_mail, f"FROM:<> {parameter}")
        for parameter in ("FOO", "SIZE=1", "RRVS=x"):
            self.refuses(555, "5.5.4", parse_rcpt, f"TO:<a@b> {parameter}", False)

    def test_senseless_values_are_refused(self):
        """Known parameters with bad values get 501."""
        bad = [
            "SIZE",
            "SIZE=",
            "SIZE=x",
            "SIZE=-1",
            "SIZE=²",
            "BODY",
            "BODY=9BIT",
            "SMTPUTF8=1",
            "RET=ALL",
            "ENVID=",
            "ENVID=+0D+0A",
            "ENVID=+ff",
            "ENVID=+FF",
            "=x",
            "FOO==",
        ]
        for parameter in [*bad, "SIZE=" + "1" * 21, "ENVID=" + "x" * 101, "SIZE=1 SIZE=2", "ENVID=ü", "ENVID=\udcff"]:
            self.refuses(501, "5.5.4", parse_mail, f"FROM:<> {parameter}")
        bad = [
            "NOTIFY=",
            "NOTIFY=x",
            "NOTIFY=NEVER,DELAY",
            "NOTIFY=DELAY,DELAY",
            "ORCPT=x",
            "ORCPT=;x",
            "ORCPT=rfc822;",
            "ORCPT=rfc822;+0A",
        ]
        for parameter in [*bad, "ORCPT=rfc822;" + "x" * 500, "ORCPT=utf-8;ü@b", "ORCPT=utf-8;\udcff"]:
            self.refuses(501, "5.5.4", parse_rcpt, f"TO:<a@b> {parameter}", False)

    def test_orcpt_may_be_utf8_with_smtputf8(self):
        """RFC 6533: the original recipient in UTF-8."""
        self.assertEqual(parse_rcpt("TO:<a@b> ORCPT=utf-8;ü@b", True).orcpt, "utf-8;ü@b")


class LineTests(Refuses):
    def test_control_characters_are_refused(self):
        """S10: no CR, LF, NUL or escape gets into a command; a tab is a blank."""
        for line in (b"EHLO a\nb", b"EHLO a\rb", b"EHLO a\0b", b"\x1b[2J", b"\x7f"):
            self.refuses(500, "5.5.2", clean_line, line)
        self.assertEqual(clean_line(b"EHLO\ta"), "EHLO a")

    def test_helo_names_are_made_safe(self):
        """S11: a name is needed; whatever it is, it cannot break trace fields or logs."""
        self.assertEqual(clean_helo("mail.example.com"), "mail.example.com")
        self.assertEqual(clean_helo("[IPv6:2001:db8::1] extra"), "[IPv6:2001:db8::1]")
        self.assertEqual(clean_helo("my_pc(evil);"), "my_pc?evil??")
        self.assertEqual(clean_helo(clean_line(b"J\xfcrgen-PC")), "J?rgen-PC")
        self.assertEqual(len(clean_helo("x" * 900)), MAX_HELO)
        self.refuses(501, "5.5.4", clean_helo, " ")

    def test_nothing_but_refusals(self):
        """Whatever a peer writes is read or refused."""
        pieces = st.sampled_from(
            [*'<>@"\\,;=+a \xfc\udcff\x85', "b.c", "[1.2.3.4]", "SIZE=1", "NOTIFY=", "ORCPT=rfc822;a", "ENVID="]
        )

        @settings(max_examples=1500, deadline=None)
        @given(st.sampled_from(["FROM:<", "TO:<", "FROM:", "TO:", ""]), st.lists(pieces, max_size=12).map("".join))
        def holds(start, text):
            for parse in (parse_mail, lambda argument: parse_rcpt(argument, True), clean_helo):
                try:
                    parse(start + text)
                except Refusal as refusal:
                    self.assertIn(refusal.code, (501, 553, 555))

        holds()
