"""The letter that new mailboxes of a domain begin with: written, seen before it counts, switched off, sent again (F3)."""

from __future__ import annotations

from typing import Any

from hostmail.web.panel.page import MANAGERS, Done, Page, Section, Subject, View, Visit

WRITING = frozenset({"set", "preview"})


async def show(visit: Visit) -> View:
    """The letter as it is, or as somebody is writing it."""
    return await shown(visit, again=visit.trouble is not None and visit.trouble.action in WRITING)


async def shown(visit: Visit, again: bool, letter: Any = None) -> View:
    """With `again` what was typed stays; `letter` is how it would arrive."""
    name = visit.domain["name"]
    told = await visit.call("welcome.show", name=name)
    subject, text = taken_apart(told["template"])
    if again:
        subject, text = visit.form.text("subject"), visit.form.raw("text")
    facts = {"told": told, "subject": subject, "text": text, "letter": letter, "example": f"your.name@{name}"}
    return View("welcome.html", facts)


def taken_apart(template: str) -> tuple[str, str]:
    """Subject and text of a template as the verbs take it."""
    first, _, text = template.partition("\n\n")
    return first.partition(":")[2].strip(), text


def put_together(visit: Visit) -> str:
    """The template that was typed."""
    subject = visit.form.needed("subject", "A letter needs a subject")
    return f"Subject: {subject}\n\n{visit.form.needed('text', 'A letter needs a text')}\n"


def here(visit: Visit) -> str:
    """This page."""
    return visit.url("welcome", domain=visit.domain["name"])


async def preview(visit: Visit) -> View:
    """How it would arrive at an address; nothing is saved."""
    address = visit.form.text("address") or f"your.name@{visit.domain['name']}"
    letter = await visit.call("welcome.preview", address=address, template=put_together(visit))
    return await shown(visit, again=True, letter=letter)


async def save(visit: Visit) -> Done:
    """From the next account on."""
    await visit.call("welcome.set", name=visit.domain["name"], template=put_together(visit))
    return Done("New mailboxes begin with this letter from now on.", here(visit))


async def switch_off(visit: Visit) -> Done:
    """New mailboxes begin empty."""
    await visit.call("welcome.off", name=visit.domain["name"])
    return Done("New mailboxes begin empty from now on. The letter is kept.", here(visit))


async def reset(visit: Visit) -> Done:
    """As everywhere on this server."""
    told = await visit.call("welcome.reset", name=visit.domain["name"])
    words = "with the server's letter" if told["on"] else "empty, as everywhere on this server"
    return Done(f"New mailboxes begin {words}.", here(visit))


async def send(visit: Visit) -> Done:
    """To somebody who is there already."""
    told = await visit.call("welcome.send", address=visit.form.needed("address", "Type an address of this domain"))
    return Done(f"{told['address']} has it.", here(visit))


PAGES = (
    Page(
        name="welcome",
        path="/domains/<domain>/welcome",
        title="Welcome letter",
        help="Each new mailbox begins with this letter: it says how mail programs are set up, and where the password is changed.",
        show=show,
        who=MANAGERS,
        subject=Subject.DOMAIN,
        actions={"set": save, "preview": preview, "off": switch_off, "reset": reset, "send": send},
        forms={"preview": "set"},
        section=Section.DOMAIN,
        menu="Welcome letter",
        command="hostmail welcome show {domain}",
    ),
)
