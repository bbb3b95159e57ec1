"""Other people's servers of every kind, on real sockets: the service loses no mail by them, sends none twice, and goes on (C9)."""

from __future__ import annotations

import smtplib
import ssl
import tempfile
from email import message_from_bytes
from itertools import count
from pathlib import Path
from typing import Any, ClassVar

from tests.journeys.base import ANN, until
from tests.journeys.test_outward import DORA, Outward
from tests.relay.certificate import write_certificate
from tests.support.appliance import PASSWORD
from tests.support.postfix import Postfix
from tests.support.remote import Remote

HOSTILE = {
    "an endless banner": ("GREETING", "220-" + "x" * 70_000),
    "an endless line": ("EHLO", "250-" + "x" * 100_000),
    "an endless reply": ("EHLO", "\r\n".join(["250-x"] * 1000)),
    "two codes in one reply": ("EHLO", "250-a\r\n550 b"),
    "replies that nobody asked for": ("EHLO", "250 ok\r\n250 forged\r\n250 forged"),
    "what is no SMTP": ("GREETING", "\0\0\0 HTTP/1.1 200 OK"),
    "a line of the future": ("MAIL", "999 what"),
}
MUCH = "A line of a longer letter.\n" * 10_000


class OldPostfixTests(Outward):
    """Postfix as it would be without any extension of SMTP."""

    there: ClassVar[Postfix]

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        nothing = (
            "smtpd_discard_ehlo_keywords = 8bitmime, smtputf8, pipelining, chunking, dsn, size, enhancedstatuscodes\n"
        )
        cls.there = Postfix(cls.far_port, "far.test", ("dora",), {}, nothing)
        cls.there.start()

    @classmethod
    def tearDownClass(cls) -> None:
        cls.there.stop()
        super().tearDownClass()

    def test_converted(self) -> None:
        """A letter reaches it in ASCII, and reads the same; who wanted to know hears what became of it."""
        self.submit("in ascii", DORA, "nobody@far.test", options=("NOTIFY=SUCCESS,FAILURE",))
        until(lambda: bool(self.there.letters("dora")), lambda: self.story() + self.there.text()[-3000:])
        [letter] = self.there.letters("dora")
        self.assertTrue(letter.isascii())
        body = message_from_bytes(letter).get_payload(decode=True)
        assert isinstance(body, bytes)
        self.assertEqual(body.split(b"\r\n"), ["Gr\u00fc\u00dfe.".encode(), b".dot", b""])
        self.assertIn(f"<{DORA}>", self.arrives(self.here, ANN, "Action: relayed").as_string())
        self.assertIn("<nobody@far.test>", self.arrives(self.here, ANN, "Action: failed").as_string())


class StrangersTests(Outward):
    """Each test has a domain or several of its own, each with a server of its own."""

    numbers = count(10)

    def remote(self, domain: str, **facts: Any) -> Remote:
        """The server of a domain."""
        ip = f"127.0.1.{next(self.numbers)}"
        remote = Remote(ip, self.far_port, **facts)
        remote.open()
        self.addCleanup(remote.close)
        self.zone.mx(domain, f"10 mx.{domain}")
        self.zone.add(f"mx.{domain}", "A", ip)
        return remote

    def rows(self, domain: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.here.json("queue", "list", f"to:@{domain}")
        return found

    def waits(self, domain: str, words: str) -> None:
        """Until its one recipient waits with that answer, for now."""

        def it_does() -> bool:
            rows = self.rows(domain)
            return len(rows) == 1 and words in rows[0]["last_answer"] and rows[0]["state"] == "waiting"

        until(it_does, lambda: f"{words} {self.rows(domain)}\n{self.story()}")
        self.assertRegex(self.rows(domain)[0]["last_answer"], "^4[0-9][0-9] 4")

    def gets_well(self, domain: str, remote: Remote) -> bytes:
        """Its server has become like others: it gets the message, once; nothing waits any more."""
        remote.answers.clear()
        remote.drops_after = None
        self.here.command("queue", "retry", f"to:@{domain}")
        until(lambda: not self.rows(domain), lambda: f"{self.rows(domain)}\n{self.story()}")
        [taken] = remote.taken
        return taken.octets

    def test_refuses(self) -> None:
        """A refusal comes back in the server's words; so does the word that nobody takes mail there (RFC 7504)."""
        for domain, answers, words in (
            ("refuses.test", {"RCPT": "550 5.1.1 who is that"}, "550 5.1.1 who is that"),
            ("takes-none.test", {"GREETING": "521 no mail, please"}, "521 no mail, please"),
        ):
            remote = self.remote(domain, answers=answers)
            self.submit("to be refused", f"bob@{domain}")
            report = self.arrives(self.here, ANN, f"<bob@{domain}>")
            self.assertIn(words, report.as_string())
            self.assertEqual((self.rows(domain), remote.taken), ([], []))

    def test_greylists(self) -> None:
        """Who is refused for now waits, and gets his mail; who was taken meanwhile gets no second copy."""
        remote = self.remote("greylists.test", answers={"RCPT bob@greylists.test": "450 4.2.0 greylisted"})
        self.submit("patience", "bob@greylists.test", "eve@greylists.test")
        self.waits("greylists.test", "450 4.2.0 mx.greylists.test said: 450 4.2.0 greylisted")
        remote.taken.clear()
        self.gets_well("greylists.test", remote)
        self.assertEqual(remote.heard.count("RCPT TO:<eve@greylists.test>"), 1)

    def test_tarpits(self) -> None:
        """Servers that say nothing, or begin and do not go on, keep no other mail; what waits for them is not lost."""
        kinds = ({"GREETING": ""}, {"EHLO": "250-mx"}, {"MAIL": ""}, {"END": ""})
        domains = [f"tarpit{number}.test" for number in range(len(kinds))]
        remotes = [self.remote(domain, answers=dict(kind)) for domain, kind in zip(domains, kinds, strict=True)]
        good = self.remote("good.test")
        self.submit("slowly", *(f"r{number}@{domain}" for domain in domains for number in range(3)))
        until(lambda: all(remote.connections for remote in remotes), self.story)
        self.submit("quickly", "bob@good.test")
        until(lambda: len(good.taken) == 1, self.story)
        for domain in domains:
            self.assertEqual({row["state"] for row in self.rows(domain)}, {"sending"})
        for remote in remotes:
            remote.close()
        until(lambda: all(row["state"] == "waiting" for domain in domains for row in self.rows(domain)), self.story)
        self.assertEqual([len(self.rows(domain)) for domain in domains], [3] * len(domains))

    def test_drops_in_the_middle(self) -> None:
        """Who hangs up in the middle of a message gets it later, whole."""
        remote = self.remote("drops.test", drops_after=50_000)
        self.submit("half", "bob@drops.test", body=MUCH)
        self.waits("drops.test", "451 4.4.2 mx.drops.test")
        self.assertEqual(remote.taken, [])
        self.assertTrue(self.gets_well("drops.test", remote).endswith(MUCH.replace("\n", "\r\n").encode()))

    def test_hostile(self) -> None:
        """Replies without end, without sense or without question: the connection is cut, and the mail waits."""
        remotes = {f"hostile{n}.test": self.remote(f"hostile{n}.test") for n in range(len(HOSTILE))}
        for remote, (occasion, words) in zip(remotes.values(), HOSTILE.values(), strict=True):
            remote.answers[occasion] = words
        self.submit("courage", *(f"bob@{domain}" for domain in remotes))
        for domain, what in zip(remotes, HOSTILE, strict=True):
            with self.subTest(what):
                self.waits(domain, f"451 4.5.0 mx.{domain}")
        for domain, remote in remotes.items():
            self.gets_well(domain, remote)

    def test_says_yes_too_early(self) -> None:
        """A server that says that it has the message before it can have it gets it later."""
        remote = self.remote("early.test", answers={"DATA": "250 2.0.0 queued as 123"})
        self.submit("wait", "bob@early.test")
        self.waits("early.test", "answered DATA with 250 2.0.0 queued as 123")
        self.gets_well("early.test", remote)

    def test_trouble_at_the_end(self) -> None:
        """A failure for now, 421 or silence in place of the last answer: the message waits, for nobody has said that it is taken."""
        for number, (answer, words) in enumerate(
            (
                ("452 4.3.1 full", "452 4.3.1 mx"),
                ("421 4.3.2 leaving", "421 4.3.2 mx"),
                ("hang up", "451 4.4.2 mx"),
            )
        ):
            domain = f"end{number}.test"
            remote = self.remote(domain, answers={"END": answer})
            self.submit("nearly", f"bob@{domain}")
            self.waits(domain, words)
            self.gets_well(domain, remote)

    def test_leaves_in_the_middle(self) -> None:
        """Who gets 421 waits; who was taken before has the message, if it was taken as well."""
        remote = self.remote("leaves.test", answers={"RCPT eve@leaves.test": "421 4.3.2 leaving"})
        self.submit("stay", "bob@leaves.test", "eve@leaves.test")
        self.waits("leaves.test", "421 4.3.2 mx.leaves.test said: 421 4.3.2 leaving")
        [taken] = remote.taken
        remote.taken.clear()
        self.gets_well("leaves.test", remote)
        recipients = [*taken.recipients, *remote.taken[0].recipients]
        self.assertEqual(recipients, ["RCPT TO:<bob@leaves.test>", "RCPT TO:<eve@leaves.test>"])

    def test_tls(self) -> None:
        """STARTTLS that works, whatever the certificate; that is refused; and that fails: by a new connection in clear."""
        with tempfile.TemporaryDirectory() as folder:
            key, certificate = write_certificate(Path(folder), "somebody.else.test")
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate, key)
        for domain, facts, secure, connections in (
            ("tls.test", {}, True, 1),
            ("tls-refused.test", {"answers": {"STARTTLS": "454 4.7.0 not now"}}, False, 1),
            ("tls-fails.test", {"breaks_tls": True}, False, 2),
            ("tls-forged.test", {"breaks_tls": True, "answers": {"STARTTLS": "220 go\r\n250 forged"}}, False, 2),
        ):
            remote = self.remote(domain, tls=context, **facts)
            self.submit("a secret", f"bob@{domain}")
            until(lambda taken=remote.taken: len(taken) == 1, self.story)  # type: ignore[misc]
            self.assertEqual((remote.taken[0].secure, remote.connections), (secure, connections), domain)

    def test_knows_ascii_only(self) -> None:
        """8-bit text goes converted where 8BITMIME is missing; addresses in UTF-8 come back where SMTPUTF8 is (RFC 6152, 6531)."""
        remote = self.remote("old.test", features=())
        self.submit("umlauts", "bob@old.test")
        until(lambda: len(remote.taken) == 1, self.story)
        self.assertTrue(remote.taken[0].octets.isascii())
        message = message_from_bytes(remote.taken[0].octets)
        self.assertEqual(message.get_payload(decode=True), "Gr\u00fc\u00dfe.\r\n.dot\r\n".encode())
        with smtplib.SMTP("127.0.0.1", self.here.ports["submission"], timeout=30) as client:
            client.login(ANN, PASSWORD)
            client.sendmail(ANN, ["b\u00e4b@old.test"], b"Subject: x\r\n\r\n.\r\n", mail_options=["SMTPUTF8"])
        report = self.arrives(self.here, ANN, "5.6.7")
        self.assertIn("cannot take internationalized addresses", report.as_bytes().decode("utf-8", "replace"))
        self.assertEqual(len(remote.taken), 1)
