"""What somebody with a mailbox sees of it."""

from __future__ import annotations

from hostmail.web.panel.page import WITH_MAILBOX, Page, Section, Subject, View, Visit
from hostmail.web.panel.table import Column, Table

FOLDERS = (
    Column("name", "Folder"),
    Column("messages", "Messages", "count", number=True),
    Column("unread", "Unread", "count", number=True),
    Column("octets", "Size", "size", number=True),
)


async def show(visit: Visit) -> View:
    """How full it is, and what of."""
    address = visit.account["address"]
    table = Table("folders", FOLDERS, await visit.call("mailbox.folders", address=address), "There is no folder yet.")
    return View("mailbox.html", table=table, title=address)


PAGES = (
    Page(
        name="mailbox",
        path="/mailbox",
        title="My mailbox",
        help="How much of your mailbox is used. When it is full, mail to you is returned to its sender.",
        show=show,
        who=WITH_MAILBOX,
        subject=Subject.MAILBOX,
        section=Section.MAILBOX,
        menu="My mailbox",
        command="hostmail mailbox folders {address}",
    ),
)
