"""The first page: which domain? Who has but one is in it at once, and who has a mailbox is at his mailbox."""

from __future__ import annotations

from typing import Any

from hostmail.actor import Role
from hostmail.errors import NotAllowed
from hostmail.web.panel.page import EVERYBODY, Done, Page, Section, View, Visit
from hostmail.web.panel.table import Column, Table


def domain_state(row: Any) -> list[str]:
    """What is not as usual with a domain, in a few words."""
    words = [f"{what} suspended" for what in ("login", "incoming", "outgoing") if row[f"{what}_suspended"]]
    return words if row["active"] else ["not pointed here", *words]


async def show(visit: Visit) -> View | Done:
    """The domains that are his."""
    if visit.actor.role is Role.USER:
        return Done("", visit.url("mailbox"))
    rows = await visit.call("domain.list")
    if visit.actor.role is Role.OWNER and len(rows) == 1:
        return Done("", visit.url("overview", domain=rows[0]["name"]))
    columns = (
        Column("name", "Domain", link=lambda row: visit.url("overview", domain=row["name"])),
        Column("accounts", "Accounts", "count", number=True),
        Column("used", "Used of quota", "use"),
        Column("state", "State", "state", value=domain_state),
    )
    empty = (
        "No domain is hosted here yet."
        if visit.is_operator
        else "No domain has been given to you yet. Please ask your provider."
    )
    return View("home.html", table=Table("domains", columns, rows, empty))


async def add(visit: Visit) -> Done:
    """Host one more."""
    name = visit.form.needed("name", "Type the domain's name")
    if not visit.is_operator:
        raise NotAllowed("ask your provider to host another domain")
    told = await visit.call("domain.add", name=name, quota=visit.form.size("quota"))
    return Done(
        f"{told['name']} is hosted here now. Its main login is {told['main_login']}; add an account first.",
        visit.url("accounts", domain=told["name"]),
    )


PAGES = (
    Page(
        name="home",
        path="/",
        title="Domains",
        help="Choose the domain whose mail you want to look after.",
        show=show,
        who=EVERYBODY,
        actions={"add": add},
        section=Section.SERVER,
        menu="Domains",
        command="hostmail domain list",
    ),
)
