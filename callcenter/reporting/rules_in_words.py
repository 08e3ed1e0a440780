"""A trigger rule as one plain sentence, in English and in Chinese. Pure."""

import re
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any, Protocol

from callcenter.domain.durations import duration_text
from callcenter.domain.enums import Preset
from callcenter.domain.journey import JourneyDefinition

_LATIN_IN_CHINESE = re.compile(r"(?<=[一-鿿])(?=[A-Za-z0-9])|(?<=[A-Za-z0-9])(?=[一-鿿])")


class Rule(Protocol):
    """What of a rule the sentence tells."""

    @property
    def step(self) -> str: ...
    @property
    def preset(self) -> Preset: ...
    @property
    def after(self) -> timedelta: ...
    @property
    def event(self) -> str | None: ...
    @property
    def errors(self) -> tuple[str, ...]: ...
    @property
    def times(self) -> int: ...
    @property
    def unless(self) -> tuple[str, ...]: ...
    @property
    def holdout(self) -> float: ...


_UNITS = {
    "en": {"s": " s", "m": " min", "h": " h", "d": " d"},
    "zh": {"s": " 秒", "m": " 分钟", "h": " 小时", "d": " 天"},
}
_WHEN = {
    "en": {
        "quiet": "When a customer has been quiet on {step} for {after} and did not move on",
        "dwell": "When a customer has been on {step} for {after} and did not move on",
        "trouble": "When a customer meets an error on {step}{times} ({errors})",
        "absence": "When {event} is not followed by {unless} within {after} on {step}",
        "absence_any": "When {event} and the customer has not moved on from {step} within {after}",
        "moment": "When {event}",
        "enters": "a customer comes to {step}",
        "happens": "{event} happens on {step}",
        "still": " and is still there {after} later",
        "unless": ", unless {unless} happens in between",
        "if": ", if {conditions}",
        "end": "{when}, offer a call{holdout}.",
        "holdout": "; {share} % are held out",
        "no_holdout": "; nobody is held out",
    },
    "zh": {
        "quiet": "客户在“{step}”无操作满 {after}且未继续",
        "dwell": "客户在“{step}”停留满 {after}且未继续",
        "trouble": "客户在“{step}”受阻{times}（{errors}）",
        "absence": "在“{step}”，{event}后 {after}内没有{unless}",
        "absence_any": "{event}后 {after}内未离开“{step}”",
        "moment": "{event}",
        "enters": "客户进入“{step}”",
        "happens": "在“{step}”发生 {event}",
        "still": "，且 {after}后仍停在此步",
        "unless": "，其间未发生 {unless}",
        "if": "，并且{conditions}",
        "end": "{when}时，安排外呼{holdout}。",
        "holdout": "；{share} % 留作对照",
        "no_holdout": "；不留对照",
    },
}
_JOIN = {"en": {"all": " and ", "any": " or "}, "zh": {"all": "且", "any": "或"}}
_FIELDS = {
    "en": {
        "customer.credit_limit": "the customer's credit limit",
        "customer.language": "the customer's language",
        "customer.city": "the customer's city",
        "customer.tags": "the customer's tags",
        "customer.products": "the customer's products",
        "visit.minutes": "the minutes on the step",
        "visit.errors": "the number of errors",
        "visit.last_error": "the last error",
        "visit.last_error_reason": "the last error's reason",
        "visit.entries": "the number of entries",
        "visit.device": "the device",
        "visit.app_version": "the app version",
        "visit.credit_limit": "the credit limit shown",
        "visit.amount": "the amount",
        "visit.bank": "the bank",
    },
    "zh": {
        "customer.credit_limit": "客户额度",
        "customer.language": "客户语言",
        "customer.city": "客户城市",
        "customer.tags": "客户标签",
        "customer.products": "客户产品",
        "visit.minutes": "停留分钟数",
        "visit.errors": "错误次数",
        "visit.last_error": "最近的错误",
        "visit.last_error_reason": "最近错误的原因",
        "visit.entries": "进入次数",
        "visit.device": "设备",
        "visit.app_version": "App 版本",
        "visit.credit_limit": "页面显示的额度",
        "visit.amount": "金额",
        "visit.bank": "银行",
    },
}
_OPS = {
    "en": {
        "=": "is",
        "!=": "is not",
        ">": "is over",
        ">=": "is at least",
        "<": "is under",
        "<=": "is at most",
        "in": "is one of",
        "not in": "is none of",
        "starts with": "starts with",
        "has": "include",
        "has not": "do not include",
    },
    "zh": {
        "=": "为",
        "!=": "不为",
        ">": "大于",
        ">=": "不低于",
        "<": "小于",
        "<=": "不高于",
        "in": "属于",
        "not in": "不属于",
        "starts with": "开头为",
        "has": "包含",
        "has not": "不包含",
    },
}


def rule_in_words(rule: Rule, conditions: Any, journey: JourneyDefinition, language: str) -> str:
    """Say a rule in one sentence; `conditions` is its tree as written, `language` en or zh (else English).

    "When a customer has been quiet on ID photo for 2 min and did not move on, offer a call; 20 % are held
    out."
    """
    language = language if language in _WHEN else "en"
    words = _WHEN[language]
    when = _when(rule, journey, language)
    if conditions:
        when += words["if"].format(conditions=_condition(conditions, language))
    share = words["holdout"] if rule.holdout else words["no_holdout"]
    said = words["end"].format(when=when, holdout=share.format(share=f"{rule.holdout * 100:g}"))
    return _LATIN_IN_CHINESE.sub(" ", said) if language == "zh" else said


def _event(key: str | None, journey: JourneyDefinition, language: str) -> str:
    """An event within a sentence, in the journey's words, else its name made readable."""
    labels = journey.labels.get(key or "", {})
    said = labels.get(language) or labels.get("en") or (key or "").replace("_", " ")
    return said if said[:2].isupper() else said[:1].lower() + said[1:]


def _when(rule: Rule, journey: JourneyDefinition, language: str) -> str:
    words = _WHEN[language]
    title = journey.step(rule.step).title
    step = title.get(language) or title.get("en") or rule.step
    happened = words["happens" if rule.event else "enters"].format(
        event=_event(rule.event, journey, language), step=step
    )
    parts = {
        "step": step,
        "after": _duration(rule.after, language),
        "event": happened.format(event=_event(rule.event, journey, language), step=step),
        "unless": _list(rule.unless, journey, language),
        "times": _times(rule.times, language),
        "errors": _list(rule.errors or ((rule.event,) if rule.event else ()), journey, language),
    }
    if rule.preset is Preset.ABSENCE:
        return words["absence" if rule.unless else "absence_any"].format(**parts)
    name = {Preset.GONE_QUIET: "quiet", Preset.DWELL: "dwell", Preset.TROUBLE: "trouble"}
    said = words[name.get(rule.preset, "moment")].format(**parts)
    if rule.preset in (Preset.TROUBLE, Preset.MOMENT) and rule.after:
        said += words["still"].format(**parts)
    if rule.unless:
        said += words["unless"].format(**parts)
    return said


def _duration(value: timedelta, language: str) -> str:
    text = duration_text(value)
    return text[:-1] + _UNITS[language][text[-1]]


def _times(times: int, language: str) -> str:
    if language == "zh":
        return f" {times} 次"
    return {1: "", 2: " twice"}.get(times, f" {times} times")


def _list(keys: Sequence[str], journey: JourneyDefinition, language: str) -> str:
    return _JOIN[language]["any"].join(_event(key, journey, language) for key in keys)


def _condition(tree: Mapping[str, Any], language: str, *, inside: bool = False) -> str:
    """One comparison, or a group; a group within a group gets brackets."""
    if "field" in tree:
        field = _FIELDS[language].get(tree["field"], tree["field"])
        said = f"{field} {_OPS[language].get(tree['op'], tree['op'])} {_value(tree['value'], language)}"
        return said if language == "en" else said.replace(" ", "", 1)
    ((word, inner),) = tree.items()
    if word == "not":
        return ("not " if language == "en" else "并非") + f"({_condition(inner, language)})"
    said = _JOIN[language][word].join(_condition(part, language, inside=True) for part in inner)
    return f"({said})" if inside and len(inner) > 1 else said


def _value(value: Any, language: str) -> str:
    if isinstance(value, list):
        return ("、" if language == "zh" else ", ").join(_value(one, language) for one in value)
    if isinstance(value, int | float) and not isinstance(value, bool):
        return f"{value:,}"
    return str(value).replace("_", " ")
