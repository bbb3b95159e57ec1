"""Whatever a server says, each recipient has a result, and nothing stays behind (C9; LIMITS, Relaying)."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.internet.task import Clock

from hostmail.relay.client import TRANSMISSION_SECONDS
from tests.relay.talk import Server, TalkCase

LINES = (
    *(
        "220 hi",
        "250 ok",
        "250-mx",
        "250-PIPELINING",
        "250-CHUNKING",
        "250-STARTTLS",
        "250 SIZE 5",
        "250 8BITMIME",
        "250 AUTH PLAIN LOGIN",
    ),
    *(
        "354 go",
        "221 bye",
        "421 busy",
        "450 4.2.0 later",
        "452 full",
        "552 full",
        "550 5.1.1 no",
        "554 never",
        "235 in",
        "334 x",
    ),
    *(
        "999 what",
        "25",
        "nonsense",
        "250" + " x" * 3000,
        "\0\xff",
        "250 ok\r\n250 ok\r\n250 ok",
        "220 go\r\n250 forged",
    ),
)
TALK = st.lists(st.one_of(st.sampled_from(LINES), st.just("hang up"), st.just("handshake")), max_size=25)

BEGUN = ["220 hi", "250-mx", "250-PIPELINING", "250 8BITMIME"]
IN_CHUNKS = ["220 hi", "250-mx", "250 CHUNKING"]
AT_ONCE = ["220 hi", "250-mx", "250-PIPELINING", "250 CHUNKING"]


class HostileTests(TalkCase):
    @settings(deadline=None, max_examples=400)
    @given(
        st.one_of(
            TALK, *(TALK.map(lambda rest, begun=begun: [*begun, *rest]) for begun in (BEGUN, IN_CHUNKS, AT_ONCE))
        ),
        st.sampled_from([30, 20_000, 600_000]),
        st.sampled_from(["", "us"]),
        st.sampled_from(["may", "must", "never"]),
    )
    def test_anything(self, talk: list[str], size: int, user: str, tls: str) -> None:
        """Any replies in any order, and silence in the end: two results, in time, and no timer or connection left."""
        self.clock = Clock()
        self.endpoint.servers.clear()
        self.write(b"x" * size)
        self.behave(replace(self.manners, user=user, password=user, tls=tls, open_login=True))
        sending = self.send("bob@x.example", "eve@x.example")
        for line in talk:
            self.say(self.server, line)
        while not sending.called:
            self.assertLess(self.clock.seconds(), 3 * TRANSMISSION_SECONDS)
            self.clock.advance(60)
            self.tidy()
        self.assertEqual(len(self.results(sending)), 2)
        self.destination.close()
        self.tidy()
        self.clock.advance(TRANSMISSION_SECONDS)
        self.tidy()
        self.assertEqual(self.clock.getDelayedCalls(), [])
        self.assertTrue(self.destination.unused)

    def say(self, server: Server, line: str) -> None:
        if server.ended or server.transport.disconnected:
            return
        if line == "hang up":
            server.hangs_up()
        elif line == "handshake":
            if server.transport.tls is not None and not server.wire.secure:
                server.wire.handshakeCompleted()
        else:
            server.says(line)
        self.tidy()

    def tidy(self) -> None:
        """What we have cut, the kernel ends."""
        for server in self.endpoint.servers:
            if server.gone and not server.ended:
                server.hangs_up()
