"""What differs between two versions of a rule, and how it reads."""

from typing import Any

import pytest

from callcenter.commands.sample import read_sample
from callcenter.journeys.policy import read_journey
from callcenter.reporting.changes_in_words import change_in_words
from callcenter.triggers.differences import differences

LOAN = read_journey(read_sample("loan.yaml"))
RULE: dict[str, Any] = {
    "rule": "r",
    "title": "R",
    "journey": "loan",
    "step": "id_photo",
    "preset": "gone_quiet",
    "after": "3m",
}
HIGH = {"field": "customer.credit_limit", "op": ">=", "value": 50000}
IPHONE = {"field": "visit.device", "op": "starts with", "value": "iPhone"}


def told(before: dict[str, Any], after: dict[str, Any], language: str = "en") -> list[str]:
    """The differences in words; an entry that is None is left out."""
    both = [{k: v for k, v in {**RULE, **one}.items() if v is not None} for one in (before, after)]
    return [change_in_words(one, LOAN, language) for one in differences(*both)]


@pytest.mark.parametrize(
    ("before", "after", "english", "chinese"),
    [
        ({}, {"after": "5m"}, "after: 3 min → 5 min", "等待：3 分钟 → 5 分钟"),
        (
            {},
            {"conditions": HIGH},
            "condition added: the customer's credit limit is at least 50,000",
            "新增条件：客户额度不低于 50,000",
        ),
        (
            {"conditions": {"all": [HIGH, IPHONE]}},
            {"conditions": HIGH},
            "condition removed: the device starts with iPhone",
            "删除条件：设备开头为 iPhone",
        ),
        (
            {"conditions": HIGH},
            {"conditions": {**HIGH, "value": 80000}},
            "condition: the customer's credit limit is at least 50,000 → the customer's credit limit is at least"
            " 80,000",
            "条件：客户额度不低于 50,000 → 客户额度不低于 80,000",
        ),
        (
            {"conditions": {"all": [HIGH, IPHONE]}},
            {"conditions": {"any": [HIGH, IPHONE]}},
            "conditions must hold: all → any",
            "条件需满足：全部 → 任一",
        ),
        ({}, {"unless": ["photo_accepted"]}, "unless added: Photo accepted", "新增除非：证件照通过"),
        ({}, {"holdout": 0.1}, "hold-out: 20 % → 10 %", "对照比例：20 % → 10 %"),
        ({}, {"step": "face_scan"}, "step: ID photo → Face scan", "步骤：证件照 → 人脸识别"),
        ({}, {"preset": "dwell"}, "kind: gone quiet → dwell", "类型：无操作 → 停留过久"),
        ({}, {"goal": "profile"}, "goal added: Profile", "新增目标：个人资料"),
        ({"after": None}, {"after": "30s"}, "after: at once → 30 s", "等待：立即 → 30 秒"),
        (
            {},
            {"cool_down": {"rule": "7d"}},
            "cool-down added: rule 7 d",
            "新增冷却：rule 7 天",
        ),
    ],
)
def test_a_change_reads_as_one_line(
    before: dict[str, Any], after: dict[str, Any], english: str, chinese: str
) -> None:
    assert told(before, after) == [english]
    assert told(before, after, "zh") == [chinese]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ({}, {"holdout": 0.2, "priority": 50, "window": "7d", "promise": "1m", "max_age": "1d", "times": 1}),
        ({"after": "120s"}, {"after": "2m"}),
        ({"title": "R"}, {"title": {"en": "R"}}),
        ({"conditions": HIGH}, {"conditions": {"all": [HIGH]}}),
        ({"conditions": {"all": [HIGH, IPHONE]}}, {"conditions": {"all": [IPHONE, HIGH]}}),
        ({"unless": []}, {}),
    ],
)
def test_what_only_reads_otherwise_is_no_difference(before: dict[str, Any], after: dict[str, Any]) -> None:
    assert told(before, after) == []


def test_differences_are_told_in_the_order_of_a_rule() -> None:
    after = {"holdout": 0.1, "conditions": HIGH, "after": "5m", "title": "S"}
    assert [line.split(":")[0] for line in told({}, after)] == [
        "name",
        "after",
        "condition added",
        "hold-out",
    ]


def test_a_group_is_told_whole() -> None:
    group = {"any": [HIGH, {"not": IPHONE}]}
    assert told({"conditions": HIGH}, {"conditions": {"all": [HIGH, group]}}) == [
        "condition added: the customer's credit limit is at least 50,000 or not (the device starts with iPhone)"
    ]
