"""The synthetic customers' behaviour: pure, so tens of thousands of sessions take a second."""

from collections import Counter
from functools import cache
from random import Random

import pytest

from callcenter.demo import behaviour
from callcenter.demo.behaviour import IDENTIFY, PAGE, TRACK, VisitPlan
from callcenter.demo.truth import START_MIX, STEP_TRUTHS, STEPS, Step, StepTruth, next_step

pytestmark = pytest.mark.slow

SESSIONS = 50_000
# Four standard errors of a share over the rarest step's visits (about 3,000) are 0.036 at worst.
TOLERANCE = 0.025


@cache
def simulated_sessions() -> tuple[Counter[Step], Counter[Step]]:
    """Visits and passes by step over uncalled sessions, who comes back by themselves going on."""
    chance = Random(20_260_101)
    visits: Counter[Step] = Counter()
    passes: Counter[Step] = Counter()
    for _ in range(SESSIONS):
        step: Step | None = behaviour.draw_start(chance)
        while step is not None:
            visits[step] += 1
            plan = behaviour.plan_visit(step, True, chance)
            if not plan.advances and behaviour.draw_fate(step, plan.trouble, chance).returns_after_s is None:
                break
            passes[step] += 1
            step = next_step(step)
    return visits, passes


@pytest.mark.parametrize("step", STEPS)
def test_uncalled_customers_are_lost_at_the_published_rate(step: Step) -> None:
    visits, passes = simulated_sessions()
    assert 1 - passes[step] / visits[step] == pytest.approx(STEP_TRUTHS[step].loss, abs=TOLERANCE)


def test_the_published_figures_are_those_of_the_truth() -> None:
    losses = {step: STEP_TRUTHS[step].loss for step in STEPS}
    assert losses[Step.REGISTER] == 0.96
    assert losses[Step.SIGN_IN] == 0.86
    assert (losses[Step.ID_PHOTO_FRONT], losses[Step.ID_PHOTO_BACK]) == (0.62, 0.90)
    assert losses[Step.BIND_CARD] == 0.88
    called = {step: STEP_TRUTHS[step].after_conversation for step in STEPS}
    assert called[Step.REGISTER] == 0.24
    assert {called[step] for step in STEPS[2:7]} == {0.27}
    assert (called[Step.CREDIT_GRANTED], called[Step.WITHDRAW]) == (0.18, 0.10)


@pytest.mark.parametrize("step", STEPS)
def test_every_step_is_begun_at_least_every_two_minutes(step: Step) -> None:
    visits, _ = simulated_sessions()
    per_minute = 12 * visits[step] / SESSIONS
    assert per_minute >= 0.5


def test_the_start_mix_is_a_share_of_everyone() -> None:
    assert sum(START_MIX.values()) == pytest.approx(1.0)


@pytest.mark.parametrize("truth", STEP_TRUTHS.values(), ids=list(STEP_TRUTHS))
def test_a_conversation_helps_whatever_the_trouble_was(truth: StepTruth) -> None:
    assert truth.stops <= 1.0
    for trouble in truth.troubles:
        assert 0.0 <= truth.unaided_with(trouble) < truth.after_conversation_with(trouble) < 1.0


@pytest.mark.parametrize("truth", STEP_TRUTHS.values(), ids=list(STEP_TRUTHS))
def test_troubles_shift_chances_without_moving_their_mean(truth: StepTruth) -> None:
    total = sum(trouble.share for trouble in truth.troubles.values())
    assert total == pytest.approx(1.0)
    unaided = sum(t.share * truth.unaided_with(name) for name, t in truth.troubles.items())
    aided = sum(t.share * truth.after_conversation_with(name) for name, t in truth.troubles.items())
    assert unaided == pytest.approx(truth.unaided)
    assert aided == pytest.approx(truth.after_conversation)


@pytest.mark.parametrize("called_after_s", [60.0, 300.0, 3600.0])
@pytest.mark.parametrize("step", [Step.REGISTER, Step.ID_PHOTO_FRONT, Step.WITHDRAW])
def test_talked_to_customers_convert_at_the_published_rate_whenever_called(
    step: Step, called_after_s: float
) -> None:
    chance = Random(f"{step}:{called_after_s}")
    stopped = talked = converted = 0
    while stopped < 8_000:
        plan = behaviour.plan_visit(step, True, chance)
        if plan.advances:
            continue
        stopped += 1
        fate = behaviour.draw_fate(step, plan.trouble, chance)
        if fate.returns_after_s is not None and fate.returns_after_s <= called_after_s:
            continue
        talked += 1
        reaction = behaviour.react_to_conversation(
            step, plan.trouble, called_after_s, fate.returns_after_s is not None, chance
        )
        converted += reaction.returns_in_s is not None
    # by trouble the share is exact; over all, the later the call, the more are left whom little can help
    assert converted / talked == pytest.approx(STEP_TRUTHS[step].after_conversation, abs=0.02)


def test_the_same_chance_gives_the_same_plan() -> None:
    for step in STEPS:
        assert behaviour.plan_visit(step, False, Random(7)) == behaviour.plan_visit(step, False, Random(7))


@pytest.mark.parametrize("step", STEPS)
def test_a_plan_begins_with_the_page_and_runs_forward_in_time(step: Step) -> None:
    chance = Random(3)
    for _ in range(300):
        plan = behaviour.plan_visit(step, False, chance)
        times = [deed.after_s for deed in plan.deeds]
        assert times == sorted(times)
        assert all(0.0 <= time <= plan.lasts_s for time in times)
        if step is not Step.CREDIT_GRANTED:
            first = plan.deeds[0]
            assert (first.kind, first.name, first.properties) == (PAGE, "Loan", {"step": step.value})


def test_who_registers_has_typed_a_number_and_some_leave_before() -> None:
    chance = Random(5)
    plans = [behaviour.plan_visit(Step.REGISTER, False, chance) for _ in range(4_000)]
    advanced = [plan for plan in plans if plan.advances]
    assert all(_types_a_number(plan) for plan in advanced)
    assert 0.15 < sum(not _types_a_number(plan) for plan in plans) / len(plans) < 0.35


def _types_a_number(plan: VisitPlan) -> bool:
    return any(deed.kind == IDENTIFY for deed in plan.deeds)


def test_troubles_are_reported_with_what_the_product_needs_to_know() -> None:
    chance = Random(11)
    seen: dict[str, set[str]] = {}
    for step in STEPS:
        for _ in range(500):
            for deed in behaviour.plan_visit(step, True, chance).deeds:
                if deed.kind == TRACK:
                    seen.setdefault(deed.name, set()).update(deed.properties)
    assert seen == {
        "photo_rejected": {"reason", "side", "attempt"},
        "photo_accepted": {"side"},
        "upload_failed": {"code"},
        "face_scan_failed": {"reason", "attempt"},
        "sms_code_late": set(),
        "password_wrong": {"attempt", "reason"},
        "system_error": {"code"},
        "app_crashed": set(),
        "withdraw_refused": {"code"},
        "payout_failed": {"code"},
        "card_refused": {"bank", "code", "reason"},
        "credit_granted": set(),
        "loan_withdrawn": set(),
    }
