"""Who has tried to sign in to the panel as an operator or owner, and what came of it: one's own, and for operators everybody's."""

from __future__ import annotations

from urllib.parse import quote

from hostmail.web.panel.connected import ATTEMPTS
from hostmail.web.panel.page import MANAGERS, OPERATORS, Done, Page, Section, View, Visit
from hostmail.web.panel.table import Table

EMPTY = "Nobody has tried to sign in yet."


async def show_own(visit: Visit) -> View:
    """One's own."""
    return View("signins.html", table=Table("logins", ATTEMPTS, await visit.call("own.logins"), EMPTY))


async def show_of(visit: Visit) -> View | Done:
    """Somebody's."""
    login = visit.query.text("login")[:100]
    if not login:
        return Done("", visit.url("owners"))
    rows = await visit.call("person.logins", login=login)
    return View("signins.html", table=Table(f"logins-{login}", ATTEMPTS, rows, EMPTY), title=f"Logins of {login}")


def page_of(visit: Visit, login: str) -> str:
    """The path of somebody's page."""
    return f"{visit.url('person_logins')}?login={quote(login)}"


PAGES = (
    Page(
        name="own_logins",
        path="/logins",
        title="Logins",
        help="The last attempts to sign in as you. If one of them was not you, change your password.",
        show=show_own,
        who=MANAGERS,
        section=Section.OWN,
        menu="Logins",
    ),
    Page(
        name="person_logins",
        path="/logins/of",
        title="Logins",
        help="The last attempts to sign in with this login.",
        show=show_of,
        who=OPERATORS,
        command="hostmail owner logins LOGIN",
    ),
)
