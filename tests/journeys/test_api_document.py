"""The OpenAPI document is true: what it says may be sent is sent, and what comes back is as it says."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import smtplib
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import urlsplit

from hostmail.web.api.table import ENDPOINTS, Paths
from tests.journeys.base import ANN, BOB, SECONDS, Journey, trusting, until
from tests.journeys.test_api import Program
from tests.support.appliance import PASSWORD
from tests.support.conforming import differences, resolved
from tests.support.missing import lacking
from tests.support.zone import Zone

BESIDE = Path(__file__).parents[2] / ".venv" / "schemathesis" / "bin" / "schemathesis"
OURS = "/tokens/{id}"
"""Revokes the token that is shown."""

HASTE = """
[phases.coverage]
unexpected-methods = []
"""
"""Which methods a path has, and that nothing is told without a token, tests/web/api tries at each path."""

SMARTHOST = {"smarthost": "relay.elsewhere.test:587", "smarthost_login": "us", "smarthost_password": "secret"}
DOMAIN, LIST, OWNER, STRANGER = "example.test", "club@example.test", "owen", "127.0.0.9"


class DocumentJourney(Journey):
    """With a name server that knows nothing and says so at once."""

    more = ("panel",)
    zone: ClassVar[Zone]

    @classmethod
    def setUpClass(cls) -> None:
        cls.zone = Zone()
        cls.zone.open()
        cls.settings = (
            f'smarthost: 127.0.0.1:9\ndns: {{servers: ["127.0.0.1:{cls.zone.port}"]}}\n'
            # It tries wrong tokens and passwords, too, and they would make it wait.
            "limits: {api_requests: 1000000, failed_login_delay: 0s, failed_login_delay_most: 0s, failed_logins_per_ip: 1000000}\n"
        )
        super().setUpClass()

    @classmethod
    def tearDownClass(cls) -> None:
        super().tearDownClass()
        cls.zone.close()


class FuzzedJourney(DocumentJourney):
    # There are thousands of requests, many of them about the domain of the document's examples.
    panel_tls = False
    accounts = ("ann@example.com", "bob@example.com")

    def test_what_is_sent_and_told(self) -> None:
        """Whatever the document allows, and what it does not: no fault of ours, and each answer of the kind and shape that it says.

        Schemathesis makes the requests, the same ones each time: values at and beyond each bound. It has a virtual environment of its own,
        `.venv/schemathesis`, as its pytest plugin is for nobody else.
        """
        if not BESIDE.exists():
            raise lacking("schemathesis is not installed")
        script = Program(self.here, "--operator")
        words = [str(BESIDE), "run", f"http://127.0.0.1:{script.port}/api/v1/openapi.json", f"--exclude-path={OURS}"]
        words += ["--header", f"Authorization: Bearer {script.token}", "--phases=coverage"]
        words += ["--generation-deterministic", "--continue-on-failure", "--no-color", "--request-timeout=60"]
        # Many values are bounded by more than their type: what is refused with 422 is no fault.
        words += ["--exclude-checks=positive_data_acceptance,ignored_auth"]
        with tempfile.TemporaryDirectory() as folder:
            Path(folder, "schemathesis.toml").write_text(HASTE)
            done = subprocess.run(
                words, capture_output=True, text=True, timeout=400, cwd=folder, env=os.environ | {"HOME": folder}
            )
        self.assertEqual(done.returncode, 0, done.stdout[-8000:] + done.stderr[-2000:])
        self.assertNotIn("call_failed", self.here.text())


class DescribedJourney(DocumentJourney):
    """One of each call, as a program would make it that manages everything."""

    accounts = (ANN, BOB)

    def setUp(self) -> None:
        super().setUp()
        self.script = Program(self.here, "--operator")
        self.line = http.client.HTTPSConnection("127.0.0.1", self.script.port, timeout=SECONDS, context=trusting())
        self.addCleanup(self.line.close)
        self.paths, self.made = Paths(ENDPOINTS), set[tuple[str, str]]()
        self.document = self.script.ask("GET", "/openapi.json")[1]

    def test_each_call(self) -> None:
        """Each call of the document is made with what it asks for, and answered with what it promises: status, headers, every field."""
        for make in (
            self.domains,
            self.accounts_and_addresses,
            self.lists,
            self.mail,
            self.people,
            self.server,
            self.ends,
        ):
            make()
        known = {(method.upper(), path) for path, methods in self.document["paths"].items() for method in methods}
        # Only who signs in to the panel can set one up.
        self.assertEqual(known - self.made, {("DELETE", "/second-factors/{login}")})

    def call(self, method: str, path: str, body: Any = None) -> Any:
        """One call that succeeds; its answer, which is as the document says."""
        found = self.paths.find(urlsplit(path).path)
        assert found is not None, path
        template = found[0][method].path
        self.made.add((method, template))
        told = self.document["paths"][template][method.lower()]
        if body is not None:
            schema = told["requestBody"]["content"]["application/json"]["schema"]
            self.assertEqual(differences(body, schema, self.document), [], path)
        self.line.request(
            method,
            f"/api/v1{path}",
            None if body is None else json.dumps(body),
            {"authorization": f"Bearer {self.script.token}", "content-type": "application/json"},
        )
        answer = self.line.getresponse()
        value = json.loads(answer.read())
        [status] = [code for code in told["responses"] if code.startswith("2")]
        self.assertEqual(str(answer.status), status, f"{method} {path}: {value}")
        good = told["responses"][status]
        self.assertEqual(
            differences(value, good["content"]["application/json"]["schema"], self.document), [], f"{method} {path}"
        )
        for name, header in good["headers"].items():
            header = resolved(header, self.document)
            if header["required"] or name in answer.headers:
                self.assertEqual(differences(answer.headers[name], header["schema"], self.document), [], name)
        return value

    def row(self, path: str, sought: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        """The first row that fits, as soon as there is one."""
        found: list[dict[str, Any]] = []
        until(lambda: bool(found.extend(filter(sought, self.call("GET", path)["items"])) or found), self.here.text)
        return found[0]

    def domains(self) -> None:
        self.call("POST", "/domains", {"name": "fresh.test", "quota": None})
        self.call("GET", "/domains")
        self.call("GET", f"/domains/{DOMAIN}")
        self.call("PATCH", f"/domains/{DOMAIN}", SMARTHOST)
        self.call("PATCH", f"/domains/{DOMAIN}", {"smarthost": None, "default_mailbox": ANN})
        self.call("PUT", f"/domains/{DOMAIN}/catchall", {"catch_all": "default"})
        self.call("GET", f"/domains/{DOMAIN}/catchall")
        for path in ("dns", "dns/check", "dns/last"):
            self.call("GET", f"/domains/{DOMAIN}/{path}")
        self.call("PUT", f"/domains/{DOMAIN}/welcome", {"template": "Subject: Hello\n\nGood to have you.\n"})
        self.call("POST", f"/domains/{DOMAIN}/welcome/off")
        self.call("GET", f"/domains/{DOMAIN}/welcome")
        self.call("DELETE", f"/domains/{DOMAIN}/welcome")
        self.call("POST", "/domain-aliases", {"name": "example.org", "domain": DOMAIN})
        self.call("GET", f"/domain-aliases?domain={DOMAIN}")
        self.call("DELETE", "/domain-aliases/example.org")

    def accounts_and_addresses(self) -> None:
        self.call("POST", "/accounts", {"address": "cleo@example.test", "password": PASSWORD, "quota": 1 << 20})
        rows = [{"line": 1, "address": "dora@example.test", "password": PASSWORD}, {"line": 2, "address": "?"}]
        self.call("POST", "/accounts/import", {"rows": rows})
        self.call("GET", f"/accounts?domain={DOMAIN}")
        self.call("GET", f"/accounts/{ANN}")
        self.call("PATCH", f"/accounts/{ANN}", {"quota_messages": 1_000})
        self.call("PUT", f"/accounts/{BOB}/password", {"password": PASSWORD})
        for path in ("logins", "client", "folders", "mailbox", "welcome"):
            self.call("GET", f"/accounts/{ANN}/{path}")
        for path in ("welcome", "mailbox/repair", "mailbox/unlock"):
            self.call("POST", f"/accounts/{ANN}/{path}")
        self.call("DELETE", "/accounts/dora@example.test")
        self.call("GET", "/removed")
        self.call("POST", "/removed/dora@example.test/restore", {})
        self.call("PUT", f"/quotas/{ANN}", {"quota": 1 << 30})
        self.call("GET", f"/quotas/{ANN}")
        self.call("PUT", "/addresses/a%2Fb@example.test", {"targets": [ANN, "far@elsewhere.test"]})
        self.call("GET", "/addresses/a%2Fb@example.test")
        self.call("GET", f"/addresses?about={DOMAIN}")
        self.call("GET", f"/addresses/a%2Fb@example.test/route?sender={ANN}")
        self.call("POST", "/aliases", {"address": "sales@example.test", "targets": [ANN]})
        self.call("GET", "/aliases?about=sales@example.test")
        self.call("DELETE", "/aliases/sales@example.test")
        self.call("POST", "/forwards", {"address": "info@example.test", "targets": ["far@elsewhere.test"]})
        self.call("GET", "/forwards")
        self.call("PUT", f"/autoresponders/{ANN}", {"text": "I am away.", "starts": 1.0, "until": None})
        self.call("GET", "/autoresponders")
        self.call("GET", f"/autoresponders/{ANN}")
        self.call("DELETE", f"/autoresponders/{ANN}")

    def lists(self) -> None:
        self.call("POST", "/lists", {"address": LIST, "owners": [ANN]})
        self.call("GET", f"/lists?domain={DOMAIN}")
        self.call("GET", f"/lists/{LIST}")
        self.call("PATCH", f"/lists/{LIST}", {"post": "members", "tell_held": False})
        for verb in ("approve", "reject"):
            self.deliver("may I?", to=LIST)
            held = self.row(f"/lists/{LIST}/posts", lambda row: True)
            self.call("POST", f"/lists/{LIST}/posts/{held['queue_id']}/{verb}")
        self.call("POST", f"/lists/{LIST}/members", {"member": "zoe@elsewhere.test"})
        rows = [{"line": 1, "member": "yan@elsewhere.test"}, {"line": 2, "member": "?"}]
        self.call("POST", f"/lists/{LIST}/members/import", {"rows": rows})
        self.call("GET", f"/lists/{LIST}/members")
        self.call("DELETE", f"/lists/{LIST}/members/zoe@elsewhere.test")
        self.call("DELETE", f"/lists/{LIST}")

    def mail(self) -> None:
        """What a mail program, a stranger who guesses, and mail for elsewhere leave behind."""
        self.deliver("caught", to="nobody.here@example.test")
        self.row(f"/domains/{DOMAIN}/catchall/names", lambda row: True)
        self.call("PUT", "/blocked/spam@example.test")
        self.call("DELETE", "/blocked/spam@example.test")
        self.deliver("waits", to="info@example.test")
        waits = self.row("/queue", lambda row: bool(row["last_answer"]))
        self.call("GET", f"/queue/details?pattern=id:{waits['queue_id']}")
        self.call("GET", "/queue/stats")
        self.call("GET", f"/queue/messages/{waits['queue_id']}")
        for verb in ("hold", "release", "retry"):
            self.call("POST", f"/queue/{verb}", {"all": True})
        self.row("/queue", lambda row: row["state"] == "waiting")
        self.call("POST", "/queue/bounce", {"all": True})
        self.call("POST", "/queue/delete", {"all": True})
        self.call("GET", "/history?about=info@example.test&seconds=3600")
        self.pop3(BOB)
        session = self.row("/sessions", lambda row: row["address"] == BOB)
        self.call("DELETE", f"/sessions/{session['id']}")
        self.call("DELETE", f"/sessions?address={ANN}")
        with contextlib.suppress(smtplib.SMTPAuthenticationError), self.smtp(STRANGER) as guesser:
            guesser.starttls(context=trusting())
            guesser.login(ANN, "Wrong-Horse-1")
        self.row("/throttled", lambda row: row["ip"] == f"{STRANGER}/32")
        self.call("DELETE", f"/throttled/{STRANGER}%2F32")
        self.call("POST", "/grants", {"ip": "2001:db8::1", "seconds": 600})
        self.call("GET", "/grants")
        for address in ("2001:db8::1", "192.0.2.1"):
            self.call("GET", f"/grants/{address}")
        self.call("DELETE", "/grants/2001:db8::1")
        self.call("POST", "/grants/clear")

    def people(self) -> None:
        limits = {"accounts": 5, "forwards": None, "lists": 1, "quota": 1 << 30}
        self.call("POST", "/owners", {"login": OWNER, "password": PASSWORD, "domains": [DOMAIN], **limits})
        self.call("GET", "/owners")
        self.call("GET", f"/owners/{OWNER}")
        self.call("PATCH", f"/owners/{OWNER}", {"suspended": True, "accounts": None})
        self.call("PUT", f"/owners/{OWNER}/password", {"password": PASSWORD})
        self.call("PUT", f"/owners/{OWNER}/domains/fresh.test")
        self.call("DELETE", f"/owners/{OWNER}/domains/fresh.test")
        self.call("DELETE", f"/owners/{OWNER}")
        self.call("POST", "/operators", {"login": "zoe", "password": PASSWORD})
        self.call("GET", "/operators")
        self.call("PATCH", "/operators/zoe", {"suspended": True})
        self.call("PUT", "/operators/zoe/password", {"password": PASSWORD})
        self.call("GET", "/people/zoe/logins")
        self.call("DELETE", "/operators/zoe")
        self.here.command("token", "add", "another", "--domain", DOMAIN, "--days", "3")
        another = self.row("/tokens", lambda row: row["name"] == "another")
        self.call("DELETE", f"/tokens/{another['id']}")

    def server(self) -> None:
        self.call("GET", "/audit?most=1000&seconds=3600")
        for path in ("/own", "/certificates", "/status", "/version"):
            self.call("GET", path)

    def ends(self) -> None:
        self.call("DELETE", "/forwards/info@example.test")
        self.call("DELETE", "/domains/fresh.test")
