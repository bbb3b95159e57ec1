"""First figures: against the server of a target file, or against a hostmail that is started for them.

python3 bench/run.py [--target FILE] [--rounds 3] [--only CASE,CASE] [--messages 100000] [--json FILE]
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

import start
from cases import CASES, Bench, Figures, prepare
from server import Target

UNITS = {
    "per_s": "/s",
    "ms": "ms",
    "cpu_us": "µs CPU each",
    "cold_ms": "ms at first",
    "kb_each": "KB each",
    "accepted_ms": "ms to 250",
    "notified_ms": "ms to EXISTS",
}


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--target", help="a target file; without it a hostmail is started in a temporary directory")
    parser.add_argument("--rounds", type=int, default=3, help="each goes over all cases; medians are shown")
    parser.add_argument("--only", default="", help="parts of the names of cases to run, with commas")
    parser.add_argument("--deliveries", type=int, default=2000)
    parser.add_argument("--messages", type=int, default=10_000, help="in the big mailbox")
    parser.add_argument("--idlers", type=int, default=500)
    parser.add_argument("--directory", help="where the hostmail is started: a disk like the one mail will lie on")
    parser.add_argument("--json", help="a file for all rounds' figures")
    asked = parser.parse_args()
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    if asked.target:
        show(asked, measure(asked, Target.load(asked.target)))
        return
    with tempfile.TemporaryDirectory(prefix="hostmail-bench-", dir=asked.directory) as place:
        directory = Path(place)
        target = start.start(directory)
        try:
            show(asked, measure(asked, Target.load(target)))
        finally:
            start.stop(directory)


def measure(asked: argparse.Namespace, target: Target) -> dict[str, list[Figures]]:
    """All rounds of all cases asked for."""
    bench = Bench(target, asked.deliveries, asked.messages, idlers=asked.idlers)
    parts = [part for part in asked.only.split(",") if part]
    wanted = {name: case for name, case in CASES.items() if not parts or any(part in name for part in parts)}
    results: dict[str, list[Figures]] = {name: [] for name in wanted}

    async def go() -> None:
        begin = time.monotonic()
        await prepare(bench)
        print(f"mailboxes filled in {time.monotonic() - begin:.0f} s", file=sys.stderr)
        for number in range(asked.rounds):
            for name, case in wanted.items():
                figures = await case(bench)
                results[name].append(figures)
                print(f"round {number + 1}  {name:22}{line(figures)}", file=sys.stderr)

    asyncio.run(go())
    return results


def line(figures: Figures) -> str:
    """Figures for people."""
    return "  ".join(f"{value:10,.{0 if value >= 100 else 2}f} {UNITS[metric]}" for metric, value in figures.items())


def show(asked: argparse.Namespace, results: dict[str, list[Figures]]) -> None:
    """Medians, delivery as a share of what the disk can do, and the file of all figures."""
    medians = {
        name: {metric: statistics.median(each[metric] for each in rounds) for metric in (rounds[0] if rounds else {})}
        for name, rounds in results.items()
    }
    for name, figures in medians.items():
        print(f"{name:22}{line(figures)}")
    ceiling, delivered = medians.get("limits", {}).get("per_s"), medians.get("delivery", {}).get("per_s")
    if ceiling and delivered:
        print(f"delivery is {delivered / ceiling:.2f} of the disk's durable files")
    if asked.json:
        Path(asked.json).write_text(json.dumps({"rounds": results, "medians": medians}, indent=1))


if __name__ == "__main__":
    main()
