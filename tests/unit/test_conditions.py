"""Conditions mean what their form says, and a wrong one is refused when it is written."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from callcenter.commands.sample import read_sample
from callcenter.domain.fields import OPERATORS, FieldType, Takes, event_fields, visit_fields
from callcenter.errors import BadInput
from callcenter.journeys.policy import read_journey
from callcenter.triggers.conditions import NEVER, compile_condition, history_asked

LOAN = read_journey({**read_sample("loan.yaml"), "traits": {"matures_on": "date", "risk": "number"}})
CATALOGUE = visit_fields(LOAN)
NOON = datetime(2026, 11, 18, 4, 0, tzinfo=UTC)
LIMIT = "customer.credit_limit"


def holds(tree: Any, **facts: Any) -> bool:
    """Whether a condition holds; facts are named with __ for the dot."""
    return compile_condition(tree, fields=CATALOGUE)(
        {name.replace("__", "."): value for name, value in facts.items()}
    )


def _is(field: str, op: str, value: Any) -> dict[str, Any]:
    return {"field": field, "op": op, "value": value}


@pytest.mark.parametrize(
    ("op", "value", "have", "answer"),
    [
        ("=", 5, 5, True), ("=", 5, 5.0, True), ("!=", 5, 6, True), (">", 5, 5, False), (">=", 5, 5, True),
        ("<", 5, 4, True), ("<=", 5, 6, False), (">", 5, "9", False), ("=", 1, True, False),
        ("!=", 5, None, False),
    ],
)  # fmt: skip
def test_a_number_is_compared_with_numbers_only(op: str, value: Any, have: Any, answer: bool) -> None:
    assert holds(_is(LIMIT, op, value), customer__credit_limit=have) is answer


@pytest.mark.parametrize(
    ("field", "op", "value", "have", "answer"),
    [
        ("customer.city", "=", "Wuxi", "Wuxi", True),
        ("customer.city", "in", ["Wuxi", "Suzhou"], "Wuxi", True),
        ("customer.city", "not in", ["Wuxi"], "Suzhou", True),
        ("customer.city", "not in", ["Wuxi"], None, False),
        ("visit.app_version", "starts with", "7.", "7.12", True),
        ("customer.tags", "has", "vip", ["vip", "new"], True),
        ("customer.tags", "has not", "vip", [], True),
        ("customer.tags", "has not", "vip", None, False),
        ("customer.tags", "has", "vip", "vip", False),
    ],
)
def test_texts_and_sets_have_operators_of_their_own(
    field: str, op: str, value: Any, have: Any, answer: bool
) -> None:
    assert holds(_is(field, op, value), **{field.replace(".", "__"): have}) is answer


def test_groups_combine_and_nothing_always_holds() -> None:
    rich, poor = _is(LIMIT, ">", 10), _is(LIMIT, "<", 5)
    assert holds(None) and holds({}) and not holds(rich)
    assert holds({"any": [rich, poor]}, customer__credit_limit=3)
    assert not holds({"all": [rich, poor]}, customer__credit_limit=3)
    assert holds({"not": rich}, customer__credit_limit=3)
    assert holds({"not": rich}), "what we do not know is not rich"


@pytest.mark.parametrize(
    "tree",
    [
        "credit_limit > 5", ["x"], {"all": []}, {"any": {}}, {"all": "x"}, {"xor": [_is(LIMIT, "=", 1)]},
        {"all": [_is(LIMIT, "=", 1)], "any": [_is(LIMIT, "=", 1)]},
        {"field": LIMIT, "op": "="}, {**_is(LIMIT, "=", 1), "more": 1},
        _is("customer.shoe_size", "=", 1), _is(LIMIT, "has", 1), _is(LIMIT, "=", "1"), _is(LIMIT, "=", True),
        _is("customer.city", "in", "Wuxi"), _is("customer.city", "in", [1]), _is("customer.tags", "has", ["a"]),
        _is("history.called", "within", 7), _is("history.called", "within", "0d"),
        _is("history.called", "within", "900d"), _is("history.called", "=", "7d"),
        _is("did.photo_taken", "within", "7d"), _is("customer.matures_on", "before", "soon"),
        _is("customer.matures_on", "before", NOON.date()), _is("customer.matures_on", "in next", "a week"),
        _is("customer.risk", "=", "high"), _is("visit.calendar_rule", "=", "x"),
        {"not": {"all": []}},
    ],
)  # fmt: skip
def test_a_wrong_condition_is_refused_where_it_is_written_and_says_where(tree: Any) -> None:
    with pytest.raises(BadInput, match=r"^conditions"):
        compile_condition(tree, fields=CATALOGUE)


def test_a_field_nobody_knows_is_answered_with_those_that_look_like_it() -> None:
    with pytest.raises(BadInput, match=r"did you mean visit\.minutes"):
        compile_condition(_is("visit.minute", ">", 1))


@pytest.mark.parametrize(
    ("op", "days_ago", "answer"),
    [
        ("within", 6, True), ("within", 7, True), ("within", 7.01, False), ("within", None, False),
        ("not within", 6, False), ("not within", 7.01, True), ("not within", None, True),
    ],
)  # fmt: skip
def test_history_is_asked_in_spans_from_now_back(op: str, days_ago: float | None, answer: bool) -> None:
    at = NEVER if days_ago is None else NOON - timedelta(days=days_ago)
    for field in ("history.reached", "did.photo_accepted"):
        facts = {field: at, "now": NOON}
        assert compile_condition(_is(field, op, "7d"), fields=CATALOGUE)(facts) is answer


@pytest.mark.parametrize("op", ["within", "not within"])
def test_history_nobody_looked_up_makes_a_comparison_false(op: str) -> None:
    asked = compile_condition(_is("history.called", op, "7d"))
    assert not asked({}) and not asked({"now": NOON}) and not asked({"history.called": NOON})


def test_a_rule_asks_only_for_the_history_it_names_and_no_further_back() -> None:
    tree = {
        "all": [
            _is(LIMIT, ">", 5),
            {"not": _is("history.called", "within", "2d")},
            {"any": [_is("history.called", "not within", "7d"), _is("did.face_scan", "within", "1h")]},
        ]
    }
    assert history_asked(tree) == {"history.called": timedelta(days=7), "did.face_scan": timedelta(hours=1)}
    assert history_asked(None) == {} == history_asked(_is(LIMIT, ">", 5))


@pytest.mark.parametrize(
    ("op", "value", "have", "answer"),
    [
        ("before", "2026-12-01", "2026-11-30", True), ("before", "2026-12-01", "2026-12-01", False),
        ("on", "2026-12-01", "2026-12-01T08:00:00Z", True), ("after", "2026-12-01", "2026-12-02", True),
        ("in next", "7d", "2026-11-25", True), ("in next", "7d", "2026-11-26", False),
        ("in next", "7d", "2026-11-17", False), ("in last", "7d", "2026-11-11", True),
        ("in last", "7d", "2026-11-19", False), ("before", "2026-12-01", "soon", False),
        ("before", "2026-12-01", 5, False), ("in next", "7d", None, False),
    ],
)  # fmt: skip
def test_dates_are_compared_as_days(op: str, value: str, have: Any, answer: bool) -> None:
    assert holds(_is("customer.matures_on", op, value), customer__matures_on=have, now=NOON) is answer


def test_today_is_the_customers_day() -> None:
    late = datetime(2026, 11, 18, 20, 0, tzinfo=UTC)  # the 19th in Shanghai
    tree = _is("customer.matures_on", "in last", "1d")
    assert holds(tree, customer__matures_on="2026-11-19", customer__time_zone="Asia/Shanghai", now=late)
    assert not holds(tree, customer__matures_on="2026-11-19", customer__time_zone="Nowhere/Land", now=late)


def test_every_field_and_operator_has_words_in_both_languages() -> None:
    for field in {**CATALOGUE, **event_fields(LOAN)}.values():
        assert field.label["en"] and field.operators
        assert field.label.get("zh") or field.name.startswith(("did.", "customer.")), field.name
    for operators in OPERATORS.values():
        for operator in operators.values():
            for language in ("en", "zh"):
                assert "{field}" in operator.words[language] and "{value}" in operator.words[language]


@pytest.mark.parametrize("tree", [_is(["a"], "=", 1), _is(LIMIT, ["="], 1)])  # type: ignore[arg-type]
def test_a_list_where_a_word_belongs_is_refused(tree: Any) -> None:
    with pytest.raises(BadInput):
        compile_condition(tree)


_values = {
    FieldType.NUMBER: st.integers() | st.floats(allow_nan=False),
    FieldType.TEXT: st.text(max_size=5),
    FieldType.SET: st.text(max_size=5),
    FieldType.DATE: st.dates().map(str),
}
_durations = st.sampled_from(["90s", "5m", "24h", "366d"])


@st.composite
def comparisons(draw: st.DrawFn) -> dict[str, Any]:
    """Any comparison the form allows."""
    field = draw(st.sampled_from(sorted(CATALOGUE)))
    kind = CATALOGUE[field].type
    op = draw(st.sampled_from(sorted(OPERATORS[kind])))
    takes = OPERATORS[kind][op].takes
    if takes is Takes.DURATION:
        return _is(field, op, draw(_durations))
    one = _values[kind]
    return _is(field, op, draw(st.lists(one, max_size=3) if takes is Takes.LIST else one))


trees = st.recursive(
    comparisons(),
    lambda inner: (
        st.builds(lambda one: {"not": one}, inner)
        | st.builds(
            lambda word, many: {word: many},
            st.sampled_from(["all", "any"]),
            st.lists(inner, min_size=1, max_size=3),
        )
    ),
    max_leaves=8,
)
odd = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=5)
    | st.dates().map(str)
    | st.datetimes(min_value=NOON.replace(tzinfo=None), timezones=st.just(UTC))
    | st.lists(st.text(max_size=3), max_size=3)
)
names = st.sampled_from([*sorted(CATALOGUE), "now", "customer.time_zone"])


@settings(max_examples=60, deadline=None)
@given(trees, st.dictionaries(names, odd))
def test_every_condition_the_form_allows_answers_for_any_facts(tree: Any, facts: dict[str, Any]) -> None:
    if not isinstance(facts.get("now"), datetime):
        facts["now"] = NOON
    answer = compile_condition(tree, fields=CATALOGUE)(facts)
    assert answer in (True, False)
    assert compile_condition({"not": tree}, fields=CATALOGUE)(facts) is (not answer)
    assert set(history_asked(tree)) <= {name for name in CATALOGUE if name.startswith(("history.", "did."))}
