"""What a visitor reads when there is no page for him: plain words, and never ours about our insides."""

from __future__ import annotations

from dataclasses import dataclass

from hostmail.errors import LoginFailed, Overloaded, Refusal


@dataclass(frozen=True, slots=True)
class Words:
    """A heading, and what to do."""

    title: str
    help: str


OF_STATUS = {
    400: Words("That request is damaged", "Please go back and try once more."),
    401: Words("Please sign in", "This is only for people who are signed in."),
    403: Words(
        "That form was not taken",
        "It did not come from a page of this panel, or the page was open for too long. Go back, load it again and send it once more.",
    ),
    404: Words(
        "There is nothing here",
        "The page does not exist, or it is not yours to see. It may have been removed meanwhile.",
    ),
    405: Words("That cannot be done with this page", "Please begin at the first page."),
    413: Words("That is too much at once", "A form may have 64 KiB and 100 fields, a file 20 MiB."),
    421: Words(
        "This server has no such name",
        "The panel does not answer under this name. Check the address, or ask your provider.",
    ),
    429: Words("Too many attempts", "Please wait a few minutes, then try again."),
    500: Words(
        "Something went wrong here",
        "It is our fault and has been written down. If it stays, tell your provider the number.",
    ),
    503: Words(
        "Not at the moment", "The server cannot do this right now. Nothing is lost; please try again in a minute."
    ),
}


SMTP_CLOSES = 421


def words_for(status: int) -> Words:
    """The words for a status."""
    return OF_STATUS.get(status, OF_STATUS[400])


def status_of(refusal: Refusal) -> int:
    """The HTTP status for a refusal: its own if it is one, else for now or for good.

    421 is SMTP's, for too many connections; HTTP's is for names that are not ours.
    """
    if refusal.code == SMTP_CLOSES:
        return 429
    if refusal.code in OF_STATUS or refusal.code in (409, 422):
        return refusal.code
    if isinstance(refusal, Overloaded):
        return 429
    if isinstance(refusal, LoginFailed):
        return 403
    return 422 if refusal.permanent else 503
