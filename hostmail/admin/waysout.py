"""What is told of ways out (C9): everything but passwords."""

from __future__ import annotations

from msgspec import UNSET, Struct, UnsetType

from hostmail.admin.told import WayTold
from hostmail.interfaces.waysout import WayOut


class Smarthosted(Struct, forbid_unknown_fields=True, kw_only=True):
    """What domain.set and account.set say of a smarthost: host or host:port, direct, null for none of its own; what is not given stays."""

    smarthost: str | UnsetType | None = UNSET
    smarthost_login: str | UnsetType = UNSET
    smarthost_password: str | UnsetType = UNSET
    smarthost_tls: str | UnsetType = UNSET


def told(way: WayOut) -> WayTold:
    """A smarthost as JSON, null for none, and whether mail goes directly. That there is a password is told; which one, never."""
    smarthost = way.smarthost
    if smarthost is None:
        return {"smarthost": None, "direct": way.direct}
    return {
        "smarthost": {
            "host": smarthost.host,
            "port": smarthost.port,
            "tls": smarthost.tls,
            "login": smarthost.login,
            "password_set": bool(smarthost.password),
        },
        "direct": False,
    }
