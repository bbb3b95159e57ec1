"""Where a recipient's mail goes: one pure function from address and facts to a decision (ARCHITECTURE 4)."""

from __future__ import annotations

from hostmail.address import Address
from hostmail.decisions import Decision, IntoMailbox, Refuse, Relay
from hostmail.errors import NoSuchRecipient, RecipientSuspended
from hostmail.interfaces import Account, Domain
from hostmail.routing.facts import Facts, role


def route(recipient: Address, facts: Facts) -> Decision:
    """Decide about one recipient.

    A local part is never looked into for another address: percent hacks, bang paths and quoted local parts holding an @ name
    nobody in a hosted domain (550 5.1.1), and for any other domain are that domain's business, for whoever may relay (LIMITS, tricks).
    What names this server itself is delivered to its postmaster or refused, never relayed, for it would come back.
    """
    if facts.domain is not None:
        return _hosted(recipient, facts, facts.domain)
    if not facts.ourselves:
        return Relay(recipient)
    if role(recipient.local) and facts.primary is not None and facts.primary_default is not None:
        return _into(facts.primary, facts.primary_default)
    return Refuse(NoSuchRecipient())


def _hosted(recipient: Address, facts: Facts, domain: Domain) -> Decision:
    owner = facts.exact or facts.base
    if owner is not None:
        return _into(domain, owner)
    if not role(recipient.local):
        return Refuse(RecipientSuspended() if domain.incoming_suspended else NoSuchRecipient())
    return _role_mailbox(facts, domain)


def _role_mailbox(facts: Facts, domain: Domain) -> Decision:
    """postmaster@ and abuse@ always work (E5): where the domain has no mailbox that takes them, the server's first domain does."""
    decision: Decision = Refuse(NoSuchRecipient())
    if facts.default is not None:
        decision = _into(domain, facts.default)
    if isinstance(decision, Refuse) and facts.primary is not None and facts.primary_default is not None:
        instead = _into(facts.primary, facts.primary_default)
        return decision if isinstance(instead, Refuse) else instead
    return decision


def _into(domain: Domain, account: Account) -> Decision:
    if domain.incoming_suspended or account.incoming_suspended:
        return Refuse(RecipientSuspended(private=f"incoming mail is suspended for {account.address}"))
    return IntoMailbox(account.id, account.address)
