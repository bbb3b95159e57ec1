"""Refusals: what we say no with, in the words of each protocol.

A stage raises meaning (`OverQuota`); the session alone turns it into SMTP, POP3 or IMAP words. `public` goes to the
peer, `private` to the log only. Whatever is not a `Refusal` is a fault of ours: a failure for now, never explained
to the peer (`Refusal.unexpected`).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Self


class Refusal(Exception):
    """A deliberate no.

    `code` is the SMTP reply code (RFC 5321), `enhanced` the RFC 3463 status, `imap` the RFC 5530 response code and
    `pop3` the RFC 2449 extended response code, both without brackets and empty when there is none. `elsewhere`: the words are about the
    server that mail was to go to, or are its own, and may name the address there. `argument` is the argument of a verb that it is about,
    where that is known: forms show it beside that field.
    """

    code: int = 550
    enhanced: str = "5.7.1"
    imap: str = ""
    pop3: str = ""
    words: str = "refused"
    elsewhere: bool = False
    argument: str = ""

    def __init__(self, public: str | None = None, private: str = "", *, code: int = 0, enhanced: str = "") -> None:
        self.public = public if public is not None else self.words
        self.private = private
        if code:
            self.code = code
        if enhanced:
            self.enhanced = enhanced
        super().__init__(self.public)

    @property
    def permanent(self) -> bool:
        """True if trying again will not help (5xx)."""
        return self.code >= 500

    def about(self, argument: str) -> Self:
        """The same, about this argument, if it does not know better."""
        self.argument = self.argument or argument
        return self

    def smtp_line(self) -> str:
        """Enhanced code and public words, to follow the reply code."""
        return f"{self.enhanced} {self.public}"

    def smtp_reply(self) -> str:
        """All of it, for reports and stories."""
        return f"{self.code} {self.smtp_line()}"


@contextmanager
def concerning(argument: str) -> Iterator[None]:
    """Whatever is refused in here is about this argument."""
    try:
        yield
    except Refusal as refusal:
        refusal.about(argument)
        raise


class BadAddress(Refusal):
    """Text that is no address (RFC 5321 4.1.2)."""

    code, enhanced, words = 501, "5.1.3", "that is not a valid mail address"


class NoSuchRecipient(Refusal):
    code, enhanced, words = 550, "5.1.1", "no such user here"


class RecipientSuspended(Refusal):
    code, enhanced, words = 550, "5.2.1", "this mailbox does not accept mail at present"


class RelayingProhibited(Refusal):
    """BEHAVIOURS C1: the words are part of the contract."""

    code, enhanced = 550, "5.7.1"
    words = (
        "relaying prohibited: check your mail first, or switch on "
        '"my server requires authentication" in your mail program'
    )


class SendingSuspended(Refusal):
    code, enhanced, words = 550, "5.7.1", "sending is suspended for this account: please ask your provider"


class OverQuota(Refusal):
    """The mailbox, or its domain, has no room for this message (BEHAVIOURS D4)."""

    code, enhanced, imap = 552, "5.2.2", "OVERQUOTA"
    words = "mailbox full"


class MessageTooBig(Refusal):
    code, enhanced, imap, words = 552, "5.3.4", "TOOBIG", "message is larger than this server accepts"


class BadMessage(Refusal):
    """Content we do not take: bare CR or LF, NUL, endless lines."""

    code, enhanced, words = 550, "5.6.0", "message content is not valid"


class BrokenOff(Refusal):
    """A message that did not come to its end, or was never begun although recipients were taken: nobody may be there to hear it."""

    code, enhanced, words = 421, "4.4.2", "the client was gone before the end of the message"


class SpamNotForwarded(Refusal):
    code, enhanced, words = 550, "5.7.1", "this message was judged spam and is not forwarded"


class MailLoop(Refusal):
    code, enhanced, words = 554, "5.4.6", "this message is going round in a loop"


class TemporaryFailure(Refusal):
    """A fault of ours: nothing is lost, the peer should try again."""

    code, enhanced, imap, pop3 = 451, "4.3.0", "UNAVAILABLE", "SYS/TEMP"
    words = "local error, please try again later"


class OutOfSpace(TemporaryFailure):
    code, enhanced, words = 452, "4.3.1", "not enough room on the server, please try again later"


class TooMany(Refusal):
    """A count or depth over its limit (LIMITS.md)."""

    code, enhanced, imap, pop3, words = 452, "4.5.3", "LIMIT", "SYS/TEMP", "too many"


class Overloaded(Refusal):
    """No capacity for this right now, or guessing is being slowed. `wait` is in how many seconds it may be tried again."""

    code, enhanced, imap, pop3, words = 454, "4.7.0", "UNAVAILABLE", "SYS/TEMP", "please try again later"

    def __init__(self, public: str | None = None, private: str = "", *, wait: float = 10.0) -> None:
        super().__init__(public, private)
        self.wait = wait


class LoginFailed(Refusal):
    """Unknown account, wrong password, suspended: one and the same to the peer; `private` knows the difference."""

    code, enhanced, imap, pop3 = 535, "5.7.8", "AUTHENTICATIONFAILED", "AUTH"
    words = "login or password not accepted: both are case-sensitive, and the login is your full mail address"


class BareLogin(LoginFailed):
    """A user name without a domain (BEHAVIOURS A1)."""

    words = "login not accepted: use your full mail address as user name"


class PlaintextRefused(Refusal):
    """The listener does not take passwords without TLS."""

    code, enhanced, imap, pop3 = 538, "5.7.11", "PRIVACYREQUIRED", "AUTH"
    words = "switch on TLS (STARTTLS or SSL) in your mail program first"


class MaildropInUse(Refusal):
    code, enhanced, imap, pop3 = 451, "4.2.0", "INUSE", "IN-USE"
    words = "another mail program is just fetching this mailbox"


class NoSuchFolder(Refusal):
    code, enhanced, imap, words = 550, "5.2.0", "NONEXISTENT", "no such folder"


class FolderExists(Refusal):
    code, enhanced, imap, words = 550, "5.2.0", "ALREADYEXISTS", "a folder of that name exists already"


class BadFolderName(Refusal):
    code, enhanced, imap, words = 550, "5.2.0", "CANNOT", "folders cannot have that name"


class Returned(Refusal):
    """An operator has ordered waiting mail back to its sender."""

    code, enhanced, words = 554, "5.0.0", "returned by the operator of this mail server"


class MessageGone(Refusal):
    """The message was expunged by somebody else."""

    code, enhanced, imap, words = 550, "5.2.0", "EXPUNGEISSUED", "that message is no longer there"


class NotFound(Refusal):
    """A name that does not exist in the directory; `suggestion` is a near miss."""

    code, words = 404, "not found"

    def __init__(self, public: str, suggestion: str = "") -> None:
        self.suggestion = suggestion
        super().__init__(f"{public} (did you mean {suggestion}?)" if suggestion else public)


class NotAllowed(Refusal):
    """Somebody signed in asks for what is not for such as he."""

    code, words = 403, "that is not for you to do"


class AlreadyExists(Refusal):
    code, words = 409, "exists already"


class BadValue(Refusal):
    """A value given by an operator, owner or user that cannot be taken."""

    code, words = 422, "that value cannot be used"


class ConfigurationError(Exception):
    """The configuration cannot be used; the text is file, line, key and what would be right."""


def as_refusal(error: BaseException) -> Refusal:
    """The refusal in `error`, or for anything unexpected the failure for now that hides it from the peer."""
    return error if isinstance(error, Refusal) else TemporaryFailure(private=repr(error))
