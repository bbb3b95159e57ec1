"""The entry of the `hostmail` command: its nouns, and what each kind of failure becomes for a shell."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NoReturn

import click

from hostmail.admin.cli import CONFIGURATION, REFUSED, TRY_AGAIN, UNREACHABLE, CommandLine, Offline, clean, pass_line
from hostmail.admin.client import Unreachable
from hostmail.admin.commands.account import account
from hostmail.admin.commands.alias import alias, forward
from hostmail.admin.commands.audit import audit
from hostmail.admin.commands.autoreply import autoreply
from hostmail.admin.commands.catchall import catchall
from hostmail.admin.commands.certificate import certificate
from hostmail.admin.commands.client import client
from hostmail.admin.commands.config import config
from hostmail.admin.commands.dns import dns
from hostmail.admin.commands.domain import domain
from hostmail.admin.commands.init import init
from hostmail.admin.commands.list import list_
from hostmail.admin.commands.mailbox import mailbox
from hostmail.admin.commands.people import operator, owner
from hostmail.admin.commands.queue import queue
from hostmail.admin.commands.quota import quota
from hostmail.admin.commands.relay import relay
from hostmail.admin.commands.route import route
from hostmail.admin.commands.session import session
from hostmail.admin.commands.status import status, version
from hostmail.admin.commands.throttle import throttle
from hostmail.admin.commands.token import token
from hostmail.admin.commands.trace import trace
from hostmail.admin.commands.welcome import welcome
from hostmail.config.schema import Settings
from hostmail.errors import AlreadyExists, BadValue, ConfigurationError, NotAllowed, NotFound, Refusal

FOR_GOOD = (NotAllowed.code, NotFound.code, AlreadyExists.code, BadValue.code)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--config", "-c", "file", metavar="FILE", type=click.Path(path_type=Path), help="The configuration file.")
@pass_line
def hostmail(line: CommandLine, file: Path | None) -> None:
    """Run a hostmail appliance: domains, accounts, and what goes on.

    Works on the running service, at once; or on its data while it is stopped. Exit codes: 0 done, 1 refused or not found, 2 wrong usage,
    3 done partly, 4 problems found, 69 service not reachable, 75 try again later, 78 configuration.
    """
    line.config = file


for command in (
    init,
    domain,
    account,
    alias,
    forward,
    catchall,
    autoreply,
    list_,
    route,
    quota,
    relay,
    session,
    throttle,
    client,
    dns,
    welcome,
    mailbox,
    queue,
    trace,
    operator,
    owner,
    token,
    audit,
    config,
    certificate,
    status,
    version,
):
    hostmail.add_command(command)


def main(
    offline: Offline | None = None,
    make_certificate: Callable[[Settings], object] | None = None,
    arguments: Sequence[str] | None = None,
) -> NoReturn:
    """Run the command and exit.

    `offline(settings)` is a context manager that gives a way to call verbs without a service; `make_certificate(settings)` makes the
    default certificate for `init`.
    """
    with CommandLine(offline, make_certificate) as line:
        code = run(line, arguments)
    sys.exit(code)


def run(line: CommandLine, arguments: Sequence[str] | None) -> int:
    """The exit code."""
    try:
        return int(hostmail.main(args=arguments, prog_name="hostmail", obj=line, standalone_mode=False) or 0)
    except click.exceptions.Exit as ending:
        return ending.exit_code
    except click.Abort:
        return failed("nothing was changed", REFUSED)
    except click.UsageError as error:
        error.show()
        return error.exit_code
    except click.ClickException as error:
        return failed(error.message, error.exit_code)
    except ConfigurationError as error:
        return failed(str(error), CONFIGURATION)
    except Unreachable as error:
        return failed(str(error), UNREACHABLE)
    except OSError as error:
        return failed(f"{error.filename}: {error.strerror}" if error.filename else str(error), REFUSED)
    except Refusal as refusal:
        lasting = refusal.permanent or refusal.code in FOR_GOOD
        return failed(refusal.public, REFUSED if lasting else TRY_AGAIN)


def failed(words: str, code: int) -> int:
    """Say why on stderr, and pass the code on."""
    click.echo(f"hostmail: {clean(words)}", err=True)
    return code
