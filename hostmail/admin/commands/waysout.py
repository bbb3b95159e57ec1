"""The options that say which way mail leaves, and how that is shown."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import click

from hostmail.admin.secret import first_line
from hostmail.admin.values import NO_LIMIT

SMARTHOST = "smarthost"


def smarthost_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """The options of a command that sets a smarthost."""
    for option in (
        click.option(
            "--smarthost-tls",
            type=click.Choice(("opportunistic", "required", "verified")),
            help="If offered, always, or always with a certificate for HOST; default: verified with a login, else opportunistic.",
        ),
        click.option(
            "--smarthost-password-file", metavar="FILE", help="Its first line is the password there; - is stdin."
        ),
        click.option("--smarthost-login", metavar="LOGIN", help="The login there, or none."),
        click.option(
            "--smarthost",
            metavar="HOST[:PORT]",
            help="What takes its mail and sends it on; PORT 465 speaks TLS at once; default: 25. Or direct: to the hosts that the DNS"
            " names, whatever smarthost others have. Or none: as others.",
        ),
    ):
        function = option(function)
    return function


def smarthost_changes(
    smarthost: str | None,
    smarthost_login: str | None,
    smarthost_password_file: str | None,
    smarthost_tls: str | None,
) -> dict[str, Any]:
    """The arguments of a verb for those options."""
    changes: dict[str, Any] = {}
    if smarthost is not None:
        changes["smarthost"] = None if smarthost.lower() == NO_LIMIT else smarthost
    if smarthost_login is not None:
        changes["smarthost_login"] = "" if smarthost_login.lower() == NO_LIMIT else smarthost_login
    if smarthost_password_file is not None:
        changes["smarthost_password"] = first_line(smarthost_password_file)
    if smarthost_tls is not None:
        changes["smarthost_tls"] = smarthost_tls
    return changes


def said(row: Mapping[str, Any]) -> str:
    """A smarthost in words."""
    found = row["smarthost"]
    if row["direct"]:
        return "none: directly to the hosts that the DNS names"
    if found is None:
        return "none of its own"
    host = f"[{found['host']}]" if ":" in found["host"] else found["host"]
    login = f", login {found['login']}, password set" if found["login"] else ""
    return f"{host}:{found['port']}, TLS {found['tls']}{login}"


def way_said(way: Mapping[str, Any]) -> str:
    """The way that somebody's mail takes, in words."""
    if way["kind"] == "none":
        return "waits: no smarthost is set, and direct_delivery is off"
    sources = f", from {' or '.join(way['sources'])}" if way["sources"] else ""
    if way["kind"] == "mx":
        return f"goes to the hosts that the DNS names for its destination{sources}"
    login = f", login {way['login']}" if way["login"] else ""
    return f"goes to the smarthost of {way['owner'] or 'this server'}: {way['smarthost']}, TLS {way['tls']}{login}{sources}"
