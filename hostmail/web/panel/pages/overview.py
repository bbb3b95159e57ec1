"""One domain in a look: how full it is, what there is in it, what to look at."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from hostmail.web.panel.page import MANAGERS, Page, Section, Subject, View, Visit
from hostmail.web.panel.pages.accounts import is_nearly_full
from hostmail.web.panel.pages.dns import sentence

MOST_NAMED = 5

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Attention:
    """Something to look at, and where."""

    words: str
    help: str
    to: str = ""
    link: str = "Look at the accounts"


def how_full(row: Row) -> tuple[float, int]:
    """To sort by: the part of its quota that is used, and how much that is."""
    return (row["used"] / row["quota"] if row["quota"] else 0.0, row["used"])


def warnings(domain: Row, accounts: Sequence[Row], accounts_page: str) -> Iterator[Attention]:
    """What is not as it should be, the worst first."""
    name = domain["name"]
    if not domain["active"]:
        yield Attention(
            f"Mail for {name} does not come here yet",
            "It is being prepared: its accounts work, its mail goes where the DNS says.",
        )
    for what, words, means in (
        ("login", "Signing in", "nobody can check mail or sign in"),
        ("incoming", "Incoming mail", "mail to all its addresses is refused"),
        ("outgoing", "Outgoing mail", "nobody can send"),
    ):
        if domain[f"{what}_suspended"]:
            yield Attention(
                f"{words} is suspended for the whole domain",
                f"As long as that is so, {means}. Your provider can lift it.",
            )
    if is_nearly_full(domain):
        yield Attention(
            "The domain's storage is nearly full",
            "When nothing is left, mail to every address in it is returned to its sender.",
        )
    full = [one["address"] for one in accounts if is_nearly_full(one)]
    if full:
        more = f" and {len(full) - MOST_NAMED} more" if len(full) > MOST_NAMED else ""
        which = ", ".join(full[:MOST_NAMED])
        yield Attention(
            f"Nearly full: {which}{more}",
            "Mail to a full mailbox is returned to its sender. Raise the quota, or delete mail.",
            accounts_page,
        )
    if not accounts:
        yield Attention(
            "There is no account yet", "Add the first one: it also becomes the domain's default mailbox.", accounts_page
        )
    elif not domain["default_mailbox"]:
        yield Attention(
            "There is no default mailbox",
            "The domain's main login opens none, and mail for unknown names cannot be kept.",
        )


def dns_warnings(domain: Row, dns: Row, to: str) -> Iterator[Attention]:
    """What the last look at the DNS found; nothing while it is not known."""
    if domain["active"] and dns["pointed"] is False:
        yield Attention(
            sentence(dns["words"]),
            "Mail to its addresses does not come here before its records are changed.",
            to,
            "See what to change",
        )
    elif dns["problems"]:
        count = dns["problems"]
        words = (
            "One DNS record is not as it should be" if count == 1 else f"{count} DNS records are not as they should be"
        )
        yield Attention(
            words, "Others may refuse mail of the domain, or mail programs not find this server.", to, "See which"
        )


async def show(visit: Visit) -> View:
    """The domain, and its fullest mailboxes."""
    name = visit.domain["name"]
    accounts = await visit.call("account.list", domain=name)
    dns = await visit.call("dns.last", name=name)
    own = await visit.call("own.show")
    fullest = sorted((one for one in accounts if one["used"]), key=how_full, reverse=True)[:MOST_NAMED]
    found = [
        *dns_warnings(visit.domain, dns, visit.url("dns", domain=name) + "?check=1"),
        *warnings(visit.domain, accounts, visit.url("accounts", domain=name)),
    ]
    return View(
        "overview.html", {"warnings": found, "fullest": fullest, "dns": dns, "limits": own["limits"]}, title=name
    )


PAGES = (
    Page(
        name="overview",
        path="/domains/<domain>",
        title="Overview",
        help="The domain in one look: how much of its storage is used, and what needs your attention.",
        show=show,
        who=MANAGERS,
        subject=Subject.DOMAIN,
        section=Section.DOMAIN,
        menu="Overview",
        command="hostmail domain show {domain}",
    ),
)
