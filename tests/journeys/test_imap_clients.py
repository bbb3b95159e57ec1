"""IMAP libraries and programs that use what is beyond RFC 3501: imapclient, imapflow, offlineimap."""

from __future__ import annotations

import hashlib
import json
import os
import re
import ssl
import subprocess
import sys
import time
from pathlib import Path

from tests.support.appliance import PASSWORD
from tests.support.missing import lacking, program
from tests.support.programs import SECONDS, Programs

CLIENT, FLOW, OFFLINE = (f"{name}@example.test" for name in ("imapclient", "imapflow", "offlineimap"))
MODULES = Path(sys.prefix) / "node"


def message(number: int) -> bytes:
    """A small one."""
    return b"From: a@a.test\r\nSubject: number %d\r\nMessage-ID: <%d@x>\r\nReferences: <1@x>\r\n\r\nHello\r\n" % (
        number,
        number,
    )


class ImapClientTests(Programs):
    """The library of many Python programs."""

    accounts = (CLIENT,)

    def client(self):  # type: ignore[no-untyped-def]
        """Logged in over TLS."""
        try:
            from imapclient import IMAPClient
        except ImportError:
            raise lacking("imapclient is not installed") from None
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        client = IMAPClient("127.0.0.1", self.here.ports["imaps"], ssl_context=context, timeout=SECONDS)
        self.addCleanup(client.shutdown)
        client.login(CLIENT, PASSWORD)
        return client

    def test_a_round(self) -> None:
        """Folders, MULTIAPPEND, SORT, THREAD, CONDSTORE, MOVE, quota, IDLE: as the library understands our answers."""
        client = self.client()
        client.create_folder("Grüße & Co/2024")
        folder = "Grüße & Co/2024"
        self.assertIn(folder, [name for _, _, name in client.list_folders()])
        client.multiappend(folder, [message(number) for number in (1, 2, 3)])
        self.assertEqual(client.folder_status(folder, ["MESSAGES", "UIDNEXT"]), {b"MESSAGES": 3, b"UIDNEXT": 4})
        chosen = client.select_folder(folder)
        self.assertEqual((chosen[b"EXISTS"], chosen[b"READ-WRITE"]), (3, True))
        self.assertEqual(client.sort(["REVERSE SUBJECT"]), [3, 2, 1])
        self.assertEqual(client.thread("REFERENCES"), ((1, (2,), (3,)),))
        known = client.fetch([1], ["MODSEQ"])[1][b"MODSEQ"][0]
        client.set_flags([2], [b"\\Seen", b"$Work"])
        changed = client.fetch([1, 2, 3], ["FLAGS"], [f"CHANGEDSINCE {max(known, chosen[b'HIGHESTMODSEQ'])}"])
        self.assertEqual(set(changed), {2})
        self.assertEqual(client.search(["KEYWORD", "$Work"]), [2])
        envelope = client.fetch([3], ["ENVELOPE", "BODYSTRUCTURE"])[3][b"ENVELOPE"]
        self.assertEqual((envelope.subject, envelope.message_id), (b"number 3", b"<3@x>"))
        client.move([1], "Trash")
        self.assertEqual(client.search(), [2, 3])
        self.assertEqual(client.get_quota_root("INBOX")[1][0].resource, "STORAGE")

    def test_idle(self) -> None:
        """Mail that comes while the library idles."""
        client = self.client()
        client.select_folder("INBOX")
        client.idle()
        self.deliver("pushed", to=CLIENT)
        heard, deadline = [], time.monotonic() + SECONDS
        while not any(words[1] == b"EXISTS" for words in heard) and time.monotonic() < deadline:
            heard += client.idle_check(timeout=1)
        client.idle_done()
        self.assertIn((1, b"EXISTS"), heard)


class ImapFlowTests(Programs):
    """The library under many a JavaScript mail service: it enables all that it finds."""

    accounts = (FLOW,)

    def test_a_day(self) -> None:
        """COMPRESS, CONDSTORE, QRESYNC; folders, appends, fetches, MOVE; news by IDLE; what was missed, by SELECT (QRESYNC)."""
        node = program("node")
        if not (MODULES / "node_modules" / "imapflow").is_dir():
            raise lacking("imapflow is not installed")
        script = self.file("node/day.mjs", (Path(__file__).parent / "imapflow.mjs").read_bytes())
        (script.parent / "node_modules").symlink_to(MODULES / "node_modules")
        idling = self.home / "idling"
        process = subprocess.Popen(
            [node, str(script), str(self.here.ports["imaps"]), FLOW, PASSWORD, str(idling)],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env={**self.environment(), "NODE_NO_WARNINGS": "1"},
            text=True,
        )
        self.addCleanup(process.kill)
        deadline = time.monotonic() + SECONDS
        while not idling.exists() and process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.02)
        if process.poll() is None:
            self.deliver("while idling", to=FLOW)
            other = self.imap(FLOW)
            other.select("INBOX")
            other.store("1", "+FLAGS", "(\\Flagged)")
            other.store("1", "+FLAGS", "(\\Deleted)")
            other.expunge()
        text, _ = process.communicate(timeout=SECONDS)
        self.assertEqual(process.returncode, 0, text)
        seen = json.loads(text)
        self.assertEqual(seen["enabled"], ["CONDSTORE", "IMAP4REV2", "QRESYNC", "UTF8=ACCEPT"])
        self.assertEqual(
            (seen["compressed"], seen["appended"], seen["exists"], seen["mailboxId"]), (True, [1, 2, 3], 3, True)
        )
        self.assertEqual([row["flags"] for row in seen["rows"]], [[], ["$Later", "\\Seen"], []])
        for row in seen["rows"]:
            self.assertEqual(
                (row["type"], row["emailId"], row["same"], row["modseq"]), ("text/plain", True, True, True)
            )
            self.assertEqual(row["subject"], f"flow {row['uid']}")
        self.assertEqual((seen["unseen"], seen["changed"], seen["moved"]), ([1, 3], [3], [[1, 1]]))
        self.assertEqual((seen["arrived"], seen["vanished"], seen["status"]), (1, True, 0))
        self.assertEqual(seen["missed"], {"gone": [1, 2], "flagged": [3]})


class OfflineImapTests(Programs):
    """offlineimap: a Maildir and an account kept the same, both ways."""

    accounts = (OFFLINE,)

    def settings_file(self) -> Path:
        """Everything of the account, over TLS."""
        return self.file(
            "offlineimaprc",
            f"""
[general]
accounts = all
metadata = {self.home}/state
[Account all]
localrepository = local
remoterepository = remote
[Repository local]
type = Maildir
localfolders = {self.home}/mail
[Repository remote]
type = IMAP
remotehost = 127.0.0.1
remoteport = {self.here.ports["imaps"]}
ssl = yes
cert_fingerprint = {self.fingerprint()}
remoteuser = {OFFLINE}
remotepass = {PASSWORD}
""",
        )

    def fingerprint(self) -> str:
        """The certificate's SHA-1, which this program wants to know."""
        return hashlib.sha1(ssl.PEM_cert_to_DER_cert(self.certificate().read_text()), usedforsecurity=False).hexdigest()

    def sync(self) -> None:
        """Once, without pictures."""
        program("offlineimap")
        self.run_program("offlineimap", "-o", "-u", "basic", "-c", self.settings_file())

    def local(self) -> dict[str, Path]:
        """Subject -> file in the local INBOX."""
        found = {}
        for place in ("new", "cur"):
            for path in (self.home / "mail" / "INBOX" / place).iterdir():
                subject = re.search(r"(?mi)^Subject: (.+?)\r?$", path.read_text())
                assert subject is not None
                found[subject[1]] = path
        return found

    def test_both_ways(self) -> None:
        """Mail comes down, flags and deletions and new messages go up."""
        self.deliver("one", to=OFFLINE)
        self.deliver("two", to=OFFLINE)
        self.sync()
        here = self.local()
        self.assertEqual(set(here), {"one", "two"})
        seen = here["one"]
        os.rename(seen, seen.parent.parent / "cur" / (seen.name.partition(":")[0] + ":2,FS"))
        here["two"].unlink()
        self.file("mail/INBOX/new/1.mine", b"From: a@a.test\nSubject: mine\n\nHello\n")
        self.deliver("three", to=OFFLINE)
        self.sync()
        self.assertEqual(set(self.local()), {"one", "mine", "three"})
        client = self.imap(OFFLINE)
        client.select("INBOX", readonly=True)
        flags = {}
        for row in client.fetch("1:*", "(FLAGS BODY.PEEK[HEADER.FIELDS (SUBJECT)])")[1]:
            if isinstance(row, tuple):
                flags[row[1].decode().partition(": ")[2].strip()] = b"\\Flagged" in row[0] and b"\\Seen" in row[0]
        self.assertEqual(flags, {"one": True, "mine": False, "three": False})
