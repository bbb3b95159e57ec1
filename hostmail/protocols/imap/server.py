"""An IMAP session: framing, state, answers. The commands are in commands/, a file each."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, ClassVar

from twisted.internet.protocol import connectionDone
from twisted.mail import imap4
from twisted.python.failure import Failure

from hostmail.errors import Refusal
from hostmail.protocols.base import Action, CommandPump
from hostmail.protocols.imap import appending
from hostmail.protocols.imap.account import ImapAccount
from hostmail.protocols.imap.answers import SessionOver, coded
from hostmail.protocols.imap.capabilities import capability_words
from hostmail.protocols.imap.commands.entry import AUTHENTICATED, SELECTED, UNAUTHENTICATED, Entry
from hostmail.protocols.imap.commands.table import TABLE
from hostmail.protocols.imap.dialect import Dialect
from hostmail.protocols.imap.framing import AppendData, AppendLiteral, Command, Continue, Event, Framer, Refused
from hostmail.protocols.imap.idling import LineReader
from hostmail.protocols.imap.news import News
from hostmail.protocols.imap.selected import Selected
from hostmail.protocols.imap.settings import ImapSettings
from hostmail.protocols.imap.tokens import BadSyntax, Cursor
from hostmail.protocols.logs import StageLogger
from hostmail.protocols.sasl import MAX_RESPONSE

if TYPE_CHECKING:
    from hostmail.protocols.imap.factory import HostmailIMAP4Factory


class HostmailIMAP4(News, imap4.IMAP4Server):
    """RFC 3501 on the ordered pump. Twisted's factory, portal and IAccount stay; input and commands are ours (I1-I25)."""

    log = StageLogger(namespace="protocols.imap")
    table: ClassVar[dict[bytes, Entry]] = TABLE

    # Thousands of sessions wait in IDLE. An object that sets no more than thirty attributes, counting all that any of its class ever
    # set, is a fifth of the size of one that sets more: what each session has from the first moment is in slots, what most never set
    # lies here, and the stock server's own part is not begun at all.
    __slots__ = ("_out", "clock", "dialect", "factory", "framer", "idle_seconds")

    account: ImapAccount | None = None
    selected: Selected | None = None
    failed_logins = 0
    append: appending.Append | None = None
    _log_out: Callable[[], Any] | None = None

    def __init__(self, factory: HostmailIMAP4Factory) -> None:
        self.set_up_answers()
        self.factory = factory
        self.clock = factory.clock
        self.idle_seconds = factory.settings.unauthenticated_seconds
        self.dialect = Dialect()
        self.framer = Framer(factory.settings.limits)

    # ---------------------------------------------------------------------------------------------- the pump's words

    def connectionMade(self) -> None:
        """The pump's."""
        CommandPump.connectionMade(self)

    def make_input(self) -> None:
        """It is there already."""

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """The pump's, not the stock one's."""
        CommandPump.connectionLost(self, reason)

    def greet(self) -> None:
        """RFC 3501 section 7.1: OK with what we can do."""
        words = b" ".join(capability_words(self))
        self.send(b"* OK [CAPABILITY %b] %b IMAP ready\r\n" % (words, self.settings.hostname.encode("ascii")))

    def refuse_session(self, refusal: Refusal) -> None:
        """Too many connections."""
        self.send(b"* BYE %b\r\n" % coded(refusal))

    def command_failed(self, failure: Failure) -> None:
        """A fault of ours: for now, and without a word about our insides (I19).

        Half-way through a message nothing can be said any more without the client taking it for part of that message.
        """
        if failure.check(SessionOver):
            return
        if self.mid_answer:
            self.abort()
            return
        if self.idle_tag is not None:
            self.tag = self.idle_tag
            self.stop_idling()
        self.write(self.tag + b" NO [SERVERBUG] something went wrong here, please try again later\r\n")
        self.flush()

    def timed_out(self) -> None:
        """Half an hour without a command."""
        self.bye("nothing heard for too long")

    def kicked(self, words: str) -> None:
        """An operator ends this session."""
        self.bye(words)

    def session_ended(self) -> None:
        """Give folder and account back, whatever ended the session (I15)."""
        self.stop_idling()
        self.notify(None)
        if self.append is not None:
            self.append.abandon()
            self.append = None
        self.deselect()
        log_out, self._log_out = self._log_out, None
        self.account = None
        if log_out is not None:
            log_out()

    # --------------------------------------------------------------------------------------------------------- state

    @property
    def settings(self) -> ImapSettings:
        """The listener's."""
        return self.factory.settings

    @property
    def portal(self) -> Any:  # type: ignore[override]
        """Where logins are judged."""
        return self.factory.portal

    @property
    def sessions(self) -> Any:  # type: ignore[override]
        """All sessions of this process."""
        return self.factory.sessions

    @property
    def tls_context(self) -> Any:
        """For STARTTLS; None where there is none."""
        return self.factory.tls_context

    @property
    def input(self) -> Framer:  # type: ignore[override]
        """Our own framing."""
        return self.framer

    @property
    def protocol_name(self) -> str:  # type: ignore[override]
        """imap or imaps."""
        return self.settings.protocol

    @property
    def implicit_tls(self) -> bool:  # type: ignore[override]
        """Whether TLS comes before everything."""
        return self.settings.implicit_tls

    @property
    def standing(self) -> int:
        """Which commands may be given now (RFC 3501 section 3)."""
        if self.account is None:
            return UNAUTHENTICATED
        return AUTHENTICATED if self.selected is None else SELECTED

    @property
    def store(self) -> Any:
        """The account's folders; SessionOver if the client went while its command was at work."""
        if self.account is None:
            raise SessionOver
        return self.account.store

    def adopt(self, account: ImapAccount, log_out: Callable[[], Any]) -> None:
        """Somebody has logged in."""
        self.account = account
        self._log_out = log_out
        self.idle_seconds = self.settings.idle_seconds
        self.framer.logged_in = True

    def select_folder(self, selected: Selected) -> None:
        """A folder is open from now on."""
        assert self.account is not None
        self.selected = selected
        self.news_waits = False
        if self.news_missed:
            self.news_missed = False
        selected.stop_watching = self.factory.watch.watch(self.account.account.id, selected.name, self.folder_changed)
        if self.notices is not None:
            self.listen()

    def switch_on_condstore(self) -> None:
        """By a command that shows that the client knows MODSEQs (RFC 7162 section 3.1)."""
        if not self.dialect.condstore:
            self.dialect.condstore = True
            if self.selected is not None:
                self.write(self.selected.highest())

    def tells_modseqs(self) -> None:
        """The answer will hold new MODSEQs: whatever others have done before those is to be told with it, heard of or not.

        For a client may take the highest that it has seen for what it knows (RFC 7162 section 6).
        """
        if self.dialect.condstore:
            self.news_waits = True

    def folder_renamed(self, old: str, new: str) -> None:
        """The client renamed a folder: if it is the selected one, or above it, listen under the new name."""
        selected = self.selected
        if selected is None or not f"{selected.name}/".startswith(f"{old}/") or old == "INBOX":
            return
        assert self.account is not None
        if selected.stop_watching is not None:
            selected.stop_watching()
        selected.name = new + selected.name[len(old) :]
        selected.stop_watching = self.factory.watch.watch(self.account.account.id, selected.name, self.folder_changed)

    def deselect(self) -> None:
        """No folder is open any more."""
        selected, self.selected = self.selected, None
        if selected is not None:
            self.left(selected)
            selected.close()

    # --------------------------------------------------------------------------------------------------------- input

    def dataReceived(self, data: bytes) -> None:
        """Octets. Of somebody who has logged in each is progress, also within a message that is only read away (B4)."""
        if self.account is not None:
            self._progress = self.clock.seconds()
        super().dataReceived(data)

    def take_action(self) -> Action | None:
        """The next command, continuation line, or piece of a message."""
        if self.line_reader is not None:
            return self._continuation(self.line_reader)
        while True:
            event = self.framer.next_event()
            if event is None:
                return self.due()
            if not isinstance(event, Continue):
                return self._action(event)
            self.send(b"+ ready for literal\r\n")

    def _action(self, event: Event) -> Action:
        if isinstance(event, AppendData):
            return lambda: appending.more(self, event)
        if isinstance(event, AppendLiteral):
            return lambda: appending.begin(self, event)
        if isinstance(event, Refused):
            return lambda: self._refused(event)
        assert isinstance(event, Command)
        if event.streamed:
            return lambda: appending.finish(self, event)
        return lambda: self._command(event)

    def _continuation(self, reader: LineReader) -> Action | None:
        if self.idle_tag is not None and (news := self.due()) is not None:
            return news
        try:
            line = self.framer.next_line(MAX_RESPONSE)
        except BadSyntax:
            line = b"too long"
        if line is None:
            return None
        return lambda: reader(line)

    def _refused(self, event: Refused) -> None:
        if self.append is not None:
            self.append.abandon()
            self.append = None
        self.tag = event.tag
        if event.status == b"BAD":
            self.bad(event.words)
        else:
            code = b"[%b] " % event.code if event.code else b""
            self.answer(b"NO " + code + event.words.encode())
        if event.fatal:
            self.close()

    def _command(self, command: Command) -> Any:
        cursor = Cursor(command.parts, utf8=self.dialect.utf8)
        self.tag = b"*"
        try:
            self.tag = cursor.tag()
            cursor.space()
            name = cursor.keyword()
            if name == b"UID":
                cursor.space()
                name = b"UID " + cursor.keyword()
        except BadSyntax as problem:
            return self.bad(problem.words)
        entry = self.table.get(name)
        if entry is None:
            return self.bad("unknown command")
        if not entry.standing & self.standing:
            return self.bad(_NOT_NOW[self.standing])
        return self.conclude(entry.run(self, cursor), entry.polls, entry.expunges)

    async def conclude(self, work: Awaitable[bytes | None], polls: bool = False, expunges: bool = True) -> None:
        """Wait for a command to be done, tell the client the news that it may hear now, then answer.

        A command that comes to None has answered already, or will later.
        """
        self.begin_turn()
        try:
            reply = await work
            if reply is None:
                self.flush()
                return
            if self.selected is not None:
                await self._tell_news(polls, expunges)
                self._hold_back()
        except BadSyntax as problem:
            self.bad(problem.words)
        except Refusal as refusal:
            self.note(refusal)
            if self.mid_answer:
                self.abort()
            else:
                self.refuse(refusal)
        except SessionOver:
            pass
        else:
            self.good(reply)

    def _hold_back(self) -> None:
        """A client that takes the highest MODSEQ it has seen for what it knows would never hear of what it could not be told yet.

        Such as VANISHED behind a STORE by numbers, of a lower MODSEQ: HIGHESTMODSEQ has the last word (RFC 7162 section 6).
        """
        selected = self.selected
        if self.dialect.qresync and selected is not None and (selected.gone or selected.withheld or self._is_deaf):
            self.write(selected.highest())


_NOT_NOW = {
    UNAUTHENTICATED: "log in first",
    AUTHENTICATED: "not in this state; select a folder first, if you have logged in",
    SELECTED: "not in this state",
}
