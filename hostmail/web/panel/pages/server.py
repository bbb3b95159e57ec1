"""The server as its operator sees it: how it is, who is connected, who is slowed down, who may relay, who changed what."""

from __future__ import annotations

from hostmail.auditlines import details, way, who
from hostmail.web.panel.page import OPERATORS, Done, Page, Section, View, Visit
from hostmail.web.panel.table import Button, Column, Table

AUDIT_SECONDS, AUDIT_MOST = 30 * 86_400, 500


async def show_status(visit: Visit) -> View:
    """How it is, and whether a certificate is to be replaced."""
    told = await visit.call("certificate.list")
    ending = [row for row in told["certificates"] if row["problems"]]
    return View("status.html", {"status": await visit.call("status"), "ending": ending})


async def show_sessions(visit: Visit) -> View:
    """Everybody who is connected."""
    columns = (
        Column("login", "Login", "mono"),
        Column("protocol", "Protocol", value=lambda row: row["protocol"].upper()),
        Column("ip", "From", "mono"),
        Column("since", "Since", "moment"),
        Column("tls", "TLS"),
        Column("id", "Number", number=True),
        Column("end", "", value=lambda row: row["id"], button=Button("disconnect", "Disconnect", "which")),
    )
    rows = await visit.call("session.list")
    return View("sessions.html", table=Table("sessions", columns, rows, "Nobody is connected."))


async def disconnect(visit: Visit) -> Done:
    """End one session, or all of an account."""
    typed = visit.form.needed("which", "Type a session's number, or an account's address")
    which = {"id": int(typed)} if typed.isascii() and typed.isdigit() and len(typed) < 19 else {"address": typed}
    told = await visit.call("session.kick", **which)
    return Done(f"{told['ended_sessions']} session(s) ended.", visit.url("sessions"))


async def show_throttled(visit: Visit) -> View:
    """Where too many logins failed."""
    columns = (
        Column("ip", "Internet address", "mono"),
        Column("failures", "Failed logins", "count", value=lambda row: round(row["failures"]), number=True),
        Column("last", "Last", "moment"),
        Column("refused_until", "Refused until", "moment"),
        Column("forgive", "", value=lambda row: row["ip"].partition("/")[0], button=Button("forgive", "Forgive", "ip")),
    )
    rows = await visit.call("throttle.list")
    return View("throttled.html", table=Table("throttled", columns, rows, "No logins have failed lately."))


async def forgive(visit: Visit) -> Done:
    """Let one begin anew."""
    ip = visit.form.needed("ip", "Type an internet address")
    await visit.call("throttle.forgive", ip=ip)
    return Done(f"{ip} may try again.", visit.url("throttled"))


async def show_grants(visit: Visit) -> View:
    """All relay grants."""
    columns = (
        Column("ip", "Internet address", "mono"),
        Column("login", "Opened by", "mono"),
        Column("until", "Until", "moment"),
        Column("close", "", value=lambda row: row["ip"], button=Button("revoke", "Close", "ip")),
    )
    rows = await visit.call("relay.list")
    return View("server_grants.html", table=Table("grants", columns, rows, "None at present."))


async def allow(visit: Visit) -> Done:
    """Open one by hand."""
    ip = visit.form.needed("ip", "Type an internet address")
    seconds = visit.form.duration("seconds")
    await visit.call("relay.allow", ip=ip, **({"seconds": seconds} if seconds is not None else {}))
    return Done(f"{ip} may send without signing in.", visit.url("server_grants"))


async def revoke(visit: Visit) -> Done:
    """Close all of one address."""
    ip = visit.form.needed("ip", "Type an internet address")
    await visit.call("relay.revoke", ip=ip)
    return Done(f"{ip} may not send without signing in any more.", visit.url("server_grants"))


async def show_audit(visit: Visit) -> View:
    """Who changed what."""
    by, about = visit.query.text("by")[:100], visit.query.text("about")[:254]
    rows = await visit.call("audit.list", seconds=AUDIT_SECONDS, by=by, about=about, most=AUDIT_MOST)
    columns = (
        Column("at", "When", "moment"),
        Column("login", "Who", value=who),
        Column("way", "By", value=way),
        Column("verb", "What", "mono"),
        Column("subject", "About", "mono"),
        Column("details", "Details", value=details),
    )
    table = Table("audit", columns, rows, "Nothing has been changed in the last month.")
    return View("audit.html", {"by": by, "about": about}, table)


PAGES = (
    Page(
        name="sessions",
        path="/sessions",
        title="Sessions",
        help="Everybody who is connected now, by whatever protocol.",
        show=show_sessions,
        who=OPERATORS,
        actions={"disconnect": disconnect},
        section=Section.SERVER,
        menu="Sessions",
        command="hostmail session list",
    ),
    Page(
        name="server_grants",
        path="/grants",
        title="Relay grants",
        help="Internet addresses that may send without signing in, because somebody checked his mail there, or because you say so.",
        show=show_grants,
        who=OPERATORS,
        actions={"allow": allow, "revoke": revoke},
        section=Section.SERVER,
        menu="Relay grants",
        command="hostmail relay list",
    ),
    Page(
        name="throttled",
        path="/throttled",
        title="Throttled addresses",
        help="Internet addresses from which logins failed. Too many of them, and logins from there are refused for a quarter of an hour.",
        show=show_throttled,
        who=OPERATORS,
        actions={"forgive": forgive},
        section=Section.SERVER,
        menu="Throttled addresses",
        command="hostmail throttle list",
    ),
    Page(
        name="audit",
        path="/audit",
        title="Changes",
        help="Who changed what in the last month: in the panel, by command, or through the API. What was refused is here, too.",
        show=show_audit,
        who=OPERATORS,
        section=Section.SERVER,
        menu="Changes",
        command="hostmail audit --since 30d",
    ),
    Page(
        name="status",
        path="/status",
        title="Status",
        help="How the server is, in one look.",
        show=show_status,
        who=OPERATORS,
        section=Section.SERVER,
        menu="Status",
        command="hostmail status",
    ),
)
