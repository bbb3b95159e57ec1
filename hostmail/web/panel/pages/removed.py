"""Accounts that were deleted, and their way back (D13)."""

from __future__ import annotations

from hostmail.web.fields import BadField
from hostmail.web.panel.page import MANAGERS, Done, Page, Subject, View, Visit
from hostmail.web.panel.table import Button, Column, Table

COLUMNS = (
    Column("address", "Account", "mono"),
    Column("removed", "Deleted", "moment"),
    Column("until", "Can be restored until", "moment"),
    Column("number", "Number", number=True),
    Column("restore", "", value=lambda row: row["number"], button=Button("restore", "Restore", "number")),
)


async def show(visit: Visit) -> View:
    """What can be brought back."""
    name = visit.domain["name"]
    rows = await visit.call("account.removed", domain=name)
    choices = [(str(row["number"]), f"{row['address']} ({row['number']})") for row in rows]
    return View(
        "removed.html",
        {"choices": choices},
        Table(f"deleted-{name}", COLUMNS, rows, "No account has been deleted lately."),
    )


async def restore(visit: Visit) -> Done:
    """Bring one back, under its own address or another."""
    domain = visit.domain["name"]
    number = visit.form.number("number")
    rows = {row["number"]: row for row in await visit.call("account.removed", domain=domain)}
    if number not in rows:
        raise BadField("number", "Choose an account")
    target = visit.form.text("target")
    told = await visit.call("account.restore", address=rows[number]["address"], number=number, target=target)
    to = visit.url("account", domain=domain, address=told["address"])
    return Done(f"{told['address']} is back, with its password and {told['messages']} message(s).", to)


PAGES = (
    Page(
        name="removed",
        path="/domains/<domain>/deleted",
        title="Deleted accounts",
        help="A deleted account can be brought back for a while, with its mail, its password and its limits.",
        show=show,
        who=MANAGERS,
        subject=Subject.DOMAIN,
        actions={"restore": restore},
        under="accounts",
        command="hostmail account removed {domain}",
    ),
)
