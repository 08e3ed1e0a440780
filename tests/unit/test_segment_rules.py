"""What a segment's definition may say, and how it reads."""

from typing import Any

import pytest

from callcenter.commands.sample import read_sample
from callcenter.errors import BadInput
from callcenter.journeys.policy import read_journey
from callcenter.segments.finding import members_of
from callcenter.segments.in_words import segment_in_words
from callcenter.segments.rules import as_written, known_of, read_segment
from tests.factories import NOON_IN_SHANGHAI

KNOWN = known_of([read_journey(read_sample("loan.yaml")), read_journey(read_sample("account.yaml"))])
ROWS: tuple[tuple[dict[str, Any], str, str], ...] = (
    (
        {"form": "did", "event": "face_scan", "days": 30, "times": 3},
        "“face scan” at least 3 times in the last 30 days",
        "近 30 天内至少 3 次",
    ),
    (
        {"form": "did_not", "event": "balance_moved", "days": 7},
        "no “Balance moved” in the last 7 days",
        "没有",
    ),
    ({"form": "first", "event": "salary_received", "days": 14}, "for the first time", "首次"),
    ({"form": "last", "event": "salary_received", "days": 45}, "last more than 45 days ago", "45 天以前"),
    (
        {
            "form": "worth",
            "event": "balance_moved",
            "days": 90,
            "times": 2,
            "recent_days": 30,
            "amount": "amount",
            "least": 20000,
        },
        "in the last 30 days, and at least 2 times and 20,000 of amount in 90 days",
        "合计至少 20,000",
    ),
    (
        {"form": "attribute", "field": "customer.credit_limit", "op": ">=", "value": 50000},
        "the customer's credit limit is at least 50,000",
        "客户额度不低于 50,000",
    ),
    (
        {"form": "attribute", "field": "customer.product_matures_on", "op": "in next", "value": "30d"},
        "is in the next 30 days",
        "在未来 30 天内",
    ),
    ({"form": "tag", "op": "has not", "value": "staff"}, "without the tag staff", "没有标签 staff"),
    ({"form": "survey", "value": "detractor"}, "detractor in the survey", "调研中为贬损者"),
)


def _raw(*rows: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"segment": "one", "title": {"en": "One"}, "rows": list(rows), **more}


@pytest.mark.parametrize(("row", "english", "chinese"), ROWS)
def test_every_form_reads_as_a_sentence_in_both_languages(row: Any, english: str, chinese: str) -> None:
    spec = read_segment(_raw(row), KNOWN)
    assert english.lower() in segment_in_words(spec, KNOWN, "en").lower()
    assert chinese in segment_in_words(spec, KNOWN, "zh")


@pytest.mark.parametrize(("row", "english", "chinese"), ROWS)
def test_what_is_kept_of_a_segment_says_the_same_again(row: Any, english: str, chinese: str) -> None:
    spec = read_segment(_raw(row, any=True), KNOWN)
    again = read_segment({"segment": "one", "title": {"en": "One"}, **as_written(spec)}, KNOWN)
    assert again == spec


@pytest.mark.parametrize(
    ("raw", "where"),
    [
        ({"segment": "Not a key", "title": {"en": "x"}, "rows": [ROWS[7][0]]}, "key"),
        (_raw(ROWS[7][0], title={}), "title"),
        (_raw(), "rows"),
        (_raw(*[ROWS[7][0]] * 9), "rows"),
        (_raw({"form": "wished"}), "0"),
        (_raw(ROWS[7][0], {"form": "did", "event": "unheard_of", "days": 3}), "1"),
        (_raw({"form": "did", "event": "face_scan", "days": 0}), "0"),
        (_raw({"form": "did", "event": "face_scan", "days": 366}), "0"),
        (_raw({"form": "did", "event": "face_scan", "days": True}), "0"),
        (_raw({"form": "did", "event": "face_scan", "days": 3, "times": 0}), "0"),
        (_raw({**ROWS[4][0], "recent_days": 91}), "0"),
        (_raw({**ROWS[4][0], "least": float("nan")}), "0"),
        (_raw({**ROWS[4][0], "amount": "device"}), "0"),
        (_raw({**ROWS[5][0], "op": "starts with"}), "0"),
        (_raw({**ROWS[5][0], "value": "many"}), "0"),
        (_raw({**ROWS[6][0], "value": "soon"}), "0"),
        (_raw({"form": "attribute", "field": "customer.segments", "op": "has", "value": "two"}), "0"),
        (_raw({"form": "attribute", "field": "customer.city", "op": "in", "value": []}), "0"),
        (_raw({"form": "survey", "value": "happy"}), "0"),
        (_raw({"form": "tag", "value": " "}), "0"),
    ],
)
def test_what_is_wrong_is_named_by_its_place(raw: dict[str, Any], where: str) -> None:
    with pytest.raises(BadInput) as refused:
        read_segment(raw, KNOWN)
    assert list(refused.value.fields) == [where]


def test_no_value_a_person_typed_stands_in_the_statement() -> None:
    bad = "x'; DROP TABLE customer; --"
    spec = read_segment(
        _raw(
            {"form": "tag", "value": bad},
            {"form": "attribute", "field": "customer.city", "op": "=", "value": bad},
        ),
        KNOWN,
    )
    condition, values = members_of(spec, KNOWN, NOON_IN_SHANGHAI)
    assert bad not in condition and list(values.values()).count(bad) == 2
