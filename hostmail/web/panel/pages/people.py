"""Owners and operators: who else may sign in to the panel, and what owners may manage (F1)."""

from __future__ import annotations

from urllib.parse import quote

from hostmail.web.fields import BadField, Fields
from hostmail.web.panel.page import OPERATORS, Done, Page, Section, View, Visit
from hostmail.web.panel.pages import signins
from hostmail.web.panel.pages.accounts import chosen_password
from hostmail.web.panel.table import Column, Row, Table


def state(row: Row) -> list[str]:
    """What is not as usual with somebody."""
    return ["suspended"] if row["suspended"] else []


def limits(form: Fields) -> dict[str, int | None]:
    """What was typed of an owner's limits, None for none; raises BadField."""
    counts = {name: form.number(name) for name in ("accounts", "forwards", "lists")}
    return counts | {"quota": form.size("quota")}


def page_of(visit: Visit, login: str) -> str:
    """The path of an owner's page."""
    return f"{visit.url('owner')}?login={quote(login)}"


def a_limit(row: Row, name: str) -> str:
    """A number, or that there is none."""
    return "no limit" if row[name] is None else f"{row[name]:,}"


# -------------------------------------------------------------------------------------------------------------- owners


async def show_owners(visit: Visit) -> View:
    """All owners."""
    columns = (
        Column("login", "Login", "mono", link=lambda row: page_of(visit, row["login"])),
        Column("domains", "Domains", "list"),
        Column("accounts", "Accounts", value=lambda row: a_limit(row, "accounts"), number=True),
        Column("quota", "Storage to give", "size"),
        Column("second_factor", "Second factor", "yes"),
        Column("state", "State", "state", value=state),
    )
    rows = await visit.call("owner.list")
    domains = [row["name"] for row in await visit.call("domain.list")]
    empty = "There is no owner yet. A domain's main login manages it, too."
    return View("owners.html", {"domains": domains}, Table("owners", columns, rows, empty))


async def add_owner(visit: Visit) -> View | Done:
    """One more."""
    form = visit.form
    login = form.needed("login", "Type a login, without @")
    password, is_made = chosen_password(form)
    domains = form.all("domains")
    told = await visit.call("owner.add", login=login, password=password, domains=domains, **limits(form))
    to = page_of(visit, told["login"])
    return _created(told["login"], password, to) if is_made else Done(f"{told['login']} may sign in now.", to)


def _created(login: str, password: str, to: str) -> View:
    facts = {"login": login, "password": password, "to": to}
    return View("new_password.html", facts, title="New login", help="")


async def show_owner(visit: Visit) -> View | Done:
    """One of them."""
    login = visit.query.text("login")[:100]
    if not login:
        return Done("", visit.url("owners"))
    row = await visit.call("owner.show", login=login)
    others = [one["name"] for one in await visit.call("domain.list") if one["name"] not in row["domains"]]
    facts = {"row": row, "others": others, "state": state(row), "logins": signins.page_of(visit, login)}
    return View("owner.html", facts, title=row["login"])


def _owner(visit: Visit) -> tuple[str, str]:
    """Whose page it is, and its path."""
    login = visit.query.text("login")[:100]
    return login, page_of(visit, login)


async def change_domains(visit: Visit) -> Done:
    """Exactly those that are ticked."""
    login, to = _owner(visit)
    before = set((await visit.call("owner.show", login=login))["domains"])
    wanted = set(visit.form.all("domains"))
    for domain in sorted(wanted - before):
        await visit.call("owner.grant", login=login, domain=domain)
    for domain in sorted(before - wanted):
        await visit.call("owner.revoke", login=login, domain=domain)
    return Done("That counts at once.", to)


async def change_limits(visit: Visit) -> Done:
    """How much he may have."""
    login, to = _owner(visit)
    await visit.call("owner.set", login=login, **limits(visit.form))
    return Done("The limits have been changed. What he has already stays.", to)


async def change_access(visit: Visit) -> Done:
    """Suspend him, or let him in again."""
    login, to = _owner(visit)
    await visit.call("owner.set", login=login, suspended=not visit.form.ticked("may"))
    return Done("That counts at once.", to)


async def change_password(visit: Visit) -> View | Done:
    """A new one; what he has open ends."""
    login, to = _owner(visit)
    password, is_made = chosen_password(visit.form)
    await visit.call("owner.passwd", login=login, password=password)
    return _created(login, password, to) if is_made else Done("The password has been changed.", to)


async def remove_owner(visit: Visit) -> Done:
    """He is no owner any more; his domains stay."""
    login, _ = _owner(visit)
    if visit.form.text("confirm") != login:
        raise BadField("confirm", f"Type {login} to confirm")
    await visit.call("owner.remove", login=login)
    return Done(f"{login} may not sign in any more.", visit.url("owners"))


# ----------------------------------------------------------------------------------------------------------- operators


async def show_operators(visit: Visit) -> View:
    """All operators."""
    columns = (
        Column("login", "Login", "mono", link=lambda row: signins.page_of(visit, row["login"])),
        Column("created", "Since", "moment"),
        Column("second_factor", "Second factor", "yes"),
        Column("state", "State", "state", value=state),
    )
    rows = await visit.call("operator.list")
    return View(
        "operators.html", {"logins": [(row["login"], row["login"]) for row in rows]}, Table("operators", columns, rows)
    )


async def add_operator(visit: Visit) -> View | Done:
    """One more."""
    login = visit.form.needed("login", "Type a login, without @")
    password, is_made = chosen_password(visit.form)
    current = visit.form.raw("current")[:1024]
    told = await visit.call("operator.add", login=login, password=password, current=current)
    to = visit.url("operators")
    return _created(told["login"], password, to) if is_made else Done(f"{told['login']} may sign in now.", to)


def _another(visit: Visit) -> str:
    """An operator who is not the one who asks: nobody shuts himself out by a slip."""
    login = visit.form.needed("login", "Choose an operator")
    if login == visit.actor.login:
        raise BadField("login", "That is you: ask another operator, or use the command on the server")
    return login


async def suspend_operator(visit: Visit) -> Done:
    """Shut one out."""
    login = _another(visit)
    await visit.call("operator.set", login=login, suspended=True)
    return Done(f"{login} may not sign in any more.", visit.url("operators"))


async def resume_operator(visit: Visit) -> Done:
    """Let one in again."""
    login = _another(visit)
    await visit.call("operator.set", login=login, suspended=False)
    return Done(f"{login} may sign in again.", visit.url("operators"))


async def remove_operator(visit: Visit) -> Done:
    """One less."""
    login = _another(visit)
    if not visit.form.ticked("sure"):
        raise BadField("sure", "Tick that you mean it: this cannot be undone")
    await visit.call("operator.remove", login=login)
    return Done(f"{login} is no operator any more.", visit.url("operators"))


PAGES = (
    Page(
        name="owners",
        path="/owners",
        title="Owners",
        help="An owner manages the domains that you give him, with limits if you like, and sees nothing of others.",
        show=show_owners,
        who=OPERATORS,
        actions={"add": add_owner},
        section=Section.SERVER,
        menu="Owners",
        command="hostmail owner list",
    ),
    Page(
        name="owner",
        path="/owners/one",
        title="Owner",
        help="What he manages, and how much of it he may have.",
        show=show_owner,
        who=OPERATORS,
        actions={
            "domains": change_domains,
            "limits": change_limits,
            "access": change_access,
            "password": change_password,
            "remove": remove_owner,
        },
        command="hostmail owner show LOGIN",
    ),
    Page(
        name="operators",
        path="/operators",
        title="Operators",
        help="Operators run this server: they may do everything, for every domain.",
        show=show_operators,
        who=OPERATORS,
        actions={
            "add": add_operator,
            "suspend": suspend_operator,
            "resume": resume_operator,
            "remove": remove_operator,
        },
        forms={"resume": "suspend", "remove": "suspend"},
        section=Section.SERVER,
        menu="Operators",
        command="hostmail operator list",
    ),
)
