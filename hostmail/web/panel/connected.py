"""Who is at a mailbox now, who tried to be, and the way to end that: for owners about an account, for users about their own (F4, D10)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from hostmail.web.panel.page import Visit
from hostmail.web.panel.table import Column, Table

ATTEMPTS = (
    Column("last", "Last", "moment"),
    Column("count", "Times", "count", number=True),
    Column(
        "protocol", "By", value=lambda row: row["protocol"].upper() + (" with TLS" if row["tls"] else " without TLS")
    ),
    Column("ip", "From", "mono"),
    Column("login", "Login", "mono"),
    Column("result", "Result", value=lambda row: "accepted" if row["accepted"] else row["reason"]),
    Column("advice", "What to do"),
)


async def sessions(visit: Visit, address: str) -> Sequence[Any]:
    """The facts for sessions_of.html."""
    rows: Sequence[Any] = await visit.call("session.list", address=address)
    return rows


async def attempts(visit: Visit, address: str, per_page: int) -> Table:
    """The last attempts to sign in."""
    rows = await visit.call("login.list", address=address)
    return Table(f"logins-{address}", ATTEMPTS, rows, "Nobody has tried to sign in yet.", per_page=per_page)


async def end(visit: Visit, address: str) -> str:
    """End the session that was chosen, or all of the mailbox; what to say of it. Raises NotFound, BadField."""
    number = visit.form.number("session")
    told = await visit.call("session.kick", **({"address": address} if number is None else {"id": number}))
    ended = told["ended_sessions"]
    return f"{ended} connection{'' if ended == 1 else 's'} ended. A program that has the password may come back."
