"""When a visit is worth a call: deadlines to the second, one wake-up, no look too early and none too many."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from callcenter.commands.sample import read_sample
from callcenter.domain.journey import Mark, VisitState
from callcenter.errors import BadInput
from callcenter.journeys.policy import read_journey
from callcenter.triggers.policy import RuleSpec, read_rule
from callcenter.triggers.rules import clock_of, due_rules, still_stands, wake_of

LOAN = read_journey(read_sample("loan.yaml"))
START = datetime(2026, 11, 18, 4, 0, tzinfo=UTC)
LATENESS = timedelta(seconds=5)
SAMPLE = [read_rule(raw, LOAN) for raw in read_sample("rules.yaml")]


def at(seconds: float) -> datetime:
    """A moment after the visit began."""
    return START + timedelta(seconds=seconds)


def rule(preset: str, **more: Any) -> RuleSpec:
    """A rule on the ID-photo step."""
    return read_rule(
        {"rule": f"r-{preset}".replace("_", "-"), "step": "id_photo", "preset": preset, **more}, LOAN
    )


def visit(
    active: float = 0, step: str = "id_photo", closed: bool = False, **marks: tuple[float, ...]
) -> VisitState:
    """A visit with its events: name = the seconds at which each came."""
    return VisitState(
        visit_seq=1,
        step=step,
        entered_at=START,
        last_activity_at=at(active),
        marks={name: Mark(len(times), at(min(times)), at(max(times))) for name, times in marks.items()},
        closed_at=at(active) if closed else None,
    )


@pytest.mark.parametrize(
    ("one", "seen", "due"),
    [
        (rule("dwell", after="3m"), visit(100), 180),
        (rule("gone_quiet", after="3m"), visit(100), 280),
        (rule("absence", event="id_photo_front", after="60s"), visit(50, id_photo_front=(10, 50)), 70),
        (rule("trouble", times=2), visit(40, photo_rejected=(20,), upload_failed=(40,)), 40),
        (rule("trouble", times=3), visit(40, photo_rejected=(20,), upload_failed=(40,)), None),
        (rule("trouble", event="photo_rejected", after="30s"), visit(40, photo_rejected=(20, 40)), 70),
        (rule("moment"), visit(40), 0),
        (rule("dwell", after="3m"), visit(100, closed=True), None),
        (rule("dwell", after="3m"), visit(100, step="profile"), None),
    ],
)  # fmt: skip
def test_each_preset_counts_from_its_own_anchor(one: RuleSpec, seen: VisitState, due: float | None) -> None:
    clock = clock_of(one, seen)
    assert (clock.due_at if clock else None) == (None if due is None else at(due))


@pytest.mark.parametrize(("came", "fires"), [(69, False), (70, False), (71, True), (10, True)])
def test_an_event_at_exactly_the_deadline_is_in_time(came: float, fires: bool) -> None:
    one = rule("absence", event="id_photo_front", after="60s", unless=["photo_accepted"])
    assert (clock_of(one, visit(80, id_photo_front=(10,), photo_accepted=(came,))) is not None) is fires


def _due(rules: list[RuleSpec], seen: VisitState, now: datetime, **more: Any) -> list[str]:
    known = {"fired": (), "looked": {}, "lateness": LATENESS, **more}
    return [due.rule.key for due in due_rules(rules, seen, {}, now=now, **known)]


def test_a_rule_waits_for_late_events_and_one_that_fires_at_its_event_does_not() -> None:
    timed, at_once = rule("dwell", after="3m"), rule("trouble", times=1)
    assert _due([timed], visit(), at(184)) == [] and _due([timed], visit(), at(185)) == ["r-dwell"]
    assert _due([at_once], visit(40, photo_rejected=(40,)), at(40)) == ["r-trouble"]


def test_rules_that_are_due_together_come_by_priority_and_say_whether_they_hold() -> None:
    low = rule("dwell", after="1m", priority=10)
    high = rule(
        "gone_quiet", after="1m", priority=90, conditions={"field": "visit.errors", "op": ">", "value": 3}
    )
    found = due_rules([low, high], visit(), {}, fired=(), looked={}, lateness=LATENESS, now=at(70))
    assert [(due.rule.key, due.holds) for due in found] == [("r-gone-quiet", False), ("r-dwell", True)]
    assert _due([low, high], visit(), at(70), fired=["r-dwell"]) == ["r-gone-quiet"]
    looked = {"r-gone-quiet": at(60).isoformat()}
    assert _due([low, high], visit(), at(70), looked=looked) == ["r-dwell"], "looked at for this deadline"
    assert _due([high], visit(30), at(100), looked=looked) == ["r-gone-quiet"], (
        "activity has moved the deadline"
    )


def test_a_quiet_firing_stands_while_the_customer_stays_quiet_and_others_until_they_recover() -> None:
    quiet = rule("gone_quiet", after="1m")
    assert still_stands(quiet, at(0), visit(0)) and not still_stands(quiet, at(0), visit(1))
    trouble = rule("trouble", unless=["photo_accepted"])
    assert still_stands(trouble, at(40), visit(60, photo_rejected=(40, 60)))
    assert not still_stands(trouble, at(40), visit(60, photo_rejected=(40,), photo_accepted=(60,)))
    for gone in (visit(60, closed=True), visit(60, step="face_scan")):
        assert not still_stands(trouble, at(40), gone)


steps = st.sampled_from([step.id for step in LOAN.steps if step.id != LOAN.goal])
marks = st.dictionaries(
    st.sampled_from(sorted(LOAN.roles)), st.lists(st.integers(0, 600), min_size=1, max_size=3)
)


@settings(max_examples=60, deadline=None)
@given(steps, marks, st.integers(0, 900), st.sets(st.sampled_from([spec.key for spec in SAMPLE])))
def test_nothing_is_due_before_the_wake_up_and_something_is_at_it(
    step: str, came: dict[str, list[int]], now: int, fired: set[str]
) -> None:
    last = max((second for times in came.values() for second in times), default=0)
    seen = visit(last, step, **{name: tuple(times) for name, times in came.items()})
    known: dict[str, Any] = {"fired": fired, "looked": {}, "lateness": LATENESS}
    wake = wake_of(SAMPLE, seen, now=at(now), **known)
    if wake is None:
        assert _due(SAMPLE, seen, at(10_000_000), **known) == []
        return
    assert wake >= at(now)
    assert _due(SAMPLE, seen, wake, **known) != []
    if wake > at(now):
        assert _due(SAMPLE, seen, wake - timedelta(microseconds=1), **known) == []
    found = due_rules(SAMPLE, seen, {}, now=wake, **known)
    looked = {due.rule.key: due.clock.due_at.isoformat() for due in found}
    assert _due(SAMPLE, seen, wake, **{**known, "looked": looked}) == [], "a look is not repeated"


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"step": "nowhere"}, "step"),
        ({"step": "withdrawn"}, "step"),
        ({"preset": "sometimes"}, "preset"),
        ({"preset": "dwell", "after": None}, "after"),
        ({"preset": "dwell"}, "after: preset dwell needs a duration"),
        ({"preset": "dwell", "after": "0s"}, "after: at least 1s"),
        ({"preset": "dwell", "after": "25h"}, "after: longer than the silence"),
        ({"preset": "absence", "after": "1m", "event": "weather"}, "event"),
        ({"unless": ["weather"]}, "unless"),
        ({"errors": ["weather"]}, "errors"),
        ({"times": 0}, "times"),
        ({"times": True}, "times"),
        ({"priority": 101}, "priority"),
        ({"holdout": 0.95}, "holdout"),
        ({"goal": "register"}, "goal"),
        ({"conditions": {"field": "x", "op": "=", "value": 1}}, "conditions"),
        ({"nonsense": 1}, "unknown entry nonsense"),
        ({"rule": "Not A Key"}, "rule"),
    ],
)
def test_a_wrong_rule_is_refused_when_it_is_written_and_says_what(wrong: dict[str, Any], says: str) -> None:
    raw = {"rule": "r", "step": "id_photo", "preset": "trouble", **wrong}
    with pytest.raises(BadInput, match=says):
        read_rule(raw, LOAN)
