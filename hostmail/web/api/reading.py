"""A request becomes the arguments of a verb: parts of its path, words of its query, a JSON object."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from typing import Any, get_origin

import msgspec
from werkzeug.http import parse_accept_header, parse_options_header

from hostmail.web.api.paging import PAGING
from hostmail.web.api.problems import JSON, PROBLEM, Trouble
from hostmail.web.api.shape import Shape
from hostmail.web.api.table import Endpoint
from hostmail.web.asked import CONDITIONS, Asked

WITH_BODY = frozenset(("POST", "PUT", "PATCH"))
_LARGEST = 1 << 63
MOST_NAMED = 5


def check_accepts(accept: str) -> None:
    """Raises Trouble if JSON is not among what is taken (RFC 9110, 12.5.1)."""
    if not accept.strip():
        return
    accepted = [kind.partition(";")[0].strip().lower() for kind, quality in parse_accept_header(accept) if quality > 0]
    if not any(kind in ("*/*", "application/*", JSON, PROBLEM) for kind in accepted):
        raise Trouble(406, f"answers are {JSON}")


def check_conditions(endpoint: Endpoint, asked: Asked) -> None:
    """Raises Trouble for a change on a condition (RFC 9110, 13.1): there are no entity tags here that could fit."""
    if endpoint.method != "GET" and (named := [name for name in CONDITIONS if name in asked.headers]):
        raise Trouble(412, f"nothing is changed on a condition here ({', '.join(named)}): say what is to be changed")


def arguments(endpoint: Endpoint, shape: Shape, asked: Asked, parts: Mapping[str, str]) -> dict[str, Any]:
    """What the verb gets. Its values are checked by the verb itself; raises Trouble."""
    found = {name: of_text(shape, name, [text], name) for name, text in parts.items()}
    names = asked.query.names - (PAGING if is_paged(endpoint, shape) else frozenset())
    if endpoint.method in WITH_BODY:
        if names:
            raise Trouble(422, f"this is said in the body, not in the query: {', '.join(sorted(names))}")
        return {**found, **body_of(asked, found)}
    if asked.body:
        # Nobody who names some targets to remove there may lose them all.
        raise Trouble(422, f"{endpoint.method} says what it means in the query, not in a body")
    for name in sorted(names):
        argument = endpoint.names.get(name, name)
        if endpoint.bare or argument not in shape.fields or argument in parts or name in endpoint.names.values():
            raise Trouble(422, f"there is no parameter {name[:60]}", argument=name[:60])
        found[argument] = of_text(shape, argument, asked.query.all(name), name)
    return found


def is_paged(endpoint: Endpoint, shape: Shape) -> bool:
    """Whether it is answered page by page."""
    return endpoint.method == "GET" and shape.is_list


def of_text(shape: Shape, name: str, texts: list[str], called: str) -> Any:
    """A value in a path or query, where it is `called` so; raises Trouble for what is none."""
    kind = shape.fields[name].type
    is_list = get_origin(kind) is list
    if len(texts) > 1 and not is_list:
        raise Trouble(422, f"{called} may be given once", argument=called)
    try:
        return within_bounds(msgspec.convert(texts if is_list else texts[0], kind, strict=False))
    except msgspec.ValidationError as error:
        raise Trouble(422, f"{called}: {error}", argument=called) from None


def body_of(asked: Asked, known: Mapping[str, Any]) -> dict[str, Any]:
    """The object in a body, which may be left out; raises Trouble."""
    if not asked.body:
        return {}
    kind, options = parse_options_header(asked.headers.get("content-type", ""))
    if kind.lower() != JSON or options.get("charset", "utf-8").lower() != "utf-8":
        raise Trouble(415, f"bodies are {JSON}", ("accept", JSON))
    if asked.headers.get("content-encoding", "identity").strip().lower() != "identity":
        raise Trouble(415, "bodies are not compressed", ("accept-encoding", "identity"))
    try:
        found = msgspec.json.decode(asked.body)
        json.loads(asked.body, object_pairs_hook=_with_each_name_once, parse_int=str, parse_float=str)
    except (msgspec.DecodeError, RecursionError, UnicodeError):
        raise Trouble(400, "the body is not JSON") from None
    if not isinstance(found, dict):
        raise Trouble(422, "the body is a JSON object")
    if again := sorted(found.keys() & known.keys()):
        raise Trouble(422, f"this is in the path already: {', '.join(again)}")
    return {name: within_bounds(value) for name, value in found.items()}


def _with_each_name_once(pairs: list[tuple[str, Any]]) -> None:
    """Raises Trouble for a name that comes twice (RFC 8259, 4): others may have read the other value."""
    counts = Counter(name for name, _ in pairs)
    if len(counts) < len(pairs):
        again = [name[:60] for name, count in counts.items() if count > 1]
        more = f" and {len(again) - MOST_NAMED} more" if len(again) > MOST_NAMED else ""
        raise Trouble(400, f"the body says this more than once: {', '.join(again[:MOST_NAMED])}{more}")


def within_bounds(value: Any) -> Any:
    """The value, or Trouble for a number in it that no field of ours can have."""
    if isinstance(value, int) and not -_LARGEST <= value < _LARGEST:
        raise Trouble(422, "that number is too large")
    for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        within_bounds(inner)
    return value
