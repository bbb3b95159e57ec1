"""One account: how full it is, what it may do, its password, who is at it and who tried to be, and its end."""

from __future__ import annotations

from hostmail.web.fields import BadField
from hostmail.web.panel import connected, wayout
from hostmail.web.panel.page import MANAGERS, Done, Page, Subject, View, Visit
from hostmail.web.panel.pages.accounts import SUSPENSIONS, account_state, chosen_password

ATTEMPTS_SHOWN = 5


async def show(visit: Visit) -> View:
    """All there is to know, and a form for each thing that can be changed."""
    address = visit.account["address"]
    facts = {
        "state": account_state(visit.account),
        "is_own": is_own(visit),
        "sessions": await connected.sessions(visit, address),
        "way_out": wayout.facts(visit.account) if visit.is_operator else None,
    }
    return View("account.html", facts, await connected.attempts(visit, address, ATTEMPTS_SHOWN), title=address)


def here(visit: Visit) -> str:
    """This page."""
    return visit.url("account", domain=visit.domain["name"], address=visit.account["address"])


async def change_quota(visit: Visit) -> Done:
    """How much it may hold."""
    form = visit.form
    await visit.call(
        "account.set",
        address=visit.account["address"],
        quota=form.size("quota"),
        quota_messages=form.number("quota_messages"),
    )
    return Done("The quota has been changed. It counts from the next message on.", here(visit))


async def change_suspensions(visit: Visit) -> Done:
    """What it may do: a box that is ticked is allowed. What stays as it is is not said again: it stays with whoever has suspended it."""
    wanted = {f"{what}_suspended": not visit.form.ticked(what) for what in SUSPENSIONS}
    changes = {name: value for name, value in wanted.items() if value != visit.account[name]}
    if changes:
        await visit.call("account.set", address=visit.account["address"], **changes)
    return Done("What this account may do has been changed, at once.", here(visit))


async def change_password(visit: Visit) -> View | Done:
    """A new password: the old one is refused from this moment on. Who changes his own shows that he knows it, and stays signed in here."""
    current = visit.form.raw("current")
    if is_own(visit) and not current:
        raise BadField("current", "Type your password as it is now")
    password, is_made = chosen_password(visit.form)
    if is_own(visit):
        await visit.call("own.passwd", current=current, password=password)
        await visit.stay_signed_in()
    else:
        await visit.call("account.passwd", address=visit.account["address"], password=password)
    if is_made:
        facts = {"login": visit.account["login"], "password": password, "to": here(visit)}
        return View("new_password.html", facts, title="New password", help="")
    return Done("The password has been changed. The old one is refused from now on.", here(visit))


def is_own(visit: Visit) -> bool:
    """Whether it is the visitor's own mailbox, and its password the one he signs in with."""
    return bool(visit.actor.address == visit.account["address"])


async def change_way_out(visit: Visit) -> Done:
    """How its mail leaves."""
    changes = wayout.changes(visit.form, visit.account)
    await visit.call("account.set", address=visit.account["address"], **changes)
    return Done("The next message leaves that way.", here(visit))


async def disconnect(visit: Visit) -> Done:
    """End one of its sessions, or all: what one of them has locked is free then."""
    return Done(await connected.end(visit, visit.account["address"]), here(visit))


async def remove(visit: Visit) -> Done:
    """The end of it; its mail is kept aside for the grace period (D13)."""
    address = visit.account["address"]
    visit.form.confirm(address)
    await visit.call("account.remove", address=address)
    return Done(f"{address} has been deleted.", visit.url("accounts", domain=visit.domain["name"]))


PAGES = (
    Page(
        name="account",
        path="/domains/<domain>/accounts/<path:address>",
        title="Account",
        help="Changes count at once, for people who are connected, too.",
        show=show,
        who=MANAGERS,
        subject=Subject.ACCOUNT,
        actions={
            "quota": change_quota,
            "suspensions": change_suspensions,
            "password": change_password,
            "disconnect": disconnect,
            "way_out": change_way_out,
            "remove": remove,
        },
        command="hostmail account show {address}",
    ),
)
