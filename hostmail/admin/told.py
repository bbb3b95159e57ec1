"""What the verbs that are used most tell: types for their answers, which the API's document is made from.

What only operators see may be missing. Sizes are octets, times Unix time, null is no limit.
"""

from __future__ import annotations

from typing import NotRequired, TypedDict


class SmarthostTold(TypedDict):
    """A way out of one's own. Its password is never told."""

    host: str
    port: int
    tls: str
    login: str
    password_set: bool


class WayTold(TypedDict):
    """Where mail leaves."""

    smarthost: NotRequired[SmarthostTold | None]
    direct: bool


class DomainTold(WayTold):
    """A hosted domain with its use."""

    name: str
    main_login: str
    default_mailbox: str | None
    accounts: int
    quota: int | None
    used: int
    messages: int
    login_suspended: bool
    incoming_suspended: bool
    outgoing_suspended: bool
    pop_before_smtp: bool
    must_match_sender: bool
    catch_all: str
    active: bool
    source_addresses: NotRequired[list[str]]


class CheckTold(TypedDict):
    """When mail was fetched last."""

    at: float
    protocol: str
    ip: str


class AccountTold(TypedDict):
    """An account with its use."""

    login: str
    address: str
    domain: str
    quota: int | None
    quota_messages: int | None
    used: int
    messages: int
    login_suspended: bool
    incoming_suspended: bool
    outgoing_suspended: bool
    operator_suspended: list[str]
    last_check: CheckTold | None


class AccountWithWayTold(AccountTold, WayTold):
    """An account with its use, and how its mail leaves."""


class AccountShown(AccountWithWayTold):
    """All of an account. `main_login` opens it, too, if it is its domain's default mailbox; `folder` is on the server's disk."""

    main_login: str | None
    folder: NotRequired[str]


class NameTold(TypedDict):
    """What an address leads to: mailboxes here, and addresses elsewhere."""

    address: str
    aliases: list[str]
    forwards: list[str]
    keep_copy: bool
    blocked: bool


class AliasTold(NameTold):
    """The same, with the aliases that take no mail."""

    refused: list[str]


class AddressTold(AliasTold):
    """The same, with whether there is a mailbox of that name."""

    has_mailbox: bool


class ListTold(TypedDict):
    """A mailing list; `dropped` members came back too often, `held` posts wait for its owners."""

    address: str
    description: str
    owners: list[str]
    post: str
    size_bytes: int
    tell_held: bool
    members: int
    dropped: int
    held: int


class HeldPostTold(TypedDict):
    """A post that waits for a list's owners, until it is given up."""

    queue_id: str
    sender: str
    author: str
    subject: str
    size: int
    since: float
    until: float
    why_held: str


class PostDecided(TypedDict):
    """Which post of which list it was about."""

    address: str
    queue_id: str


class PostRejected(PostDecided):
    """The same with whom the post goes back to; "" where nobody is told."""

    returned_to: str


class MemberTold(TypedDict):
    """Somebody on a list."""

    number: int
    address: str
    active: bool
    bounces: int
    last_bounce: float | None
    joined: float


class MembershipTold(TypedDict):
    """What became of a change to a list."""

    address: str
    member: str
    outcome: NotRequired[str]


class AutoreplyRow(TypedDict):
    """An autoresponder: from when until when, and how many seconds until one sender is answered again."""

    address: str
    subject: str
    starts: float | None
    until: float | None
    every: float


class AnsweredTold(TypedDict):
    """Somebody who was answered, and when last."""

    sender: str
    at: float
    count: int


class AutoreplyTold(AutoreplyRow):
    """The same with its text, and who was answered."""

    account_id: int
    text: str
    answered: list[AnsweredTold]


class AboutTold(TypedDict):
    """Which address it was about."""

    address: str


class LoginTold(TypedDict):
    """Which login it was about."""

    login: str


class PasswordTold(AboutTold):
    """A password was set; `revoked_grants` are those that were made with the old one."""

    revoked_grants: int


class AccountRemoved(PasswordTold):
    """An account is gone, and what was open with it."""

    ended_sessions: int


class DomainRemoved(TypedDict):
    """A domain is gone, with so many accounts."""

    name: str
    removed_accounts: int


class QueuedTold(TypedDict):
    """One recipient of one message that waits; `account` is whose it is."""

    id: int
    queue_id: str
    sender: str
    recipient: str
    size: int
    account_id: int | None
    created: float
    next_attempt: float
    attempts: int
    last_answer: str
    state: str
    notify: str
    orcpt: str
    ret: str
    envid: str
    body: str
    smtputf8: bool
    addressed: str
    for_domain: str
    account: str


class FactTold(TypedDict):
    """One thing that became of a message; with `more`, it stands for so many like those that follow."""

    at: float
    what: str
    queue_id: str
    message_id: str
    sender: str
    recipient: str
    words: str
    more: int


class SessionTold(TypedDict):
    """A session of a mail program."""

    id: int
    protocol: str
    ip: str
    login: str | None
    since: float
    tls: str | None
    state: dict[str, str | int | float | bool]
    address: str | None


class GrantTold(TypedDict):
    """An IP address that may relay, and whose account's login opened it; null for an operator."""

    ip: str
    login: str
    account_id: int
    until: float
    seconds_left: int
    address: str | None


class TokenTold(TypedDict):
    """A token, without what opens anything."""

    id: int
    name: str
    role: str
    domains: list[str]
    address: str | None
    read_only: bool
    made_by: str
    created: float
    expires: float | None
    last_used: float | None


class FolderTold(TypedDict):
    """What is in a folder."""

    name: str
    messages: int
    octets: int
    unread: int


class LastCheckTold(TypedDict):
    """What the last look at a domain's DNS came to; null is not known."""

    domain: str
    at: float | None
    pointed: bool | None
    words: str
    problems: int | None


class CertificateTold(TypedDict):
    """A certificate; without a `server_name` it is for all names that have none of their own."""

    server_name: str | None
    names: list[str]
    issuer: str
    valid_from: float | None
    valid_until: float | None
    self_signed: bool
    file: str
    problems: list[str]


class CertificatesTold(TypedDict):
    """All of them, and the names `without` one that programs believe."""

    certificates: list[CertificateTold]
    hostname: str
    without: list[str]
    without_count: int
