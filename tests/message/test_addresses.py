"""Address lists."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from hostmail.message.addresses import GROUP_END, MAX_ADDRESSES, MailAddress, parse_addresses


def one(mailbox: bytes, host: bytes, name: bytes | None = None, route: bytes | None = None) -> MailAddress:
    return MailAddress(name, route, mailbox, host)


AB = one(b"a", b"b")


class AddressListTests(SynchronousTestCase):
    def check(self, *cases: tuple[bytes, list[MailAddress]]) -> None:
        for value, expected in cases:
            self.assertEqual(parse_addresses(value), expected, value)

    def test_everyday_forms(self) -> None:
        """Names, quoted names, bare addresses, lists."""
        self.check(
            (b"a@b", [AB]),
            (b"<a@b>", [AB]),
            (b"John Q.  Public <a@b>", [one(b"a", b"b", b"John Q. Public")]),
            (b'"Public, John" <a@b>,c@d', [one(b"a", b"b", b"Public, John"), one(b"c", b"d")]),
            (b"=?utf-8?q?J=C3=B6rg?= <a@b>", [one(b"a", b"b", b"=?utf-8?q?J=C3=B6rg?=")]),
            (b"J\xf6rg <a@b>", [one(b"a", b"b", b"J\xf6rg")]),
            (b"", []),
            (b"  ", []),
        )

    def test_quoting(self) -> None:
        """Quotes and escapes are taken off (RFC 3501 7.4.2: quoting removed)."""
        self.check(
            (b'"a \\"b\\"" <a@b>', [one(b"a", b"b", b'a "b"')]),
            (b'"a@x"@b', [one(b"a@x", b"b")]),
            (b'"John" Public <"a b"@b>', [one(b"a b", b"b", b"John Public")]),
            (b'"open <a@b>', [one(b"open <a@b>", b"")]),
        )

    def test_comments(self) -> None:
        """A comment is the name if nothing else is; inner parentheses and escapes belong to it."""
        self.check(
            (b"a@b (John (the) Public)", [one(b"a", b"b", b"John (the) Public")]),
            (b"a@b (x \\) y)", [one(b"a", b"b", b"x ) y")]),
            (b"(hidden) Name <a@b>", [one(b"a", b"b", b"Name")]),
            (b"a(x)@b", [one(b"a", b"b", b"x")]),
            (b"a@b (never closed", [one(b"a", b"b", b"never closed")]),
            (b"(alone)", []),
        )

    def test_groups(self) -> None:
        """A group is bracketed by its name and an end mark, closed even when the writer forgot."""
        begin = MailAddress(None, None, b"My Friends", None)
        self.check(
            (b"My Friends: a@b, C <c@d>; e@f", [begin, AB, one(b"c", b"d", b"C"), GROUP_END, one(b"e", b"f")]),
            (b"undisclosed-recipients:;", [MailAddress(None, None, b"undisclosed-recipients", None), GROUP_END]),
            (b"My Friends: a@b", [begin, AB, GROUP_END]),
            (b"My Friends: <a@b>;", [begin, AB, GROUP_END]),
            (b"My Friends: <a@b;", [begin, AB, GROUP_END]),
            (b"My Friends: x: a@b;", [begin, one(b"a", b"b", b"x"), GROUP_END]),
        )

    def test_routes(self) -> None:
        """Source routes are kept apart (RFC 5322 4.4, obs-route)."""
        self.check((b"<@x,@y:a@b>", [one(b"a", b"b", None, b"@x,@y")]), (b"<@x a@b>", [one(b"@xa", b"b")]))

    def test_without_domain(self) -> None:
        """A missing domain is empty, never None, which would begin a group."""
        self.check(
            (b"root", [one(b"root", b"")]),
            (b"John Public", [one(b"John Public", b"")]),
            (b"Cron <root>", [one(b"root", b"", b"Cron")]),
            (b"<>", [one(b"", b"")]),
            (b"@b", [one(b"", b"b")]),
        )

    def test_nonsense(self) -> None:
        """The nearest thing to an address; separators always separate."""
        self.check(
            (b"a@b,, c@d,", [AB, one(b"c", b"d")]),
            (b"a@b; c@d", [AB, one(b"c", b"d")]),
            (b"John a@b", [one(b"a", b"b", b"John")]),
            (b"a@b c", [AB]),
            (b"a . x @ b . c", [one(b"a.x", b"b.c")]),
            (b"a@[192.0.2.1]", [one(b"a", b"[192.0.2.1]")]),
            (b"a@b@c", [one(b"a@b", b"c")]),
            (b"x <a@b, y <c@d>", [one(b"a", b"b", b"x"), one(b"c", b"d", b"y")]),
            (b"<a@b> trailing, c@d", [AB, one(b"c", b"d")]),
            (b"> a@b", [AB]),
        )

    def test_bounded(self) -> None:
        """No more than 2,000 addresses, or as many as asked for, on both ways."""
        self.assertEqual(len(parse_addresses(b"a@b," * 5000)), MAX_ADDRESSES)
        self.assertEqual(len(parse_addresses(b",a@b" * 5000)), MAX_ADDRESSES)
        self.assertEqual(len(parse_addresses(b"a@b," * 5000, 7)), 7)

    def test_tokens_are_bounded(self) -> None:
        """Reading stops when a field has cost enough."""
        self.assertEqual(parse_addresses(b"," * 100_000 + b"a@b"), [])
        self.assertEqual(parse_addresses(b"(" * 100_000 + b")" * 100_000 + b"a@b"), [])
