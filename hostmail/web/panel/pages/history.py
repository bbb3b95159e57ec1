"""Where is my mail? What became of messages, for owners, users and operators."""

from __future__ import annotations

from typing import Any

from hostmail.stories import identity, of_no_message, sentence, stories
from hostmail.web.panel.page import MANAGERS, OPERATORS, WITH_MAILBOX, Page, Section, Subject, View, Visit
from hostmail.web.panel.table import Column, Table

DAY_SECONDS = 86_400
SPANS = ((DAY_SECONDS, "the last day"), (7 * DAY_SECONDS, "the last week"), (30 * DAY_SECONDS, "the last month"))
MOST = 1_000
COLUMNS = (
    Column("at", "When", "moment"),
    Column("queue_id", "Queue id", "mono"),
    Column("message_id", "Message-ID", "mono"),
    Column("sender", "From", "mono"),
    Column("recipient", "For", "mono"),
    Column("what", "What"),
    Column("words", "Words"),
)


async def told(visit: Visit, text: str) -> View:
    """The stories about an address, a Message-ID or a queue id."""
    seconds = _span(visit.query.text("span"))
    facts: list[Any] = []
    if text:
        facts = await visit.call("trace", text=text, seconds=seconds, most=MOST)
    shown: list[dict[str, Any]] = [
        {
            "known": identity(story),
            "without": of_no_message(story[0]),
            "facts": [{"at": fact["at"], "words": sentence(fact)} for fact in story],
        }
        for story in stories(facts)
    ]
    shown.sort(key=lambda story: -story["facts"][0]["at"])
    spans = [(str(each), words) for each, words in SPANS]
    facts_of_page = {"asked": text, "stories": shown, "spans": spans, "span": str(seconds), "cut": len(facts) == MOST}
    return View("history.html", facts_of_page, Table("history", COLUMNS, facts))


def _span(typed: str) -> int:
    return int(typed) if typed in {str(each) for each, _ in SPANS} else SPANS[1][0]


async def show(visit: Visit) -> View:
    """About what somebody types."""
    return await told(visit, visit.query.text("about")[:998])


async def show_mine(visit: Visit) -> View:
    """About his own address, or what he types."""
    return await told(visit, visit.query.text("about")[:998] or visit.account["address"])


HELP = (
    "What became of messages: taken, refused, delivered, waiting, sent on, or returned. Ask for an address, or for a message by its"
    " Message-ID or queue id."
)
PAGES = (
    Page(
        name="history",
        path="/domains/<domain>/history",
        title="Where is my mail?",
        help=HELP,
        show=show,
        who=MANAGERS,
        subject=Subject.DOMAIN,
        section=Section.DOMAIN,
        menu="Where is my mail?",
        command="hostmail trace ADDRESS --since 7d",
    ),
    Page(
        name="server_history",
        path="/history",
        title="Where is the mail?",
        help=HELP,
        show=show,
        who=OPERATORS,
        section=Section.SERVER,
        menu="Where is the mail?",
        command="hostmail trace ADDRESS --since 7d",
    ),
    Page(
        name="my_history",
        path="/mailbox/history",
        title="Where is my mail?",
        help=HELP,
        show=show_mine,
        who=WITH_MAILBOX,
        subject=Subject.MAILBOX,
        section=Section.MAILBOX,
        menu="Where is my mail?",
        command="hostmail trace {address} --since 7d",
    ),
)
