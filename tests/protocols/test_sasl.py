"""SASL exchanges as clients really conduct them."""

from __future__ import annotations

from base64 import b64encode

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from hostmail.protocols.sasl import (
    MAX_RESPONSE,
    Challenge,
    Credentials,
    LoginMechanism,
    PlainMechanism,
    SaslError,
    mechanism_named,
)

ANN = Credentials("ann@example.com", "sekrit")


class PlainTests(SynchronousTestCase):
    """PLAIN (RFC 4616)."""

    def test_takes_the_initial_response(self):
        """All in one line, as most clients do it."""
        self.assertEqual(PlainMechanism().start(b64encode(b"\0ann@example.com\0sekrit")), ANN)

    def test_asks_with_an_empty_challenge(self):
        """Without an initial response the client is asked with an empty challenge."""
        plain = PlainMechanism()
        challenge = plain.start(None)
        self.assertEqual(challenge, Challenge(b""))
        self.assertEqual(challenge.encoded, b"")
        self.assertEqual(plain.answer(b64encode(b"\0ann@example.com\0sekrit")), ANN)

    def test_keeps_the_authzid(self):
        """The identity to act as is handed on, to be judged by the checker (S12)."""
        step = PlainMechanism().start(b64encode(b"bob@example.com\0ann@example.com\0sekrit"))
        self.assertEqual(step, Credentials("ann@example.com", "sekrit", "bob@example.com"))

    def test_an_empty_password_is_for_the_checker(self):
        """An empty password is a wrong password, not a broken exchange."""
        self.assertEqual(PlainMechanism().start(b64encode(b"\0ann\0")), Credentials("ann", ""))

    def test_refuses_malformed_responses(self):
        """S12: what is not three parts with a login is refused without an exception of ours."""
        for response in (b"", b"ann", b"ann\0sekrit", b"\0\0sekrit", b"a\0b\0c\0d"):
            with self.assertRaises(SaslError) as caught:
                PlainMechanism().answer(b64encode(response))
            self.assertFalse(caught.exception.cancelled)

    def test_an_empty_initial_response_is_malformed(self):
        """`AUTH PLAIN =` is an empty response, which PLAIN does not allow (S12)."""
        self.assertRaises(SaslError, PlainMechanism().start, b"=")

    def test_falls_back_to_latin_1(self):
        """Passwords with umlauts work from programs that do not know UTF-8."""
        self.assertEqual(PlainMechanism().start(b64encode(b"\0ann\0gr\xfcn")), Credentials("ann", "grün"))
        self.assertEqual(PlainMechanism().start(b64encode("\0ann\0grün".encode())), Credentials("ann", "grün"))


class LoginTests(SynchronousTestCase):
    """LOGIN, whose prompts are compared octet by octet (H1)."""

    def test_prompts_are_exact(self):
        """B3: the prompts are `Username:` and `Password:`, nothing else."""
        login = LoginMechanism()
        self.assertEqual(login.start(None).encoded, b"VXNlcm5hbWU6")
        self.assertEqual(login.answer(b64encode(b"ann@example.com")).encoded, b"UGFzc3dvcmQ6")
        self.assertEqual(login.answer(b64encode(b"sekrit")), ANN)

    def test_takes_the_user_name_as_initial_response(self):
        """`AUTH LOGIN dXNlcg==` goes straight to the password (B3)."""
        login = LoginMechanism()
        self.assertEqual(login.start(b64encode(b"ann@example.com")), Challenge(b"Password:"))
        self.assertEqual(login.answer(b64encode(b"sekrit")), ANN)

    def test_an_empty_initial_response_is_asked_again(self):
        """`AUTH LOGIN =` is treated as if no user name had come."""
        self.assertEqual(LoginMechanism().start(b"="), Challenge(b"Username:"))

    def test_refuses_an_empty_user_name(self):
        """A login without a name is refused."""
        login = LoginMechanism()
        login.start(None)
        self.assertRaises(SaslError, login.answer, b"")

    def test_refuses_nul(self):
        """A NUL in login or password is refused."""
        login = LoginMechanism()
        login.start(None)
        self.assertRaises(SaslError, login.answer, b64encode(b"a\0b"))


class EncodingTests(SynchronousTestCase):
    """Base64 as on the wire."""

    def test_the_star_cancels(self):
        """`*` ends the exchange and is told apart from mistakes."""
        with self.assertRaises(SaslError) as caught:
            PlainMechanism().answer(b"*")
        self.assertTrue(caught.exception.cancelled)

    def test_base64_is_strict(self):
        """S12: foreign characters, missing or surplus padding, and stray bits are refused."""
        for line in (
            b"AGFubgBzZWtyaXQ\n",
            b"AGFu bgBz",
            b"AGFubg",
            b"AGFubg=",
            b"AGFubgBz====",
            b"AGFuY===",
            b"QR==",
            b"=",
        ):
            self.assertRaises(SaslError, PlainMechanism().answer, line)

    def test_lines_have_a_limit(self):
        """RFC 4954: no line of an exchange has more than 12,288 octets."""
        self.assertRaises(SaslError, PlainMechanism().answer, b"A" * (MAX_RESPONSE + 4))

    def test_finds_mechanisms_by_name(self):
        """Names count in any case; unknown ones are None."""
        self.assertIsInstance(mechanism_named("plain"), PlainMechanism)
        self.assertIsInstance(mechanism_named("LOGIN"), LoginMechanism)
        self.assertIsNone(mechanism_named("CRAM-MD5"))

    def test_nothing_but_sasl_errors(self):
        """Whatever a peer sends, the answer is a step or a SaslError."""

        @given(
            st.sampled_from(["PLAIN", "LOGIN"]), st.none() | st.binary(max_size=40), st.lists(st.binary(max_size=40))
        )
        def holds(name, initial, lines):
            mechanism = mechanism_named(name)
            try:
                mechanism.start(initial)
                for line in lines:
                    mechanism.answer(line)
                    mechanism.answer(b64encode(line))
            except SaslError:
                pass

        holds()
