"""Figures of a hostmail that is started for them, beside a Dovecot where there is one; or of the servers of target files.

python3 bench/run.py [--target FILE [--target FILE]] [--alone] [--rounds 3] [--only CASE,CASE] [--messages 100000] [--json FILE]
"""

from __future__ import annotations

import argparse
import asyncio
import json
import resource
import statistics
import sys
import tempfile
import time
from pathlib import Path

import dovecot
import start
from cases import CASES, Bench, Figures, prepare
from changes import CHANGES
from server import Target

UNITS = {
    "per_s": "/s",
    "ms": "ms",
    "cold_ms": "ms at first",
    "cpu_us": "µs CPU each",
    "kb_each": "KB each",
    "accepted_ms": "ms to 250",
    "notified_ms": "ms to EXISTS",
}
ALL_CASES = {**CASES, **CHANGES}
NEEDS_SMTP = frozenset({"delivery", "submission"})
Results = dict[str, list[Figures]]


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--target", action="append", default=[], help="a target file; without any, servers are started")
    parser.add_argument("--alone", action="store_true", help="no Dovecot beside it")
    parser.add_argument("--rounds", type=int, default=3, help="each goes over all cases; medians are shown")
    parser.add_argument("--only", default="", help="parts of the names of cases to run, with commas")
    parser.add_argument("--deliveries", type=int, default=2000)
    parser.add_argument("--messages", type=int, default=10_000, help="in the big mailbox")
    parser.add_argument("--idlers", type=int, default=500)
    parser.add_argument("--directory", help="where servers are started: a disk like the one mail will lie on")
    parser.add_argument("--json", help="a file for all rounds' figures")
    asked = parser.parse_args()
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    if asked.target:
        show(asked, asyncio.run(measure(asked, [Target.load(path) for path in asked.target])))
        return
    servers = [start, dovecot] if dovecot.is_installed() and not asked.alone else [start]
    with tempfile.TemporaryDirectory(prefix="hostmail-bench-", dir=asked.directory) as place:
        Path(place).chmod(0o755)
        directories = [Path(place) / server.__name__ for server in servers]
        try:
            targets = [server.start(each) for server, each in zip(servers, directories, strict=True)]
            show(asked, asyncio.run(measure(asked, [Target.load(target) for target in targets])))
        finally:
            for server, each in zip(servers, directories, strict=True):
                if (each / "target.json").exists():
                    server.stop(each)


async def measure(asked: argparse.Namespace, targets: list[Target]) -> dict[str, Results]:
    """All rounds of all cases asked for; within a round, each case goes from server to server."""
    benches = [Bench(target, asked.deliveries, asked.messages, idlers=asked.idlers) for target in targets]
    parts = [part for part in asked.only.split(",") if part]
    wanted = {name: case for name, case in ALL_CASES.items() if not parts or any(part in name for part in parts)}
    results: dict[str, Results] = {target.name: {name: [] for name in wanted} for target in targets}
    begin = time.monotonic()
    for bench in benches:
        await prepare(bench)
    print(f"mailboxes filled in {time.monotonic() - begin:.0f} s", file=sys.stderr)
    for number in range(asked.rounds):
        for name, case in wanted.items():
            for bench in benches:
                if name in NEEDS_SMTP and "smtp" not in bench.target.ports:
                    continue
                figures = await case(bench)
                results[bench.target.name][name].append(figures)
                print(f"round {number + 1}  {bench.target.name:10}{name:24}{line(figures)}", file=sys.stderr)
    return results


def line(figures: Figures) -> str:
    """Figures for people."""
    return "  ".join(f"{value:10,.{0 if value >= 100 else 2}f} {UNITS[metric]}" for metric, value in figures.items())


def median(rounds: list[Figures]) -> Figures:
    """Of each metric."""
    return {metric: statistics.median(each[metric] for each in rounds) for metric in (rounds[0] if rounds else {})}


def show(asked: argparse.Namespace, results: dict[str, Results]) -> None:
    """Medians side by side, delivery as a share of what the disk can do, and the file of all figures."""
    medians = {server: {name: median(rounds) for name, rounds in each.items()} for server, each in results.items()}
    (first, *others) = medians
    for name, figures in medians[first].items():
        print(f"{name:24}{line(figures)}")
        for other in others:
            theirs = medians[other][name]
            if theirs and name != "limits":
                print(f"  {other:22}{line(theirs)}{ratio(figures, theirs)}")
    ceiling, delivered = (medians[first].get(name, {}).get("per_s") for name in ("limits", "delivery"))
    if ceiling and delivered:
        print(f"delivery is {delivered / ceiling:.2f} of the disk's durable files")
    if asked.json:
        Path(asked.json).write_text(json.dumps({"rounds": results, "medians": medians}, indent=1))


def ratio(ours: Figures, theirs: Figures) -> str:
    """How many times better ours are: above 1 is better, for rates and for times."""
    for metric in ("per_s", "ms"):
        if ours.get(metric) and theirs.get(metric):
            times = ours[metric] / theirs[metric]
            return f"   ours: {times if metric == 'per_s' else 1 / times:.2f} times"
    return ""


if __name__ == "__main__":
    main()
