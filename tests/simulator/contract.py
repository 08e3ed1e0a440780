"""Hold an answer of the simulator against Twilio's published OpenAPI: all declared properties, none else."""

import json
import os
import re
from email.utils import parsedate_to_datetime
from functools import cache
from pathlib import Path
from typing import Any

DATA = Path(os.environ.get("CALLCENTER_SHARED_DATA") or Path(__file__).parents[3] / "shared" / "data")
OPENAPI = DATA / "twilio" / "twilio_api_v2010.json"
# Twilio's own examples break these: the enum does not allow the null it shows before the end.
NULL_IN_SPITE_OF_THE_SCHEMA = {"reason_conference_ended"}
TYPES: dict[str, type[Any] | tuple[type[Any], ...]] = {
    "string": str,
    "boolean": bool,
    "integer": int,
    "number": (int, float),
    "object": dict,
    "array": list,
}
ERROR = {"code": int, "message": str, "more_info": str, "status": int}


@cache
def openapi() -> dict[str, Any] | None:
    """The document, or None when it does not lie beside the checkout."""
    if not OPENAPI.is_file():
        return None
    loaded: dict[str, Any] = json.loads(OPENAPI.read_text())
    return loaded


def faults_of_answer(document: dict[str, Any], method: str, path: str, status: int, text: str) -> list[str]:
    """What is wrong with one answer; a refusal has Twilio's error shape."""
    where = f"{method} {path} {status}"
    if status >= 400:
        body = json.loads(text)
        wrong = {name: type(body.get(name)) for name in ERROR if type(body.get(name)) is not ERROR[name]}
        return [f"{where}: not an error: {body}"] if wrong or body.keys() - ERROR.keys() else []
    schema = _declared(document, method, path, status)
    if schema is None:
        return [] if text == "" else [f"{where}: a body where none is declared"]
    return _faults(document, schema, json.loads(text), where)


def _declared(document: dict[str, Any], method: str, path: str, status: int) -> dict[str, Any] | None:
    for template, operations in document["paths"].items():
        if re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", template).replace(".json", r"\.json"), path):
            response = operations[method.lower()]["responses"][str(status)]
            content = response.get("content") or {}
            schema: dict[str, Any] | None = content.get("application/json", {}).get("schema")
            return schema
    raise AssertionError(f"{method} {path} is not in the OpenAPI")


def _faults(document: dict[str, Any], given: dict[str, Any], value: Any, where: str) -> list[str]:
    schema = given
    if "$ref" in given:
        schema = document["components"]["schemas"][given["$ref"].rpartition("/")[2]]
    if value is None:
        may_be = schema.get("nullable") or where.rpartition(".")[2] in NULL_IN_SPITE_OF_THE_SCHEMA
        return [] if may_be else [f"{where}: null"]
    kind = schema.get("type")
    if kind is None:
        return []
    if not isinstance(value, TYPES[kind]) or (kind == "integer" and isinstance(value, bool)):
        return [f"{where}: {type(value).__name__}, declared {kind}"]
    found = _faults_of_text(schema, value, where) if kind == "string" else []
    if properties := schema.get("properties"):
        found += [f"{where}: {name} is missing" for name in properties.keys() - value.keys()]
        found += [f"{where}: {name} is not declared" for name in value.keys() - properties.keys()]
        for name in properties.keys() & value.keys():
            found += _faults(document, properties[name], value[name], f"{where}.{name}")
    for place, item in enumerate(value if kind == "array" else []):
        found += _faults(document, schema["items"], item, f"{where}[{place}]")
    return found


def _faults_of_text(schema: dict[str, Any], value: str, where: str) -> list[str]:
    found = []
    if "enum" in schema and value not in schema["enum"]:
        found.append(f"{where}: {value} is not declared")
    if "pattern" in schema and not re.fullmatch(schema["pattern"], value):
        found.append(f"{where}: does not match {schema['pattern']}")
    if schema.get("format") == "date-time-rfc-2822":
        parsedate_to_datetime(value)
        if not value.endswith(" +0000"):
            found.append(f"{where}: not RFC 2822 in UTC")
    if schema.get("format") == "http-method" and value not in ("GET", "POST"):
        found.append(f"{where}: {value} is not a method")
    return found
