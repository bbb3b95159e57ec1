"""The import rule: words know nothing, contracts and tools know words, workers and edges never know each other (STYLE.md)."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

import hostmail

ROOT = Path(hostmail.__file__).parent
WORDS = {
    "accountfile",
    "actor",
    "address",
    "auditlines",
    "clientsetup",
    "decisions",
    "envelope",
    "errors",
    "listnames",
    "message",
    "newpassword",
    "rates",
    "srs",
    "stories",
}
CONTRACTS = {"config", "interfaces"}
TOOLS = {"sql", "threads"}
WORKERS = {"auth", "checks", "delivery", "directory", "queue", "relay", "routing", "storage"}
EDGES = {"admin", "listen", "monitoring", "protocols", "web"}
EVERYBODY = {"appliance", "command", "compose", "demo", "opening", "parts", "tap", "webparts"}
UNUSABLE = {"maildir", "relay", "relaymanager", "mail", "protocols", "alias", "bounce", "tap"}
MAX_LINES = 400


def allowed(room: str) -> set[str]:
    """What a module in `room` may import of ours."""
    own = {room, "__version__"}
    if room in WORDS:
        return WORDS | own
    if room in CONTRACTS | TOOLS:
        return WORDS | own
    if room in WORKERS | EDGES:
        return WORDS | CONTRACTS | TOOLS | own
    return WORDS | CONTRACTS | TOOLS | WORKERS | EDGES | EVERYBODY | own


def imports(path: Path) -> Iterator[str]:
    """Every dotted name a module imports."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def modules() -> Iterator[tuple[str, Path]]:
    """Each of our files with the room it is in."""
    for path in sorted(ROOT.rglob("*.py")):
        relative = path.relative_to(ROOT)
        yield (relative.parts[0] if len(relative.parts) > 1 else relative.stem), path


class ArchitectureTests(SynchronousTestCase):
    def test_imports_point_one_way(self) -> None:
        """No room imports a room it must not know."""
        wrong = [
            f"{path.relative_to(ROOT)} imports {name}"
            for room, path in modules()
            for name in imports(path)
            if name.startswith("hostmail.") and name.split(".")[1] not in allowed(room)
        ]
        self.assertEqual(wrong, [])

    def test_every_room_is_in_the_picture(self) -> None:
        """A new folder gets its place in the rule first."""
        rooms = {room for room, _ in modules()} - {"__init__", "__main__"}
        self.assertEqual(rooms - WORDS - CONTRACTS - TOOLS - WORKERS - EDGES - EVERYBODY, set())

    def test_words_do_no_io(self) -> None:
        """Words import neither Twisted nor sockets nor files."""
        wrong = [
            f"{path.relative_to(ROOT)} imports {name}"
            for room, path in modules()
            if room in WORDS
            for name in imports(path)
            if name.split(".")[0] in {"twisted", "socket", "os", "io", "pathlib", "threading", "asyncio"}
        ]
        self.assertEqual(wrong, [])

    def test_no_module_takes_the_reactor(self) -> None:
        """The reactor is an argument; tap.py and the command line fetch it once."""
        wrong = [
            str(path.relative_to(ROOT))
            for room, path in modules()
            if room not in EVERYBODY
            for node in ast.parse(path.read_text()).body
            if isinstance(node, ast.ImportFrom)
            and node.module == "twisted.internet"
            and any(alias.name == "reactor" for alias in node.names)
        ]
        self.assertEqual(wrong, [])

    def test_the_unusable_parts_of_twisted_mail_stay_out(self) -> None:
        """Those modules do not work on Python 3 (TWISTED.md 1.6)."""
        wrong = [
            f"{path.relative_to(ROOT)} imports {name}"
            for _, path in modules()
            for name in imports(path)
            if name.startswith("twisted.mail.") and name.split(".")[2] in UNUSABLE
        ]
        self.assertEqual(wrong, [])

    def test_only_protocols_meet_twisted_mail(self) -> None:
        """One place knows the stock servers; compose names their interfaces for the realm."""
        wrong = [
            f"{path.relative_to(ROOT)} imports {name}"
            for room, path in modules()
            if room not in {"protocols"} | EVERYBODY
            for name in imports(path)
            if name.startswith("twisted.mail")
        ]
        self.assertEqual(wrong, [])

    def test_files_stay_readable(self) -> None:
        """A file over 400 lines is two files."""
        long = [
            f"{path.relative_to(ROOT)}: {lines}"
            for _, path in modules()
            if (lines := len(path.read_text().splitlines())) > MAX_LINES
        ]
        self.assertEqual(long, [])
