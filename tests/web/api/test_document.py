"""The OpenAPI document: whole, and described down to each word."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from hostmail.web.api.glossary import GLOSSARY
from hostmail.web.api.openapi import TEMPLATE
from hostmail.web.api.outcomes import HEADERS, WHY
from hostmail.web.api.table import ENDPOINTS
from tests.web.api.fakes import ApiTestCase

MANUAL = Path(__file__).parents[3] / "docs" / "operators" / "api.rst"


class DocumentTests(ApiTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.text = self.ask("GET", "/openapi.json", "").text
        self.document = json.loads(self.text)

    def operations(self) -> Iterator[tuple[str, str, dict[str, Any]]]:
        """Each, with its path and method."""
        for path, methods in self.document["paths"].items():
            for method, told in methods.items():
                yield path, method, told

    def test_anybody_may_read_it(self) -> None:
        """It is served without a token, and describes each call of the table, its answers and its refusals."""
        self.assertEqual((self.document["openapi"], self.document["servers"]), ("3.1.0", [{"url": "/api/v1"}]))
        every = [one for _, _, one in self.operations()]
        self.assertEqual(len({one["operationId"] for one in every}), len(every))
        add = self.document["paths"]["/accounts"]["post"]
        refused = {"400", "401", "403", "404", "406", "409", "412", "413", "415", "422", "429", "500", "503"}
        self.assertEqual(set(add["responses"]), {"201", *refused})
        show = self.document["paths"]["/status"]["get"]["responses"]
        self.assertEqual(set(show), {"200", *refused} - {"400", "404", "409", "412", "415"})
        body = add["requestBody"]["content"]["application/json"]["schema"]["$ref"].rpartition("/")[2]
        self.assertEqual(self.document["components"]["schemas"][body]["required"], ["address"])

    def test_every_word_is_explained(self) -> None:
        """Each call, parameter, answer, header and field says what it is."""
        silent = [
            f"{method} {path}"
            for path, method, told in self.operations()
            if not told["summary"] or not told["description"]
        ]
        for path, method, told in self.operations():
            silent += [f"{method} {path} {one['name']}" for one in told.get("parameters", ()) if not one["description"]]
        for name, kind in self.document["components"]["schemas"].items():
            silent += [f"{name}.{each}" for each, one in kind["properties"].items() if not one.get("description")]
        self.assertEqual(silent, [])

    def test_the_manual_has_each_path(self) -> None:
        """The manual names where each path begins, and each status that can come."""
        manual = MANUAL.read_text()
        missing = [each.path for each in ENDPOINTS if f"/{each.path.split('/')[1]}" not in manual]
        self.assertEqual(missing, [])
        self.assertEqual([status for status in WHY if f"\n{status}     " not in manual], [])

    def test_summaries_stand_alone(self) -> None:
        """Each summary is one's own, and has no numbers of ours in it."""
        summaries = [told["summary"] for _, _, told in self.operations()]
        again = {one for one in summaries if summaries.count(one) > 1}
        # The same verb in two places, or for two kinds of people.
        self.assertLessEqual(len(again), 5, again)
        self.assertEqual([one for one in summaries if re.search(r"\([A-Z][0-9]", one)], [])

    def test_every_answer_has_its_fields(self) -> None:
        """No answer is just some object: what is in it is said, down to each value."""
        kinds = self.document["components"]["schemas"]
        open_ended = [
            f"{name}.{each}"
            for name, kind in kinds.items()
            for each, one in kind["properties"].items()
            if one.get("type") == "object" and "additionalProperties" not in one
        ]
        # What was said to a verb is as the verb takes it.
        self.assertEqual(open_ended, ["ChangeTold.arguments"])
        for path, method, told in self.operations():
            [good] = [one for code, one in told["responses"].items() if code.startswith("2")]
            schema = good["content"]["application/json"]["schema"]
            items = schema.get("properties", {}).get("items", {}).get("items", schema)
            self.assertTrue(items.get("$ref", "").startswith(TEMPLATE.partition("{")[0]), f"{method} {path}")

    def test_the_glossary_is_used(self) -> None:
        """No entry is for a name that is nowhere, or for a type that is not in the document."""
        kinds = self.document["components"]["schemas"]
        names = {f"{name}.{each}" for name, kind in kinds.items() for each in kind["properties"]}
        for _, _, told in self.operations():
            kind = told["operationId"][0].upper() + told["operationId"][1:]
            for one in told.get("parameters", ()):
                names.add(f"{kind}{'Path' if one['in'] == 'path' else 'Request'}.{one['name']}")
        self.assertEqual(set(GLOSSARY) - names - {name.rpartition(".")[2] for name in names} - {"items", "next"}, set())

    def test_references_lead_somewhere(self) -> None:
        """Each $ref is there, and every refusal and header is somebody's."""
        for part in self.text.split('"$ref":"#/')[1:]:
            found: Any = self.document
            for name in part.partition('"')[0].split("/"):
                found = found[name]
        for place in (*(f"responses/Problem{status}" for status in WHY), *(f"headers/{name}" for name in HEADERS)):
            self.assertIn(f'"$ref":"#/components/{place}"', self.text)
