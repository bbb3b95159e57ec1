"""The OpenAPI 3.1 document, made from the table and from the types of the verbs."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from hostmail.actor import Role
from hostmail.web.api.glossary import GLOSSARY, described
from hostmail.web.api.kept import KEPT_SECONDS
from hostmail.web.api.outcomes import headers, problem_responses, responses
from hostmail.web.api.paging import MOST, USUAL, Order
from hostmail.web.api.problems import JSON, ProblemDetails
from hostmail.web.api.reading import WITH_BODY, is_paged
from hostmail.web.api.shape import Shape
from hostmail.web.api.table import PREFIX, Endpoint

TEMPLATE = "#/components/schemas/{name}"
ABOUT = (
    "What the control panel does, for programs. Show a token, made in the panel or by `hostmail token add`, with each request. Refusals are"
    " application/problem+json (RFC 9457). What is not yours looks like what is not there."
)
PAGING = [
    {
        "name": "limit",
        "in": "query",
        "description": "How many rows at most on this page.",
        "schema": {"type": "integer", "minimum": 1, "maximum": MOST, "default": USUAL},
    },
    {
        "name": "cursor",
        "in": "query",
        "description": GLOSSARY["cursor"].means,
        "schema": {"type": "string"},
    },
]
KEY = {
    "name": "Idempotency-Key",
    "in": "header",
    "description": f"The same request with the same key is carried out once; its answer is kept for {KEPT_SECONDS / 3600:.0f} hours.",
    "schema": {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-+\\--~]*$"},
}
_NUMBERS = re.compile(r" \([A-Z][0-9]+(?:, [A-Z][0-9]+)*\)")
"""Of what was promised (E7): they say nothing to who reads the document."""

MANY = {Role.OPERATOR: "operators", Role.OWNER: "owners", Role.USER: "users"}


def document(endpoints: Sequence[Endpoint], shapes: Mapping[str, Shape], version: str) -> bytes:
    """All of it, as JSON."""
    pieces = {each: _Pieces(each, shapes[each.verb]) for each in endpoints}
    types = [kind for piece in pieces.values() for kind in piece.types]
    found, components = msgspec.json.schema_components([ProblemDetails, *types], ref_template=TEMPLATE)
    for name, kind in components.items():
        for one, schema in kind.get("properties", {}).items():
            kind["properties"][one] = described(name, one, schema)
    schemas = iter(found[1:])
    paths: dict[str, dict[str, Any]] = {}
    for each, piece in pieces.items():
        path = paths.setdefault(each.path, {})
        path[each.method.lower()] = piece.operation(next(schemas), next(schemas), next(schemas), components)
    for used in _only_for_parameters(endpoints, pieces):
        components.pop(used, None)
    told = {
        "openapi": "3.1.0",
        "info": {"title": "hostmail", "version": version, "description": ABOUT},
        "servers": [{"url": PREFIX}],
        "security": [{"token": []}],
        "paths": paths,
        "components": {
            "schemas": components,
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
            "headers": headers(),
            "responses": problem_responses(found[0]),
        },
    }
    return msgspec.json.encode(told)


class _Pieces:
    """What an operation is described by: its path, query and body as types of their own, and its answer."""

    def __init__(self, endpoint: Endpoint, shape: Shape) -> None:
        self._endpoint, self._shape = endpoint, shape
        self._said = {} if endpoint.bare else shape.fields
        fields = {name: each for name, each in self._said.items() if name not in endpoint.parts}
        self.name = _camel(endpoint.verb) + "One" * endpoint.path.endswith("{id}")
        self.path = _struct(f"{self.name}Path", {name: shape.fields[name] for name in endpoint.parts})
        self.rest = _struct(f"{self.name}Request", {endpoint.called(name): each for name, each in fields.items()})
        self.types = (self.path, self.rest, shape.answer)

    def operation(self, path: Any, rest: Any, answer: Any, components: Mapping[str, Any]) -> dict[str, Any]:
        """The operation object (OpenAPI 3.1, 4.8.10)."""
        each, shape = self._endpoint, self._shape
        parameters = list(_parameters("path", _resolved(path, components)))
        told: dict[str, Any] = {
            "operationId": self.name[0].lower() + self.name[1:],
            "summary": _NUMBERS.sub("", shape.words),
            "description": self._description(),
            "tags": [each.path.split("/")[1]],
        }
        if each.method in WITH_BODY:
            schema = _resolved(rest, components)
            told["requestBody"] = {"required": bool(schema.get("required")), "content": {JSON: {"schema": rest}}}
        else:
            parameters += _parameters("query", _resolved(rest, components))
        if is_paged(each, shape):
            parameters += PAGING
        if each.method == "POST":
            parameters.append(KEY)
        if parameters:
            told["parameters"] = parameters
        told["responses"] = responses(each, shape, _page(answer) if shape.is_list else answer)
        return told

    def _description(self) -> str:
        """Who may, and what the audit log calls it."""
        shape = self._shape
        words = [f"For {', '.join(MANY[role] for role in Role if role in shape.who)}."]
        for role in Role:
            shut = {self._endpoint.called(name) for name in self._said.keys() - shape.only.get(role, self._said.keys())}
            if role in shape.who and shut:
                words.append(f"Not for {MANY[role]}: {', '.join(sorted(shut))}.")
        if not shape.looks:
            words.append(f"Not with a token that may only look. In the audit log this is {self._endpoint.verb}.")
        if is_paged(self._endpoint, shape):
            words.append(f"Page by page, sorted by {Order(self._endpoint.key).words()}.")
        return " ".join(words)


def _parameters(place: str, schema: Mapping[str, Any]) -> Sequence[dict[str, Any]]:
    required = {*schema.get("required", ())}
    return [
        {
            "name": name,
            "in": place,
            "required": place == "path" or name in required,
            "description": kind["description"],
            "schema": {keyword: value for keyword, value in kind.items() if keyword != "description"},
        }
        for name, kind in schema["properties"].items()
    ]


def _only_for_parameters(endpoints: Sequence[Endpoint], pieces: Mapping[Endpoint, _Pieces]) -> list[str]:
    """Components that nothing points at."""
    paths = [pieces[each].path.__name__ for each in endpoints]
    return paths + [pieces[each].rest.__name__ for each in endpoints if each.method not in WITH_BODY]


def _page(answer: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": {
            "items": {**answer, "description": GLOSSARY["items"].means},
            "next": {"type": ["string", "null"], "description": GLOSSARY["next"].means},
        },
        "required": ["items", "next"],
    }


def _resolved(schema: Mapping[str, Any], components: Mapping[str, Any]) -> Mapping[str, Any]:
    reference = schema.get("$ref", "")
    return components[reference.rpartition("/")[2]] if reference else schema


def _struct(name: str, fields: Mapping[str, msgspec.structs.FieldInfo]) -> type[msgspec.Struct]:
    """A type of some fields of a verb's arguments."""
    told: list[Any] = []
    for called, each in sorted(fields.items(), key=lambda pair: not pair[1].required):
        if each.required:
            told.append((called, each.type))
        elif each.default is not msgspec.NODEFAULT:
            told.append((called, each.type, each.default))
        else:
            told.append((called, each.type, msgspec.field(default_factory=each.default_factory)))
    return msgspec.defstruct(name, told, forbid_unknown_fields=True)


def _camel(text: str) -> str:
    return "".join(part.capitalize() for part in text.replace("-", ".").split("."))
