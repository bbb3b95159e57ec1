"""Setting up a mail program: what it asks and the answers, the steps for each, a profile for telephones; made to be printed (F3)."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote, urlsplit

from hostmail.web.panel.page import MANAGERS, WITH_MAILBOX, Page, Section, Subject, View, Visit
from hostmail.web.panel.table import Column, Table

AUTOCONFIG = "/.well-known/autoconfig/mail/config-v1.1.xml?emailaddress="
SETTINGS = (Column("name", "What it asks"), Column("value", "Your answer", "mono"))


async def choose(visit: Visit) -> View:
    """For whom?"""
    name = visit.domain["name"]
    rows = await visit.call("account.list", domain=name)
    columns = (
        Column(
            "address", "Account", "mono", link=lambda row: visit.url("program", domain=name, address=row["address"])
        ),
    )
    table = Table(f"accounts-{name}", columns, rows, "There is no account yet.")
    return View("programs.html", {"text": f"/setup/{quote(name)}.txt"}, table)


async def show(visit: Visit) -> View:
    """For one account: all programs, or the one that was chosen."""
    address = visit.account["address"]
    told: dict[str, Any] = await visit.call("client.show", address=address)
    wanted = visit.query.text("program")
    chosen = [guide for guide in told["guides"] if guide["key"] == wanted]
    facts = {
        "told": told,
        "programs": [(guide["key"], guide["title"]) for guide in told["guides"]],
        "chosen": chosen[0]["key"] if chosen else "",
        "guides": chosen or told["guides"],
        "profile": own_path(told["apple_profile"]),
        "autoconfig": AUTOCONFIG + quote(address, safe="@"),
    }
    title = f"Set up a mail program for {address}"
    return View("program.html", facts, Table(f"setup-{address}", SETTINGS, told["settings"]), title=title)


def own_path(link: str) -> str:
    """A link to this panel by whatever name the visitor reached it."""
    parts = urlsplit(link)
    return f"{parts.path}?{parts.query}" if link else ""


HELP = "Most programs need only the address and the password, and find the rest by themselves. If yours does not, this is what it asks."

PAGES = (
    Page(
        name="programs",
        path="/domains/<domain>/programs",
        title="Set up a mail program",
        help="Choose an account: its page has all that its owner has to enter, and can be printed and handed on.",
        show=choose,
        who=MANAGERS,
        subject=Subject.DOMAIN,
        section=Section.DOMAIN,
        menu="Set up a mail program",
        command="hostmail account list {domain}",
    ),
    Page(
        name="program",
        path="/domains/<domain>/programs/<path:address>",
        title="Set up a mail program",
        help=HELP,
        show=show,
        who=MANAGERS,
        subject=Subject.ACCOUNT,
        command="hostmail client {address}",
    ),
    Page(
        name="my_program",
        path="/mailbox/programs",
        title="Set up a mail program",
        help=HELP,
        show=show,
        who=WITH_MAILBOX,
        subject=Subject.MAILBOX,
        section=Section.MAILBOX,
        menu="Set up my mail program",
        command="hostmail client {address}",
    ),
)
