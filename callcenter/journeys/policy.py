"""Reading a journey's file: what is allowed in it, and clear words where it is wrong."""

import re
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from callcenter.domain.durations import parse_duration
from callcenter.domain.journey import (
    USUAL_PROPERTIES,
    Crossing,
    JourneyDefinition,
    PropertyType,
    StepDefinition,
    TraitType,
)
from callcenter.errors import BadInput

_ENTRIES = frozenset(
    ["journey", "title", "key", "gap", "steps", "goal", "exits", "labels", "properties", "traits"]
)
_ID = re.compile(r"^[a-z0-9][a-z0-9_-]{0,63}$")


def _texts(value: Any, fallback: str) -> dict[str, str]:
    if isinstance(value, str):
        return {"en": value}
    if isinstance(value, Mapping) and value:
        return {str(language): str(text) for language, text in value.items()}
    return {"en": fallback}


def _keys(value: Any, where: str) -> tuple[str, ...]:
    if value is None:
        return ()
    if not isinstance(value, list) or not all(isinstance(key, str) and key for key in value):
        raise BadInput(f"{where}: give a list of event or page names")
    return tuple(value)


def _step(raw: Any, number: int) -> StepDefinition:
    where = f"step {number}"
    if not isinstance(raw, Mapping) or not isinstance(raw.get("id"), str) or not _ID.match(raw["id"]):
        raise BadInput(f"{where}: needs an id of lower-case letters, digits, _ or -")
    unknown = set(raw) - {"id", "title", "enter", "events", "errors", "milestone", "crossing"}
    if unknown:
        raise BadInput(f"{where} ({raw['id']}): unknown entry {', '.join(sorted(unknown))}")
    enter = _keys(raw.get("enter", [raw["id"]]), f"{where} enter")
    return StepDefinition(
        id=raw["id"],
        title=_texts(raw.get("title"), raw["id"]),
        enter=enter,
        events=_keys(raw.get("events"), f"{where} events"),
        errors=_keys(raw.get("errors"), f"{where} errors"),
        milestone=raw.get("milestone", False) is True,
        crossing=_crossing(raw.get("crossing"), f"{where} crossing"),
    )


def _crossing(raw: Any, where: str) -> Crossing | None:
    """Read `{property: score, above: 0.8, rearm: 0.6}`, or `below` with a higher `rearm`."""
    if raw is None:
        return None
    if (
        not isinstance(raw, Mapping)
        or set(raw) not in ({"property", "above", "rearm"}, {"property", "below", "rearm"})
        or not isinstance(raw["property"], str)
    ):
        raise BadInput(f"{where}: give property, above (or below) and rearm")
    falling = "below" in raw
    enter_at, leave_at = raw["below" if falling else "above"], raw["rearm"]
    if not all(isinstance(one, int | float) and not isinstance(one, bool) for one in (enter_at, leave_at)):
        raise BadInput(f"{where}: above, below and rearm are numbers")
    if (leave_at < enter_at) if falling else (leave_at > enter_at):
        raise BadInput(f"{where}: rearm lies on the other side of the threshold, or at it")
    return Crossing(raw["property"], float(enter_at), float(leave_at), falling)


def _properties(raw: Any) -> Mapping[str, PropertyType]:
    """Read `{amount: number, device: text}`: what visits remember besides the usual properties."""
    if raw is None:
        return USUAL_PROPERTIES
    kinds = [kind.value for kind in PropertyType]
    if not isinstance(raw, Mapping) or not all(
        isinstance(name, str) and name and kind in kinds for name, kind in raw.items()
    ):
        raise BadInput(f"properties: give each name a type, one of {', '.join(kinds)}")
    return {**USUAL_PROPERTIES, **{name: PropertyType(kind) for name, kind in raw.items()}}


def _traits(raw: Any) -> Mapping[str, TraitType]:
    """Read `{deposit_matures_on: date}`: what rules may ask of customers besides the usual attributes."""
    kinds = [kind.value for kind in TraitType]
    if raw is None:
        return {}
    if not isinstance(raw, Mapping) or not all(
        isinstance(name, str) and name and kind in kinds for name, kind in raw.items()
    ):
        raise BadInput(f"traits: give each name a type, one of {', '.join(kinds)}")
    return {name: TraitType(kind) for name, kind in raw.items()}


def _gap(raw: Any) -> timedelta | None:
    if raw in (None, "none"):
        return None
    return parse_duration(raw, "gap")


def read_journey(raw: Mapping[str, Any]) -> JourneyDefinition:
    """Turn a journey's file, as parsed from YAML, into its definition.

    Raises BadInput naming the entry that is wrong: an unknown name, a missing step, an event key that
    two steps claim, a goal that is not the last step.
    """
    if (
        not isinstance(raw, Mapping)
        or not isinstance(raw.get("journey"), str)
        or not _ID.match(raw["journey"])
    ):
        raise BadInput("journey: needs a name of lower-case letters, digits, _ or -")
    unknown = set(raw) - _ENTRIES
    if unknown:
        raise BadInput(f"unknown entry {', '.join(sorted(unknown))}")
    steps_raw = raw.get("steps")
    if not isinstance(steps_raw, list) or len(steps_raw) < 2:
        raise BadInput("steps: give at least two")
    steps = tuple(_step(step, number) for number, step in enumerate(steps_raw, 1))
    goal = raw.get("goal", steps[-1].id)
    if goal != steps[-1].id:
        raise BadInput(f"goal: {goal!r} must be the last step, {steps[-1].id!r}")
    exits = _keys(raw.get("exits"), "exits")
    seen: set[str] = set()
    for key in (*exits, *(k for s in steps for k in (*s.enter, *s.events, *s.errors))):
        if key in seen:
            raise BadInput(f"event {key!r} is claimed twice; it can mean one thing only")
        seen.add(key)
    if len({step.id for step in steps}) < len(steps):
        raise BadInput("steps: two have the same id")
    return JourneyDefinition(
        id=raw["journey"],
        title=_texts(raw.get("title"), raw["journey"]),
        steps=steps,
        goal=goal,
        key_property=raw.get("key"),
        gap=_gap(raw.get("gap", "24h")),
        exits=exits,
        labels={str(code): _texts(texts, str(code)) for code, texts in (raw.get("labels") or {}).items()},
        properties=_properties(raw.get("properties")),
        traits=_traits(raw.get("traits")),
    )
