"""Conditions mean what their form says, and a wrong one is refused when it is written."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from callcenter.commands.sample import read_sample
from callcenter.errors import BadInput
from callcenter.journeys.policy import read_journey
from callcenter.triggers.conditions import FIELDS, OPERATORS, FieldType, compile_condition, visit_fields

CATALOGUE = visit_fields(read_journey(read_sample("loan.yaml")))
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
        {"not": {"all": []}},
    ],
)  # fmt: skip
def test_a_wrong_condition_is_refused_where_it_is_written_and_says_where(tree: Any) -> None:
    with pytest.raises(BadInput, match=r"^conditions"):
        compile_condition(tree)


@pytest.mark.parametrize("tree", [_is(["a"], "=", 1), _is(LIMIT, ["="], 1)])  # type: ignore[arg-type]
def test_a_list_where_a_word_belongs_is_refused(tree: Any) -> None:
    with pytest.raises(BadInput):
        compile_condition(tree)


_values = {
    FieldType.NUMBER: st.integers() | st.floats(allow_nan=False),
    FieldType.TEXT: st.text(max_size=5),
    FieldType.SET: st.text(max_size=5),
}


@st.composite
def comparisons(draw: st.DrawFn) -> dict[str, Any]:
    """Any comparison the form allows."""
    field = draw(st.sampled_from(sorted(FIELDS)))
    kind = FIELDS[field]
    op = draw(st.sampled_from(sorted(OPERATORS[kind])))
    one = _values[kind]
    is_list = OPERATORS[kind][op].takes_list
    return _is(field, op, draw(st.lists(one, max_size=3) if is_list else one))


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
    | st.lists(st.text(max_size=3), max_size=3)
)


@settings(max_examples=60, deadline=None)
@given(trees, st.dictionaries(st.sampled_from(sorted(FIELDS)), odd))
def test_every_condition_the_form_allows_answers_for_any_facts(tree: Any, facts: dict[str, Any]) -> None:
    answer = compile_condition(tree)(facts)
    assert answer in (True, False)
    assert compile_condition({"not": tree})(facts) is (not answer)
