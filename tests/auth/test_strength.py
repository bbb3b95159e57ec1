"""hostmail.auth.strength: which passwords are worth storing (A6)."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from hostmail.auth.strength import check_strength, common_passwords
from hostmail.errors import BadValue


class StrengthTests(SynchronousTestCase):
    def reason(self, password: str, login: str = "ann.smith@example-shop.com") -> str:
        return str(self.assertRaises(BadValue, check_strength, password, login).public)

    def test_good_ones(self) -> None:
        """Ordinary good passwords are taken, in any script."""
        for password in ("correct horse", "x7!kPq2z", "пароль-из-слов", "日本語のパスワード", "ann.smith.2"):
            check_strength(password, "ann.smith@example-shop.com")

    def test_short(self) -> None:
        """Fewer than 8 characters are refused."""
        self.assertIn("8 characters", self.reason("x7!kPq2"))

    def test_endless(self) -> None:
        """A password that sessions could not carry is refused."""
        self.assertIn("1024", self.reason("x7!kPq2z" * 200))

    def test_what_cannot_be_sent(self) -> None:
        """Control characters would end the command line that carries the password."""
        for letter in "\0\r\n\x7f\udce9":
            self.assertIn("cannot send", self.reason(f"x7!kPq2z{letter}"))

    def test_the_login(self) -> None:
        """Neither the login nor a part of it, in any case, doubled or backwards."""
        for password in ("Ann.Smith@Example-Shop.com", "ANN.SMITH", "example-shop.com", "Example-Shop", "htims.nna"):
            self.assertIn("login", self.reason(password))
        self.assertIn("login", self.reason("homepage", "homepage"))
        self.assertIn("login", self.reason("bobbybobby", "bobby@example.com"))

    def test_common(self) -> None:
        """What everybody would try first is refused, in any case."""
        for password in (
            "Password1",
            "iloveyou",
            "QWERTY123",
            "qwertyui",
            "87654321",
            "abcdefgh",
            "aaaaaaaa",
            "abababab",
        ):
            self.assertIn("anybody would try", self.reason(password))

    def test_the_list(self) -> None:
        """The built-in list is in lower case and long enough to matter."""
        listed = common_passwords()
        self.assertGreater(len(listed), 400)
        self.assertEqual([word for word in listed if word != word.casefold() or len(word) < 8], [])
