"""The service as its operator meets it: starting and stopping, in front and in the background."""

from __future__ import annotations

import contextlib
import imaplib
import os
import re
import signal
import smtplib
import socket
import ssl
import subprocess
import time
from collections.abc import Iterator

from tests.journeys.base import ANN, SECONDS, Alone, letter, until
from tests.support.appliance import PASSWORD, Appliance
from tests.support.raw import Raw


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
        """A damaged directory: one line on stderr that names the file, exit code 1, no process and no port stays."""
        here = self.in_background()
        here.data.mkdir()
        (here.data / "directory.sqlite").write_bytes(b"no database " * 1000)
        for options in (("-n", "--pidfile="), here.twistd_options):
            here.twistd_options = options
            done = self.run_to_end(here)
            self.assertEqual(done.returncode, 1, done.stdout + done.stderr)
            self.assertIn("data/directory.sqlite cannot be used: file is not a database", done.stderr)
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
        here.start()
        here.add(ANN)
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
        here.start()
        here.add(ANN)
        talk = self.at_data(here)
        talk.says(b"Subject: half\r\n\r\nHel")
        here.signal(signal.SIGTERM)
        with contextlib.suppress(OSError):
            time.sleep(0.3)
            talk.says(b"lo.\r\n.\r\n")
        self.assertRegex(talk.reply(), rb"^(250|421) ")
        self.assertEqual(self.ended(here), 0, here.text())
        self.assertEqual([path for path in (here.data / "spool").rglob("*") if path.is_file()], [])

    def test_a_second_start(self) -> None:
        """Mail, accounts and certificate are those of the first run."""
        here = self.appliance()
        here.start()
        here.add(ANN)
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
