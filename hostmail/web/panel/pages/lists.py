"""Mailing lists: who owns one, who may write to it, who is on it (E3)."""

from __future__ import annotations

from typing import Any

from hostmail.web.fields import BadField
from hostmail.web.panel.page import MANAGERS, Done, Page, Section, Subject, View, Visit
from hostmail.web.panel.pages.accounts import address_typed
from hostmail.web.panel.table import Button, Column, Table

POSTS = (("members", "its members"), ("anyone", "anybody"), ("owners", "its owners"))
AT_ONCE = 200
MOST_MEMBERS_TYPED = 1_000
MOST_WRONG_SHOWN = 5


async def show(visit: Visit) -> View:
    """All lists of the domain."""
    name = visit.domain["name"]
    rows = await visit.call("list.list", name=name)
    words = dict(POSTS)
    columns = (
        Column("address", "List", "mono", link=lambda row: visit.url("list", domain=name, address=row["address"])),
        Column("description", "What it is for"),
        Column("members", "Members", "count", number=True),
        Column("dropped", "Unreachable", "count", number=True),
        Column("held", "Held posts", "count", number=True),
        Column("post", "Who may write", value=lambda row: words.get(row["post"], row["post"])),
        Column("owners", "Owners", "list"),
    )
    return View("lists.html", {"posts": POSTS}, Table(f"lists-{name}", columns, rows, "There is no mailing list yet."))


async def add(visit: Visit) -> Done:
    """One more."""
    address, form = address_typed(visit), visit.form
    await visit.call(
        "list.add",
        address=address,
        owners=form.lines("owners"),
        post=form.text("post", "members"),
        description=form.text("description"),
    )
    return Done(f"The list {address} is there. Add its members below.", _page(visit, address))


def _page(visit: Visit, address: str) -> str:
    return visit.url("list", domain=visit.domain["name"], address=address)


def here(visit: Visit) -> str:
    """The page of this list."""
    return _page(visit, visit.parts["address"])


async def show_one(visit: Visit) -> View:
    """One list, with its members."""
    row = await visit.call("list.show", address=visit.parts["address"])
    posts = await visit.call("list.posts", address=row["address"])
    members = await visit.call("list.member.list", address=row["address"])
    columns = (
        Column("address", "Member", "mono"),
        Column("joined", "Since", "moment"),
        Column("active", "Gets mail", "yes"),
        Column("bounces", "Came back", "count", number=True),
        Column("off", "", value=lambda member: member["address"], button=Button("remove_member", "Take off", "member")),
    )
    table = Table(f"members-{row['address']}", columns, members, "Nobody is on this list yet.")
    return View("list.html", {"row": row, "posts": POSTS, "held": posts}, table, title=row["address"])


async def change(visit: Visit) -> Done:
    """Who owns it, who may write, what it is for, how large a post may be."""
    form = visit.form
    size = form.size("size")
    if size is None:
        raise BadField("size", "Say how large a post may be, like 1M")
    owners = form.lines("owners")
    if not owners:
        raise BadField("owners", "A list needs an owner: somebody gets what concerns it")
    await visit.call(
        "list.set",
        address=visit.parts["address"],
        owners=owners,
        post=form.text("post"),
        description=form.text("description"),
        size_bytes=size,
        tell_held=form.ticked("tell_held"),
    )
    return Done("That counts from the next post on.", here(visit))


async def add_members(visit: Visit) -> Done:
    """Put people on it; what could not be taken is named, and all others are on it."""
    typed = visit.form.lines("members")
    if not typed:
        raise BadField("members", "Type one address in each line")
    if len(typed) > MOST_MEMBERS_TYPED:
        raise BadField(
            "members", f"At most {MOST_MEMBERS_TYPED:,} at a time: `hostmail list member import` takes a file"
        )
    rows = [{"line": number, "member": text} for number, text in enumerate(typed, 1)]
    told: list[dict[str, Any]] = []
    for first in range(0, len(rows), AT_ONCE):
        batch = rows[first : first + AT_ONCE]
        told += await visit.call("list.member.import", address=visit.parts["address"], rows=batch)
    return Done(said(told), here(visit))


def said(told: list[dict[str, Any]]) -> str:
    """What came of many addresses, in one line."""
    counts = {outcome: sum(one["outcome"] == outcome for one in told) for outcome in ("added", "unchanged", "problem")}
    words = f"{counts['added']:,} added."
    if counts["unchanged"]:
        words += f" {counts['unchanged']:,} had been on it before."
    wrong = [one["problem"] for one in told if one["outcome"] == "problem"]
    if wrong:
        words += f" {len(wrong):,} not taken: " + "; ".join(wrong[:MOST_WRONG_SHOWN])
        words += "; ..." if len(wrong) > MOST_WRONG_SHOWN else ""
    return words


async def remove_member(visit: Visit) -> Done:
    """Take somebody off."""
    member = visit.form.needed("member", "Type the address that is to be taken off")
    await visit.call("list.member.remove", address=visit.parts["address"], member=member)
    return Done(f"{member} is not on the list any more.", here(visit))


async def approve(visit: Visit) -> Done:
    """Let a post go that waits."""
    post = _post(visit)
    await visit.call("list.approve", address=visit.parts["address"], queue_id=post)
    return Done("The post goes to the members.", here(visit))


async def reject(visit: Visit) -> Done:
    """The other way."""
    post = _post(visit)
    told = await visit.call("list.reject", address=visit.parts["address"], queue_id=post)
    to = told["returned_to"]
    return Done(f"The post goes back to {to}." if to else "The post is deleted. Nobody is told.", here(visit))


def _post(visit: Visit) -> str:
    return visit.form.needed("post", "Choose a post")


async def remove(visit: Visit) -> Done:
    """Give the list up."""
    address = visit.parts["address"]
    visit.form.confirm(address)
    await visit.call("list.remove", address=address)
    return Done(f"The list {address} is gone.", visit.url("lists", domain=visit.domain["name"]))


PAGES = (
    Page(
        name="lists",
        path="/domains/<domain>/lists",
        title="Mailing lists",
        help="A message to a list goes to everybody on it. People join and leave by mail, or you put them on it here.",
        show=show,
        who=MANAGERS,
        subject=Subject.DOMAIN,
        actions={"add": add},
        section=Section.DOMAIN,
        menu="Mailing lists",
        command="hostmail list list {domain}",
    ),
    Page(
        name="list",
        path="/domains/<domain>/lists/<path:address>",
        title="Mailing list",
        help="Its members, and how it works. Members whose mail keeps coming back get no more, and the owners are told.",
        show=show_one,
        who=MANAGERS,
        subject=Subject.DOMAIN,
        actions={
            "change": change,
            "add_members": add_members,
            "remove_member": remove_member,
            "approve": approve,
            "reject": reject,
            "remove": remove,
        },
        command="hostmail list show {address}",
    ),
)
