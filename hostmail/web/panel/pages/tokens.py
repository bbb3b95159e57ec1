"""Tokens that programs show to the HTTP API: made, shown once, revoked."""

from __future__ import annotations

from typing import Any

from hostmail.actor import Role
from hostmail.web.fields import BadField
from hostmail.web.panel.page import EVERYBODY, Done, Page, Section, View, Visit
from hostmail.web.panel.table import Button, Column, Row, Table

NAME = 60


def scope(row: Row) -> str:
    """What a token is for."""
    return str(
        row["address"] or ", ".join(row["domains"]) or ("everything" if row["role"] == "operator" else "nothing")
    )


COLUMNS = (
    Column("name", "Name"),
    Column("for", "For", "mono", value=scope),
    Column("read_only", "Only looks", "yes"),
    Column("created", "Made", "moment"),
    Column("expires", "Ends", "perhaps"),
    Column("last_used", "Last used", "perhaps"),
    Column("made_by", "By"),
    Column("id", "", button=Button("revoke", "Revoke", "id")),
)


async def show(visit: Visit) -> View:
    """The tokens of whoever asks; all of them for an operator."""
    rows = await visit.call("token.list")
    is_user = visit.actor.role is Role.USER
    columns = COLUMNS if visit.is_operator else [one for one in COLUMNS if one.key != "made_by"]
    table = Table("tokens", columns, rows, "There is no token yet.")
    return View("tokens.html", {"is_user": is_user, "all": all_of(visit)}, table)


def all_of(visit: Visit) -> str:
    """What a token is for if nothing less is chosen."""
    if visit.is_operator:
        return "Everything: it may do what an operator may"
    return "All that I manage, as it is now"


def chosen_scope(visit: Visit) -> dict[str, Any]:
    """What was chosen, as the verb takes it; raises BadField."""
    form = visit.form
    kind = "all" if visit.actor.role is Role.USER else form.text("scope", "all")
    if kind == "domains":
        domains = [name.lower() for name in form.lines("domains")]
        if not domains:
            raise BadField("domains", "Type the domains, one in each line")
        return {"domains": domains}
    if kind == "account":
        return {"address": form.needed("address", "Type the address of the account")}
    return {"operator": True} if visit.is_operator else {}


async def add(visit: Visit) -> View:
    """A new one. What the program has to show is shown on this page alone."""
    form = visit.form
    days = form.number("days")
    if days == 0:
        raise BadField("days", "At least one day; leave it empty for ever")
    made = await visit.call(
        "token.add",
        name=form.needed("name", "Give it a name to know it by")[:NAME],
        current=form.raw("current")[:1024],
        read_only=form.ticked("read_only"),
        days=days,
        **chosen_scope(visit),
    )
    return View("token_made.html", {"made": made, "scope": scope(made)}, title="Token created", help="")


async def revoke(visit: Visit) -> Done:
    """It opens nothing any more."""
    await visit.call("token.revoke", id=visit.form.number("id") or 0)
    return Done("The token opens nothing any more.", visit.url("tokens"))


PAGES = (
    Page(
        name="tokens",
        path="/tokens",
        title="API tokens",
        help="A program that uses the HTTP API shows a token in place of a password. Make one for each program, with no more than it"
        " needs.",
        show=show,
        who=EVERYBODY,
        actions={"add": add, "revoke": revoke},
        section=Section.OWN,
        menu="API tokens",
        command="hostmail token list",
    ),
)
