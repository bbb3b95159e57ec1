"""Steps for people."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from hostmail.address import Address
from hostmail.clientsetup.guides import Guide, essentials, guides, lasting, notes, profile_link
from hostmail.clientsetup.plaintext import WIDTH, whole
from hostmail.clientsetup.setup import Setup
from tests.clientsetup.values import ANN, setup


def guide(found: Setup, key: str) -> Guide:
    """One of them."""
    return next(each for each in guides(found, ANN) if each.key == key)


def told(found: Guide) -> str:
    """All its words."""
    return "\n".join(
        "\n".join([step.text, *(f"{name}: {value}" for name, value in step.facts)]) for step in found.steps
    )


class GuideTests(SynchronousTestCase):
    def test_all_programs(self) -> None:
        """Those of F3, each with the exact login and the domain's own names."""
        found = guides(setup(), ANN)
        self.assertEqual(
            [each.key for each in found], ["thunderbird", "outlook", "apple-mail", "ios", "android", "other", "old"]
        )
        for each in found:
            self.assertIn("Ann@one.test", told(each), each.key)
            self.assertIn("mail.one.test", told(each), each.key)

    def test_old_programs(self) -> None:
        """POP3 and SMTP without TLS, authentication as for incoming mail, and else check before you send (C2)."""
        words = told(guide(setup(in_clear=True, relay_window=1800), "old"))
        self.assertIn("Incoming mail (POP3): mail.one.test, port 110", words)
        self.assertIn("Outgoing mail (SMTP): mail.one.test, port 587", words)
        self.assertIn("My server requires authentication", words)
        self.assertIn("Use same settings as my incoming mail server", words)
        self.assertIn("For 30 minutes after each check", words)
        self.assertIn("It works without", words)

    def test_no_password_in_clear(self) -> None:
        """Where that is refused, old programs are led to TLS; where grants are off, nothing is said of them."""
        words = told(guide(setup(), "old"))
        self.assertIn("mail.one.test, port 995", words)
        self.assertIn("without it no password is taken", words)
        self.assertNotIn("check for new mail", words)

    def test_no_pop3(self) -> None:
        """The guide for old programs says so."""
        self.assertIn("There is no POP3", told(guide(setup({"imaps": 993, "submissions": 465}), "old")))

    def test_pop3_only(self) -> None:
        """Then every program is told POP."""
        found = setup({"pop3s": 995, "submissions": 465})
        for key, word in (
            ("thunderbird", "Choose POP3"),
            ("outlook", "manually, POP,"),
            ("apple-mail", "Account type: POP"),
            ("ios", "Choose POP,"),
            ("android", "Personal (POP3)"),
        ):
            self.assertIn(word, told(guide(found, key)))

    def test_profiles(self) -> None:
        """Apple's programs are told where theirs is, if it is somewhere."""
        link = "https://w.test/setup/apple.mobileconfig?address=Ann@one.test"
        for key in ("apple-mail", "ios"):
            self.assertIn(link, told(guide(setup(web="https://w.test"), key)))
            self.assertNotIn("profile", told(guide(setup(), key)).lower())
        odd = profile_link(setup(web="https://w.test"), Address.parse("a+b&c=d@one.test"))
        self.assertTrue(odd.endswith("?address=a%2Bb%26c%3Dd@one.test"))

    def test_nothing_offered(self) -> None:
        """Without a way in, or a way out, there are no steps."""
        self.assertEqual(guides(setup({"imaps": 993}), ANN), ())
        self.assertEqual(guides(setup({"smtp": 25}), ANN), ())

    def test_essentials(self) -> None:
        """Everything a program may ask, in one table."""
        facts = dict(essentials(setup(domain="two.test"), Address.parse("Ann@two.test")))
        self.assertEqual(facts["Mail address"], "Ann@two.test")
        self.assertEqual(facts["User name (login)"], "Ann@one.test")

    def test_own_certificate(self) -> None:
        """Who will be asked about it is told before."""
        self.assertTrue(any("certificate" in each for each in notes(setup(trusted=False), ANN)))
        self.assertFalse(any("certificate" in each for each in notes(setup(), ANN)))

    def test_durations(self) -> None:
        """In words."""
        told = [lasting(seconds) for seconds in (60, 1800, 3600, 7200, 5400)]
        self.assertEqual(told, ["a minute", "30 minutes", "an hour", "2 hours", "90 minutes"])


class TextTests(SynchronousTestCase):
    def test_fits_a_letter(self) -> None:
        """Lines stay short but for what must not be broken."""
        text = whole(setup(web="https://w.test", relay_window=1800), ANN)
        long = [line for line in text.splitlines() if len(line) > WIDTH and "https://" not in line]
        self.assertEqual(long, [])
        self.assertTrue(text.startswith("Setting up a mail program for Ann@one.test\n====="))
        for title in (
            "Thunderbird\n---",
            "iPhone and iPad\n---",
            "1. ",
            "  Incoming mail, IMAP     mail.one.test, port 993",
        ):
            self.assertIn(title, text)
        self.assertFalse([line for line in text.splitlines() if line != line.rstrip()])
