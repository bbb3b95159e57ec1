"""Who answers for a message that is to leave the house: the one question between us and an open relay (C1)."""

from __future__ import annotations

from dataclasses import dataclass

from hostmail.address import Address
from hostmail.decisions import Decision, IntoMailbox, targets_of
from hostmail.envelope import Peer
from hostmail.errors import Refusal, RelayingProhibited, SendingSuspended
from hostmail.interfaces.directory import Account, Domain
from hostmail.interfaces.logins import Grant

OPERATOR = 0


@dataclass(frozen=True, slots=True)
class Responsible:
    """The account that mail is attributed to in trace fields, logs and limits (C4).

    `how` is "auth" or "grant"; `account_id` is 0, and `domain` "", for an address the operator opened by hand.
    """

    account_id: int
    login: str
    how: str
    domain: str = ""


@dataclass(frozen=True, slots=True)
class Permit:
    """A recipient may have the message: who answers for it, None for a stranger's mail to us, and whether it is to be held."""

    responsible: Responsible | None
    held: bool = False


@dataclass(frozen=True, slots=True)
class Sponsor:
    """What is known of the account behind a login or a grant; both None when it no longer exists, or for the operator."""

    account: Account | None = None
    domain: Domain | None = None


def by_login(peer: Peer, sponsor: Sponsor) -> Responsible | None:
    """The account that has logged in on this session, if it still exists."""
    if peer.account_id is None or sponsor.account is None:
        return None
    return Responsible(peer.account_id, peer.login or sponsor.account.address, "auth", sponsor.account.domain)


def by_grant(grant: Grant, sponsor: Sponsor, pop_before_smtp: bool) -> Responsible | None:
    """The account whose mail check opened this client's address, where that counts: per server and per domain (C5).

    What the operator opened by hand is no POP before SMTP and holds whatever the switches say.
    """
    if grant.account_id == OPERATOR:
        return Responsible(OPERATOR, grant.login, "grant")
    if not pop_before_smtp or sponsor.account is None or sponsor.domain is None or not sponsor.domain.pop_before_smtp:
        return None
    return Responsible(grant.account_id, grant.login, "grant", sponsor.account.domain)


def may_send(sponsor: Sponsor) -> None:
    """Raises SendingSuspended if the account or its domain may send nothing at present (A9)."""
    for fact in (sponsor.account, sponsor.domain):
        if fact is not None and fact.outgoing_suspended:
            raise SendingSuspended(private="outgoing mail is suspended")


def may_relay(responsible: Responsible | None, sponsor: Sponsor) -> Responsible:
    """Who answers for relaying; raises RelayingProhibited (C1) for strangers, SendingSuspended for the suspended."""
    if responsible is None:
        raise RelayingProhibited()
    may_send(sponsor)
    return responsible


def must_match_sender(reverse_path: Address | None, sponsor: Sponsor, leads: Decision | None = None) -> None:
    """Raises if the domain's owner wants senders to use their own address (C7) and this is another one.

    The null sender stays allowed, for receipts (RFC 8098) need it; so does the account's address with a tag (E6), and whatever
    `leads` into its mailbox by an alias, though not by a catch-all (E1, E2).
    """
    account = sponsor.account
    if account is None or reverse_path is None or not is_strict(sponsor):
        return
    own = Address.parse(account.address)
    base = reverse_path.local.partition("+")[0] or reverse_path.local
    if own.key in (reverse_path.key, Address(base, reverse_path.domain).key):
        return
    for end in targets_of(leads) if leads is not None else ():
        if isinstance(end, IntoMailbox) and end.account_id == account.id and not end.caught:
            return
    raise Refusal(f"please send as {account.address}: your domain's owner asks for it", "sender does not match")


def is_strict(sponsor: Sponsor) -> bool:
    """Whether the domain's owner wants that at all."""
    return sponsor.domain is not None and sponsor.domain.must_match_sender
