"""What a CloudEvent means to us: its parts put where the SDKs put theirs, then read like any event. Pure.

Source: CloudEvents 1.0.2, its JSON format and its HTTP protocol binding.
"""

import base64
import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any
from urllib.parse import unquote

import orjson

from callcenter.domain.events import EventValue, Rejection
from callcenter.intake.rules import EventBatch, read_batch

_NEEDED = ("specversion", "id", "source", "type", "subject")


def read_cloud_events(items: list[Any], received_at: datetime) -> EventBatch:
    """Check every CloudEvent of a request; one that is wrong is refused by itself, the rest go through.

    Each becomes a `track` event: `type` is its name, `subject` the customer's id, `time` when it happened,
    the object in `data` its properties, and `source` with `id` what tells it from others.
    """
    events: list[EventValue] = []
    rejections: list[Rejection] = []
    for index, item in enumerate(items):
        found = _read(item, received_at)
        if isinstance(found, EventBatch):
            events += found.events
            rejections += (replace(one, index=index, raw=item) for one in found.rejections)
        else:
            rejections.append(replace(found, index=index))
    return EventBatch(tuple(events), tuple(rejections))


def attributes_of_headers(headers: Iterable[tuple[str, str]]) -> dict[str, Any]:
    """Collect the attributes of binary mode from `ce-` headers, whose values are percent-encoded.

    Raises UnicodeDecodeError when a value is not UTF-8 behind its percent signs.
    """
    return {
        name.lower().removeprefix("ce-"): unquote(value.strip('"'), errors="strict")
        for name, value in headers
        if name.lower().startswith("ce-")
    }


def _read(item: Any, received_at: datetime) -> EventBatch | Rejection:
    if not isinstance(item, dict):
        return Rejection(0, "not_an_object", "a CloudEvent must be a JSON object", item)
    for name in _NEEDED:
        if not isinstance(item.get(name), str) or not item[name]:
            return Rejection(0, "missing_attribute", f"a CloudEvent needs {name}, which must be text", item)
    if item["specversion"] != "1.0":
        return Rejection(0, "unknown_specversion", "specversion must be 1.0", item)
    if not isinstance(item.get("time", ""), str):
        return Rejection(
            0, "bad_time", "time must be an RFC 3339 time, for example 2026-11-21T14:20:53Z", item
        )
    try:
        data = _data(item)
    except ValueError:
        return Rejection(0, "wrong_type", "data must be a JSON object, data_base64 one in base64", item)
    try:
        message_id = _message_id(item["source"], item["id"])
    except orjson.JSONEncodeError:
        return Rejection(0, "not_json", "the event holds something JSON cannot say", item)
    event = {
        "type": "track",
        "event": item["type"],
        "userId": item["subject"],
        "timestamp": item.get("time"),
        "properties": data,
        "messageId": message_id,
    }
    return read_batch([event], {}, received_at)


def _data(item: Mapping[str, Any]) -> dict[str, Any]:
    """Return the event's data; raises ValueError when it is anything but a JSON object or absent."""
    data = item.get("data")
    if data is None and item.get("data_base64"):
        packed = item["data_base64"]
        if not isinstance(packed, str):
            raise ValueError("data_base64 is no text")
        data = orjson.loads(base64.b64decode(packed, validate=True))
    if data is not None and not isinstance(data, dict):
        raise ValueError("data is no object")
    return data or {}


def _message_id(source: str, id: str) -> str:
    """Return what tells this event from others: ids are unique within a source only, and may be long."""
    return "ce-" + hashlib.sha256(orjson.dumps([source, id])).hexdigest()
