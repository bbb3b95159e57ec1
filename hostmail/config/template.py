"""The configuration file with every key, its default and its reason, made from the schema so that it is always true.

`etc/hostmail.yaml` is `render()`; `hostmail init` writes `render(values)`. A key at its default is commented out, so that the
file says what this server does differently, and so that the profile's defaults stay the profile's.
"""

from __future__ import annotations

import dataclasses
import re
import sys
import textwrap
from collections.abc import Mapping
from typing import Any

from hostmail.config.fields import Key, keys_of
from hostmail.config.kinds import quoted
from hostmail.config.schema import Listener, Settings

WIDTH = 110

_HEAD = """\
# hostmail's configuration. A key that is commented out shows its default.
#
# Sizes are binary octets (20M, 1.5G), durations are 45s, 30m, 1h30m, 14d; paths are relative to this file.
# Domains, accounts and quotas are not here: the `hostmail` command changes them, and they count at once.
# `hostmail config check` says what is wrong with this file, and where. SIGHUP takes changes while running, except for
# hostname, data_dir, profile, listen, tls, dns, limits, keep_removed and history: those need a restart.
"""
_HEADINGS = {
    "hostname": "The server",
    "listen": "Ports and TLS",
    "plaintext_login": "Logins and relaying",
    "message_size_limit": "Messages and mailboxes",
    "direct_delivery": "Outgoing mail",
    "panel_url": "The control panel",
    "hide_capabilities": "Mail programs",
    "limits": "Running it",
}


def render(values: Mapping[str, Any] | None = None) -> str:
    """The file; `values` are the keys to set (schema values; `listen` and `tls` are mappings), all others are shown as comments."""
    given = dict(values or {"hostname": "mail.example.net"})
    defaults = {field.name: field for field in dataclasses.fields(Settings)}
    parts = [_HEAD]
    for name, key in keys_of(Settings).items():
        if name in _HEADINGS:
            parts.append(f"\n# {'-' * 20} {_HEADINGS[name]}\n")
        parts.append("\n" + _comment(_reason(key), ""))
        default = _default(defaults[name])
        lines = _lines(name, key, given.get(name, default))
        parts.extend(f"{'' if name in given else '#'}{line}\n" for line in lines)
    return "".join(parts)


def show(settings: Settings) -> str:
    """The settings in force, as YAML without comments."""
    parts = []
    for name, key in keys_of(Settings).items():
        lines = _lines(name, key, getattr(settings, name))
        parts += [line for line in lines if not line.lstrip().startswith("#")]
    return "\n".join(parts) + "\n"


def _default(field: Any) -> Any:
    return field.default_factory() if field.default_factory is not dataclasses.MISSING else field.default


def _reason(key: Key) -> str:
    """The key's sentence for operators, who do not have our numbered promises at hand."""
    sentence = re.sub(r" \(BEHAVIOURS [^)]*\)", "", key.sentence)
    if key.by_profile is None or key.kind is None:
        return sentence
    each = ", ".join(f"{key.kind.write(value)} ({profile})" for profile, value in key.by_profile.items())
    return f"{sentence} Default: {each}."


def _comment(text: str, indent: str) -> str:
    return textwrap.fill(text, WIDTH, initial_indent=f"{indent}# ", subsequent_indent=f"{indent}# ") + "\n"


def _lines(name: str, key: Key, value: Any) -> list[str]:
    if key.services is not None:
        options = {one: _reason(two) for one, two in keys_of(Listener).items() if one != "endpoint"}
        hint = "Instead of an endpoint: {endpoint: ..., " + ", ".join(f"{one}: ..." for one in options) + "}"
        head = [hint, *(f"{one}: {sentence}" for one, sentence in options.items())]
        comments = [line for text in head for line in _comment(text, "  ").splitlines()]
        ports = [f"  {service}: [{', '.join(_port(one) for one in many)}]" for service, many in value.items()]
        return [f"{name}:", *comments, *ports]
    if key.section is not None:
        chosen = value if isinstance(value, Mapping) else dataclasses.asdict(value)
        return [f"{name}:", *_section(keys_of(key.section), chosen)]
    return [f"{name}: {_scalar(key, value)}"]


def _port(listener: Listener | str) -> str:
    if isinstance(listener, str):
        return quoted(listener)
    more = {
        name: getattr(listener, name) for name in keys_of(Listener) if name != "endpoint" and getattr(listener, name)
    }
    if not more:
        return quoted(listener.endpoint)
    texts = [f"{name}: {_scalar(keys_of(Listener)[name], value)}" for name, value in more.items()]
    return "{endpoint: " + ", ".join([quoted(listener.endpoint), *texts]) + "}"


def _section(keys: Mapping[str, Key], chosen: Mapping[str, Any]) -> list[str]:
    lines: list[str] = []
    for name, key in keys.items():
        if name in chosen:
            lines += _comment(_reason(key), "  ").splitlines()
            lines.append(f"  {name}: {_scalar(key, chosen[name])}")
    return lines


def _scalar(key: Key, value: Any) -> str:
    if value is None:
        return "null"
    if key.many:
        return "[" + ", ".join(quoted(one) for one in value) + "]"
    return key.kind.write(value) if key.kind else quoted(value)


if __name__ == "__main__":
    sys.stdout.write(render())
