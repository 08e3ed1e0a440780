"""What two versions of a rule differ in, as lines a reviewer reads: after: 3 min → 5 min. Pure."""

from collections.abc import Mapping
from typing import Any

from callcenter.domain.changes import Change
from callcenter.domain.enums import Preset, Purpose
from callcenter.domain.journey import JourneyDefinition
from callcenter.reporting.rule_terms import (
    condition_words,
    event_name,
    fields_of,
    list_words,
    step_name,
    tidy,
    value_words,
)

ENTRIES: Mapping[str, Mapping[str, str]] = {
    "en": {
        "title": "name",
        "journey": "journey",
        "step": "step",
        "preset": "kind",
        "moment": "moment",
        "event": "event",
        "errors": "errors",
        "times": "how often",
        "within": "within",
        "after": "after",
        "band": "waits tried",
        "variant": "script variant",
        "unless": "unless",
        "cool_down": "cool-down",
        "purpose": "purpose",
        "priority": "priority",
        "skill": "skill asked of the agent",
        "level": "level of the skill",
        "team": "team asked of the agent",
        "promise": "promise",
        "max_age": "expires after",
        "goal": "goal",
        "window": "judged within",
        "holdout": "hold-out",
        "exempt": "exempt from hold-outs because",
        "value": "value of a conversion",
        "fades": "half gone after",
        "where.joined": "events must match",
        "conditions.joined": "conditions must hold",
    },
    "zh": {
        "title": "名称",
        "journey": "旅程",
        "step": "步骤",
        "preset": "类型",
        "moment": "时机",
        "event": "事件",
        "errors": "错误",
        "times": "次数",
        "within": "时间范围",
        "after": "等待",
        "band": "试用等待",
        "variant": "话术版本",
        "unless": "除非",
        "cool_down": "冷却",
        "purpose": "目的",
        "priority": "优先级",
        "skill": "要求坐席技能",
        "level": "技能等级",
        "team": "要求团队",
        "promise": "起呼承诺",
        "max_age": "任务有效期",
        "goal": "目标",
        "window": "效果观察期",
        "holdout": "对照比例",
        "exempt": "不留对照的理由",
        "value": "单笔转化价值",
        "fades": "价值减半时间",
        "where.joined": "事件需满足",
        "conditions.joined": "条件需满足",
    },
}
PRESETS: Mapping[str, Mapping[str, str]] = {
    "en": {
        Preset.GONE_QUIET: "gone quiet",
        Preset.DWELL: "dwell",
        Preset.ABSENCE: "A then not B",
        Preset.TROUBLE: "trouble",
        Preset.MOMENT: "moment",
    },
    "zh": {
        Preset.GONE_QUIET: "无操作",
        Preset.DWELL: "停留过久",
        Preset.ABSENCE: "有 A 无 B",
        Preset.TROUBLE: "受阻",
        Preset.MOMENT: "时机",
    },
}
PURPOSES: Mapping[str, Mapping[str, str]] = {
    "en": {Purpose.SERVICE: "service care", Purpose.MARKETING: "marketing", Purpose.COLLECTION: "collection"},
    "zh": {Purpose.SERVICE: "服务关怀", Purpose.MARKETING: "营销", Purpose.COLLECTION: "催收"},
}
_FORMS = {
    "en": {
        "changed": "{entry}: {before} → {after}",
        "added": "{entry} added: {after}",
        "removed": "{entry} removed: {before}",
        "nothing": "nothing",
        "at_once": "at once",
        "all": "all",
        "any": "any",
        "band": "{waits} for {share} % of the visits",
        "variant": "always {value}",
    },
    "zh": {
        "changed": "{entry}：{before} → {after}",
        "added": "新增{entry}：{after}",
        "removed": "删除{entry}：{before}",
        "nothing": "无",
        "at_once": "立即",
        "all": "全部",
        "any": "任一",
        "band": "{share} % 的停留用 {waits}",
        "variant": "固定 {value}",
    },
}
_PARTS = {
    "en": {"conditions": "condition", "where": "event property"},
    "zh": {"conditions": "条件", "where": "事件属性"},
}


def change_in_words(change: Change, journey: JourneyDefinition, language: str) -> str:
    """Say one change in a line; `language` is en or zh, else English.

    "condition added: the customer's credit limit is at least 50,000"
    """
    language = language if language in _FORMS else "en"
    forms = _FORMS[language]
    is_part = change.entry in _PARTS[language]
    entry = _PARTS[language].get(change.entry) or ENTRIES[language].get(
        change.entry, change.entry.replace("_", " ")
    )
    kind = "changed"
    if change.before in (None, ()) or change.after in (None, ()):
        kind = "added" if change.before in (None, ()) else "removed"
    if kind != "changed" and not is_part and change.entry == "after":
        kind = "changed"
    said = [
        condition_words(value, fields_of(journey), language)
        if is_part and value is not None
        else _value(change.entry, value, journey, language)
        for value in (change.before, change.after)
    ]
    return tidy(forms[kind].format(entry=entry, before=said[0], after=said[1]), language)


def _value(entry: str, value: Any, journey: JourneyDefinition, language: str) -> str:
    forms = _FORMS[language]
    if value is None or value == ():
        return forms["nothing"]
    if entry.endswith(".joined"):
        return forms.get(str(value), str(value))
    if entry == "after" and not value:
        return forms["at_once"]
    if entry == "holdout":
        return f"{value * 100:g} %"
    if entry == "band" and isinstance(value, Mapping):
        waits = list_words([value_words(one, language) for one in value.get("waits", [])], language)
        return forms["band"].format(waits=waits, share=f"{value.get('share', 0) * 100:g}")
    if entry == "variant":
        return forms["variant"].format(value=value)
    if entry == "preset":
        return PRESETS[language].get(value, str(value))
    if entry == "purpose":
        return PURPOSES[language].get(value, str(value))
    if entry in ("step", "goal"):
        return step_name(journey, value, language)
    if entry == "event":
        return event_name(journey, value, language)
    if entry in ("errors", "unless"):
        return list_words([event_name(journey, one, language) for one in value], language)
    if isinstance(value, Mapping):
        return list_words([f"{name} {value_words(one, language)}" for name, one in value.items()], language)
    return value_words(value, language)
