"""Where is my mail? What the command tells of mail that never arrived, over real sockets."""

from __future__ import annotations

import socket

from tests.journeys.base import ANN, SECONDS, Journey, letter, until

EVE = "eve@elsewhere.test"


class TraceJourney(Journey):
    settings = "smarthost: 127.0.0.1:9\npop_before_smtp: no\nlimits: {recipients_strangers: 2}\n"

    def story(self, text: str) -> str:
        return self.here.command("trace", text, expect=None).stdout

    def tells(self, text: str, *words: str) -> None:
        """Soon, for the client may hear an answer, or hang up, before it is noted."""
        until(lambda: all(each in self.story(text) for each in words), lambda: self.story(text))

    def test_refused(self) -> None:
        """Recipients beyond the limit, texts that are no address, unknown people: each is found by what was written there."""
        client = self.smtp()
        client.ehlo("elsewhere.test")
        client.mail(EVE)
        self.assertEqual([client.rcpt(f"ann+{number}@example.test")[0] for number in range(3)], [250, 250, 452])
        self.assertEqual(client.docmd("RCPT", "TO:<ann example.test>")[0], 501)
        client.quit()
        self.tells("ann+2@example.test", f"not taken  from {EVE}", "refused for ann+2@example.test: 452 4.5.3 too many")
        self.tells("ann example.test", "refused for ann example.test: 501 5.5.4")
        self.assertNotIn("ann+0@example.test", self.story(EVE))

    def test_broken_off(self) -> None:
        """A client that hangs up within its message, and what it had said so far."""
        with socket.create_connection(("127.0.0.1", self.here.ports["smtp"]), SECONDS) as line:
            said = line.makefile("rb")
            for command in ("", "EHLO x", f"MAIL FROM:<{EVE}>", f"RCPT TO:<{ANN}>", "DATA"):
                if command:
                    line.sendall(f"{command}\r\n".encode())
                while said.readline()[3:4] == b"-":
                    pass
            line.sendall(b"Message-ID: <half@elsewhere.test>\r\nSubj")
            said.close()
        words = f"never came to its end for {ANN}: the connection was lost within the message, after"
        self.tells("half@elsewhere.test", words, "127.0.0.1 by smtp")

    def test_operator(self) -> None:
        """Mail that waits, and what was done with it by whom."""
        self.here.command("forward", "add", "away@example.test", "far@elsewhere.test")
        with self.smtp() as client:
            client.send_message(letter("x", sender=EVE), EVE, ["away@example.test"])
        self.tells("away@example.test", "waits in the queue for far@elsewhere.test: forwarded by away@example.test")
        self.here.command("queue", "delete", "to:far@elsewhere.test", "--yes")
        self.tells("away@example.test", "deleted from the queue for far@elsewhere.test: by the operator ")

    def test_bad_line_ends(self) -> None:
        """A message refused for its line ends is found by its Message-ID."""
        with self.smtp() as client:
            client.ehlo("elsewhere.test")
            client.mail(EVE)
            client.rcpt(ANN)
            client.docmd("DATA")
            client.send(b"Message-ID: <bare@elsewhere.test>\nSubject: x\n\nhello\r\n.\r\n")
            self.assertEqual(client.getreply()[0], 550)
        self.tells("bare@elsewhere.test", f"refused for {ANN}: 550 5.6.11 lines must end with CR LF")
