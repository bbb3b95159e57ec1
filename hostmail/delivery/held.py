"""Telling the people concerned that an account's mail is held because it sent too much."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

from twisted.logger import Logger

from hostmail.address import Address
from hostmail.delivery.ours import Cause, Submit, letter
from hostmail.errors import Refusal
from hostmail.interfaces.directory import Account, IDirectory

HELD = "the account has sent more than it may"

_TEXT = """\
The account {address} has sent mail to more recipients than it may within an
hour or a day. Its further mail is kept on this server and has not been sent.

If that was you: nothing is lost. Ask your provider to send what is held, and
for a higher limit if you need one.

If it was not you, somebody knows the password of {address}: change it now, and
tell your provider to delete what is held.

For the operator of {hostname}:
    hostmail queue list account:{address} state:held
    hostmail queue release account:{address}
    hostmail queue delete account:{address} state:held
    hostmail account set {address} --suspend outgoing
"""


class HoldNotices:
    """Writes to the account and to its domain's owner, once a day however much is held.

    `claim(account_id)` is True for whoever is to write; `submit(recipient, message, cause)` takes a message of our own durably or raises a
    Refusal. `now` is Unix time.
    """

    log = Logger(namespace="delivery")

    def __init__(
        self,
        submit: Submit,
        *,
        directory: IDirectory,
        claim: Callable[[int], bool],
        hostname: str,
        now: Callable[[], float],
        random: Random,
    ) -> None:
        self._submit = submit
        self._directory = directory
        self._claim = claim
        self._hostname = hostname
        self._now = now
        self._random = random

    async def held(self, account_id: int, queue_id: str) -> None:
        """Mail of this account was held. Trouble with telling it is logged, for the mail itself is safe."""
        with self.log.failuresHandled("hold_notice_failed: {queue_id}", queue_id=queue_id):
            account = await self._directory.account(account_id)
            if account is None or not self._claim(account_id):
                return
            self.log.warn(
                "sending_limit: mail of {address} is held, first {queue_id}", address=account.address, queue_id=queue_id
            )
            for recipient in await self._concerned(account):
                await self._tell(account, recipient, queue_id)

    async def _concerned(self, account: Account) -> list[str]:
        """The account, and the domain's default mailbox, which is its owner's (A3)."""
        domain = await self._directory.domain(account.domain)
        owner = None
        if domain is not None and domain.default_account_id is not None:
            owner = await self._directory.account(domain.default_account_id)
        return list(dict.fromkeys([account.address, *([owner.address] if owner is not None else [])]))

    async def _tell(self, account: Account, recipient: str, queue_id: str) -> None:
        address = account.address
        to, utf8 = Address.parse(recipient), not (address + recipient).isascii()
        author = f"Mail Delivery System <MAILER-DAEMON@{self._hostname}>"
        unique = f"{queue_id}.{self._random.getrandbits(64):016x}@{self._hostname}"
        message = letter(author, to, f"Mail of {address} is held", unique, now=self._now(), utf8=utf8)
        message["Auto-Submitted"] = "auto-generated"
        message.set_content(_TEXT.format(address=address, hostname=self._hostname), charset="utf-8")
        try:
            await self._submit(to, message.as_bytes(), Cause(account.domain))
        except Refusal as refusal:
            self.log.warn("hold_notice_failed: to {recipient}: {why}", recipient=recipient, why=refusal.smtp_line())
