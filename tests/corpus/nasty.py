"""Mail that nobody should send, and somebody does."""

from __future__ import annotations


def nested(depth: int) -> bytes:
    """Multiparts in multiparts."""
    heads = b"".join(
        b"Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n" % (level, level) for level in range(depth)
    )
    return b"Subject: nested\r\n" + heads + b"\r\ninside\r\n"


def letters_in_letters(depth: int) -> bytes:
    """Messages in messages."""
    return b"Subject: letter\r\nContent-Type: message/rfc822\r\n\r\n" * depth + b"Subject: last\r\n\r\nhello\r\n"


def many_parts(count: int) -> bytes:
    body = b"--x\r\nContent-Type: text/plain\r\n\r\npart\r\n" * count
    return b"Subject: many\r\nContent-Type: multipart/mixed; boundary=x\r\n\r\n" + body + b"--x--\r\n"


NASTY: dict[str, bytes] = {
    "empty": b"",
    "one octet": b"x",
    "a blank line": b"\r\n",
    "only LF": b"\n",
    "only CR": b"\r",
    "no boundary parameter": b"Content-Type: multipart/mixed\r\n\r\n--x\r\n\r\npart\r\n--x--\r\n",
    "boundary that does not occur": b"Content-Type: multipart/mixed; boundary=nope\r\n\r\n--x\r\n\r\npart\r\n",
    "empty boundary": b'Content-Type: multipart/mixed; boundary=""\r\n\r\n--\r\n\r\npart\r\n----\r\n',
    "boundary with quotes and semicolons": b'Content-Type: multipart/mixed; boundary="a;b=\\"c\\"; d"\r\n\r\n'
    + b'--a;b="c"; d\r\nContent-Type: text/plain\r\n\r\none\r\n--a;b="c"; d\r\n\r\ntwo\r\n--a;b="c"; d--\r\n',
    "boundary in single quotes and blanks": b"Content-Type: multipart/mixed; boundary = 'x y' ; z\r\n\r\n--'x\r\n\r\npart\r\n",
    "two boundaries": b"Content-Type: multipart/mixed; boundary=x; boundary=y\r\n\r\n--y\r\n\r\none\r\n--x\r\n\r\ntwo\r\n--x--\r\n",
    "not closed": b"Content-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\nContent-Type: text/plain\r\n\r\npart",
    "boundary at the end": b"Content-Type: multipart/mixed; boundary=x\r\n\r\n--x",
    "text/plain;": b"Content-Type: text/plain;\r\n\r\nhello\r\n",
    "no subtype": b"Content-Type: text\r\nContent-Transfer-Encoding: \r\n\r\nhello\r\n",
    "odd content type": b'Content-Type: text/plain; charset=; name="a;b\r\n\r\nhello\r\n',
    "content type of eight bits": b"Content-Type: te\xe9xt/pl\xe4in; na\xefme=\xff\r\n\r\nhello\r\n",
    "nested 200 deep": nested(200),
    "200 letters in letters": letters_in_letters(200),
    "10,000 parts": many_parts(10_000),
    "raw eight bits": "From: \xc4nn <\xe4nn@example.net>\r\nSubject: \xfcber \xdf\r\n\r\n\xe4\r\n".encode("latin-1"),
    "broken UTF-8": b"From: \xc3\xc3\xff <\xf0\x9f@x>\r\nSubject: \xf0\x9f\x98\r\nTo: \xe2\x82\r\n\r\n",
    "NUL": b"From: a\0b <c\0d@example.net>\r\nSubject: x\0y\0\r\nTo: \0\r\n\r\nbo\0dy\0\r\n",
    "bare CR and LF": b"From: a@b\rTo: c@d\nSubject: x\r\r\nX: \ny\r\n\r\none\rtwo\nthree\r\n",
    "LF only": b"From: a@b\nSubject: x\nContent-Type: multipart/mixed; boundary=x\n\n--x\n\n.dot\n--x--\n",
    "controls": b"Subject: \x01\x02\x1b[31m\x7f\r\nFrom: \x08\x0b <\x0c@\x0e>\r\n\r\n\x1a\x04\r\n",
    "one line of header, 1 MB": b"Subject: " + b"x" * (1 << 20) + b"\r\n\r\nbody\r\n",
    "a megabyte of recipients": b"To: " + b"someone@example.net, " * 50_000 + b"\r\n\r\nbody\r\n",
    "a megabyte of groups": b"To: " + b"g:a@b,c@d;" * 100_000 + b"\r\n\r\nbody\r\n",
    "a megabyte of comments": b"From: " + b"(" * 500_000 + b")" * 500_000 + b" a@b\r\n\r\n",
    "a megabyte of quotes": b"From: " + b'"\\"' * 300_000 + b" a@b\r\n\r\n",
    "a megabyte of parameters": b"Content-Type: text/plain" + b"; a=b" * 200_000 + b"\r\n\r\n",
    "a megabyte of continuations": b"Content-Type: text/plain"
    + b"".join(b";\r\n name*%d*=%%e4" % n for n in range(50_000))
    + b"\r\n\r\n",
    "folded for ever": b"Subject: x" + b"\r\n y" * 100_000 + b"\r\n\r\nbody\r\n",
    "100,000 fields": b"".join(b"X-%d: y\r\n" % n for n in range(100_000)) + b"\r\nbody\r\n",
    "header without body": b"From: a@b\r\nSubject: no end",
    "header without blank line": b"From: a@b\r\nSubject: no blank\r\n",
    "body without header": b"\r\nonly a body\r\n",
    "not a header": b"this is no header at all\r\nand this neither\r\n\r\nbody\r\n",
    "blanks in names": b"Subject : odd\r\n From: folded first\r\n: nameless\r\n\r\nbody\r\n",
    "strange addresses": b'From: <>\r\nSender: ,,,\r\nTo: "unended <a@b\r\nCc: a b c d@e@f\r\nBcc: ;:;\r\nReply-To: @\r\n\r\n',
    "groups": b'To: undisclosed-recipients:;\r\nCc: Team: a@b, "C, D" <c@d>;, e@f, Empty:;\r\n'
    + b"Bcc: one: two: a@b;;\r\nReply-To: Unended: a@b, c@d\r\nFrom: (comment) Group (more): ;\r\n\r\n",
    "addresses of all kinds": b"From: <@a.example,@b.example:ann@example.net> (Ann (A.) Smith)\r\n"
    + b'To: "quoted local"@example.net, "a@b"@c, user@[192.0.2.1], user@[IPv6:2001:db8::1], ann (comment) @ example . net\r\n'
    + b"Cc: =?utf-8?q?J=C3=B6rg?= <j@example.net>, J. R. Dot <dot@example.net>, ann@example.net (old style), <a@b> <c@d>\r\n"
    + b"Bcc: nobody, @example.net, a@, ann@example.net;bob@example.net\r\nSender: \xe4\xb8\xad <m@\xe4\xb8\xad.example>\r\n\r\n",
    "encoded words broken over lines": b"Subject: =?utf-8?B?w6TDtsO8?=\r\n =?utf-8?B?w58=?=\r\n =?utf-8?Q?=C3?=\r\n"
    + b"\t=?utf-8?Q?=A4?= =?utf-8?Q?broken\r\n in_two?= =?iso-2022-jp?B?GyRC?=\r\n =?iso-2022-jp?B?JCIbKEI=?=\r\n"
    + b"From: =?utf-8?Q?J=C3=B6?=\r\n =?utf-8?Q?rg?= <j@b>\r\n\r\n",
    "literal in disguise": b'Subject: {5}\r\nFrom: "{3+}" <{2}@x>\r\n\r\n{10}\r\n',
    "quotes and backslashes": b'Subject: "\\"\\\r\nFrom: "\\\\\\"" <"a\\"b"@x>\r\nMessage-ID: <"\\>\r\n\r\n',
    "dots": b"Subject: dots\r\n\r\n.\r\n..\r\n.\r\nQUIT\r\n.",
    "a tag in the body": b"Subject: tag\r\n\r\nA OK FETCH completed\r\n* BYE\r\n)\r\n",
    "language and location": b"Content-Language: "
    + b"de," * 50_000
    + b"\r\nContent-Location: \xff\0\r\nContent-MD5: \r\n\r\n",
    "disposition": b'Content-Disposition: attachment; filename="\xff\0\\"; size=\r\n\r\n',
    "date": b"Date: Mon, 99 Foo 99999999999999999999 99:99:99 +99999999\r\n\r\n",
    "encoded words": b"Subject: " + b"=?utf-8?B?////?= =?x?Q?=zz?= =?utf-16?B?2D0=?=" * 1000 + b"\r\n\r\n",
    "text in an unknown charset": b"Content-Type: text/plain; charset=klingon\r\nContent-Transfer-Encoding: base64\r\n\r\n!!!\r\n",
    "base64 bomb": b"Content-Type: text/plain; charset=utf-7\r\nContent-Transfer-Encoding: base64\r\n\r\n"
    + b"QUFB" * 200_000,
}
