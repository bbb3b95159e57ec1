"""The letter that a new mailbox begins with: a template with placeholders, nothing in which is ever executed."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches

from hostmail.address import Address
from hostmail.clientsetup.guides import profile_link
from hostmail.clientsetup.plaintext import guides_text, notes_text, settings_text
from hostmail.clientsetup.setup import Setup
from hostmail.errors import BadValue

MAX_SUBJECT, MAX_TEXT = 200, 32 * 1024
MAX_PLACEHOLDERS = 50
"""One of a few letters may stand for many lines: a letter is never larger than so many guides."""

_PLACEHOLDER = re.compile(r"\{([A-Za-z_]+)\}")
_SUBJECT = re.compile(r"subject:[ \t]*(.*)", re.IGNORECASE)

PLACEHOLDERS: Mapping[str, tuple[str, Callable[[Setup, Address], str]]] = {
    "address": ("the new address", lambda setup, address: str(address)),
    "login": ("the exact user name", lambda setup, address: setup.login(address)),
    "domain": ("its domain", lambda setup, address: setup.shown),
    "server": ("the server for incoming mail", lambda setup, address: setup.incoming.host if setup.incoming else ""),
    "settings": ("the table of what mail programs ask", settings_text),
    "notes": ("what people stumble over", notes_text),
    "guides": ("the steps for each program", guides_text),
    "panel": ("the address of the control panel", lambda setup, address: setup.web),
    "profile": ("the address of the profile for iPhone, iPad and Mac", profile_link),
}
"""What may stand in a template in braces: for people, and as it is made. Without a panel the last two are empty."""

OWN = """\
Subject: Your mailbox {address}

Welcome! This is your mailbox

    {address}

Most mail programs set themselves up if you enter this address and your
password. If yours asks for more, this is what it wants to know:

{settings}

{notes}

To change your password, to forward your mail or to have it answered while
you are away, sign in to the control panel:

    {panel}

The steps for common programs follow, should you set up another one.


{guides}
"""


@dataclass(frozen=True, slots=True)
class Template:
    """A subject and a text, with placeholders."""

    subject: str
    text: str

    def written(self) -> str:
        """As it is read by `read_template`."""
        return f"Subject: {self.subject}\n\n{self.text}"


@dataclass(frozen=True, slots=True)
class Letter:
    """A subject and a text for one person."""

    subject: str
    text: str


def read_template(written: str) -> Template:
    """A template as people write it: Subject, an empty line, the text. Raises BadValue that says what is wrong."""
    head, _, text = written.replace("\r\n", "\n").lstrip("\ufeff\n").partition("\n\n")
    subject = _SUBJECT.fullmatch(head.strip())
    if subject is None:
        raise BadValue("a template begins with a line Subject: ..., then an empty line, then the text")
    return checked(subject[1], text)


def checked(subject: str, text: str) -> Template:
    """A template of these; raises BadValue, for a placeholder that nobody knows with one that is meant perhaps."""
    subject = subject.strip()
    if not subject or not subject.isprintable() or len(subject) > MAX_SUBJECT:
        raise BadValue(f"a subject is one line of at most {MAX_SUBJECT} characters")
    if not text.strip() or "\0" in text or len(text.encode()) > MAX_TEXT:
        raise BadValue(f"the letter needs a text, of at most {MAX_TEXT // 1024} KiB")
    names = _PLACEHOLDER.findall(subject + text)
    if len(names) > MAX_PLACEHOLDERS:
        raise BadValue(f"the letter has more than {MAX_PLACEHOLDERS} placeholders")
    for name in names:
        if name not in PLACEHOLDERS:
            near = get_close_matches(name.lower(), PLACEHOLDERS, 1)
            hint = (
                f"did you mean {{{near[0]}}}?"
                if near
                else "there are " + ", ".join(f"{{{one}}}" for one in PLACEHOLDERS)
            )
            raise BadValue(f"{{{name[:40]}}} is no placeholder; {hint}")
    return Template(subject, text)


def letter(template: Template, setup: Setup, address: Address) -> Letter:
    """The letter for one address. A paragraph is left out that has a placeholder without a value, and so is the one that leads to it."""

    values = {
        name: PLACEHOLDERS[name][1](setup, address) for name in _PLACEHOLDER.findall(template.subject + template.text)
    }

    def filled(text: str) -> str:
        return _PLACEHOLDER.sub(lambda found: values[found[1]], text)

    kept: list[str] = []
    for paragraph in template.text.strip("\n").split("\n\n"):
        names = _PLACEHOLDER.findall(paragraph)
        if not all(values[name] for name in names):
            if kept and kept[-1].rstrip().endswith(":"):
                kept.pop()
            continue
        kept.append(paragraph)
    subject = " ".join(filled(template.subject).split())
    return Letter(subject, filled("\n\n".join(kept)) + "\n")


DEFAULT = read_template(OWN)
