"""hostmail status, hostmail version"""

from __future__ import annotations

from typing import Any

import click

from hostmail import __version__
from hostmail.admin.cli import CommandLine, facts, pass_line
from hostmail.admin.values import ago


@click.command()
@pass_line
def status(line: CommandLine) -> None:
    """How the service is, running or not."""
    line.answer(line.call("status"), show)


@click.command()
@pass_line
def version(line: CommandLine) -> None:
    """The version of this command."""
    line.answer({"version": __version__}, lambda _: click.echo(f"hostmail {__version__}"))


def show(told: dict[str, Any]) -> None:
    """Print the state of the service."""
    running = f"yes, for {ago(told['uptime'])}, process {told['pid']}" if told["running"] else "no"
    sessions = ", ".join(f"{count} {name}" for name, count in told["sessions"].items()) or "none"
    facts(
        {
            "running": running,
            "version": told["version"],
            "hostname": told["hostname"],
            "profile": told["profile"],
            "domains": str(told["domains"]),
            "accounts": str(told["accounts"]),
            "sessions": sessions,
            "relay grants": str(told["relay_grants"]),
            "waiting in the queue": str(told["queue"]),
        }
    )
