"""A page of the panel: who may see it, what it shows, what its forms do. `routes` has all of them.

A handler gets a `Visit` and gives back a `View`, or `Done` after a change. It asks `visit.call`, and nothing else: what may be seen and
changed is decided behind that (IAdmin), for all faces alike.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Container, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from hostmail.actor import Actor, Role
from hostmail.errors import Refusal
from hostmail.interfaces.admin import IAdmin
from hostmail.web.asked import Asked
from hostmail.web.fields import BadField, Fields
from hostmail.web.panel.keptrows import KeptRows
from hostmail.web.panel.table import Table
from hostmail.web.sessions import WebSession, WebSessions

OPERATORS = frozenset({Role.OPERATOR})
MANAGERS = frozenset({Role.OPERATOR, Role.OWNER})
EVERYBODY = frozenset(Role)
WITH_MAILBOX = frozenset({Role.USER, Role.OWNER})
"""For pages about one's own mailbox: an owner who came by a main login has one, too (A3)."""


class Subject(StrEnum):
    """What a page is about. It is asked for before the page is, so that none of its handlers runs for what is somebody else's."""

    NOTHING = "nothing"
    DOMAIN = "domain"
    ACCOUNT = "account"
    MAILBOX = "mailbox"


class Section(StrEnum):
    """The navigation that a page stands in."""

    NONE = ""
    DOMAIN = "domain"
    SERVER = "server"
    MAILBOX = "mailbox"
    OWN = "own"


@dataclass(frozen=True, slots=True)
class View:
    """What to show: a template with its facts, and the table that can be had as CSV and JSON, too.

    `title` and `help` stand in place of the page's; a help of "" is none.
    """

    template: str
    facts: Mapping[str, Any] = field(default_factory=dict)
    table: Table | None = None
    title: str = ""
    help: str | None = None


@dataclass(frozen=True, slots=True)
class Done:
    """A form did what it should: look there now, with these words on top."""

    words: str
    to: str


@dataclass(frozen=True, slots=True)
class Trouble:
    """Why a form did not: beside its `field`, or over the form with this `action` if that is ""."""

    action: str
    words: str
    field: str = ""


@dataclass(frozen=True, slots=True)
class Visit:
    """One request to one page by somebody who is signed in.

    `domain` and `account` are the answers of domain.show and account.show for a page about one. `trouble` is set when a page is shown
    again because its form was refused; `form` then holds what was typed. `browsers` are where people are signed in to the panel,
    `kept` is what they have sent and only tried so far.
    """

    actor: Actor
    asked: Asked
    page: Page
    session: WebSession
    admin: IAdmin
    url: Callable[..., str]
    renew: Callable[[WebSession], Awaitable[None]]
    browsers: WebSessions
    kept: KeptRows
    domain: Mapping[str, Any] = field(default_factory=dict)
    account: Mapping[str, Any] = field(default_factory=dict)
    parts: Mapping[str, str] = field(default_factory=dict)
    trouble: Trouble | None = None

    @property
    def form(self) -> Fields:
        """What was typed."""
        return self.asked.form

    @property
    def query(self) -> Fields:
        """What stands behind the question mark."""
        return self.asked.query

    @property
    def is_operator(self) -> bool:
        """Whether he runs this server."""
        return self.actor.role is Role.OPERATOR

    async def call(self, verb: str, **arguments: Any) -> Any:
        """Ask for something to be done or told, as this visitor; raises Refusal."""
        return await self.admin.call(verb, arguments, self.actor)

    async def stay_signed_in(self) -> None:
        """He has just changed his own password: this browser stays, his others are signed out."""
        await self.renew(self.session)


Show = Callable[[Visit], Awaitable[View | Done]]
"""Shows a page; Done sends on to another one, without words."""

Act = Callable[[Visit], Awaitable[View | Done]]
"""Carries out a form. A View is for what can be shown only once, such as a password that was made; all else is Done."""


@dataclass(frozen=True, slots=True)
class Page:
    """One page. `path` is that of a werkzeug rule with <domain>, <path:address> (last); `actions` are what its forms do, by name.

    `under` names the page in whose place of the navigation it is, where that is not said by its path.
    `command` is the command that shows or does the same, with {domain} and {address} to be filled in. A page in a `section` stands in the
    navigation under `menu`. Only one with `uploads` takes large forms. `forms` says of an action whose button stands in another one's form
    which one that is.
    """

    name: str
    path: str
    title: str
    help: str
    show: Show
    who: frozenset[Role]
    subject: Subject = Subject.NOTHING
    actions: Mapping[str, Act] = field(default_factory=dict)
    forms: Mapping[str, str] = field(default_factory=dict)
    section: Section = Section.NONE
    menu: str = ""
    under: str = ""
    command: str = ""
    uploads: bool = False


FIELDS = {"address": "name", "catch_all": "target", "size_bytes": "size"}
"""What forms call an argument of a verb, where it is not its name."""


def trouble_of(page: Page, action: str, refusal: Refusal, names: Container[str]) -> Trouble:
    """How a refusal is shown in the form it came from, which has fields of these `names`."""
    words = refusal.public[:1].upper() + refusal.public[1:]
    field = refusal.argument
    if not isinstance(refusal, BadField) and field not in names:
        field = FIELDS.get(field, "")
        field = field if field in names else ""
    return Trouble(page.forms.get(action, action), words, field)
