"""Programs that use the HTTP API of a running service, over TLS, with tokens that the command made."""

from __future__ import annotations

import http.client
import json
import os
import re
import smtplib
import subprocess
from pathlib import Path
from tempfile import TemporaryDirectory
from textwrap import dedent
from threading import Thread
from typing import Any

from tests.journeys.base import ANN, SECONDS, Journey, letter, logs_in, trusting, until
from tests.support.appliance import PASSWORD, Appliance
from tests.support.missing import program

MANUAL = Path(__file__).parents[2] / "docs" / "operators" / "api.rst"
CLEO = "cleo@example.test"


class Program:
    """A program with a token."""

    def __init__(self, here: Appliance, *scope: str) -> None:
        self.port = here.ports["panel"]
        self.token = here.json("token", "add", "a script", *scope)["token"]

    def ask(self, method: str, path: str, body: Any = None, **headers: str) -> tuple[int, Any, http.client.HTTPMessage]:
        """One request; status, answer, headers."""
        line = http.client.HTTPSConnection("127.0.0.1", self.port, timeout=SECONDS, context=trusting())
        given = {"authorization": f"Bearer {self.token}"} | {
            name.replace("_", "-"): text for name, text in headers.items()
        }
        if body is not None:
            given["content-type"] = "application/json"
        line.request(method, f"/api/v1{path}", None if body is None else json.dumps(body), given)
        answer = line.getresponse()
        told = json.loads(answer.read() or b"null")
        line.close()
        return answer.status, told, answer.headers


class ApiJourney(Journey):
    """A domain owner's script, and what it cannot do."""

    accounts = (ANN, "carl@other.test")
    more = ("panel",)

    def test_a_script_runs_a_domain(self) -> None:
        """It makes an account once though it asks twice, even over a restart; that signs in at once; it sees its lists and the mail."""
        script = Program(self.here, "--domain", "example.test")
        new, key = {"address": CLEO, "password": PASSWORD}, "b7c1"
        status, made, headers = script.ask("POST", "/accounts", new, idempotency_key=key)
        self.assertEqual((status, headers["location"]), (201, f"/api/v1/accounts/{CLEO}"))
        self.assertEqual(logs_in(self.here, CLEO), {"imap": True, "smtp": True})
        self.here.stop()
        self.here.start()
        status, again, headers = script.ask("POST", "/accounts", new, idempotency_key=key)
        self.assertEqual((status, again, headers["idempotency-replayed"]), (201, made, "true"))
        self.assertEqual(script.ask("POST", "/accounts", new)[0], 409)

        status, page, headers = script.ask("GET", "/accounts?domain=example.test&limit=1")
        self.assertEqual((status, [row["address"] for row in page["items"]]), (200, [ANN]))
        path = headers["link"].partition(">")[0].removeprefix("</api/v1")
        status, page, headers = script.ask("GET", path)
        self.assertEqual(
            ([row["address"] for row in page["items"]], page["next"], headers["link"]), ([CLEO], None, None)
        )

        with smtplib.SMTP("127.0.0.1", self.here.ports["smtp"], timeout=SECONDS) as client:
            client.send_message(letter("for the script", to=CLEO))
        until(lambda: "delivered" in self.facts(script), lambda: str(self.facts(script)))
        rows = self.here.json("audit", "--about", CLEO)
        self.assertEqual(
            [(row["verb"], row["way"], row["outcome"]) for row in rows][-1], ("account.add", "api", "done")
        )

    def facts(self, script: Program) -> list[str]:
        """What became of mail for the new account."""
        return [row["what"] for row in script.ask("GET", f"/history?about={CLEO}")[1]["items"]]

    def test_the_manual(self) -> None:
        """Every line for curl in the manual works as it stands, one after the other."""
        program("curl")
        self.here.command("domain", "add", "example.com")
        script = Program(self.here, "--operator")
        blocks = re.findall(r"::\n\n((?:    .*\n|\n)+)", MANUAL.read_text())
        lines = "".join(dedent(block) for block in blocks if "curl" in block)
        for theirs, ours in (("hostmail_...", script.token), ("mail.example.com:8443", f"127.0.0.1:{script.port}")):
            self.assertEqual(lines.count(theirs), 1)
            lines = lines.replace(theirs, ours)
        self.assertGreater(lines.count("curl "), 14)
        with TemporaryDirectory() as home:
            Path(home, ".curlrc").write_text("insecure\nsilent\nshow-error\nfail-with-body\n")
            done = subprocess.run(
                ["sh", "-e", "-x", "-c", lines],
                capture_output=True,
                text=True,
                timeout=60,
                env={**os.environ, "HOME": home},
            )
        self.assertEqual(done.returncode, 0, done.stdout[-2000:] + done.stderr[-2000:])
        self.assertIn('"outcome":"created"', done.stdout)
        self.here.command("domain", "remove", "example.com", "--yes")

    def test_two_at_once(self) -> None:
        """Of two requests with one key that come at the same time, one is done; the other is told the same, or to come again."""
        script, found = Program(self.here, "--operator"), []

        def add() -> None:
            found.append(script.ask("POST", "/domains", {"name": "fresh.test"}, idempotency_key="twins")[0])

        threads = [Thread(target=add) for _ in range(4)]
        for each in threads:
            each.start()
        for each in threads:
            each.join()
        self.assertIn(201, found)
        self.assertLessEqual(set(found), {201, 409})
        self.assertEqual(script.ask("POST", "/domains", {"name": "fresh.test"}, idempotency_key="twins")[0], 201)
        verbs = [row["verb"] for row in self.here.json("audit", "--about", "fresh.test")]
        self.assertEqual(verbs, ["domain.add"])

    def test_what_it_may_not(self) -> None:
        """Another customer's domain is not there, a token that may look changes nothing, and a revoked one opens nothing."""
        script = Program(self.here, "--domain", "example.test")
        for path in ("/domains/other.test", "/accounts/carl@other.test", "/accounts?domain=other.test"):
            self.assertEqual(script.ask("GET", path)[0], 404, path)
        self.assertEqual(script.ask("GET", "/status")[0], 403)
        looking = Program(self.here, "--operator", "--read-only")
        self.assertEqual(looking.ask("DELETE", "/domains/other.test")[0], 403)
        self.assertEqual(looking.ask("GET", "/domains/other.test")[0], 200)
        [number] = [row["id"] for row in looking.ask("GET", "/tokens")[1]["items"] if row["read_only"]]
        self.here.command("token", "revoke", str(number))
        self.assertEqual(looking.ask("GET", "/domains/other.test")[0], 401)
