"""Who may send without signing in, because somebody of the domain checked his mail there (C4)."""

from __future__ import annotations

from hostmail.web.panel.page import MANAGERS, Done, Page, Section, Subject, View, Visit
from hostmail.web.panel.table import Button, Column, Table

COLUMNS = (
    Column("ip", "Internet address", "mono"),
    Column("address", "Opened by", "mono"),
    Column("login", "Signed in as", "mono", only_data=True),
    Column("until", "Until", "moment"),
    Column("close", "", value=lambda row: row["ip"], button=Button("close", "Close", "ip")),
)


async def show(visit: Visit) -> View:
    """The grants of this domain's accounts."""
    ending = f"@{visit.domain['name']}"
    rows = [row for row in await visit.call("relay.list") if (row["address"] or "").lower().endswith(ending)]
    return View("grants.html", table=Table(f"grants-{visit.domain['name']}", COLUMNS, rows, "None at present."))


async def close(visit: Visit) -> Done:
    """Close those of one address."""
    ip = visit.form.needed("ip", "Choose an address")
    await visit.call("relay.revoke", ip=ip)
    return Done(f"{ip} may not send without signing in any more.", visit.url("grants", domain=visit.domain["name"]))


PAGES = (
    Page(
        name="grants",
        path="/domains/<domain>/grants",
        title="Relay grants",
        help="Checking mail lets old mail programs send for a while from the same internet address, without signing in.",
        show=show,
        who=MANAGERS,
        subject=Subject.DOMAIN,
        actions={"close": close},
        section=Section.DOMAIN,
        menu="Relay grants",
        command="hostmail relay list",
    ),
)
