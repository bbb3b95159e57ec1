"""Passwords on the command line: by prompt, from a file or stdin, or made here; never as an argument, where `ps` shows them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click

from hostmail.admin.cli import CommandLine, Stop
from hostmail.newpassword import generate

MAX_OCTETS = 1024


def password_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """The options of a command that sets a password."""
    for option in (
        click.option("--generate", is_flag=True, help="Make a password and print it."),
        click.option("--password-file", metavar="FILE", help="Its first line is the password; - is stdin."),
    ):
        function = option(function)
    return function


def obtain(line: CommandLine, password_file: str | None, generating: bool, subject: str) -> str:
    """The password, from where the options say; asked for twice when they say nothing."""
    if password_file is not None and generating:
        raise click.UsageError("--password-file and --generate exclude each other")
    if generating:
        return generate()
    if password_file is not None:
        return first_line(password_file)
    if not line.interactive():
        raise click.UsageError("give the password with --password-file FILE (- is stdin), or --generate one")
    return str(click.prompt(f"Password for {subject}", hide_input=True, confirmation_prompt=True, err=True))


def first_line(name: str) -> str:
    """The password in a file, or on stdin for -; raises Stop."""
    try:
        with click.open_file(name, "rb") as stream:
            line = stream.readline(MAX_OCTETS + 2)
    except OSError as error:
        raise Stop(f"{name} cannot be read: {error.strerror}") from None
    try:
        password = line.rstrip(b"\r\n").decode()
    except UnicodeDecodeError:
        raise Stop(f"{name} is not UTF-8 text") from None
    if not password:
        raise Stop(f"{name} holds no password")
    return password
