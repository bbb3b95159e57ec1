"""Codes of a second factor."""

from __future__ import annotations

from base64 import b32decode
from urllib.parse import parse_qs, unquote, urlsplit

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from hostmail.auth import totp

# RFC 6238, appendix B, cut to six digits.
RFC_SECRET = b"12345678901234567890"
RFC_CODES = {59: "287082", 1111111109: "081804", 1111111111: "050471", 1234567890: "005924", 20000000000: "353130"}


class TotpTests(SynchronousTestCase):
    def test_rfc(self) -> None:
        """The codes are those of RFC 6238."""
        for at, code in RFC_CODES.items():
            self.assertEqual(totp.code_of(RFC_SECRET, at // 30), code)
            self.assertEqual(totp.step_of(RFC_SECRET, code, at), at // 30)

    def test_clocks(self) -> None:
        """A clock may be half a minute wrong, not more."""
        code = totp.code_of(RFC_SECRET, 1000)
        found = {step: totp.step_of(RFC_SECRET, code, step * 30 + 29.9) for step in range(997, 1004)}
        self.assertEqual([step for step, of in found.items() if of == 1000], [999, 1000, 1001])

    @given(st.text(max_size=8))
    def test_odd_codes(self, text: str) -> None:
        """Whatever somebody types instead is no code."""
        if not totp.is_timed(text):
            self.assertIsNone(totp.step_of(RFC_SECRET, text, 59))

    def test_for_apps(self) -> None:
        """What an app is given says the same as what somebody types; odd logins do no harm."""
        secret = totp.new_secret()
        text = totp.as_text(secret)
        self.assertEqual(b32decode(text + "=" * (-len(text) % 8)), secret)
        uri = urlsplit(totp.as_uri(secret, "a&b:c?", "mail.example.com"))
        self.assertEqual(parse_qs(uri.query), {"secret": [text], "issuer": ["mail.example.com"]})
        self.assertEqual(unquote(uri.path), "/mail.example.com:a&b:c?")

    def test_recovery_codes(self) -> None:
        """They are all different, and people may type them as they like."""
        codes = totp.new_recovery_codes()
        self.assertEqual(len(set(codes)), totp.RECOVERY_CODES)
        for code in codes:
            self.assertFalse(totp.is_timed(totp.plain(code)))
            self.assertEqual(totp.digest_of(code), totp.digest_of(f" {code.replace('-', ' ').upper()} "))
