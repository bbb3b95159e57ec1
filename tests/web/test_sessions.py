"""Sessions as they are kept: by hash, bounded, each with its times."""

from __future__ import annotations

from pathlib import Path

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from hostmail.web.sessions import IDLE_SECONDS, PER_SUBJECT, WebSessions, csrf_token, is_csrf_token, number_of


class SessionsTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.clock = Clock()
        self.clock.advance(1000)
        self.path = Path(self.mktemp())
        self.sessions = WebSessions(path=self.path, now=self.clock.seconds)
        self.addCleanup(self.sessions.close)

    def begin(self, subject: str = "person:1") -> str:
        return self.sessions.begin(subject=subject, credential="c", login="owen", ip="192.0.2.1", program="Browser")

    def test_found_by_its_token_alone(self) -> None:
        """Only the token opens a session, and each is another one."""
        one, two = self.begin(), self.begin()
        self.assertNotEqual(one, two)
        self.assertGreaterEqual(len(one), 43)
        found = self.sessions.find(one)
        assert found is not None
        self.assertEqual(
            (found.subject, found.login, found.ip, found.program), ("person:1", "owen", "192.0.2.1", "Browser")
        )
        for token in ("", "x", one[:-1], one + "x", "\ud800"):
            self.assertIsNone(self.sessions.find(token))

    def test_listed_and_ended(self) -> None:
        """Somebody sees his own sessions, the last used first, and ends them: one, or all but this one."""
        first, second, other = self.begin(), self.begin(), self.begin("person:2")
        self.clock.advance(60)
        found = self.sessions.find(first)
        assert found is not None
        self.sessions.used(found)
        mine = self.sessions.of("person:1")
        self.assertEqual([session.id for session in mine], [1, 2])
        self.assertFalse(self.sessions.end_one("person:2", mine[0].id))
        self.assertTrue(self.sessions.end_one("person:1", mine[1].id))
        self.assertIsNone(self.sessions.find(second))
        self.begin()
        self.assertEqual(self.sessions.end_others("person:1", mine[0].id), 1)
        self.assertIsNotNone(self.sessions.find(first))
        self.assertIsNotNone(self.sessions.find(other))

    def test_half_sessions_are_not_listed(self) -> None:
        """Who has still to give his code is not signed in."""
        self.sessions.begin(subject="person:1", credential="c", login="owen", ip="", is_half=True)
        self.assertEqual(self.sessions.of("person:1"), [])

    def test_bounded(self) -> None:
        """Of one subject the fifty last used are kept."""
        tokens = []
        for _ in range(PER_SUBJECT + 2):
            self.clock.advance(1)
            tokens.append(self.begin())
        self.assertEqual(len(self.sessions.of("person:1")), PER_SUBJECT)
        self.assertIsNone(self.sessions.find(tokens[0]))

    def test_passwords_alone_end_nothing(self) -> None:
        """However often somebody comes as far as the code, whoever is signed in stays so; and of those few are kept, too."""
        token = self.begin()
        for _ in range(PER_SUBJECT + 2):
            self.clock.advance(1)
            self.sessions.begin(subject="person:1", credential="c", login="owen", ip="", is_half=True)
        self.assertIsNotNone(self.sessions.find(token))
        self.assertEqual(self.sessions._file.ask("SELECT count(*) FROM sessions"), [(PER_SUBJECT + 1,)])

    def test_forgotten(self) -> None:
        """What has ended leaves the file in time."""
        self.begin()
        self.clock.advance(IDLE_SECONDS)
        for number in range(101):
            self.begin(f"person:{number + 10}")
        self.assertEqual(self.sessions._file.ask("SELECT 1 FROM sessions WHERE subject = 'person:1'"), [])

    def test_numbers(self) -> None:
        """Whoever signs in has a number for his connections, which nobody else and no account has."""
        subjects = [f"{kind}:{number}" for kind in ("person", "domain", "account") for number in range(1, 20)]
        numbers = {number_of(subject) for subject in subjects}
        self.assertEqual(len(numbers), len(subjects))
        self.assertTrue(all(number is not None and number < 0 for number in numbers))
        self.assertIsNone(number_of("nonsense"))

    def test_form_tokens(self) -> None:
        """A form's token belongs to one session; nothing else is one, whatever letters it has."""
        self.assertTrue(is_csrf_token(csrf_token("a"), "a"))
        for given, token in ((csrf_token("b"), "a"), ("", "a"), ("ä", "a"), (csrf_token(""), "")):
            self.assertFalse(is_csrf_token(given, token))
