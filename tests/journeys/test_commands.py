"""The `hostmail` command: on a running service it counts at once, in open sessions too (E7, A9, C4, D10); and on a stopped one."""

from __future__ import annotations

import imaplib
import poplib
import smtplib

from tests.journeys.base import ANN, BOB, Alone, Journey, letter, logs_in, trusting
from tests.support.appliance import PASSWORD
from tests.support.raw import Raw

AWAY = "dora@far.test"
EVE, FAY, GUS, HAL, IDA = (f"{name}@example.test" for name in ("eve", "fay", "gus", "hal", "ida"))


def rcpt(client: smtplib.SMTP, to: str, *parameters: str) -> int:
    """The reply to this recipient in a new transaction of an open session."""
    client.ehlo_or_helo_if_needed()
    client.rset()
    client.mail("carl@elsewhere.test", parameters)
    return client.rcpt(to)[0]


class LiveCommands(Journey):
    """Each test has an account of its own, so that none waits for another."""

    settings = "limits: {failed_login_delay: 0s}\n"

    def signed_in(self, login: str, password: str = PASSWORD) -> smtplib.SMTP:
        """A submission session."""
        client = smtplib.SMTP("127.0.0.1", self.here.ports["submission"], timeout=30)
        self.addCleanup(client.close)
        client.starttls(context=trusting())
        client.login(login, password)
        return client

    def talking(self, service: str, *lines: bytes) -> Raw:
        """A session that has said these lines, and heard one answer to each."""
        talk = Raw(self.here.ports[service])
        self.addCleanup(talk.close)
        for line in lines:
            talk.says(line + b"\r\n")
            talk.tagged(line.split()[0]) if service == "imap" else talk.line()
        return talk

    def all_three(self, login: str) -> tuple[Raw, Raw, Raw]:
        """IMAP, POP3 and SMTP sessions of one account."""
        name, word = login.encode(), PASSWORD.encode()
        plain = smtplib.base64.b64encode(b"\0" + name + b"\0" + word)  # type: ignore[attr-defined]
        imap = self.talking("imap", b"a LOGIN " + name + b" " + word, b"b SELECT INBOX")
        pop3 = self.talking("pop3", b"USER " + name, b"PASS " + word)
        smtp = self.talking("smtp", b"HELO pc.test", b"AUTH PLAIN " + plain)
        return imap, pop3, smtp

    def assert_ended(self, imap: Raw, pop3: Raw, smtp: Raw, words: bytes) -> None:
        """Each was told why, in its own words, and is closed."""
        self.assertRegex(imap.line(), rb"^\* BYE .*" + words)
        self.assertRegex(pop3.line(), rb"^-ERR .*" + words)
        self.assertRegex(smtp.line(), rb"^421 .*" + words)
        self.assertEqual([talk.line() for talk in (imap, pop3, smtp)], [b"", b"", b""])


class AccountCommandTests(LiveCommands):
    accounts = (ANN, BOB, EVE, FAY, GUS, HAL, IDA)

    def test_a_suspended_login(self) -> None:
        """Its open sessions end and say why, a new login is refused; its mail still arrives; resumed, all is as before."""
        sessions = self.all_three(EVE)
        self.here.command("account", "set", EVE, "--suspend", "login")
        self.assert_ended(*sessions, b"suspended")
        with self.assertRaises(poplib.error_proto):
            self.pop3(EVE)
        with self.assertRaises(imaplib.IMAP4.error):
            self.imap(EVE)
        self.deliver("while suspended", to=EVE)
        self.here.command("account", "set", EVE, "--resume", "login")
        self.assertEqual(self.subjects(EVE), ["while suspended"])

    def test_suspended_sending_and_receiving(self) -> None:
        """Sending: an open session's next recipient elsewhere is refused. Receiving: so is the next RCPT to it. Reading goes on."""
        sender, stranger, reader = self.signed_in(FAY), self.smtp("127.0.0.9"), self.imap(FAY)
        self.assertEqual((rcpt(sender, AWAY), rcpt(stranger, FAY)), (250, 250))
        self.here.command("account", "set", FAY, "--suspend", "outgoing", "--suspend", "incoming")
        self.assertGreaterEqual(rcpt(sender, AWAY), 500)
        self.assertGreaterEqual(rcpt(stranger, FAY), 400)
        self.assertEqual(reader.select("INBOX")[0], "OK")
        self.here.command("account", "set", FAY, "--resume", "outgoing", "--resume", "incoming")
        self.assertEqual((rcpt(sender, AWAY), rcpt(stranger, FAY)), (250, 250))

    def test_a_changed_password(self) -> None:
        """From the command's end on only the new one counts, in every protocol; who is in already goes on reading (A6)."""
        reader = self.imap(GUS)
        self.here.command("account", "passwd", GUS, "--password-file", "-", stdin="Another-Secret-9\n")
        with self.assertRaises(poplib.error_proto):
            self.pop3(GUS)
        with self.assertRaises(smtplib.SMTPAuthenticationError):
            self.signed_in(GUS)
        self.signed_in(GUS, "Another-Secret-9")
        self.assertEqual(reader.select("INBOX")[0], "OK")

    def test_a_quota(self) -> None:
        """An open IMAP session sees the new limit and is held to it, an open SMTP session as well; raised, both go on (D4, D6)."""
        reader, sender = self.imap(HAL), self.signed_in(BOB)
        self.assertEqual(rcpt(sender, HAL, "SIZE=200000"), 250)
        self.here.command("quota", "set", HAL, "100K")
        self.assertIn(b"(STORAGE 0 100)", reader.getquotaroot("INBOX")[1][1][0])  # type: ignore[index]
        large = letter("large", "x" * 70 + "\n" * 150_000).as_bytes()
        typ, words = reader.append("INBOX", "", "", large)
        self.assertEqual(typ, "NO")
        self.assertIn(b"OVERQUOTA", words[0])
        self.assertEqual(rcpt(sender, HAL, "SIZE=200000"), 552)
        self.here.command("quota", "set", HAL, "1M")
        self.assertEqual(reader.append("INBOX", "", "", large)[0], "OK")
        self.assertEqual(rcpt(sender, HAL, "SIZE=200000"), 250)

    def test_a_removed_account(self) -> None:
        """Its sessions end; a message to it is refused from the next RCPT on, where no catch-all takes it."""
        self.here.command("catchall", "set", "example.test", "--refuse")
        sessions = self.all_three(IDA)
        self.here.command("account", "remove", IDA, "--yes")
        self.assert_ended(*sessions, b"removed")
        with self.smtp() as stranger:
            self.assertEqual(rcpt(stranger, IDA), 550)


class SessionCommandTests(LiveCommands):
    accounts = (ANN, BOB)

    def test_listed_and_kicked(self) -> None:
        """`session list` shows protocol, address and login; `session kick` ends one, or all of an account, and nobody else's."""
        sessions, other = self.all_three(ANN), self.imap(BOB)
        rows = self.here.json("session", "list", ANN)
        self.assertEqual(sorted(row["protocol"] for row in rows), ["imap", "pop3", "smtp"])
        self.assertEqual({(row["ip"], row["login"]) for row in rows}, {("127.0.0.1", ANN)})
        (number,) = (row["id"] for row in rows if row["protocol"] == "smtp")
        told = self.here.json("session", "kick", str(number))
        self.assertEqual(told["ended_sessions"], 1)
        self.assertEqual(len(self.here.json("session", "list", ANN)), 2)
        self.assertEqual(self.here.json("session", "kick", "--account", ANN)["ended_sessions"], 2)
        self.assert_ended(*sessions, b"administrator")
        self.assertEqual(other.noop()[0], "OK")
        self.here.command("session", "kick", "1000000", expect=1)

    def test_everybody(self) -> None:
        """`session kick --all` asks, or takes --yes."""
        sessions = self.all_three(BOB)
        self.here.command("session", "kick", "--all", expect=2)
        self.assertEqual(len(self.here.json("session", "list", BOB)), 3)
        self.here.command("session", "kick", "--all", "--yes")
        self.assert_ended(*sessions, b"administrator")

    def test_a_mailbox_that_is_held(self) -> None:
        """`mailbox unlock` ends the POP3 session that has it, and the next check is served at once."""
        holder = self.talking("pop3", b"USER " + ANN.encode(), b"PASS " + PASSWORD.encode())
        self.here.command("mailbox", "unlock", ANN)
        self.assertTrue(holder.line().startswith(b"-ERR"))
        self.pop3().quit()

    def test_relay_grants(self) -> None:
        """Allowed, revoked, cleared: an open session's next recipient knows; `relay why` tells the reason."""
        sender = self.smtp("127.0.0.8")
        for words, reply in (
            (("allow", "127.0.0.8"), 250),
            (("revoke", "127.0.0.8", "--yes"), 550),
            (("allow", "127.0.0.8"), 250),
            (("clear", "--yes"), 550),
        ):
            self.here.command("relay", *words)
            self.assertEqual(rcpt(sender, AWAY), reply, words)
        self.assertIn("127.0.0.8", self.here.command("relay", "why", "127.0.0.8").stdout)

    def test_domains(self) -> None:
        """Added: the next RCPT of an open session takes it. Its logins suspended: all its sessions end. Removed: refused again."""
        stranger = self.smtp("127.0.0.9")
        zoe = "zoe@new.test"
        self.assertEqual(rcpt(stranger, zoe), 550)
        self.here.command("domain", "add", "new.test")
        self.here.command("account", "add", zoe, "--password-file", "-", stdin=PASSWORD + "\n")
        self.assertEqual(rcpt(stranger, zoe), 250)
        sessions = self.all_three(zoe)
        self.here.command("domain", "set", "new.test", "--suspend", "login")
        self.assert_ended(*sessions, b"suspended")
        self.here.command("domain", "set", "new.test", "--resume", "login")
        reader = self.imap(zoe)
        self.here.command("domain", "remove", "new.test", "--yes")
        self.assertEqual(rcpt(stranger, zoe), 550)
        with self.assertRaises(imaplib.IMAP4.abort):
            reader.noop()


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
        """They work on the data itself and count from the start: accounts, passwords, quotas, grants; mailboxes can be verified."""
        here = self.appliance("limits: {failed_login_delay: 0s}\n")
        self.assertFalse(here.json("status")["running"])
        here.add(ANN, BOB)
        here.command("account", "passwd", BOB, "--password-file", "-", stdin="Another-Secret-9\n")
        here.command("quota", "set", ANN, "10K")
        here.command("relay", "allow", "127.0.0.7")
        self.assertEqual(here.json("mailbox", "verify", ANN)["problems"], [])
        rows = here.json("account", "list", "example.test")
        self.assertEqual({row["login"]: row["quota"] for row in rows}, {ANN: 10 << 10, BOB: 200 << 20})
        here.start()
        self.assertEqual(logs_in(here, ANN), {"imap": True, "smtp": True})
        self.assertEqual(logs_in(here, BOB), {"imap": False, "smtp": False})
        self.assertEqual(logs_in(here, BOB, "Another-Secret-9"), {"imap": True, "smtp": True})
        for source, to, size, reply in (
            ("127.0.0.6", AWAY, 100, 550),
            ("127.0.0.7", AWAY, 100, 250),
            ("127.0.0.9", ANN, 20_000, 552),
            ("127.0.0.9", ANN, 100, 250),
        ):
            with smtplib.SMTP("127.0.0.1", here.ports["smtp"], timeout=30, source_address=(source, 0)) as client:
                self.assertEqual(rcpt(client, to, f"SIZE={size}"), reply, (source, to))

    def test_it_survives_a_kill(self) -> None:
        """After kill -9 the socket that was left is no obstacle, to the command or to the next start."""
        here = self.appliance()
        here.start()
        here.kill()
        self.assertFalse(here.json("status")["running"])
        here.start()
        self.assertTrue(here.json("status")["running"])
