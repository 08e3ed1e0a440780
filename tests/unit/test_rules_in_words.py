"""A rule is said in one sentence, in English and in Chinese, with every word of its language."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from callcenter.commands.sample import read_sample
from callcenter.domain.journey import JourneyDefinition
from callcenter.journeys.policy import read_journey
from callcenter.reporting.rules_in_words import rule_in_words
from callcenter.triggers.policy import read_rule

LOAN = read_journey(read_sample("loan.yaml"))
MOMENTS = Path(__file__).parents[2] / "examples" / "moments"


def example(name: str) -> tuple[dict[str, Any], JourneyDefinition]:
    """A rule of the example, and its journey."""
    rules = yaml.safe_load((MOMENTS / "rules.yaml").read_text(encoding="utf-8"))
    raw = next(rule for rule in rules if rule["rule"] == name)
    journey = yaml.safe_load((MOMENTS / f"{raw['journey']}.yaml").read_text(encoding="utf-8"))
    return raw, read_journey(journey)


def said(raw: dict[str, Any], journey: JourneyDefinition = LOAN) -> tuple[str, str]:
    """The sentence in both languages, without what it says of the hold-out."""
    spec = read_rule({"rule": "r", "step": "id_photo", "holdout": 0, **raw}, journey)
    english, chinese = (
        rule_in_words(spec, raw.get("conditions"), journey, language) for language in ("en", "zh")
    )
    return english.removesuffix("; nobody is held out."), chinese.removesuffix("；不留对照。")


def test_trouble_says_how_often_within_what_span_and_which_events_count() -> None:
    where = {"field": "event.reason", "op": "=", "value": "glare"}
    raw = {"preset": "trouble", "errors": ["photo_rejected"], "times": 2, "within": "5m", "where": where}
    assert said(raw) == (
        "When a customer meets an error on ID photo twice within 5 min"
        " (photo rejected and the reason is glare), offer a call",
        "客户在“证件照”在 5 分钟内受阻 2 次（证件照被拒，且原因为 glare）时，安排外呼",
    )


def test_history_says_what_was_and_what_was_not() -> None:
    conditions = {
        "all": [
            {"field": "history.reached", "op": "not within", "value": "7d"},
            {"field": "did.photo_accepted", "op": "within", "value": "1h"},
        ]
    }
    assert said({"preset": "dwell", "after": "3m", "conditions": conditions}) == (
        "When a customer has been on ID photo for 3 min and did not move on,"
        " if there was no call that reached the customer in the last 7 d"
        " and there was “Photo accepted” in the last 1 h, offer a call",
        "客户在“证件照”停留满 3 分钟且未继续，并且近 7 天内无接通的外呼且近 1 小时内有“证件照通过”时，安排外呼",
    )


def test_a_cool_down_says_each_of_its_spans() -> None:
    raw = {"preset": "dwell", "after": "3m", "cool_down": {"rule": "7d", "journey": "1d", "customer": "4h"}}
    english, chinese = said(raw)
    assert english.endswith(
        "offer a call; at most once in 7 d by this rule, 1 d by any rule of the journey, 4 h by any rule"
    )
    assert chinese.endswith("安排外呼；本规则 7 天内、本旅程任何规则 1 天内、任何规则 4 小时内最多一次")


@pytest.mark.parametrize(
    ("name", "english", "chinese"),
    [
        (
            "deposit-matures",
            "When the end of the deposit is 7 d away (09:30, local time)",
            "距存款到期日还有 7 天（当地时间 09:30）",
        ),
        (
            "customer-anniversary",
            "When each year's anniversary with the bank is today (10:00, local time)",
            "每年的开户日为今天（当地时间 10:00）",
        ),
        (
            "large-movement",
            "When money moved happens on Money moved and the direction is out and the amount is at least 200,000",
            "在“资金变动”发生 资金变动，且方向为 out 且金额不低于 200,000",
        ),
    ],
)
def test_moments_say_their_date_or_their_event(name: str, english: str, chinese: str) -> None:
    raw, journey = example(name)
    in_english, in_chinese = said(raw, journey)
    assert in_english.startswith(english) and in_chinese.startswith(chinese)


def test_a_field_the_journey_no_longer_has_is_said_as_it_is_written() -> None:
    spec = read_rule({"rule": "r", "step": "id_photo", "preset": "dwell", "after": "3m"}, LOAN)
    gone = {"field": "customer.shoe_size", "op": ">", "value": 40}
    assert "if customer.shoe_size > 40, offer a call" in rule_in_words(spec, gone, LOAN, "en")
