"""IMAP sessions, POP3 sessions, deliveries and other programs, all at one Maildir, their disk work in any order."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from random import Random
from typing import Any, TypeVar

from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

from hostmail.storage.store import MaildirStore
from tests.protocols.house import DiskCase, Pop3Talk
from tests.protocols.observer import DropObserver, Observer

T = TypeVar("T")
FLAGS = (rb"\Deleted", rb"\Seen", rb"\Flagged", b"kw")
STEPS = 400


class TogetherTests(DiskCase):
    """D9-D12, RFC 3501 section 7.4.1: whatever comes in between, numbers mean what the client was told."""

    def setUp(self) -> None:
        super().setUp()
        self.waiting: list[Deferred[None]] = []
        self.held = False
        self.delivered = 0
        self.uidls: dict[bytes, bytes] = {}
        self.store = MaildirStore(
            self.mktemp(), self.in_turn, self.clock, now=self.clock.seconds, wall=time.time_ns, events=self.house.events
        )
        self.house.store = self.house.portal.store = self.store
        self.addCleanup(self._close)

    def _close(self) -> Any:
        self.held = False
        self._let_all_go()
        return Deferred.fromCoroutine(self.store.close())

    async def in_turn(self, f: Callable[..., T], *args: Any) -> T:
        """A thread that starts when the test says so."""
        if self.held:
            gate: Deferred[None] = Deferred()
            self.waiting.append(gate)
            await gate
        return f(*args)

    def _let_all_go(self) -> None:
        for _ in range(1000):
            while self.waiting:
                self.waiting.pop(0).callback(None)
            self.clock.advance(0)
            if not self.waiting:
                return

    # ------------------------------------------------------------------------------------------------- what happens

    def _delivered(self) -> bytes:
        self.delivered += 1
        return b"Subject: %d\r\n\r\nbody\r\n" % self.delivered

    def _other_program(self) -> None:
        """Delivers, removes, or marks as seen, as programs do that know nothing of us."""
        random = self.random
        files = [(place, name) for place in ("new", "cur") for name in os.listdir(self.path(place))]
        choice = random.random()
        if choice < 0.5 or not files:
            self.drop(f"17000{self.delivered:05d}.M{self.delivered}P1.host", self._delivered())
            return
        place, name = random.choice(files)
        if choice < 0.7:
            os.unlink(self.path(place, name))
        else:
            base, _, flags = name.partition(":2,")
            os.rename(self.path(place, name), self.path("cur", base + ":2," + "".join(sorted({*flags, "S"}))))

    def _imap(self, client: Observer) -> None:
        random, size = self.random, len(client.view)
        if client.idling:
            client.done()
            return
        number = random.randint(1, size) if size else 0
        uid = client.view[number - 1] if number else 0
        flag = random.choice(FLAGS)
        commands = [b"NOOP", b"IDLE", b"UID FETCH 1:* (FLAGS)", b"EXPUNGE", b"UID SEARCH UNSEEN", b"SELECT INBOX"]
        if random.random() < 0.2:
            message = self._delivered()
            commands = [b"APPEND INBOX {%d+}\r\n%b" % (len(message), message)]
        elif number:
            both = b"%d:%d" % (number, random.randint(1, size))
            commands += [
                b"FETCH %b (UID FLAGS)" % both,
                b"FETCH %d (UID BODY.PEEK[HEADER.FIELDS (SUBJECT)])" % number,
                b"STORE %b +FLAGS (%b)" % (both, flag),
                b"STORE %d FLAGS.SILENT (%b)" % (number, flag),
                b"COPY %d Trash" % number,
                b"SEARCH SEEN",
            ]
        if uid:
            commands += [
                b"UID STORE %d -FLAGS (%b)" % (uid, flag),
                b"UID EXPUNGE %d" % uid,
                b"UID FETCH %d (BODY.PEEK[HEADER.FIELDS (SUBJECT)] ENVELOPE)" % uid,
                b"UID FETCH %d BODY[]" % uid,
                b"UID MOVE %d Trash" % uid,
            ]
        client.asks(random.choice(commands))

    def _pop3(self) -> None:
        client = self.pop_client
        if client is None or client.over:
            if client is not None:
                client.server.connectionLost(Failure(ConnectionError()))
            talk = Pop3Talk(self)
            self.pop_client = DropObserver(talk.server, talk.wire, self.uidls)
            return
        number = b"%d" % self.random.randint(1, 9)
        choice = self.random.random()
        if choice < 0.15:
            client.asks(b"QUIT")
        elif choice < 0.25:
            client.server.connectionLost(Failure(ConnectionError()))
            self.pop_client = None
        elif choice < 0.6:
            client.asks(b"RETR " + number)
        else:
            client.asks(b"UIDL", b"DELE " + number)

    # ---------------------------------------------------------------------------------------------------------- rules

    def _play(self, seed: int) -> None:
        self.random = Random(seed)
        self.pop_client: DropObserver | None = None
        subjects: dict[int, bytes] = {}
        self.held = False
        clients = [Observer(self.ann(), subjects) for _ in range(3)]
        for client in clients:
            client.asks(b"SELECT INBOX")
        self.held = True
        for _ in range(STEPS):
            choice = self.random.random()
            if choice < 0.5 and self.waiting:
                self.waiting.pop(self.random.randrange(len(self.waiting))).callback(None)
            elif choice < 0.75:
                free = [client for client in clients if not client.busy or client.idling]
                if free:
                    self._imap(self.random.choice(free))
            elif choice < 0.85:
                self._other_program()
            elif choice < 0.93:
                self._pop3()
            else:
                self.clock.advance(0.05)
            for client in clients:
                client.listen()
            if self.pop_client is not None:
                self.pop_client.listen()
        self._check(clients, subjects)

    def _check(self, clients: list[Observer], subjects: dict[int, bytes]) -> None:
        """In the end all agree: with each other, with a newcomer, and with the files."""
        self.held = False
        self._let_all_go()
        clients.append(Observer(self.ann(), subjects))
        clients[-1].asks(b"SELECT INBOX")
        for client in clients:
            client.listen()
            if client.idling:
                client.done()
            assert not client.busy, client.command
            client.asks(b"NOOP")
            client.asks(b"FETCH 1:* (UID FLAGS BODY.PEEK[HEADER.FIELDS (SUBJECT)])")
            self.assertTrue(client.answer.startswith(b"OK"), client.answer)
        newest = clients[-1]
        for client in clients:
            self.assertEqual(client.view, newest.view)
            self.assertEqual({u: client.flags[u] for u in client.view}, {u: newest.flags[u] for u in newest.view})
        here = sorted(subjects[uid] for uid in newest.view)
        on_disk = []
        for place in ("new", "cur"):
            for name in os.listdir(self.path(place)):
                with open(self.path(place, name), "rb") as file:
                    on_disk.append(file.readline().split()[1])
        self.assertEqual(here, sorted(on_disk))
        self.assertEqual(len(here), len(set(here)))
        for client in clients:
            client.talk.hangs_up()
        if self.pop_client is not None:
            self.pop_client.listen()
            self.pop_client.server.connectionLost(Failure(ConnectionError()))

    def test_everybody_at_once(self) -> None:
        """Twelve random afternoons."""
        for seed in range(12):
            with self.subTest(seed=seed):
                self._play(seed)
