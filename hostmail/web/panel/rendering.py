"""From what a handler gives back to what the browser gets: HTML in our frame, CSV, JSON."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from jinja2 import Environment

from hostmail.actor import Actor, Role
from hostmail.errors import NotFound
from hostmail.web.answers import Answer
from hostmail.web.fields import NO_FIELDS, Fields
from hostmail.web.panel.errors import words_for
from hostmail.web.panel.page import EVERYBODY, Page, Section, Subject, View, Visit
from hostmail.web.panel.table import Table
from hostmail.web.sessions import csrf_token


async def _nothing(visit: Visit) -> View:
    raise NotFound(visit.page.name)


NO_PAGE = Page(name="error", path="", title="", help="", show=_nothing, who=EVERYBODY)
"""Stands for the page that is not there, in the frame around what is said instead."""

PAGE_QUERY, SEARCH_QUERY, FORMAT_QUERY = "page", "q", "format"


@dataclass(frozen=True, slots=True)
class Link:
    """An entry of the navigation."""

    words: str
    to: str
    is_here: bool


class Urls:
    """Paths of the pages by name."""

    def __init__(self, pages: Sequence[Page]) -> None:
        self._paths = {page.name: page.path for page in pages}

    def __call__(self, name: str, **parts: str) -> str:
        """The path of a page with its parts filled in."""
        path = self._paths[name]
        for part, value in parts.items():
            for rule in (f"<{part}>", f"<path:{part}>"):
                path = path.replace(rule, quote(value, safe="@+=!$"))
        return path


def command_line(page: Page, parts: Mapping[str, str]) -> str:
    """The command that does the same, ready to be copied."""
    return page.command.format_map({name: shlex.quote(value) for name, value in parts.items()})


def menus(pages: Sequence[Page], actor: Actor, urls: Urls, here: Page, domain: str) -> dict[str, list[Link]]:
    """The navigation, by section, with the pages that this actor may see."""
    found: dict[str, list[Link]] = {}
    for page in pages:
        if not page.menu or actor.role not in page.who:
            continue
        if page.section is Section.DOMAIN and not domain:
            continue
        if page.section is Section.SERVER and actor.role is not Role.OPERATOR:
            continue
        if page.subject is Subject.MAILBOX and not actor.address:
            continue
        to = urls(page.name, domain=domain)
        is_here = (
            page is here or page.name == here.under or (here.path.startswith(page.path + "/") and page.path != "/")
        )
        found.setdefault(page.section.value, []).append(Link(page.menu, to, is_here))
    return _only_nearest(found)


def _only_nearest(found: dict[str, list[Link]]) -> dict[str, list[Link]]:
    """A page below another one is in both their places: the longer path is the nearer one."""
    nearest = max((len(link.to) for links in found.values() for link in links if link.is_here), default=0)
    return {
        section: [Link(one.words, one.to, one.is_here and len(one.to) == nearest) for one in links]
        for section, links in found.items()
    }


class Rendering:
    """Makes answers of views."""

    def __init__(self, templates: Environment, pages: Sequence[Page], urls: Urls) -> None:
        self._templates = templates
        self._pages = pages
        self._urls = urls

    def page(self, visit: Visit, view: View, *, token: str, notice: str = "", status: int = 200) -> Answer:
        """A page, or its table in the format that was asked for."""
        table = view.table
        if table is not None:
            kind = visit.query.text(FORMAT_QUERY)
            table = table.asked(visit.query.text(SEARCH_QUERY), _page_number(visit.query.text(PAGE_QUERY)))
            if kind == "csv":
                return Answer(table.csv(), kind="text/csv; charset=utf-8", file=f"{_file_name(table)}.csv")
            if kind == "json":
                return Answer(table.json(), kind="application/json", file=f"{_file_name(table)}.json")
        html = self._templates.get_template(view.template).render(
            self._frame(visit.actor, visit.page, visit.domain, token),
            visit=visit,
            account=visit.account,
            typed=visit.form,
            trouble=visit.trouble,
            title=view.title or visit.page.title,
            help=visit.page.help if view.help is None else view.help,
            table=table,
            query=kept_query(visit.query),
            notice=notice,
            command=command_line(visit.page, visit.parts),
            **view.facts,
        )
        return Answer(html.encode(), status=status)

    def error(self, status: int, actor: Actor | None = None, token: str = "", **facts: Any) -> Answer:
        """An error page; in the frame if somebody is signed in."""
        words = words_for(status)
        told = {"words": words, "title": words.title, "help": words.help, "number": status, **facts}
        if actor is None:
            return self.plain("error.html", status, frame="plain.html", **told)
        no_table: dict[str, Any] = {"trouble": None, "typed": NO_FIELDS, "query": {}, "notice": "", "command": ""}
        frame = self._frame(actor, NO_PAGE, {}, token)
        return self.plain("error.html", status, frame="base.html", **frame, **no_table, **told)

    def _frame(self, actor: Actor, page: Page, domain: Mapping[str, Any], token: str) -> dict[str, Any]:
        """What the frame around every page shows."""
        return {
            "actor": actor,
            "page": page,
            "domain": domain,
            "csrf": csrf_token(token),
            "menus": menus(self._pages, actor, self._urls, page, domain.get("name", "")),
        }

    def plain(self, template: str, status: int = 200, cookie: str = "", **facts: Any) -> Answer:
        """A page outside the frame: for signing in, and for errors."""
        html = self._templates.get_template(template).render(**facts)
        return Answer(html.encode(), status=status, cookie=cookie)


def kept_query(query: Fields) -> dict[str, str]:
    """What a page was asked, but for how to show its table: links and forms of a table ask the same again."""
    return {name: query.text(name) for name in sorted(query.names - {PAGE_QUERY, SEARCH_QUERY, FORMAT_QUERY})}


def _file_name(table: Table) -> str:
    return "".join(
        letter if letter.isascii() and (letter.isalnum() or letter in "-_.") else "-" for letter in table.name
    )


def _page_number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 7 else 1
