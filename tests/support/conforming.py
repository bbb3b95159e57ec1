"""Whether a JSON value is as a schema of our OpenAPI document says, as far as that uses JSON Schema. Names it does not have are wrong."""

from __future__ import annotations

import ipaddress
import json
import re
from collections.abc import Iterator
from typing import Any

KINDS: dict[str, Any] = {
    "object": dict,
    "array": list,
    "string": str,
    "integer": int,
    "number": (int, float),
    "boolean": bool,
    "null": type(None),
}


def resolved(schema: dict[str, Any], document: dict[str, Any]) -> dict[str, Any]:
    """What a reference leads to."""
    while "$ref" in schema:
        found: Any = document
        for part in schema["$ref"].split("/")[1:]:
            found = found[part]
        schema = found
    return schema


def differences(value: Any, schema: dict[str, Any], document: dict[str, Any], where: str = "") -> list[str]:
    """What of a value is not as it should be."""
    schema = resolved(schema, document)
    if "anyOf" in schema:
        each = [differences(value, one, document, where) for one in schema["anyOf"]]
        if [] not in each:
            return each[0]
    kinds = schema.get("type", [])
    kinds = [kinds] if isinstance(kinds, str) else kinds
    if kinds and not any(_is(value, kind) for kind in kinds):
        return [f"{where}: {json.dumps(value)[:60]} is no {kinds}"]
    wrong = [f"{where}: {json.dumps(value)[:60]} is against {rule}" for rule in _broken(value, schema)]
    if isinstance(value, dict):
        wrong += _of_object(value, schema, document, where)
    if isinstance(value, list) and isinstance(schema.get("items"), dict):
        for number, one in enumerate(value):
            wrong += differences(one, schema["items"], document, f"{where}/{number}")
    return wrong


def _is(value: Any, kind: str) -> bool:
    return isinstance(value, KINDS[kind]) and (kind == "boolean" or not isinstance(value, bool))


def _of_object(value: dict[str, Any], schema: dict[str, Any], document: dict[str, Any], where: str) -> list[str]:
    known = schema.get("properties", {})
    wrong = [f"{where}/{name} is missing" for name in schema.get("required", ()) if name not in value]
    for name, one in value.items():
        if name in known:
            wrong += differences(one, known[name], document, f"{where}/{name}")
        elif isinstance(schema.get("additionalProperties"), dict):
            wrong += differences(one, schema["additionalProperties"], document, f"{where}/{name}")
        elif known:
            wrong.append(f"{where}/{name} is not in the document")
    return wrong


def _broken(value: Any, schema: dict[str, Any]) -> Iterator[str]:
    """The rules that a plain value breaks."""
    if "enum" in schema and value not in schema["enum"]:
        yield f"enum {schema['enum']}"
    if "const" in schema and value != schema["const"]:
        yield f"const {schema['const']}"
    if isinstance(value, int | float) and not isinstance(value, bool):
        if value < schema.get("minimum", value):
            yield f"minimum {schema['minimum']}"
        if value > schema.get("maximum", value):
            yield f"maximum {schema['maximum']}"
    if isinstance(value, str):
        if not re.search(schema.get("pattern", ""), value):
            yield f"pattern {schema['pattern']}"
        if not FORMATS[schema.get("format", "")](value):
            yield f"format {schema['format']}"
    if isinstance(value, list) and len(value) > schema.get("maxItems", len(value)):
        yield f"maxItems {schema['maxItems']}"


def _is_ip(text: str, version: int) -> bool:
    try:
        return ipaddress.ip_address(text).version == version
    except ValueError:
        return False


FORMATS = {
    "": lambda _: True,
    "idn-email": lambda text: bool(re.fullmatch(r"[^@]+@[^@\s]+", text)),
    "ipv4": lambda text: _is_ip(text, 4),
    "ipv6": lambda text: _is_ip(text, 6),
    "uri-reference": lambda text: bool(re.fullmatch(r"[!-~]*", text)),
}
