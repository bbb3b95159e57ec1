"""Figures of a hostmail that is started for them, beside a Dovecot where there is one; or of the servers of target files.

python3 bench/run.py [--target FILE [--target FILE]] [--alone] [--full] [--rounds 2] [--only CASE,CASE] [--big 100k] [--json FILE]
"""

from __future__ import annotations

import argparse
import asyncio
import json
import resource
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import arriving
import changes
import dovecot
import pops
import postfix
import reading
import relaying
import start
import waiting
from server import Target
from table import median, tables
from work import SIZES, Bench, Case, Figures, prepare

PATIENCE_SECONDS = 1_800.0
UNITS = {
    "per_s": "/s",
    "cpu_us": "µs CPU each",
    "kb_each": "KB each",
}
CASES = {
    **arriving.CASES,
    **relaying.CASES,
    **reading.CASES,
    **changes.CASES,
    **pops.CASES,
    **waiting.CASES,
    **reading.COLD,
}
NEEDS = {"submission": {"smtp"}, "delivery": {"smtp", "lmtp"}, "push": {"smtp", "lmtp"}}
Results = dict[str, dict[str, list[Figures]]]
Server = tuple[Callable[[Path], Path], Callable[[Path], None]]


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--target", action="append", default=[], help="a target file; without any, servers are started")
    parser.add_argument("--alone", action="store_true", help="no Dovecot and no Postfix beside it")
    parser.add_argument("--full", action="store_true", help="also a mailbox of 100,000, and 5,000 sessions in IDLE")
    parser.add_argument("--rounds", type=int, default=2, help="each goes over all cases; medians are shown")
    parser.add_argument("--only", default="", help="parts of the names of cases to run, with commas")
    parser.add_argument("--deliveries", type=int, default=2000)
    parser.add_argument("--big", choices=SIZES, default="10k", help="the mailbox that FETCH and SEARCH read")
    parser.add_argument("--directory", help="where servers are started: a disk like the one mail will lie on")
    parser.add_argument("--json", help="a file for all rounds' figures")
    asked = parser.parse_args()
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    if asked.target:
        show(asked, asyncio.run(measure(asked, [Target.load(path) for path in asked.target])))
        return
    servers = _servers(asked)
    with tempfile.TemporaryDirectory(prefix="hostmail-bench-", dir=asked.directory) as place:
        Path(place).chmod(0o755)
        directories = [Path(place) / str(number) for number in range(len(servers))]
        try:
            targets = [server[0](each) for server, each in zip(servers, directories, strict=True)]
            show(asked, asyncio.run(measure(asked, [Target.load(target) for target in targets])))
        finally:
            for server, each in zip(servers, directories, strict=True):
                if (each / "target.json").exists():
                    server[1](each)


def _servers(asked: argparse.Namespace) -> list[Server]:
    """How those are started and stopped that the cases need; mail is sent on by servers that do nothing else."""
    cases = [name for name, _ in _wanted(asked, SIZES)]
    found: list[Server] = []
    if not all(map(_sends_on, cases)):
        found.append((start.start, start.stop))
        if dovecot.is_installed() and not asked.alone:
            found.append((dovecot.start, dovecot.stop))
    if any(map(_sends_on, cases)):
        found.append((partial(start.start, relaying=True), start.stop))
        if postfix.is_installed() and not asked.alone:
            found.append((postfix.start, postfix.stop))
    return found


def _sends_on(case: str) -> bool:
    return case in relaying.CASES


async def measure(asked: argparse.Namespace, targets: list[Target]) -> Results:
    """All rounds of all cases asked for; within a round, each case goes from server to server."""
    sizes = tuple(size for size in SIZES if size != "100k" or asked.full or asked.big == size)
    benches = [Bench(target, asked.deliveries, sizes, asked.big) for target in targets]
    wanted = dict(_wanted(asked, sizes))
    results: Results = {target.name: {name: [] for name in wanted} for target in targets}
    begin = time.monotonic()
    for bench in benches:
        if not bench.target.sink:
            await prepare(bench, wanted)
    print(f"mailboxes filled in {time.monotonic() - begin:.0f} s", file=sys.stderr)
    for number in range(asked.rounds):
        for name, case in wanted.items():
            for bench in benches:
                needs = NEEDS.get(name.partition("_")[0])
                if (needs and not needs & bench.target.ports.keys()) or _sends_on(name) != bool(bench.target.sink):
                    continue
                async with asyncio.timeout(PATIENCE_SECONDS):
                    figures = await case(bench)
                results[bench.target.name][name].append(figures)
                print(
                    f"round {number + 1}  {bench.target.name:10}{name:20}{line(figures)}", file=sys.stderr, flush=True
                )
    print(f"measured in {time.monotonic() - begin:.0f} s", file=sys.stderr)
    return results


def _wanted(asked: argparse.Namespace, sizes: tuple[str, ...]) -> Iterator[tuple[str, Case]]:
    """The cases asked for by name; without a mailbox of 100,000 none that needs it, and 5,000 sessions only where all is wanted."""
    parts = [part for part in asked.only.split(",") if part]
    for name, case in CASES.items():
        if name.endswith("_100k") and "100k" not in sizes:
            continue
        if name.startswith("idle_5k") and not asked.full:
            continue
        if not parts or any(part in name for part in parts):
            yield name, case


def line(figures: Figures) -> str:
    """Figures of one case, for whoever waits for the rest."""
    units = {metric: UNITS.get(metric, metric.replace("_ms", " ms")) for metric in figures}
    return "  ".join(f"{value:10,.{0 if value >= 100 else 2}f} {units[metric]}" for metric, value in figures.items())


def show(asked: argparse.Namespace, results: Results) -> None:
    """Medians side by side, delivery as a share of what the disk can do, and the file of all figures."""
    medians = {server: {name: median(rounds) for name, rounds in each.items()} for server, each in results.items()}
    print(tables(medians))
    ours = next(iter(medians.values()))
    ceiling, delivered = (ours.get(name, {}).get("per_s") for name in ("limits", "delivery"))
    if ceiling and delivered:
        print(
            f"\nthe disk took {ceiling:,.0f} durable files a second with ten writers; delivery is {delivered / ceiling:.2f} of that"
        )
    if asked.json:
        Path(asked.json).write_text(json.dumps({"rounds": results, "medians": medians}, indent=1))


if __name__ == "__main__":
    main()
