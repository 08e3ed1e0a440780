"""What differs between two definitions of a rule, entry by entry, as it counts and not as it is typed. Pure."""

from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any

from callcenter.domain.changes import Change
from callcenter.domain.durations import parse_duration
from callcenter.domain.enums import Preset, Purpose
from callcenter.domain.needs import LEVELS
from callcenter.errors import BadInput
from callcenter.triggers.policy import (
    DEFAULT_FADES,
    DEFAULT_HOLDOUT,
    DEFAULT_MAX_AGE,
    DEFAULT_PROMISE,
    DEFAULT_VALUE,
    DEFAULT_WINDOW,
)

ORDER = (
    *("title", "journey", "step", "preset", "moment", "event", "errors", "where.joined", "where", "times"),
    *("within", "after", "band", "unless", "conditions.joined", "conditions", "cool_down", "purpose"),
    *("priority", "skill", "level", "team", "promise", "max_age", "variant", "goal", "window", "holdout"),
    *("exempt", "value", "fades"),
)
"""The order in which entries are told: when, unless, only if, then, how it is judged."""
_DEFAULTS: Mapping[str, Any] = {
    "preset": Preset.GONE_QUIET.value,
    "after": timedelta(0),
    "times": 1,
    "unless": (),
    "priority": 50,
    "purpose": Purpose.SERVICE.value,
    "promise": DEFAULT_PROMISE,
    "window": DEFAULT_WINDOW,
    "max_age": DEFAULT_MAX_AGE,
    "holdout": DEFAULT_HOLDOUT,
    "value": DEFAULT_VALUE,
    "fades": DEFAULT_FADES,
    "level": LEVELS[0],
}
_DURATIONS = frozenset({"after", "within", "promise", "window", "max_age", "fades"})
_TREES = frozenset({"conditions", "where"})


def differences(before: Mapping[str, Any], after: Mapping[str, Any]) -> tuple[Change, ...]:
    """Return what differs between two definitions; nothing where only the typing does.

    An entry left out counts as its default, so writing a default down is no change.
    """
    found = [
        Change(entry, _value(entry, before), _value(entry, after))
        for entry in sorted({*before, *after} - _TREES - {"rule"})
        if _value(entry, before) != _value(entry, after)
    ]
    for entry in sorted(_TREES):
        found += _in_tree(entry, before.get(entry), after.get(entry))
    place = {entry: number for number, entry in enumerate(ORDER)}
    return tuple(sorted(found, key=lambda one: (place.get(one.entry, len(ORDER)), one.entry)))


def _value(entry: str, raw: Mapping[str, Any]) -> Any:
    value = raw.get(entry, _DEFAULTS.get(entry))
    if entry in _DURATIONS and isinstance(value, str):
        try:
            return parse_duration(value, entry)
        except BadInput:
            return value
    if entry == "title" and isinstance(value, str):
        return {"en": value}
    return tuple(value) if isinstance(value, list) else value


def _in_tree(entry: str, before: Any, after: Any) -> Iterator[Change]:
    """The parts that were taken out, put in, or given another value."""
    old_word, old = parts_of(before)
    new_word, new = parts_of(after)
    gone = [part for part in old if part not in new]
    come = [part for part in new if part not in old]
    if old_word != new_word and len(old) > 1 and len(new) > 1:
        yield Change(f"{entry}.joined", old_word, new_word)
    for part in gone:
        same = next((one for one in come if _asks_of(one) == _asks_of(part) is not None), None)
        if same is not None:
            come.remove(same)
        yield Change(entry, part, same)
    for part in come:
        yield Change(entry, None, part)


def parts_of(tree: Any) -> tuple[str, list[Any]]:
    """Return how the parts at the top of a condition tree are joined, and the parts; one alone is `all`."""
    if not tree:
        return "all", []
    if isinstance(tree, Mapping) and len(tree) == 1:
        ((word, inner),) = tree.items()
        if word in ("all", "any") and isinstance(inner, list):
            return word, inner
    return "all", [tree]


def _asks_of(part: Any) -> Any:
    return part.get("field") if isinstance(part, Mapping) else None
