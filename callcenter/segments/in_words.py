"""A segment as one sentence, in English and in Chinese. Pure."""

from collections.abc import Mapping
from typing import Any

from callcenter.domain.enums import SegmentForm
from callcenter.domain.fields import OPERATORS, FieldType, Takes
from callcenter.segments.rules import Known, Row, SegmentSpec

_TEXTS: Mapping[str, Mapping[str, str]] = {
    "en": {
        "did": "“{event}” at least {times} times in the last {days} days",
        "did_once": "“{event}” in the last {days} days",
        "did_not": "no “{event}” in the last {days} days",
        "first": "“{event}” for the first time in the last {days} days",
        "last": "“{event}” last more than {days} days ago",
        "worth": "“{event}” in the last {recent} days, and at least {times} times and {least} of {amount} "
        "in {days} days",
        "tag": "the tag {value}",
        "tag_not": "without the tag {value}",
        "survey": "{value} in the survey",
        "survey_not": "not {value} in the survey",
        "all": "; and ",
        "any": "; or ",
        "whole": "Customers with: {rows}.",
        "list": ", ",
        "promoter": "promoter",
        "passive": "passive",
        "detractor": "detractor",
    },
    "zh": {
        "did": "近 {days} 天内至少 {times} 次“{event}”",
        "did_once": "近 {days} 天内有“{event}”",
        "did_not": "近 {days} 天内没有“{event}”",
        "first": "近 {days} 天内首次“{event}”",
        "last": "最近一次“{event}”在 {days} 天以前",
        "worth": "近 {recent} 天内有“{event}”，{days} 天内至少 {times} 次，{amount}合计至少 {least}",
        "tag": "有标签 {value}",
        "tag_not": "没有标签 {value}",
        "survey": "调研中为{value}",
        "survey_not": "调研中不是{value}",
        "all": "，且",
        "any": "，或",
        "whole": "符合以下条件的客户：{rows}。",
        "list": "、",
        "promoter": "推荐者",
        "passive": "中立者",
        "detractor": "贬损者",
    },
}
_UNITS = {
    "en": {"d": " days", "h": " h", "m": " min", "s": " s"},
    "zh": {"d": " 天", "h": " 小时", "m": " 分钟", "s": " 秒"},
}


def segment_in_words(spec: SegmentSpec, known: Known, language: str) -> str:
    """Return what a segment asks for, as one sentence; English where a language has no words."""
    texts = _TEXTS.get(language, _TEXTS["en"])
    rows = [_row(row, known, texts, language) for row in spec.rows]
    return texts["whole"].format(rows=texts["any" if spec.is_any else "all"].join(rows))


def _row(row: Row, known: Known, texts: Mapping[str, str], language: str) -> str:
    if row.form is SegmentForm.ATTRIBUTE:
        return _attribute(row, known, texts, language)
    negated = "_not" if row.op == "has not" else ""
    if row.form is SegmentForm.TAG:
        return texts[f"tag{negated}"].format(value=row.value)
    if row.form is SegmentForm.SURVEY:
        return texts[f"survey{negated}"].format(value=texts[row.value])
    form = "did_once" if row.form is SegmentForm.DID and row.times == 1 else row.form.value
    return texts[form].format(
        event=_words(known.events[row.event][1], language) if row.event in known.events else row.event,
        days=row.days,
        times=row.times,
        recent=row.recent_days,
        amount=_words(known.amounts[row.amount], language) if row.amount in known.amounts else row.amount,
        least=f"{row.least:,.10g}",
    )


def _words(words: Mapping[str, str], language: str) -> str:
    return words.get(language) or words.get("en") or next(iter(words.values()), "")


def _attribute(row: Row, known: Known, texts: Mapping[str, str], language: str) -> str:
    one = known.fields.get(row.field)
    if one is None:
        return f"{row.field} {row.op} {row.value}"
    operator = OPERATORS[FieldType(one.type)][row.op]
    words = operator.words.get(language) or operator.words["en"]
    return words.format(
        field=_words(one.label, language), value=_value(row.value, operator.takes, texts, language)
    )


def _value(value: Any, takes: Takes, texts: Mapping[str, str], language: str) -> str:
    if takes is Takes.DURATION:
        text = str(value)
        return text[:-1] + _UNITS.get(language, _UNITS["en"])[text[-1]]
    if isinstance(value, list):
        return texts["list"].join(map(str, value))
    return f"{value:,.10g}" if isinstance(value, int | float) else str(value)
