"""Small stories told by hand, each with the one thing it is about; the plain reading must tell them alike."""

from typing import Any

import pytest
from sqlmodel import Session, col, select

from callcenter.models import Visit
from tests.semantics.oracle import Event, Fired, Moment
from tests.semantics.player import at, played
from tests.semantics.worlds import Story, World, told_by_the_oracle

pytestmark = pytest.mark.slow

JOURNEY: dict[str, Any] = {
    "journey": "story",
    "key": "application",
    "gap": "300s",
    "steps": [
        {"id": "s0", "enter": ["s0"], "events": ["s0_touch", "s0_ok"], "errors": ["s0_fail", "s0_crash"]},
        {"id": "s1", "enter": ["s1"], "events": ["s1_touch"]},
        {"id": "goal", "enter": ["goal"]},
    ],
    "exits": ["left"],
}
RULE: dict[str, Any] = {"rule": "r0", "journey": "story", "step": "s0", "after": "60s"}
DWELL = {**RULE, "preset": "dwell"}
QUIET = {**RULE, "preset": "gone_quiet"}
TROUBLE = {**RULE, "preset": "trouble", "after": "0s"}
ANN = ("ann", "a1")


def happened(second: int, name: str, amount: int | None = None) -> Event:
    """One event of Ann's."""
    return Event(second, f"{name}{second:03d}", "ann", "a1", name, amount)


def nobody(second: int, name: str, device: str = "d1") -> Event:
    """One event on a device, naming nobody."""
    return Event(second, f"{device}{name}{second:03d}", "", "a1", name, None, device)


def signs_in(second: int, who: str = "ann", device: str = "d1", name: str = "identify") -> Event:
    """Somebody says that a device is theirs."""
    return Event(second, f"{who}{device}{second:03d}", who, "a1", name, None, device)


def comes(moment: int, *events: Event) -> Moment:
    """A batch that comes in; without events, a tick."""
    return Moment(moment, events)


def as_it_happens(*events: Event) -> list[Moment]:
    """Each event by itself, in the second in which it happens."""
    return [comes(one.happened, one) for one in events]


def fired(session: Session, rules: list[dict[str, Any]], history: list[Moment], lateness: int = 0) -> Story:
    """What is stored of a story, which is what a plain reading tells of it."""
    rules = [{**rule, "rule": f"r{number}"} for number, rule in enumerate(rules)]
    world = World(JOURNEY, rules, lateness, history)
    with played(session.connection(), world) as player:
        found = player.story()
    assert found == told_by_the_oracle(world)
    return found


def test_a_success_in_time_counts_when_others_came_before_and_after(session: Session) -> None:
    course = as_it_happens(
        happened(0, "s0_ok"), happened(10, "s0_fail"), happened(20, "s0_ok"), happened(100, "s0_ok")
    )
    assert fired(session, [{**RULE, "preset": "trouble", "unless": ["s0_ok"]}], [*course, comes(200)]) == {}


def test_a_success_at_the_very_deadline_is_in_time_and_one_at_the_error_is_not(session: Session) -> None:
    rule = {**RULE, "preset": "trouble", "unless": ["s0_ok"]}
    errors = as_it_happens(happened(10, "s0_fail"))
    assert fired(session, [rule], [*errors, comes(70, happened(70, "s0_ok")), comes(200)]) == {}
    found = fired(session, [rule], [comes(10, happened(10, "s0_ok"), happened(10, "s0_fail")), comes(200)])
    assert found == {ANN: [Fired("r0", 1, 10, 70)]}


def test_a_late_event_does_not_put_an_old_value_over_a_newer_one(session: Session) -> None:
    rule = {**DWELL, "conditions": {"field": "visit.amount", "op": ">=", "value": 3}}
    late = comes(25, happened(10, "s0_touch", 1))
    history = [comes(0, happened(0, "s0")), comes(20, happened(20, "s0_touch", 3)), late, comes(200)]
    assert fired(session, [rule], history) == {ANN: [Fired("r0", 1, 0, 60)]}


def test_what_an_entry_heard_of_only_later_said_holds_where_nothing_else_was_said(session: Session) -> None:
    rule = {**DWELL, "conditions": {"field": "visit.amount", "op": ">=", "value": 3}}
    history = [comes(20, happened(20, "s0")), comes(25, happened(10, "s0", 3)), comes(200)]
    assert fired(session, [rule], history) == {ANN: [Fired("r0", 1, 10, 70)]}


def test_an_entry_heard_of_only_later_says_nothing_over_what_was_said_after_it(session: Session) -> None:
    rule = {**DWELL, "conditions": {"field": "visit.amount", "op": ">=", "value": 3}}
    history = [comes(20, happened(20, "s0", 1)), comes(25, happened(10, "s0", 3)), comes(200)]
    assert fired(session, [rule], history) == {}


def test_an_entry_heard_of_only_later_is_the_event_that_a_rule_counts_from(session: Session) -> None:
    rule = {**RULE, "preset": "absence", "event": "s0"}
    history = [comes(20, happened(20, "s0")), comes(25, happened(10, "s0")), comes(200)]
    assert fired(session, [rule], history) == {ANN: [Fired("r0", 1, 10, 70)]}


@pytest.mark.parametrize(("entered", "anchor"), [(320, 20), (321, 321)])
def test_an_entry_before_a_whole_silence_is_of_an_earlier_visit(
    session: Session, entered: int, anchor: int
) -> None:
    history = [comes(325, happened(entered, "s0")), comes(330, happened(20, "s0")), comes(500)]
    assert fired(session, [DWELL], history) == {ANN: [Fired("r0", 1, anchor, anchor + 60)]}


@pytest.mark.parametrize(("pause", "visits"), [(299, 1), (300, 1), (301, 2)])
def test_silence_longer_than_the_gap_ends_a_visit_and_one_of_the_gap_does_not(
    session: Session, pause: int, visits: int
) -> None:
    history = as_it_happens(happened(0, "s0"), happened(pause, "s0_touch"))
    found = fired(session, [QUIET], [comes(0, *history[0].events), comes(60), history[1], comes(600)])
    assert len(found[ANN]) == visits


def test_activity_before_the_latest_does_not_make_a_customer_quiet_since_then(session: Session) -> None:
    history = [comes(0, happened(0, "s0")), comes(50, happened(50, "s0_touch"))]
    late = comes(55, happened(30, "s0_touch"))
    assert fired(session, [QUIET], [*history, late, comes(100), comes(200)]) == {
        ANN: [Fired("r0", 1, 50, 110)]
    }


def test_a_late_event_is_not_the_latest_of_its_kind(session: Session) -> None:
    rule = {**RULE, "preset": "moment", "event": "s0_touch"}
    history = [comes(0, happened(0, "s0")), comes(20, happened(20, "s0_touch"))]
    late = comes(25, happened(10, "s0_touch"))
    assert fired(session, [rule], [*history, late, comes(70), comes(80)]) == {ANN: [Fired("r0", 1, 20, 80)]}


def test_rules_that_count_from_one_anchor_run_out_each_in_its_turn(session: Session) -> None:
    rules = [{**QUIET, "after": after} for after in ("120s", "10s", "30s")]
    ticks = [comes(second) for second in (10, 30, 120)]
    found = fired(session, rules, [comes(0, happened(0, "s0")), *ticks])
    assert found == {ANN: [Fired("r0", 1, 0, 120), Fired("r1", 1, 0, 10), Fired("r2", 1, 0, 30)]}


def test_a_deadline_that_was_looked_at_in_vain_is_looked_at_anew_from_another_anchor(
    session: Session,
) -> None:
    """The conditions do not hold at the first look; after more activity they do, also for the shorter span."""
    said = {"conditions": {"field": "visit.amount", "op": ">=", "value": 3}}
    rules = [{**QUIET, "after": after, **said} for after in ("10s", "60s")]
    history = [comes(0, happened(0, "s0")), comes(20), comes(20, happened(20, "s0_touch", 3))]
    found = fired(session, rules, [*history, comes(30), comes(80)])
    assert found == {ANN: [Fired("r0", 1, 20, 30), Fired("r1", 1, 20, 80)]}


def test_a_deadline_that_was_looked_at_in_vain_is_not_looked_at_again(session: Session) -> None:
    said = {"conditions": {"field": "visit.amount", "op": ">=", "value": 3}}
    rules = [{**DWELL, "after": "10s", **said}, {**DWELL, "after": "120s"}]
    history = [comes(0, happened(0, "s0")), comes(10), comes(20, happened(20, "s0_touch", 3))]
    assert fired(session, rules, [*history, comes(120)]) == {ANN: [Fired("r1", 1, 0, 120)]}


def test_the_clock_of_an_active_customer_is_left_and_still_none_is_missed(session: Session) -> None:
    """The clock set at the entry runs out while the customer is active; the look then sets the next one."""
    rules = [QUIET, {**RULE, "preset": "absence", "event": "s0_touch", "after": "10s"}]
    active = as_it_happens(happened(0, "s0"), *(happened(second, "s0_touch") for second in (40, 45, 49)))
    ticks = [comes(second) for second in (50, 60, 108, 109)]
    found = fired(session, rules, [*active, *ticks])
    assert found == {ANN: [Fired("r0", 1, 49, 109), Fired("r1", 1, 40, 50)]}


def test_the_row_of_an_active_customers_clock_is_not_set_anew(session: Session) -> None:
    world = World(
        JOURNEY, [{**QUIET, "rule": "r0"}], 0, as_it_happens(happened(0, "s0"), happened(40, "s0_touch"))
    )
    with played(session.connection(), world) as player:
        assert player.session.exec(select(Visit.wake_at)).one() == at(60)


def test_a_rule_that_is_off_does_not_stop_the_clock_of_those_after_it(session: Session) -> None:
    rules = [{**DWELL, "after": "30s", "unless": ["s0_ok"]}, DWELL]
    history = [comes(5, happened(0, "s0"), happened(5, "s0_ok")), comes(60)]
    assert fired(session, rules, history) == {ANN: [Fired("r1", 1, 0, 60)]}


def test_a_clock_that_has_to_run_out_earlier_than_it_did_is_set_earlier(session: Session) -> None:
    """A rule of an error, or an entry heard of only later, runs out before the clock that was set."""
    rules = [{**DWELL, "after": "120s"}, {**RULE, "preset": "trouble", "after": "10s"}]
    history = [comes(0, happened(0, "s0")), comes(5, happened(5, "s0_fail")), comes(15)]
    assert fired(session, rules, history) == {ANN: [Fired("r1", 1, 5, 15)]}


@pytest.mark.parametrize(("times", "fires"), [((0, 20), True), ((0, 21), False)])
def test_so_many_errors_within_a_span_are_trouble_and_one_second_longer_apart_are_not(
    session: Session, times: tuple[int, ...], fires: bool
) -> None:
    rule = {**TROUBLE, "times": 2, "within": "20s"}
    course = as_it_happens(*(happened(second, "s0_fail") for second in times))
    assert bool(fired(session, [rule], [*course, comes(200)])) is fires


def test_rules_that_ask_for_more_trouble_or_closer_together_count_by_themselves(session: Session) -> None:
    rules = [TROUBLE, {**TROUBLE, "times": 3}]
    assert fired(session, rules, as_it_happens(happened(10, "s0_fail"))) == {ANN: [Fired("r0", 1, 10, 10)]}
    rules = [{**TROUBLE, "times": 2, "within": within} for within in ("60s", "5s")]
    course = as_it_happens(happened(10, "s0_fail"), happened(30, "s0_fail"))
    assert fired(session, rules, course) == {ANN: [Fired("r0", 1, 30, 30)]}


def test_trouble_is_found_wherever_it_lay_close_together(session: Session) -> None:
    rule = {**TROUBLE, "after": "60s", "times": 2, "within": "5s"}
    batch = comes(50, *(happened(second, "s0_crash") for second in (0, 10, 14, 40)))
    assert fired(session, [rule], [batch, comes(200)]) == {ANN: [Fired("r0", 1, 14, 74)]}


def test_only_events_that_say_what_is_asked_for_count(session: Session) -> None:
    where = {"where": {"field": "event.amount", "op": ">=", "value": 3}}
    rules = [
        {**RULE, "preset": "absence", "event": "s0_touch", **where},
        {**RULE, "preset": "moment", "event": "s0_touch", **where},
        {**TROUBLE, "times": 2, **where},
    ]
    touches = [happened(second, "s0_touch", amount) for second, amount in ((0, 1), (5, 3), (9, 3), (12, 2))]
    errors = [happened(20 + number, "s0_fail", amount) for number, amount in enumerate((3, 1, 3, 3))]
    found = fired(session, rules, [*as_it_happens(*touches, *errors), comes(200)])
    assert found == {ANN: [Fired("r0", 1, 5, 65), Fired("r1", 1, 9, 69), Fired("r2", 1, 22, 22)]}


def test_events_of_one_second_are_read_as_they_stood_in_their_request(session: Session) -> None:
    there, on = happened(10, "s0"), happened(10, "s1")
    assert fired(session, [DWELL], [comes(10, there, on), comes(200)]) == {}
    assert fired(session, [DWELL], [comes(10, on, there), comes(200)]) == {ANN: [Fired("r0", 2, 10, 70)]}


def test_of_errors_in_one_second_the_last_one_in_the_request_is_the_last_error(session: Session) -> None:
    rule = {**DWELL, "conditions": {"field": "visit.last_error", "op": "=", "value": "s0_fail"}}
    crash, fail = happened(10, "s0_crash"), happened(10, "s0_fail")
    assert fired(session, [rule], [comes(10, crash, fail), comes(200)]) == {ANN: [Fired("r0", 1, 10, 70)]}
    assert fired(session, [rule], [comes(10, fail, crash), comes(200)]) == {}


def test_a_customer_who_leaves_in_the_second_of_the_entry_has_left(session: Session) -> None:
    assert fired(session, [DWELL], [comes(10, happened(10, "s0"), happened(10, "left")), comes(200)]) == {}


def test_a_visit_that_is_closed_before_the_look_fires_nothing(session: Session) -> None:
    history = [comes(0, happened(0, "s0")), comes(90, happened(80, "left")), comes(200)]
    assert fired(session, [DWELL], history) == {}


def test_visits_of_a_course_are_counted_on(session: Session) -> None:
    course = as_it_happens(*(happened(number * 10, ("s0", "left")[number % 2]) for number in range(5)))
    assert fired(session, [DWELL], [*course, comes(200)]) == {ANN: [Fired("r0", 3, 40, 100)]}


def test_a_batch_is_read_as_things_happened_however_it_is_ordered(session: Session) -> None:
    batch = comes(30, happened(20, "s1"), happened(10, "s0"))
    assert fired(session, [DWELL, {**DWELL, "step": "s1"}], [batch, comes(200)]) == {
        ANN: [Fired("r1", 2, 20, 80)]
    }


def test_what_happened_more_than_a_day_ago_moves_nothing(session: Session) -> None:
    just, old = happened(0, "s0"), happened(-1, "s1")
    rules = [DWELL, {**DWELL, "step": "s1"}]
    found = fired(session, rules, [comes(86_400, old, just), comes(86_500)])
    assert found == {ANN: [Fired("r0", 1, 0, 60)]}


def test_sixteen_successes_are_remembered_one_by_one(session: Session) -> None:
    rule = {**RULE, "preset": "trouble", "unless": ["s0_ok"], "after": "10s"}
    course = as_it_happens(
        happened(5, "s0_ok"),
        happened(10, "s0_fail"),
        *(happened(20 + number, "s0_ok") for number in range(16)),
    )
    assert fired(session, [rule], [comes(50, *(one for m in course for one in m.events))]) == {}


def scored(crossing: dict[str, Any]) -> dict[str, Any]:
    """The journey whose first step is entered by a score beyond a threshold."""
    first = {**JOURNEY["steps"][0], "crossing": {"property": "amount", **crossing}}
    return {**JOURNEY, "steps": [first, *JOURNEY["steps"][1:]]}


@pytest.mark.parametrize(
    ("crossing", "scores"),
    [
        ({"above": 3, "rearm": 1}, (2, 3, 2, 3, 1, 2, 0, 2, 3)),
        ({"below": 1, "rearm": 2}, (2, 1, 2, 0, 2, 1, 3, 2, 1)),
    ],
)
def test_a_score_crosses_once_until_it_has_come_back_far_enough(
    session: Session, crossing: dict[str, Any], scores: tuple[int, ...]
) -> None:
    course = as_it_happens(*(happened(number * 10, "s0", score) for number, score in enumerate(scores)))
    rule = {**RULE, "rule": "r0", "preset": "moment", "event": "s0", "after": "0s"}
    world = World(scored(crossing), [rule], 0, course)
    with played(session.connection(), world) as player:
        assert player.story() == told_by_the_oracle(world)
        assert player.story() == {ANN: [Fired("r0", 1, 10, 10), Fired("r0", 2, 80, 80)]}


def test_a_score_that_has_come_back_in_the_second_of_the_crossing_ends_it(session: Session) -> None:
    rule = {**DWELL, "rule": "r0"}
    crosses, back = happened(10, "s0", 3), Event(10, "back", *ANN, "s0", 0)
    world = World(scored({"above": 3, "rearm": 1}), [rule], 0, [comes(10, crosses, back), comes(200)])
    with played(session.connection(), world) as player:
        assert player.story() == told_by_the_oracle(world) == {}


# -- sign-ins ---------------------------------------------------------------------------------------------


def test_a_device_and_its_customer_in_one_batch_are_one_course(session: Session) -> None:
    batch = comes(10, nobody(0, "s0"), signs_in(5), nobody(10, "s0_touch"))
    assert fired(session, [DWELL], [batch, comes(200)]) == {ANN: [Fired("r0", 1, 0, 60)]}


def test_an_alias_takes_the_visit_of_a_device_along(session: Session) -> None:
    history = [comes(0, nobody(0, "s0")), comes(30, signs_in(30, name="alias")), comes(59), comes(60)]
    assert fired(session, [DWELL], history) == {ANN: [Fired("r0", 1, 0, 60)]}


def test_a_deadline_waits_for_late_events_of_its_source_also_after_a_new_start(session: Session) -> None:
    history = [comes(0, happened(0, "s0")), comes(10, happened(10, "s0_touch"))]
    ticks = [comes(74), comes(74, happened(69, "left")), comes(75)]
    assert fired(session, [QUIET], [*history, *ticks], lateness=5) == {}
    assert fired(session, [QUIET], [*history, comes(75)], lateness=5) == {ANN: [Fired("r0", 1, 10, 70)]}


def test_a_sign_in_moves_the_clock_with_the_visit_in_the_same_transaction(session: Session) -> None:
    world = World(JOURNEY, [{**DWELL, "rule": "r0"}], 5, [comes(0, nobody(0, "s0")), comes(30, signs_in(30))])
    with played(session.connection(), world) as player:
        (visit,) = player.session.exec(select(Visit).where(col(Visit.wake_at).is_not(None)))
        assert (visit.wake_at, visit.visit_seq, visit.closed_at) == (at(65), 1, None)


def test_what_a_device_fired_its_customer_does_not_fire_again(session: Session) -> None:
    history = [
        comes(0, nobody(0, "s0")),
        comes(60),
        comes(70, signs_in(70)),
        comes(80, nobody(80, "s0_touch")),
    ]
    rules = [DWELL, {**DWELL, "after": "120s"}]
    found = fired(session, rules, [*history, comes(200)])
    assert found == {("device d1", "a1"): [Fired("r0", 1, 0, 60)], ANN: [Fired("r1", 1, 0, 120)]}


def test_a_second_customer_on_a_device_starts_afresh(session: Session) -> None:
    history = [comes(0, nobody(0, "s0")), comes(10, signs_in(10)), comes(20, signs_in(20, "ben"))]
    found = fired(session, [DWELL], [*history, comes(30, nobody(30, "s0")), comes(200)])
    assert found == {ANN: [Fired("r0", 1, 0, 60)], ("ben", "a1"): [Fired("r0", 1, 30, 90)]}


def test_of_two_devices_of_a_customer_the_one_active_later_says_where_they_are(session: Session) -> None:
    visits = [comes(0, nobody(0, "s0")), comes(10, nobody(10, "s1", "d2"))]
    rules = [DWELL, {**DWELL, "step": "s1"}]
    in_turn = [comes(20, signs_in(20)), comes(25, signs_in(25, device="d2"))]
    at_once = [comes(25, signs_in(20), signs_in(25, device="d2"))]
    other_way_round = [comes(25, signs_in(20, device="d2"), signs_in(25))]
    assert fired(session, rules, [*visits, *in_turn, comes(200)]) == {ANN: [Fired("r1", 2, 10, 70)]}
    assert fired(session, rules, [*visits, *at_once, comes(200)]) == {ANN: [Fired("r1", 2, 10, 70)]}
    assert fired(session, rules, [*visits, *other_way_round, comes(200)]) == {ANN: [Fired("r1", 2, 10, 70)]}


def test_a_customer_as_active_as_their_device_stays_where_they_are(session: Session) -> None:
    visits = [comes(10, happened(10, "s1")), comes(10, nobody(10, "s0")), comes(20, signs_in(20))]
    rules = [DWELL, {**DWELL, "step": "s1"}]
    assert fired(session, rules, [*visits, comes(200)]) == {ANN: [Fired("r1", 1, 10, 70)]}
