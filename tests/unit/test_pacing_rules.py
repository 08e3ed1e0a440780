"""An automatic dialer places more calls than agents wait only with agents, a past and a budget for it."""

import time
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from callcenter.dialing.forecast import BusyAgent, CallHistory, Forecast, Outlook, learn, look_ahead
from callcenter.dialing.policy import PacingPolicy
from callcenter.dialing.rules import (
    SENTENCES,
    PacingFacts,
    PacingLimit,
    PacingReason,
    budget_left,
    pace,
    price_of,
    sentence_of,
)
from callcenter.domain.enums import DialingMode

POLICY = PacingPolicy()
HISTORY = CallHistory(
    answered=tuple(5 + 15 * place / 120 for place in range(1, 121)),
    unanswered=(25.0,) * 280,
    talks=tuple(float(3 * place) for place in range(1, 61)),
    wrap_ups=(20.0,) * 60,
)
"""Three in ten answer, evenly between 5 and 20 s; others ring out at 25 s."""


def learned(history: CallHistory) -> Forecast:
    """What a history that is long enough teaches."""
    forecast = learn(history, POLICY)
    assert forecast is not None
    return forecast


FORECAST = learned(HISTORY)


def floor(**known: Any) -> PacingFacts:
    """A floor of 20 agents, 6 of them ready, on a good day; predictive unless told otherwise."""
    facts = PacingFacts(
        mode=DialingMode.PREDICTIVE,
        ready=6,
        agents=20,
        callable=500,
        busy=(BusyAgent(wrapping_seconds=10.0),) * 4 + (BusyAgent(talking_seconds=30.0),) * 10,
        live_answers_30d=4_000,
        abandoned_30d=60,
        live_answers_today=1_000,
        abandoned_today=15,
        forecast=FORECAST,
    )
    return replace(facts, **known)


def dials(**known: Any) -> int:
    """How many calls are placed on such a floor."""
    return pace(floor(**known), POLICY).dial


OVERDIALING = pytest.mark.parametrize("mode", [DialingMode.POWER, DialingMode.PREDICTIVE])


@pytest.mark.parametrize("mode", [DialingMode.MANUAL, DialingMode.PREVIEW])
def test_where_agents_dial_the_rule_places_nothing(mode: DialingMode) -> None:
    pacing = pace(floor(mode=mode), POLICY)
    assert (pacing.dial, pacing.reason) == (0, PacingReason.AGENT_DIALS)


def test_progressive_has_a_line_for_each_agent_who_waits() -> None:
    assert dials(mode=DialingMode.PROGRESSIVE) == 6
    assert dials(mode=DialingMode.PROGRESSIVE, ringing=(1.0, 24.0), waiting=1) == 3
    assert dials(mode=DialingMode.PROGRESSIVE, ringing=(1.0,) * 9) == 0


@OVERDIALING
def test_more_lines_than_agents_need_fifteen_agents(mode: DialingMode) -> None:
    assert dials(mode=mode, agents=15) > 6
    few = pace(floor(mode=mode, agents=14), POLICY)
    assert (few.dial, few.reason) == (6, PacingReason.FEW_AGENTS)


@OVERDIALING
def test_without_a_past_there_is_one_line_an_agent(mode: DialingMode) -> None:
    pacing = pace(floor(mode=mode, forecast=None), POLICY)
    assert (pacing.dial, pacing.reason) == (6, PacingReason.NO_HISTORY)


def test_a_past_of_few_calls_teaches_nothing() -> None:
    assert learn(CallHistory(), POLICY) is None
    assert learn(replace(HISTORY, answered=HISTORY.answered[:29]), POLICY) is None
    assert learn(replace(HISTORY, answered=HISTORY.answered[:30], unanswered=(25.0,) * 69), POLICY) is None
    assert learn(replace(HISTORY, answered=HISTORY.answered[:30], unanswered=(25.0,) * 70), POLICY)


def test_the_first_abandoned_call_needs_34_live_answers() -> None:
    assert [budget_left(answers, 0, POLICY.ceiling) for answers in (0, 33, 34, 66, 67, 100)] == [
        0,
        0,
        1,
        1,
        2,
        3,
    ]
    assert budget_left(100, 4, POLICY.ceiling) == -1


@OVERDIALING
@pytest.mark.parametrize(
    ("window", "reason"), [("30d", PacingReason.BUDGET_SPENT), ("today", PacingReason.DAY_SPENT)]
)
def test_at_the_edge_of_either_budget_there_is_one_line_an_agent(
    mode: DialingMode, window: str, reason: PacingReason
) -> None:
    answers, abandoned = f"live_answers_{window}", f"abandoned_{window}"
    spent = pace(floor(mode=mode, **{answers: 33, abandoned: 0}), POLICY)
    assert (spent.dial, spent.reason) == (6, reason)
    assert dials(mode=mode, **{answers: 34, abandoned: 0}) > 6
    assert dials(mode=mode, **{answers: 1_000, abandoned: 30}) == 6
    assert dials(mode=mode, **{answers: 1_000, abandoned: 40}) == 6


def test_a_small_budget_is_not_risked_by_one_large_batch() -> None:
    crowd = floor(ready=40, agents=60, busy=())
    poor = replace(crowd, live_answers_30d=34, abandoned_30d=0, live_answers_today=34, abandoned_today=0)
    assert 40 < pace(poor, POLICY).dial < pace(crowd, replace(POLICY, most_at_once=200)).dial


@OVERDIALING
def test_never_more_than_customers_lines_or_calls_at_once(mode: DialingMode) -> None:
    for known, limit in (
        ({"callable": 2}, PacingLimit.CUSTOMERS),
        ({"lines_free": 2}, PacingLimit.LINES),
        ({"callable": 2, "lines_free": 3}, PacingLimit.CUSTOMERS),
    ):
        pacing = pace(floor(mode=mode, **known), POLICY)
        assert (pacing.dial, pacing.limit) == (2, limit)
    assert dials(mode=mode, callable=0) == dials(mode=mode, lines_free=0) == 0
    most = pace(floor(mode=mode), replace(POLICY, most_at_once=1))
    assert (most.dial, most.limit) == (1, PacingLimit.AT_ONCE)
    assert pace(floor(mode=mode), POLICY).limit is None


def test_power_places_the_supervisors_ratio_and_never_beyond_the_highest() -> None:
    power = floor(mode=DialingMode.POWER)
    assert pace(power, POLICY).dial == 9
    assert pace(replace(power, ringing=(2.0, 2.0)), POLICY).dial == 7
    assert pace(power, replace(POLICY, power_ratio=9.0)).dial <= 18


def test_power_falls_back_to_one_line_when_the_rate_is_above_the_target() -> None:
    assert dials(mode=DialingMode.POWER, abandoned_today=27) == 9
    assert dials(mode=DialingMode.POWER, abandoned_today=29) == 6
    fallen_back = pace(floor(mode=DialingMode.POWER, abandoned_today=29), POLICY)
    assert fallen_back.reason is PacingReason.ABOVE_TARGET
    assert sentence_of(fallen_back).startswith("Dialing 6: one line for each agent until"), (
        "no ratio is claimed"
    )


def test_the_price_is_the_target_moved_by_what_was_saved_and_has_an_end() -> None:
    even = {
        "live_answers_30d": 4_000,
        "abandoned_30d": 112,
        "live_answers_today": 1_000,
        "abandoned_today": 28,
    }
    assert price_of(floor(**even), POLICY) == pytest.approx(POLICY.target)
    assert price_of(floor(**even | {"abandoned_today": 30}), POLICY) == pytest.approx(0.020)
    assert price_of(floor(**even | {"abandoned_30d": 114}), POLICY) == pytest.approx(0.020)
    assert price_of(floor(**even | {"abandoned_today": 27}), POLICY) == pytest.approx(0.028)
    assert price_of(floor(abandoned_today=0, abandoned_30d=0), POLICY) == POLICY.highest_price
    assert price_of(floor(abandoned_today=300), POLICY) == 0.0


def test_prediction_counts_on_agents_who_are_about_to_be_free() -> None:
    about, just, talking = (
        BusyAgent(wrapping_seconds=15.0),
        BusyAgent(wrapping_seconds=0.0),
        BusyAgent(talking_seconds=5.0),
    )
    assert dials(busy=(about,) * 8) > dials(busy=(just,) * 8) >= dials(busy=(talking,) * 8)
    assert dials(busy=(talking,) * 8) == dials(busy=(BusyAgent(),) * 8)


def test_prediction_knows_that_a_telephone_which_rang_long_is_not_answered() -> None:
    nobody_answers_now, may_answer = (21.0,) * 6, (4.0,) * 6
    assert dials(ringing=nobody_answers_now) == dials(ringing=())
    assert dials(ringing=may_answer) < dials(ringing=())
    assert dials(ringing=(60.0,) * 6) == dials(ringing=(0.0,) * 6)


def test_prediction_dials_less_where_more_answer() -> None:
    eager = learned(replace(HISTORY, unanswered=(25.0,) * 60))
    assert dials(forecast=eager) < dials()


def outlook(**known: Any) -> Outlook:
    """What lies ahead of a floor with nobody free."""
    return look_ahead(FORECAST, 0, known.get("ringing", ()), known.get("busy", ()))


def test_the_chance_of_an_answer_depends_on_how_long_it_has_rung() -> None:
    rate = (120 + 10) / (400 + 20)
    assert FORECAST.answer_rate == pytest.approx(rate)
    assert outlook(ringing=(0.0,)).answering == pytest.approx(rate)
    after_eleven = rate * 0.6 / (1 - rate * 0.4)
    assert outlook(ringing=(11.0,)).answering == pytest.approx(after_eleven)
    assert outlook(ringing=(21.0,)).answering == 0.0
    assert outlook(ringing=(99.0,)).answering == pytest.approx(rate)


def test_the_chance_of_a_free_agent_depends_on_how_long_they_have_wrapped_up() -> None:
    waits = outlook(busy=(BusyAgent(wrapping_seconds=12.0),)).mean
    assert waits[:6].sum() == 0.0
    assert waits[6:] == pytest.approx(-60 / 61)
    nobody_took_so_long = outlook(busy=(BusyAgent(wrapping_seconds=90.0),))
    assert nobody_took_so_long.freeing == 0.0
    talks = outlook(busy=(BusyAgent(talking_seconds=30.0),)).mean
    assert talks[:19].sum() == 0.0 and -0.1 < talks[-1] < 0.0


ages = st.lists(st.sampled_from([0.0, 3.5, 7.0, 12.0, 19.0, 24.0, 40.0]), max_size=20).map(tuple)
busy_agents = st.lists(
    st.sampled_from(
        [BusyAgent(talking_seconds=at) for at in (1.0, 40.0, 170.0, 999.0)]
        + [BusyAgent(wrapping_seconds=at) for at in (0.0, 8.0, 14.0, 19.5, 30.0)]
    ),
    max_size=15,
).map(tuple)
floors = st.builds(
    floor,
    mode=st.sampled_from([DialingMode.PROGRESSIVE, DialingMode.POWER, DialingMode.PREDICTIVE]),
    ready=st.integers(0, 30),
    agents=st.integers(10, 40),
    busy=busy_agents,
    ringing=ages,
    waiting=st.integers(0, 2),
    callable=st.integers(0, 60),
    lines_free=st.none() | st.integers(0, 60),
    live_answers_30d=st.integers(30, 3_000),
    abandoned_30d=st.integers(0, 20),
    live_answers_today=st.integers(30, 600),
    abandoned_today=st.integers(0, 15),
)
quick = settings(max_examples=30, deadline=None)


@quick
@given(floors, st.sampled_from([0.0, 6.0, 13.0, 22.0, 50.0]))
def test_one_more_call_in_flight_never_makes_for_more_dials(facts: PacingFacts, rung: float) -> None:
    more = replace(facts, ringing=(*facts.ringing, rung))
    assert pace(more, POLICY).dial <= pace(facts, POLICY).dial


@quick
@given(floors)
def test_one_more_ready_agent_never_makes_for_fewer_dials(facts: PacingFacts) -> None:
    more = replace(facts, ready=facts.ready + 1)
    assert pace(more, POLICY).dial >= pace(facts, POLICY).dial


@quick
@given(floors)
def test_the_guards_hold_on_every_floor(facts: PacingFacts) -> None:
    pacing = pace(facts, POLICY)
    lines = facts.callable if facts.lines_free is None else min(facts.callable, facts.lines_free)
    one_each = max(0, facts.ready - facts.waiting - len(facts.ringing))
    assert min(one_each, lines, POLICY.most_at_once) <= pacing.dial <= lines
    if pacing.dial > one_each:
        assert facts.mode is not DialingMode.PROGRESSIVE
        assert facts.agents >= POLICY.fewest_agents
        left = min(
            budget_left(facts.live_answers_30d, facts.abandoned_30d, POLICY.ceiling),
            budget_left(facts.live_answers_today, facts.abandoned_today, POLICY.ceiling),
        )
        assert left >= 1 and pacing.expected_abandoned <= left
    assert sentence_of(pacing).startswith(f"Dialing {pacing.dial}: ")


def test_the_sentence_names_the_figures() -> None:
    said = sentence_of(pace(floor(ringing=(3.0,) * 2), POLICY))
    assert said == (
        "Dialing 19: agents ready 6, 4.5 more free within 30 s; calls ringing 2, of which 0.6 will answer;"
        " abandoned 1.5 % of 4000 answers in 30 days, budget left 60, today 15."
    )
    spent = pace(floor(live_answers_today=80, abandoned_today=2, lines_free=4), POLICY)
    assert sentence_of(spent) == (
        "Dialing 4: one line for each agent, as the day's budget is spent: abandoned 2 of 80 answers today (2.5 %),"
        " and the next needs 100 answers; agents ready 6, calls ringing 0; held down from 6, as no more lines are"
        " free."
    )


def test_every_reason_and_limit_has_its_words_and_other_languages_may_bring_theirs() -> None:
    assert set(SENTENCES) == {*PacingReason, *PacingLimit, "end"}
    figures = pace(floor(), POLICY).figures
    for template in SENTENCES.values():
        assert "{" not in template.format_map(figures)
    chinese = {PacingReason.PREDICTIVE: "拨打{dial}通，{ready}名坐席空闲", "end": "。"}
    assert sentence_of(pace(floor(), POLICY), chinese) == f"拨打{dials()}通，6名坐席空闲。"


def test_a_decision_names_its_policy_and_takes_under_two_milliseconds() -> None:
    crowd = floor(
        agents=60,
        busy=(BusyAgent(talking_seconds=30.0),) * 44 + (BusyAgent(wrapping_seconds=10.0),) * 10,
        ringing=(7.0,) * 60,
    )
    assert pace(crowd, POLICY).policy_version == POLICY.version
    times = []
    for _ in range(5):
        began = time.process_time()
        for _ in range(10):
            pace(crowd, POLICY)
        times.append((time.process_time() - began) / 10)
    assert min(times) < 0.002
