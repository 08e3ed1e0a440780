"""A trigger rule as one plain sentence, in English and in Chinese. Pure."""

import re
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any, Protocol

from callcenter.domain.draws import Band
from callcenter.domain.durations import duration_text, parse_duration
from callcenter.domain.enums import Preset, Purpose
from callcenter.domain.fields import Field, Takes, event_fields, label_of, visit_fields
from callcenter.domain.journey import JourneyDefinition
from callcenter.domain.moments import CoolDown, DateMoment

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
    def within(self) -> timedelta | None: ...
    @property
    def where(self) -> Mapping[str, Any] | None: ...
    @property
    def cool_down(self) -> CoolDown | None: ...
    @property
    def date(self) -> DateMoment | None: ...
    @property
    def purpose(self) -> Purpose: ...
    @property
    def holdout(self) -> float: ...
    @property
    def band(self) -> Band | None: ...
    @property
    def variant(self) -> str | None: ...


_UNITS = {
    "en": {"s": " s", "m": " min", "h": " h", "d": " d"},
    "zh": {"s": " 秒", "m": " 分钟", "h": " 小时", "d": " 天"},
}
_WHEN = {
    "en": {
        "quiet": "When a customer has been quiet on {step} for {after} and did not move on",
        "dwell": "When a customer has been on {step} for {after} and did not move on",
        "trouble": "When a customer meets an error on {step}{times}{within} ({errors}{where})",
        "absence": "When {event} is not followed by {unless} within {after} on {step}",
        "absence_any": "When {event} and the customer has not moved on from {step} within {after}",
        "moment": "When {event}",
        "enters": "a customer comes to {step}",
        "happens": "{event} happens on {step}{where}",
        "today": "{event} is today ({at}, local time)",
        "ahead": "{event} is {before} away ({at}, local time)",
        "each_year": "each year's {event}",
        "within": " within {span}",
        "where": " and {conditions}",
        "still": " and is still there {after} later",
        "unless": ", unless {unless} happens in between",
        "if": ", if {conditions}",
        "cool_down": "; at most once in {spans}",
        "rule": "{span} by this rule",
        "journey": "{span} by any rule of the journey",
        "customer": "{span} by any rule",
        "end": "{when}, offer a {call}{cool_down}{variant}{band}{holdout}.",
        "service": "call",
        "marketing": "marketing call",
        "collection": "collection call",
        "holdout": "; {share} % are held out",
        "no_holdout": "; nobody is held out",
        "band": "; {share} % of the visits wait {waits} instead, to see which wait is best",
        "variant": ", always with script variant {variant}",
    },
    "zh": {
        "quiet": "客户在“{step}”无操作满 {after}且未继续",
        "dwell": "客户在“{step}”停留满 {after}且未继续",
        "trouble": "客户在“{step}”{within}受阻{times}（{errors}{where}）",
        "absence": "在“{step}”，{event}后 {after}内没有{unless}",
        "absence_any": "{event}后 {after}内未离开“{step}”",
        "moment": "{event}",
        "enters": "客户进入“{step}”",
        "happens": "在“{step}”发生 {event}{where}",
        "today": "{event}为今天（当地时间 {at}）",
        "ahead": "距{event}还有 {before}（当地时间 {at}）",
        "each_year": "每年的{event}",
        "within": "在 {span}内",
        "where": "，且{conditions}",
        "still": "，且 {after}后仍停在此步",
        "unless": "，其间未发生 {unless}",
        "if": "，并且{conditions}",
        "cool_down": "；{spans}最多一次",
        "rule": "本规则 {span}内",
        "journey": "本旅程任何规则 {span}内",
        "customer": "任何规则 {span}内",
        "end": "{when}时，安排{call}{cool_down}{variant}{band}{holdout}。",
        "service": "外呼",
        "marketing": "营销外呼",
        "collection": "催收外呼",
        "holdout": "；{share} % 留作对照",
        "no_holdout": "；不留对照",
        "band": "；{share} % 的停留改等 {waits}，以比较哪种等待更好",
        "variant": "，固定使用话术 {variant}",
    },
}
_JOIN = {"en": {"all": " and ", "any": " or "}, "zh": {"all": "且", "any": "或"}}


def rule_in_words(rule: Rule, conditions: Any, journey: JourneyDefinition, language: str) -> str:
    """Say a rule in one sentence; `conditions` is its tree as written, `language` en or zh (else English).

    "When a customer has been quiet on ID photo for 2 min and did not move on, offer a call; 20 % are held
    out."
    """
    language = language if language in _WHEN else "en"
    words = _WHEN[language]
    when = _when(rule, journey, language)
    if conditions:
        when += words["if"].format(conditions=_condition(conditions, visit_fields(journey), language))
    share = words["holdout"] if rule.holdout else words["no_holdout"]
    said = words["end"].format(
        when=when,
        call=words[rule.purpose],
        cool_down=_cool_down(rule.cool_down, language),
        holdout=share.format(share=f"{rule.holdout * 100:g}"),
        band=_band(rule.band, language),
        variant=words["variant"].format(variant=rule.variant) if rule.variant else "",
    )
    return _LATIN_IN_CHINESE.sub(" ", said) if language == "zh" else said


def _cool_down(cool_down: CoolDown | None, language: str) -> str:
    if cool_down is None:
        return ""
    words = _WHEN[language]
    spans = {"rule": cool_down.rule, "journey": cool_down.journey, "customer": cool_down.customer}
    said = [words[one].format(span=_duration(span, language)) for one, span in spans.items() if span]
    return words["cool_down"].format(spans=("、" if language == "zh" else ", ").join(said))


def _band(band: Band | None, language: str) -> str:
    if band is None:
        return ""
    waits = _JOIN[language]["any"].join(_duration(one, language) for one in band.others)
    return _WHEN[language]["band"].format(share=f"{band.share * 100:g}", waits=waits)


def _event(key: str | None, journey: JourneyDefinition, language: str) -> str:
    """An event within a sentence, in the journey's words, else its name made readable."""
    labels = journey.labels.get(key or "", {})
    said = labels.get(language) or labels.get("en") or (key or "").replace("_", " ")
    return said if said[:2].isupper() else said[:1].lower() + said[1:]


def _when(rule: Rule, journey: JourneyDefinition, language: str) -> str:
    words = _WHEN[language]
    title = journey.step(rule.step).title
    step = title.get(language) or title.get("en") or rule.step
    where = ""
    if rule.where:
        where = words["where"].format(conditions=_condition(rule.where, event_fields(journey), language))
    event = _event(rule.event, journey, language)
    happened = words["happens" if rule.event else "enters"].format(event=event, step=step, where=where)
    within = words["within"].format(span=_duration(rule.within, language)) if rule.within else ""
    parts = {
        "step": step,
        "after": _duration(rule.after, language),
        "event": _day(rule.date, journey, language) if rule.date else happened,
        "unless": _list(rule.unless, journey, language),
        "times": _times(rule.times, language),
        "within": within,
        "where": where,
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


def _day(date: DateMoment, journey: JourneyDefinition, language: str) -> str:
    """When a date of the customer comes, or how long before."""
    words, labels = _WHEN[language], label_of(journey, date.trait)
    event = labels.get(language) or labels["en"]
    event = words["each_year"].format(event=event) if date.is_yearly else event
    said = words["ahead" if date.before else "today"]
    before = _duration(date.before, language) if date.before else ""
    return said.format(event=event, before=before, at=f"{date.at:%H:%M}")


def _duration(value: timedelta, language: str) -> str:
    text = duration_text(value)
    return text[:-1] + _UNITS[language][text[-1]]


def _times(times: int, language: str) -> str:
    if language == "zh":
        return f" {times} 次"
    return {1: "", 2: " twice"}.get(times, f" {times} times")


def _list(keys: Sequence[str], journey: JourneyDefinition, language: str) -> str:
    return _JOIN[language]["any"].join(_event(key, journey, language) for key in keys)


def _condition(
    tree: Mapping[str, Any], fields: Mapping[str, Field], language: str, *, inside: bool = False
) -> str:
    """One comparison, or a group; a group within a group gets brackets."""
    if "field" in tree:
        return _comparison(tree, fields, language)
    ((word, inner),) = tree.items()
    if word == "not":
        return ("not " if language == "en" else "并非") + f"({_condition(inner, fields, language)})"
    said = _JOIN[language][word].join(_condition(part, fields, language, inside=True) for part in inner)
    return f"({said})" if inside and len(inner) > 1 else said


def _comparison(tree: Mapping[str, Any], fields: Mapping[str, Field], language: str) -> str:
    """A comparison in the words of its field and operator; one the catalogue knows no more, as it stands."""
    field = fields.get(tree["field"])
    operator = field.operators.get(tree["op"]) if field else None
    if field is None or operator is None:
        return f"{tree['field']} {tree['op']} {_value(tree['value'], language)}"
    if operator.takes is Takes.DURATION:
        value = _duration(parse_duration(tree["value"], tree["field"]), language)
    else:
        value = _value(tree["value"], language)
    label = field.label.get(language) or field.label["en"]
    return operator.words[language].format(field=label, value=value)


def _value(value: Any, language: str) -> str:
    if isinstance(value, list):
        return ("、" if language == "zh" else ", ").join(_value(one, language) for one in value)
    if isinstance(value, int | float) and not isinstance(value, bool):
        return f"{value:,}"
    return str(value).replace("_", " ")
