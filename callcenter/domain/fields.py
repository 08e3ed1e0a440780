"""What the conditions of a trigger rule may speak of: every field with its type, its operators and its words.

The one catalogue: conditions are compiled against it, forms list it, sentences are made of its words. Pure.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from callcenter.domain.journey import (
    CALENDAR_RULE,
    OF_THE_VISIT,
    JourneyDefinition,
    PropertyType,
    TraitType,
)


class FieldType(StrEnum):
    """What kind of value a field holds, and so which operators make sense.

    The value of a history field is when it happened last.
    """

    NUMBER = "number"
    TEXT = "text"
    SET = "set"
    DATE = "date"
    HISTORY = "history"


class FieldSource(StrEnum):
    """Where a field's value comes from."""

    CUSTOMER = "customer"
    VISIT = "visit"
    EVENT = "event"
    CALLS = "calls"
    EVENTS_BEFORE = "events_before"


class Takes(StrEnum):
    """What an operator is given: one value of the field's type (of a set: a text), a list, or a duration."""

    ONE = "one"
    LIST = "list"
    DURATION = "duration"


@dataclass(frozen=True, slots=True)
class Operator:
    """What an operator takes, and how a comparison with it reads: `{field}` and `{value}` by language."""

    words: Mapping[str, str]
    takes: Takes = Takes.ONE


def _operator(en: str, zh: str, takes: Takes = Takes.ONE) -> Operator:
    return Operator({"en": en, "zh": zh}, takes)


_EQUAL = {
    "=": _operator("{field} is {value}", "{field}为 {value}"),
    "!=": _operator("{field} is not {value}", "{field}不为 {value}"),
}
OPERATORS: Mapping[FieldType, Mapping[str, Operator]] = {
    FieldType.NUMBER: {
        **_EQUAL,
        ">": _operator("{field} is over {value}", "{field}大于 {value}"),
        ">=": _operator("{field} is at least {value}", "{field}不低于 {value}"),
        "<": _operator("{field} is under {value}", "{field}小于 {value}"),
        "<=": _operator("{field} is at most {value}", "{field}不高于 {value}"),
    },
    FieldType.TEXT: {
        **_EQUAL,
        "in": _operator("{field} is one of {value}", "{field}属于 {value}", Takes.LIST),
        "not in": _operator("{field} is none of {value}", "{field}不属于 {value}", Takes.LIST),
        "starts with": _operator("{field} starts with {value}", "{field}开头为 {value}"),
    },
    FieldType.SET: {
        "has": _operator("{field} include {value}", "{field}包含 {value}"),
        "has not": _operator("{field} do not include {value}", "{field}不包含 {value}"),
    },
    FieldType.DATE: {
        "before": _operator("{field} is before {value}", "{field}早于 {value}"),
        "on": _operator("{field} is on {value}", "{field}为 {value}"),
        "after": _operator("{field} is after {value}", "{field}晚于 {value}"),
        "in next": _operator("{field} is in the next {value}", "{field}在未来 {value}内", Takes.DURATION),
        "in last": _operator("{field} was in the last {value}", "{field}在过去 {value}内", Takes.DURATION),
    },
    FieldType.HISTORY: {
        "within": _operator("there was {field} in the last {value}", "近 {value}内有{field}", Takes.DURATION),
        "not within": _operator(
            "there was no {field} in the last {value}", "近 {value}内无{field}", Takes.DURATION
        ),
    },
}


@dataclass(frozen=True, slots=True)
class Field:
    """One field: its name as rules write it, its type, where its value comes from, its words by language."""

    name: str
    type: FieldType
    source: FieldSource
    label: Mapping[str, str]

    @property
    def operators(self) -> Mapping[str, Operator]:
        """The operators that fit its type."""
        return OPERATORS[self.type]


def _field(name: str, type_: FieldType, en: str, zh: str) -> Field:
    source = FieldSource.CALLS if name.startswith("history.") else FieldSource(name.split(".", maxsplit=1)[0])
    return Field(name, type_, source, {"en": en, "zh": zh})


_N, _T, _S, _H = FieldType.NUMBER, FieldType.TEXT, FieldType.SET, FieldType.HISTORY
FIELDS: Mapping[str, Field] = {
    one.name: one
    for one in (
        _field("customer.credit_limit", _N, "the customer's credit limit", "客户额度"),
        _field("customer.language", _T, "the customer's language", "客户语言"),
        _field("customer.city", _T, "the customer's city", "客户城市"),
        _field("customer.gender", _T, "the customer's gender", "客户性别"),
        _field("customer.tags", _S, "the customer's tags", "客户标签"),
        _field("customer.segments", _S, "the customer's segments", "客户分群"),
        _field("customer.survey_group", _T, "the customer's survey group", "客户调研分组"),
        _field("customer.products", _S, "the customer's products", "客户产品"),
        _field("customer.known_days", _N, "the age of the customer's record in days", "客户建档天数"),
        _field("visit.minutes", _N, "the minutes on the step", "停留分钟数"),
        _field("visit.errors", _N, "the number of errors", "错误次数"),
        _field("visit.last_error", _T, "the last error", "最近的错误"),
        _field("visit.last_error_reason", _T, "the last error's reason", "最近错误的原因"),
        _field("visit.entries", _N, "the number of entries", "进入次数"),
        _field("history.called", _H, "call to the customer", "外呼"),
        _field("history.reached", _H, "call that reached the customer", "接通的外呼"),
        _field("history.converted", _H, "conversion of the customer", "转化"),
        _field("history.fired", _H, "rule that chose the customer", "规则触发"),
        _field("history.refused", _H, "refusal by the customer", "客户拒绝"),
    )
}
"""What a condition may speak of in every journey. A field with no value makes its comparison false."""

_PROPERTIES: Mapping[str, Mapping[str, str]] = {
    "device": {"en": "the device", "zh": "设备"},
    "app_version": {"en": "the app version", "zh": "App 版本"},
    "channel": {"en": "the channel", "zh": "渠道"},
    "credit_limit": {"en": "the credit limit shown", "zh": "页面显示的额度"},
    "amount": {"en": "the amount", "zh": "金额"},
    "bank": {"en": "the bank", "zh": "银行"},
    "product": {"en": "the product", "zh": "产品"},
    "reason": {"en": "the reason", "zh": "原因"},
    "due_on": {"en": "the date", "zh": "日期"},
}
_OF_PROPERTY = {PropertyType.NUMBER: FieldType.NUMBER, PropertyType.TEXT: FieldType.TEXT}
_OF_TRAIT = {
    TraitType.NUMBER: FieldType.NUMBER,
    TraitType.TEXT: FieldType.TEXT,
    TraitType.DATE: FieldType.DATE,
}


def visit_fields(journey: JourneyDefinition) -> Mapping[str, Field]:
    """Return what the conditions of a journey's rules may speak of.

    Besides the usual fields: the properties its visits remember (`visit.`), the traits it declares
    (`customer.`) and, as `did.`, when the customer last did what its events, or its labels, name.
    """
    customer, before = FieldSource.CUSTOMER, FieldSource.EVENTS_BEFORE
    fields = dict(FIELDS)
    for name, kind in _said(journey):
        one = Field(f"visit.{name}", _OF_PROPERTY[kind], FieldSource.VISIT, _label_of_property(journey, name))
        fields.setdefault(one.name, one)
    for name, trait in journey.traits.items():
        one = Field(f"customer.{name}", _OF_TRAIT[trait], customer, label_of(journey, name))
        fields[one.name] = one
    for name in (*journey.roles, *(label for label in journey.labels if label not in journey.roles)):
        said = {language: f"“{text}”" for language, text in label_of(journey, name).items()}
        fields[f"did.{name}"] = Field(f"did.{name}", FieldType.HISTORY, before, said)
    return fields


def event_fields(journey: JourneyDefinition) -> Mapping[str, Field]:
    """Return what can be asked, in `where`, of one event of a journey."""
    return {
        f"event.{name}": Field(
            f"event.{name}", _OF_PROPERTY[kind], FieldSource.EVENT, _label_of_property(journey, name)
        )
        for name, kind in _said(journey)
        if name not in OF_THE_VISIT
    }


def _said(journey: JourneyDefinition) -> Iterable[tuple[str, PropertyType]]:
    """The properties that people may ask for."""
    return ((name, kind) for name, kind in journey.properties.items() if name != CALENDAR_RULE)


def label_of(journey: JourneyDefinition, name: str) -> Mapping[str, str]:
    """Return the words by language for an event, a trait or a property: the journey's, else its readable name."""
    return {"en": name.replace("_", " "), **journey.labels.get(name, {})}


def _label_of_property(journey: JourneyDefinition, name: str) -> Mapping[str, str]:
    if name in _PROPERTIES and name not in journey.labels:
        return _PROPERTIES[name]
    return label_of(journey, name)
