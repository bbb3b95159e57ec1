"""The words of what mailing lists write. Each says what happened, and what to do next."""

from __future__ import annotations

from datetime import UTC, datetime

from hostmail.interfaces.lists import MailingList, MayPost
from hostmail.listnames import VALID_DAYS, ListWord, around

HELD = """\
A message to the mailing list
{list} waits for your decision:

    from:     {author}
    subject:  {subject}
    sent as:  {sender}
    reason:   {reason}

It is attached. To let everybody on the list have it, write to

    {approve}

To reject it, write to

    {reject}

An empty mail will do. These two addresses are yours alone: do not pass this
mail on. They are good for {days} days. If nobody decides, the message is
given up on {end}.
"""
HELD_SUBJECT = "A post to {list} waits for you"

REMINDER = """\
These messages to the mailing list
{list} wait for a decision of its owners:
{waiting}
To let everybody on the list have one, or to reject it, write to its address
above; an empty mail will do. The addresses are yours alone: do not pass this
mail on. They are good for {days} days.
"""
REMINDER_SUBJECT = "Posts to {list} wait for you: {count}"
REMINDED = """
    from:     {author}
    subject:  {subject}
    sent as:  {sender}
    reason:   {reason}
    since:    {since}; given up on {end}
    let it go:
        {approve}
    reject it:
        {reject}
"""
MORE = """
    ... and {more} more, of which you hear when these are decided.
"""

WAITS = """\
Your message to the mailing list
{list}

    subject:  {subject}
    reason:   {reason}

waits for the owners of the list, who decide whether its members get it.
There is no need to send it again. You will hear nothing more unless
the owners let it through{member}.

To reach them, write to {owner}.
"""
WAITS_SUBJECT = "Your message to {list} waits for its owners"
NO_MEMBER = """\
Members may post at once. To become one, write to
{subscribe}.
"""

REJECTED = """\
Your message to the mailing list
{list}

    subject:  {subject}

was not sent to its members: {reason}.
It is attached.

To reach the owners of the list, write to {owner}.
"""
REJECTED_SUBJECT = "Your message to {list} was not sent to its members"

QUESTION = """\
Somebody, probably you, asked that {who}
{what} the mailing list
{list}{about}.

If that is what you want, answer this mail, from the same address; you need
not write anything. Or write to

    {answer}

If not, do nothing: nothing changes then. This request is good for {days} days.
"""
QUESTION_SUBJECT = "Please confirm: {action} {list}"

WELCOME = """\
{who} is on the mailing list
{list}{about} now.

{posting}
To leave, write to {unsubscribe}.
For help, write to {request}; the owners are at
{owner}.
"""
WELCOME_SUBJECT = "Welcome to {list}"

GOODBYE = """\
{who} is no longer on the mailing list {list}.

To come back, write to {subscribe}.
"""
GOODBYE_SUBJECT = "You have left {list}"

ALREADY = """\
Somebody, probably you, asked that {who}
{what} the mailing list
{list}.
Nothing had to be done for that: {state}.

To {otherwise}, write to {other}.
"""
HELP = """\
This is the mailing list
{list}{about}.

    {list}
        to post ({who_may})
    {subscribe}
        to subscribe
    {unsubscribe}
        to leave
    {owner}
        to reach the owners

To subscribe and to leave, an empty mail will do; you are then asked whether
you mean it.
"""
ABOUT_SUBJECT = "About the list {list}"

DROPPED = """\
Mail from the mailing list {list} to

    {who}

came back on {days} days, as from an address that takes no mail. The member
gets no more mail from the list. In case the address works again it was told
how to come back; whoever manages the list can put it back, too.
"""
DROPPED_SUBJECT = "{who} was dropped from {list}"

DROPPED_YOU = """\
Mail from the mailing list {list} to

    {who}

came back on {days} days, as from an address that takes no mail. So the list
sends it no more.

If you can read this, the address works. To get the list's mail again, answer
this mail, from the same address; you need not write anything. Or write to

    {answer}

That is good for {valid} days; later, write to {subscribe}.
"""
DROPPED_YOU_SUBJECT = "You get no more mail from {list}"

_POSTING = {
    MayPost.MEMBERS: "To post, write to {list}.",
    MayPost.ANYONE: "To post, write to {list}.",
    MayPost.OWNERS: "Its owners post to it.",
}
_WHO_MAY = {
    MayPost.MEMBERS: "members; what others write waits for the owners",
    MayPost.ANYONE: "anybody",
    MayPost.OWNERS: "the owners; what others write waits for them",
}


def said(words: str, found: MailingList, **more: object) -> str:
    """One of the texts above, about a list."""
    address = found.parsed
    known: dict[str, object] = {word.value: around(address, word) for word in ListWord}
    known["list"] = address
    known["about"] = f" ({found.description})" if found.description else ""
    known["posting"] = _POSTING[found.post].format(list=address)
    known["who_may"] = _WHO_MAY[found.post]
    known["days"] = VALID_DAYS
    return words.format(**{**known, **more})


def day(when: float) -> str:
    """2026-12-05, in UTC."""
    return datetime.fromtimestamp(when, UTC).strftime("%Y-%m-%d")
