"""The command line of `twistd hostmail`: reads the configuration and hands the reactor to the appliance."""

from __future__ import annotations

import gc
import os
import sys
from typing import Any, TextIO

from twisted.application.service import IService
from twisted.internet.endpoints import serverFromString
from twisted.internet.task import Clock
from twisted.logger import FileLogObserver
from twisted.python import usage

from hostmail.config.checking import Finding, findings, told
from hostmail.config.loader import load
from hostmail.config.places import STANDARD_PLACES, find_config
from hostmail.config.schema import Settings
from hostmail.errors import ConfigurationError
from hostmail.listen.pem import BadCertificate, Pair
from hostmail.listen.ports import ENDPOINT_ERRORS, no_endpoint
from hostmail.monitoring.logfile import DEFAULT_FILE, log_observer

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
            file = find_config(self["config"])
            self.settings = load(file)
        except ConfigurationError as error:
            say(str(error))
            raise SystemExit(EX_CONFIG) from None
        if self["check"]:
            found = all_findings(self.settings)
            say("\n".join(told(file, found)) or f"{file} is fine")
            raise SystemExit(EX_CONFIG if any(finding.fatal for finding in found) else 0)


def say(words: str) -> None:
    """To stderr: the log is not open yet."""
    print(words, file=sys.stderr)  # noqa: T201


def all_findings(settings: Settings) -> list[Finding]:
    """What `--check` looks at beyond the file itself: the files it names, the certificate in them, Twisted's reading of the endpoints."""
    found = findings(settings)
    if settings.tls.certificate is not None and not any(finding.key.startswith("tls.") for finding in found):
        try:
            Pair(settings.tls.certificate, settings.tls.private_key or settings.tls.certificate).read()
        except BadCertificate as error:
            found.append(Finding("tls.certificate", str(error)))
    for service, listeners in settings.listen.items():
        for listener in listeners:
            try:
                serverFromString(Clock(), listener.endpoint)
            except ENDPOINT_ERRORS as error:
                found.append(Finding(f"listen.{service}", no_endpoint(listener.endpoint, error)))
    return found


def owner_of_service(options: Any) -> tuple[int, int] | None:
    """The (uid, gid) twistd will change to, so that what is made before belongs to them; None without --uid."""
    parent = options.parent or {}
    uid, gid = parent.get("uid"), parent.get("gid")
    return None if uid is None else (int(uid), int(gid) if gid is not None else -1)


def terminal_of(options: Any) -> TextIO | None:
    """Where the command that sends the service into the background says why it did not start; None if it stays in front.

    It must be kept from before the fork: twistd closes it then, and passes on no more than the first 98 octets of an error.
    """
    if (options.parent or {"nodaemon": True})["nodaemon"]:
        return None
    try:
        return open(os.dup(2), "w")
    except OSError:
        return open(os.devnull, "w")


def observer_of(options: Any, reactor: Any) -> FileLogObserver | None:
    """Our observer for twistd's log file; None where twistd was told to log otherwise, or refuses to (a daemon has no stdout)."""
    twistd = options.parent
    if twistd is None or twistd["logger"] or twistd.get("syslog"):
        return None
    name, in_front = twistd["logfile"] or "", twistd["nodaemon"]
    if not in_front and name == "-":
        return None
    return log_observer(name or ("-" if in_front else DEFAULT_FILE), reactor)


def spare_collector() -> None:
    """Python's collector of cycles no longer looks at what is there when the service runs, and at new objects in larger lots.

    It would stop everybody for 80 ms, now and then, to go over 125,000 objects that stay: the first change of 1,000 messages
    brings that on.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000, 10, 10)


def makeService(options: Options) -> IService:
    """The appliance as one Twisted service."""
    from twisted.internet import reactor

    from hostmail.appliance import Appliance

    reactor.callWhenRunning(spare_collector)  # type: ignore[attr-defined]
    owner, config_file = owner_of_service(options), find_config(options["config"])
    observer = observer_of(options, reactor)
    return Appliance(options.settings, reactor, owner, config_file, terminal_of(options), observer)
