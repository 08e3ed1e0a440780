"""Conditions of a rule: a tree of all / any / not over a typed field catalogue, compiled once to closures."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from callcenter.domain.journey import JourneyDefinition, PropertyType
from callcenter.errors import BadInput

Facts = Mapping[str, Any]
Condition = Callable[[Facts], bool]


class FieldType(StrEnum):
    """What kind of value a field holds, and so which operators make sense."""

    NUMBER = "number"
    TEXT = "text"
    SET = "set"


FIELDS: Mapping[str, FieldType] = {
    "customer.credit_limit": FieldType.NUMBER,
    "customer.language": FieldType.TEXT,
    "customer.city": FieldType.TEXT,
    "customer.tags": FieldType.SET,
    "customer.products": FieldType.SET,
    "visit.minutes": FieldType.NUMBER,
    "visit.errors": FieldType.NUMBER,
    "visit.last_error": FieldType.TEXT,
    "visit.last_error_reason": FieldType.TEXT,
    "visit.entries": FieldType.NUMBER,
}
"""What a condition may speak of in every journey. A field with no value makes its comparison false."""

_TYPES = {PropertyType.NUMBER: FieldType.NUMBER, PropertyType.TEXT: FieldType.TEXT}


def visit_fields(journey: JourneyDefinition) -> Mapping[str, FieldType]:
    """Return the field catalogue of a journey: the usual fields, and what its events say."""
    said = {f"visit.{name}": _TYPES[kind] for name, kind in journey.properties.items()}
    return {**FIELDS, **said}


def event_fields(journey: JourneyDefinition) -> Mapping[str, FieldType]:
    """Return what can be asked of one event of a journey."""
    return {f"event.{name}": _TYPES[kind] for name, kind in journey.properties.items()}


def always(_: Facts) -> bool:
    """Hold, whatever the facts."""
    return True


@dataclass(frozen=True, slots=True)
class _Operator:
    holds: Callable[[Any, Any], bool]
    takes_list: bool = False


_NUMBER_OPS: Mapping[str, _Operator] = {
    "=": _Operator(lambda have, want: have == want),
    "!=": _Operator(lambda have, want: have != want),
    ">": _Operator(lambda have, want: have > want),
    ">=": _Operator(lambda have, want: have >= want),
    "<": _Operator(lambda have, want: have < want),
    "<=": _Operator(lambda have, want: have <= want),
}
_TEXT_OPS: Mapping[str, _Operator] = {
    "=": _Operator(lambda have, want: have == want),
    "!=": _Operator(lambda have, want: have != want),
    "in": _Operator(lambda have, want: have in want, takes_list=True),
    "not in": _Operator(lambda have, want: have not in want, takes_list=True),
    "starts with": _Operator(lambda have, want: have.startswith(want)),
}
_SET_OPS: Mapping[str, _Operator] = {
    "has": _Operator(lambda have, want: want in have),
    "has not": _Operator(lambda have, want: want not in have),
}
OPERATORS: Mapping[FieldType, Mapping[str, _Operator]] = {
    FieldType.NUMBER: _NUMBER_OPS,
    FieldType.TEXT: _TEXT_OPS,
    FieldType.SET: _SET_OPS,
}


def compile_condition(
    tree: Any, where: str = "conditions", fields: Mapping[str, FieldType] = FIELDS
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


def _compile_group(word: str, inner: Any, where: str, fields: Mapping[str, FieldType]) -> Condition:
    if word == "not":
        negated = compile_condition(inner, f"{where}.not", fields)
        return lambda facts: not negated(facts)
    if not isinstance(inner, list) or not inner:
        raise BadInput(f"{where}.{word}: give a list of conditions")
    parts = [compile_condition(part, f"{where}.{word}[{place}]", fields) for place, part in enumerate(inner)]
    if word == "all":
        return lambda facts: all(part(facts) for part in parts)
    return lambda facts: any(part(facts) for part in parts)


def _compile_comparison(tree: Mapping[str, Any], where: str, fields: Mapping[str, FieldType]) -> Condition:
    if set(tree) != {"field", "op", "value"}:
        raise BadInput(f"{where}: a comparison has field, op and value, nothing else")
    field, op, value = tree["field"], tree["op"], tree["value"]
    if not isinstance(field, str) or not isinstance(op, str):
        raise BadInput(f"{where}: field and op must be text")
    kind = fields.get(field)
    if kind is None:
        raise BadInput(f"{where}: unknown field {field!r}; known are {', '.join(fields)}")
    operator = OPERATORS[kind].get(op)
    if operator is None:
        raise BadInput(f"{where}: {field} takes {', '.join(OPERATORS[kind])}, not {op!r}")
    _check_value(kind, operator, value, f"{where}: {field} {op}")
    holds = operator.holds

    def comparison(facts: Facts) -> bool:
        have = facts.get(field)
        if have is None or not _has_type(kind, have):
            return False
        return holds(have, value)

    return comparison


def _check_value(kind: FieldType, operator: _Operator, value: Any, where: str) -> None:
    wanted: Collection[Any] = value if operator.takes_list and isinstance(value, list) else [value]
    if operator.takes_list and not isinstance(value, list):
        raise BadInput(f"{where}: give a list")
    one = FieldType.TEXT if kind is FieldType.SET else kind
    if not all(_has_type(one, item) for item in wanted):
        raise BadInput(f"{where}: {value!r} is not a {one.value}")


def _has_type(kind: FieldType, value: Any) -> bool:
    if kind is FieldType.NUMBER:
        return isinstance(value, int | float) and not isinstance(value, bool)
    if kind is FieldType.TEXT:
        return isinstance(value, str)
    return isinstance(value, list | tuple | set | frozenset)
