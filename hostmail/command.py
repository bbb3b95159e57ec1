"""The entry of the `hostmail` command, and why it answers at once: the appliance's parts are imported only when they are needed.

A running service is asked over its socket, with the standard library, click and the configuration. Twisted, the databases and the
certificates cost most of a second; they are for a service that does not run, and for `hostmail init`.
"""

from __future__ import annotations

from contextlib import AbstractContextManager

from hostmail.admin.cli import Caller
from hostmail.admin.main import main
from hostmail.config.schema import Settings


def command_line() -> None:
    """Run `hostmail` as a shell does."""
    main(offline=offline, make_certificate=make_certificate)


def offline(settings: Settings) -> AbstractContextManager[Caller]:
    """The verbs on the data itself, for when no service runs."""
    from hostmail import compose

    return compose.offline(settings)


def make_certificate(settings: Settings) -> None:
    """The default certificate; raises ConfigurationError."""
    import time

    from hostmail.listen.tls import open_store

    open_store(settings, time.time)
