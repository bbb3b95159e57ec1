"""Many sessions on one folder as a state machine of hypothesis: each rule is one thing that may happen (RFC 3501, RFC 7162).

The folder, the clients and what they must know are those of `test_resync_model`; here hypothesis chooses what happens when, and to whom,
and shrinks a life that goes wrong to the few steps that matter.
"""

from __future__ import annotations

from random import Random

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test
from twisted.trial.unittest import SynchronousTestCase

from tests.protocols.imap.test_resync_model import MailProgram, World

CLIENTS = st.integers(0, len(World.KINDS) - 1)
CHOICES = st.randoms(use_true_random=False)


class ManySessions(RuleBasedStateMachine):
    """Four clients, one folder, and mail that arrives."""

    @initialize()
    def begin(self) -> None:
        """An empty folder that all have selected."""
        self.world = World(SynchronousTestCase("successResultOf"), Random(0))
        for client in self.world.clients:
            client.comes()

    def client(self, number: int, choices: Random) -> MailProgram | None:
        """This one, if it is connected; what it does in detail is chosen anew."""
        self.world.random = choices
        client = self.world.clients[number]
        return client if client.talk is not None else None

    @rule(choices=CHOICES)
    def mail_arrives(self, choices: Random) -> None:
        self.world.random = choices
        self.world.deliver()

    @rule()
    def announcements_arrive(self) -> None:
        self.world.events()

    @rule(number=CLIENTS)
    def comes_or_goes(self, number: int) -> None:
        self.world.meet(self.world.clients[number])

    @rule(number=CLIENTS, choices=CHOICES)
    def stores_flags(self, number: int, choices: Random) -> None:
        if client := self.client(number, choices):
            self.world.store(client)

    @rule(number=CLIENTS, choices=CHOICES)
    def fetches(self, number: int, choices: Random) -> None:
        if client := self.client(number, choices):
            self.world.read(client)

    @rule(number=CLIENTS, choices=CHOICES)
    def searches(self, number: int, choices: Random) -> None:
        if client := self.client(number, choices):
            self.world.ask(client)

    @rule(number=CLIENTS, choices=CHOICES)
    def expunges(self, number: int, choices: Random) -> None:
        if client := self.client(number, choices):
            self.world.expunge(client)

    @rule(number=CLIENTS, choices=CHOICES)
    def appends(self, number: int, choices: Random) -> None:
        if client := self.client(number, choices):
            self.world.append(client)

    @rule(number=CLIENTS, choices=CHOICES)
    def copies_or_moves(self, number: int, choices: Random) -> None:
        if client := self.client(number, choices):
            self.world.carry(client)

    @rule(number=CLIENTS, choices=CHOICES)
    def idles(self, number: int, choices: Random) -> None:
        if client := self.client(number, choices):
            client.idle()

    @rule(number=CLIENTS, choices=CHOICES)
    def knows_everything_after_noop(self, number: int, choices: Random) -> None:
        """What the client believes to be there is what is there."""
        if client := self.client(number, choices):
            assert client.catches_up() == self.world.truth

    @invariant()
    def uids_and_modseqs_rise(self) -> None:
        """UIDs are given once and in order, MODSEQs never fall, flags are those that were stored."""
        if hasattr(self, "world"):
            self.world.look()

    def teardown(self) -> None:
        """At the end each of them comes back, and knows the folder."""
        if not hasattr(self, "world"):
            return
        try:
            for client in self.world.clients:
                if client.talk is None:
                    client.comes()
                assert client.catches_up() == self.world.truth
        finally:
            self.world.close()


class StateMachineTests(SynchronousTestCase):
    def test_many_sessions(self) -> None:
        """Whatever happens in whatever order, each client hears a consistent sequence and knows at the end what is there."""
        chosen = settings(max_examples=100, stateful_step_count=50, deadline=None, database=None)
        run_state_machine_as_test(ManySessions, settings=chosen)
