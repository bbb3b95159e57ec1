"""What a mailbox user does himself: where his mail goes, what is answered, who has been at his mailbox, his password."""

from __future__ import annotations

from typing import Any

from hostmail.web.fields import BadField
from hostmail.web.panel import autoreply, connected
from hostmail.web.panel.page import EVERYBODY, WITH_MAILBOX, Done, Page, Section, Subject, View, Visit
from hostmail.web.panel.pages.accounts import chosen_password
from hostmail.web.panel.table import PER_PAGE


def mine(visit: Visit) -> str:
    """His address."""
    return str(visit.account["address"])


# ---------------------------------------------------------------------------------------------------------------- forward


async def show_forward(visit: Visit) -> View:
    """Where his mail is sent on to."""
    rows = await visit.call("address.list", name=mine(visit))
    row: dict[str, Any] = rows[0] if rows else {"forwards": [], "keep_copy": True}
    return View("my_forward.html", {"forwards": row["forwards"], "keep_copy": row["keep_copy"]})


async def change_forward(visit: Visit) -> Done:
    """Somewhere else, or nowhere."""
    wanted = visit.form.lines("targets")
    await visit.call("address.set", address=mine(visit), targets=wanted, keep_copy=visit.form.ticked("keep_copy"))
    words = "Your mail is sent on from the next message on." if wanted else "Your mail is not sent on any more."
    return Done(words, visit.url("my_forward"))


# ---------------------------------------------------------------------------------------------------------- autoresponder


async def show_autoreply(visit: Visit) -> View:
    """What is answered while he is away."""
    return View("my_autoreply.html", await autoreply.shown(visit, mine(visit)))


async def preview_autoreply(visit: Visit) -> View:
    """What a sender would get."""
    facts = await autoreply.shown(visit, mine(visit))
    return View("my_autoreply.html", facts | {"preview": autoreply.typed(visit)})


async def change_autoreply(visit: Visit) -> Done:
    """Answer from now on, or another way."""
    await visit.call("autoreply.set", address=mine(visit), **autoreply.typed(visit))
    return Done("Whoever writes to you is answered so from now on.", visit.url("my_autoreply"))


async def end_autoreply(visit: Visit) -> Done:
    """Answer no more."""
    await visit.call("autoreply.off", address=mine(visit))
    return Done("Nobody is answered any more.", visit.url("my_autoreply"))


# ------------------------------------------------------------------------------------------------------ sessions and logins


async def show_logins(visit: Visit) -> View:
    """Who is connected now, and the last attempts to sign in."""
    facts = {"sessions": await connected.sessions(visit, mine(visit))}
    return View("my_logins.html", facts, await connected.attempts(visit, mine(visit), PER_PAGE))


async def disconnect(visit: Visit) -> Done:
    """End one session of a mail program, or all."""
    return Done(await connected.end(visit, mine(visit)), visit.url("my_logins"))


# --------------------------------------------------------------------------------------------------------------- password


async def show_password(visit: Visit) -> View:
    """A form for a new one."""
    return View("my_password.html")


async def change_password(visit: Visit) -> View | Done:
    """A new one; this browser stays signed in, everything else that used the old one does not."""
    current = visit.form.raw("current")
    if not current:
        raise BadField("current", "Type the password you have now")
    password, is_made = chosen_password(visit.form)
    await visit.call("own.passwd", current=current, password=password)
    await visit.stay_signed_in()
    to = visit.url("my_password")
    if is_made:
        facts = {"login": visit.actor.login, "password": password, "to": to}
        return View("new_password.html", facts, title="New password", help="")
    return Done("Your password has been changed. Type the new one into all your mail programs.", to)


PAGES = (
    Page(
        name="my_forward",
        path="/mailbox/forward",
        title="Forward",
        help="Send your mail on to another address, and keep a copy here or not.",
        show=show_forward,
        who=WITH_MAILBOX,
        subject=Subject.MAILBOX,
        actions={"change": change_forward},
        section=Section.MAILBOX,
        menu="Forward",
        command="hostmail forward list {address}",
    ),
    Page(
        name="my_autoreply",
        path="/mailbox/autoresponder",
        title="Autoresponder",
        help="While you are away, whoever writes to you can be told so.",
        show=show_autoreply,
        who=WITH_MAILBOX,
        subject=Subject.MAILBOX,
        actions={"set": change_autoreply, "preview": preview_autoreply, "off": end_autoreply},
        forms={"preview": "set"},
        section=Section.MAILBOX,
        menu="Autoresponder",
        command="hostmail autoreply show {address}",
    ),
    Page(
        name="my_logins",
        path="/mailbox/logins",
        title="Sessions and logins",
        help="Who is connected to your mailbox now, and the last attempts to sign in. If one of them was not you, change your password.",
        show=show_logins,
        who=WITH_MAILBOX,
        subject=Subject.MAILBOX,
        actions={"disconnect": disconnect},
        section=Section.MAILBOX,
        menu="Sessions and logins",
        command="hostmail account logins {address}",
    ),
    Page(
        name="my_password",
        path="/password",
        title="Password",
        help="A new password counts at once: type it into your mail programs, too.",
        show=show_password,
        who=EVERYBODY,
        actions={"change": change_password},
        section=Section.OWN,
        menu="Password",
    ),
)
