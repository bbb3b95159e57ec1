"""What became of a message, said once for the log and once for the history."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from hostmail.delivery.accepted import Responsible
from hostmail.delivery.bounce import Original, Outcome
from hostmail.delivery.ends import End, Ends
from hostmail.delivery.floods import Floods
from hostmail.envelope import Envelope, Peer, Recipient
from hostmail.errors import BrokenOff, Refusal, SpamNotForwarded
from hostmail.interfaces.history import Happened, IHistory, MailFact
from hostmail.message.headers import field_value

MOST_MESSAGE_ID = 250


def who(peer: Peer, responsible: Responsible | None) -> str:
    """Who brought a message, for the log: protocol, address, and the account that answers for it; or that we wrote it ourselves."""
    if peer.protocol == "local":
        return "this server itself"
    return f"{peer.protocol} {peer.ip or 'local'} {responsible.login if responsible is not None else peer.login or '-'}"


def said(peer: Peer, responsible: Responsible | None) -> str:
    """The same for people."""
    if peer.protocol == "local":
        return "this server itself"
    login = responsible.login if responsible is not None else peer.login
    return f"{peer.ip or 'this machine'} by {peer.protocol}{f' as {login}' if login else ''}"


def message_id(header: bytes) -> str:
    """The Message-ID without its brackets, "" if there is none. A header with bad line ends may have more behind it."""
    words = (field_value(header, b"message-id") or b"").decode("utf-8", "replace").split()
    return words[0].strip("<>")[:MOST_MESSAGE_ID] if words else ""


class Telling:
    """Writes the intake's part of each message's story. `now` is Unix time."""

    def __init__(self, history: IHistory, now: Callable[[], float]) -> None:
        self._history = history
        self._now = now
        self._floods = Floods()

    def refused(
        self,
        peer: Peer,
        envelope: Envelope,
        recipients: Sequence[Recipient],
        refusal: Refusal,
        header: bytes = b"",
    ) -> None:
        """Nothing was taken for these recipients, or from this sender before any was named; the header if it came that far."""
        for recipient in [str(each.address) for each in recipients] or [""]:
            self.turned_away(peer, envelope.sender, recipient, refusal, message_id(header))

    def turned_away(self, peer: Peer, sender: str, recipient: str, refusal: Refusal, message_id: str = "") -> None:
        """One of these, as the client wrote them; of a flood of them only some."""
        left = self._floods.count(peer.ip, self._now())
        if left < 0:
            return
        broken_off = isinstance(refusal, BrokenOff)
        words = f"{refusal.public if broken_off else refusal.smtp_reply()} ({said(peer, None)})"
        if not left:
            words += "; what else this client is refused within the hour is in the log alone"
        what = Happened.BROKEN_OFF if broken_off else Happened.REFUSED
        self._tell(what, "", message_id=message_id, sender=sender, recipient=recipient, words=words)

    def accepted(self, queue_id: str, envelope: Envelope, header: bytes, words: str, ends: Ends) -> None:
        """We have it, and these are its ends. `words` tell who brought it and how large it is."""
        self._tell(Happened.ACCEPTED, queue_id, message_id=message_id(header), sender=envelope.sender, words=words)
        for what, recipient, about in _ends(ends):
            self._tell(what, queue_id, recipient=recipient, words=about)

    def reported(self, original: Original, action: str, outcomes: Sequence[Outcome]) -> None:
        """The sender was sent a report about these recipients."""
        for outcome in outcomes:
            self._tell(
                Happened.REPORTED, original.queue_id, sender=original.sender, recipient=outcome.recipient, words=action
            )

    def unreported(self, original: Original, outcomes: Sequence[Outcome], why: str) -> None:
        """Nobody was told that it failed for these recipients."""
        for each in outcomes:
            self._tell(Happened.UNREPORTED, original.queue_id, recipient=each.recipient, words=why)

    def answered(self, queue_id: str, sender: str, mailbox: str) -> None:
        """An autoresponder has answered this sender."""
        self._tell(Happened.ANSWERED, queue_id, recipient=mailbox, words=f"an answer went to {sender}")

    def unanswered(self, queue_id: str, mailbox: str, why: str) -> None:
        """The autoresponder of this mailbox is on, and says nothing."""
        self._tell(Happened.UNANSWERED, queue_id, recipient=mailbox, words=why)

    def _tell(
        self,
        what: Happened,
        queue_id: str,
        message_id: str = "",
        sender: str = "",
        recipient: str = "",
        words: str = "",
    ) -> None:
        self._history.tell(MailFact(self._now(), what, queue_id, message_id, sender, recipient, words))


def _ends(ends: Ends) -> Iterator[tuple[Happened, str, str]]:
    for recipient, address in ends.leads:
        yield Happened.LED_TO, str(recipient.address), address
    for mailbox in ends.mailboxes:
        mine = mailbox.decision.delivered_to
        if mailbox.answer is None:
            yield Happened.DELIVERED, mine, _caught("", mailbox.decision.caught)
        else:
            yield _trouble(mailbox), mine, mailbox.answer.smtp_reply()
    for _, forward in ends.forwards:
        yield Happened.QUEUED, str(forward.address), _caught(f"forwarded by {forward.forwarder}", forward.caught)
    for recipient, end in ends.lists:
        if str(recipient.address) != str(end.address):
            yield Happened.LED_TO, str(recipient.address), str(end.address)
        yield Happened.QUEUED, str(end.address), "for a mailing list"
    for recipient in ends.elsewhere:
        yield (Happened.HELD if recipient.held else Happened.QUEUED), str(recipient.address), recipient.held
    for nowhere in ends.nowhere:
        yield _trouble(nowhere), str(nowhere.address), nowhere.answer.smtp_reply()
    for recipient in ends.withheld:
        yield Happened.WITHHELD, str(recipient.address), SpamNotForwarded.words
    for recipient in ends.discards:
        yield Happened.DISCARDED, str(recipient.address), "the domain's owner wants unknown names discarded"


def _trouble(end: End) -> Happened:
    return Happened.POSTPONED if end.waits else Happened.FAILED


def _caught(words: str, name: str) -> str:
    """With the name that nobody has, where a catch-all is the reason."""
    return ", ".join(filter(None, [words, f"the catch-all takes mail for {name}" if name else ""]))
