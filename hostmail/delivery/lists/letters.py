"""What a mailing list writes to people: questions, answers, notices to its owners. With the null sender, and marked as automatic."""

from __future__ import annotations

from collections.abc import Callable
from email.message import EmailMessage
from random import Random

from twisted.logger import Logger

from hostmail.address import Address
from hostmail.delivery.ours import Cause, Submit, in_header, letter
from hostmail.errors import Refusal
from hostmail.interfaces import MailingList
from hostmail.listnames import ListWord, around


class Letters:
    """`submit(recipient, message, cause)` takes a message of our own durably or raises a Refusal. `now` is Unix time."""

    log = Logger(namespace="delivery")

    def __init__(self, submit: Submit, *, hostname: str, now: Callable[[], float], random: Random) -> None:
        self._submit = submit
        self._hostname = hostname
        self._now = now
        self._random = random

    async def to_owners(self, found: MailingList, subject: str, text: str, about: bytes = b"") -> None:
        """Tell each of them, with the message it is about; raises the refusal of a failure for now: nobody knows then, or only some do."""
        for owner in found.owners:
            await self.send(found, owner, subject, text, about=about)

    async def send(
        self,
        found: MailingList,
        to: Address,
        subject: str,
        text: str,
        *,
        answer_to: Address | None = None,
        about: bytes = b"",
    ) -> None:
        """Write to somebody; answers go to `answer_to`. Who takes no mail for good is logged; raises a refusal for now."""
        unique = f"{self._random.getrandbits(64):016x}.{self._random.getrandbits(32):08x}"
        author = in_header(around(found.parsed, ListWord.REQUEST), f"{found.parsed.local} list")
        message = letter(author, to, subject, f"{unique}@{self._hostname}", now=self._now(), utf8=not to.is_ascii)
        if answer_to is not None:
            message["Reply-To"] = in_header(answer_to)
        message["Auto-Submitted"] = "auto-replied"
        message["X-Auto-Response-Suppress"] = "All"
        message.set_content(text, charset="utf-8")
        octets = message.as_bytes() if not about else _with(message, about, f"=_{unique}")
        try:
            await self._submit(to, octets, Cause(found.parsed.domain))
        except Refusal as refusal:
            if not refusal.permanent:
                raise
            why = refusal.smtp_line()
            self.log.warn("list_letter_lost: {list} to <{to}>: {why}", list=found.address, to=to, why=why)


def _with(message: EmailMessage, about: bytes, boundary: str) -> bytes:
    """The letter with a message attached as it came: no library shall read and change what a stranger wrote."""
    whole = message.as_bytes()
    header, _, body = whole.partition(b"\r\n\r\n")
    lines = header.split(b"\r\n")
    inner = [line for line in lines if line.lower().startswith(b"content-")]
    kept = [line for line in lines if not line.lower().startswith((b"content-", b"mime-version"))]
    encoding = b"7bit" if about.isascii() else b"8bit"
    border = b"--" + boundary.encode()
    return b"\r\n".join(
        [
            *kept,
            b"MIME-Version: 1.0",
            b'Content-Type: multipart/mixed; boundary="' + boundary.encode() + b'"',
            *([b"Content-Transfer-Encoding: 8bit"] if encoding == b"8bit" else []),
            b"",
            border,
            *inner,
            b"",
            body,
            border,
            b"Content-Type: message/rfc822",
            b"Content-Transfer-Encoding: " + encoding,
            b"",
            about,
            border + b"--",
            b"",
        ]
    )


HELD = """\
A message to {list} waits for your decision:

    from:    {sender}
    reason:  {reason}

It is attached. To let everybody on the list have it, write to

    {approve}

(an empty mail will do). To reject it, write to

    {reject}

These addresses are good for {days} days. Until somebody decides, the message is kept.
"""
QUESTION = """\
Somebody, probably you, asked that {who} {what}
the mailing list {list}.

If that is what you want, answer this mail, from the same address; you need not write anything. If not, do nothing.
"""
WELCOME = """\
{who} is on the mailing list {list} now.

To post, write to {list}.
To leave, write to {unsubscribe}.
For help, write to {request}; the owners are at {owner}.
"""
GOODBYE = """\
{who} is no longer on the mailing list {list}.
"""
ALREADY = """\
Somebody, probably you, asked that {who} {what} the mailing list {list}. Nothing had to be done for that.
"""
HELP = """\
This is the mailing list {list}.

    {list}
        to post
    {subscribe}
        to subscribe
    {unsubscribe}
        to leave
    {owner}
        to reach the owners

To subscribe and to leave, an empty mail will do; you are then asked whether you mean it.
"""
DROPPED = """\
Mail from the list {list} to

    {who}

came back on {days} days, as an address that takes no mail. The member gets no more mail from the list, until somebody
subscribes the address again.
"""


def said(words: str, found: MailingList, **more: object) -> str:
    """One of the texts above, about a list."""
    address = found.parsed
    addresses = {word.value: around(address, word) for word in ListWord}
    return words.format(list=address, **{**addresses, **more})
