"""Which answers a call can have, with what their headers say: for the OpenAPI document."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hostmail.web.api.problems import JSON, PROBLEM
from hostmail.web.api.reading import WITH_BODY, is_paged
from hostmail.web.api.shape import Shape
from hostmail.web.api.table import Endpoint

WHY = {
    400: "The body is no JSON, or the Idempotency-Key is none.",
    401: "There is no token, or one that is unknown, revoked, or past its time.",
    403: "Not for such a token.",
    404: "It is not there, or not yours: nobody can tell which.",
    406: "Answers are JSON, and that is not accepted.",
    409: "It exists already, or the same request is being worked on.",
    412: "If-Match, If-None-Match or If-Unmodified-Since came with a change: there is nothing that they could be compared with.",
    413: "A body of more than 64 KiB, or a query of more than 100 words.",
    415: "Bodies are JSON in UTF-8, and not compressed.",
    422: "A value that cannot be used.",
    429: "Too many requests, or too many wrong tokens.",
    500: "Our fault: the log has all of it under the request_id.",
    503: "Not now; nothing is lost.",
}
"""What each status means."""

HEADERS: Mapping[str, tuple[str, dict[str, Any]]] = {
    "X-Request-Id": ("What the log calls this request.", {"type": "string", "pattern": "^[0-9a-f]{16}$"}),
    "RateLimit-Policy": ("How many requests the token may make (q) in how many seconds (w).", {"type": "string"}),
    "RateLimit": ("How many it may make at once now (r); in how many seconds (t) it is one more.", {"type": "string"}),
    "Retry-After": ("After how many seconds to come again.", {"type": "string", "pattern": "^[0-9]+$"}),
    "WWW-Authenticate": ("Bearer (RFC 6750).", {"type": "string"}),
    "Location": ("Where it is from now on.", {"type": "string", "format": "uri-reference"}),
    "Link": ('The next page, with rel="next", if there is one (RFC 8288).', {"type": "string"}),
    "Idempotency-Replayed": ("true where it was done before, and this is what was answered then.", {"const": "true"}),
}
_ALWAYS, _LIMITS = ("X-Request-Id",), ("RateLimit-Policy", "RateLimit")
_MORE = {401: ("WWW-Authenticate",), 429: ("Retry-After",), 503: ("Retry-After",)}


def statuses(endpoint: Endpoint, shape: Shape) -> list[int]:
    """The refusals that can come, by status."""
    found = {401, 403, 406, 413, 422, 429, 500, 503}
    if shape.fields:
        found.add(404)
    if endpoint.method != "GET":
        found |= {409, 412}
    if endpoint.method in WITH_BODY:
        found |= {400, 415}
    return sorted(found)


def responses(endpoint: Endpoint, shape: Shape, answer: Mapping[str, Any]) -> dict[str, Any]:
    """All answers of a call; `answer` is the schema of the good one."""
    headers = [*_ALWAYS, *_LIMITS]
    if is_paged(endpoint, shape):
        headers.append("Link")
    if endpoint.method == "POST":
        headers.append("Idempotency-Replayed")
    if endpoint.creates:
        headers.append("Location")
    good = {
        "description": "It is there now." if endpoint.creates else "Done.",
        "headers": _references(headers),
        "content": {JSON: {"schema": answer}},
    }
    problems = {
        str(status): {"$ref": f"#/components/responses/Problem{status}"} for status in statuses(endpoint, shape)
    }
    return {"201" if endpoint.creates else "200": good, **problems}


def problem_responses(schema: Mapping[str, Any]) -> dict[str, Any]:
    """All refusals, for the components."""
    return {
        f"Problem{status}": {
            "description": words,
            "headers": _references([*_ALWAYS, *_MORE.get(status, ())]),
            "content": {PROBLEM: {"schema": schema}},
        }
        for status, words in WHY.items()
    }


def headers() -> dict[str, Any]:
    """All headers, for the components; those that come with each such answer are required."""
    needed = {*_ALWAYS, *_LIMITS, "Retry-After", "WWW-Authenticate", "Location"}
    return {
        name: {"description": words, "required": name in needed, "schema": schema}
        for name, (words, schema) in HEADERS.items()
    }


def _references(names: list[str]) -> dict[str, Any]:
    return {name: {"$ref": f"#/components/headers/{name}"} for name in names}
