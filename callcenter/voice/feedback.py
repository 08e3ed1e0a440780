"""The journey that answers of surveys belong to: it comes with the product, for its events are our own. Pure."""

from collections.abc import Mapping
from typing import Any

from callcenter.voice.rules import EVENT

FEEDBACK: Mapping[str, Any] = {
    "journey": "feedback",
    "title": {"en": "What customers say", "zh": "客户反馈"},
    "key": "survey",
    "gap": "14d",
    "properties": {
        "score": "number",
        "group": "text",
        "about_journey": "text",
        "about_step": "text",
        "about_rule": "text",
    },
    "steps": [
        {"id": "answered", "title": {"en": "Survey answered", "zh": "已答调研"}, "enter": [EVENT]},
        {
            "id": "put_right",
            "title": {"en": "Put right", "zh": "已妥善处理"},
            "enter": ["feedback_settled"],
        },
    ],
    "labels": {
        EVENT: {"en": "Survey answered", "zh": "已答调研"},
        "feedback_settled": {"en": "Complaint settled", "zh": "投诉已处理"},
        "score": {"en": "the score from 0 to 10", "zh": "评分（0 到 10）"},
        "group": {"en": "the survey group", "zh": "调研分组"},
        "about_journey": {"en": "the journey asked about", "zh": "所问旅程"},
        "about_step": {"en": "the step asked about", "zh": "所问步骤"},
        "about_rule": {"en": "the rule asked about", "zh": "所问规则"},
    },
}
"""Each answer is a course of its own. The bank reports `feedback_settled` when a complaint is done with."""
