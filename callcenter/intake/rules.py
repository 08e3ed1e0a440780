"""What a raw event means: checked, corrected in time, with a place to look up. Pure."""

import hashlib
import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import orjson

from callcenter.domain.events import EventValue, Rejection
from callcenter.intake import policy


@dataclass(frozen=True, slots=True)
class EventBatch:
    """What came in one request: the events accepted so far and those refused, each with its place."""

    events: tuple[EventValue, ...]
    rejections: tuple[Rejection, ...]


class _Refused(Exception):
    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code, self.message = code, message


def read_batch(items: list[Any], inherited: Mapping[str, Any], received_at: datetime) -> EventBatch:
    """Check every raw event of a batch; one that is wrong is refused by itself, the rest go through.

    `inherited` holds the batch's `context` and `sentAt`, which events without their own take over.
    """
    events: list[EventValue] = []
    rejections: list[Rejection] = []
    for index, raw in enumerate(items):
        try:
            events.append(_read_event(raw, inherited, received_at, index))
        except _Refused as refused:
            rejections.append(Rejection(index, refused.code, refused.message, raw))
    return EventBatch(tuple(events), tuple(rejections))


def _read_event(raw: Any, inherited: Mapping[str, Any], received_at: datetime, position: int) -> EventValue:
    if not isinstance(raw, dict):
        raise _Refused("not_an_object", "an event must be a JSON object")
    _check_shape(raw)
    kind = raw.get("type")
    if kind not in policy.EVENT_KINDS:
        raise _Refused("unknown_type", f"type must be one of {', '.join(policy.EVENT_KINDS)}")
    user_id = _identifier(raw, "userId")
    anonymous_id = _identifier(raw, "anonymousId")
    if not user_id and not anonymous_id:
        raise _Refused("no_user_anon_id", "give userId or anonymousId")
    properties = _mapping(raw, "properties")
    context = {**_mapping(inherited, "context"), **_mapping(raw, "context")}
    name = _name(raw, kind)
    event_time, clamped = _event_time(raw, inherited, received_at)
    return EventValue(
        message_id=_message_id(raw, kind, user_id or anonymous_id or "", received_at),
        kind=kind,
        name=name,
        step_key=_step_key(kind, name, properties, context),
        event_time=event_time,
        received_at=received_at,
        user_id=user_id,
        anonymous_id=anonymous_id,
        previous_id=_identifier(raw, "previousId"),
        properties=properties,
        traits=_mapping(raw, "traits") or _mapping(context, "traits"),
        historical=received_at - event_time > policy.REALTIME_LATENESS,
        clamped=clamped,
        position=position,
    )


def _check_shape(raw: dict[str, Any]) -> None:
    try:
        written = orjson.dumps(raw)
    except (orjson.JSONEncodeError, TypeError, ValueError):
        raise _Refused("not_json", "the event holds something JSON cannot say") from None
    if len(written) > policy.MAX_EVENT_BYTES:
        raise _Refused("event_too_large", f"an event may have {policy.MAX_EVENT_BYTES // 1024} KB")
    if not _is_plain(written):
        _look_through(raw)


def _is_plain(written: bytes) -> bool:
    """Whether an event cannot hold anything to refuse, as a glance at its JSON tells; most are so.

    It is no deeper than it has brackets and no larger than it has commas; numbers that are not finite are
    written as null.
    """
    openings = written.count(b"{") + written.count(b"[")
    return (
        openings <= policy.MAX_NESTING
        and openings + written.count(b",") <= policy.MAX_PROPERTIES
        and b"null" not in written
        and b"\\u0000" not in written
    )


def _look_through(raw: dict[str, Any]) -> None:
    stack: list[tuple[Any, int]] = [(raw, 1)]
    members = 0
    while stack:
        value, depth = stack.pop()
        if isinstance(value, dict | list):
            if depth > policy.MAX_NESTING:
                raise _Refused("nested_too_deep", f"nesting may be {policy.MAX_NESTING} deep")
            members += len(value)
            stack.extend((inner, depth + 1) for inner in value)  # of an object, its names
            if isinstance(value, dict):
                stack.extend((inner, depth + 1) for inner in value.values())
        elif isinstance(value, float) and not math.isfinite(value):
            raise _Refused("not_finite", "numbers must be finite")
        elif isinstance(value, str) and "\x00" in value:
            raise _Refused("nul_character", "text must not hold the character U+0000")
    if members > policy.MAX_PROPERTIES:
        raise _Refused("too_many_properties", f"an event may have {policy.MAX_PROPERTIES} properties")


def _identifier(raw: Mapping[str, Any], name: str) -> str | None:
    value = raw.get(name)
    if value is None or value == "":
        return None
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    if not isinstance(value, str) or len(value) > policy.MAX_ID:
        raise _Refused("bad_id", f"{name} must be text of at most {policy.MAX_ID} characters")
    return value


def _mapping(raw: Mapping[str, Any], name: str) -> dict[str, Any]:
    value = raw.get(name)
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise _Refused("wrong_type", f"{name} must be an object")
    return value


def _name(raw: Mapping[str, Any], kind: str) -> str:
    value = raw.get("event") if kind == "track" else raw.get("name")
    if kind == "track" and not value:
        raise _Refused("no_event_name", "a track call needs event")
    if value is not None and not isinstance(value, str):
        raise _Refused("wrong_type", "event and name must be text")
    return value or kind


def _step_key(kind: str, name: str, properties: Mapping[str, Any], context: Mapping[str, Any]) -> str:
    if kind == "track":
        return name
    page = context.get("page")
    path = page.get("path") if isinstance(page, dict) else None
    key = properties.get("step") or properties.get("path") or path or name
    return str(key)


def _message_id(raw: Mapping[str, Any], kind: str, who: str, received_at: datetime) -> str:
    """Return the event's id; without one, what it says and when is its id.

    An event that does not say when it happened happened on arrival: two such are two events.
    """
    value = raw.get("messageId")
    if value is None or value == "":
        said = [raw.get(name) for name in ("event", "name", "previousId", "properties", "traits")]
        at = raw.get("originalTimestamp") or raw.get("timestamp") or received_at
        canonical = orjson.dumps([who, kind, at, *said], option=orjson.OPT_SORT_KEYS)
        return "sha256-" + hashlib.sha256(canonical).hexdigest()
    if not isinstance(value, str) or len(value) > policy.MAX_MESSAGE_ID:
        raise _Refused(
            "bad_message_id", f"messageId must be text of at most {policy.MAX_MESSAGE_ID} characters"
        )
    return value


def _event_time(
    raw: Mapping[str, Any], inherited: Mapping[str, Any], received_at: datetime
) -> tuple[datetime, bool]:
    """event_time = received_at - (sent_at - original): the sender's clock may be wrong, its differences not.

    A skew under 2 s is left alone; a time more than 2 min ahead of ours is set to ours and flagged.
    """
    original = _time(raw, "originalTimestamp") or _time(raw, "timestamp") or received_at
    sent_at = _time(raw, "sentAt") or _time(inherited, "sentAt")
    corrected = original
    if sent_at and abs(received_at - sent_at) >= policy.SKEW_TOLERANCE:
        try:
            corrected = received_at - (sent_at - original)
        except OverflowError:
            raise _Refused("bad_time", "sentAt and the event's time lie too far apart") from None
    if corrected > received_at + policy.FUTURE_TOLERANCE:
        return received_at, True
    return corrected, False


def _time(raw: Mapping[str, Any], name: str) -> datetime | None:
    value = raw.get(name)
    if value is None or value == "":
        return None
    try:
        if isinstance(value, int | float) and not isinstance(value, bool):
            return datetime.fromtimestamp(value / 1000 if value > 1e11 else value, UTC)
        moment = datetime.fromisoformat(value)
        moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        return moment.astimezone(UTC)
    except (TypeError, ValueError, OverflowError, OSError):
        raise _Refused(
            "bad_time", f"{name} must be an ISO 8601 time, for example 2026-11-21T14:20:53Z"
        ) from None
