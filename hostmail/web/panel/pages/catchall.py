"""The default address: what becomes of mail for names that nobody has, and which those were (E2)."""

from __future__ import annotations

from typing import Any

from hostmail.web.fields import BadField
from hostmail.web.panel.page import MANAGERS, Done, Page, Section, Subject, View, Visit
from hostmail.web.panel.table import Column, Table


async def show(visit: Visit) -> View:
    """What is done, and the names it was done with."""
    name = visit.domain["name"]
    told = await visit.call("catchall.show", name=name)
    rows = await visit.call("catchall.names", name=name)
    columns = (
        Column("address", "Name", "mono", link=lambda row: visit.url("caught", domain=name, address=row["address"])),
        Column("count", "Messages", "count", number=True),
        Column("first_seen", "First", "moment", only_data=True),
        Column("last_seen", "Last", "moment"),
        Column("blocked", "Refused", "yes"),
    )
    table = Table(f"unknown-names-{name}", columns, rows, "No mail for an unknown name has come yet.")
    return View("catchall.html", {"catch_all": told["catch_all"], "target": told["target"]}, table)


async def choose(visit: Visit) -> Done:
    """Something else from now on."""
    choice = visit.form.text("choice")
    if choice not in ("default", "refuse", "discard", "address"):
        raise BadField("choice", "Choose one of these")
    if choice == "address":
        choice = visit.form.needed("target", "Type the address that gets this mail")
    await visit.call("catchall.set", name=visit.domain["name"], catch_all=choice)
    return Done("That counts from the next message on.", visit.url("catchall", domain=visit.domain["name"]))


async def show_one(visit: Visit) -> View | Done:
    """One name that nobody has."""
    rows = await visit.call("catchall.names", name=visit.domain["name"])
    found = [row for row in rows if row["address"].lower() == visit.parts["address"].lower()]
    if not found:
        return Done("", visit.url("catchall", domain=visit.domain["name"]))
    return View("caught.html", {"row": found[0]}, title=found[0]["address"])


def _changed(visit: Visit, words: str) -> Done:
    return Done(words, visit.url("catchall", domain=visit.domain["name"]))


async def block(visit: Visit) -> Done:
    """Refuse this one from now on."""
    await visit.call("catchall.block", address=visit.parts["address"])
    return _changed(visit, f"Mail to {visit.parts['address']} is refused from now on.")


async def unblock(visit: Visit) -> Done:
    """Treat it as any unknown name again."""
    await visit.call("catchall.unblock", address=visit.parts["address"])
    return _changed(visit, f"{visit.parts['address']} is an unknown name like any other again.")


async def make_alias(visit: Visit) -> Done:
    """Give the name to somebody."""
    address: Any = visit.parts["address"]
    targets = visit.form.lines("targets")
    if not targets:
        raise BadField("targets", "Say who gets this mail")
    await visit.call("address.set", address=address, targets=targets)
    return _changed(visit, f"Mail to {address} goes there from now on.")


PAGES = (
    Page(
        name="catchall",
        path="/domains/<domain>/default",
        title="Default address",
        help="What happens to mail for names in this domain that do not exist. They are remembered, so that you can block one, or give it"
        " to somebody.",
        show=show,
        who=MANAGERS,
        subject=Subject.DOMAIN,
        actions={"choose": choose},
        section=Section.DOMAIN,
        menu="Default address",
        command="hostmail catchall names {domain}",
    ),
    Page(
        name="caught",
        path="/domains/<domain>/default/<path:address>",
        title="Unknown name",
        help="Somebody writes to this name, and nobody has it.",
        show=show_one,
        who=MANAGERS,
        subject=Subject.DOMAIN,
        actions={"block": block, "unblock": unblock, "alias": make_alias},
        command="hostmail catchall names {domain} --block {address}",
    ),
)
