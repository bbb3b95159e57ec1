"""What a mailing list writes to people: questions, answers, notices to its owners. With the null sender, and marked as automatic."""

from __future__ import annotations

from collections.abc import Callable
from email.message import EmailMessage
from random import Random

from twisted.logger import Logger

from hostmail.address import Address
from hostmail.delivery.autoreply import thread_fields
from hostmail.delivery.ours import Cause, Submit, in_header, letter
from hostmail.errors import Refusal
from hostmail.interfaces.lists import MailingList
from hostmail.listnames import ListWord, around


def deciders(found: MailingList) -> tuple[Address, ...]:
    """Who may decide about held posts: the owners, and where none of them takes mail, the domain's postmaster, who always does (E5)."""
    return *found.owners, Address("postmaster", found.parsed.domain)


class Letters:
    """`submit(recipient, message, cause)` takes a message of our own durably or raises a Refusal. `now` is Unix time."""

    log = Logger(namespace="delivery")

    def __init__(self, submit: Submit, *, hostname: str, now: Callable[[], float], random: Random) -> None:
        self._submit = submit
        self._hostname = hostname
        self._now = now
        self._random = random

    async def to_owners(
        self, found: MailingList, subject: str, write: Callable[[Address], str], about: bytes = b""
    ) -> None:
        """Tell each of them what `write` says to him, with the message it is about; the domain's postmaster if none takes mail.

        Raises the refusal of a failure for now if nobody knows then. Who takes no mail at present while another owner does is passed
        over: one full mailbox must not bring all others the same letter with each try.
        """
        *owners, postmaster = deciders(found)
        taken, trouble = False, None
        for owner in owners:
            try:
                taken = await self.send(found, owner, subject, write(owner), about=about, asked=False) or taken
            except Refusal as refusal:
                trouble = refusal
                self._log_lost(found, owner, refusal)
        if not taken and trouble is not None:
            raise trouble
        if not taken:
            await self.send(found, postmaster, subject, write(postmaster), about=about, asked=False)

    async def send(
        self,
        found: MailingList,
        to: Address,
        subject: str,
        text: str,
        *,
        answer_to: Address | None = None,
        answers: bytes = b"",
        about: bytes = b"",
        asked: bool = True,
    ) -> bool:
        """Write to somebody; answers go to `answer_to`. `answers` is the header of the message that this answers, where he has `asked`.

        False if he takes no mail for good, which is logged; raises a refusal for now.
        """
        unique = f"{self._random.getrandbits(64):016x}.{self._random.getrandbits(32):08x}"
        author = in_header(around(found.parsed, ListWord.REQUEST), f"{found.parsed.local} list")
        message = letter(author, to, subject, f"{unique}@{self._hostname}", now=self._now(), utf8=not to.is_ascii)
        if answer_to is not None:
            message["Reply-To"] = in_header(answer_to)
        message["Auto-Submitted"] = "auto-replied" if asked else "auto-generated"
        message["X-Auto-Response-Suppress"] = "All"
        message.set_content(text, charset="utf-8")
        octets = message.as_bytes() if not about else _with(message, about, f"=_{unique}")
        try:
            await self._submit(to, thread_fields(answers) + octets, Cause(found.parsed.domain))
        except Refusal as refusal:
            if not refusal.permanent:
                raise
            self._log_lost(found, to, refusal)
            return False
        return True

    async def offer(
        self, found: MailingList, to: Address, subject: str, text: str, *, answers: bytes = b"", asked: bool = True
    ) -> None:
        """As `send`, of what somebody can do without: where it cannot be sent now, that is the end of it."""
        try:
            await self.send(found, to, subject, text, answers=answers, asked=asked)
        except Refusal as refusal:
            self._log_lost(found, to, refusal)

    def _log_lost(self, found: MailingList, to: Address, refusal: Refusal) -> None:
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
