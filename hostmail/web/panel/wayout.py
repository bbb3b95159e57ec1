"""How mail of an account or a domain leaves (C9): a form for operators, of both pages."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hostmail.web.fields import Fields

USUAL, DIRECT, HOST = "usual", "direct", "host"
NO_HOST = {"tls": "", "login": "", "password_set": False}
TLS = (
    ("", "as usual: with a good certificate where there is a login"),
    ("opportunistic", "if it is offered"),
    ("required", "always, with whatever certificate"),
    ("verified", "always, with a good certificate"),
)


def facts(told: Mapping[str, Any]) -> dict[str, Any]:
    """The facts for way_out.html, of what account.show and domain.show tell an operator."""
    smarthost = told.get("smarthost")
    chosen = HOST if smarthost else DIRECT if told.get("direct") else USUAL
    return {
        "way": chosen,
        "smarthost": smarthost or NO_HOST,
        "typed_host": host_typed(smarthost),
        "tls": TLS,
        "tls_chosen": tls_chosen(smarthost),
    }


def usual_tls(login: str) -> str:
    """A password goes to nobody who only pretends to be that host."""
    return "verified" if login else "opportunistic"


def tls_chosen(smarthost: Mapping[str, Any] | None) -> str:
    """What is chosen before anybody chooses: what is as usual stays so when a login is added or taken away."""
    return "" if not smarthost or smarthost["tls"] == usual_tls(smarthost["login"]) else smarthost["tls"]


def host_typed(smarthost: Mapping[str, Any] | None) -> str:
    """As it is typed."""
    if not smarthost:
        return ""
    host = smarthost["host"]
    return f"[{host}]:{smarthost['port']}" if ":" in host else f"{host}:{smarthost['port']}"


def changes(form: Fields, told: Mapping[str, Any]) -> dict[str, Any]:
    """What was typed, as account.set and domain.set take it; raises BadField.

    The password that is there stays for the same login at the same host, if none is typed. A choice about TLS that nobody touched
    does not count for a login that is new there.
    """
    way = form.text("way", USUAL)
    if way != HOST:
        return {"smarthost": "direct" if way == DIRECT else None}
    host = form.needed("smarthost", "Type its name, like smtp.provider.example:587")
    login, password = form.text("smarthost_login"), form.raw("smarthost_password")[:1024]
    before = told.get("smarthost")
    is_same = host.lower() == host_typed(before)
    login_there = before["login"] if before and is_same else ""
    tls = form.text("smarthost_tls")
    if login and not login_there and tls == tls_chosen(before):
        tls = ""
    wanted: dict[str, Any] = {"smarthost_tls": tls or usual_tls(login)}
    if not is_same:
        wanted["smarthost"] = host
    if password or login != login_there:
        wanted |= {"smarthost_login": login, "smarthost_password": password}
    return wanted
