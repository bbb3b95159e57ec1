"""Verbs about mailing lists and who is on them (E3)."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Sequence
from typing import NotRequired, TypedDict, cast

import msgspec
from msgspec import UNSET, UnsetType

from hostmail.actor import Actor
from hostmail.address import Address
from hostmail.admin.parts import Addressed, Parts, Verb, named_address
from hostmail.admin.permissions import ADDRESS, DOMAIN, OWNERS, May
from hostmail.admin.told import AboutTold, HeldPostTold, ListTold, MembershipTold, MemberTold, PostDecided, PostRejected
from hostmail.config.nearest import nearest
from hostmail.errors import BadValue, NotFound, Refusal, concerning
from hostmail.interfaces.lists import MailingList
from hostmail.listnames import taken_apart

MOST_ROWS = 200
CHANGED = May(OWNERS, about={"address": ADDRESS})
DECIDED = May(OWNERS, about={"address": ADDRESS}, acting=True)
LOOKED_AT = May(OWNERS, looks=True, about={"address": ADDRESS})


class AddList(msgspec.Struct, forbid_unknown_fields=True):
    """list.add: without owners the domain's default mailbox owns it."""

    address: str
    owners: list[str] = []
    post: str = "members"
    description: str = ""
    size_bytes: int = 1024 * 1024
    tell_held: bool = True


class SetList(msgspec.Struct, forbid_unknown_fields=True):
    """list.set: what is not given stays; `owners` are instead of those there are."""

    address: str
    owners: list[str] | UnsetType = UNSET
    post: str | UnsetType = UNSET
    description: str | UnsetType = UNSET
    size_bytes: int | UnsetType = UNSET
    tell_held: bool | UnsetType = UNSET


class Listed(msgspec.Struct, forbid_unknown_fields=True):
    """list.list: all, or those of a domain."""

    name: str = ""


class OneMember(msgspec.Struct, forbid_unknown_fields=True):
    """list.member.add, list.member.remove"""

    address: str
    member: str


class OnePost(msgspec.Struct, forbid_unknown_fields=True):
    """list.approve, list.reject: a list, and the whole queue id of a post that waits for its owners."""

    address: str
    queue_id: str


class MemberRow(msgspec.Struct, forbid_unknown_fields=True):
    """One address as written in a file."""

    line: int
    member: str


class ImportMembers(msgspec.Struct, forbid_unknown_fields=True):
    """list.member.import: a batch of rows; with `dry_run` nothing is written."""

    address: str
    rows: list[MemberRow]
    dry_run: bool = False


class MemberRowTold(TypedDict):
    """The outcome of a row: added, unchanged, or problem with its words."""

    line: int
    member: str
    outcome: str
    problem: NotRequired[str]


class Lists:
    """Effective with the next message (E7)."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self.verbs = {
            "list.add": Verb(AddList, self.add, CHANGED),
            "list.list": Verb(Listed, self.all, May(OWNERS, looks=True, about={"name": DOMAIN}, rows="address")),
            "list.show": Verb(Addressed, self.show, LOOKED_AT),
            "list.set": Verb(SetList, self.set, CHANGED),
            "list.remove": Verb(Addressed, self.remove, CHANGED),
            "list.posts": Verb(Addressed, self.posts, LOOKED_AT),
            "list.approve": Verb(OnePost, self.approve, DECIDED),
            "list.reject": Verb(OnePost, self.reject, DECIDED),
            "list.member.add": Verb(OneMember, self.add_member, CHANGED),
            "list.member.remove": Verb(OneMember, self.remove_member, CHANGED),
            "list.member.list": Verb(Addressed, self.members, LOOKED_AT),
            "list.member.import": Verb(ImportMembers, self.import_members, CHANGED),
        }

    async def add(self, asked: AddList) -> ListTold:
        """Make a mailing list."""
        address = _address(asked.address)
        owners = asked.owners or [await self._default_owner(address)]
        found = await self._parts.changes.add_list(
            str(address),
            owners=owners,
            post=asked.post,
            description=asked.description,
            size_bytes=asked.size_bytes,
            tell_held=asked.tell_held,
        )
        await self._parts.caught.forget(found.address)
        return await self._told(found, 0)

    async def _default_owner(self, address: Address) -> str:
        domain = await self._parts.find_domain(address.domain)
        owner = domain.default_account_id
        account = await self._parts.directory.account(owner) if owner is not None else None
        if account is None:
            raise BadValue(f"{domain.name} has no default mailbox: name an owner for the list").about("owners")
        return account.address

    async def all(self, asked: Listed) -> list[ListTold]:
        """Mailing lists by address."""
        domain = (await self._parts.find_domain(asked.name)).name if asked.name else None
        waiting = [post.recipient for post in await self._parts.held_posts.waiting()]
        inside = [each for each in waiting if domain is None or each.endswith(f"@{domain}")]
        held = Counter(Address.parse(each).key for each in inside)
        lists = await self._parts.directory.mailing_lists(domain)
        return [await self._told(found, held[found.parsed.key]) for found in lists]

    async def show(self, asked: Addressed) -> ListTold:
        """One mailing list."""
        return await self._told_with_held(await self._find(asked.address))

    async def set(self, asked: SetList) -> ListTold:
        """Change a mailing list."""
        found = await self._find(asked.address)
        changes = {name: getattr(asked, name) for name in ("owners", "post", "description", "size_bytes", "tell_held")}
        given = {name: value for name, value in changes.items() if value is not UNSET}
        return await self._told_with_held(await self._parts.changes.set_list(found.address, **given))

    async def remove(self, asked: Addressed) -> AboutTold:
        """Give a mailing list up."""
        found = await self._parts.changes.remove_list((await self._find(asked.address)).address)
        return {"address": found.address}

    async def posts(self, asked: Addressed) -> list[HeldPostTold]:
        """The posts that wait for a list's owners, oldest first."""
        found = await self._find(asked.address)
        return [
            cast(HeldPostTold, dataclasses.asdict(post)) for post in await self._parts.held_posts.posts(found.parsed)
        ]

    async def approve(self, asked: OnePost, actor: Actor) -> PostDecided:
        """Let a post that waits for a list's owners go to its members."""
        found = await self._find(asked.address)
        await self._parts.held_posts.approve(found, asked.queue_id, _who(actor))
        return {"address": found.address, "queue_id": asked.queue_id}

    async def reject(self, asked: OnePost, actor: Actor) -> PostRejected:
        """Return a post that waits for a list's owners to the member who sent it, or drop a stranger's."""
        found = await self._find(asked.address)
        to = await self._parts.held_posts.reject(found, asked.queue_id, _who(actor))
        return {"address": found.address, "queue_id": asked.queue_id, "returned_to": str(to or "")}

    async def add_member(self, asked: OneMember) -> MembershipTold:
        """Put somebody on a list, without asking him."""
        found, who = await self._find(asked.address), _address(asked.member)
        new = await self._parts.members.add(found.id, who)
        return {"address": found.address, "member": str(who), "outcome": "added" if new else "unchanged"}

    async def remove_member(self, asked: OneMember) -> MembershipTold:
        """Take somebody off a list."""
        found = await self._find(asked.address)
        with concerning("member"):
            who = _address(asked.member)
        if not await self._parts.members.remove(found.id, who):
            known = [member.address for member in await self._parts.members.members(found.id)]
            near = nearest(str(who), known)
            raise NotFound(f"{who} is not on the list {found.address}", near).about("member")
        return {"address": found.address, "member": str(who)}

    async def members(self, asked: Addressed) -> list[MemberTold]:
        """Who is on a list."""
        found = await self._find(asked.address)
        members = await self._parts.members.members(found.id)
        return [cast(MemberTold, dataclasses.asdict(member)) for member in members]

    async def import_members(self, asked: ImportMembers) -> list[MemberRowTold]:
        """Put many on a list; the outcome of each row is added, unchanged, or problem with its words."""
        if len(asked.rows) > MOST_ROWS:
            raise BadValue(f"at most {MOST_ROWS} rows at a time")
        found = await self._find(asked.address)
        rows = [(row, _parsed(row.member)) for row in asked.rows]
        good = [who for _, who in rows if isinstance(who, Address)]
        answers = iter(await (self._would_add if asked.dry_run else self._parts.members.add_all)(found.id, good))
        return [_outcome(row, next(answers) if isinstance(who, Address) else who) for row, who in rows]

    async def _would_add(self, list_id: int, addresses: Sequence[Address]) -> list[bool | Refusal]:
        answers: list[bool | Refusal] = []
        for who in addresses:
            known = await self._parts.members.member(list_id, who)
            refusal = await self._why_not(who)
            answers.append(refusal or known is None or not known.active)
        return answers

    async def _why_not(self, who: Address) -> Refusal | None:
        apart = taken_apart(who)
        for each in (who, *([apart[0]] if apart is not None else [])):
            if await self._parts.directory.mailing_list(each) is not None:
                return BadValue(f"{who} belongs to the mailing list {each}: a list cannot be on a list")
        return None

    async def _find(self, text: str) -> MailingList:
        address = _address(text)
        found = await self._parts.directory.mailing_list(address)
        if found is None:
            domain = await self._parts.find_domain(address.domain)
            known = {one.parsed.local: one.address for one in await self._parts.directory.mailing_lists(domain.name)}
            raise NotFound(f"there is no mailing list {text}", known.get(nearest(address.local, known), ""))
        return found

    async def _told_with_held(self, found: MailingList) -> ListTold:
        return await self._told(found, len(await self._parts.held_posts.waiting(found.parsed)))

    async def _told(self, found: MailingList, held: int) -> ListTold:
        active, dropped = await self._parts.members.counts(found.id)
        return {
            "address": found.address,
            "description": found.description,
            "owners": [str(owner) for owner in found.owners],
            "post": found.post.value,
            "size_bytes": found.size_bytes,
            "tell_held": found.tell_held,
            "members": active,
            "dropped": dropped,
            "held": held,
        }


def _who(actor: Actor) -> str:
    return f"the {actor.role} {actor.login}"


def _outcome(row: MemberRow, answer: bool | Refusal) -> MemberRowTold:
    if isinstance(answer, Refusal):
        return {"line": row.line, "member": row.member, "outcome": "problem", "problem": answer.public}
    return {"line": row.line, "member": row.member, "outcome": "added" if answer else "unchanged"}


def _parsed(text: str) -> Address | BadValue:
    try:
        return _address(text)
    except BadValue as refusal:
        return refusal


def _address(text: str) -> Address:
    address = named_address(text)
    if not address.domain:
        raise BadValue(f"{text}: an address needs a domain")
    return address
