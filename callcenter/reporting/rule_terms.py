"""The parts of a rule in words, in English and in Chinese: durations, events, conditions. Pure."""

import re
from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Any

from callcenter.domain.durations import duration_text
from callcenter.domain.fields import Field, event_fields, visit_fields
from callcenter.domain.journey import JourneyDefinition

_LATIN_BESIDE_HAN = re.compile(r"(?<=[一-鿿])(?=[A-Za-z0-9])|(?<=[A-Za-z0-9%])(?=[一-鿿])")
_UNITS = {
    "en": {"s": " s", "m": " min", "h": " h", "d": " d"},
    "zh": {"s": " 秒", "m": " 分钟", "h": " 小时", "d": " 天"},
}
_JOIN = {"en": {"all": " and ", "any": " or "}, "zh": {"all": "且", "any": "或"}}
_COMMA = {"en": ", ", "zh": "、"}


def tidy(said: str, language: str) -> str:
    """Put a space between Chinese and Latin letters or digits, as careful setting has it."""
    return _LATIN_BESIDE_HAN.sub(" ", said) if language == "zh" else said


def pick(texts: Mapping[str, str], language: str, otherwise: str) -> str:
    """Return the text in this language, else in English, else `otherwise`."""
    return texts.get(language) or texts.get("en") or otherwise


def duration_words(value: timedelta, language: str) -> str:
    """A duration in its largest whole unit: 5 min, 5 分钟."""
    text = duration_text(value)
    return text[:-1] + _UNITS[language][text[-1]]


def span_words(value: timedelta, language: str) -> str:
    """A span to the second with its two largest units: 1 min 20 s, 1 分钟 20 秒."""
    seconds = max(0, round(value.total_seconds()))
    days, rest = divmod(seconds, 86_400)
    hours, rest = divmod(rest, 3600)
    minutes, second = divmod(rest, 60)
    amounts = ((days, "d"), (hours, "h"), (minutes, "m"), (second, "s"))
    shown = [f"{amount}{_UNITS[language][unit]}" for amount, unit in amounts if amount][:2]
    return " ".join(shown) or f"0{_UNITS[language]['s']}"


def step_name(journey: JourneyDefinition, step: str, language: str) -> str:
    """A step's title."""
    return pick(journey.step(step).title, language, step) if step in journey.order else step


def event_name(journey: JourneyDefinition, key: str, language: str) -> str:
    """An event's label, else its name made readable."""
    return pick(journey.labels.get(key, {}), language, key.replace("_", " "))


def list_words(values: list[str] | tuple[str, ...], language: str) -> str:
    """Several names one after the other."""
    return _COMMA[language].join(values)


def fields_of(journey: JourneyDefinition) -> Mapping[str, Field]:
    """Every field that the rules of a journey may speak of, in conditions and in `where`."""
    return {**event_fields(journey), **visit_fields(journey)}


def value_words(value: Any, language: str) -> str:
    """A value as people write it: 50,000; iPhone; 7 d."""
    if isinstance(value, list | tuple | set | frozenset):
        return list_words([value_words(one, language) for one in value], language)
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float):
        return f"{round(value, 1):,g}" if isinstance(value, float) else f"{value:,}"
    if isinstance(value, timedelta):
        return duration_words(value, language)
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%d %H:%M UTC")
    if isinstance(value, date):
        return value.isoformat()
    return _SPAN.sub(lambda found: found[1] + _UNITS[language][found[2]], str(value)).replace("_", " ")


_SPAN = re.compile(r"^(\d+(?:\.\d+)?)\s*([smhd])$")


def field_words(name: str, fields: Mapping[str, Field], language: str) -> str:
    """A field's name in a sentence."""
    field = fields.get(name)
    return pick(field.label, language, name) if field else name


def comparison_words(tree: Mapping[str, Any], fields: Mapping[str, Field], language: str) -> str:
    """One comparison: the customer's credit limit is at least 50,000."""
    name, op = str(tree.get("field")), str(tree.get("op"))
    field = fields.get(name)
    operator = field.operators.get(op) if field else None
    said = (
        pick(operator.words, language, "{field} " + op + " {value}")
        if operator
        else "{field} " + op + " {value}"
    )
    return said.format(
        field=field_words(name, fields, language), value=value_words(tree.get("value"), language)
    )


def condition_words(tree: Any, fields: Mapping[str, Field], language: str, *, is_inside: bool = False) -> str:
    """A condition tree as written; a group within a group gets brackets."""
    if not isinstance(tree, Mapping) or not tree:
        return str(tree)
    if "field" in tree:
        return comparison_words(tree, fields, language)
    ((word, inner),) = list(tree.items())[:1]
    if word == "not":
        return ("not " if language == "en" else "并非") + f"({condition_words(inner, fields, language)})"
    parts = inner if isinstance(inner, list) else [inner]
    said = (
        _JOIN[language]
        .get(word, ", ")
        .join(condition_words(part, fields, language, is_inside=True) for part in parts)
    )
    return f"({said})" if is_inside and len(parts) > 1 else said
