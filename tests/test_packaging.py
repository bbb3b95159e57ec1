"""What `pip install` puts where: `twistd hostmail` must be there after each way to install, and the wheel holds every file.

Packages are built from a copy of the source without any network, and installed into environments of their own that see the
dependencies of the one that runs the tests, but not its hostmail.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile
import venv
import zipfile
from pathlib import Path
from typing import ClassVar

from twisted.application.service import IServiceMaker
from twisted.plugin import getPlugins
from twisted.trial.unittest import SynchronousTestCase

from tests.support.missing import lacking
from tests.support.shared import Shared

CHECKOUT = Path(__file__).resolve().parents[1]
MADE_BY_RUNNING = shutil.ignore_patterns("__pycache__", "*.pyc", "dropin.cache", "*.egg-info")
TWISTD = "from twisted.scripts.twistd import run; run()"
OFFLINE = ("--no-deps", "--no-index", "--no-build-isolation", "--quiet", "--disable-pip-version-check")


def run(*command: str | Path, cwd: Path, expect: int = 0) -> subprocess.CompletedProcess[str]:
    """Run a program that must not see this checkout."""
    environment = {key: value for key, value in os.environ.items() if not key.startswith(("PYTHON", "COV", "HOSTMAIL"))}
    done = subprocess.run(
        [str(word) for word in command],
        cwd=cwd,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=300,
    )
    if done.returncode != expect:
        raise AssertionError(f"{command}: {done.returncode}\n{done.stdout}\n{done.stderr}")
    return done


def source(into: Path) -> Path:
    """A copy of what a package is built from."""
    for name in ("pyproject.toml", "README.rst"):
        into.mkdir(exist_ok=True)
        shutil.copy(CHECKOUT / name, into / name)
    for name in ("hostmail", "twisted"):
        shutil.copytree(CHECKOUT / name, into / name, ignore=MADE_BY_RUNNING)
    return into


class Environment:
    """A virtual environment with our dependencies and without hostmail."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        venv.create(folder, symlinks=True)
        self.python = folder / "bin" / "python"
        paths = sysconfig.get_paths(vars={"base": str(folder), "platbase": str(folder)})
        dependencies = dict.fromkeys((sysconfig.get_path("purelib"), sysconfig.get_path("platlib")))
        # A folder named in a .pth file is searched, but the .pth files in it are not read: an editable hostmail there stays unseen.
        Path(paths["purelib"], "dependencies.pth").write_text("\n".join(dependencies) + "\n")
        self.elsewhere = folder / "elsewhere"
        self.elsewhere.mkdir()

    def install(self, *what: str | Path) -> None:
        """`pip install` into it."""
        run(sys.executable, "-m", "pip", "--python", self.python, "install", *OFFLINE, *what, cwd=self.elsewhere)

    def twistd(self, *words: str | Path, expect: int = 0) -> subprocess.CompletedProcess[str]:
        """Run its twistd in an empty folder."""
        return run(self.python, "-c", TWISTD, *words, cwd=self.elsewhere, expect=expect)

    def home(self) -> Path:
        """Where its hostmail is."""
        where = run(self.python, "-c", "import hostmail; print(hostmail.__file__)", cwd=self.elsewhere)
        return Path(where.stdout.strip()).resolve()


class PackagingTests(Shared):
    folder: ClassVar[Path]
    wheel: ClassVar[Path]

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        try:
            import setuptools
        except ImportError:
            raise lacking("building offline needs setuptools") from None
        if int(setuptools.__version__.partition(".")[0]) < 77:
            raise lacking("building needs setuptools 77 or newer")
        cls.folder = Path(tempfile.mkdtemp(prefix="hostmail-packaging-")).resolve()
        tree = source(cls.folder / "source")
        run(sys.executable, "-m", "pip", "wheel", *OFFLINE, "--wheel-dir", cls.folder, tree, cwd=cls.folder)
        (cls.wheel,) = cls.folder.glob("*.whl")

    @classmethod
    def tearDownClass(cls) -> None:
        shutil.rmtree(cls.folder, ignore_errors=True)
        super().tearDownClass()

    def names(self) -> set[str]:
        with zipfile.ZipFile(self.wheel) as archive:
            return set(archive.namelist())

    def test_only_the_plugin_goes_below_twisted(self) -> None:
        """One file, and no __init__.py: that would hide Twisted's own plugins."""
        below = {name for name in self.names() if name.startswith("twisted/")}
        self.assertEqual(below, {"twisted/plugins/hostmail_plugin.py"})

    def test_every_file_of_hostmail_is_in_the_wheel(self) -> None:
        """Code, migrations, word lists, templates, type marker."""
        tree = self.folder / "source"
        wanted = {
            str(path.relative_to(tree))
            for path in (tree / "hostmail").rglob("*")
            if path.is_file() and path.name != "dropin.cache" and path.suffix != ".pyc"
        }
        self.assertEqual(wanted - self.names(), set())

    def test_what_runs_only_in_the_checkout_stays_out(self) -> None:
        """No tests, no benchmarks, nothing made by running."""
        tops = {name.partition("/")[0] for name in self.names()}
        self.assertEqual({top for top in tops if not top.endswith(".dist-info")}, {"hostmail", "twisted"})
        self.assertEqual([name for name in self.names() if name.endswith((".pyc", ".cache", ".sqlite"))], [])

    def test_migrations_and_word_lists(self) -> None:
        """Named one by one, so that an empty folder cannot pass."""
        names = self.names()
        for wanted in (
            "hostmail/directory/migrations/env.py",
            "hostmail/directory/migrations/versions/v0001_facts.py",
            "hostmail/queue/migrations/env.py",
            "hostmail/queue/migrations/versions/v0001_queue.py",
            "hostmail/auth/common_passwords.txt",
        ):
            self.assertIn(wanted, names)

    def test_an_installed_wheel(self) -> None:
        """twistd knows hostmail, its --check answers, the command starts; nothing of it comes from the checkout."""
        here = Environment(self.folder / "installed")
        here.install(self.wheel)
        self.assertTrue(here.home().is_relative_to(here.folder), here.home())
        self.assertRegex(here.twistd("--help").stdout, r"(?m)^ +hostmail +\S")
        self.assertIn("Usage", run(here.folder / "bin" / "hostmail", "--help", cwd=here.elsewhere).stdout)
        config = here.elsewhere / "hostmail.yaml"
        config.write_text(f"hostname: mail.example.test\ndata_dir: {here.elsewhere}/data\n")
        here.twistd("hostmail", "--config", config, "--check")
        self.assertEqual([path.name for path in here.elsewhere.iterdir()], ["hostmail.yaml"])

    def test_an_editable_install(self) -> None:
        """`pip install -e .`: the same, out of the checkout."""
        tree = source(self.folder / "checkout")
        here = Environment(self.folder / "editable")
        here.install("--editable", tree)
        self.assertTrue(here.home().is_relative_to(tree), here.home())
        self.assertRegex(here.twistd("--help").stdout, r"(?m)^ +hostmail +\S")

    def test_this_very_environment(self) -> None:
        """The plugin is found where the tests run: installed, editable, or from the checkout."""
        self.assertIn("hostmail", [maker.tapname for maker in getPlugins(IServiceMaker)])


class CheckTests(SynchronousTestCase):
    def check(self, text: str, expect: int) -> str:
        folder = Path(tempfile.mkdtemp(prefix="hostmail-check-"))
        self.addCleanup(shutil.rmtree, folder)
        config = folder / "hostmail.yaml"
        config.write_text(text.replace("DATA", str(folder / "data")))
        words = ("-n", "--pidfile=", "hostmail", "--config", str(config), "--check")
        done = subprocess.run(
            [sys.executable, "-c", TWISTD, *words],
            cwd=CHECKOUT,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=60,
        )
        self.assertEqual(done.returncode, expect, done.stderr)
        self.assertEqual([path.name for path in folder.iterdir()], ["hostmail.yaml"])
        return done.stderr.replace(str(folder), "FOLDER")

    def test_a_good_configuration(self) -> None:
        """--check ends with 0 and touches nothing."""
        self.check("hostname: mail.example.test\ndata_dir: DATA\n", 0)

    def test_every_mistake_with_its_line(self) -> None:
        """--check ends with 78 and names file, line and key of each mistake, without a traceback."""
        words = self.check("hostname: mail.example.test\ndata_dir: DATA\nrelay_windo: 5m\ndefault_quota: lots\n", 78)
        self.assertRegex(words, r"FOLDER/hostmail\.yaml:3: relay_windo\b")
        self.assertIn("relay_window", words)
        self.assertRegex(words, r"FOLDER/hostmail\.yaml:4: default_quota\b")
        self.assertNotIn("Traceback", words)

    def test_no_such_file(self) -> None:
        """A file that is not there is a configuration error as well."""
        done = subprocess.run(
            [
                sys.executable,
                "-c",
                TWISTD,
                "-n",
                "--pidfile=",
                "hostmail",
                "--config",
                "/nonexistent/x.yaml",
                "--check",
            ],
            cwd=CHECKOUT,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=60,
        )
        self.assertEqual(done.returncode, 78, done.stderr)
        self.assertIn("/nonexistent/x.yaml", done.stderr)
        self.assertNotIn("Traceback", done.stderr)
