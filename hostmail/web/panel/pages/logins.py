"""Why somebody cannot get at his mail: open sessions, the last attempts to sign in, and relay grants (F4, C4, D10)."""

from __future__ import annotations

from hostmail.web.panel.page import MANAGERS, Done, Page, Section, Subject, View, Visit
from hostmail.web.panel.pages.mine import ATTEMPTS
from hostmail.web.panel.table import Column, Table


async def show(visit: Visit) -> View:
    """One account's sessions and attempts."""
    address = visit.account["address"]
    sessions = await visit.call("session.list", address=address)
    rows = await visit.call("login.list", address=address)
    table = Table(f"logins-{address}", ATTEMPTS, rows, "Nobody has tried to sign in yet.")
    return View("logins.html", {"sessions": sessions}, table, title=address)


async def disconnect(visit: Visit) -> Done:
    """End all its sessions."""
    address = visit.account["address"]
    told = await visit.call("session.kick", address=address)
    to = visit.url("logins", domain=visit.domain["name"], address=address)
    return Done(f"{told['ended_sessions']} connection(s) of {address} ended.", to)


async def show_grants(visit: Visit) -> View:
    """Addresses that may send because somebody of this domain checked his mail there."""
    ending = f"@{visit.domain['name']}"
    rows = [row for row in await visit.call("relay.list") if (row["address"] or "").lower().endswith(ending)]
    columns = (
        Column("ip", "Internet address", "mono"),
        Column("address", "Opened by", "mono"),
        Column("login", "Signed in as", "mono", only_data=True),
        Column("until", "Until", "moment"),
    )
    choices = [(ip, ip) for ip in dict.fromkeys(row["ip"] for row in rows)]
    table = Table(f"grants-{visit.domain['name']}", columns, rows, "None at present.")
    return View("grants.html", {"choices": choices}, table)


async def close_grant(visit: Visit) -> Done:
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
        show=show_grants,
        who=MANAGERS,
        subject=Subject.DOMAIN,
        actions={"close": close_grant},
        section=Section.DOMAIN,
        menu="Relay grants",
        command="hostmail relay list",
    ),
    Page(
        name="logins",
        path="/domains/<domain>/logins/<path:address>",
        title="Sessions and logins",
        help="Who is connected to this mailbox now, and the last attempts to sign in, with the reason that the mail program was not told.",
        show=show,
        who=MANAGERS,
        subject=Subject.ACCOUNT,
        actions={"disconnect": disconnect},
        under="accounts",
        command="hostmail account logins {address}",
    ),
)
