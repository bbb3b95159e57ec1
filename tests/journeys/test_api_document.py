"""The OpenAPI document is true: what it says may be sent is sent, and what comes back is as it says."""

from __future__ import annotations

import json
import os
import re
import subprocess
import tempfile
from pathlib import Path
from typing import Any
from urllib.parse import quote

from tests.journeys.base import ANN, BOB, Journey
from tests.journeys.test_api import Program
from tests.support.missing import lacking

BESIDE = Path(__file__).parents[2] / ".venv" / "schemathesis" / "bin" / "schemathesis"
LEFT_ALONE = ("/tokens/{id}", "/domains/{name}/dns/check")
"""One revokes the token we show; the other waits for name servers that are not there."""


class FuzzedJourney(Journey):
    more = ("panel",)
    # It tries wrong tokens, too, and they would make it wait.
    settings = "limits: {api_requests: 1000000, failed_login_delay: 0s, failed_login_delay_most: 0s, failed_logins_per_ip: 1000000}\n"

    def test_what_is_sent_and_told(self) -> None:
        """Whatever the document allows, and what it does not: no fault of ours, and each answer of the kind and shape that it says.

        Schemathesis makes the requests, the same ones each time: values at and beyond each bound. It has a virtual environment of its own,
        `.venv/schemathesis`, as its pytest plugin is for nobody else.
        """
        if not BESIDE.exists():
            raise lacking("schemathesis is not installed")
        script = Program(self.here, "--operator")
        words = [str(BESIDE), "run", f"https://127.0.0.1:{script.port}/api/v1/openapi.json", "--tls-verify=false"]
        words += ["--header", f"Authorization: Bearer {script.token}", "--phases=coverage"]
        words += ["--generation-deterministic", "--continue-on-failure"]
        # Many values are bounded by more than their type: what is refused with 422 is no fault.
        words += ["--no-color", "--exclude-checks=positive_data_acceptance", "--request-timeout=60"]
        words += [f"--exclude-path={path}" for path in LEFT_ALONE]
        with tempfile.TemporaryDirectory() as folder:
            done = subprocess.run(
                words, capture_output=True, text=True, timeout=400, cwd=folder, env=os.environ | {"HOME": folder}
            )
        self.assertEqual(done.returncode, 0, done.stdout[-8000:] + done.stderr[-2000:])
        self.assertNotIn("call_failed", self.here.text())


class DescribedJourney(Journey):
    more = ("panel",)

    def test_what_is_there(self) -> None:
        """Of a server with a bit of everything, each GET answers with what the document says: all that is required, in the types it has."""
        script = Program(self.here, "--operator")
        for method, path, body in FURNITURE:
            status, told, _ = script.ask(method, path, body)
            self.assertIn(status, (200, 201), f"{method} {path}: {told}")
        document = script.ask("GET", "/openapi.json")[1]
        for path, methods in document["paths"].items():
            if "get" not in methods or path in LEFT_ALONE or not (asked := filled(path)):
                continue
            status, told, _ = script.ask("GET", asked)
            self.assertEqual(status, 200, f"{asked}: {told}")
            [good] = [one for code, one in methods["get"]["responses"].items() if code != "default"]
            wrong = list(differences(told, good["content"]["application/json"]["schema"], document))
            self.assertEqual(wrong, [], asked)


FURNITURE: tuple[tuple[str, str, Any], ...] = (
    ("PUT", "/addresses/sales@example.test", {"targets": [ANN, "far@elsewhere.test"]}),
    ("POST", "/lists", {"address": "club@example.test", "owners": [ANN]}),
    ("POST", "/lists/club@example.test/members", {"member": "zoe@elsewhere.test"}),
    ("PUT", f"/autoresponders/{ANN}", {"text": "I am away."}),
    ("POST", "/domain-aliases", {"name": "example.org", "domain": "example.test"}),
    ("POST", "/grants", {"ip": "192.0.2.1"}),
    ("POST", "/owners", {"login": "owen", "password": "Correct-Horse-7", "domains": ["example.test"]}),
    (
        "PATCH",
        "/domains/example.test",
        {"smarthost": "relay.elsewhere.test:587", "smarthost_login": "us", "smarthost_password": "secret"},
    ),
    ("DELETE", f"/accounts/{BOB}", None),
)
ONES = {
    "name": "example.test",
    "address": ANN,
    "ip": "192.0.2.1",
    "login": "owen",
}
LISTS = {"/lists/{address}": "club@example.test", "/lists/{address}/members": "club@example.test"}
QUERIES = {"/history": f"?about={ANN}", "/queue/details": ""}


def filled(path: str) -> str:
    """A path with what is there, "" if there is none such."""
    if path in QUERIES:
        return path + QUERIES[path] if QUERIES[path] else ""
    names = re.findall(r"\{(\w+)\}", path)
    if not set(names) <= set(ONES):
        return ""
    for name in names:
        path = path.replace(f"{{{name}}}", quote(LISTS.get(path, ONES[name]), safe="@"))
    return path


KINDS: dict[str, Any] = {
    "object": dict,
    "array": list,
    "string": str,
    "integer": int,
    "number": (int, float),
    "boolean": bool,
    "null": type(None),
}


def differences(value: Any, schema: dict[str, Any], document: dict[str, Any], where: str = "") -> list[str]:
    """What of a value is not as a schema of ours says."""
    if "$ref" in schema:
        found: Any = document
        for part in schema["$ref"].split("/")[1:]:
            found = found[part]
        return differences(value, found, document, where)
    if "anyOf" in schema:
        each = [differences(value, one, document, where) for one in schema["anyOf"]]
        return [] if [] in each else each[0]
    kinds = schema.get("type", [])
    kinds = [kinds] if isinstance(kinds, str) else kinds
    if kinds and not any(isinstance(value, KINDS[kind]) for kind in kinds):
        return [f"{where}: {json.dumps(value)[:60]} is no {kinds}"]
    wrong: list[str] = []
    if isinstance(value, dict):
        wrong += [f"{where}/{name} is missing" for name in schema.get("required", ()) if name not in value]
        for name, one in schema.get("properties", {}).items():
            if name in value:
                wrong += differences(value[name], one, document, f"{where}/{name}")
    if isinstance(value, list) and isinstance(schema.get("items"), dict):
        for number, one in enumerate(value):
            wrong += differences(one, schema["items"], document, f"{where}/{number}")
    return wrong
