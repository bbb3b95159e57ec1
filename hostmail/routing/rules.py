"""What the directory says of one address: a pure function whose order of rules is the policy (BEHAVIOURS E)."""

from __future__ import annotations

from dataclasses import dataclass

from hostmail.address import Address
from hostmail.decisions import CATCH_DEFAULT, CATCH_DISCARD, CATCH_REFUSE, ForList, ListCommand, ToList
from hostmail.errors import NoSuchRecipient, RecipientSuspended, Refusal
from hostmail.interfaces.directory import Account, Domain, Name
from hostmail.interfaces.lists import MailingList
from hostmail.listnames import ListWord
from hostmail.routing.facts import Facts, base_name, role


@dataclass(slots=True)
class Step:
    """What becomes of mail that has come as far as `address`, and by which rule.

    It ends in `mailbox`, with a list (`for_list`), with `refusal`, `elsewhere` or discarded (`discarded`), or it goes `onward` to other
    addresses; a mailbox that forwards and keeps a copy has both. `caught`: a catch-all's doing. `only_here` are those of `onward` that an
    alias leads to: somebody here, never another server.
    """

    address: Address
    rule: str
    mailbox: Account | None = None
    onward: tuple[Address, ...] = ()
    refusal: Refusal | None = None
    elsewhere: bool = False
    discarded: bool = False
    caught: bool = False
    for_list: ForList | None = None
    only_here: tuple[Address, ...] = ()


def step(address: Address, facts: Facts) -> Step:
    """The first rule that fits.

    A local part is never looked into for another address: percent hacks, bang paths and quoted local parts holding an @ name
    nobody in a hosted domain (550 5.1.1), and for any other domain are that domain's business, for whoever may relay (LIMITS, tricks).
    What names this server itself is delivered to its postmaster or refused, never relayed, for it would come back.
    """
    if isinstance(facts.came_back, Refusal):
        return Step(address, "no rewritten sender of ours", refusal=facts.came_back)
    if facts.came_back is not None:
        return Step(address, "back to the sender of forwarded mail", onward=(facts.came_back,))
    if facts.stands_for:
        return Step(address, "domain alias", onward=(Address(address.local, facts.stands_for),))
    if facts.domain is not None:
        if not facts.domain.active:
            return Step(address, "domain not active", elsewhere=True)
        return _hosted(address, facts, facts.domain)
    if not facts.ourselves:
        return Step(address, "elsewhere", elsewhere=True)
    if role(address.local) and facts.primary is not None and facts.primary_default is not None:
        return _into(address, "our postmaster", facts.primary, facts.primary_default)
    return Step(address, "this server itself", refusal=NoSuchRecipient())


def _hosted(address: Address, facts: Facts, domain: Domain) -> Step:
    if facts.mailing_list is not None:
        return _of_list(address, facts, domain, facts.mailing_list)
    for account, name, tag in ((facts.exact, facts.name, ""), (facts.base, facts.base_name, ", without its tag")):
        if account is not None:
            return _of_account(address, "mailbox" + tag, domain, account, name)
        if name is not None and name.targets:
            return _leads(address, ("alias" if name.aliases else "forward") + tag, domain, name)
    if role(address.local):
        return _role_mailbox(address, facts, domain)
    if domain.incoming_suspended:
        return _suspended(address, domain.name)
    if any(name is not None and name.blocked for name in (facts.name, facts.base_name)):
        return Step(address, "blocked name", refusal=NoSuchRecipient(private="the name is blocked"))
    return _unknown(address, facts, domain)


def _of_list(address: Address, facts: Facts, domain: Domain, found: MailingList) -> Step:
    """A post, which would be sent from this domain, a command, or mail to the owners, which people can always write to."""
    if domain.incoming_suspended:
        return _suspended(address, domain.name)
    if facts.list_word is None and domain.outgoing_suspended:
        return Step(address, "suspended", refusal=RecipientSuspended(private=f"{domain.name} may not send"))
    if facts.list_word is None:
        rule = "mailing list" if found.parsed.key == address.key else "mailing list, without its tag"
        return Step(address, rule, for_list=ToList(found.id, found.parsed, found.size_bytes))
    if facts.list_word is ListWord.OWNER:
        return Step(address, "owners of a mailing list", onward=found.owners)
    command = ListCommand(found.parsed, facts.list_word, facts.list_tag, address)
    return Step(address, "command for a mailing list", for_list=command)


def _leads(address: Address, rule: str, domain: Domain, name: Name) -> Step:
    if domain.incoming_suspended:
        return _suspended(address, domain.name)
    return Step(address, rule, onward=name.targets, only_here=name.aliases)


def _of_account(address: Address, rule: str, domain: Domain, account: Account, name: Name | None) -> Step:
    ended = _into(address, rule, domain, account)
    if ended.refusal is not None or name is None or not name.targets:
        return ended
    if not name.keep_copy:
        return Step(address, f"{rule}, forwards", onward=name.targets)
    return Step(address, f"{rule}, forwards and keeps a copy", account, name.targets)


def _role_mailbox(address: Address, facts: Facts, domain: Domain) -> Step:
    """postmaster@ and abuse@ always work (E5): where the domain has no mailbox that takes them, the server's first domain does."""
    decided = Step(address, "nobody", refusal=NoSuchRecipient())
    if facts.default is not None:
        decided = _into(address, "default mailbox", domain, facts.default)
    if decided.refusal is not None and facts.primary is not None and facts.primary_default is not None:
        instead = _into(address, "default mailbox of the first domain", facts.primary, facts.primary_default)
        return decided if instead.refusal is not None else instead
    return decided


def _unknown(address: Address, facts: Facts, domain: Domain) -> Step:
    """A name that nobody has: what the domain's owner wants for those (E2)."""
    if domain.catch_all == CATCH_DISCARD:
        return Step(address, "catch-all discards", discarded=True, caught=True)
    if domain.catch_all == CATCH_DEFAULT and facts.default is not None:
        return _into(address, "catch-all", domain, facts.default, caught=True)
    if domain.catch_all in (CATCH_REFUSE, CATCH_DEFAULT):
        return Step(address, "unknown name", refusal=NoSuchRecipient())
    catcher = Address.parse(domain.catch_all)
    if catcher.key == address.key:
        return Step(address, "unknown name", refusal=NoSuchRecipient(private="the catch-all's own address is nobody's"))
    return Step(address, "catch-all", onward=(catcher,), caught=True)


def _into(address: Address, rule: str, domain: Domain, account: Account, caught: bool = False) -> Step:
    if domain.incoming_suspended or account.incoming_suspended:
        return _suspended(address, account.address)
    return Step(address, rule, account, caught=caught)


def _suspended(address: Address, what: str) -> Step:
    return Step(address, "suspended", refusal=RecipientSuspended(private=f"incoming mail is suspended for {what}"))


def caught_name(address: Address) -> str:
    """What a catch-all remembers: the unknown address, without a tag that would make a new name of each message."""
    return str(Address(base_name(address.local), address.domain))
