"""What the panel and the command can do, programs can; what only one of them can has a reason (F1, E7)."""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import click
from twisted.trial.unittest import SynchronousTestCase

from hostmail.admin.main import hostmail
from hostmail.web import panel
from hostmail.web.api.table import ENDPOINTS, LEFT_OUT
from hostmail.web.panel.routes import PAGES
from tests.admin.fakes import World

PANEL = Path(panel.__file__).parent

WITHOUT_VERB = {
    "config check": "reads a file that is not in force yet",
    "config show": "reads the file of whoever calls it",
    "version": "is that of the command; /version is that of the service",
}
"""Commands that ask the service for nothing, so that nothing is missed in the API."""

WITHOUT_PAGE = {
    "address.show": "the account's page and the list of addresses show it",
    "alias.add": "owners see where an address leads, and not by which kind of rule: address.set",
    "alias.list": "the same: address.list",
    "alias.remove": "the same: address.set",
    "forward.add": "the same: address.set",
    "forward.list": "the same: address.list",
    "forward.remove": "the same: address.set",
    "list.member.add": "the page takes one address or many: list.member.import",
    "quota.set": "the account's page does it, with the rest: account.set",
    "quota.show": "each page has it where it belongs",
    "version": "status has it, too",
    "domain.alias.add": "for who runs the server",
    "domain.alias.list": "the same",
    "domain.alias.remove": "the same",
    "mailbox.verify": "looks at every file of a mailbox: for who runs the server",
    "mailbox.repair": "the same",
    "mailbox.unlock": "the account's page ends the session that holds it: session.kick",
    "relay.clear": "closes what all customers have open: for who runs the server",
    "relay.why": "the list of grants says it, and a login history does",
    "operator.passwd": "operators set their own passwords: own.passwd; for who lost his there is the command",
    "factor.codes": "everybody makes his own; who lost them asks who runs the server",
    "factor.remove": "the same: no operator's session opens another's account",
}
"""Verbs that no page asks for."""


def asked(tree: ast.AST) -> Iterator[str]:
    """What some code asks for by `call`: names of verbs, or patterns of such where part of the name is computed."""
    for node in ast.walk(tree):
        if (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and node.func.attr == "call"
            and node.args
        ):
            name = node.args[0]
            if isinstance(name, ast.Constant):
                yield re.escape(str(name.value))
            elif isinstance(name, ast.JoinedStr):
                yield "".join(
                    re.escape(str(part.value)) if isinstance(part, ast.Constant) else r"\w+" for part in name.values
                )


def leaves(group: click.Group, path: str = "") -> Iterator[tuple[str, click.Command]]:
    """Every command with its words."""
    for name, command in group.commands.items():
        if isinstance(command, click.Group):
            yield from leaves(command, f"{path}{name} ")
        else:
            yield f"{path}{name}", command


def asked_by_command(command: click.Command) -> set[str]:
    """What a command asks for itself, or by what it calls in its own module."""
    function = inspect.unwrap(command.callback or (lambda: None))
    module = ast.parse(Path(inspect.getfile(function)).read_text())
    known = {node.name: node for node in module.body if isinstance(node, ast.FunctionDef)}
    waiting = [
        node for node in ast.walk(module) if isinstance(node, ast.FunctionDef) and begins(node) == begins_at(function)
    ]
    seen: list[ast.FunctionDef] = []
    while waiting:
        seen.append(node := waiting.pop())
        names = {each.id for each in ast.walk(node) if isinstance(each, ast.Name)}
        waiting += [known[name] for name in names & known.keys() if known[name] not in (*seen, *waiting)]
    return {verb for node in seen for verb in asked(node)}


def begins(node: ast.FunctionDef) -> int:
    """In which line, with its decorators."""
    return min(each.lineno for each in (node, *node.decorator_list))


def begins_at(function: Callable[..., Any]) -> int:
    """The same of one that is there."""
    return function.__code__.co_firstlineno


class FacesTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.verbs = set(World().admin.verbs)
        self.offered = {each.verb for each in ENDPOINTS} | set(LEFT_OUT)

    def named(self, patterns: set[str]) -> set[str]:
        """The verbs that are meant."""
        for pattern in patterns:
            self.assertTrue(any(re.fullmatch(pattern, verb) for verb in self.verbs), pattern)
        return {verb for verb in self.verbs if any(re.fullmatch(pattern, verb) for pattern in patterns)}

    def on_pages(self) -> set[str]:
        """The verbs that pages ask for."""
        return self.named({verb for path in PANEL.rglob("*.py") for verb in asked(ast.parse(path.read_text()))})

    def test_what_a_page_does(self) -> None:
        """Whatever a page of the panel shows or changes, a program can, too, unless it is only for who signs in."""
        self.assertEqual(self.on_pages() - self.offered, set())
        for page in PAGES:
            for handler in (page.show, *page.actions.values()):
                self.assertTrue(Path(inspect.getfile(handler)).is_relative_to(PANEL), page.path)

    def test_what_a_command_does(self) -> None:
        """Every command does what a program can, too, or is on the short list of those that do not ask the service."""
        silent = set()
        for words, command in leaves(hostmail):
            verbs = self.named(asked_by_command(command))
            self.assertEqual(verbs - self.offered, set(), words)
            if not verbs:
                silent.add(words)
        self.assertEqual(silent, set(WITHOUT_VERB))

    def test_what_has_no_page(self) -> None:
        """A verb that no page asks for has a reason."""
        self.assertEqual(self.verbs - self.on_pages() - set(WITHOUT_PAGE), set())
        self.assertEqual(set(WITHOUT_PAGE) - self.verbs, set())
