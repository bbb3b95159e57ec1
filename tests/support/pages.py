"""Every page of the panel's table with something to look at, for whoever may see it."""

from __future__ import annotations

from urllib.parse import quote

from hostmail.actor import Role
from hostmail.web.panel.page import Page, Subject
from hostmail.web.panel.rendering import Urls
from hostmail.web.panel.routes import PAGES
from tests.support.furnished import ANN, DOMAIN, STRANGER

ADDRESSES = {
    "address": f"sales@{DOMAIN}",
    "list": f"news@{DOMAIN}",
    "caught": f"nobody.ever.had.this.name@{DOMAIN}",
}
"""What a page with an address is about, where it is not an account."""

DIFFERENT = frozenset(("home", "overview", "account", "mailbox", "tokens"))
"""What looks another way for each role."""

QUERIES = {
    "owner": "?login=agency",
    "audit": f"?about={ANN}",
    "history": f"?about={ANN}",
    "dns": "?check=1",
    "server_history": f"?about={quote(STRANGER)}",
}
"""What pages are asked that show nothing otherwise."""


def shown_to(role: Role, has_mailbox: bool = True) -> list[Page]:
    """The pages for this role."""
    return [page for page in PAGES if role in page.who and (has_mailbox or page.subject is not Subject.MAILBOX)]


def looked_at(role: Role) -> list[Page]:
    """Each page once: as an operator sees it if he does, else an owner, and those again that are another one's for somebody else."""
    pages = shown_to(role, has_mailbox=role is not Role.OPERATOR)
    above = {Role.OPERATOR: (), Role.OWNER: shown_to(Role.OPERATOR, False), Role.USER: shown_to(Role.OWNER)}[role]
    return [page for page in pages if page not in above or page.name in DIFFERENT]


def path_of(page: Page) -> str:
    """Where it is to be seen."""
    urls = Urls(PAGES)
    return urls(page.name, domain=DOMAIN, address=ADDRESSES.get(page.name, ANN)) + QUERIES.get(page.name, "")
