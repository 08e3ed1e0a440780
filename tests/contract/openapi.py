"""A request against Twilio's published OpenAPI, strictly: an unknown name is a fault, as a wrong type is."""

import json
import os
import re
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from tests.contract.fake_twilio import Sent

DATA = Path(os.environ.get("CALLCENTER_SHARED_DATA") or Path(__file__).parents[3] / "shared" / "data")
OPENAPI = DATA / "twilio" / "twilio_api_v2010.json"
FORM = "application/x-www-form-urlencoded"
ONE_OF = {"/2010-04-01/Accounts/{AccountSid}/Calls.json": ("Url", "Twiml", "ApplicationSid")}
"""Demanded by the documentation, not expressed in the schema."""


def load() -> dict[str, Any]:
    """The published OpenAPI."""
    loaded: dict[str, Any] = json.loads(OPENAPI.read_text())
    return loaded


def faults_of(openapi: dict[str, Any], sent: Sent) -> list[str]:
    """Everything in which a request differs from what Twilio declares."""
    where = f"{sent.method} {urlsplit(sent.url).path}"
    if not sent.url.startswith(
        openapi["servers"][0]["url"] if "servers" in openapi else "https://api.twilio.com"
    ):
        return [f"{where}: not Twilio's address"]
    for template, operations in openapi["paths"].items():
        values = _path_values(template, urlsplit(sent.url).path)
        if values is not None:
            operation = operations.get(sent.method.lower())
            if operation is None:
                return [f"{where}: the method is not declared"]
            return [f"{where}: {fault}" for fault in _faults(openapi, template, operation, values, sent)]
    return [f"{where}: the path is not declared"]


def _path_values(template: str, path: str) -> dict[str, str] | None:
    pattern = re.escape(template).replace(r"\{", "{").replace(r"\}", "}")
    found = re.fullmatch(re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+?)", pattern), path)
    return found.groupdict() if found else None


def _faults(
    openapi: dict[str, Any], template: str, operation: dict[str, Any], values: dict[str, str], sent: Sent
) -> list[str]:
    declared: dict[str, dict[str, Any]] = {"path": {}, "query": {}}
    for parameter in operation.get("parameters", []):
        declared[parameter["in"]][parameter["name"]] = parameter["schema"]
    body = operation.get("requestBody", {}).get("content", {}).get(FORM, {}).get("schema", {})
    found = _group(openapi, declared["path"], list(values.items()))
    found += _group(openapi, declared["query"], sent.query)
    found += _group(openapi, body.get("properties", {}), sent.form)
    names = {name for name, _ in sent.form}
    found += [f"{name} is missing" for name in body.get("required", []) if name not in names]
    if sent.method == "POST" and template in ONE_OF and not names & set(ONE_OF[template]):
        found.append(f"one of {ONE_OF[template]} is missing")
    return found


def _group(openapi: dict[str, Any], declared: dict[str, Any], given: list[tuple[str, str]]) -> list[str]:
    found: list[str] = []
    names = [name for name, _ in given]
    for name, value in given:
        if name not in declared:
            found.append(f"{name} is not declared")
            continue
        schema = _resolved(openapi, declared[name])
        if schema.get("type") == "array":
            schema = _resolved(openapi, schema["items"])
        elif names.count(name) > 1:
            found.append(f"{name} is given twice")
        found += [f"{name}: {fault}" for fault in _value(schema, value)]
    return found


def _value(schema: dict[str, Any], value: str) -> list[str]:
    found = []
    if schema.get("type") == "integer" and not re.fullmatch(r"-?\d+", value):
        found.append(f"{value!r} is no integer")
    if schema.get("type") == "boolean" and value.lower() not in ("true", "false"):
        found.append(f"{value!r} is neither true nor false")
    if "enum" in schema and value not in schema["enum"]:
        found.append(f"{value!r} is not one of {schema['enum']}")
    if "pattern" in schema and not re.fullmatch(schema["pattern"], value):
        found.append(f"{value!r} does not match {schema['pattern']}")
    if schema.get("format") == "uri" and not re.fullmatch(r"https?://[A-Za-z0-9.:-]+/\S*", value):
        found.append(f"{value!r} is no address")  # Twilio refuses host names with an underscore
    return found


def _resolved(openapi: dict[str, Any], schema: dict[str, Any]) -> dict[str, Any]:
    while "$ref" in schema:
        schema = openapi["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    return schema
