"""Forwards and aliases: addresses whose mail goes elsewhere, without people having to know which of the two they are (E1)."""

from __future__ import annotations

from typing import Any

from hostmail.web.fields import BadField
from hostmail.web.panel.page import MANAGERS, Done, Page, Section, Subject, View, Visit
from hostmail.web.panel.pages.accounts import address_typed
from hostmail.web.panel.table import Column, Table


def address_state(row: Any) -> list[str]:
    """What people should know of an address, in a few words."""
    words = ["keeps a copy"] if row["has_mailbox"] and row["keep_copy"] else []
    return words + [f"{target} takes no mail" for target in row["refused"]]


def targets(row: Any) -> list[str]:
    """Where its mail goes."""
    return [*row["aliases"], *row["forwards"]]


async def show(visit: Visit) -> View:
    """All addresses that lead somewhere."""
    name = visit.domain["name"]
    rows = await visit.call("address.list", name=name)
    columns = (
        Column(
            "address", "Address", "mono", link=lambda row: visit.url("address", domain=name, address=row["address"])
        ),
        Column("targets", "Mail goes to", "list", value=targets),
        Column("has_mailbox", "Also a mailbox", "yes"),
        Column("state", "Remarks", "list", value=address_state),
    )
    table = Table(f"forwards-{name}", columns, rows, "No address leads elsewhere yet. Add the first one below.")
    return View("addresses.html", table=table)


async def add(visit: Visit) -> Done:
    """One more."""
    address = address_typed(visit)
    wanted = visit.form.lines("targets")
    if not wanted:
        raise BadField("targets", "Say where the mail shall go, one address in each line")
    if await visit.call("address.list", name=address):
        raise BadField("name", f"{address} leads somewhere already: choose it in the list")
    await visit.call("address.set", address=address, targets=wanted, keep_copy=visit.form.ticked("keep_copy"))
    return Done(f"Mail to {address} goes there from now on.", visit.url("addresses", domain=visit.domain["name"]))


async def show_one(visit: Visit) -> View | Done:
    """One of them, with what mail to it would meet."""
    address = visit.parts["address"]
    rows = await visit.call("address.list", name=address)
    if not rows:
        return Done("", visit.url("addresses", domain=visit.domain["name"]))
    told = await visit.call("route", address=address)
    return View("address.html", {"row": rows[0], "targets": targets(rows[0]), "route": told}, title=rows[0]["address"])


async def change(visit: Visit) -> Done:
    """Other targets."""
    address, wanted = visit.parts["address"], visit.form.lines("targets")
    if not wanted:
        raise BadField("targets", "Say where the mail shall go, or delete the address below")
    await visit.call("address.set", address=address, targets=wanted, keep_copy=visit.form.ticked("keep_copy"))
    return Done("That counts from the next message on.", here(visit))


async def remove(visit: Visit) -> Done:
    """It leads nowhere any more; a mailbox with this address gets its mail again."""
    address = visit.parts["address"]
    await visit.call("address.set", address=address, targets=[])
    return Done(f"{address} leads nowhere any more.", visit.url("addresses", domain=visit.domain["name"]))


def here(visit: Visit) -> str:
    """The page of this address."""
    return visit.url("address", domain=visit.domain["name"], address=visit.parts["address"])


PAGES = (
    Page(
        name="addresses",
        path="/domains/<domain>/addresses",
        title="Forwards and aliases",
        help="An address can lead to one mailbox here or several, or to addresses anywhere else. A mailbox can send its mail on, and keep a"
        " copy or not.",
        show=show,
        who=MANAGERS,
        subject=Subject.DOMAIN,
        actions={"add": add},
        section=Section.DOMAIN,
        menu="Forwards and aliases",
        command="hostmail forward list {domain}",
    ),
    Page(
        name="address",
        path="/domains/<domain>/addresses/<path:address>",
        title="Address",
        help="Where mail to this address goes. Changes count from the next message on.",
        show=show_one,
        who=MANAGERS,
        subject=Subject.DOMAIN,
        actions={"change": change, "remove": remove},
        command="hostmail route {address}",
    ),
)
