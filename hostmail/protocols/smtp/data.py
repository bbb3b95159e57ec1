"""DATA and BDAT: the message."""

from __future__ import annotations

from collections.abc import Callable

from hostmail.envelope import first_of
from hostmail.errors import MessageTooBig, Refusal, TemporaryFailure
from hostmail.protocols.logs import shown
from hostmail.protocols.smtp.bdat import Bdat, ChunkReceiver, parse_bdat
from hostmail.protocols.smtp.body import Body
from hostmail.protocols.smtp.core import BadSequence, Handled, Transaction, no_argument
from hostmail.protocols.smtp.scanner import DataScanner
from hostmail.protocols.smtp.transaction import TransactionCommands

Receive = Callable[[bytes], bytes | None]
Complete = Callable[[], Handled]


class DataCommands(TransactionCommands):
    """Octets that are no commands, until they have come to their end."""

    receive: Receive | None = None
    _complete: Complete

    def do_DATA(self, argument: str) -> None:
        """RFC 5321 4.1.1.4."""
        mail = self._need_recipients()
        no_argument(argument)
        mail.body = self._begin(mail, DataScanner())
        self.say(354, "End data with <CR><LF>.<CR><LF>")
        self._expect(mail.body.feed, self._message_complete)

    def do_BDAT(self, argument: str) -> Handled:
        """RFC 3030. A chunk is read whatever the answer will be; only a size that cannot be read ends the session (S6)."""
        try:
            chunk = parse_bdat(argument.encode("utf-8", "surrogateescape"))
        except Refusal as refusal:
            self.refuse(refusal)
            self.close()
            return None
        try:
            body = self._chunked(chunk)
        except Refusal as refusal:
            return self._skip(chunk.size, refusal)
        assert isinstance(body.framing, ChunkReceiver)
        body.framing.expect(chunk.size)
        return self._chunk_expected(chunk.size, body.feed, lambda: self._chunk_complete(chunk))

    # ------------------------------------------------------------------------------------------------------- receiving

    def body_received(self, data: bytes) -> Handled:
        """Octets of the message; behind its end commands go on. Where the disk is slow the pump waits, and so does the peer."""
        assert self.receive is not None
        rest = self.receive(data)
        if rest is None:
            body = self.mail.body if self.mail is not None else None
            return body.drained() if body is not None and body.congested else None
        self.input.push_back(rest)
        return self._expected()

    def _expect(self, receive: Receive, complete: Complete) -> None:
        self.receive, self._complete = receive, complete
        self.allow_idle(self.settings.data_idle_seconds)

    def _expected(self) -> Handled:
        """Back to commands."""
        self.receive = None
        self.allow_idle(self.settings.idle_seconds)
        return self.guarded(self._complete)

    def _chunk_expected(self, size: int, receive: Receive, complete: Complete) -> Handled:
        self._expect(receive, complete)
        return None if size else self._expected()

    def _skip(self, size: int, refusal: Refusal) -> Handled:
        """Read a chunk and throw it away, then refuse; nothing is left of the transaction."""
        self.forget_mail(refusal)
        unwanted = ChunkReceiver()
        unwanted.expect(size)

        def complete() -> None:
            raise refusal

        return self._chunk_expected(size, lambda data: unwanted.feed(data)[1], complete)

    def session_ended(self) -> None:
        """Nothing more is expected."""
        self.receive = None
        super().session_ended()

    # ------------------------------------------------------------------------------------------------------- beginning

    def _need_recipients(self) -> Transaction:
        mail = self.need_mail()
        if not mail.decisions:
            raise BadSequence("no valid recipients")
        return mail

    def _begin(self, mail: Transaction, framing: DataScanner | ChunkReceiver) -> Body:
        """A body for the accepted recipients; raises a Refusal, whatever went wrong."""
        try:
            transaction = self.intake.begin(self.peer, mail.envelope, mail.decisions)
        except Refusal:
            raise
        except Exception:  # noqa: BLE001 - a chunk follows all the same, and must be read before the answer
            sender, peer = mail.envelope.sender, shown(self.peer)
            self.log.failure("message could not be begun: from=<{sender}> ({peer})", sender=sender, peer=peer)
            raise TemporaryFailure from None
        return Body(framing, transaction, self.settings.message_size_limit)

    def _chunked(self, chunk: Bdat) -> Body:
        """The body this chunk belongs to, begun by the first one."""
        if self.mail is None or self.mail.body is None:
            mail = self._need_recipients()
            mail.body = self._begin(mail, ChunkReceiver())
        else:
            mail = self.mail
        body = mail.body
        assert body is not None
        if body.content.size + chunk.size > self.settings.message_size_limit:
            raise MessageTooBig
        return body

    # -------------------------------------------------------------------------------------------------------- the end

    def _chunk_complete(self, chunk: Bdat) -> Handled:
        if chunk.last:
            return self._message_complete()
        assert self.mail is not None
        assert self.mail.body is not None
        try:
            self.mail.body.check()
        except Exception:
            self.forget_mail()
            raise
        self.say(250, f"2.0.0 {chunk.size} octets received")
        return None

    async def _message_complete(self) -> None:
        """Only what is on disk for every recipient gets 250 (D12); a transaction ends here, one way or the other."""
        mail, self.mail = self.mail, None
        assert mail is not None
        assert mail.body is not None
        self.messages += 1
        envelope, content = mail.envelope, mail.body.content
        self.doing = f"message {mail.body.queue_id} from=<{envelope.sender}>"
        try:
            transaction = mail.body.finish()
            if content.eight_bit and envelope.body == "7BIT":
                envelope.body = "8BITMIME"
            await transaction.commit()
        except Refusal as refusal:
            self.refuse(refusal, to=first_of(envelope.recipients), size=content.size)
            return
        self.say(250, f"2.0.0 Ok: queued as {transaction.queue_id}")
