"""When a visit is worth a call: deadlines to the second, one wake-up, no look too early and none too many."""

from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from callcenter.commands.sample import read_sample
from callcenter.domain.journey import Looked, Mark, Sighting, VisitState
from callcenter.domain.moments import DateMoment
from callcenter.errors import BadInput
from callcenter.journeys.policy import read_journey
from callcenter.triggers.policy import RuleSpec, read_rule
from callcenter.triggers.rules import Look, StepRules, clock_of, look_at, still_stands

LOAN = read_journey(read_sample("loan.yaml"))
DATED = read_journey({**read_sample("loan.yaml"), "traits": {"matures_on": "date", "risk": "number"}})
START = datetime(2026, 11, 18, 4, 0, tzinfo=UTC)
LATENESS = timedelta(seconds=5)
SAMPLE = [read_rule(raw, LOAN) for raw in read_sample("rules.yaml")]


MOMENT = {
    "preset": "moment",
    "event": "id_photo_front",
    "date": {"field": "customer.matures_on", "before": "7d"},
}


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
        opened_at=START,
        last_activity_at=at(active),
        marks={
            name: Mark(len(times), at(min(times)), tuple(Sighting(at(one), {}) for one in sorted(times)))
            for name, times in marks.items()
        },
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


def _look(rules: list[RuleSpec], seen: VisitState, now: datetime, **more: Any) -> Look:
    known = {"fired": (), "looked": {}, "lateness": LATENESS, **more}
    return look_at(StepRules(tuple(one for one in rules if one.step == seen.step)), seen, now=now, **known)


def _due(rules: list[RuleSpec], seen: VisitState, now: datetime, **more: Any) -> list[str]:
    return [due.rule.key for due in _look(rules, seen, now, **more).due]


def test_a_rule_waits_for_late_events_and_one_that_fires_at_its_event_does_not() -> None:
    timed, at_once = rule("dwell", after="3m"), rule("trouble", times=1)
    assert _due([timed], visit(), at(184)) == [] and _due([timed], visit(), at(185)) == ["r-dwell"]
    assert _due([at_once], visit(40, photo_rejected=(40,)), at(40)) == ["r-trouble"]


def test_rules_that_are_due_together_come_by_priority_and_none_is_looked_at_twice() -> None:
    low, high = rule("dwell", after="1m", priority=10), rule("gone_quiet", after="1m", priority=90)
    found = _look([low, high], visit(), at(70))
    assert [due.rule.key for due in found.due] == ["r-gone-quiet", "r-dwell"]
    assert _due([low, high], visit(), at(70), fired=["r-dwell"]) == ["r-gone-quiet"]
    assert _due([low, high], visit(), at(70), looked=found.looked) == []
    moved = visit(30)
    assert _due([low, high], moved, at(100), looked=found.looked) == ["r-gone-quiet"], (
        "activity moves a deadline"
    )


def test_a_look_goes_on_where_the_one_before_ended() -> None:
    rules = [rule("dwell", after=f"{minutes}m") for minutes in (1, 2, 3)]
    rules = [replace(one, key=f"r{number}") for number, one in enumerate(rules)]
    first = _look(rules, visit(), at(65))
    assert ([due.rule.key for due in first.due], first.wake_at) == (["r0"], at(125))
    assert first.looked == {"entered": Looked(at(0), timedelta(minutes=1))}
    assert _due(rules, visit(), at(200), looked=first.looked) == ["r1", "r2"]


@pytest.mark.parametrize(
    ("times", "due"),
    [((0, 100, 200), None), ((0, 100, 130), 130), ((0, 30, 100), 30), ((0, 30, 60, 90, 300, 600), 90)],
)
def test_trouble_within_a_span_counts_from_the_latest_error_that_completes_it(
    times: tuple[float, ...], due: float | None
) -> None:
    one = rule("trouble", times=2, within="30s")
    clock = clock_of(one, visit(600, photo_rejected=times))
    assert (clock.due_at if clock else None) == (None if due is None else at(due))


def test_only_events_that_say_what_the_rule_asks_for_count() -> None:
    glare = {"field": "event.reason", "op": "=", "value": "glare"}
    one = rule("trouble", times=2, where=glare)
    said = [("glare", 10), ("blurred", 20), ("glare", 30), ("blurred", 40)]
    seen = visit(40, photo_rejected=(10, 20, 30, 40))
    sightings = tuple(Sighting(at(second), {"reason": reason}) for reason, second in said)
    seen = replace(seen, marks={"photo_rejected": Mark(4, at(10), sightings)})
    clock = clock_of(one, seen)
    assert clock is not None and clock.due_at == at(30)
    assert clock_of(replace(one, times=3), seen) is None


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
@given(steps, marks, st.sets(st.sampled_from([spec.key for spec in SAMPLE])))
def test_nothing_is_due_before_the_wake_up_and_something_is_at_it(
    step: str, came: dict[str, list[int]], fired: set[str]
) -> None:
    last = max((second for times in came.values() for second in times), default=0)
    seen = visit(last, step, **{name: tuple(times) for name, times in came.items()})
    known: dict[str, Any] = {"fired": fired, "looked": {}, "lateness": LATENESS}
    wake = _look(SAMPLE, seen, START, **known).wake_at
    due_now = _due(SAMPLE, seen, START, **known)
    if wake is None:
        assert due_now or _due(SAMPLE, seen, at(10_000_000), **known) == []
        return
    assert wake > START
    found = _look(SAMPLE, seen, wake, **known)
    assert len(found.due) > len(due_now)
    assert _due(SAMPLE, seen, wake - timedelta(microseconds=1), **known) == due_now
    assert _due(SAMPLE, seen, wake, **{**known, "looked": found.looked}) == [], "a look is not repeated"


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
        ({"within": "1m"}, "within"),
        ({"times": 17, "within": "1m"}, "times"),
        ({"where": {"field": "event.weather", "op": "=", "value": "x"}}, "where"),
        (
            {"preset": "dwell", "after": "1m", "where": {"field": "event.reason", "op": "=", "value": "x"}},
            "where",
        ),
        ({"nonsense": 1}, "unknown entry nonsense"),
        ({"cool_down": "7d"}, "cool_down: give durations"),
        ({"cool_down": {}}, "cool_down: give durations"),
        ({"cool_down": {"rules": "7d"}}, "cool_down: give durations"),
        ({"cool_down": {"rule": 7}}, "cool_down.rule: 7 is not a duration"),
        ({"cool_down": {"rule": "0d"}}, "cool_down: more than nothing"),
        ({"cool_down": {"rule": "900d"}}, "cool_down: more than nothing"),
        ({"date": {"field": "customer.matures_on"}}, "date: goes with preset moment"),
        ({**MOMENT, "event": "photo_accepted"}, "date: goes with preset moment and an event that enters"),
        ({**MOMENT, "date": "2026-12-01"}, "date: give field"),
        ({**MOMENT, "date": {"before": "7d"}}, "date: give field"),
        ({**MOMENT, "date": {"field": "customer.risk"}}, "date.field: 'customer.risk' is not a date"),
        ({**MOMENT, "date": {"field": "matures_on"}}, "date.field"),
        ({**MOMENT, "date": {"field": "customer.matures_on", "before": "36h"}}, "date.before: whole days"),
        ({**MOMENT, "date": {"field": "customer.matures_on", "before": "900d"}}, "date.before"),
        ({**MOMENT, "date": {"field": "customer.matures_on", "at": 570}}, "date.at: 570 is not a time"),
        ({**MOMENT, "date": {"field": "customer.matures_on", "at": "23:30"}}, "date.at"),
        ({**MOMENT, "date": {"field": "customer.matures_on", "yearly": "no"}}, "date.yearly"),
        ({"rule": "Not A Key"}, "rule"),
    ],
)
def test_a_wrong_rule_is_refused_when_it_is_written_and_says_what(wrong: dict[str, Any], says: str) -> None:
    raw = {"rule": "r", "step": "id_photo", "preset": "trouble", **wrong}
    with pytest.raises(BadInput, match=says):
        read_rule(raw, DATED)


def test_a_date_rule_counts_only_the_events_the_calendar_made_for_it() -> None:
    one = read_rule({"rule": "r", "step": "id_photo", **MOMENT}, DATED)
    assert one.date == DateMoment("matures_on", timedelta(days=7), False, time(9, 30))
    assert clock_of(one, visit(10, id_photo_front=(10,))) is None
    said = [{}, {"calendar_rule": "another"}, {"calendar_rule": "r"}]
    sightings = tuple(Sighting(at(second), said[second]) for second in range(3))
    for count, due in ((2, None), (3, 2)):
        seen = replace(visit(10), marks={"id_photo_front": Mark(count, at(0), sightings[:count])})
        clock = clock_of(one, seen)
        assert (clock.due_at if clock else None) == (None if due is None else at(due))


def test_dates_of_two_rules_do_not_share_a_clock() -> None:
    early, late = (
        read_rule({"rule": name, "step": "id_photo", **MOMENT}, DATED) for name in ("early", "late")
    )
    seen = (Sighting(at(1), {"calendar_rule": "early"}),)
    seen_early = replace(visit(10), marks={"id_photo_front": Mark(1, at(1), seen)})
    assert _due([early, late], seen_early, at(10)) == ["early"]
