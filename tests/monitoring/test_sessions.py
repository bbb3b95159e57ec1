"""hostmail.monitoring.sessions: how many may be connected, and who has to go (LIMITS Connections, D10)."""

from __future__ import annotations

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from hostmail.address import client_network
from hostmail.envelope import Peer
from hostmail.errors import TooMany
from hostmail.interfaces.admin import ISessions, SessionInfo
from hostmail.interfaces.events import DirectoryChanged
from hostmail.monitoring.sessions import Sessions
from tests.support.aloud import Aloud


class ClientNetworkTests(SynchronousTestCase):
    def test_ipv4_is_itself(self) -> None:
        """An IPv4 address is one client."""
        self.assertEqual(client_network("192.0.2.7"), "192.0.2.7")

    def test_ipv6_is_its_64(self) -> None:
        """All addresses of a /64 are one client."""
        self.assertEqual(client_network("2001:db8::1"), client_network("2001:db8::ffff:1"))
        self.assertNotEqual(client_network("2001:db8::1"), client_network("2001:db8:0:1::1"))

    def test_unix_socket_is_nobody(self) -> None:
        """What has no IP address is not limited."""
        self.assertEqual(client_network(""), "")


class SessionsTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.clock = Clock()
        self.events = Aloud()
        self.kicked: list[tuple[str, str]] = []
        self.sessions = Sessions(
            now=self.clock.seconds, events=self.events, unauthenticated=2, authenticated=2, total=4
        )

    def admit(self, ip: str, account_id: int | None = None) -> SessionInfo:
        session = self.sessions.admit(Peer(ip, "imap"), lambda words: self.kicked.append((ip, words)))
        if account_id is not None:
            session.peer.account_id = account_id
            self.sessions.logged_in(session)
        return session

    def test_is_the_contract(self) -> None:
        """It implements ISessions."""
        verifyObject(ISessions, self.sessions)

    def test_remembers_since_when(self) -> None:
        """A session knows when it began, and each has its own id."""
        self.clock.advance(5)
        one, two = self.admit("192.0.2.1"), self.admit("192.0.2.2")
        self.assertEqual(one.since, 5)
        self.assertNotEqual(one.id, two.id)
        self.assertEqual(list(self.sessions.all()), [one, two])
        self.assertEqual(len(self.sessions), 2)

    def test_unauthenticated_per_address(self) -> None:
        """One address may hold only so many sessions before login; the refusal is 421 4.7.0."""
        self.admit("192.0.2.1")
        self.admit("192.0.2.1")
        refusal = self.assertRaises(TooMany, self.admit, "192.0.2.1")
        self.assertEqual((refusal.code, refusal.enhanced), (421, "4.7.0"))
        self.admit("192.0.2.2")

    def test_unauthenticated_per_ipv6_64(self) -> None:
        """Other addresses of the same /64 do not help."""
        self.admit("2001:db8::1")
        self.admit("2001:db8::2")
        self.assertRaises(TooMany, self.admit, "2001:db8::3")

    def test_local_sockets_are_not_limited(self) -> None:
        """Sessions over UNIX sockets have no address to be limited by."""
        for _ in range(4):
            self.admit("")

    def test_leaving_makes_room(self) -> None:
        """A session that is over counts no more; leaving twice is fine."""
        first = self.admit("192.0.2.1")
        self.admit("192.0.2.1")
        self.sessions.leave(first)
        self.sessions.leave(first)
        self.admit("192.0.2.1")
        self.assertEqual(len(self.sessions), 2)

    def test_logging_in_frees_the_unauthenticated_place(self) -> None:
        """Whoever has logged in no longer counts as unauthenticated."""
        self.admit("192.0.2.1", 1)
        self.admit("192.0.2.1")
        self.admit("192.0.2.1")

    def test_authenticated_per_account_and_address(self) -> None:
        """One account may have only so many sessions from one address; elsewhere, and others, may still log in."""
        self.admit("192.0.2.1", 1)
        self.admit("192.0.2.1", 1)
        refusal = self.assertRaises(TooMany, self.admit, "192.0.2.1", 1)
        self.assertEqual(refusal.code, 421)
        self.admit("192.0.2.2", 1)

    def test_logged_in_twice_counts_once(self) -> None:
        """Saying it twice is fine, and so is saying it after the end."""
        session = self.admit("192.0.2.1", 1)
        self.sessions.logged_in(session)
        self.admit("192.0.2.1", 1)
        self.sessions.leave(session)
        self.sessions.logged_in(session)
        self.admit("192.0.2.1", 1)

    def test_full_house_drops_the_oldest_unauthenticated(self) -> None:
        """At the limit the oldest session without login goes; those who logged in stay."""
        self.admit("192.0.2.1", 1)
        for n in (2, 3, 4, 5):
            self.admit(f"192.0.2.{n}")
        self.assertEqual([ip for ip, _ in self.kicked], ["192.0.2.2"])
        self.assertEqual(len(self.sessions), 4)

    def test_full_house_of_users_refuses(self) -> None:
        """If everybody has logged in, the newcomer is refused and nobody is dropped."""
        for n in range(4):
            self.admit(f"192.0.2.{n}", n)
        self.assertRaises(TooMany, self.admit, "192.0.2.9")
        self.assertEqual(self.kicked, [])

    def test_kick_by_account(self) -> None:
        """All sessions of an account can be ended, with words for the peer."""
        self.admit("192.0.2.1", 1)
        self.admit("192.0.2.2", 1)
        self.admit("192.0.2.3", 2)
        self.assertEqual(self.sessions.kick("maintenance", account_id=1), 2)
        self.assertEqual(self.kicked, [("192.0.2.1", "maintenance"), ("192.0.2.2", "maintenance")])
        self.assertEqual(len(self.sessions), 1)

    def test_kick_by_id_and_all(self) -> None:
        """One session can be ended by its id, or all of them."""
        one = self.admit("192.0.2.1", 1)
        self.admit("192.0.2.2")
        self.assertEqual(self.sessions.kick("go", session_id=one.id), 1)
        self.assertEqual(self.sessions.kick("go"), 1)
        self.assertEqual(self.sessions.kick("go"), 0)

    def test_a_kick_that_fails_is_logged(self) -> None:
        """A session that cannot be ended properly does not keep the others from being ended."""
        self.sessions.admit(Peer("192.0.2.9", "imap"), lambda words: 1 / 0)
        self.admit("192.0.2.1")
        self.assertEqual(self.sessions.kick("go"), 2)
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)
        self.assertEqual(len(self.kicked), 1)

    def test_removed_accounts_sessions_end(self) -> None:
        """Sessions of an account that is removed are ended at once (D13, E7)."""
        self.admit("192.0.2.1", 1)
        self.admit("192.0.2.2", 2)
        self.events.publish(DirectoryChanged("example.com", 1, removed=True))
        self.assertEqual([ip for ip, _ in self.kicked], ["192.0.2.1"])
        self.events.publish(DirectoryChanged("example.com", 2))
        self.assertEqual(len(self.kicked), 1)
