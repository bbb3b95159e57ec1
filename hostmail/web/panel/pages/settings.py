"""What holds for a whole domain: its default mailbox, and for operators its quota, main login, suspensions and end."""

from __future__ import annotations

from hostmail.web.panel import wayout
from hostmail.web.panel.page import MANAGERS, OPERATORS, Done, Page, Section, Subject, View, Visit
from hostmail.web.panel.pages.accounts import SUSPENSIONS


async def show(visit: Visit) -> View:
    """All of it."""
    rows = await visit.call("account.list", domain=visit.domain["name"])
    mailboxes = [("", "none"), *((row["address"], row["address"]) for row in rows)]
    return View("settings.html", {"mailboxes": mailboxes})


async def _set(visit: Visit, words: str, **changes: object) -> Done:
    name = visit.domain["name"]
    await visit.call("domain.set", name=name, **changes)
    return Done(words, visit.url("settings", domain=name))


async def change(visit: Visit) -> Done:
    """What an owner may say."""
    return await _set(
        visit,
        "That counts at once.",
        default_mailbox=visit.form.text("default_mailbox"),
        pop_before_smtp=visit.form.ticked("pop_before_smtp"),
    )


async def show_limits(visit: Visit) -> View:
    """What only an operator says."""
    return View("domain_limits.html", {"way_out": wayout.facts(visit.domain)})


async def change_limits(visit: Visit) -> Done:
    """Quota, main login, what the domain may do."""
    form, name = visit.form, visit.domain["name"]
    await visit.call(
        "domain.set",
        name=name,
        quota=form.size("quota"),
        main_login=form.needed("main_login", "The domain's owner signs in with it"),
        must_match_sender=form.ticked("must_match_sender"),
        active=form.ticked("active"),
        **{f"{what}_suspended": not form.ticked(what) for what in SUSPENSIONS},
    )
    return Done("That counts at once.", visit.url("domain_limits", domain=name))


async def change_way_out(visit: Visit) -> Done:
    """How the mail of all its people leaves."""
    name = visit.domain["name"]
    await visit.call("domain.set", name=name, **wayout.changes(visit.form, visit.domain))
    return Done("The next message leaves that way.", visit.url("domain_limits", domain=name))


async def change_sources(visit: Visit) -> Done:
    """From which addresses of this machine."""
    name = visit.domain["name"]
    await visit.call("domain.set", name=name, source_addresses=visit.form.lines("source_addresses"))
    return Done("The next message leaves from there.", visit.url("domain_limits", domain=name))


async def remove(visit: Visit) -> Done:
    """Host it no more."""
    name = visit.domain["name"]
    visit.form.confirm(name)
    told = await visit.call("domain.remove", name=name)
    return Done(
        f"{name} is not hosted here any more; {told['removed_accounts']} account(s) went with it.", visit.url("home")
    )


PAGES = (
    Page(
        name="settings",
        path="/domains/<domain>/settings",
        title="Settings",
        help="What holds for the whole domain.",
        show=show,
        who=MANAGERS,
        subject=Subject.DOMAIN,
        actions={"change": change},
        section=Section.DOMAIN,
        menu="Settings",
        command="hostmail domain show {domain}",
    ),
    Page(
        name="domain_limits",
        path="/domains/<domain>/limits",
        title="Limits of the domain",
        help="What you as the operator say about this domain. Its owner sees it, and cannot change it.",
        show=show_limits,
        who=OPERATORS,
        subject=Subject.DOMAIN,
        actions={"change": change_limits, "way_out": change_way_out, "sources": change_sources, "remove": remove},
        section=Section.DOMAIN,
        menu="Limits",
        command="hostmail domain show {domain}",
    ),
)
