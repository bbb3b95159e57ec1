"""The accounts of a domain: everybody who has a mailbox in it, and a form for one more."""

from __future__ import annotations

from typing import Any

from hostmail.address import Address
from hostmail.errors import BadAddress
from hostmail.newpassword import generate
from hostmail.web.fields import BadField, Fields
from hostmail.web.panel.page import MANAGERS, Done, Page, Section, Subject, View, Visit
from hostmail.web.panel.table import Column, Table

NEARLY_FULL = 0.9
SUSPENSIONS = ("login", "incoming", "outgoing")


def account_state(row: Any) -> list[str]:
    """What is not as usual with an account, in a few words."""
    words = [f"{what} suspended" for what in SUSPENSIONS if row[f"{what}_suspended"]]
    words += ["by the operator"] if row["operator_suspended"] else []
    if is_nearly_full(row):
        words.append("full" if row["used"] >= row["quota"] else "nearly full")
    return words


def is_nearly_full(row: Any) -> bool:
    """Whether mail for an account or a domain will soon be refused, or is."""
    return row["quota"] is not None and row["used"] >= NEARLY_FULL * row["quota"]


def address_typed(visit: Visit, field: str = "name") -> str:
    """An address of this domain, of which people type the part before the @; raises BadField."""
    domain = visit.domain["name"]
    name = visit.form.needed(field, "Type the part before the @")
    if "@" in name and name.rpartition("@")[2].lower() != domain:
        raise BadField(field, f"Only the part before the @: the address will end in @{domain}")
    address = name if "@" in name else f"{name}@{domain}"
    try:
        Address.parse(address)
    except BadAddress as refusal:
        raise BadField(field, refusal.public) from None
    return address


def chosen_password(form: Fields) -> tuple[str, bool]:
    """The password that was typed, or one made here, and whether it was made here; raises BadField."""
    if form.text("make", "yes") == "yes":
        return generate(), True
    typed = form.raw("password")
    if not typed:
        raise BadField("password", "Type a password, or let one be made")
    if typed != form.raw("password_again"):
        raise BadField("password_again", "The two are not the same")
    return typed, False


async def show(visit: Visit) -> View:
    """The accounts, by address."""
    name = visit.domain["name"]
    rows = await visit.call("account.list", domain=name)
    columns = (
        Column("address", "Login", "mono", link=lambda row: visit.url("account", domain=name, address=row["address"])),
        Column("used", "Used of quota", "use"),
        Column("quota", "Quota", "size", only_data=True),
        Column("messages", "Messages", "count", number=True),
        Column("last_check", "Last check", "check", value=lambda row: (row["last_check"] or {}).get("at")),
        Column("checked_by", "By", value=lambda row: (row["last_check"] or {}).get("protocol"), only_data=True),
        Column("state", "State", "state", value=account_state),
    )
    table = Table(f"accounts-{name}", columns, rows, "There is no account yet. Add the first one below.")
    return View("accounts.html", table=table)


async def add(visit: Visit) -> View | Done:
    """One more account. A password that was made here is shown once, on a page that nothing keeps."""
    domain, form = visit.domain["name"], visit.form
    address = address_typed(visit)
    password, is_made = chosen_password(form)
    quota = {} if form.text("quota_kind") == "default" else {"quota": form.size("quota")}
    made = await visit.call("account.add", address=address, password=password, **quota)
    to = visit.url("account", domain=domain, address=made["address"])
    if is_made:
        facts = {"login": made["login"], "password": password, "to": to}
        return View("new_password.html", facts, title="Account created", help="")
    return Done(f"{made['login']} has been created, and can be used at once.", to)


PAGES = (
    Page(
        name="accounts",
        path="/domains/<domain>/accounts",
        title="Accounts",
        help="Everybody with a mailbox in this domain. The login is exactly what a mail program must send as user name, capital letters and"
        " all.",
        show=show,
        who=MANAGERS,
        subject=Subject.DOMAIN,
        actions={"add": add},
        section=Section.DOMAIN,
        menu="Accounts",
        command="hostmail account list {domain}",
    ),
)
