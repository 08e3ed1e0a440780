"""What the reports count, on days made by hand."""

from collections.abc import Callable
from datetime import datetime, timedelta
from time import perf_counter
from uuid import UUID

import pytest
from sqlalchemy import event
from sqlmodel import select

from callcenter.domain.enums import (
    AttemptState,
    BarReason,
    CallResult,
    FiringFate,
    OutboxKind,
    Presence,
    SuppressReason,
    TaskState,
    WorkState,
)
from callcenter.domain.ids import derived_id
from callcenter.learning.effect_queries import calls_avoided, counts_by_week
from callcenter.models import (
    Agent,
    CallTask,
    ContactAttempt,
    Customer,
    Disposition,
    Incident,
    OutboxMessage,
    Outcome,
    Reservation,
    TriggerFiring,
    TriggerRule,
    Visit,
)
from callcenter.reporting.alarms import alarms_open
from callcenter.reporting.figures import floor_day
from callcenter.reporting.floor import agents_now, tasks_waiting, why_code
from callcenter.reporting.funnel import Span, earlier_spans, saw_last, step_counts
from callcenter.reporting.recovery import Pauses, recovery_by_step, recovery_of
from tests.factories import Bank

RULE = "id-photo-trouble"
SILENT = timedelta(seconds=45)
Seconds = float


def firing(bank: Bank, number: int, fired_at: datetime, fate: FiringFate = FiringFate.TASK) -> TriggerFiring:
    """A customer of their own with a decided firing."""
    rule = bank.session.exec(select(TriggerRule).where(TriggerRule.rule_key == RULE)).one()
    customer = Customer(
        id=derived_id("customer", number),
        external_id=f"c{number}",
        name=f"Customer {number}",
        number=f"+8613900{number:06d}",
        time_zone="Asia/Urumqi",
        created_at=fired_at,
        updated_at=fired_at,
    )
    visit = Visit(
        id=derived_id("visit", number),
        customer_id=customer.id,
        journey="loan",
        visit_seq=1,
        step="id_photo",
        opened_at=fired_at,
        entered_at=fired_at,
        last_activity_at=fired_at,
    )
    row = TriggerFiring(
        id=derived_id("firing", number),
        rule_id=rule.id,
        rule_key=RULE,
        visit_id=visit.id,
        customer_id=customer.id,
        journey="loan",
        step="id_photo",
        visit_seq=1,
        anchor_at=fired_at,
        due_at=fired_at,
        wake_at=fired_at,
        fired_at=fired_at,
        decided_at=fired_at,
        fate=fate,
    )
    for one in (customer, visit, row):
        bank.session.add(one)
        bank.session.flush()
    return row


def task(bank: Bank, number: int, created_at: datetime, **columns: object) -> CallTask:
    """A call task of a firing of its own."""
    fired = firing(bank, number, created_at)
    row = CallTask(
        **{
            "id": derived_id("task", number),
            "firing_id": fired.id,
            "rule_key": RULE,
            "customer_id": fired.customer_id,
            "visit_id": fired.visit_id,
            "journey": "loan",
            "step": "id_photo",
            "state_at": created_at,
            "created_at": created_at,
            "not_before_at": created_at,
            "expires_at": created_at + timedelta(hours=4),
            **columns,
        }
    )
    bank.session.add(row)
    bank.session.flush()
    return row


def attempt(
    bank: Bank, of: CallTask, rings_after: Seconds, result: CallResult, disposition: str | None = None
) -> ContactAttempt:
    """An ended attempt of a task that rang so many seconds after the task was opened."""
    at = of.created_at + timedelta(seconds=rings_after)
    answered = at if result in (CallResult.COMPLETED, CallResult.ABANDONED, CallResult.MACHINE) else None
    row = ContactAttempt(
        id=derived_id("attempt", of.id),
        call_task_id=of.id,
        customer_id=of.customer_id,
        agent_id=bank.agent_id,
        firing_id=of.firing_id,
        to_number="+8613900000000",
        campaign="loan",
        caller_id="+15005550006",
        state=AttemptState.ENDED,
        result=result,
        claimed_at=of.created_at,
        placing_at=of.created_at,
        ringing_at=None if result is CallResult.REJECTED else at,
        answered_at=answered,
        bridged_at=answered if result is CallResult.COMPLETED else None,
        ended_at=at + timedelta(seconds=60),
        last_news_at=at,
    )
    bank.session.add(row)
    bank.session.flush()
    if disposition:
        bank.session.add(Disposition(attempt_id=row.id, kind_code=disposition, agent_id=bank.agent_id, at=at))
        bank.session.flush()
    return row


def outcome(bank: Bank, of: UUID, at: datetime, converted_at: datetime | None) -> None:
    bank.session.add(
        Outcome(
            firing_id=of,
            customer_id=derived_id("x"),
            journey="loan",
            goal_position=3,
            window_from=at,
            window_until=at + timedelta(days=1),
            converted_at=converted_at,
        )
    )
    bank.session.flush()


def test_the_day_is_counted_with_each_rates_own_base(bank: Bank) -> None:
    now = bank.clock.now
    early = now - timedelta(hours=2)
    reached = [task(bank, n, early, state=TaskState.COMPLETED) for n in range(4)]
    for n, disposition in enumerate(("will_finish", "done_on_call", "wrong_person", None)):
        attempt(bank, reached[n], 10 * (n + 1), CallResult.COMPLETED, disposition)
    outcome(bank, reached[0].firing_id, early, early + timedelta(minutes=9))
    outcome(bank, reached[1].firing_id, early, early - timedelta(minutes=1))  # before the call: not ours
    outcome(bank, reached[2].firing_id, early, early + timedelta(minutes=9))  # the wrong person
    quiet = task(bank, 5, now - timedelta(hours=1), state=TaskState.COMPLETED)
    attempt(bank, quiet, 100, CallResult.NO_ANSWER, "no_answer")
    refused = task(bank, 6, now - timedelta(hours=1), state=TaskState.COMPLETED)
    attempt(bank, refused, 0, CallResult.REJECTED)  # the carrier never dialed
    yesterday = task(bank, 7, now - timedelta(days=1), state=TaskState.COMPLETED)
    attempt(bank, yesterday, 5, CallResult.ABANDONED)

    day = floor_day(bank.session, now - timedelta(hours=6), now)
    assert (day.total.attempts, day.total.reached) == (5, 4)
    assert (day.total.right_party, day.total.verified) == (2, 1)
    assert sorted(day.by_hour) == [4, 5]
    assert (day.speed.rings, day.speed.p50, day.speed.late) == (5, 30.0, 1)
    assert day.speed.p90 == pytest.approx(76.0) and day.speed.promise_seconds == 60
    assert (day.abandonment.abandoned, day.abandonment.live_answers) == (1, 5)


def test_a_day_without_calls_has_no_rates(bank: Bank) -> None:
    day = floor_day(bank.session, bank.clock.now - timedelta(hours=6), bank.clock.now)
    assert (day.total.attempts, day.speed.p50, day.abandonment.rate) == (0, None, None)


def test_speed_to_call_starts_when_the_gate_lets_the_call_go(bank: Bank) -> None:
    from callcenter.domain.enums import ScreeningPoint
    from callcenter.models import ScreeningDecision

    fired_at = bank.clock.now - timedelta(hours=10)
    waited = task(bank, 1, fired_at, state=TaskState.COMPLETED, promise_seconds=60)
    bank.session.add(
        ScreeningDecision(
            asked_at=fired_at,
            for_at=fired_at,
            point=ScreeningPoint.OPENING,
            customer_id=waited.customer_id,
            firing_id=waited.firing_id,
            may_call=False,
            reasons=[BarReason.OUTSIDE_CALLING_HOURS],
            next_allowed_at=fired_at + timedelta(hours=9),
            policy_version="test",
        )
    )
    attempt(bank, waited, 9 * 3600 + 25, CallResult.NO_ANSWER)
    speed = floor_day(bank.session, fired_at - timedelta(hours=1), bank.clock.now).speed
    assert (speed.p50, speed.late) == (25.0, 0)


@pytest.mark.parametrize(
    ("state", "why", "is_callable", "is_stuck", "code"),
    [
        ("reserved", None, False, False, "reserved"),
        ("reserved", None, False, True, "stuck"),
        ("pending", "outside_calling_hours", False, False, "outside_calling_hours"),
        ("pending", "outside_calling_hours", True, False, "no_agent"),
        ("pending", "rule_paused", True, False, "rule_paused"),
        ("pending", "callback", False, False, "waits_by_rule"),
        ("pending", None, True, False, "no_agent"),
    ],
)
def test_why_no_call_tells_what_holds_now(
    state: str, why: str | None, is_callable: bool, is_stuck: bool, code: str
) -> None:
    assert why_code(state, why, is_callable=is_callable, is_stuck=is_stuck) == code


def test_the_queue_is_counted_whole_and_shown_oldest_promise_first(bank: Bank) -> None:
    now = bank.clock.now
    task(bank, 1, now - timedelta(minutes=4), promise_seconds=300)
    task(bank, 2, now - timedelta(minutes=3), promise_seconds=60, why_no_call=["no_agent"])
    task(bank, 3, now, not_before_at=now + timedelta(hours=2), why_no_call=[BarReason.MINIMUM_GAP])
    held = task(bank, 4, now - timedelta(minutes=5), state=TaskState.RESERVED, agent_id=bank.agent_id)
    bank.session.add(
        Reservation(
            id=derived_id("reservation", 4),
            call_task_id=held.id,
            agent_id=bank.agent_id,
            offered_at=now - timedelta(seconds=40),
            expires_at=now - timedelta(seconds=10),
        )
    )
    bank.session.get_one(Agent, bank.agent_id).seen_at = now
    bank.session.flush()
    found = tasks_waiting(bank.session, now, SILENT)
    assert [row.customer for row in found.rows] == [f"Customer {n}" for n in (4, 2, 1, 3)]
    assert (found.total, found.pending, found.callable_now) == (4, 3, 2)
    assert (found.oldest_at, found.oldest_promise_seconds) == (now - timedelta(minutes=4), 300)
    assert (found.overdue, found.overdue_at) == (1, now - timedelta(minutes=1))
    assert found.reasons == (("no_agent", 2), ("minimum_gap", 1), ("stuck", 1))
    assert found.rows[0].agent == "Lin Yue"


def test_an_offer_is_stuck_when_its_lease_is_over_or_nobody_looks(bank: Bank) -> None:
    now = bank.clock.now
    agent = bank.session.get_one(Agent, bank.agent_id)
    agent.presence, agent.work_state, agent.work_state_at = Presence.AVAILABLE, WorkState.PREVIEWING, now
    held = task(bank, 1, now, state=TaskState.RESERVED, agent_id=agent.id)
    agent.call_task_id, agent.seen_at = held.id, now
    offer = Reservation(
        id=derived_id("r"), call_task_id=held.id, agent_id=agent.id, offered_at=now, expires_at=now
    )
    bank.session.add(offer)
    bank.session.flush()

    def stuck(after: Seconds) -> bool:
        (seen,) = agents_now(bank.session, now + timedelta(seconds=after), SILENT)
        return seen.is_stuck

    assert [stuck(0), stuck(5), stuck(6)] == [False, False, True]
    offer.expires_at = now + timedelta(minutes=5)
    bank.session.flush()
    assert [stuck(45), stuck(46)] == [False, True]
    agent.work_state = WorkState.RESERVED
    bank.session.flush()
    assert [stuck(10), stuck(11)] == [False, True], "no console has shown it"
    (row,) = tasks_waiting(bank.session, now + timedelta(seconds=11), SILENT).rows
    assert row.code == "stuck"


def test_alarms_are_grouped_and_only_tell_what_waits_for_a_person(bank: Bank) -> None:
    now = bank.clock.now
    for minutes in (5, 3):
        bank.session.add(Incident(at=now - timedelta(minutes=minutes), kind="second_call_for_attempt"))
    bank.session.add(Incident(at=now, kind="second_call_for_attempt", resolved_at=now))
    for age in (timedelta(hours=1), timedelta(days=2)):
        bank.session.add(
            OutboxMessage(
                kind=OutboxKind.PLACE_ATTEMPT,
                subject_id=derived_id("y"),
                created_at=now,
                due_at=now,
                failed_at=now - age,
            )
        )
    undecided = firing(bank, 1, now - timedelta(minutes=7))
    undecided.fate, undecided.tries = None, 3
    lost = attempt(bank, task(bank, 2, now - timedelta(minutes=3)), 0, CallResult.FAILED)
    lost.state, lost.result = AttemptState.UNKNOWN, None
    bank.session.flush()
    found = {alarm.kind: (alarm.cases, now - alarm.since) for alarm in alarms_open(bank.session, now)}
    assert found == {
        "incident": (2, timedelta(minutes=5)),
        "outbox_failed": (1, timedelta(hours=1)),
        "undecided": (1, timedelta(minutes=7)),
        "attempt_unknown": (1, timedelta(minutes=3)),
    }
    lost.placing_at = now - timedelta(seconds=100)
    bank.session.flush()
    assert "attempt_unknown" not in {alarm.kind for alarm in alarms_open(bank.session, now)}


def test_the_funnel_compares_with_the_same_hours_of_earlier_weeks(bank: Bank) -> None:
    now = bank.clock.now
    span = Span(now - timedelta(hours=1), now + timedelta(seconds=1))
    for number in range(24):
        bank.sends(f"old{number}", "register", at=now - timedelta(days=7, minutes=20))
        if number % 4:
            bank.sends(f"old{number}", "sign_in", at=now - timedelta(days=7, minutes=19))
    bank.sends("new", "register", at=now - timedelta(minutes=20))
    bank.sends("new", "password_wrong", at=now - timedelta(minutes=19))
    steps = ["register", "sign_in", "id_photo"]
    counts = step_counts(bank.session, "loan", steps, span, earlier_spans(span, 1))
    assert (counts[0].entered, counts[0].lost, counts[0].usual_loss) == (1, 1, 0.25)
    assert (counts[1].entered, counts[1].usual_loss) == (0, None)  # 18 entries are too few
    assert counts[2].usual_loss is None
    assert counts[2].top_error is None
    (seen,) = saw_last(bank.session, "loan", steps, "register", span)
    assert (seen.name, seen.count, seen.of) == (None, 1, 1)  # the wrong password is an error of another step


def test_who_is_called_says_nothing_of_coming_back_later() -> None:
    pauses = [Pauses(2, True, 25), Pauses(5, False, 25), Pauses(10, True, 25), Pauses(61, False, 25)]
    curve = recovery_of(pauses)
    share = {minute: back for minute, back, _, _ in curve.points}
    assert (share[1], share[2], share[5]) == (0.0, 0.25, 0.25)
    assert share[10] == pytest.approx(1 - 0.75 * 0.5) and curve.back_in_an_hour == share[60] == share[10]
    assert all(low <= back <= high for _, back, low, high in curve.points)


def test_a_pause_ends_with_the_next_event_or_is_watched_until_the_dial(bank: Bank) -> None:
    start = bank.clock.now - timedelta(hours=3)
    for number in range(20):
        bank.sends(f"u{number}", "register", at=start)
        if number < 10:
            bank.sends(f"u{number}", "sign_in", at=start + timedelta(minutes=5))
    for number in range(10, 15):
        called = task(bank, number, start, state=TaskState.COMPLETED)
        made = attempt(bank, called, 120, CallResult.NO_ANSWER)
        made.customer_id, made.claimed_at = bank.customer(f"u{number}").id, start + timedelta(minutes=2)
    bank.session.flush()
    curves = recovery_by_step(bank.session, "loan", Span(start, bank.clock.now))
    assert set(curves) == {"register"} and curves["register"].pauses == 20
    assert curves["register"].back_in_an_hour == pytest.approx(10 / 15)


def test_calls_avoided_are_those_nobody_dialed(bank: Bank) -> None:
    now = bank.clock.now
    suppressed = firing(bank, 1, now, FiringFate.SUPPRESSED)
    suppressed.suppress_reason = SuppressReason.RECOVERED
    task(bank, 2, now, state=TaskState.CANCELED, cancel_reason="advanced")
    task(bank, 3, now, state=TaskState.CANCELED, cancel_reason="advanced", attempts=1)
    task(bank, 4, now, state=TaskState.CANCELED, cancel_reason="expired")
    bank.session.flush()
    assert calls_avoided(bank.session) == 2


def test_evidence_by_week_counts_only_what_was_known_by_then(bank: Bank) -> None:
    start = bank.clock.now
    outcome(bank, firing(bank, 1, start).id, start, start + timedelta(days=8))
    outcome(bank, firing(bank, 2, start, FiringFate.HELD_OUT).id, start, None)
    firing(bank, 3, start + timedelta(days=9))
    weeks = counts_by_week(bank.session, RULE, start + timedelta(days=10))
    assert [(w.assigned, w.held_out, w.converted_assigned, w.converted_held_out) for w in weeks] == [
        (1, 1, 0, 0),
        (2, 1, 1, 0),
    ]


def test_the_floor_asks_few_questions_of_five_hundred_tasks(bank: Bank) -> None:
    now = bank.clock.now
    for number in range(500):
        task(bank, number, now - timedelta(seconds=number), why_no_call=["no_agent"])
    bank.session.commit()
    asked: list[str] = []
    connection = bank.session.connection()
    listener: Callable[..., None] = lambda conn, cursor, statement, *rest: asked.append(statement)  # noqa: E731
    event.listen(connection, "before_cursor_execute", listener)
    began = perf_counter()
    found = tasks_waiting(bank.session, now, SILENT)
    floor_day(bank.session, now - timedelta(hours=12), now)
    agents_now(bank.session, now, SILENT)
    alarms_open(bank.session, now)
    took = perf_counter() - began
    event.remove(connection, "before_cursor_execute", listener)
    assert (found.total, len(found.rows), len(asked)) == (500, 200, 6)  # and the plain one of the agents
    assert took < 2.0  # about 0.03 s on a quiet machine; this only catches a query per row
