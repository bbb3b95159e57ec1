"""Autoresponders: an answer to whoever writes, while somebody is away (E4)."""

from __future__ import annotations

from hostmail.web.panel import autoreply
from hostmail.web.panel.page import MANAGERS, Done, Page, Section, Subject, View, Visit
from hostmail.web.panel.table import Column, Table


async def show(visit: Visit) -> View:
    """The accounts that answer, and a way to each of the others."""
    name = visit.domain["name"]
    rows = await visit.call("autoreply.list", domain=name)
    accounts = await visit.call("account.list", domain=name)
    columns = (
        Column("address", "Account", "mono", link=lambda row: _page(visit, row["address"])),
        Column("subject", "Subject", value=lambda row: row["subject"] or "Auto: …"),
        Column("starts", "From", "moment"),
        Column("until", "Until", "moment"),
    )
    answering = {row["address"] for row in rows}
    others = [(one["address"], _page(visit, one["address"])) for one in accounts if one["address"] not in answering]
    table = Table(f"autoresponders-{name}", columns, rows, "No account answers by itself at present.")
    return View("autoreplies.html", {"others": others[:200]}, table)


def _page(visit: Visit, address: str) -> str:
    return visit.url("autoreply", domain=visit.domain["name"], address=address)


async def show_one(visit: Visit) -> View:
    """One account's."""
    facts = await autoreply.shown(visit, visit.account["address"])
    return View("autoreply.html", facts, title=visit.account["address"])


async def preview(visit: Visit) -> View:
    """What a sender would get."""
    facts = await autoreply.shown(visit, visit.account["address"])
    return View("autoreply.html", facts | {"preview": autoreply.typed(visit)}, title=visit.account["address"])


async def change(visit: Visit) -> Done:
    """Answer from now on, or another way."""
    address = visit.account["address"]
    await visit.call("autoreply.set", address=address, **autoreply.typed(visit))
    return Done(f"{address} answers so from now on.", _page(visit, address))


async def switch_off(visit: Visit) -> Done:
    """Answer no more."""
    address = visit.account["address"]
    await visit.call("autoreply.off", address=address)
    return Done(f"{address} answers no more.", visit.url("autoreplies", domain=visit.domain["name"]))


PAGES = (
    Page(
        name="autoreplies",
        path="/domains/<domain>/autoresponders",
        title="Autoresponders",
        help="An account can answer by itself while somebody is away. Nobody is answered more often than you say, and machines never.",
        show=show,
        who=MANAGERS,
        subject=Subject.DOMAIN,
        section=Section.DOMAIN,
        menu="Autoresponders",
        command="hostmail autoreply list {domain}",
    ),
    Page(
        name="autoreply",
        path="/domains/<domain>/autoresponders/<path:address>",
        title="Autoresponder",
        help="What this account answers to whoever writes to it.",
        show=show_one,
        who=MANAGERS,
        subject=Subject.ACCOUNT,
        actions={"set": change, "preview": preview, "off": switch_off},
        forms={"preview": "set"},
        command="hostmail autoreply show {address}",
    ),
)
