"""Messages that have broken mail programs, and giants made on the fly. All are CRLF unless the name says otherwise."""

from __future__ import annotations


def lines(*texts: str | bytes) -> bytes:
    """The texts as CRLF lines; `str` in UTF-8."""
    return b"".join([(text.encode() if isinstance(text, str) else text) + b"\r\n" for text in texts])


PLAIN = lines(
    "Return-Path: <bob@example.org>",
    "Received: from a.example (a.example [192.0.2.1]) by b.example; Tue, 14 Nov 2023 22:13:20 +0000",
    "Received: from c.example by a.example; Tue, 14 Nov 2023 22:13:19 +0000",
    "DKIM-Signature: v=1; a=rsa-sha256;",
    "\tb=abc",
    "Date: Tue, 14 Nov 2023 23:13:18 +0100",
    "From: Bob Example <bob@example.org>",
    'To: Ann <ann@example.com>, "Carl, C." <carl@example.com>',
    "SUBJECT: Greetings",
    "  from Vienna",
    "Message-ID: <1@example.org>",
    "",
    "Hello,",
    "this is text.",
)

MIXED = lines(
    "From: a@example.org",
    "Subject: two parts and a message",
    "MIME-Version: 1.0",
    'Content-Type: multipart/mixed; boundary="outer;x"',
    "",
    "preamble",
    "--outer;x",
    'Content-Type: multipart/alternative; boundary="inner"',
    "Content-Language: en, de-AT",
    "",
    "--inner",
    "Content-Type: text/plain; charset=utf-8",
    "Content-Transfer-Encoding: quoted-printable",
    "",
    "Gr=C3=BC=C3=9Fe=",
    "!",
    "--inner",
    "Content-Type: text/html; charset=iso-8859-1",
    "Content-Transfer-Encoding: base64",
    "",
    "PGI+R3L83GU8L2I+",
    "--inner--",
    "--outer;x",
    "Content-Type: message/rfc822",
    "Content-Description: the one before",
    "",
    "From: Inner <inner@example.net>",
    "Subject: inside",
    "Content-Type: multipart/mixed; boundary=deep",
    "",
    "--deep",
    "",
    "first inside",
    "--deep",
    "Content-Type: image/png; name*0*=utf-8''a%20; name*1=b.png",
    "Content-ID: <image@example>",
    "Content-MD5: Q2hlY2sgSW50ZWdyaXR5IQ==",
    "Content-Location: http://example.net/b.png",
    'Content-Disposition: attachment; filename="a \\"b\\".png"; size=3',
    "Content-Transfer-Encoding: base64",
    "",
    "AAAA",
    "--deep--",
    "--outer;x--",
    "epilogue",
)


def odd_messages() -> dict[str, bytes]:
    """Small messages, each with one thing wrong; the key says what."""
    typed = {
        "trailing semicolon": "text/plain;",
        "empty charset": "text/plain; charset=",
        "empty quoted charset": 'text/plain; charset=""',
        "unknown charset": "text/plain; charset=klingon",
        "no slash": "text",
        "no subtype": "text/",
        "empty type": "",
        "type with comment": "text/plain (really); charset=us-ascii (Plain text)",
        "missing boundary": "multipart/mixed",
        "empty boundary": 'multipart/mixed; boundary=""',
        "unused boundary": "multipart/mixed; boundary=nowhere",
        "open quote": 'multipart/mixed; boundary="abc',
        "boundary with line end": 'multipart/mixed; boundary="a\r\n b"',
        "eight bit name": 'application/pdf; name="Gr\xfc\xdfe.pdf"',
        "name with spaces": "application/pdf; name=My File.pdf",
        "embedded nothing": "message/rfc822",
        "partial": 'message/partial; id="x"; number=1',
        "parameter soup": 'text/plain; ;;= ; =x; a=b;;c="d;e"; "f"=g; h',
        "enormous parameter": "text/plain; name=" + "x" * 20_000,
    }
    found = {
        name: b"Subject: odd\r\nContent-Type: " + value.encode("latin-1") + b"\r\n\r\n--abc\r\nbody\r\n"
        for name, value in typed.items()
    }
    found |= {
        "empty file": b"",
        "only a line end": b"\r\n",
        "only LF": b"\n",
        "only CR": b"\r",
        "no header": b"\r\nbody alone\r\n",
        "text without header": b"just words\r\nand more\r\n",
        "header without body": b"Subject: x\r\n",
        "header without line end": b"Subject: x",
        "raw 8-bit header": b"Subject: Gr\xfc\xdfe\r\nFrom: J\xf6rg <j@example.org>\r\n\r\nx\r\n",
        "NULs": b"Sub\0ject: a\0b\r\nFrom: a\0b@c\r\nSubject: d\0e\r\n\r\n\0\0\r\n",
        "bare CR and LF": b"Subject: a\rb\nFrom: c@d\n\nbody\r\rmore\n",
        "LF only": b"Subject: x\nContent-Type: multipart/mixed; boundary=b\n\n--b\n\none\n--b\n\ntwo\n--b--\n",
        "folded strangely": b" begins folded\r\nSubject:\r\n \r\n x\r\n\t\r\nFrom:\r\n a@b\r\n\r\n",
        "space before colon": b"Subject : x\r\nFrom\t: a@b\r\n\r\nbody",
        "line without colon": b"Subject: x\r\nnonsense\r\nFrom: a@b\r\n\r\nbody",
        "mbox line": b"From bob Tue Nov 14\r\nSubject: x\r\n\r\nbody",
        "empty parts": b"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n--b\r\n\r\n--b\r\n\r\n\r\n--b--",
        "never closed": b"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\none\r\n--b\r\n\r\ntwo\r\n",
        "only the closing": b"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b--\r\nwords\r\n",
        "boundary in header": b"Content-Type: multipart/mixed; boundary=b\r\n--b\r\nX: y\r\n\r\n--b\r\n\r\nz",
        "prefixed boundaries": (
            b"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b \t\r\n"
            b"Content-Type: multipart/mixed; boundary=bb\r\n\r\n--bb\r\n\r\nx\r\n--bb--\r\n--b--\r\n"
        ),
        "digest": (
            b"Content-Type: multipart/digest; boundary=d\r\n\r\n--d\r\n\r\n"
            b"From: x@y\r\nSubject: in a digest\r\n\r\nwords\r\n--d--\r\n"
        ),
        "groups": b"To: Friends: a@b, C <c@d>;, undisclosed-recipients:;, e\r\nFrom: root\r\n\r\n",
        "plain": PLAIN,
        "mixed": MIXED,
    }
    return found


def nested_multiparts(depth: int = 200) -> bytes:
    """Multiparts in multiparts, text at the bottom."""
    opened = [b'Content-Type: multipart/mixed; boundary="b%d"\r\n\r\n--b%d\r\n' % (n, n) for n in range(depth)]
    closed = [b"\r\n--b%d--\r\n" % n for n in reversed(range(depth))]
    return b"".join(opened) + b"\r\nbottom" + b"".join(closed)


def nested_messages(depth: int = 200) -> bytes:
    """Messages in messages."""
    return b"Content-Type: message/rfc822\r\n\r\n" * depth + b"Subject: bottom\r\n\r\nwords\r\n"


def many_parts(count: int = 10_000) -> bytes:
    """One multipart of many small parts."""
    return b"Content-Type: multipart/mixed; boundary=b\r\n\r\n" + b"--b\r\n\r\nx\r\n" * count + b"--b--\r\n"


def endless_header(size: int = 1024 * 1024) -> bytes:
    """A header block over every limit, in ordinary lines."""
    line = b"X-Line: " + b"x" * 62 + b"\r\n"
    return line * (size // len(line)) + b"Subject: after all that\r\n\r\nbody\r\n"


def endless_line(size: int = 1024 * 1024) -> bytes:
    """A header field that never ends."""
    return b"Subject: " + b"x" * size


def many_fields(count: int = 100_000) -> bytes:
    """Very many short fields."""
    return b"a:b\r\n" * count + b"\r\nbody\r\n"


def giants() -> dict[str, bytes]:
    """Messages made to cost much: each must be answered in bounded time."""
    return {
        "nested multiparts": nested_multiparts(),
        "nested messages": nested_messages(),
        "many parts": many_parts(),
        "endless header": endless_header(),
        "endless line": endless_line(),
        "many fields": many_fields(),
        "many parts with fields": b"Content-Type: multipart/mixed; boundary=b\r\n\r\n"
        + (b"--b\r\n" + b"a:b\r\n" * 900) * 1500,
        "false boundaries": b"Content-Type: multipart/mixed; boundary=b\r\n\r\n" + b"--bx\r\n" * 500_000,
        "one boundary, nested": b"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n" * 20_000,
        "commas": b"To: " + b"," * 250_000 + b"\r\n\r\n",
        "addresses": b"To: " + b"a@b," * 60_000 + b"\r\n\r\n",
        "open comments": b"To: " + b"(" * 250_000 + b"\r\n\r\n",
        "open angles": b"From: " + b"<" * 250_000 + b"\r\n\r\n",
        "open quotes": b"From: " + b'\\"' * 120_000 + b"\r\n\r\n",
        "semicolons": b"Content-Type: text/plain" + b";" * 250_000 + b"\r\n\r\n",
        "spaces": b"Content-Type: text/plain; a" + b" " * 250_000 + b"\r\n\r\n",
        "encoded words": b"Subject: " + b"=?utf-8?Q?=C3?= " * 15_000 + b"\r\n\r\n",
        "almost encoded words": b"Subject: " + b"=?a?" * 60_000 + b"\r\n\r\n",
        "date of spaces": b"Date: 1" + b" " * 250_000 + b"\r\n\r\n",
        "digest of greedy messages": b"Content-Type: multipart/digest; boundary=d\r\n\r\n"
        + (b"--d\r\n\r\nTo: " + b"(a)b@c,;" * 1500 + b"\r\n\r\nx\r\n") * 900,
    }
