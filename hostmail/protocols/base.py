"""The ordered command pump under SMTP, POP3 and IMAP.

The stock servers run pipelined commands side by side, keep plaintext over STARTTLS, never bound their input and may stay open for ever
once closed. This mixin replaces their input side: one command at a time in order, input dropped at STARTTLS, pressure passed back to the
peer in both directions, timers that count lack of progress only while it is the peer's turn, and a close that ends.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IHandshakeListener, IPushProducer
from twisted.internet.protocol import connectionDone
from twisted.python.failure import Failure
from zope.interface import implementer

from hostmail.errors import Refusal
from hostmail.interfaces.admin import SessionInfo
from hostmail.protocols import otherend
from hostmail.protocols.buffer import InputBuffer
from hostmail.protocols.logs import shown
from hostmail.protocols.patience import FIRST_COMMAND_SECONDS, STALL_SECONDS, Patience
from hostmail.protocols.stepping import begun

Action = Callable[[], "Awaitable[Any] | None"]

HIGH_WATER = 128 * 1024
CLOSE_GRACE_SECONDS = 5.0
TURN_SECONDS = 0.01
HANDSHAKE_SECONDS = 30.0
KICK_GRACE_SECONDS = 10.0
PROVEN_OCTETS = 16 * 1024
_TIMERS = ("_timer", "_closer", "_stall", "_handshake", "_farewell")


@implementer(IPushProducer, IHandshakeListener)
class CommandPump(Patience):
    """Mixin in front of a twisted.mail server protocol.

    A subclass says what the next thing to do is (`take_action`), greets, refuses and logs in its own words. Actions return None when done,
    or a coroutine; until that has finished nothing else is taken from the input.
    """

    noisy = False
    # Given by the factory, as `clock` is.
    sessions: Any
    protocol_name = ""
    implicit_tls = False

    interruptible = False
    doing = ""
    session: SessionInfo | None = None

    _pumping = False
    _paused_input = False
    _unproven = 0
    _waiting_for_drain: tuple[Deferred[None], ...] = ()
    _closer: Any = None
    _handshake: Any = None
    _farewell: Any = None

    # ------------------------------------------------------------------------------------------------- for subclasses

    def greet(self) -> None:
        """Send the greeting."""
        raise NotImplementedError

    def take_action(self) -> Action | None:
        """Cut the next command, line or chunk off `self.input`; None when more octets are needed."""
        raise NotImplementedError

    def refuse_session(self, refusal: Refusal) -> None:
        """Say in the protocol's words why this connection is not served; it is closed afterwards."""
        raise NotImplementedError

    def command_failed(self, failure: Failure) -> None:
        """Answer an action that raised something unexpected; it is logged already."""
        raise NotImplementedError

    def kicked(self, words: str) -> None:
        """Say goodbye because an operator or a newer session wants it; the connection is closed afterwards."""
        raise NotImplementedError

    def session_ended(self) -> None:
        """Release whatever the session holds, whatever ended it."""

    # ----------------------------------------------------------------------------------------------------- connection

    def connectionMade(self) -> None:
        """Nothing of the stock behaviour: set the transport up, count the session in, greet."""
        transport = self.transport
        self.make_input()
        self.peer = otherend.peer_of(transport, self.protocol_name, self.implicit_tls)
        nodelay = getattr(transport, "setTcpNoDelay", None)
        if nodelay is not None and self.peer.ip:
            nodelay(True)
        otherend.keep_alive(transport)
        transport.registerProducer(self, True)
        self._progress = self.clock.seconds()
        self._arm(FIRST_COMMAND_SECONDS)
        if self.implicit_tls:
            self._await_handshake()
        try:
            self.session = self.sessions.admit(self.peer, self.kick)
        except Refusal as refusal:
            self.refuse_session(refusal)
            self.close()
            return
        self.greet()

    def make_input(self) -> None:
        """Where octets wait to be understood."""
        self.input = InputBuffer()

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """Stop every timer and give everything back."""
        if self._gone:
            return
        self._gone = self._closing = True
        for name in _TIMERS:
            call = getattr(self, name)
            if call is not None:
                setattr(self, name, None)
                if call.active():
                    call.cancel()
        self.input.clear()
        if self.session is not None:
            self.sessions.leave(self.session)
        self._drained()
        self.session_ended()

    def kick(self, words: str) -> None:
        """Disconnect, telling the client why.

        A command under way is answered first, for ten seconds at most: a message that was just taken must not be sent again for want of
        its 250. `interruptible` marks commands that only wait (IDLE).
        """
        if self._closing or self._farewell is not None:
            return
        if self._busy and not self.interruptible:
            self._farewell = self.clock.callLater(KICK_GRACE_SECONDS, self._say_farewell, words)
        else:
            self._say_farewell(words)

    def _say_farewell(self, words: str) -> None:
        if not self._closing:
            self.kicked(words)
            self.close()

    def close(self) -> None:
        """Flush, close, and make sure that it ends: a silent peer is aborted after a grace.

        The grace is short unless much output may still be under way on a slow line.
        """
        if self._closing:
            return
        self._closing = True
        self.input.clear()
        self.transport.unregisterProducer()
        self.transport.loseConnection()
        grace = CLOSE_GRACE_SECONDS if self._unproven <= PROVEN_OCTETS else STALL_SECONDS
        self._closer = self.clock.callLater(grace, self.abort)

    def abort(self) -> None:
        """Drop the connection without any courtesy."""
        if not self._gone:
            self._closing = True
            self.transport.abortConnection()

    @property
    def is_occupied(self) -> bool:
        """True while input has to wait: a command is under way, or the peer does not read."""
        return self._busy or self._congested

    @property
    def closing(self) -> bool:
        """True once nothing more is read from the peer."""
        return self._closing

    # ------------------------------------------------------------------------------------------------------------ TLS

    def start_tls(self, context: Any) -> None:
        """Begin the handshake; what the peer sent in plaintext behind STARTTLS is dropped (S1, I1).

        The caller has written its go-ahead, and resets its protocol state.
        """
        self.input.clear()
        self.peer.tls = True
        self.transport.startTLS(context)
        self._await_handshake()

    def _await_handshake(self) -> None:
        self._handshake = self.clock.callLater(HANDSHAKE_SECONDS, self.abort)

    def handshakeCompleted(self) -> None:
        """Note what was agreed, for trace fields and logs."""
        if self._handshake is not None and self._handshake.active():
            self._handshake.cancel()
        self._handshake = None
        handle = self.transport.getHandle()
        self.peer.tls_version = handle.get_protocol_version_name()
        self.peer.tls_cipher = handle.get_cipher_name() or ""
        name = handle.get_servername()
        self.peer.server_name = name.decode("ascii", "replace") if name else ""

    # ---------------------------------------------------------------------------------------------------------- input

    def dataReceived(self, data: bytes) -> None:
        """Octets from the peer."""
        if self._closing:
            return
        self._unproven = 0
        self.input.append(data)
        if self.is_occupied:
            self._relieve()
        else:
            self.pump()

    def _relieve(self) -> None:
        if len(self.input) > HIGH_WATER and not self._paused_input and not self._gone:
            self._paused_input = True
            self.transport.pauseProducing()

    def pump(self) -> None:
        """Run actions until the input is used up, one is unfinished, or the peer does not read."""
        if self._pumping:
            return
        self._pumping = True
        try:
            turn_ends = self.clock.seconds() + TURN_SECONDS
            while not (self._busy or self._closing or self._congested or self._farewell):
                if self.clock.seconds() > turn_ends:
                    self._wait_for(self._next_turn())
                    break
                action = self.take_action()
                if action is None:
                    break
                self._begun = True
                self._progress = self.clock.seconds()
                self._run(action)
        except Exception:  # noqa: BLE001 - a fault in our parser: this input cannot be trusted any further
            self._failed(Failure())
            self.close()
        finally:
            self._pumping = False
        if self._paused_input and not (self._busy or self._congested or self._closing):
            self._paused_input = False
            self.transport.resumeProducing()

    def _next_turn(self) -> Deferred[None]:
        """Others first: a peer may pipeline as much as it likes."""
        turn: Deferred[None] = Deferred()
        self.clock.callLater(0, turn.callback, None)
        return turn

    def _run(self, action: Action) -> None:
        try:
            result = action()
        except Exception:  # noqa: BLE001 - the edge of the command: logged once, answered in protocol words
            self._failed(Failure())
            return
        if result is not None:
            self._wait_for(result)

    def _wait_for(self, result: Awaitable[Any]) -> None:
        self._busy = True
        try:
            waiting = begun(result) if isinstance(result, Coroutine) else result
        except Exception:  # noqa: BLE001 - as in _run
            self._failed(Failure())
            waiting = None
        if waiting is None:
            self._finished(None)
            return
        assert isinstance(waiting, Deferred)
        waiting.addErrback(self._failed)
        waiting.addBoth(self._finished)

    def _finished(self, _: object) -> None:
        self._busy = False
        self._progress = self.clock.seconds()
        if self._farewell is not None and self._farewell.active():
            self._farewell.reset(0)
        elif not self._closing:
            self.pump()

    def _failed(self, failure: Failure) -> None:
        self.log.failure("command failed: {peer} {doing}", failure=failure, peer=shown(self.peer), doing=self.doing)
        if not self._closing:
            self.command_failed(failure)

    # --------------------------------------------------------------------------------------------------------- output

    def send(self, data: bytes) -> None:
        """Write one whole reply; nothing happens once the peer is gone."""
        if not self._gone:
            self._unproven += len(data)
            self.transport.write(data)

    @property
    def congested(self) -> bool:
        """True while the peer does not read what it was sent: write no more, await `drained`."""
        return self._congested

    async def drained(self) -> None:
        """Wait until the peer has read most of what was sent, or is gone."""
        while self._congested and not self._gone:
            done: Deferred[None] = Deferred()
            self._waiting_for_drain += (done,)
            await done

    def pauseProducing(self) -> None:
        """The transport's buffer is full."""
        self._congested = True
        self._await_reader()

    def resumeProducing(self) -> None:
        """The transport's buffer is empty again."""
        self._congested = False
        self._reader_is_back()
        self._drained()
        if not self._busy and not self._closing:
            self.pump()

    def stopProducing(self) -> None:
        """The transport is done with us; connectionLost follows."""

    def _drained(self) -> None:
        waiting = self._waiting_for_drain
        if waiting:
            self._waiting_for_drain = ()
        for done in waiting:
            done.callback(None)
