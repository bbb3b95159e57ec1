"""Facts: domains, accounts, names, and how they change."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from zope.interface import Interface

from hostmail.address import Address
from hostmail.decisions import CATCH_REFUSE
from hostmail.errors import Refusal
from hostmail.interfaces.autoresponders import Autoresponder
from hostmail.interfaces.lists import MailingList

MAX_CHAIN = 10
"""How many addresses may lie between a recipient and its mailbox."""


@dataclass(frozen=True, slots=True)
class Domain:
    """A hosted domain. Quotas are octets and messages, None for no limit. Suspensions are BEHAVIOURS A9.

    `catch_all` is what becomes of mail for unknown names (E2): CATCH_REFUSE, CATCH_DISCARD, CATCH_DEFAULT for the default mailbox, or an
    address. A domain that is not `active` is being prepared, or leaves: its accounts work, but mail to it goes where the DNS says.
    `has_names` tells that there are `Name`s in it, `has_lists` that there are mailing lists.
    """

    name: str
    main_login: str
    quota_bytes: int | None = None
    default_account_id: int | None = None
    login_suspended: bool = False
    incoming_suspended: bool = False
    outgoing_suspended: bool = False
    pop_before_smtp: bool = True
    must_match_sender: bool = False
    active: bool = True
    catch_all: str = CATCH_REFUSE
    has_names: bool = False
    has_lists: bool = False


@dataclass(frozen=True, slots=True)
class Name:
    """What was laid down about one address of a hosted domain: where its mail goes (E1), or that nobody gets it (E2).

    `aliases` are addresses hosted here, `forwards` any other. An account may have forwards beside it: with `keep_copy` its mailbox gets
    the mail, too. `blocked` is a name that the domain's catch-all shall not catch.
    """

    address: str
    domain: str
    aliases: tuple[Address, ...] = ()
    forwards: tuple[Address, ...] = ()
    keep_copy: bool = False
    blocked: bool = False

    @property
    def targets(self) -> tuple[Address, ...]:
        """Where its mail goes on to."""
        return self.aliases + self.forwards


@dataclass(frozen=True, slots=True)
class CaughtName:
    """An unknown address that a catch-all has caught mail for: how often, and when first and last (Unix time)."""

    address: str
    count: int
    first_seen: float
    last_seen: float


@dataclass(frozen=True, slots=True)
class Account:
    """Somebody who signs in, and the mailbox he owns.

    `address` is the login, spelled as created (A2). `directory` names the account's folder below its domain's, encoded and safe for a
    file system; it is unique for ever, so that an account created again finds nothing of the old one (D13). What is `operator_suspended`
    ("login outgoing"), its domain's owner cannot allow again.
    """

    id: int
    address: str
    domain: str
    directory: str
    quota_bytes: int | None = None
    quota_messages: int | None = None
    login_suspended: bool = False
    incoming_suspended: bool = False
    outgoing_suspended: bool = False
    operator_suspended: str = ""


@dataclass(frozen=True, slots=True)
class RemovedAccount:
    """An account that was removed at `removed`, Unix time, and can be restored while its mail is kept aside (D13).

    It is `owned` by those who own the domain of its name now: that was made before, and has not been somebody else's since.
    """

    id: int
    address: str
    domain: str
    directory: str
    removed: float
    owned: bool


@dataclass(frozen=True, slots=True)
class Usage:
    """What is stored: octets on the wire and messages, all folders (D2)."""

    bytes: int = 0
    messages: int = 0


@dataclass(frozen=True, slots=True)
class OwnWelcome:
    """How new mailboxes of a domain begin (F3): with a letter from this template, the server's where it is ""; or with none."""

    is_on: bool
    template: str = ""


class IWelcomes(Interface):
    """The domains whose new mailboxes begin otherwise than the server's."""

    async def of_domain(name: str) -> OwnWelcome | None:
        """What was laid down for a domain, None for nothing. Raises TemporaryFailure."""

    async def lay_down(name: str, wanted: OwnWelcome | None) -> None:
        """From the next account on; raises NotFound, TemporaryFailure."""


class IDirectory(Interface):
    """Domains and accounts, read-only, through caches that change events drop."""

    async def domain(name: str) -> Domain | None:
        """The hosted domain `name` (any case)."""

    async def account_for(address: Address) -> Account | None:
        """The account that owns exactly this address, any case; no routing rules."""

    async def account(account_id: int) -> Account | None:
        """The account with this id."""

    async def name(address: Address) -> Name | None:
        """What was laid down about exactly this address, any case."""

    async def domain_alias(name: str) -> str:
        """The hosted domain that the domain `name` stands for (E6), or ""."""

    async def autoresponder(account_id: int) -> Autoresponder | None:
        """What the account answers with."""

    async def mailing_list(address: Address) -> MailingList | None:
        """The mailing list with exactly this address, any case."""

    async def mailing_lists(domain: str | None = None) -> list[MailingList]:
        """All mailing lists (of a domain) by address."""

    async def login(name: str) -> tuple[Account, str] | None:
        """The account and `{SCHEME}hash` for a login spelled exactly so: a full address or a domain's main login (A1-A3)."""

    async def login_meant(name: str) -> tuple[str, int]:
        """Why `name` is no login: "bare name", "wrong case", "unknown"..., for the log and the owner only; and whose id is meant, or 0."""

    async def domains() -> list[Domain]:
        """All domains by name."""

    async def accounts(domain: str | None = None) -> list[Account]:
        """All accounts (of a domain) by address."""

    async def names(domain: str | None = None) -> list[Name]:
        """All names (of a domain) by address."""

    async def domain_aliases(domain: str | None = None) -> list[tuple[str, str]]:
        """All domain aliases (of a domain) by name, each with the domain it stands for."""

    async def removed_accounts(since: float, domain: str | None = None) -> list[RemovedAccount]:
        """Accounts (of a domain) that were removed since then and not restored, the last one first."""

    async def usage(accounts: Sequence[Account]) -> dict[int, Usage]:
        """Stored octets and messages per account id."""

    async def domain_usage(name: str) -> Usage:
        """The sum over the domain's accounts."""


class IDirectoryChanges(Interface):
    """The one way facts change (E7): checks, writes, announces a `DirectoryChanged` event, returns the new fact.

    Unknown names raise NotFound (with a suggestion), taken ones AlreadyExists, senseless values BadValue.
    """

    def within_limits() -> Any:
        """The same IDirectoryChanges for whoever is held to the limits of a domain's owners (`Person`), and to its quota.

        What would bring an owner over a limit raises TooMany or BadValue, and is not done; nothing that was there before is in the way.
        """

    async def add_domain(
        name: str, *, quota_bytes: int | None = None, main_login: str = "", catch_all: str = CATCH_REFUSE
    ) -> Domain:
        """Host a domain; without `main_login` one of up to 8 letters is made from its name (A3)."""

    async def set_domain(name: str, **changes: Any) -> Domain:
        """Change fields of `Domain` (`default_mailbox` takes an address), and its way out as `set_account` does.

        `source_addresses` is a list. `catch_all` refuses as `add_targets` does an address that would make a loop.
        """

    async def remove_domain(name: str) -> None:
        """Stop hosting a domain and all its accounts."""

    async def add_account(
        address: str,
        *,
        password_hash: str,
        quota_bytes: int | None = None,
        quota_messages: int | None = None,
    ) -> Account:
        """Create an account; the first of a domain becomes its default mailbox (A3)."""

    async def set_account(address: str, **changes: Any) -> Account:
        """Change fields of `Account`, and its way out.

        `smarthost` is host or host:port, None for none; without it `smarthost_login`, `smarthost_password` and `smarthost_tls` change the
        one there is.
        """

    async def set_password(address: str, password_hash: str) -> Account:
        """Store a new hash; announces the change so that cached credentials drop (A6)."""

    async def upgrade_hash(account_id: int, old_hash: str, new_hash: str) -> bool:
        """Replace a foreign hash after a good login if it is still `old_hash` (A7); no event."""

    async def remove_account(address: str) -> Account:
        """Delete an account at once (D13), with its forwards."""

    async def restore_account(number: int, address: str = "") -> Account:
        """Host a `RemovedAccount` again, under its own address or another: its password, limits and suspensions. Its mail comes first."""

    async def forget_removed(before: float) -> int:
        """Accounts that were removed before then cannot be restored any more; how many."""

    async def add_targets(
        address: str, targets: Sequence[str], *, forward: bool, keep_copy: bool | None = None
    ) -> Name:
        """Let mail to `address` go to further addresses (E1); `keep_copy` None leaves that as it is.

        Aliases lead to addresses hosted here, from one that has no mailbox; forwards go anywhere, from any. Raises BadValue for a loop,
        naming it, and for a chain longer than MAX_CHAIN; TooMany.
        """

    async def set_autoresponder(
        address: str, *, subject: str, text: str, starts: float | None, until: float | None, every: float
    ) -> Autoresponder:
        """Let an account answer its mail (E4), instead of as it did."""

    async def remove_autoresponder(address: str) -> None:
        """Let it answer no more; raises NotFound."""

    async def remove_targets(address: str, targets: Sequence[str], *, forward: bool) -> Name | None:
        """Take aliases or forwards away, all of them without `targets`; what is left. Raises NotFound for one that is not there."""

    async def add_list(address: str, *, owners: Sequence[str], **columns: Any) -> MailingList:
        """Make a mailing list (E3), with `description`, `post`, `size_bytes`, `tell_held` as in `MailingList`."""

    async def set_list(address: str, **changes: Any) -> MailingList:
        """Change fields of `MailingList`; `owners` are addresses."""

    async def remove_list(address: str) -> MailingList:
        """Give it up, with its members."""

    async def block_name(address: str, blocked: bool = True) -> None:
        """A name that the domain's catch-all shall not catch (E2), or may again. Raises BadValue if it is somebody's."""

    async def add_domain_alias(name: str, domain: str) -> str:
        """Let the whole domain `name` stand for a hosted one (E6); its name as it is kept. Raises AlreadyExists, NotFound."""

    async def remove_domain_alias(name: str) -> str:
        """Stop that; the domain it stood for. Raises NotFound."""


class ICaughtNames(Interface):
    """A catch-all's memory (E2): a bounded number of names for each domain, those longest unseen forgotten first."""

    def caught(address: str) -> None:
        """Remember one message more for this unknown address; it is written down soon."""

    async def names(domain: str) -> list[CaughtName]:
        """What is remembered of a domain, the most frequent first."""

    async def forget(address: str) -> None:
        """Remember it no more."""


class IUsage(Interface):
    """Stored octets per account and domain, kept in the directory's database. Thread-safe: storage's threads call it."""

    def charge(account_id: int, used: Usage, growing: bool) -> None:
        """Record an account's new absolute usage; raises OverQuota if `growing` and the domain's quota (D2) would be passed.

        Absolute numbers heal themselves after a crash. Called inside the account's index transaction.
        """

    def charge_all(charges: Sequence[tuple[int, Usage]]) -> list[Refusal | None]:
        """`charge` of several growing accounts in one transaction; each one's OverQuota, or None, in their order.

        Who is refused leaves everything as it was, for the others too. Raises as `charge` what concerns them all.
        """
