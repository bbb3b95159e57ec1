"""The command line of `twistd hostmail`: reads the configuration and hands the reactor to the appliance."""

from __future__ import annotations

import sys
from typing import Any

from twisted.application.service import IService
from twisted.python import usage

from hostmail.config.loader import load
from hostmail.config.places import STANDARD_PLACES, find_config
from hostmail.config.schema import Settings
from hostmail.errors import ConfigurationError

EX_CONFIG = 78


class Options(usage.Options):
    """`twistd [-n] hostmail [--config FILE] [--check]`."""

    synopsis = "[--config FILE] [--check]"
    optParameters = [
        ["config", "c", None, "The configuration file; default: $HOSTMAIL_CONFIG, " + ", ".join(STANDARD_PLACES)],
    ]
    optFlags = [["check", None, "Only check the configuration: exit code 0, or 78 with what is wrong."]]

    settings: Settings

    def postOptions(self) -> None:
        """Read the configuration; a wrong one ends the process here, before anything is touched."""
        try:
            self.settings = load(find_config(self["config"]))
        except ConfigurationError as error:
            print(error, file=sys.stderr)  # noqa: T201 - the log is not open yet
            raise SystemExit(EX_CONFIG) from None
        if self["check"]:
            print("the configuration is fine", file=sys.stderr)  # noqa: T201
            raise SystemExit(0)


def owner_of_service(options: Any) -> tuple[int, int] | None:
    """The (uid, gid) twistd will change to, so that what is made before belongs to them; None without --uid."""
    parent = options.parent or {}
    uid, gid = parent.get("uid"), parent.get("gid")
    return None if uid is None else (int(uid), int(gid) if gid is not None else -1)


def makeService(options: Options) -> IService:
    """The appliance as one Twisted service."""
    from twisted.internet import reactor

    from hostmail.appliance import Appliance

    in_background = not (options.parent or {"nodaemon": True})["nodaemon"]
    return Appliance(
        options.settings, reactor, owner_of_service(options), find_config(options["config"]), in_background
    )
