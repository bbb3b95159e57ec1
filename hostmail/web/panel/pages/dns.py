"""What the DNS of a domain needs for its mail, and what it says now (F6)."""

from __future__ import annotations

from typing import Any

from hostmail.web.panel.page import MANAGERS, Page, Section, Subject, View, Visit
from hostmail.web.panel.table import Column, Row, Table

STATES = {"ok": "right", "missing": "missing", "wrong": "wrong", "unknown": "not known"}


def state_of(row: Row) -> list[str]:
    """A record's state for people; a suggestion that nobody followed is no fault."""
    if row["state"] == "ok":
        return []
    return [STATES[row["state"]] if row["problem"] else f"{STATES[row['state']]}, only suggested"]


def sentence(words: str) -> str:
    """With a capital letter, where it does not begin with the name of a domain."""
    first = words.partition(" ")[0]
    return words if "." in first else words[:1].upper() + words[1:]


WANTED = (
    Column("name", "Name", "mono"),
    Column("kind", "Kind"),
    Column("values", "Value", "list"),
    Column("need", "Need"),
    Column("purpose", "What for", only_data=True),
)
FOUND = (
    Column("name", "Name", "mono"),
    Column("kind", "Kind"),
    Column("said", "State", "record", value=state_of),
    Column("state", "State", only_data=True),
    Column("found", "Found", "list"),
    Column("values", "Wanted", "list"),
    Column("words", "What is the matter", only_data=True),
    Column("fix", "Change", "list", only_data=True),
    Column("need", "Need", only_data=True),
    Column("purpose", "What for", only_data=True),
)


async def show(visit: Visit) -> View:
    """The records; beside what there is if somebody asks for a check, which takes as long as the DNS does."""
    name = visit.domain["name"]
    wanted = await visit.call("dns.records", name=name)
    facts: dict[str, Any] = {"zone": wanted["zone"], "checked": None, "to_mend": []}
    if visit.query.text("check") != "1":
        return View("dns.html", facts, Table(f"dns-{name}", WANTED, wanted["records"]))
    checked = await visit.call("dns.check", name=name)
    facts |= {"checked": checked, "verdict": sentence(checked["words"])}
    facts["to_mend"] = [row for row in checked["records"] if row["state"] != "ok" or row["words"]]
    return View("dns.html", facts, Table(f"dns-check-{name}", FOUND, checked["records"]))


PAGES = (
    Page(
        name="dns",
        path="/domains/<domain>/dns",
        title="DNS",
        help="The records that bring mail to this server, let others believe what it sends, and let mail programs find it. They are entered"
        " where the domain is registered.",
        show=show,
        who=MANAGERS,
        subject=Subject.DOMAIN,
        section=Section.DOMAIN,
        menu="DNS",
        command="hostmail dns check {domain}",
    ),
)
