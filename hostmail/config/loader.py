"""From the file to `Settings`: every problem at once, each with its line.

The file is read as YAML's node tree, because only nodes know their lines, and because nodes cannot construct anything. Size, depth
and number of nodes are bounded, so that no anchor trick makes a small file large.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import yaml

from hostmail.config.fields import Key, keys_of
from hostmail.config.kinds import near
from hostmail.config.schema import SERVICES, WEB_SERVICES, Settings, begins_with_tls
from hostmail.errors import ConfigurationError

MAX_FILE, MAX_NODES, MAX_PROBLEMS = 1 << 20, 10_000, 50

_NO_TEXT = "it must be UTF-8 text without control characters"
_NULL, _BOOL = "tag:yaml.org,2002:null", "tag:yaml.org,2002:bool"
S = TypeVar("S")


@dataclass(frozen=True, slots=True)
class Problem:
    """Something wrong in the file. `line` 0 when it is about the file as a whole."""

    file: str
    line: int
    key: str
    words: str

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}" if self.line else self.file
        return f"{place}: {self.key}: {self.words}" if self.key else f"{place}: {self.words}"


class _TooMuchError(Exception):
    """More nodes than any configuration has."""


@dataclass(slots=True)
class _Reading:
    file: str
    folder: Path
    problems: list[Problem] = field(default_factory=list)
    nodes: int = 0

    def complain(self, node: yaml.Node | None, key: str, words: str) -> None:
        line = node.start_mark.line + 1 if node is not None else 0
        self.problems.append(Problem(self.file, line, key, words))


def load(path: str | Path) -> Settings:
    """The settings in the file; raises ConfigurationError with one line per problem."""
    settings, problems = read(path)
    if settings is None or problems:
        raise ConfigurationError("\n".join(str(problem) for problem in problems))
    return settings


def read(path: str | Path) -> tuple[Settings | None, list[Problem]]:
    """The settings, or None, and all problems found. Does not raise."""
    try:
        with open(path, "rb") as stream:
            content = stream.read(MAX_FILE + 1)
    except OSError as error:
        return None, [Problem(str(path), 0, "", f"cannot be read: {error.strerror or error}")]
    return parse(content, str(path), Path(path).absolute().parent)


def parse(content: bytes, file: str, folder: Path) -> tuple[Settings | None, list[Problem]]:
    """As `read`, for octets in hand; relative paths are relative to `folder`."""
    reading = _Reading(file, folder)
    if len(content) > MAX_FILE:
        reading.complain(None, "", "is larger than 1M: that is no configuration")
        return None, reading.problems
    root = _compose(content, reading)
    if reading.problems:
        return None, reading.problems
    if root is None:
        root = yaml.MappingNode("tag:yaml.org,2002:map", [], _start(), _start())
    try:
        settings = _section(reading, root, "", Settings)
    except _TooMuchError:
        reading.complain(None, "", "has too many values; is an alias used over and over?")
        settings = None
    if settings is not None:
        _together(reading, root, settings)
    reading.problems.sort(key=lambda problem: problem.line)
    return (None if reading.problems else settings), reading.problems[:MAX_PROBLEMS]


def _start() -> yaml.Mark:
    return yaml.Mark("", 0, 0, 0, "", 0)


def _compose(content: bytes, reading: _Reading) -> yaml.Node | None:
    try:
        node: yaml.Node | None = yaml.compose(content, Loader=yaml.SafeLoader)
        return node
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 0
        words = "a line begins with a tab; indent with spaces" if "'\\t'" in str(error.problem) else error.problem
        reading.problems.append(Problem(reading.file, line, "", f"is not valid YAML: {words}"))
    except yaml.YAMLError as error:
        line = content.count(b"\n", 0, getattr(error, "position", None) or 0) + 1
        reading.problems.append(Problem(reading.file, line, "", f"is not valid YAML: {_NO_TEXT}"))
    except RecursionError:
        reading.complain(None, "", "is nested too deeply")
    return None


def _section(reading: _Reading, node: yaml.Node, prefix: str, kind: type[S]) -> S | None:
    """Read a mapping into the schema class `kind`; None when a required key has no usable value."""
    known = keys_of(kind)
    found = _mapping(reading, node, prefix, list(known))
    if found is None:
        return None
    values: dict[str, Any] = {}
    for name, child in found.items():
        try:
            values[name] = _value(reading, child, prefix + name, known[name])
        except ValueError as error:
            reading.complain(child, prefix + name, str(error))
    profile = values.get("profile", "classic")
    missing = False
    for name, key in known.items():
        if key.required and name not in found:
            reading.complain(node, prefix + name, f"is missing; it needs a {key.kind.shape if key.kind else 'value'}")
        missing = missing or (key.required and name not in values)
        if key.by_profile is not None and values.get(name) is None:
            values[name] = key.by_profile[profile]
    return None if missing else kind(**values)


def _mapping(reading: _Reading, node: yaml.Node, prefix: str, known: list[str]) -> dict[str, yaml.Node] | None:
    """The children by key; complains about unknown keys, keys written twice, and anything that is no mapping."""
    if node.tag == _NULL:
        return {}
    if not isinstance(node, yaml.MappingNode):
        reading.complain(node, prefix.rstrip("."), f"must be a mapping with keys like {known[0]}")
        return None
    found: dict[str, yaml.Node] = {}
    for name_node, child in node.value:
        _bound(reading)
        name = name_node.value if isinstance(name_node, yaml.ScalarNode) else "?"
        if name in found:
            first = found[name].start_mark.line + 1
            reading.complain(name_node, prefix + name, f"is written twice, first in line {first}; keep one")
        elif name not in known:
            reading.complain(name_node, prefix + str(name)[:80], f"is not a known key{near(str(name), known)}")
        else:
            found[name] = child
    return found


def _bound(reading: _Reading) -> None:
    reading.nodes += 1
    if reading.nodes > MAX_NODES:
        raise _TooMuchError


def _value(reading: _Reading, node: yaml.Node, name: str, key: Key) -> Any:
    _bound(reading)
    if key.section is not None:
        return _section(reading, node, name + ".", key.section) or key.section()
    if key.services is not None:
        return _services(reading, node, name + ".", key.services)
    if key.many:
        return tuple(_scalar(reading, item, key) for item in _items(node) if item.tag != _NULL)
    return _scalar(reading, node, key)


def _scalar(reading: _Reading, node: yaml.Node, key: Key) -> Any:
    _bound(reading)
    assert key.kind is not None
    if not isinstance(node, yaml.ScalarNode):
        raise ValueError(f"needs a {key.kind.shape}, not a list or mapping")
    if node.tag == _NULL:
        if key.optional:
            return None
        raise ValueError(f"has no value; it needs a {key.kind.shape}")
    text = str(node.value)
    if node.tag == _BOOL and key.kind.shape != "yes or no":
        raise ValueError(f"{text!r} means yes or no in YAML; this needs a {key.kind.shape}")
    return key.kind.read(text, reading.folder)


def _items(node: yaml.Node) -> list[yaml.Node]:
    return list(node.value) if isinstance(node, yaml.SequenceNode) else [node]


def _services(reading: _Reading, node: yaml.Node, prefix: str, kind: type) -> dict[str, Any]:
    """The `listen` mapping: for each service one endpoint, or a list of endpoints and mappings with options."""
    listeners: dict[str, Any] = {}
    endpoint = keys_of(kind)["endpoint"]
    for service, child in (_mapping(reading, node, prefix, [*SERVICES, *WEB_SERVICES]) or {}).items():
        ports: list[Any] = []
        for item in [] if child.tag == _NULL else _items(child):
            try:
                if isinstance(item, yaml.MappingNode):
                    ports.append(_section(reading, item, f"{prefix}{service}.", kind))
                else:
                    ports.append(kind(endpoint=_scalar(reading, item, endpoint)))
            except ValueError as error:
                reading.complain(item, prefix + service, str(error))
        if ports:
            listeners[service] = tuple(ports)
    return listeners


def _together(reading: _Reading, root: yaml.Node, settings: Settings) -> None:
    """What is wrong only in combination."""
    if settings.tls.private_key and not settings.tls.certificate:
        reading.complain(_find(root, "tls"), "tls.private_key", "belongs to a tls.certificate; name that file as well")
    if bool(settings.smarthost_login) != bool(settings.smarthost_password_file):
        lone = "smarthost_login" if settings.smarthost_login else "smarthost_password_file"
        other = "smarthost_password_file" if settings.smarthost_login else "smarthost_login"
        reading.complain(_find(root, lone), lone, f"needs {other} as well")
    if settings.smarthost_login and not settings.smarthost:
        reading.complain(_find(root, "smarthost_login"), "smarthost_login", "needs smarthost as well, as host:port")
    _plain_panels(reading, root, settings)
    kinds = [":" in source for source in settings.source_addresses]
    if len(set(kinds)) < len(kinds):
        reading.complain(
            _find(root, "source_addresses"), "source_addresses", "has several of one kind; name one IPv4 and one IPv6"
        )
    if settings.limits.failed_login_delay > settings.limits.failed_login_delay_most:
        reading.complain(
            _find(root, "limits"), "limits.failed_login_delay", "is more than limits.failed_login_delay_most"
        )


def _plain_panels(reading: _Reading, root: yaml.Node, settings: Settings) -> None:
    """Passwords for the panel cross no network in clear: without TLS it is for a reverse proxy on this machine."""
    for service, listeners in settings.listen.items():
        key = f"listen.{service}"
        for listener in filter(None, listeners):
            if service != "panel" and listener.tls is not None:
                reading.complain(_find(root, "listen"), key, "has no option tls; the panel alone has")
            elif service == "panel" and not begins_with_tls(service, listener) and not listener.is_local:
                words = "without TLS must be a UNIX socket, or bound to loopback: tcp:PORT:interface=127.0.0.1"
                reading.complain(_find(root, "listen"), key, f"{listener.endpoint} {words}")


def _find(root: yaml.Node, name: str) -> yaml.Node | None:
    pairs = root.value if isinstance(root, yaml.MappingNode) else []
    return next((child for found, child in pairs if found.value == name), None)


def line_of(path: str | Path, name: str) -> int:
    """The line in which a key of a readable configuration has its value, listen.imap say; 0 where the file does not name it."""
    try:
        node = yaml.compose(Path(path).read_bytes(), Loader=yaml.SafeLoader)
    except (OSError, yaml.YAMLError):
        return 0
    for part in name.split("."):
        node = _find(node, part) if node is not None else None
    return node.start_mark.line + 1 if node is not None else 0


def effective(settings: Any) -> dict[str, Any]:
    """Every key with its value as plain JSON values, sizes and durations as numbers."""
    plain: dict[str, Any] = {}
    for field_ in dataclasses.fields(settings):
        value = getattr(settings, field_.name)
        if dataclasses.is_dataclass(value):
            plain[field_.name] = effective(value)
        elif field_.metadata["key"].services is not None:
            plain[field_.name] = {service: [effective(one) for one in many] for service, many in value.items()}
        else:
            plain[field_.name] = (
                str(value) if isinstance(value, Path) else list(value) if isinstance(value, tuple) else value
            )
    return plain
