"""Conditions of a rule: a tree of all / any / not over the field catalogue, compiled once to closures."""

from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
from difflib import get_close_matches
from typing import Any
from zoneinfo import ZoneInfo

from callcenter.domain.durations import parse_duration
from callcenter.domain.fields import FIELDS, Field, FieldType, Takes
from callcenter.domain.moments import read_date
from callcenter.errors import BadInput

Facts = Mapping[str, Any]
Condition = Callable[[Facts], bool]

NOW = "now"
"""The fact that says when the conditions are asked; `today` is its day in the customer's time zone."""
NEVER = datetime.min.replace(tzinfo=UTC)
"""What a history field holds when its question was asked and the answer is: not in the time looked back."""
LONGEST_LOOK_BACK = timedelta(days=366)
MOST_DAYS = timedelta(days=3660)


def always(_: Facts) -> bool:
    """Hold, whatever the facts."""
    return True


_HOLDS: Mapping[FieldType, Mapping[str, Callable[[Any, Any], bool]]] = {
    FieldType.NUMBER: {
        "=": lambda have, want: have == want,
        "!=": lambda have, want: have != want,
        ">": lambda have, want: have > want,
        ">=": lambda have, want: have >= want,
        "<": lambda have, want: have < want,
        "<=": lambda have, want: have <= want,
    },
    FieldType.TEXT: {
        "=": lambda have, want: have == want,
        "!=": lambda have, want: have != want,
        "in": lambda have, want: have in want,
        "not in": lambda have, want: have not in want,
        "starts with": lambda have, want: have.startswith(want),
    },
    FieldType.SET: {
        "has": lambda have, want: want in have,
        "has not": lambda have, want: want not in have,
    },
    FieldType.DATE: {
        "before": lambda have, want: have < want,
        "on": lambda have, want: have == want,
        "after": lambda have, want: have > want,
    },
}
_FROM_NOW: Mapping[str, Callable[[Any, datetime, date, timedelta], bool]] = {
    "in next": lambda have, _, today, span: today <= have <= today + span,
    "in last": lambda have, _, today, span: today - span <= have <= today,
    "within": lambda have, now, _, span: have >= now - span,
    "not within": lambda have, now, _, span: have < now - span,
}


def compile_condition(
    tree: Any, where: str = "conditions", fields: Mapping[str, Field] = FIELDS
) -> Condition:
    """Turn a condition tree, as parsed from YAML or JSON, into a closure over facts.

    `None` or an empty tree always holds. Raises BadInput naming the place when a field or an operator is
    unknown or a value has the wrong type, so that a rule cannot fail at three in the morning.
    """
    if not tree:
        return always
    if not isinstance(tree, Mapping):
        raise BadInput(f"{where}: give all, any, not, or field, op and value")
    if set(tree) <= {"all", "any", "not"} and len(tree) == 1:
        ((word, inner),) = tree.items()
        return _compile_group(word, inner, where, fields)
    return _compile_comparison(tree, where, fields)


def history_asked(tree: Any) -> Mapping[str, timedelta]:
    """Return the history fields that a compiled tree asks about, each with how far back it looks at most."""
    asked: dict[str, timedelta] = {}
    for one in _comparisons(tree):
        if one["op"] in ("within", "not within"):
            span = parse_duration(one["value"], one["field"])
            asked[one["field"]] = max(span, asked.get(one["field"], span))
    return asked


def _comparisons(tree: Any) -> Iterator[Mapping[str, Any]]:
    if not tree:
        return
    if "field" in tree:
        yield tree
        return
    ((_, inner),) = tree.items()
    for part in inner if isinstance(inner, list) else [inner]:
        yield from _comparisons(part)


def _compile_group(word: str, inner: Any, where: str, fields: Mapping[str, Field]) -> Condition:
    if word == "not":
        negated = compile_condition(inner, f"{where}.not", fields)
        return lambda facts: not negated(facts)
    if not isinstance(inner, list) or not inner:
        raise BadInput(f"{where}.{word}: give a list of conditions")
    parts = [compile_condition(part, f"{where}.{word}[{place}]", fields) for place, part in enumerate(inner)]
    if word == "all":
        return lambda facts: all(part(facts) for part in parts)
    return lambda facts: any(part(facts) for part in parts)


def _compile_comparison(tree: Mapping[str, Any], where: str, fields: Mapping[str, Field]) -> Condition:
    if set(tree) != {"field", "op", "value"}:
        raise BadInput(f"{where}: a comparison has field, op and value, nothing else")
    name, op, value = tree["field"], tree["op"], tree["value"]
    if not isinstance(name, str) or not isinstance(op, str):
        raise BadInput(f"{where}: field and op must be text")
    field = fields.get(name)
    if field is None:
        near = get_close_matches(name, fields, cutoff=0.5) or sorted(fields)
        raise BadInput(f"{where}: unknown field {name!r}; did you mean {', '.join(near)}?")
    operator = field.operators.get(op)
    if operator is None:
        raise BadInput(f"{where}: {name} takes {', '.join(field.operators)}, not {op!r}")
    want = _wanted(field.type, operator.takes, value, f"{where}: {name} {op}")
    if operator.takes is Takes.DURATION:
        return _from_now(field, op, want)
    holds, kind = _HOLDS[field.type][op], field.type

    def comparison(facts: Facts) -> bool:
        have = _value(kind, facts.get(name))
        return have is not None and holds(have, want)

    return comparison


def _from_now(field: Field, op: str, span: timedelta) -> Condition:
    """Compare with the moment at which the conditions are asked; without one nothing holds."""
    holds, kind, name = _FROM_NOW[op], field.type, field.name

    def comparison(facts: Facts) -> bool:
        have, now = _value(kind, facts.get(name)), facts.get(NOW)
        if have is None or not isinstance(now, datetime):
            return False
        today = _today(now, facts.get("customer.time_zone")) if kind is FieldType.DATE else now.date()
        return holds(have, now, today, span)

    return comparison


def _today(now: datetime, zone: Any) -> date:
    try:
        return now.astimezone(ZoneInfo(zone)).date()
    except (TypeError, ValueError, OSError, KeyError):  # none said, or none there is
        return now.date()


def _wanted(kind: FieldType, takes: Takes, value: Any, where: str) -> Any:
    """Return the value to compare with; raises BadInput when the operator cannot take it."""
    if takes is Takes.DURATION:
        span = parse_duration(value, where)
        longest = MOST_DAYS if kind is FieldType.DATE else LONGEST_LOOK_BACK
        if not timedelta(0) < span <= longest:
            raise BadInput(f"{where}: more than nothing, and at most {longest.days}d")
        return span
    if takes is Takes.LIST and not isinstance(value, list):
        raise BadInput(f"{where}: give a list")
    one = FieldType.TEXT if kind is FieldType.SET else kind
    if not all(_value(one, item) is not None for item in (value if takes is Takes.LIST else [value])):
        how = "; write '2026-12-01', in quotes" if one is FieldType.DATE else ""
        raise BadInput(f"{where}: {value!r} is not a {one.value}{how}")
    return read_date(value) if kind is FieldType.DATE else value


def _value(kind: FieldType, value: Any) -> Any:
    """Return a fact as its type has it; None when it is not of that type."""
    if kind is FieldType.NUMBER:
        return value if isinstance(value, int | float) and not isinstance(value, bool) else None
    if kind is FieldType.TEXT:
        return value if isinstance(value, str) else None
    if kind is FieldType.DATE:
        return read_date(value)
    if kind is FieldType.HISTORY:
        return value if isinstance(value, datetime) else None
    return value if isinstance(value, list | tuple | set | frozenset) else None
