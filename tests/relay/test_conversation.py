"""The talk with another mail server, as it would be heard on the line."""

from __future__ import annotations

from base64 import b64encode
from dataclasses import replace
from pathlib import Path

from twisted.internet.defer import Deferred, ensureDeferred

from hostmail.relay.content import FileContent
from hostmail.relay.conversation import MAX_RECIPIENTS
from tests.relay.talk import FULL, TalkCase, at_once


class PlainTests(TalkCase):
    def test_one_message(self) -> None:
        """Without PIPELINING each command waits for its reply; the result is the server's last word."""
        sending = self.send()
        server = self.server
        self.assertTrue(server.transport.nodelay)
        server.greets("SIZE")
        self.assertEqual(server.heard(), "MAIL FROM:<ann@example.com> SIZE=21\r\n")
        server.says("250 ok")
        self.assertEqual(server.heard(), "RCPT TO:<bob@x.example>\r\n")
        server.says("250 ok")
        self.assertEqual(server.heard(), "DATA\r\n")
        server.says("354 go")
        self.assertEqual(server.heard(), "Subject: hi\r\n\r\nbody\r\n.\r\n")
        self.assertNoResult(sending)
        server.says("250 2.0.0 queued as 123")
        [sent] = self.successResultOf(sending)
        self.assertEqual(
            (sent.refusal, sent.answer, sent.dsn), (None, "mx.x.example said: 250 2.0.0 queued as 123", False)
        )

    def test_stopped(self) -> None:
        """A process that stops ends its conversations wherever they are, and begins no other: the mail goes later."""
        sending = self.send()
        self.server.greets("SIZE")
        self.server.says("250 ok")
        self.destination.abort()
        self.assertEqual(self.results(sending), ["451 4.3.2 this server was being stopped"])
        self.assertTrue(self.server.gone)
        self.assertEqual(self.results(self.send()), ["451 4.3.2 this server was being stopped"])
        self.assertEqual(len(self.endpoint.servers), 1)

    def test_stopped_while_connecting(self) -> None:
        """Nobody waits for a connection that is still being made."""
        connecting: Deferred[None] = Deferred()
        self.endpoint.connect = lambda _: connecting  # type: ignore[method-assign,assignment,return-value]
        sending = self.send()
        self.destination.abort()
        self.assertEqual(self.results(sending), ["451 4.3.2 this server was being stopped"])

    def test_helo(self) -> None:
        """A server without EHLO is greeted with HELO (RFC 5321 3.2)."""
        self.send()
        self.server.says("220 hi")
        self.server.heard()
        self.server.says("502 what?")
        self.assertEqual(self.server.heard(), "HELO mail.example.com\r\n")
        self.server.says("250 hi")
        self.assertEqual(self.server.heard(), "MAIL FROM:<ann@example.com>\r\n")

    def test_busy(self) -> None:
        """One that has no time for EHLO has none for HELO: its words are what the sender hears of, not what becomes of the connection."""
        for words in ("421 4.3.2 too busy", "450 come back later"):
            sending = self.send()
            self.server.says("220 hi")
            self.server.heard()
            self.server.says(words)
            self.assertNotIn("HELO", self.server.heard())
            self.server.hangs_up()
            self.assertEqual(self.results(sending), [f"451 4.3.2 mx.x.example said: {words}"])

    def test_nobody_accepted(self) -> None:
        """If no recipient is accepted no message is sent, and the connection is good for the next one."""
        sending = self.send()
        self.server.greets("HELP")
        self.server.says("250 ok")
        self.server.says("550 5.1.1 who?")
        self.assertTrue(self.server.heard().endswith("RSET\r\n"))
        self.server.says("250 ok")
        self.assertEqual(self.results(sending), ["550 5.1.1 mx.x.example said: 550 5.1.1 who?"])
        self.send("eve@x.example")
        self.assertEqual(len(self.endpoint.servers), 1)

    def test_sender_refused(self) -> None:
        """A refused MAIL refuses everybody."""
        sending = self.send("bob@x.example", "eve@x.example")
        self.server.greets("HELP")
        self.server.says("553 5.1.8 no")
        self.assertEqual(self.results(sending), ["553 5.1.8 mx.x.example said: 553 5.1.8 no"] * 2)

    def test_data_refused(self) -> None:
        """A refused DATA refuses those who were accepted."""
        sending = self.send()
        self.server.greets("HELP")
        for reply in ("250 ok", "250 ok", "451 4.3.0 later", "250 reset"):
            self.server.says(reply)
        self.assertEqual(self.results(sending), ["451 4.3.0 mx.x.example said: 451 4.3.0 later"])

    def test_taken_before_it_was_sent(self) -> None:
        """250 to DATA is no answer to a message that was not sent: nobody has taken it, and this line is not to be trusted."""
        for features in ("HELP", "PIPELINING"):
            sending = self.send()
            self.server.greets(features)
            self.server.says("250 ok")
            self.server.says("250 ok")
            self.server.says("250 2.0.0 queued as 123")
            self.assertEqual(
                self.results(sending), ["451 4.5.0 mx.x.example answered DATA with 250 2.0.0 queued as 123"]
            )
            self.assertTrue(self.server.gone)
            self.server.hangs_up()

    def test_many_blocks(self) -> None:
        """A message of many blocks arrives whole and dot-stuffed, at the pace of the peer."""
        message = b"." * 3 + b"x" * 300_000 + b"\r\n.\r\n" * 100_000
        self.write(message)
        sending = self.send()
        self.server.greets("HELP")
        self.server.says("250 ok")
        self.server.says("250 ok")
        self.server.heard()
        producer = self.server.wire
        self.server.wire.pauseProducing()
        self.server.says("354 go")
        producer.resumeProducing()
        self.assertEqual(
            self.server.heard().encode(),
            b"...." + b"x" * 300_000 + b"\r\n..\r\n" * 1 + b"\r\n..\r\n" * 99_999 + b".\r\n",
        )
        self.server.says("250 ok")
        self.assertEqual(self.results(sending), ["+"])


class PipeliningTests(TalkCase):
    def test_one_message(self) -> None:
        """With PIPELINING the whole envelope goes in one piece (RFC 2920)."""
        sending = self.send("bob@x.example", "eve@x.example")
        self.server.greets(*FULL)
        self.assertEqual(
            self.server.heard(),
            "MAIL FROM:<ann@example.com> SIZE=21\r\nRCPT TO:<bob@x.example>\r\nRCPT TO:<eve@x.example>\r\nDATA\r\n",
        )
        self.server.says("250 ok", "250 ok", "450 4.2.1 eve is busy", "354 go")
        self.assertEqual(self.server.heard(), "Subject: hi\r\n\r\nbody\r\n.\r\n")
        self.server.says("250 ok")
        self.assertEqual(self.results(sending), ["+", "450 4.2.1 mx.x.example said: 450 4.2.1 eve is busy"])

    def test_nobody_accepted(self) -> None:
        """If the server wants a message for nobody, it gets an empty one (RFC 2920 3.1)."""
        sending = self.send()
        self.server.greets(*FULL)
        self.server.heard()
        self.server.says("250 ok", "550 5.1.1 who?", "354 go")
        self.assertEqual(self.server.heard(), ".\r\n")
        self.server.says("554 no recipients")
        self.assertEqual(self.results(sending), ["550 5.1.1 mx.x.example said: 550 5.1.1 who?"])

    def test_everything_refused(self) -> None:
        """A refused MAIL makes the replies behind it meaningless, even good ones."""
        sending = self.send()
        self.server.greets(*FULL)
        self.server.heard()
        self.server.says("550 5.7.1 not you", "250 odd", "503 no")
        self.assertEqual(self.server.heard(), "RSET\r\n")
        self.server.says("250 ok")
        self.assertEqual(self.results(sending), ["550 5.7.1 mx.x.example said: 550 5.7.1 not you"])

    def test_many_recipients(self) -> None:
        """More than 100 recipients go in several transactions."""
        sending = self.send(*(f"r{i}@x.example" for i in range(MAX_RECIPIENTS + 1)))
        self.server.greets(*FULL)
        for count in (MAX_RECIPIENTS, 1):
            self.assertEqual(self.server.heard().count("RCPT TO"), count)
            self.server.says(*["250 ok"] * (count + 1), "354 go")
            self.server.heard()
            self.server.says("250 ok")
        self.assertEqual(self.results(sending), ["+"] * (MAX_RECIPIENTS + 1))


class FeatureTests(TalkCase):
    """What a server announces is used, and what it does not is not (TWISTED.md C5, C8)."""

    def heard_envelope(self, *features: str, recipient: str = "bob@x.example", **row: str | bool) -> str:
        self.send(recipient, **row)
        self.server.greets(*features)
        return self.server.heard()

    def test_dsn(self) -> None:
        """NOTIFY, ORCPT, RET and ENVID travel on (RFC 3461), and the result tells that they did."""
        sending = self.send(notify="SUCCESS,FAILURE", orcpt="rfc822;b+2Bc@x", ret="HDRS", envid="e1")
        self.server.greets(*FULL)
        self.assertIn(
            "MAIL FROM:<ann@example.com> SIZE=21 RET=HDRS ENVID=e1\r\n"
            "RCPT TO:<bob@x.example> NOTIFY=SUCCESS,FAILURE ORCPT=rfc822;b+2Bc@x\r\n",
            self.server.heard(),
        )
        self.server.says("250 ok", "250 ok", "354 go")
        self.server.says("250 ok")
        self.assertTrue(self.successResultOf(sending)[0].dsn)

    def test_no_dsn(self) -> None:
        """A server that does not announce DSN gets no such parameters."""
        self.assertIn("RCPT TO:<bob@x.example>\r\n", self.heard_envelope("PIPELINING", notify="SUCCESS"))

    def test_no_injection(self) -> None:
        """A parameter that could break the line is left out."""
        self.assertIn("SIZE=21\r\nRCPT", self.heard_envelope(*FULL, envid="a\r\nRCPT TO:<evil@x>"))

    def test_8bitmime(self) -> None:
        """BODY=8BITMIME is passed on."""
        self.write(b"\r\n\xe4\r\n")
        self.assertIn("SIZE=5 BODY=8BITMIME\r\n", self.heard_envelope(*FULL, body="8BITMIME"))

    def test_without_8bitmime(self) -> None:
        """A server without 8BITMIME gets what is ASCII as it is, and the rest converted, with its new size (RFC 6152 3)."""
        self.assertIn("MAIL FROM:<ann@example.com>\r\n", self.heard_envelope("HELP", body="8BITMIME"))
        self.write(b"Subject: hi\r\n\r\n" + b"aaa\r\n" * 100_000 + b"\xe4\r\n")
        sending = self.send(body="8BITMIME")
        self.server.greets("PIPELINING", "SIZE 1000000")
        mail = self.server.heard().partition("\r\n")[0]
        self.server.says("250 ok", "250 ok", "354 go")
        body = self.server.heard()
        self.assertTrue(body.endswith("aaa\r\n=E4\r\n.\r\n"))
        self.assertIn("\r\nContent-Transfer-Encoding: quoted-printable\r\n", body)
        self.assertEqual(mail, f"MAIL FROM:<ann@example.com> SIZE={len(body) - 3}")
        self.server.says("250 ok")
        self.assertEqual(self.results(sending), ["+"])

    def test_not_convertible(self) -> None:
        """What a conversion would break comes back with a clear reason; what it makes too big, too."""
        self.write("Content-Type: multipart/signed; boundary=b\r\n\r\n--b\r\n\r\nKöln\r\n--b--\r\n".encode())
        sending = self.send(body="8BITMIME")
        self.server.greets("SIZE 50")
        words = "554 5.6.3 the next server takes no 8-bit text, and a signed part must not be changed"
        self.assertEqual(self.results(sending), [words])
        self.write(b"\r\n" + b"\xe4" * 40)
        self.assertIn(
            "552 5.3.4 mx.x.example takes messages of up to 50 octets", self.results(self.send(body="8BITMIME"))[0]
        )

    def test_smtputf8(self) -> None:
        """Internationalized mail is announced as such (RFC 6531)."""
        self.assertIn("SIZE=21 SMTPUTF8\r\n", self.heard_envelope(*FULL, smtputf8=True))

    def test_without_smtputf8(self) -> None:
        """A server without SMTPUTF8 gets what needs none of it; the rest comes back with a clear reason (RFC 6531 3.2)."""
        self.write("Subject: hi\r\n\r\nbödy\r\n".encode())
        self.assertIn("RCPT", self.heard_envelope("PIPELINING", smtputf8=True))
        self.write("Subject: hä\r\n\r\n".encode())
        sending = self.send(smtputf8=True)
        self.server.greets("HELP")
        self.assertEqual(self.results(sending), ["550 5.6.7 mx.x.example cannot take internationalized mail"])
        sending = self.send(smtputf8=True, sender="änn@example.com")
        self.assertEqual(self.results(sending), ["550 5.6.7 mx.x.example cannot take internationalized mail"])

    def test_sender_needs_smtputf8(self) -> None:
        """A reverse-path of our own in UTF-8, a list's say, needs it as well, though the message did not."""
        self.assertIn("SMTPUTF8\r\n", self.heard_envelope(*FULL, sender="änn@example.com"))
        sending = self.send(sender="änn@example.com")
        self.server.greets("HELP")
        self.assertEqual(self.results(sending), ["550 5.6.7 mx.x.example cannot take internationalized mail"])

    def test_one_recipient_needs_smtputf8(self) -> None:
        """Only recipients that need it are refused where SMTPUTF8 is missing, and it is announced for them where it is not."""
        sending = self.send("bäb@x.example", "bob@x.example")
        self.server.greets("PIPELINING")
        self.assertEqual(self.server.heard().count("RCPT"), 1)
        self.server.says("250 ok", "250 ok", "354 go")
        self.server.says("250 ok")
        refused = "553 5.6.7 mx.x.example cannot take internationalized addresses"
        self.assertEqual(self.results(sending), [refused, "+"])
        self.server.hangs_up()
        self.assertIn("SMTPUTF8\r\nRCPT TO:<bäb@x.example>", self.heard_envelope(*FULL, recipient="bäb@x.example"))

    def test_size(self) -> None:
        """A message over the server's limit is not even tried (RFC 1870)."""
        sending = self.send()
        self.server.greets("SIZE 20")
        expected = "552 5.3.4 mx.x.example takes messages of up to 20 octets, this one has 21"
        self.assertEqual(self.results(sending), [expected])
        self.assertNotIn("MAIL", self.server.heard())


class LoginTests(TalkCase):
    manners = replace(TalkCase.manners, user="us", password="pä:ss", tls="must")

    def test_plain(self) -> None:
        """AUTH PLAIN, inside TLS, with what was announced there."""
        self.send()
        self.server.greets("STARTTLS", "AUTH LOGIN")
        self.assertEqual(self.server.heard(), "STARTTLS\r\n")
        self.server.says("220 go")
        self.assertEqual(self.server.transport.tls, "options")
        self.server.wire.handshakeCompleted()
        self.assertEqual(self.server.heard(), "EHLO mail.example.com\r\n")
        self.server.says("250-mx", "250 AUTH LOGIN PLAIN")
        expected = b64encode(b"\0us\0p\xc3\xa4:ss").decode()
        self.assertEqual(self.server.heard(), f"AUTH PLAIN {expected}\r\n")
        self.server.says("235 welcome")
        self.assertIn("MAIL FROM", self.server.heard())

    def test_login(self) -> None:
        """AUTH LOGIN where PLAIN is not offered."""
        self.manners = replace(self.manners, tls="never", open_login=True)
        self.behave(self.manners)
        self.send()
        self.server.greets("AUTH LOGIN")
        self.assertEqual(self.server.heard(), "AUTH LOGIN\r\n")
        self.server.says("334 VXNlcm5hbWU6")
        self.assertEqual(self.server.heard(), "dXM=\r\n")
        self.server.says("334 UGFzc3dvcmQ6")
        self.assertEqual(self.server.heard(), b64encode("pä:ss".encode()).decode() + "\r\n")
        self.server.says("235 ok")
        self.assertIn("MAIL FROM", self.server.heard())

    def test_wrong_password(self) -> None:
        """A refused login is our operator's trouble: the mail waits, with the reason."""
        self.behave(replace(self.manners, tls="never", open_login=True))
        sending = self.send()
        self.server.greets("AUTH PLAIN")
        self.server.says("535 5.7.8 wrong")
        self.assertEqual(self.results(sending), ["451 4.3.2 mx.x.example said: 535 5.7.8 wrong"])

    def test_no_login_known(self) -> None:
        """A server that offers no login we know means waiting."""
        self.behave(replace(self.manners, tls="never", open_login=True))
        sending = self.send()
        self.server.greets("AUTH GSSAPI")
        self.assertEqual(self.results(sending), ["451 4.7.0 mx.x.example offers no login that we know"])

    def test_no_password_in_clear(self) -> None:
        """Without TLS the password stays here."""
        for tls, words in (("must", "does not offer TLS, which is demanded"), ("may", "offers no TLS to log in with")):
            manners = replace(self.manners, tls=tls)
            self.behave(manners)
            sending = self.send()
            self.server.greets("AUTH PLAIN")
            self.assertEqual(self.results(sending), [f"451 4.7.4 mx.x.example {words}"])
            self.assertNotIn("AUTH", self.server.heard())

    def test_no_password_in_clear_after_tls_failed(self) -> None:
        """Where TLS is offered and then refused or broken the password stays here, too; where it is a must nothing is tried in clear."""
        for tls, end, connections in (
            ("may", "454 4.7.0 not now", 1),
            ("may", "hang up", 2),
            ("must", "454 4.7.0 not now", 1),
            ("must", "hang up", 1),
        ):
            self.behave(replace(self.manners, tls=tls))
            self.endpoint.servers.clear()
            sending = self.send()
            self.server.greets("STARTTLS", "AUTH PLAIN")
            self.server.says("220 go" if end == "hang up" else end)
            if end == "hang up":
                self.server.hangs_up()
            if len(self.endpoint.servers) > 1:
                self.server.greets("AUTH PLAIN")
            self.assertRegex(self.results(sending)[0], "^451 4.7.")
            self.assertEqual(len(self.endpoint.servers), connections)
            for server in self.endpoint.servers:
                self.assertNotRegex(server.heard(), "AUTH|MAIL")
                if not server.ended:
                    server.hangs_up()


class OurTroubleTests(TalkCase):
    def test_file_gone(self) -> None:
        """A message that cannot be read is a failure for now, and the server gets no end of data."""
        sending = self.send()
        self.server.greets(*FULL)
        self.server.heard()
        Path(self.path).unlink()
        self.server.says("250 ok", "250 ok", "354 go")
        self.assertEqual(self.results(sending), ["451 4.3.0 local error, please try again later"])
        self.assertNotIn(".\r\n", self.server.heard())
        self.assertTrue(self.server.gone)

    def test_octets_at_hand(self) -> None:
        """What is at hand is not read from its file."""
        content = FileContent("nowhere", 19, at_once, octets=b"Subject: at hand\r\n")
        sending = ensureDeferred(self.destination.send([self.row("bob@x.example")], content))
        self.server.greets(*FULL)
        self.server.says("250 ok", "250 ok", "354 go")
        self.assertTrue(self.server.heard().endswith("DATA\r\nSubject: at hand\r\n.\r\n"))
        self.server.says("250 ok")
        self.assertEqual(self.results(sending), ["+"])

    def test_file_gone_later(self) -> None:
        """Who has his message by then does not get it once more."""
        sending = self.send(*(f"r{i}@x.example" for i in range(MAX_RECIPIENTS + 1)))
        self.server.greets(*FULL)
        self.server.says(*["250 ok"] * (MAX_RECIPIENTS + 1), "354 go")
        Path(self.path).unlink()
        self.server.says("250 ok")
        self.server.says("250 ok", "250 ok", "354 go")
        *first, last = self.results(sending)
        self.assertEqual((first, last), (["+"] * MAX_RECIPIENTS, "451 4.3.0 local error, please try again later"))
        self.assertTrue(self.server.gone)
