"""The programs people really use, on loopback: curl, swaks, mbsync, getmail, mutt."""

from __future__ import annotations

import mailbox
import re
from pathlib import Path

from tests.journeys.base import BOB
from tests.support.appliance import PASSWORD
from tests.support.mbsync import mbsync_settings
from tests.support.missing import lacking
from tests.support.programs import Programs

# Each program has an account of its own, on one service.
CURL, SWAKS, MBSYNC, GETMAIL, MUTT = (f"{name}@example.test" for name in ("curl", "swaks", "mbsync", "getmail", "mutt"))

LETTER = "From: {sender}\r\nTo: {to}\r\nSubject: {subject}\r\n\r\nHello from {subject}.\r\n.\r\n..two\r\n"

# getmail forks for each message, and waits a minute for nothing if the child ends before it listens for that: so this one takes its time.
KEEP = """#!/bin/sh
cat >"$1/tmp/$$" && mv "$1/tmp/$$" "$1/new/$$" && sleep 0.2
"""


class Curl:
    """libcurl is in half the world's programs."""

    def curl(self, url: str, *words: object, login: str = CURL, expect: int = 0) -> str:
        """curl, taking the self-signed certificate."""
        return self.run_program(
            "curl",
            "--silent",
            "--show-error",
            "--insecure",
            "--user",
            f"{login}:{PASSWORD}",
            *words,
            url,
            expect=expect,
        )

    def url(self, scheme: str, service: str, path: str = "") -> str:
        return f"{scheme}://127.0.0.1:{self.here.ports[service]}/{path}"

    def send(self, url: str, subject: str, *words: object) -> None:
        letter = self.file(f"{subject}.eml", LETTER.format(sender=CURL, to=BOB, subject=subject))
        self.curl(url, "--mail-from", CURL, "--mail-rcpt", BOB, "--upload-file", letter, *words)

    def test_curl_sends(self) -> None:
        """smtp in the clear, with STARTTLS on 587, and smtps on 465; all of it arrives."""
        self.send(self.url("smtp", "smtp", "pc.example.test"), "curl-plain")
        self.send(self.url("smtp", "submission", "pc.example.test"), "curl-starttls", "--ssl-reqd")
        self.send(self.url("smtps", "submissions", "pc.example.test"), "curl-smtps")
        subjects = self.subjects(BOB)
        for subject in ("curl-plain", "curl-starttls", "curl-smtps"):
            self.assertIn(subject, subjects)

    def test_curl_fetches_by_pop3(self) -> None:
        """LIST, UIDL, RETR and DELE over pop3, STLS and pop3s; lines with dots come whole."""
        self.deliver("curl-pop", to=CURL)
        for scheme, service, words in (("pop3", "pop3", ()), ("pop3", "pop3", ("--ssl-reqd",)), ("pop3s", "pop3s", ())):
            listing = self.curl(self.url(scheme, service), *words).split()
            self.assertRegex(self.curl(self.url(scheme, service), "--request", "UIDL", *words), r"(?m)^1 \S+")
            text = self.curl(self.url(scheme, service, listing[-2]), *words)
            self.assertIn("Subject: curl-pop", text)
            self.assertIn("\n.dot", text)
            self.assertNotIn("..dot", text)
        self.curl(self.url("pop3", "pop3", listing[-2]), "--request", "DELE", "--head")
        self.assertNotIn("curl-pop", self.subjects(CURL))

    def test_curl_reads_by_imap(self) -> None:
        """Folders, search, fetch, append and flags over imap, STARTTLS and imaps."""
        self.deliver("curl-imap", to=CURL)
        for scheme, service, words in (("imap", "imap", ()), ("imap", "imap", ("--ssl-reqd",)), ("imaps", "imaps", ())):
            self.assertRegex(self.curl(self.url(scheme, service), *words), r'(?m)^\* LIST \(.*\) "." "?Sent"?')
            found = self.curl(self.url(scheme, service, "INBOX?SUBJECT%20curl-imap"), *words)
            number = found.split()[-1]
            text = self.curl(self.url(scheme, service, f"INBOX;MAILINDEX={number}"), *words)
            self.assertIn("Subject: curl-imap", text)
            self.assertIn("\n.dot", text)
        letter = self.file("append.eml", LETTER.format(sender=CURL, to=BOB, subject="curl-append"))
        self.curl(self.url("imaps", "imaps", "Sent"), "--upload-file", letter)
        self.assertIn("curl-append", self.curl(self.url("imaps", "imaps", "Sent;UID=1")))
        self.curl(self.url("imap", "imap", "Sent"), "--request", r"STORE 1 +FLAGS (\Flagged)")
        self.assertIn(
            r"\Flagged", self.curl(self.url("imap", "imap", "Sent"), "--request", "FETCH 1 FLAGS", "--verbose")
        )

    def test_curl_a_wrong_password(self) -> None:
        """67: login denied, on every protocol."""
        for scheme, service in (("imap", "imap"), ("pop3s", "pop3s")):
            self.run_program("curl", "-sSk", "--user", f"{CURL}:wrong", self.url(scheme, service), expect=67)


class Swaks:
    """The tester's SMTP client."""

    def swaks(self, subject: str, *words: object, expect: int = 0) -> str:
        return self.run_program(
            "swaks",
            *("--server", "127.0.0.1", "--helo", "pc.example.test", "--from", SWAKS, "--to", f"{BOB},{SWAKS}"),
            *("--header", f"Subject: {subject}", "--body", "Hello from swaks."),
            *words,
            expect=expect,
        )

    def test_swaks_logins(self) -> None:
        """AUTH LOGIN and PLAIN, with STARTTLS on 25 and 587 and TLS at once on 465."""
        if "TLS supported" not in self.run_program("swaks", "--support"):
            raise lacking("swaks does TLS only with Net::SSLeay")
        login = ("--auth-user", SWAKS, "--auth-password", PASSWORD)
        for mechanism in ("LOGIN", "PLAIN"):
            for service, tls in (("smtp", "--tls"), ("submission", "--tls"), ("submissions", "--tls-on-connect")):
                subject = f"swaks-{mechanism}-{service}"
                text = self.swaks(subject, "--port", self.here.ports[service], tls, "--auth", mechanism, *login)
                self.assertRegex(text, r"(?m)^<~ +235 ")
                self.assertIn(subject, self.subjects(BOB))
                self.assertIn(subject, self.subjects(SWAKS))

    def test_swaks_pipelining(self) -> None:
        """--pipeline sends MAIL, RCPT and DATA in one go; an unknown recipient among them stops nobody."""
        self.here.command("catchall", "set", "example.test", "--refuse")
        port = self.here.ports["smtp"]
        text = self.swaks("swaks-pipeline", "--port", port, "--pipeline", "--to", f"{BOB},nobody@example.test,{SWAKS}")
        self.assertRegex(text, r"(?m)^<\*\* 550 5\.1\.1 ")
        self.assertIn("swaks-pipeline", self.subjects(BOB))
        self.assertIn("swaks-pipeline", self.subjects(SWAKS))

    def test_swaks_chunking_is_offered(self) -> None:
        """EHLO names what the programs look for."""
        text = self.swaks("unsent", "--port", self.here.ports["smtp"], "--quit-after", "EHLO")
        for word in ("PIPELINING", "SIZE 15728640", "8BITMIME", "STARTTLS", "AUTH PLAIN LOGIN", "ENHANCEDSTATUSCODES"):
            self.assertIn(word, text)

    def test_swaks_a_refused_login(self) -> None:
        """Exit code 28, and words a person can act on."""
        words = ("--auth", "LOGIN", "--auth-user", "swaks", "--auth-password", PASSWORD)
        text = self.swaks("unsent", "--port", self.here.ports["submission"], *words, expect=28)
        self.assertIn("full mail address", text)


class Mbsync:
    """isync: a Maildir and an account kept the same."""

    def sync(self, tls: str = "IMAPS") -> None:
        (self.home / "mail").mkdir(exist_ok=True)
        settings = mbsync_settings(self.here, MBSYNC, self.home / "mail", self.certificate(), tls)
        self.run_program("mbsync", "--config", self.file("mbsyncrc", settings), "--all")

    def local(self, folder: str = "INBOX") -> dict[str, Path]:
        """Subject -> file, of one local folder."""
        found = {}
        for place in ("new", "cur"):
            for path in (self.home / "mail" / folder / place).iterdir():
                subject = re.search(r"(?mi)^Subject: (\S+)", path.read_text())
                assert subject is not None
                found[subject[1]] = path
        return found

    def flag(self, path: Path, flags: str) -> None:
        path.rename(path.parent.parent / "cur" / f"{path.name.partition(':')[0]}:2,{flags}")

    def far(self, folder: str = "INBOX") -> dict[str, set[str]]:
        """Subject -> flags, on the server."""
        client = self.imap(MBSYNC)
        client.select(folder, readonly=True)
        rows = client.fetch("1:*", "(FLAGS BODY.PEEK[HEADER.FIELDS (SUBJECT)])")[1]
        client.logout()
        found = {}
        for row in rows:
            if isinstance(row, tuple):
                flags = re.search(rb"FLAGS \(([^)]*)\)", row[0])
                assert flags is not None
                found[row[1].decode().split()[1]] = set(flags[1].decode().split()) - {r"\Recent"}
        return found

    def test_mbsync_two_way(self) -> None:
        """New mail, flags, deletions and folders travel both ways, and a third run has nothing left to do."""
        for subject in ("one", "two", "three"):
            self.deliver(subject, to=MBSYNC)
        self.sync()
        self.assertEqual(set(self.local()), {"one", "two", "three"})
        self.assertTrue((self.home / "mail" / "Sent").is_dir())

        self.flag(self.local()["one"], "FS")
        self.flag(self.local()["two"], "ST")
        draft = LETTER.format(sender=MBSYNC, to=BOB, subject="near").replace("\r\n", "\n")
        self.file("mail/Sent/cur/1700000000.1.near:2,S", draft)
        for name in ("cur", "new", "tmp"):
            (self.home / "mail" / "Projects" / name).mkdir(parents=True)
        self.file("mail/Projects/new/1700000000.2.near", draft.replace("near", "filed"))
        client = self.imap(MBSYNC)
        client.select("INBOX")
        number = client.search(None, "SUBJECT", "three")[1][0].decode()
        client.store(number, "+FLAGS", r"(\Answered)")
        client.logout()
        self.sync("STARTTLS")
        self.assertEqual(self.far(), {"one": {r"\Flagged", r"\Seen"}, "three": {r"\Answered"}})
        self.assertEqual(self.far("Sent"), {"near": {r"\Seen"}})
        self.assertEqual(set(self.far("Projects")), {"filed"})
        self.assertEqual(set(self.local()), {"one", "three"})
        self.assertRegex(self.local()["three"].name, r":2,R$")

        client = self.imap(MBSYNC)
        client.select("INBOX")
        client.store("1", "-FLAGS", r"(\Flagged)")
        client.store("2", "+FLAGS", r"(\Deleted)")
        client.expunge()
        client.logout()
        self.deliver("four", to=MBSYNC)
        self.sync("None")
        self.assertEqual(set(self.local()), {"one", "four"})
        self.assertRegex(self.local()["one"].name, r":2,S$")
        self.assertEqual(set(self.far()), {"one", "four"})
        before = {path: path.stat().st_mtime_ns for path in (self.home / "mail").rglob("*:2,*")}
        self.sync()
        self.assertEqual(before, {path: path.stat().st_mtime_ns for path in (self.home / "mail").rglob("*:2,*")})


class Getmail:
    """Fetches and deletes, or leaves on the server."""

    def getmail_settings(self, retriever: str, service: str, *options: str) -> Path:
        lines = [
            *("[retriever]", f"type = {retriever}", "server = 127.0.0.1", f"port = {self.here.ports[service]}"),
            *(f"username = {GETMAIL}", f"password = {PASSWORD}"),
            *(
                "[destination]",
                "type = MDA_external",
                f"path = {self.file('keep', KEEP)}",
                "allow_root_commands = true",
            ),
            f"arguments = ('{self.home}/inbox',)",
            *("[options]", "verbose = 1", "delivered_to = false", "received = false", *options),
        ]
        return self.file(f"getmailrc-{service}", "\n".join(lines) + "\n")

    def fetch(self, config: Path) -> str:
        for name in ("cur", "new", "tmp"):
            (self.home / "inbox" / name).mkdir(parents=True, exist_ok=True)
        (self.home / "keep").chmod(0o700)
        return self.run_program("getmail", "--getmaildir", self.home, "--rcfile", config)

    def here_now(self) -> list[str]:
        return sorted(str(message["Subject"]) for message in mailbox.Maildir(self.home / "inbox", create=False))

    def test_getmail_leaves_on_the_server_and_fetches_nothing_twice(self) -> None:
        """D9: POP3 over TLS; UIDLs hold from one visit to the next; then it deletes."""
        self.deliver("getmail-one", to=GETMAIL)
        self.deliver("getmail-two", to=GETMAIL)
        keeping = self.getmail_settings("SimplePOP3SSLRetriever", "pop3s", "read_all = false", "delete = false")
        self.fetch(keeping)
        self.assertEqual(self.here_now(), ["getmail-one", "getmail-two"])
        self.deliver("getmail-three", to=GETMAIL)
        self.fetch(keeping)
        self.assertEqual(self.here_now(), ["getmail-one", "getmail-three", "getmail-two"])
        self.assertEqual(len(self.subjects(GETMAIL)), 3)
        self.fetch(self.getmail_settings("SimplePOP3Retriever", "pop3", "read_all = true", "delete = true"))
        self.assertEqual(len(self.here_now()), 6)
        self.assertEqual(self.subjects(GETMAIL), [])

    def test_getmail_by_imap(self) -> None:
        """The same program over imaps."""
        self.deliver("getmail-imap", to=GETMAIL)
        self.fetch(self.getmail_settings("SimpleIMAPSSLRetriever", "imaps", "read_all = true", "delete = true"))
        self.assertEqual(self.here_now(), ["getmail-imap"])
        self.assertEqual(self.subjects(GETMAIL), [])


class Mutt:
    """A mail program with IMAP and SMTP of its own."""

    def mutt_settings(self) -> Path:
        login, ports = MUTT.replace("@", "%40"), self.here.ports
        return self.file(
            "muttrc",
            f"""
            set from="{MUTT}" realname="Ann" use_envelope_from=yes hostname="pc.example.test"
            set smtp_url="smtps://{login}@127.0.0.1:{ports["submissions"]}/" smtp_pass="{PASSWORD}"
            set imap_user="{MUTT}" imap_pass="{PASSWORD}"
            set certificate_file="{self.certificate()}" ssl_verify_host=no ssl_starttls=yes
            set folder="imaps://127.0.0.1:{ports["imaps"]}/" spoolfile="+INBOX" record="+Sent" copy=yes
            set confirmappend=no confirmcreate=no delete=yes quit=yes move=no wait_key=no beep=no mail_check=60
            set tmpdir="{self.home}" header_cache="" message_cachedir="" read_inc=0 net_inc=0 sleep_time=0
            """,
        )

    def test_mutt_sends_and_keeps_a_copy(self) -> None:
        """Over 465, with an attachment; the copy is in Sent by IMAP."""
        attached = self.file("note.txt", "An attached note, ünïcode.\n")
        self.run_program(
            *("mutt", "-n", "-F", self.mutt_settings(), "-s", "mutt-sent grüße", "-a", attached, "--", BOB),
            stdin="Hello Bob.\n",
        )
        for login, folder in ((BOB, "INBOX"), (MUTT, "Sent")):
            client = self.imap(login)
            client.select(folder, readonly=True)
            number = client.search(None, "FROM", MUTT)[1][0].decode()
            text = str(client.fetch(number, "(BODYSTRUCTURE BODY.PEEK[])")[1])
            self.assertIn("mutt-sent", text)
            self.assertIn("note.txt", text)
            client.logout()

    def test_mutt_reads_saves_and_deletes(self) -> None:
        """mutt opens INBOX, saves one message to a local file, deletes it, and leaves."""
        self.deliver("mutt-read", to=MUTT)
        self.deliver("mutt-stays", to=MUTT)
        keys = "<limit>all<enter><search>mutt-read<enter><save-message><kill-line>saved.mbox<enter><sync-mailbox><quit>"
        inbox = f"imap://127.0.0.1:{self.here.ports['imap']}/INBOX"
        self.run_on_terminal("mutt", "-n", "-F", self.mutt_settings(), "-f", inbox, "-e", f'push "{keys}"')
        saved = mailbox.mbox(self.home / "saved.mbox", create=False)
        self.addCleanup(saved.close)
        self.assertEqual([message["Subject"] for message in saved], ["mutt-read"])
        self.assertEqual(self.subjects(MUTT), ["mutt-stays"])


class ProgramTests(Curl, Swaks, Mbsync, Getmail, Mutt, Programs):
    """All of them against one service."""

    accounts = (BOB, CURL, SWAKS, MBSYNC, GETMAIL, MUTT)
