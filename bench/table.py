"""The figures as tables for people, in reStructuredText: what docs/figures.rst shows is what this prints."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from work import Figures

Medians = dict[str, dict[str, Figures]]
RATES = {
    "login": "IMAP login",
    "select_1k": "SELECT, 1,000",
    "select_10k": "SELECT, 10,000",
    "select_100k": "SELECT, 100,000",
    "newest_1k": "FETCH newest 50 of 1,000",
    "newest_10k": "FETCH newest 50 of 10,000",
    "newest_100k": "FETCH newest 50 of 100,000",
    "fetch_flags": "FETCH FLAGS",
    "fetch_uid_flags": "FETCH UID FLAGS",
    "fetch_size": "FETCH size and dates",
    "fetch_envelope": "FETCH ENVELOPE",
    "fetch_structure": "FETCH BODYSTRUCTURE",
    "fetch_fields": "FETCH header fields",
    "fetch_body": "FETCH BODY[]",
    "search_from": "SEARCH FROM",
    "search_field": "SEARCH another field",
    "search_sent": "SEARCH SENTBEFORE",
    "search_since": "SEARCH SINCE BEFORE",
    "search_body": "SEARCH BODY, 1 % match",
    "search_everywhere": "SEARCH BODY, all match",
    "status": "STATUS",
    "store": "STORE of 1,000",
    "copy": "COPY of 1,000",
    "move": "MOVE of 1,000",
    "expunge": "EXPUNGE of 1,000",
    "append": "APPEND",
    "append_10": "APPEND, ten connections",
    "session": "session of a mail program",
    "pop3_check": "POP3 check",
    "pop3_check_tls": "POP3 check, TLS",
    "pop3_retr": "POP3 RETR all",
    "pop3_retr_tls": "POP3 RETR all, TLS",
    "delivery": "delivery, 80 mailboxes",
    "delivery_1k": "delivery into 1,000",
    "delivery_10k": "delivery into 10,000",
    "delivery_100k": "delivery into 100,000",
    "submission": "submission to the queue",
}
RELAYED = {
    "relay": "submission, sent on",
    "relay_tls": "by TLS, one a connection",
}


@dataclass(frozen=True)
class Size:
    """A figure that is the better the smaller it is."""

    words: str
    case: str
    metric: str


SIZES = (
    *(
        Size(f"LOGIN, SELECT {words}, {how}, {unit}", f"cold_{size}", f"{metric}_{unit.replace('CPU ', 'cpu_')}")
        for how, metric in (("no index", "bare"), ("restarted", "restarted"))
        for size, words in (("1k", "1,000"), ("10k", "10,000"), ("100k", "100,000"))
        for unit in ("ms", "CPU ms")
    ),
    Size("SEARCH BODY, the first one, ms", "search_body", "cold_ms"),
    Size("delivery to EXISTS, ms", "push", "delivered_ms"),
    Size("STORE to FETCH, ms", "push", "stored_ms"),
    Size("EXPUNGE to EXPUNGE, ms", "push", "expunged_ms"),
    Size("file comes, to EXISTS, ms", "push", "outside_delivered_ms"),
    Size("file renamed, to FETCH, ms", "push", "outside_flagged_ms"),
    Size("file goes, to EXPUNGE, ms", "push", "outside_removed_ms"),
    *(
        Size(f"IDLE, each of {words}{', TLS' if tls else ''}, KB", f"idle_{size}{tls}", "kb_each")
        for size, words in (("1k", "1,000"), ("5k", "5,000"))
        for tls in ("", "_tls")
    ),
)


def median(rounds: Sequence[Figures]) -> Figures:
    """Of each metric."""
    return {metric: statistics.median(each[metric] for each in rounds) for metric in (rounds[0] if rounds else {})}


def tables(medians: Medians) -> str:
    """All tables. The first server is set against another one that does such work, if there is one."""
    ours, *others = medians

    def beside(cases: Iterable[str]) -> str | None:
        names = set(cases)
        return next((name for name in others if any(medians[name].get(case) for case in names)), None)

    shown = [
        _rates(medians, RATES, ours, beside(RATES)),
        _sizes(medians, ours, beside(size.case for size in SIZES)),
        _rates(medians, RELAYED, ours, beside(RELAYED)),
    ]
    return "\n\n".join("\n".join(_grid(rows)) for rows in shown if len(rows) > 1)


def _rates(medians: Medians, cases: dict[str, str], ours: str, theirs: str | None) -> list[list[str]]:
    head = ["work, a second", ours, "per CPU second"]
    if theirs:
        head += [theirs, "per CPU second", "times", "by CPU"]
    rows = [head]
    for case, words in cases.items():
        mine = medians[ours].get(case, {})
        if "per_s" not in mine:
            continue
        row = [words, *_pair(mine)]
        if theirs:
            other = medians[theirs].get(case, {})
            row += [*_pair(other), _times(mine, other, "per_s"), _times(other, mine, "cpu_us")]
        rows.append(row)
    return rows


def _sizes(medians: Medians, ours: str, theirs: str | None) -> list[list[str]]:
    rows = [["less is better", ours, *([theirs, "times"] if theirs else [])]]
    for size in SIZES:
        mine = medians[ours].get(size.case, {})
        if size.metric not in mine:
            continue
        row = [size.words, number(mine[size.metric])]
        if theirs:
            other = medians[theirs].get(size.case, {})
            row += [number(other.get(size.metric)), _times(other, mine, size.metric)]
        rows.append(row)
    return rows


def _pair(figures: Figures) -> tuple[str, str]:
    cost = figures.get("cpu_us")
    return number(figures.get("per_s")), number(1e6 / cost if cost else None)


def _times(over: Figures, under: Figures, metric: str) -> str:
    return number(over[metric] / under[metric]) if over.get(metric) and under.get(metric) else ""


def number(value: float | None) -> str:
    """Three digits that count."""
    if value is None:
        return ""
    if value >= 1000:
        digits = 2 - (len(str(int(value))) - 1)
        return f"{round(value, digits):,.0f}"
    return f"{value:.3g}" if value < 100 else f"{value:.0f}"


def _grid(rows: list[list[str]]) -> list[str]:
    """A simple table."""
    widths = [max(len(row[at]) for row in rows) for at in range(len(rows[0]))]
    rule = "  ".join("=" * width for width in widths)
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    return [rule, lines[0], rule, *lines[1:], rule]
