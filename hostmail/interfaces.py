"""The contracts between the stages. Whoever needs another stage receives one of these as a constructor argument.

Methods marked `async` are coroutine functions (and return without suspending when the answer is in memory); all others
answer at once, on the reactor's thread unless the docstring says "thread-safe". Failures are `errors.Refusal`s; anything else
is a fault of ours.
"""

from __future__ import annotations

from array import array
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import IntFlag, StrEnum
from typing import Any, Protocol, TypeVar

from twisted.cred.credentials import IUsernamePassword
from zope.interface import Attribute, Interface, implementer

from hostmail.actor import Actor, Role
from hostmail.address import Address
from hostmail.decisions import CATCH_REFUSE
from hostmail.envelope import Envelope, Peer, Recipient
from hostmail.errors import Refusal

T = TypeVar("T")


class InThread(Protocol):
    """Runs `function(*args)` where it may block; what it returns or raises comes back on the reactor's thread."""

    def __call__(self, function: Callable[..., T], /, *args: Any) -> Awaitable[T]: ...


# ---------------------------------------------------------------------------------------------------- facts: the directory


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
    file system; it is unique for ever, so that an account created again finds nothing of the old one (D13).
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


class MayPost(StrEnum):
    """Whose posts a mailing list takes without asking its owners, who may post themselves in any case."""

    MEMBERS = "members"
    ANYONE = "anyone"
    OWNERS = "owners"


@dataclass(frozen=True, slots=True)
class MailingList:
    """A mailing list (E3). `owners` get what concerns it, and decide about posts that are held. Posts over `size_bytes` are refused.

    With `tell_held` people hear that their post is held, where that is safe.
    """

    id: int
    address: str
    domain: str
    owners: tuple[Address, ...]
    description: str = ""
    post: MayPost = MayPost.MEMBERS
    size_bytes: int = 1024 * 1024
    tell_held: bool = True

    @property
    def parsed(self) -> Address:
        """Its address."""
        return Address.parse(self.address)


@dataclass(frozen=True, slots=True)
class Member:
    """Somebody on a mailing list; not `active` is who was dropped since mail to him came back on too many days (`bounces`).

    Times are Unix time.
    """

    number: int
    address: str
    active: bool
    bounces: int
    last_bounce: float | None
    joined: float


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


@dataclass(frozen=True, slots=True)
class CertificateInfo:
    """A certificate in its file. `server_name` is the name that clients ask for to get it, "" for the one that all others get.

    Times are Unix time. `problem` says why it cannot be used; then the rest may be empty.
    """

    server_name: str
    file: str
    names: tuple[str, ...] = ()
    issuer: str = ""
    valid_from: float = 0.0
    valid_until: float = 0.0
    self_signed: bool = False
    problem: str = ""


ListCertificates = Callable[[InThread], Awaitable[Sequence[CertificateInfo]]]
"""All certificates there are, read anew in a thread: the one for everybody first, then by server name. Raises TemporaryFailure."""


class IListMembers(Interface):
    """Who is on mailing lists, over all processes. Nothing is cached; each change is durable when it returns."""

    async def members(list_id: int) -> list[Member]:
        """All, by address."""

    async def counts(list_id: int) -> tuple[int, int]:
        """How many get mail, and how many were dropped."""

    async def member(list_id: int, address: Address) -> Member | None:
        """The one with this address, any case."""

    async def add(list_id: int, address: Address) -> bool:
        """Put somebody on it, or back; False if he is on it already. Raises BadValue, TooMany, NotFound."""

    async def add_all(list_id: int, addresses: Sequence[Address]) -> list[bool | Refusal]:
        """`add` for each of them, with its answer, in one step."""

    async def remove(list_id: int, address: Address) -> bool:
        """Take somebody off; False if he was not on it."""

    async def bounced(list_id: int, number: int) -> tuple[Member, bool] | None:
        """Count a day on which mail could not be delivered to a member, and whether that dropped him; None if nothing was to count."""

    async def ask(list_id: int, address: Address, action: str) -> bool:
        """True for one caller a day: this address may be asked whether it means that."""

    async def not_asked(list_id: int, address: Address, action: str) -> None:
        """The question could not be sent."""

    async def secret() -> bytes:
        """What signs the addresses that lists give away."""


@dataclass(frozen=True, slots=True)
class Autoresponder:
    """What an account answers with (E4), from `starts` until `until` (Unix time, None for no limit), each sender once in `every` seconds.

    Without a `subject` the answer has the one of the message.
    """

    account_id: int
    subject: str
    text: str
    starts: float | None = None
    until: float | None = None
    every: float = 7 * 86_400.0


@dataclass(frozen=True, slots=True)
class Answer:
    """Somebody who was answered: when last, and how often."""

    sender: str
    at: float
    count: int


class IAnswered(Interface):
    """Whom autoresponders have answered, over all processes."""

    async def claim(account_id: int, sender: Address, every: float) -> bool:
        """True for one caller: this sender is answered now, and not again for `every` seconds. Raises TemporaryFailure."""

    async def give_back(account_id: int, sender: Address) -> None:
        """The answer could not be sent."""

    async def answers(account_id: int) -> list[Answer]:
        """Who was answered, the last one first."""


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

    async def add_domain_alias(name: str, domain: str) -> None:
        """Let the whole domain `name` stand for a hosted one (E6). Raises AlreadyExists, NotFound."""

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


@dataclass(frozen=True, slots=True)
class Smarthost:
    """A host that takes mail and sends it on. `tls` is opportunistic, required, or verified (with a certificate for `host`).

    The password is kept as it is, for it has to be said there; nobody is shown it.
    """

    host: str
    port: int
    tls: str
    login: str = ""
    password: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class WayOut:
    """How mail of an account or a domain leaves (C9), where that was laid down.

    `sources` are the addresses, at most one IPv4 and one IPv6, that mail comes from which goes to its destination's own hosts. `direct`
    mail goes to those whatever smarthost there is for others.
    """

    smarthost: Smarthost | None = None
    sources: tuple[str, ...] = ()
    direct: bool = False


class IWaysOut(Interface):
    """The ways that mail of some accounts and domains takes, through caches that change events drop."""

    async def of_account(account_id: int) -> WayOut:
        """What was laid down for an account."""

    async def of_domain(name: str) -> WayOut:
        """What was laid down for a hosted domain, its name as stored."""

    async def any() -> bool:
        """Whether anything was laid down at all."""


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


# ------------------------------------------------------------------------------------------------------------------ events


@dataclass(frozen=True, slots=True)
class DirectoryChanged:
    """A domain or account changed. `kind`: domain or account; `account_id` 0 for a whole domain."""

    domain: str
    account_id: int = 0
    credentials: bool = False
    removed: bool = False


@dataclass(frozen=True, slots=True)
class FolderChanged:
    """Something in a folder changed; `folder` "" when the list of folders did."""

    account_id: int
    folder: str


Event = DirectoryChanged | FolderChanged


class IEvents(Interface):
    """Announcements. They save time; nothing is correct only because of one (ARCHITECTURE 8)."""

    def publish(event: Event) -> None:
        """Tell every subscriber. Thread-safe; subscribers run on the reactor's thread."""

    def subscribe(kind: type, heard: Callable[[Any], None]) -> Callable[[], None]:
        """Call `heard(event)` for each event of that class; returns the way to stop."""


# ----------------------------------------------------------------------------------------------------------- who: auth


@implementer(IUsernamePassword)
class PasswordLogin:
    """Login and password as the peer gave them, with the session that asks. `authzid` (RFC 4616) must be empty or the login.

    One that the session has to refuse, whoever it is, brings the `refusal`: it is what the portal answers, once it is written down.
    """

    def __init__(
        self, username: str, password: str, peer: Peer, authzid: str = "", refusal: Refusal | None = None
    ) -> None:
        self.username = username
        self.password = password
        self.peer = peer
        self.authzid = authzid
        self.refusal = refusal

    def checkPassword(self, password: bytes) -> bool:
        """For stock checkers; ours compares hashes instead."""
        return bool(self.password.encode() == password)


@dataclass(frozen=True, slots=True)
class Throttled:
    """A client (an IPv4 address or an IPv6 /64) with failed logins, as a number that fades by the hour; `until` 0: it is not refused.

    Times are Unix time.
    """

    client: str
    failures: float
    last: float
    until: float


class IThrottle(Interface):
    """Guessing is slowed (A8): what of it people may see and change."""

    def throttled(most: int) -> list[Throttled]:
        """Clients that have failed lately, those that are refused first, then by their failures. Raises TemporaryFailure."""

    def forgive(ip: str) -> bool:
        """Begin anew with the client that has this address; False if nothing was known of it. Raises TemporaryFailure."""


@dataclass(frozen=True, slots=True)
class LoginAttempt:
    """Attempts to sign in that were alike. Times are Unix time, of the first and the latest of `count`.

    `refused` is why in a few words, "" for a good one. `account_id` is whose login it is, or is meant to be; 0 if there is none such.
    """

    account_id: int
    login: str
    refused: str
    protocol: str
    ip: str
    tls: bool
    first: float
    last: float
    count: int = 1


class ILoginAttempts(Interface):
    """The last attempts to sign in, with plain reasons, for those who may see them (F4)."""

    def tell(account_id: int, login: str, refused: str, peer: Peer) -> None:
        """One attempt more; never raises, never waits."""

    async def of_account(account_id: int, most: int = 100) -> list[LoginAttempt]:
        """The newest first; account 0 has what was no account's login. Raises TemporaryFailure."""

    async def last_checks(account_ids: Sequence[int]) -> dict[int, LoginAttempt]:
        """When each account's mail was checked last, by POP3, IMAP or webmail, if it was; raises TemporaryFailure."""


@dataclass(frozen=True, slots=True)
class Grant:
    """An address that may relay until `until` (seconds, Unix time), and the account that opened it (C2-C4). Operator's: account_id 0."""

    ip: str
    account_id: int
    login: str
    until: float


class IRelayGrants(Interface):
    """POP before SMTP. Seen by all processes before `grant` returns (C3); survives a restart; per entry expiry."""

    async def grant(ip: str, account_id: int, login: str, seconds: float | None = None) -> None:
        """Open or renew; None is the configured window."""

    async def find(ip: str) -> Grant | None:
        """The live grant for exactly this address that ends last."""

    async def list() -> list[Grant]:
        """All live grants."""

    async def revoke(ip: str | None = None, account_id: int | None = None) -> int:
        """Close by address, by account, or all; how many."""


@dataclass(frozen=True, slots=True)
class Person:
    """An operator, or an owner of domains, with a login of his own, which has no @ (F1).

    Limits are an owner's, None for none: they count over all his domains. `quota_bytes` is what he may give to accounts.
    """

    id: int
    login: str
    role: Role
    suspended: bool = False
    max_accounts: int | None = None
    max_forwards: int | None = None
    max_lists: int | None = None
    quota_bytes: int | None = None
    created: float = 0.0
    domains: tuple[str, ...] = ()
    second_factor: bool = False


@dataclass(frozen=True, slots=True)
class Standing:
    """Somebody who may sign in to the panel, as he stands now.

    `subject` and `stamp` are those of `Signed`. `password_hash` is a person's, or that of his account, with which he signs in for mail,
    too. `suspended` says why he may not sign in now.
    """

    subject: str
    login: str
    role: Role
    stamp: str
    person_id: int | None = None
    account_id: int | None = None
    address: str = ""
    domains: frozenset[str] = frozenset()
    suspended: str = ""
    second_factor: bool = False
    password_hash: str = field(default="", repr=False)


class IPeople(Interface):
    """Operators and owners, and everybody else who may sign in to the panel. Nothing is cached: each change counts at once.

    Unknown names raise NotFound, taken ones AlreadyExists, senseless values BadValue; all raise TemporaryFailure.
    """

    async def signing_in(login: str) -> Standing | None:
        """Who has this login: a person's, a domain's main login (A3), or the address of an account, all spelled exactly so (A2)."""

    async def standing(subject: str) -> Standing | None:
        """Who that is now, None if he is gone."""

    async def people(role: Role) -> list[Person]:
        """All operators, or all owners, by login."""

    async def person(login: str) -> Person:
        """The one with this login, in any case."""

    async def add(login: str, role: Role, *, password_hash: str, **limits: int | None) -> Person:
        """Somebody new."""

    async def set(login: str, **changes: Any) -> Person:
        """Change his limits, `suspended`, or `password_hash`, which ends what was opened with the one before."""

    async def remove(login: str) -> Person:
        """He has no login any more."""

    async def grant(login: str, domain: str) -> Person:
        """Let an owner manage a domain, too."""

    async def revoke(login: str, domain: str) -> Person:
        """Take it from him."""


@dataclass(frozen=True, slots=True)
class SecondFactor:
    """What makes somebody's codes (RFC 6238). `last_step` is the newest that a code was taken of; `codes` are recovery codes left."""

    number: int
    secret: bytes = field(repr=False)
    active: bool = False
    last_step: int = 0
    codes: int = 0


class ISecondFactors(Interface):
    """Second factors, by `Standing.subject`. Each claim is won by one caller only, over all processes."""

    async def factor(subject: str) -> SecondFactor | None:
        """His, in force or not yet."""

    async def begin(subject: str, secret: bytes) -> None:
        """A new one, not in force before it is confirmed; raises AlreadyExists if there is one in force."""

    async def confirm(subject: str, step: int, digests: Sequence[str]) -> bool:
        """Put it in force, with recovery codes; False if there is none to confirm."""

    async def remove(subject: str) -> bool:
        """He needs no code any more; False if he needed none."""

    async def may_try(subject: str) -> bool:
        """Count one attempt more to guess a code; False where there were too many lately."""

    async def claim_step(subject: str, step: int) -> bool:
        """A code of this step was right: True if none of it, and of no later one, was taken before. Attempts are forgotten."""

    async def claim_code(subject: str, digest: str) -> bool:
        """True if that is a recovery code of his, which is gone now. Attempts are forgotten."""


@dataclass(frozen=True, slots=True)
class Signed:
    """Somebody whose login and password were right.

    `subject` is a key for who he is, such as "person:3", "domain:4" or "account:17". `credential` is a stamp that any change of his
    password or second factor makes another one. With `needs_code` he is nobody before `ISignIn.check_code` has taken a code of his.
    """

    subject: str
    credential: str
    needs_code: bool = False


class ISignIn(Interface):
    """Who signs in to the panel: operators, owners, and by mail address and password mailbox users (A1, A3, F1)."""

    async def sign_in(login: str, password: str, peer: Peer) -> Signed:
        """Raises LoginFailed (`private` says why), Overloaded, TemporaryFailure, after the same delays as mail logins have (A8)."""

    async def check_code(subject: str, code: str, peer: Peer) -> None:
        """Take a code of the second factor, or a recovery code, each of them once; raises as `sign_in` does."""

    async def check_password(subject: str, password: str, peer: Peer) -> None:
        """That he knows his own password, before he may set another; raises as `sign_in` does."""

    async def begin_factor(subject: str) -> tuple[str, str]:
        """A new second factor, in force once it is confirmed: what makes its codes, as text and as an `otpauth:` URI.

        Raises AlreadyExists if there is one in force, NotFound for who can have none.
        """

    async def confirm_factor(subject: str, code: str) -> list[str]:
        """His recovery codes, now that he has shown a right code; raises BadValue, NotFound."""

    async def actor(subject: str, credential: str, way: str, ip: str) -> Actor | None:
        """Who that is now: to be asked at every request.

        None if he is gone or suspended, or his password or second factor has changed since he signed in.
        """

    async def credential(subject: str) -> str:
        """The stamp as it is now, "" for nobody: who has just changed his own password or second factor stays with it."""


@dataclass(frozen=True, slots=True)
class Token:
    """What a program may do: what an operator may, an owner with `domains`, or a user with the mailbox `address`.

    `subject` is who made it, "" for the command, and `made_by` his login: it never opens more than he may himself. Times are Unix time.
    """

    id: int
    name: str
    role: Role
    subject: str
    made_by: str
    domains: tuple[str, ...] = ()
    address: str = ""
    read_only: bool = False
    created: float = 0.0
    expires: float | None = None
    last_used: float | None = None


class ITokens(Interface):
    """What programs show to the API instead of a login."""

    async def actor(token: str, ip: str) -> Actor | None:
        """Who that is now: to be asked at every request. None for a token that is unknown, revoked, or past its time."""

    async def add(
        name: str,
        role: Role,
        *,
        subject: str,
        made_by: str,
        domains: Sequence[str] = (),
        address: str = "",
        read_only: bool = False,
        expires: float | None = None,
    ) -> tuple[Token, str]:
        """A new one, and what the program has to show, which is kept nowhere. Raises BadValue, NotFound, TooMany."""

    async def tokens() -> list[Token]:
        """All, the newest first."""

    async def revoke(number: int) -> None:
        """It opens nothing any more; raises NotFound."""


class IPasswords(Interface):
    """Hashing in threads."""

    async def hash(password: str) -> str:
        """`{ARGON2ID}...` for storing; raises Overloaded when the queue is full."""

    async def verify(stored: str, password: str) -> bool:
        """True if it matches; any supported `{SCHEME}`. An empty `stored` costs the same time and is False."""

    def needs_upgrade(stored: str) -> bool:
        """True for every hash but our own at present strength (A7)."""

    def check_strength(password: str, login: str) -> None:
        """Raises BadValue with what is wrong (A6)."""

    def check_scheme(stored: str) -> None:
        """Raises BadValue unless `{SCHEME}hash` is one that `verify` understands."""


# ---------------------------------------------------------------------------------------------------- keep: the mail store


class Flag(IntFlag):
    """The system flags; bits from 1 << 5 up are the folder's keywords, in the order of `Snapshot.keywords`."""

    SEEN = 1
    ANSWERED = 2
    FLAGGED = 4
    DELETED = 8
    DRAFT = 16


FIRST_KEYWORD_BIT = 5
MAX_ANNOTATION_OCTETS = 32 * 1024


@dataclass(slots=True)
class Snapshot:
    """One folder's messages as flat columns, ascending by UID. Others have the same columns: whoever changes them copies them first.

    `sizes` are octets on the wire (CRLF), `dates` internal dates (Unix time), `flags` bit masks as in `Flag`.
    `first_recent` is the lowest UID that this opening may call \\Recent (0: none). `first_unseen` is the number of the first that is
    not \\Seen (0: none), None if nobody has looked.
    """

    uidvalidity: int
    uidnext: int
    highestmodseq: int
    keywords: list[str]
    uids: array[int]
    flags: list[int]
    sizes: array[int]
    dates: array[int]
    modseqs: array[int]
    first_recent: int = 0
    read_only: bool = False
    first_unseen: int | None = None


@dataclass(slots=True)
class Changes:
    """What happened in a folder since a modseq. `changed` rows are (uid, flags, size, date, modseq), new messages among them.

    `modified` are UIDs that a conditional change has left alone, since somebody else had changed them. Where removals since then are no
    longer remembered, `remaining` are the UIDs that are there: all others are gone, and `expunged` says nothing. What the caller itself has
    changed may come with `since`: the modseq before, if nothing else has happened from there to `highestmodseq`.
    """

    uidnext: int
    highestmodseq: int
    keywords: list[str]
    changed: list[tuple[int, int, int, int, int]]
    expunged: list[int]
    modified: list[int] = field(default_factory=list)
    remaining: Sequence[int] | None = None
    since: int | None = None


@dataclass(frozen=True, slots=True)
class FolderInfo:
    """One folder. `name` uses "/" between levels, Unicode, INBOX in capitals. `special_use` is e.g. "\\\\Sent" (RFC 6154) or "".

    `uidvalidity` stays with a folder through renaming, and no two of an account share one; 0 if it is no folder, or not known.
    """

    name: str
    subscribed: bool
    special_use: str = ""
    selectable: bool = True
    has_children: bool = False
    uidvalidity: int = 0


@dataclass(frozen=True, slots=True)
class FolderStatus:
    """STATUS without opening (RFC 3501 6.3.10)."""

    messages: int
    unseen: int
    recent: int
    uidnext: int
    uidvalidity: int
    highestmodseq: int
    size: int
    deleted: int = 0


@dataclass(frozen=True, slots=True)
class CachedMessage:
    """What answers header questions without opening the file: ready-made IMAP bytes and offsets.

    `sent_date` is the Date field as Unix time, `sent_day` its day as written there (proleptic ordinal), for SENTON and its like.
    `references` are message ids with spaces between them, as in `hostmail.message.summary`; `digest` is the same for copies of a message.
    `head` are the header fields searched most, as in `hostmail.message.searchable`; None: ask the message.
    `fields` are the raw header fields that message lists are made of, as in `hostmail.message.keptfields`; None: the same.
    """

    uid: int
    envelope: bytes
    bodystructure: bytes
    body: bytes
    header_size: int
    sent_date: int | None
    sent_day: int | None = None
    references: bytes = b""
    digest: bytes = b""
    head: str | None = None
    fields: bytes | None = None


@dataclass(frozen=True, slots=True)
class Placed:
    """Where new messages went: pairs with the sources' order (COPYUID, APPENDUID)."""

    uidvalidity: int
    source_uids: list[int]
    target_uids: list[int]


@dataclass(frozen=True, slots=True)
class Room:
    """Quota as it stands: limits None for unlimited; `free_bytes` is the smaller of mailbox and domain, None for unlimited."""

    used: Usage
    limit_bytes: int | None
    limit_messages: int | None
    free_bytes: int | None


class IMessage(Interface):
    """An open message: CRLF octets, whatever the file holds. Close it."""

    size: int = Attribute("octets on the wire")  # type: ignore[assignment]

    def read_now(offset: int, length: int) -> bytes | None:
        """The octets if they can be had without waiting for a disk, else None."""

    async def read(offset: int, length: int) -> bytes:
        """Up to `length` octets from `offset`; short only at the end."""

    async def examine(look: Callable[[bytes], T]) -> T:
        """What `look` makes of all the octets, in a thread: for large messages, of which the reading alone takes others' time."""

    def close() -> None:
        """Let go of the file."""


class IIncoming(Interface):
    """One message on its way into a folder (APPEND). Nothing is visible before commit."""

    def write(chunk: bytes) -> None:
        """More octets."""

    async def commit() -> Placed:
        """Durable and visible; raises OverQuota, TemporaryFailure."""

    def abort() -> None:
        """Forget it; nothing is left behind."""


class IFolder(Interface):
    """One open folder. UIDs that are not there are passed over silently."""

    name: str = Attribute("its name as in FolderInfo")  # type: ignore[assignment]

    async def snapshot(claim_recent: bool = False) -> Snapshot:
        """All messages now; foreign changes to the tree are seen first."""

    async def changes(since_modseq: int, look: bool = True) -> Changes:
        """What changed after `since_modseq`; foreign changes are seen first, unless whoever asks was just told that there is something."""

    async def status() -> FolderStatus:
        """The counts."""

    async def uidls(uids: Sequence[int]) -> list[str]:
        """POP3 unique-ids: stable for the life of the message, imported ones kept (D9)."""

    async def set_flags(
        uids: Sequence[int], how: str, flags: int, keywords: Sequence[str], unchanged_since: int | None = None
    ) -> Changes:
        """`how` is "add", "remove" or "replace"; keywords are made as needed (TooMany beyond the limit).

        Messages whose modseq is above `unchanged_since` are left alone (RFC 7162 section 3.1.3).
        """

    async def expunge(uids: Sequence[int], only_deleted: bool = True) -> list[int]:
        """Remove those (with \\Deleted); the UIDs removed. Durable when it returns; space is free at once (D5)."""

    async def copy(uids: Sequence[int], target: str) -> Placed:
        """All or none, one transaction; raises NoSuchFolder, OverQuota."""

    async def move(uids: Sequence[int], target: str) -> Placed:
        """As copy, without ever needing room."""

    async def open(uid: int) -> Any:
        """An IMessage; raises MessageGone. A damaged file is served as far as it can be read (D11)."""

    async def read_many(uids: Sequence[int], limit: int) -> list[bytes | None]:
        """Whole small messages, on the wire, for the first of `uids`: as many as hold together up to `limit` octets.

        None for one that is gone. A list shorter than `uids` ends before the message that would pass the limit: ask again from
        there, and open it if it is the first. Damaged files as in `open`.
        """

    async def read_headers(uids: Sequence[int], limit: int) -> list[bytes | None]:
        """As `read_many`, but header blocks only (see `hostmail.message.scan.header_extent`); the first one whatever its size."""

    async def cached_columns(uids: Sequence[int], columns: Sequence[str]) -> list[tuple[Any, ...]]:
        """Rows (uid, *columns) of some of `CachedMessage`'s fields, ascending by UID: `cached` for thousands of messages."""

    async def sent_days(uids: Sequence[int]) -> Sequence[int]:
        """For each of `uids` the day of its Date field (`CachedMessage.sent_day`): 0 if it has none, -1 if nobody knows any more."""

    async def candidates(needle: str, uids: Sequence[int], in_header: bool = False) -> list[int] | None:
        """Those of `uids` that may hold the folded text in their body (or `in_header`), others than which do not; in any order.

        The texts are those of `hostmail.message.searchable`. None: nothing is known, each has to be read.
        """

    async def cached(uids: Sequence[int]) -> list[CachedMessage]:
        """Cached header facts, in the order of `uids`; built on the fly where missing."""

    async def saved_dates(uids: Sequence[int]) -> dict[int, int]:
        """When each was put into this folder, by whatever way (RFC 8514), as Unix time."""

    async def begin_append(size: int, flags: int = 0, keywords: Sequence[str] = (), date: int | None = None) -> Any:
        """An IIncoming; raises OverQuota, MessageTooBig at once when `size` says so."""

    def watch(heard: Callable[[], None]) -> Callable[[], None]:
        """Call `heard` on the reactor's thread when another program has changed the folder; returns the way to stop.

        `changes` knows of it then without looking. It saves time only: what it misses is found at the next look.
        """

    async def commit_all(incoming: Sequence[Any], replaced: tuple[Any, int] | None = None) -> Placed:
        """Several messages begun with `begin_append`, all or none; with them goes the message `replaced` (its open IFolder, UID)."""

    def close() -> None:
        """The caller needs it no more."""


class IAccountStore(Interface):
    """One account's folders. All openers of an account in a process share one."""

    async def folders() -> list[FolderInfo]:
        """All folders, INBOX first, then by name; default folders are made on first opening (D8)."""

    async def folder(name: str) -> Any:
        """An IFolder; raises NoSuchFolder."""

    async def status(name: str) -> FolderStatus:
        """The counts of a folder, as its `IFolder` gives them; raises NoSuchFolder."""

    async def create(name: str, special_use: str = "") -> None:
        """With missing parents; raises FolderExists, BadFolderName, TooMany."""

    async def delete(name: str) -> None:
        """A folder with children stays as a name that cannot be selected; INBOX cannot be deleted (BadFolderName)."""

    async def rename(old: str, new: str) -> None:
        """With its children; renaming INBOX moves its messages out (RFC 3501 6.3.5)."""

    async def subscribe(name: str, subscribed: bool) -> None:
        """Subscriptions are names; the folder need not exist."""

    async def subscriptions() -> list[str]:
        """All subscribed names."""

    async def annotations(folder: str | None) -> dict[str, bytes]:
        """The values that mail programs keep with a folder, or with the account (None), by name; raises NoSuchFolder.

        They go with the folder when it is renamed, and end with it.
        """

    async def annotate(folder: str | None, changes: Mapping[str, bytes | None]) -> None:
        """Set values, or remove them (None): all or nothing, durable when it returns, announced as a change of the folder.

        Quota does not count them. Raises NoSuchFolder, BadValue (a name that is none, more than MAX_ANNOTATION_OCTETS), and TooMany
        for their number or all their size.
        """

    async def room() -> Room:
        """Quota and usage."""

    async def lock_maildrop(wait_seconds: float, peer: Peer, take_over: Callable[[], bool]) -> Any:
        """An ILock against other POP3 sessions only (D10); `take_over()` is asked while waiting and may drop a dead holder.

        Raises MaildropInUse.
        """

    def close() -> None:
        """The caller needs it no more."""


class ILock(Interface):
    """A held maildrop lock (flock): a dead process cannot leave one."""

    def release() -> None:
        """Give it back; twice is fine."""


@dataclass(frozen=True, slots=True)
class Drop:
    """One copy to deliver: into `folder` of `account`, the spooled message with `prefix` in place of the spool's own."""

    account: Account
    prefix: bytes
    folder: str = "INBOX"
    flags: int = 0


class ISpoolFile(Interface):
    """A message being received: octets on disk, in the data directory, CRLF. It is one immutable file after `seal`."""

    path: str = Attribute("its path")  # type: ignore[assignment]
    prefix: bytes = Attribute("trace fields written in front of the message")  # type: ignore[assignment]
    size: int = Attribute("octets so far, prefix included")  # type: ignore[assignment]

    def body() -> bytes | None:
        """What follows the prefix if it is in memory, which it is while small; None if it is only in the file."""

    def write(chunk: bytes) -> None:
        """More octets; disk errors are kept until `seal`."""

    async def seal() -> None:
        """Flush; raises OutOfSpace or TemporaryFailure for any write that failed."""

    def discard() -> None:
        """Remove the file; twice is fine. What was linked elsewhere stays."""


class ISpool(Interface):
    """Files of messages on their way in."""

    def create(prefix: bytes) -> Any:
        """An ISpoolFile; raises OutOfSpace, TemporaryFailure."""


class IMailStore(Interface):
    """All mailboxes."""

    async def open(account: Account) -> Any:
        """The account's IAccountStore, made on first use."""

    async def deliver(spooled: Any, drops: Sequence[Drop]) -> list[Refusal | None]:
        """Each drop on disk and synced, or its refusal; in the order of `drops`. Never raises for one of many."""

    async def room(account: Account, wanted: int | None = None) -> Room:
        """Quota and usage without opening a session.

        With `wanted` octets, what this process knew last, as long as that has room for them: delivery asks again anyway.
        """

    async def verify(account: Account, repair: bool = False) -> dict[str, Any]:
        """Compare tree and index; a report {messages, problems: [..], repaired: n}. Nothing is erased (D11)."""

    async def remove(account: Account) -> None:
        """Put a deleted account's tree aside for the grace period (D13)."""

    async def restore(domain: str, account: Account) -> bool:
        """What a deleted account of `domain` with the same directory left is `account`'s now; False if it left nothing.

        Raises AlreadyExists if there is mail where it has to go. `verify` tells the directory how much there is.
        """

    async def close() -> None:
        """Finish what runs, close all files."""


# --------------------------------------------------------------------------------------------- deliver, wait, talk about


class ITransaction(Interface):
    """One message after DATA or BDAT: begin / write / commit | abort."""

    queue_id: str = Attribute("its id in logs, trace fields and replies")  # type: ignore[assignment]

    congested: bool = Attribute("the disk cannot keep up: await `drained()` before the next `write`")  # type: ignore[assignment]

    def write(chunk: bytes) -> None:
        """More octets, dots removed, CRLF line ends."""

    async def drained() -> None:
        """What was written is on its way to the disk."""

    async def commit() -> None:
        """On disk and synced for every recipient, or a Refusal; only now 250."""

    def abort(why: Refusal | None = None) -> None:
        """Forget it; `why` is what the client is told, BrokenOff if he does not hear it, None if the history knows it already."""


class IIntake(Interface):
    """What the SMTP session asks: may he, where to, and take it."""

    async def sender(peer: Peer, envelope: Envelope) -> None:
        """Judge MAIL FROM; raises a Refusal (SendingSuspended, MessageTooBig...)."""

    async def vouched(peer: Peer) -> bool:
        """Whether somebody we know answers for this client: by a login, or by a relay grant that counts (C2, C5)."""

    async def recipient(peer: Peer, envelope: Envelope, recipient: Recipient) -> Any:
        """Decide about one RCPT TO: a `decisions.Decision` that is not Refuse; raises its Refusal otherwise."""

    def turned_away(peer: Peer, sender: str, recipient: str, refusal: Refusal) -> None:
        """What the session refuses by itself, for the history: a recipient, or a sender where that is "".

        Both are as the client wrote them, and need not be addresses.
        """

    def begin(peer: Peer, envelope: Envelope, decisions: Sequence[tuple[Recipient, Any]]) -> Any:
        """An ITransaction for the recipients accepted."""


@dataclass(slots=True)
class Queued:
    """One recipient of one queued message. Times are Unix time. `state`: waiting, held, sending.

    `addressed` is the address that the sender named, where routing has led that to `recipient`, a mailbox here. `for_domain` is the
    hosted domain whose affair the message is: its accounts', forwards', lists', or a report about mail of those; "" for a stranger's.
    `octets` are those of the file at `path`, where they are at hand.
    """

    id: int
    queue_id: str
    sender: str
    recipient: str
    path: str
    size: int
    account_id: int | None
    created: float
    next_attempt: float
    attempts: int = 0
    last_answer: str = ""
    state: str = "waiting"
    notify: str = ""
    orcpt: str = ""
    ret: str = ""
    envid: str = ""
    body: str = "7BIT"
    smtputf8: bool = False
    addressed: str = ""
    for_domain: str = ""
    octets: bytes | None = None

    @property
    def reverse_path(self) -> Address | None:
        """The sender; None is the null sender."""
        return Address.parse(self.sender) if self.sender else None

    @property
    def wishes(self) -> tuple[str, ...]:
        """The words of NOTIFY."""
        return tuple(self.notify.split(",")) if self.notify else ()


@dataclass(frozen=True, slots=True)
class WaitingFor:
    """What waits for one destination domain: recipients, Unix time of the oldest, how many are being sent, and one of the last answers."""

    domain: str
    recipients: int
    oldest: float
    sending: int
    answer: str


@dataclass(frozen=True, slots=True)
class QueueStats:
    """The queue in numbers. `octets` counts each message once, `states` recipients by state; the fullest destinations come first."""

    messages: int
    octets: int
    oldest: float | None
    states: Mapping[str, int]
    destinations: Sequence[WaitingFor]


Changed = Callable[[Sequence[tuple[str, str]]], None]
"""Hears queue id and recipient of some that were changed, after each step of many."""
Owner = tuple[int, str]
"""Whose mail it is: the account's number, 0 for none, and the hosted domain, "" for none."""


class IQueue(Interface):
    """Mail that waits: a spool file and one row per recipient.

    What changes many does so in steps, between which others write; one that is interrupted has done the steps so far.
    """

    async def prepare(
        queue_id: str,
        spooled: Any,
        envelope: Envelope,
        recipients: Sequence[Recipient],
        account_id: int | None,
        mark: bytes = b"",
        for_domain: str = "",
    ) -> Any:
        """File linked and synced; an object with `async stand_by(*others)`, `async commit(*others, also=())` and `async abort()`.

        Those that are committed together are live in one step, or none is; `also` are further recipients. What stands by has its rows
        written and synced already, so that nothing is likely to be in the way of its commit; nobody sees them before.
        """

    async def list(pattern: str = "", most: int | None = None) -> list[Queued]:
        """Rows that fit `pattern`: words that must all fit, such as `to:@example.com` or part of a queue id; raises BadValue."""

    async def stats(pattern: str = "") -> QueueStats:
        """The same in numbers."""

    async def content(queue_id: str) -> bytes:
        """A whole message; raises NotFound."""

    async def retry(pattern: str) -> int:
        """Make waiting ones due now; how many."""

    async def hold(pattern: str, changed: Changed = ...) -> int:
        """Keep waiting ones until they are released; how many."""

    async def held(account_id: int) -> tuple[int, int]:
        """How many recipients of an account's mail are held, and how many octets; each message counts once."""

    async def owners(pattern: str) -> Sequence[Owner]:
        """Whose those are that are held and fit."""

    async def release(pattern: str, changed: Changed = ..., kept: Sequence[Owner] = ()) -> int:
        """Make held ones due now, but for those of `kept`; how many."""

    async def bounce(pattern: str, changed: Changed = ...) -> int:
        """Return waiting and held ones to their senders; how many."""

    async def delete(pattern: str, changed: Changed = ...) -> int:
        """Drop them without a bounce; how many."""

    async def count() -> int:
        """Recipients waiting."""


class ISenderRewriting(Interface):
    """Reverse-paths of our own for mail that is sent on, and back (SRS)."""

    async def rewrite(sender: Address, forwarder: Address) -> Address:
        """Under which reverse-path `forwarder`, an address here, sends on mail of `sender`; raises TemporaryFailure."""

    async def original(address: Address) -> Address | None:
        """The sender behind such a reverse-path, None if it is none; raises NoSuchRecipient if it is forged or expired."""


class Happened(StrEnum):
    """What can become of a message; the words are those of the history's file."""

    REFUSED = "refused"
    BROKEN_OFF = "broken off"
    ACCEPTED = "accepted"
    LED_TO = "led to"
    DELIVERED = "delivered"
    DISCARDED = "discarded"
    WITHHELD = "not forwarded"
    QUEUED = "queued"
    SENT = "sent"
    POSTPONED = "postponed"
    HELD = "held"
    FAILED = "failed"
    DELETED = "deleted"
    RETURNED = "returned"
    REPORTED = "reported"
    UNREPORTED = "unreported"
    ANSWERED = "answered"
    UNANSWERED = "not answered"
    LIST = "list"


@dataclass(frozen=True, slots=True)
class MailFact:
    """One thing that became of a message, or of it for one `recipient`. `at` is Unix time, `sender` the reverse-path.

    `message_id` is the Message-ID without its brackets. `words` are the other side's answer or where from, for LED_TO the address that
    `recipient` led to, for LIST what the mailing list `recipient` did with it. A message refused before it was taken has no `queue_id`.
    With `more` it stands for so many facts about the message that are like those that follow it, and tells nothing else.
    """

    at: float
    what: Happened
    queue_id: str = ""
    message_id: str = ""
    sender: str = ""
    recipient: str = ""
    words: str = ""
    more: int = 0


class IHistory(Interface):
    """The story of each message, kept for a while."""

    def tell(fact: MailFact) -> None:
        """Remember it; never raises, never waits."""

    async def find(text: str, since: float, most: int) -> list[MailFact]:
        """Facts about messages to or from an address, with a Message-ID, or with a queue id, from the oldest to the newest."""


@dataclass(slots=True)
class SessionInfo:
    """One open session, for `session list` (D10, F4)."""

    id: int
    peer: Peer
    since: float
    kick: Callable[[str], None]
    state: dict[str, Any] = field(default_factory=dict)


class ISessions(Interface):
    """All open sessions of this process, with the limits on their number (LIMITS.md, Connections)."""

    def admit(peer: Peer, kick: Callable[[str], None]) -> SessionInfo:
        """Count a new session in; raises TooMany (50 unauthenticated per address, 10,000 in all)."""

    def logged_in(session: SessionInfo) -> None:
        """`session.peer` has an account now; raises TooMany over 50 per account and address."""

    def leave(session: SessionInfo) -> None:
        """It is over; twice is fine."""

    def all() -> Iterable[SessionInfo]:
        """Every open session."""

    def kick(words: str, account_id: int | None = None, session_id: int | None = None) -> int:
        """Disconnect by account, by id, or all; how many."""


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """Something that somebody wanted to change. `at` is Unix time; `login`, `role`, `way` and `ip` are those of an `Actor`.

    `arguments` are JSON without what is secret in them. `outcome` is "done", why it was refused, or "begun" where nothing is known of it.
    """

    at: float
    login: str
    role: str
    way: str
    ip: str
    verb: str
    subject: str
    arguments: str
    outcome: str = "begun"
    number: int = 0


class IAudit(Interface):
    """Who changed what."""

    async def begin(entry: AuditEntry) -> int:
        """Its number, once it is on the disk; raises TemporaryFailure: what cannot be written down is not to be done."""

    async def end(number: int, outcome: str) -> None:
        """What became of it; never raises."""

    async def find(since: float, by: str, about: str, most: int) -> list[AuditEntry]:
        """Entries of a login, whose subject holds a text, each of them "" for any; the newest first. Raises TemporaryFailure."""


class IAdmin(Interface):
    """What the `hostmail` command, the control socket, the panel and the API ask for. Arguments and answers are JSON values."""

    async def call(verb: str, arguments: Mapping[str, Any], actor: Actor) -> Any:
        """Carry out `verb` (e.g. "account.add") for `actor`, if he may; raises Refusal."""
