"""Who may ask for what (F1): declared by each verb, decided here, before the verb runs.

Nothing here looks anything up. Whether something is outside of somebody's reach depends on his own domains alone, so a refusal
cannot tell whether it exists.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

import msgspec

from hostmail.actor import Actor, Role
from hostmail.address import Address, parse_domain
from hostmail.errors import BadAddress, NotAllowed, NotFound

OPERATORS = frozenset({Role.OPERATOR})
OWNERS = OPERATORS | {Role.OWNER}
EVERYBODY = OWNERS | {Role.USER}


class Kind(StrEnum):
    """What an argument names. Only operators may name either where an owner or user must name an ADDRESS."""

    DOMAIN = "domain"
    ADDRESS = "address"
    EITHER = "either"


DOMAIN, ADDRESS, EITHER = Kind


@dataclass(frozen=True, slots=True)
class May:
    """Who may use a verb, and on what. The default is closed: operators only, and no token that may only look.

    `about` says which arguments name what the verb is about, "rows.address" for a field of each row; whoever is no operator must
    reach all that is given of them. Without any, only rows of the answer whose field `rows` he reaches are his to see; a verb with
    neither decides by itself (`acting`), or is about the one who asks. `only` are the arguments that a role may give, where these are not
    all; `hidden` fields of the answer are for operators' eyes.
    """

    who: frozenset[Role] = OPERATORS
    looks: bool = False
    about: Mapping[str, Kind] = field(default_factory=dict)
    rows: str = ""
    only: Mapping[Role, frozenset[str]] = field(default_factory=dict)
    hidden: frozenset[str] = frozenset()
    acting: bool = False


CLOSED = May()


def check_role(may: May, actor: Actor, arguments: Iterable[str]) -> None:
    """Raises NotAllowed for what is not for such as he."""
    if actor.role not in may.who:
        raise NotAllowed()
    if actor.read_only and not may.looks:
        raise NotAllowed("this token may look, and change nothing")
    if actor.role in may.only and (more := set(arguments) - may.only[actor.role]):
        raise NotAllowed(f"you may not say {', '.join(sorted(more))} here")


def named_domains(may: May, asked: msgspec.Struct) -> set[str]:
    """The domains of all that is named: which of them stand for others, the caller finds out."""
    return {domain for text, _, _ in _named(may, asked) if (domain := domain_of(text))}


def check_subjects(may: May, actor: Actor, asked: msgspec.Struct, homes: Mapping[str, str]) -> None:
    """Raises NotFound for what he does not reach. `homes` are the hosted domains that others stand for, by their names."""
    if actor.role is Role.OPERATOR:
        return
    named = False
    for text, kind, in_row in _named(may, asked):
        named = True
        if in_row and not domain_of(text):
            # No address at all: the verb says so of this row, as it does to anybody.
            continue
        if (kind is ADDRESS and "@" not in text) or not reaches(actor, text, homes):
            raise unreachable(text)
    if may.about and not named and not may.rows and not may.acting:
        raise NotAllowed("say what you mean: " + " or ".join(may.about))


def narrowed(may: May, actor: Actor, asked: msgspec.Struct) -> list[msgspec.Struct]:
    """Who names nothing asks about each of his domains, or his address: what is others' is not looked through only to be left out."""
    if actor.role is Role.OPERATOR or not may.rows or len(may.about) != 1:
        return [asked]
    [(name, kind)] = may.about.items()
    if "." in name or getattr(asked, name):
        return [asked]
    if actor.role is Role.OWNER and kind is not ADDRESS:
        return [msgspec.structs.replace(asked, **{name: domain}) for domain in sorted(actor.domains)]
    if actor.role is Role.USER and kind is not DOMAIN:
        return [msgspec.structs.replace(asked, **{name: actor.address})]
    return [asked]


def unreachable(text: str) -> NotFound:
    """The same words for what is not there and for what is somebody else's."""
    return NotFound(f"{text} is not among what you manage")


def reaches(actor: Actor, text: str, homes: Mapping[str, str] | None = None) -> bool:
    """Whether a domain or an address is his: an operator's everything, an owner's what is in his domains, a user's his own address."""
    if actor.role is Role.OPERATOR:
        return True
    domain = domain_of(text)
    if actor.role is Role.OWNER:
        return bool(domain) and (homes or {}).get(domain, domain) in actor.domains
    return "@" in text and bool(domain) and bool(actor.address) and _key(text) == _key(actor.address)


def shown(may: May, actor: Actor, answer: Any) -> Any:
    """What of an answer is his to see."""
    if actor.role is Role.OPERATOR:
        return answer
    if may.rows:
        answer = [row for row in answer if reaches(actor, row[may.rows] or "")]
    if not may.hidden:
        return answer
    if isinstance(answer, list):
        return [_without(row, may.hidden) for row in answer]
    return _without(answer, may.hidden)


def _without(row: Mapping[str, Any], hidden: frozenset[str]) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name not in hidden}


def _named(may: May, asked: msgspec.Struct) -> Iterator[tuple[str, Kind, bool]]:
    """What arguments name: the text, its kind, and whether it is in a row."""
    for path, kind in may.about.items():
        name, _, inner = path.partition(".")
        value = getattr(asked, name)
        values = value if isinstance(value, list) else [value]
        for one in values:
            text = getattr(one, inner) if inner else one
            if isinstance(text, str) and text:
                yield text, kind, bool(inner)


def domain_of(text: str) -> str:
    """The domain of an address, or the domain itself; "" for what is neither."""
    try:
        return Address.parse(text.strip()).domain if "@" in text else parse_domain(text.strip())
    except BadAddress:
        return ""


def _key(text: str) -> str:
    return Address.parse(text.strip()).key
