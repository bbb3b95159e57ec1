"""Where one is signed in to the panel, and the way to end that elsewhere."""

from __future__ import annotations

from hostmail.errors import NotFound
from hostmail.web.panel.page import EVERYBODY, Done, Page, Section, View, Visit
from hostmail.web.panel.table import Button, Column, Table

COLUMNS = (
    Column("program", "Browser", "text"),
    Column("ip", "From", "mono"),
    Column("began", "Signed in", "moment"),
    Column("seen", "Last seen", "moment"),
    Column("here", "", "here"),
    Column("id", "", value=lambda row: None if row["here"] else row["id"], button=Button("end", "Sign out", "session")),
)


async def show(visit: Visit) -> View:
    """The sessions of whoever asks, the last used first."""
    rows = [
        {
            "id": one.id,
            "program": known_as(one.program),
            "ip": one.ip,
            "began": one.began,
            "seen": one.seen,
            "here": one.id == visit.session.id,
        }
        for one in visit.browsers.of(visit.session.subject)
    ]
    return View("browsers.html", {"has_others": len(rows) > 1}, Table("browsers", COLUMNS, rows))


async def end(visit: Visit) -> Done:
    """End one of the others."""
    number = visit.form.number("session") or 0
    if number == visit.session.id or not visit.browsers.end_one(visit.session.subject, number):
        raise NotFound("That browser is not signed in any more")
    return Done("That browser is signed out.", visit.url("browsers"))


async def end_others(visit: Visit) -> Done:
    """End all but this one."""
    ended = visit.browsers.end_others(visit.session.subject, visit.session.id)
    return Done(f"Signed out everywhere else: {ended} browser{'' if ended == 1 else 's'}.", visit.url("browsers"))


def known_as(program: str) -> str:
    """Browser and system in a User-Agent, as people call them."""
    browsers = {"Edg/": "Edge", "OPR/": "Opera", "Firefox/": "Firefox", "Chrome/": "Chrome", "Safari/": "Safari"}
    systems = {
        "Android": "Android",
        "iPhone": "iPhone",
        "iPad": "iPad",
        "Windows": "Windows",
        "Mac OS": "macOS",
        "Linux": "Linux",
    }
    browser = next((name for mark, name in browsers.items() if mark in program), "")
    system = next((name for mark, name in systems.items() if mark in program), "")
    return f"{browser} on {system}" if browser and system else browser or program[:60] or "unknown"


PAGES = (
    Page(
        name="browsers",
        path="/browsers",
        title="Browsers",
        help="Every browser in which you are signed in to this panel. End what is not yours, and change your password then.",
        show=show,
        who=EVERYBODY,
        actions={"end": end, "end_others": end_others},
        section=Section.OWN,
        menu="Browsers",
    ),
)
