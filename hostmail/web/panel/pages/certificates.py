"""The server's certificates: how long they are good, and which names have none (A5)."""

from __future__ import annotations

from hostmail.web.panel.page import OPERATORS, Page, Section, View, Visit
from hostmail.web.panel.table import Column, Table

COLUMNS = (
    Column("server_name", "Shown for", "mono", value=lambda row: row["server_name"] or "all other names"),
    Column("names", "Names in it", "list"),
    Column("issuer", "Signed by", value=lambda row: "itself" if row["self_signed"] else row["issuer"]),
    Column("valid_from", "From", "moment"),
    Column("valid_until", "Until", "moment"),
    Column("state", "State", "record", value=lambda row: ["see above"] if row["problems"] else []),
    Column("problems", "Problems", only_data=True),
    Column("file", "File", only_data=True),
)


async def show(visit: Visit) -> View:
    """All of them, and what is to be done."""
    told = await visit.call("certificate.list")
    table = Table("certificates", COLUMNS, told["certificates"], "There is no certificate.")
    return View("certificates.html", {"told": told}, table)


PAGES = (
    Page(
        name="certificates",
        path="/certificates",
        title="Certificates",
        help="Mail programs and browsers are shown the certificate for the name that they ask for. A file that is replaced counts from the"
        " next connection on.",
        show=show,
        who=OPERATORS,
        section=Section.SERVER,
        menu="Certificates",
        command="hostmail certificate list",
    ),
)
