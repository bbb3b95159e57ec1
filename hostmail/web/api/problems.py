"""What a program is told when there is no answer for it: application/problem+json (RFC 9457)."""

from __future__ import annotations

from http import HTTPStatus
from math import ceil
from typing import Any

import msgspec

from hostmail.errors import NotFound, Overloaded, Refusal
from hostmail.web.answers import Answer
from hostmail.web.panel.errors import status_of

PROBLEM = "application/problem+json"
JSON = "application/json"
LATER_SECONDS = 10
UNEXPECTED = "something went wrong here; it has been written down under this request_id"


class Trouble(Exception):
    """A request that cannot be carried out, for a reason in how it was sent. `headers` go with the answer.

    `argument` is what it is about, where that is one.
    """

    def __init__(self, status: int, detail: str, *headers: tuple[str, str], argument: str = "") -> None:
        self.argument = argument
        self.status = status
        self.detail = detail
        self.headers = headers
        super().__init__(detail)


class ProblemDetails(msgspec.Struct, omit_defaults=True):
    """Why something was not done (RFC 9457). `argument` is what of the request is wrong, `suggestion` what may have been meant.

    `request_id` is in the log, too.
    """

    title: str
    status: int
    detail: str
    type: str = "about:blank"
    argument: str = ""
    suggestion: str = ""
    request_id: str = ""


def of_status(
    status: int, detail: str, request_id: str = "", argument: str = "", suggestion: str = "", **headers: Any
) -> Answer:
    """The answer that says so."""
    title = HTTPStatus(status).phrase
    told = ProblemDetails(title, status, detail, argument=argument, suggestion=suggestion, request_id=request_id)
    return Answer(msgspec.json.encode(told), status, PROBLEM, **headers)


def of_refusal(refusal: Refusal, request_id: str, argument: str = "") -> Answer:
    """The public words of a refusal, about this argument."""
    suggestion = refusal.suggestion if isinstance(refusal, NotFound) else ""
    status = status_of(refusal)
    wait = refusal.wait if isinstance(refusal, Overloaded) else LATER_SECONDS
    later = (("retry-after", str(ceil(wait))),) if status in (429, 503) else ()
    return of_status(status, refusal.public, request_id, argument, suggestion, more=later)
