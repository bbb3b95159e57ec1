"""Why mail could not be handed over, in words for the sender's report and the queue's list."""

from __future__ import annotations

from dataclasses import dataclass

from hostmail.errors import Refusal, TemporaryFailure
from hostmail.relay.replies import Reply

LEAVING = 421
LOGIN_TROUBLE = frozenset({530, 534, 535, 538})
TAKES_NO_MAIL = frozenset({521, 556})


class NextHopFailure(TemporaryFailure):
    """The next host could not be reached or did not play its part: later perhaps."""

    code, enhanced, words = 451, "4.4.1", "the next mail server cannot be reached"
    elsewhere = True


class Refused(Refusal):
    """The next host does not take this message, or not for this recipient."""

    elsewhere = True


class DnsFailure(NextHopFailure):
    """The DNS has no answer for now: a timeout, or servers in trouble (SERVFAIL)."""

    enhanced, words = "4.4.3", "the DNS does not answer"


class NoRoute(NextHopFailure):
    """This machine has no way to such an address, for it has no IPv6, say: that tells nothing about the host."""


class Crowded(NextHopFailure):
    """The host has as many connections from us as it gets. It was not asked, so this is no attempt."""

    enhanced, words = "4.4.5", "as many connections to the next mail server are open as it gets from here"


class NotAllowed(NextHopFailure):
    """The DNS names nothing but private addresses, or those of a kind that we do not use: the operator is told, and may allow them."""

    enhanced, words = "4.4.4", "no address that this server may connect to"


class NoSuchDomain(Refused):
    """The DNS says that the name does not exist (NXDOMAIN)."""

    code, enhanced, words = 550, "5.1.2", "that domain does not exist"


class NowhereToGo(Refused):
    """The domain exists, but no host takes its mail."""

    code, enhanced, words = 550, "5.4.4", "no host takes mail for that domain"


class TakesNoMail(Refused):
    """The host greets with the words that it takes no mail at all (RFC 7504); another one of the same domain may."""

    code, enhanced, words = 521, "5.3.2", "that host takes no mail"


class LoopsBack(Refused):
    """The way leads to ourselves, who do not take that mail: sending it on would bring it back."""

    code, enhanced, words = 554, "5.4.6", "that mail would come back to this server"


@dataclass(frozen=True, slots=True)
class Sent:
    """One recipient's result. `answer` is the host's last word when it took the mail; `dsn` if it also took over NOTIFY (RFC 3461).

    `unreachable`: no host of this destination could be talked to at all, so the same holds for other mail that goes there. `crowded`:
    nobody was asked, for there are as many connections to the host as it gets.
    """

    refusal: Refusal | None = None
    answer: str = ""
    dsn: bool = False
    unreachable: bool = False
    crowded: bool = False


def counts_more(new: Refusal, known: Refusal) -> bool:
    """Whether the trouble with one more host of a domain is what the mail's sender is to hear of, instead of that with an earlier one.

    The best host's trouble is it as a rule. A host that takes no mail is believed only if no other one may yet take it (RFC 7504 4),
    and what cannot be reached from here at all is no reason to think so.
    """
    return _weight(new) > _weight(known)


def _weight(refusal: Refusal) -> int:
    if isinstance(refusal, NoRoute | LoopsBack):
        return 0
    return 1 if isinstance(refusal, TakesNoMail) else 2


def refusal_of(reply: Reply, host: str, *, recipient: bool = False) -> Refusal:
    """What a reply that is not good means for a recipient.

    A server that wants another login from us is our operator's trouble, so mail waits. 421 is about the connection (RFC 5321 3.8).
    552 without a status at RCPT is "too many recipients" in old servers' words (RFC 5321 4.5.3.1.10).
    """
    words = f"{host} said: {reply}"
    if reply.code == LEAVING:
        return NextHopFailure(words, code=LEAVING, enhanced=reply.enhanced or "4.3.2")
    if reply.code in LOGIN_TROUBLE or not 400 <= reply.code < 600:
        return NextHopFailure(words, enhanced="4.3.5")
    if recipient and reply.code == 552 and reply.enhanced in ("", "5.5.3"):
        return Refused(words, code=452, enhanced="4.5.3")
    return Refused(words, code=reply.code, enhanced=reply.enhanced or f"{reply.code // 100}.0.0")
