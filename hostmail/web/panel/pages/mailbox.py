"""What somebody with a mailbox sees of it."""

from __future__ import annotations

from hostmail.actor import Role
from hostmail.web.panel.page import Page, Section, Subject, View, Visit


async def show(visit: Visit) -> View:
    """How full it is."""
    return View("mailbox.html", title=visit.account["address"])


PAGES = (
    Page(
        name="mailbox",
        path="/mailbox",
        title="My mailbox",
        help="How much of your mailbox is used. When it is full, mail to you is returned to its sender.",
        show=show,
        who=frozenset({Role.USER, Role.OWNER}),
        subject=Subject.MAILBOX,
        section=Section.MAILBOX,
        menu="My mailbox",
        command="hostmail account show {address}",
    ),
)
