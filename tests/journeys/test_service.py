"""The service as its operator meets it: starting, stopping, reloading, certificates, commands, another user."""

from __future__ import annotations

import contextlib
import imaplib
import os
import pwd
import re
import shutil
import signal
import smtplib
import socket
import ssl
import subprocess
import sys
import sysconfig
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from twisted.trial.unittest import SkipTest, SynchronousTestCase

from tests.journeys.base import ANN, BOB, Journey, letter, trusting
from tests.support.appliance import PASSWORD, Appliance
from tests.support.missing import lacking
from tests.support.raw import Raw

CHECKOUT = Path(__file__).resolve().parents[2]
SECONDS = 20.0


def until(true: Callable[[], bool], words: Callable[[], str]) -> None:
    """Wait for something another process does."""
    deadline = time.monotonic() + SECONDS
    while not true():
        if time.monotonic() > deadline:
            raise AssertionError(words())
        time.sleep(0.02)


def logs_in(here: Appliance, login: str, password: str = PASSWORD) -> dict[str, bool]:
    """Whether IMAP and SMTP take this login now."""
    found = {"imap": True, "smtp": True}
    client = imaplib.IMAP4("127.0.0.1", here.ports["imap"], timeout=SECONDS)
    try:
        client.login(login, password)
    except imaplib.IMAP4.error:
        found["imap"] = False
    finally:
        client.shutdown()
    with smtplib.SMTP("127.0.0.1", here.ports["submission"], timeout=SECONDS) as sender:
        sender.starttls(context=trusting())
        try:
            sender.login(login, password)
        except smtplib.SMTPAuthenticationError:
            found["smtp"] = False
    return found


@contextlib.contextmanager
def taken(port: int) -> Iterator[None]:
    """Another program listens there."""
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        other.bind(("127.0.0.1", port))
        other.listen()
        yield


def is_open(port: int) -> bool:
    """Whether somebody listens there."""
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
    except OSError:
        return False
    return True


class Alone(SynchronousTestCase):
    """Each test has an appliance of its own."""

    def appliance(self, settings: str = "") -> Appliance:
        here = Appliance(settings)
        self.addCleanup(shutil.rmtree, here.folder, ignore_errors=True)
        self.addCleanup(here.stop)
        return here


class StartTests(Alone):
    def run_to_end(self, here: Appliance) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            here.twistd(), cwd=here.folder, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=SECONDS
        )

    def in_background(self) -> Appliance:
        here = self.appliance()
        here.twistd_options = (f"--pidfile={here.folder}/pid", f"--logfile={here.log}")
        return here

    def test_a_port_in_use(self) -> None:
        """The process ends with 1 and one line that names key, port and reason; no port stays open, no traceback."""
        here = self.appliance()
        with taken(here.ports["imap"]):
            done = self.run_to_end(here)
        words = done.stdout + done.stderr
        self.assertEqual(done.returncode, 1, words)
        self.assertRegex(words, rf"listen\.imap: cannot listen on tcp:{here.ports['imap']}.*in use")
        self.assertNotIn("Traceback", words)
        self.assertEqual([port for port in here.ports.values() if is_open(port)], [])

    def test_a_port_in_use_in_the_background(self) -> None:
        """Without -n: the command itself ends with 1 and says so on stderr, the log has the reason, no pid file stays."""
        here = self.in_background()
        with taken(here.ports["imap"]):
            done = self.run_to_end(here)
        self.assertEqual(done.returncode, 1, done.stdout + done.stderr)
        self.assertIn("listen.imap: cannot listen", done.stderr)
        self.assertRegex(here.text(), rf"listen\.imap: cannot listen on tcp:{here.ports['imap']}.*in use")
        self.assertFalse((here.folder / "pid").exists())

    def test_data_that_another_service_uses(self) -> None:
        """The second service on one data folder ends with 1, in front and in the background; the first one stays unharmed."""
        first, second = self.appliance(), self.in_background()
        first.start()
        second.config.write_text(second.config.read_text().replace(str(second.data), str(first.data)))
        for options in (("-n", "--pidfile="), second.twistd_options):
            second.twistd_options = options
            done = self.run_to_end(second)
            self.assertEqual(done.returncode, 1, done.stdout + done.stderr)
            self.assertIn("data_dir: another hostmail is running with", done.stderr)
        until(lambda: not is_open(second.ports["imap"]), second.text)
        self.assertTrue(first.json("status")["running"])

    def test_data_that_cannot_be_used(self) -> None:
        """A damaged directory: one line on stderr, the whole trace in the log, exit code 1, no process and no port stays."""
        here = self.in_background()
        here.data.mkdir()
        (here.data / "directory.sqlite").write_bytes(b"no database " * 1000)
        for options in (("-n", "--pidfile="), here.twistd_options):
            here.twistd_options = options
            done = self.run_to_end(here)
            self.assertEqual(done.returncode, 1, done.stdout + done.stderr)
            self.assertIn("cannot start: ", done.stderr)
            self.assertNotIn("Traceback", done.stderr)
            self.assertIn("file is not a database", done.stdout + here.text())
        until(lambda: not is_open(here.ports["imap"]), here.text)

    def test_in_the_background(self) -> None:
        """Without -n: the command ends with 0 once the ports answer; SIGTERM to the pid in the file ends the service."""
        here = self.in_background()
        done = self.run_to_end(here)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        pid = int((here.folder / "pid").read_text())
        try:
            with Raw(here.ports["smtp"]) as talk:
                self.assertRegex(talk.greeting, rb"^220 mail\.example\.test ")
                self.assertEqual(here.json("status")["pid"], pid)
        finally:
            os.kill(pid, signal.SIGTERM)
        until(lambda: not (here.folder / "pid").exists(), here.text)
        self.assertNotIn("Traceback", here.text())

    def test_a_wrong_configuration(self) -> None:
        """The process ends with 78 before it touches anything."""
        here = self.appliance("relay_window: soon\n")
        done = self.run_to_end(here)
        self.assertEqual(done.returncode, 78, done.stdout + done.stderr)
        self.assertRegex(done.stderr, r"hostmail\.yaml:\d+: relay_window")
        self.assertFalse(here.data.exists())


class StopTests(Alone):
    def at_data(self, here: Appliance) -> Raw:
        """A client that may send its message now."""
        talk = Raw(here.ports["smtp"])
        self.addCleanup(talk.close)
        for command in (b"EHLO pc.test", b"MAIL FROM:<carl@elsewhere.test>", b"RCPT TO:<ann@example.test>", b"DATA"):
            self.assertIn(talk.asks(command)[:1], (b"2", b"3"))
        return talk

    def ended(self, here: Appliance) -> int:
        assert here.process is not None
        return here.process.wait(SECONDS)

    def test_a_message_under_way_gets_its_answer(self) -> None:
        """SIGTERM ends with 0; each DATA that was ended hears 250 or 421; what heard 250, and nothing else, is there."""
        here = self.appliance()
        here.add(ANN)
        here.start()
        talks = [self.at_data(here) for _ in range(20)]
        idle = Raw(here.ports["imap"])
        self.addCleanup(idle.close)
        for number, talk in enumerate(talks):
            talk.says(b"Subject: number %d\r\n\r\n" % number + (b"w" * 70 + b"\r\n") * 500 + b".\r\n")
        first = talks[0].reply()
        here.signal(signal.SIGTERM)
        answers = [first, *(talk.reply() for talk in talks[1:])]
        self.assertEqual({answer[:3] for answer in answers} - {b"250", b"421"}, set(), answers)
        self.assertRegex(idle.line(), rb"^\* BYE ")
        self.assertEqual(self.ended(here), 0, here.text())
        here.start()
        client = imaplib.IMAP4("127.0.0.1", here.ports["imap"], timeout=SECONDS)
        client.login(ANN, PASSWORD)
        client.select("INBOX", readonly=True)
        rows = client.fetch("1:*", "(BODY.PEEK[HEADER.FIELDS (SUBJECT)])")[1]
        client.logout()
        kept = sorted(number for number, answer in enumerate(answers) if answer.startswith(b"250"))
        found = sorted(int(one) for one in re.findall(r"number (\d+)", str(rows)))
        self.assertEqual(kept, found)

    def test_a_message_that_is_still_coming(self) -> None:
        """A client in the middle of DATA is told 421, not left alone, and nothing of its message stays."""
        here = self.appliance()
        here.add(ANN)
        here.start()
        talk = self.at_data(here)
        talk.says(b"Subject: half\r\n\r\nHel")
        begun = time.monotonic()
        here.signal(signal.SIGTERM)
        with contextlib.suppress(OSError):
            time.sleep(0.3)
            talk.says(b"lo.\r\n.\r\n")
        self.assertRegex(talk.reply(), rb"^(250|421) ")
        self.assertEqual(self.ended(here), 0, here.text())
        self.assertLess(time.monotonic() - begun, 18.0)
        self.assertEqual([path for path in (here.data / "spool").rglob("*") if path.is_file()], [])

    def test_a_second_start(self) -> None:
        """Mail, accounts and certificate are those of the first run."""
        here = self.appliance()
        here.add(ANN)
        here.start()
        certificate = ssl.get_server_certificate(("127.0.0.1", here.ports["imaps"]), timeout=SECONDS)
        with smtplib.SMTP("127.0.0.1", here.ports["smtp"], timeout=SECONDS) as sender:
            sender.send_message(letter("kept"))
        uids = []
        for _ in range(2):
            client = imaplib.IMAP4("127.0.0.1", here.ports["imap"], timeout=SECONDS)
            client.login(ANN, PASSWORD)
            client.select("INBOX")
            validity = client.response("UIDVALIDITY")[1]
            uids.append((validity, client.uid("SEARCH", "SUBJECT", "kept")[1]))  # type: ignore[arg-type]
            client.logout()
            self.assertEqual(here.stop(), 0, here.text())
            here.start()
        self.assertEqual(uids[0], uids[1])
        self.assertNotEqual(uids[0][1], [b""])
        self.assertEqual(ssl.get_server_certificate(("127.0.0.1", here.ports["imaps"]), timeout=SECONDS), certificate)
        self.assertNotIn("Traceback", here.text())


class CommandTests(Journey):
    accounts = (ANN,)
    settings = "limits: {failed_login_delay: 0s}\n"

    def test_status(self) -> None:
        """`hostmail status --json` tells of the running service, through its control socket."""
        client = self.imap()
        status = self.here.json("status")
        assert self.here.process is not None
        self.assertTrue(status["running"])
        self.assertEqual(status["pid"], self.here.process.pid)
        self.assertEqual(status["hostname"], "mail.example.test")
        self.assertEqual((status["domains"], status["accounts"]), (1, 1 + self.extra_accounts()))
        self.assertGreaterEqual(status["sessions"]["imap"], 1)
        client.logout()

    def extra_accounts(self) -> int:
        return len(self.here.json("account", "list", "example.test")) - 1

    def test_the_control_socket_is_for_the_operator_only(self) -> None:
        """Nobody else on the machine may connect."""
        path = self.here.data / "run" / "control.sock"
        self.assertTrue(path.is_socket())
        self.assertEqual(path.stat().st_mode & 0o007, 0)
        self.assertEqual(path.parent.stat().st_mode & 0o007, 0)

    def test_an_account_counts_at_once(self) -> None:
        """E7: added, given another password, removed: the next login knows."""
        dora = "dora@example.test"
        self.assertEqual(logs_in(self.here, dora), {"imap": False, "smtp": False})
        self.here.command("account", "add", dora, "--password-file", "-", stdin=PASSWORD + "\n")
        self.assertEqual(logs_in(self.here, dora), {"imap": True, "smtp": True})
        self.deliver("welcome", to=dora)
        self.assertIn("welcome", self.subjects(dora))
        self.here.command("account", "passwd", dora, "--password-file", "-", stdin="Another-Secret-9\n")
        self.assertEqual(logs_in(self.here, dora), {"imap": False, "smtp": False})
        self.assertEqual(logs_in(self.here, dora, "Another-Secret-9"), {"imap": True, "smtp": True})
        self.here.command("account", "remove", dora, "--yes")
        self.assertEqual(logs_in(self.here, dora, "Another-Secret-9"), {"imap": False, "smtp": False})

    def test_refusals_of_the_command(self) -> None:
        """1 refused or not found, 2 usage, words on stderr only."""
        twice = self.here.command("account", "add", ANN, "--password-file", "-", stdin=PASSWORD + "\n", expect=1)
        self.assertEqual(twice.stdout, "")
        self.assertIn(ANN, twice.stderr)
        self.here.command("account", "show", "nobody@example.test", expect=1)
        self.here.command("account", "frobnicate", expect=2)


class StoppedCommandTests(Alone):
    def test_the_same_commands_while_it_is_stopped(self) -> None:
        """They work on the data itself, and count when it starts."""
        here = self.appliance("limits: {failed_login_delay: 0s}\n")
        here.add(ANN)
        self.assertFalse(here.json("status")["running"])
        here.start()
        self.assertEqual(logs_in(here, ANN), {"imap": True, "smtp": True})
        self.assertEqual(here.stop(), 0, here.text())
        self.assertFalse(here.json("status")["running"])
        here.command("account", "add", BOB, "--password-file", "-", stdin=PASSWORD + "\n")
        here.command("account", "passwd", ANN, "--password-file", "-", stdin="Another-Secret-9\n")
        self.assertEqual({row["login"] for row in here.json("account", "list", "example.test")}, {ANN, BOB})
        here.start()
        self.assertEqual(logs_in(here, BOB), {"imap": True, "smtp": True})
        self.assertEqual(logs_in(here, ANN), {"imap": False, "smtp": False})
        self.assertEqual(logs_in(here, ANN, "Another-Secret-9"), {"imap": True, "smtp": True})

    def test_it_survives_a_kill(self) -> None:
        """After kill -9 the socket that was left is no obstacle, to the command or to the next start."""
        here = self.appliance()
        here.add(ANN)
        here.start()
        here.kill()
        self.assertFalse(here.json("status")["running"])
        here.start()
        self.assertTrue(here.json("status")["running"])


class UnprivilegedTests(SynchronousTestCase):
    """Started as root, running as somebody else."""

    def setUp(self) -> None:
        if os.getuid() != 0:
            raise SkipTest("only root can become somebody else")
        try:
            self.nobody = pwd.getpwnam("nobody")
        except KeyError:
            raise SkipTest("there is no user nobody here") from None
        python = self.usable_python()
        self.here = Appliance()
        self.addCleanup(shutil.rmtree, self.here.folder, ignore_errors=True)
        self.addCleanup(self.here.stop)
        self.here.folder.chmod(0o755)
        self.here.python, self.here.environment = python, self.environment()
        self.here.twistd_options += ("--uid", "nobody", "--gid", str(self.nobody.pw_gid))

    def usable_python(self) -> str:
        """A Python that the other user can run and import from: this one may live in somebody's private home directory."""
        for python in dict.fromkeys((sys.executable, "/usr/bin/python3")):
            try:
                done = subprocess.run(
                    [python, "-c", "import sys, hostmail.compose, _cffi_backend; print(sys.version_info[:2])"],
                    user="nobody",
                    group=self.nobody.pw_gid,
                    extra_groups=[],
                    env=self.environment(),
                    cwd="/",
                    capture_output=True,
                    text=True,
                    timeout=SECONDS,
                )
            except OSError:
                continue
            if done.returncode == 0 and done.stdout.strip() == str(sys.version_info[:2]):
                return python
        raise lacking("no Python, or not this source, can be used by another user")

    def environment(self) -> dict[str, str]:
        packages = [sysconfig.get_path("purelib"), sysconfig.get_path("platlib")]
        return {**os.environ, "PYTHONPATH": os.pathsep.join(dict.fromkeys([str(CHECKOUT), *packages]))}

    def low_port(self) -> int:
        """A free port only root may open."""
        for port in range(1023, 600, -1):
            with socket.socket() as probe, contextlib.suppress(OSError):
                probe.bind(("127.0.0.1", port))
                return port
        raise SkipTest("no privileged port is free")

    def test_root_opens_the_ports_and_leaves(self) -> None:
        """Ports below 1024 answer, no thread runs as root, all data belongs to the service's user, mail comes and goes."""
        here, low = self.here, self.low_port()
        text = here.config.read_text().replace(f"tcp:{here.ports['smtp']}:", f"tcp:{low}:")
        here.config.write_text(text)
        here.ports["smtp"] = low
        here.start()
        here.add(ANN)
        with smtplib.SMTP("127.0.0.1", low, timeout=SECONDS) as sender:
            sender.send_message(letter("as nobody"))
        self.assertEqual(logs_in(here, ANN), {"imap": True, "smtp": True})
        assert here.process is not None
        for status in Path(f"/proc/{here.process.pid}/task").glob("*/status"):
            ids = re.search(r"^Uid:\s+(\d+)\s+(\d+)\s+(\d+)\s+(\d+)$", status.read_text(), re.MULTILINE)
            assert ids is not None
            self.assertEqual(set(ids.groups()), {str(self.nobody.pw_uid)})
        here.command("account", "add", BOB, "--password-file", "-", stdin=PASSWORD + "\n")
        owners = {path: path.lstat().st_uid for path in (here.data, *here.data.rglob("*"))}
        self.assertEqual({path for path, uid in owners.items() if uid != self.nobody.pw_uid}, set())
        self.assertEqual({path for path in owners if path.is_dir() and path.stat().st_mode & 0o077}, set())
        self.assertEqual(here.stop(), 0, here.text())
        here.command("account", "passwd", BOB, "--password-file", "-", stdin="Another-Secret-9\n")
        here.start()
        self.assertEqual(logs_in(here, BOB, "Another-Secret-9"), {"imap": True, "smtp": True})
        self.assertNotIn("Traceback", here.text())

    def test_prepared_by_root(self) -> None:
        """What root makes with `init --user`, and changes while the service is stopped, belongs to the service's user."""
        here = self.here
        ports = here.config.read_text()
        here.config.unlink()
        site = ("--hostname", "mail.example.test", "--data-dir", str(here.data), "--domain", "example.test")
        password = {"stdin": PASSWORD + "\n"}
        here.command("init", *site, "--account", ANN, "--password-file", "-", "--user", "nobody", **password)
        here.config.write_text(ports)
        here.command("account", "add", BOB, "--password-file", "-", **password)
        here.command("account", "remove", BOB, "--yes")
        owners = {path: path.lstat().st_uid for path in (here.data, *here.data.rglob("*"))}
        self.assertIn(here.data / "directory.sqlite", owners)
        self.assertEqual({path for path, uid in owners.items() if uid != self.nobody.pw_uid}, set())
        here.start()
        self.assertEqual(logs_in(here, ANN), {"imap": True, "smtp": True})
        self.assertNotIn("Traceback", here.text())
