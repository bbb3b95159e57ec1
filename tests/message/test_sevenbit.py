"""8-bit messages as 7-bit ones (RFC 6152, C9)."""

from __future__ import annotations

import email
import email.policy
from email.message import Message
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from hostmail.message.sevenbit import CannotConvertError, seven_bit
from tests.corpus.nasty import NASTY

UMLAUTS = "Gr\u00fc\u00dfe aus K\u00f6ln\r\n.\r\nFrom here  \r\n"


def lines(*text: str) -> bytes:
    return "\r\n".join(text).encode()


def parsed(octets: bytes) -> Message[str, str]:
    return email.message_from_bytes(octets)


def contents(message: Message[str, str]) -> list[Any]:
    """The decoded leaves of a message."""
    return [part.get_payload(decode=True) for part in message.walk() if not part.is_multipart()]


class LeafTests(SynchronousTestCase):
    def test_ascii(self) -> None:
        """What is 7-bit already stays as it is, octet for octet."""
        octets = b"Subject: hi\r\nContent-Transfer-Encoding: 8bit\r\n\r\nplain\r\n"
        self.assertIs(seven_bit(octets), octets)

    def test_text(self) -> None:
        """Text with some 8-bit characters stays legible in quoted-printable."""
        header = b"Subject: hi\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8BIT\r\n\r\n"
        text = "x" * 300 + UMLAUTS
        converted = seven_bit(header + text.encode())
        self.assertTrue(converted.isascii())
        self.assertIn(b"aus K=C3=B6ln", converted)
        self.assertIn(b"\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n", converted)
        self.assertEqual(converted.lower().count(b"content-transfer-encoding"), 1)
        self.assertEqual(contents(parsed(converted)), [text.encode()])
        self.assertLess(max(map(len, converted.split(b"\r\n"))), 78 + 20)

    def test_one_long_line(self) -> None:
        """Text without a line end gets those of mail where it is folded: a lone LF is none, and CHUNKING would carry it on."""
        text = "K\u00f6ln am Rhein, " * 20
        converted = seven_bit(b"\r\n" + text.encode())
        self.assertEqual(converted.count(b"\n"), converted.count(b"\r\n"))
        self.assertEqual(contents(parsed(converted)), [text.encode()])

    def test_foreign_text(self) -> None:
        """Text that is mostly 8-bit is shorter in base64."""
        header = "Content-Type: text/plain; charset=utf-8\r\nMIME-Version: 1.0\r\n\r\n"
        text = "\u0414\u043e\u0431\u0440\u044b\u0439 \u0434\u0435\u043d\u044c\r\n" * 50
        converted = seven_bit((header + text).encode())
        self.assertEqual(parsed(converted)["Content-Transfer-Encoding"], "base64")
        self.assertEqual(contents(parsed(converted)), [text.encode()])

    def test_without_mime(self) -> None:
        """Old programs send 8-bit text without a word about it: it becomes MIME, UTF-8 if it is."""
        for body, charset in ((UMLAUTS.encode(), "utf-8"), (UMLAUTS.encode("latin-1"), "unknown-8bit")):
            message = parsed(seven_bit(b"Subject: hi\r\n\r\n" + body))
            self.assertEqual((message["MIME-Version"], message.get_content_charset()), ("1.0", charset))
            self.assertEqual(contents(message), [body])

    def test_binary(self) -> None:
        """Anything but text keeps every octet."""
        octets = bytes(range(256)).replace(b"\n", b"").replace(b"\r", b"") * 9
        header = b"Content-Type: image/png\r\nContent-Transfer-Encoding: binary\r\nMIME-Version: 1.0\r\n\r\n"
        self.assertEqual(contents(parsed(seven_bit(header + octets))), [octets])

    def test_encoded_already(self) -> None:
        """8-bit octets that slipped into encoded bodies are mended, not encoded twice."""
        header = "MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: "
        quoted = seven_bit((header + "quoted-printable\r\n\r\nK=C3=B6ln, D\u00fcren=\r\n!\r\n").encode())
        self.assertEqual(contents(parsed(quoted)), ["K\u00f6ln, D\u00fcren!\r\n".encode()])
        based = seven_bit((header + "base64\r\n\r\naGVs\u00fcbG8=\r\n").encode())
        self.assertEqual(contents(parsed(based)), [b"hello"])
        self.assertRaises(CannotConvertError, seven_bit, (header + "x-uuencode\r\n\r\n\u00fc").encode())

    def test_raw_header(self) -> None:
        """8-bit octets in a header are left alone: there is no telling what they mean."""
        octets = "Subject: K\u00f6ln\r\n\r\nplain\r\n".encode()
        self.assertEqual(seven_bit(octets), octets)


class StructureTests(SynchronousTestCase):
    def test_multipart(self) -> None:
        """Only the parts that need it change; what is around them keeps its form."""
        octets = lines(
            "MIME-Version: 1.0",
            "Content-Transfer-Encoding: 8bit",
            'Content-Type: multipart/mixed; boundary="b b"',
            "",
            "pr\u00e4ambel",
            "--b b",
            "",
            "K\u00f6ln",
            "--b b",
            "Content-Type: text/plain",
            "",
            "plain",
            "--b b",
            "Content-Type: application/x; name=y",
            "Content-Transfer-Encoding: 8bit",
            "",
            "\u00fc\u00fc\u00fc",
            "--b b--",
            "\u00e4pilog",
        )
        converted = seven_bit(octets)
        self.assertTrue(converted.isascii())
        message = parsed(converted)
        self.assertEqual(contents(message), ["K\u00f6ln".encode(), b"plain", "\u00fc\u00fc\u00fc".encode()])
        self.assertEqual(message["Content-Transfer-Encoding"], "7bit")
        self.assertIn(b"--b b\r\nContent-Type: text/plain\r\n\r\nplain\r\n--b b\r\n", converted)
        self.assertEqual([part.defects for part in message.walk()], [[]] * 4)

    def test_embedded_message(self) -> None:
        """An embedded message must not be encoded (RFC 2046 5.2.1): it is converted inside, in a digest, too."""
        inner = lines("Subject: inner", "MIME-Version: 1.0", "", "K\u00f6ln")
        for header in (b"Content-Type: message/rfc822\r\nContent-Transfer-Encoding: 8bit\r\n\r\n", b"\r\n"):
            outer = b"MIME-Version: 1.0\r\nContent-Type: multipart/digest; boundary=b\r\n\r\n--b\r\n"
            message = parsed(seven_bit(outer + header + inner + b"\r\n--b--\r\n"))
            self.assertEqual(contents(message), ["K\u00f6ln".encode()])
            [embedded] = message.get_payload()  # type: ignore[misc]
            self.assertIn(embedded["Content-Transfer-Encoding"], (None, "7bit"))  # type: ignore[index,call-overload]

    def test_report(self) -> None:
        """Reports with 8-bit text in them arrive: only whole and partial messages may not be encoded."""
        octets = b"MIME-Version: 1.0\r\nContent-Type: message/delivery-status\r\n\r\nDiagnostic-Code: K\xc3\xb6ln\r\n"
        self.assertTrue(seven_bit(octets).isascii())

    def test_never_broken(self) -> None:
        """Signed, encrypted, partial and broken parts with 8-bit text are not touched: the sender gets them back."""
        for kind in (
            "multipart/signed; boundary=b",
            "multipart/encrypted; boundary=b",
            "multipart/mixed",
            "multipart/mixed; boundary=\u00fc",
            "message/partial; id=1",
            "message/external-body",
        ):
            octets = f"MIME-Version: 1.0\r\nContent-Type: {kind}\r\n\r\n--b\r\n\r\nK\u00f6ln\r\n--b--\r\n".encode()
            self.assertRaises(CannotConvertError, seven_bit, octets)
        signed = b"Content-Type: multipart/signed; boundary=b\r\n\r\n--b\r\n\r\nplain\r\n--b--\r\n"
        self.assertEqual(seven_bit(signed), signed)


class AnyTests(SynchronousTestCase):
    def test_nasty(self) -> None:
        """Whatever comes, nothing breaks, and a second conversion finds nothing to do."""
        for name, octets in NASTY.items():
            self.check(octets, name)

    @settings(deadline=None, max_examples=200)
    @given(st.binary(max_size=400))
    def test_anything(self, octets: bytes) -> None:
        """The same for octets of chance."""
        self.check(octets, "")

    @settings(deadline=None, max_examples=200)
    @given(
        st.lists(
            st.sampled_from(
                [b"--b\r\n", b"--b--\r\n", b"\r\n", b"\xc3\xb6\r\n", b"x\r\n"]
                + [
                    b"Content-Type: %b\r\n" % kind
                    for kind in (b"multipart/x; boundary=b", b"message/rfc822", b"text/x")
                ]
                + [b"Content-Transfer-Encoding: %b\r\n" % name for name in (b"8bit", b"base64", b"quoted-printable")]
            ),
            max_size=30,
        )
    )
    def test_any_structure(self, pieces: list[bytes]) -> None:
        """The same for parts in any disorder."""
        octets = b"MIME-Version: 1.0\r\n" + b"".join(pieces)
        self.check(octets, "")

    def check(self, octets: bytes, name: str) -> None:
        try:
            converted = seven_bit(octets)
        except CannotConvertError:
            return
        self.assertEqual(seven_bit(converted), converted, name)
