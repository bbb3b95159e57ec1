"""One connection that hears of everything (RFC 5465), and what mail programs keep with folders (RFC 5464)."""

from __future__ import annotations

import re
import smtplib

from tests.journeys.base import ANN, SECONDS, Journey, letter

EVERYTHING = (
    b"n NOTIFY SET (selected (MessageNew (UID BODY.PEEK[HEADER.FIELDS (SUBJECT)]) MessageExpunge FlagChange))"
    b" (personal (MessageNew MessageExpunge FlagChange MailboxName SubscriptionChange MailboxMetadataChange))\r\n"
)


class NotifyTests(Journey):
    accounts = (ANN,)

    def test_pushed_between_commands(self) -> None:
        """Mail by SMTP, and what another client does to messages, folders and metadata: told in order, without IDLE."""
        client, other = self.imap(), self.imap()
        client.select("INBOX")
        client.send(EVERYTHING)
        self.assertEqual(client.readline(), b"n OK NOTIFY completed\r\n")

        with smtplib.SMTP("127.0.0.1", self.here.ports["smtp"], timeout=SECONDS) as sender:
            sender.send_message(letter("News"))
        self.assertEqual(client.readline(), b"* 1 EXISTS\r\n")
        self.assertEqual(client.readline(), b"* 1 RECENT\r\n")
        told = b"".join(client.readline() for _ in range(4))
        self.assertRegex(
            told, rb"^\* 1 FETCH \(UID 1 BODY\[HEADER\.FIELDS \(SUBJECT\)\] \{\d+\}\r\nSubject: News\r\n\r\n\)"
        )

        other.select("INBOX")
        other.store("1", "+FLAGS", "(\\Deleted)")
        self.assertRegex(client.readline(), rb"^\* 1 FETCH \(UID 1 FLAGS \(\\Deleted")
        other.copy("1", "Sent")
        self.assertRegex(client.readline(), rb"^\* STATUS Sent \(MESSAGES 1 UIDNEXT 2 ")
        other.expunge()
        self.assertEqual(client.readline(), b"* 1 EXPUNGE\r\n")
        other.create("Work/A")
        self.assertEqual(client.readline(), b'* LIST (\\HasChildren) "/" Work\r\n')
        self.assertEqual(client.readline(), b'* LIST (\\HasNoChildren) "/" Work/A\r\n')
        other.rename("Work", "Play")
        self.assertEqual(client.readline(), b'* LIST (\\HasChildren) "/" Play ("OLDNAME" (Work))\r\n')
        other.subscribe("Play")
        self.assertEqual(client.readline(), b'* LIST (\\Subscribed \\HasChildren) "/" Play\r\n')
        other.xatom("SETMETADATA", 'Play (/private/comment "fun")')
        self.assertEqual(client.readline(), b"* METADATA Play /private/comment\r\n")

        client.send(b"g GETMETADATA Play (/private/comment)\r\n")
        self.assertEqual(client.readline(), b'* METADATA Play (/private/comment "fun")\r\n')
        self.assertTrue(client.readline().startswith(b"g OK"))
        client.send(b"l LOGOUT\r\n")
        self.assertTrue(re.match(rb"\* BYE", client.readline()))
