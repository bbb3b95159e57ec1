"""The command as a shell runs it, over a World of fakes."""

from __future__ import annotations

import contextlib
import json
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from click.testing import CliRunner
from twisted.trial.unittest import SynchronousTestCase

from hostmail.admin.cli import CommandLine
from hostmail.admin.main import run
from hostmail.config.schema import Settings
from tests.admin.fakes import World


class Base(SynchronousTestCase):
    """Runs the command over the fakes: there is no socket, so it works offline."""

    def setUp(self) -> None:
        self.folder = Path(tempfile.mkdtemp())
        self.addCleanup(shutil.rmtree, self.folder)
        self.config = self.folder / "hostmail.yaml"
        self.config.write_text(f"hostname: mail.test\ndata_dir: {self.folder}/data\n")
        self.world = World()
        self.world.populate()
        self.opened = 0
        self.interactive = False
        self.certificates: list[Settings] = []

    @contextlib.contextmanager
    def offline(self, settings: Settings) -> Iterator[Any]:
        self.opened += 1

        def call(verb: str, arguments: Mapping[str, Any]) -> Any:
            return self.world.call(verb, **arguments)

        yield call

    def run_command(self, *words: str, stdin: str = "", code: int = 0) -> str:
        """Its stdout; stderr is kept in `self.talk`."""
        runner = CliRunner()
        with (
            runner.isolation(input=stdin) as (out, err, _),
            CommandLine(self.offline, self.certificates.append, lambda: self.interactive) as line,
        ):
            found = run(line, ["--config", str(self.config), *words])
        self.out, self.talk = out.getvalue().decode(), err.getvalue().decode()
        self.assertEqual(found, code, self.out + self.talk)
        return self.out

    def json(self, *words: str, stdin: str = "", code: int = 0) -> Any:
        return json.loads(self.run_command(*words, "--json", stdin=stdin, code=code))
