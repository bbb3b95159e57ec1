"""What goes back to a browser: a value, with the headers that every answer of ours has."""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self' data:; script-src 'self'; form-action 'self';"
    " frame-ancestors 'none'; base-uri 'none'"
)
SECURITY = (
    ("content-security-policy", POLICY),
    ("x-content-type-options", "nosniff"),
    ("x-frame-options", "DENY"),
    # Not no-referrer: browsers would then say `Origin: null` for our own forms (Fetch, 3.2). No other site learns anything from this.
    ("referrer-policy", "same-origin"),
    ("cross-origin-opener-policy", "same-origin"),
    ("cross-origin-resource-policy", "same-origin"),
    ("permissions-policy", "camera=(), geolocation=(), microphone=()"),
)
HSTS = "max-age=31536000"
PRIVATE, FOR_EVER = "no-store", "public, max-age=31536000, immutable"
HTML = "text/html; charset=utf-8"


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer. `cookie` is a Set-Cookie line, `file` the name under which a browser saves it, `more` are further headers.

    One that is not `strict` leaves it open whether a browser may come without TLS: under its name there may be more than us.
    """

    body: bytes = b""
    status: int = 200
    kind: str = HTML
    location: str = ""
    cookie: str = ""
    file: str = ""
    cache: str = PRIVATE
    etag: str = ""
    strict: bool = True
    more: tuple[tuple[str, str], ...] = ()

    def headers(self, secure: bool) -> list[tuple[str, str]]:
        """All headers."""
        found = [*SECURITY, ("cache-control", self.cache), *self.more]
        if self.body or self.status == 200:
            found.append(("content-type", self.kind))
        if secure and self.strict:
            found.append(("strict-transport-security", HSTS))
        if self.location:
            found.append(("location", self.location))
        if self.cookie:
            found.append(("set-cookie", self.cookie))
        if self.file:
            found.append(("content-disposition", f'attachment; filename="{self.file}"'))
        if self.etag:
            found.append(("etag", f'"{self.etag}"'))
        return found


def redirect(path: str, cookie: str = "") -> Answer:
    """Look there, with GET (RFC 9110, 15.4.4). Only ever a path: what the browser calls us is nothing to repeat."""
    return Answer(status=303, location=path, cookie=cookie)


def write(request: Any, answer: Answer, secure: bool) -> bytes:
    """Put status and headers on a request of twisted.web; the body, for it to send."""
    request.setResponseCode(answer.status, HTTPStatus(answer.status).phrase.encode("ascii"))
    for name, value in answer.headers(secure):
        request.setHeader(name.encode("ascii"), value.encode("latin-1", "replace"))
    if answer.status != 204:
        request.setHeader(b"content-length", b"%d" % len(answer.body))
    return answer.body


def cookie(name: str, value: str, secure: bool, seconds: int | None = None) -> str:
    """A Set-Cookie line for a session: this host only, no script, not from other sites' forms (RFC 6265bis). 0 seconds ends it."""
    parts = [f"{name}={value}", "Path=/", "HttpOnly", "SameSite=Lax"]
    if secure:
        parts.append("Secure")
    if seconds is not None:
        parts.append(f"Max-Age={seconds}")
    return "; ".join(parts)


def cookie_name(secure: bool) -> str:
    """`__Host-` makes browsers hold it to all that; without TLS, on loopback, they would not take such a name."""
    return "__Host-session" if secure else "session"
