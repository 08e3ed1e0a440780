"""The main story, stage by stage, without a browser: drop-off, call, wrap-up, conversion; and its counter-story."""

from datetime import timedelta

from sqlmodel import select

from callcenter import acts, pipeline
from callcenter.domain.enums import (
    AttemptState,
    BarReason,
    CallResult,
    CancelReason,
    FiringFate,
    Presence,
    SuppressReason,
    TaskState,
    WorkState,
)
from callcenter.domain.ports import JoinRoom, Placed
from callcenter.models import Agent, CallTask, OutboxMessage, Outcome, ScreeningDecision
from callcenter.moves import room_of
from callcenter.outcomes.rules import WrapUp
from tests.factories import Bank, user_in_arm

RULE = "id-photo-trouble"


def _trouble(bank: Bank, user: str) -> None:
    bank.knows(user)
    bank.sends(user, "id_photo_front", device="d-" + user)
    for attempt in (1, 2):
        bank.clock.go_on(seconds=20)
        bank.sends(user, "photo_rejected", reason="glare", attempt=attempt)


def _reserved(bank: Bank) -> tuple[str, CallTask]:
    """A customer in trouble whose call task the agent has been offered."""
    user = user_in_arm(RULE, held_out=False)
    bank.agent_is_available()
    _trouble(bank, user)
    bank.ticks()
    (task,) = bank.tasks()
    bank.offers(task)
    return user, task


def _agent(bank: Bank) -> Agent:
    agent = bank.session.get(Agent, bank.agent_id)
    assert agent is not None
    bank.session.flush()
    bank.session.refresh(agent)
    return agent


def test_a_drop_off_becomes_a_call_and_the_conversion_is_seen_in_events(bank: Bank) -> None:
    user = user_in_arm(RULE, held_out=False)
    bank.agent_is_available()
    _trouble(bank, user)
    bank.ticks()
    (firing,) = bank.firings()
    assert (firing.fate, firing.rule_key, firing.facts["error_reason"]) == (FiringFate.TASK, RULE, "glare")
    (task,) = bank.tasks()
    assert task.script_id and task.script_variant in ("A", "B") and task.script_propensity == 0.5

    assert bank.offers(task) == pipeline.Reserved(bank.agent_id)
    assert _agent(bank).work_state == WorkState.RESERVED
    dialing = bank.dials(task)
    assert isinstance(dialing, pipeline.Dialing)
    pipeline.note_placement(bank.session, dialing.attempt_id, Placed("CA1"), bank.clock.now)
    assert bank.hears(dialing.attempt_id, AttemptState.RINGING)
    answer = pipeline.answer_call(bank.session, bank.house, dialing.attempt_id, "CA1", bank.clock.now)
    assert answer == JoinRoom(room_of(bank.agent_id), bank.agent_id)
    assert _agent(bank).work_state == WorkState.TALKING
    bank.clock.go_on(seconds=60)
    bank.hears(dialing.attempt_id, AttemptState.ENDED, CallResult.COMPLETED)
    (attempt,) = bank.attempts()
    assert (attempt.result, attempt.talk_seconds) == (CallResult.COMPLETED, 60)
    assert _agent(bank).work_state == WorkState.WRAPPING

    wrap_up = WrapUp(disposition="will_finish", note="lamp above the table", suggestion="warn of glare")
    closed = pipeline.close_call(bank.session, bank.house, task.id, wrap_up, bank.agent_id, bank.clock.now)
    bank.session.commit()
    assert closed.next_step == "done" and task.state == TaskState.COMPLETED
    assert _agent(bank).work_state == WorkState.IDLE

    bank.clock.go_on(minutes=3)
    bank.sends(user, "photo_accepted")
    bank.sends(user, "face_scan")
    outcome = bank.session.exec(select(Outcome)).one()
    bank.session.refresh(outcome)
    assert (outcome.converted_at, outcome.converted_step) == (bank.clock.now, "face_scan")


def test_a_task_dies_when_the_customer_moves_on_while_it_waits(bank: Bank) -> None:
    user = user_in_arm(RULE, held_out=False)
    _trouble(bank, user)
    bank.ticks()
    bank.sends(user, "face_scan")
    (task,) = bank.tasks()
    assert (task.state, task.cancel_reason) == (TaskState.CANCELED, CancelReason.ADVANCED)


def test_a_task_dies_while_it_is_reserved_and_its_agent_is_free_again(bank: Bank) -> None:
    user, task = _reserved(bank)
    bank.sends(user, "face_scan")
    assert task.state == TaskState.CANCELED
    assert _agent(bank).work_state == WorkState.IDLE
    assert _agent(bank).presence == Presence.AVAILABLE


def test_a_call_still_ringing_is_canceled_when_the_customer_moves_on(bank: Bank) -> None:
    user, task = _reserved(bank)
    dialing = bank.dials(task)
    pipeline.note_placement(bank.session, dialing.attempt_id, Placed("CA1"), bank.clock.now)
    bank.hears(dialing.attempt_id, AttemptState.RINGING)
    bank.sends(user, "face_scan")
    kinds = [message.kind for message in bank.session.exec(select(OutboxMessage))]
    assert "hang-up-attempt" in kinds
    answer = pipeline.answer_call(bank.session, bank.house, dialing.attempt_id, "CA1", bank.clock.now)
    assert type(answer).__name__ == "HangUp"


def test_a_held_out_customer_gets_no_task_and_the_outcome_is_watched_all_the_same(bank: Bank) -> None:
    user = user_in_arm(RULE, held_out=True)
    _trouble(bank, user)
    bank.ticks()
    (firing,) = bank.firings()
    assert firing.fate == FiringFate.HELD_OUT and bank.tasks() == []
    bank.clock.go_on(seconds=1)
    bank.sends(user, "face_scan")
    outcome = bank.session.exec(select(Outcome)).one()
    bank.session.refresh(outcome)
    assert outcome.converted_at is not None


def test_a_rule_fires_once_for_a_visit_however_often_its_error_comes(bank: Bank) -> None:
    user = user_in_arm(RULE, held_out=False)
    _trouble(bank, user)
    bank.ticks()
    for _ in range(3):
        bank.sends(user, "photo_rejected", reason="glare")
        bank.ticks()
    assert [firing.rule_key for firing in bank.firings()].count(RULE) == 1


def test_a_quiet_customer_fires_when_nobody_clicks_and_not_a_second_before(bank: Bank) -> None:
    user = user_in_arm("face-scan-quiet", held_out=False)
    bank.knows(user)
    bank.sends(user, "face_scan")
    bank.clock.go_on(seconds=120)
    bank.ticks()
    assert bank.firings() == []
    bank.clock.go_on(seconds=1)
    bank.ticks()
    (firing,) = bank.firings()
    assert firing.due_at - firing.anchor_at == timedelta(minutes=2)


def test_activity_moves_the_clock_of_a_quiet_rule(bank: Bank) -> None:
    user = user_in_arm("face-scan-quiet", held_out=False)
    bank.knows(user)
    bank.sends(user, "face_scan")
    bank.clock.go_on(seconds=100)
    bank.sends(user, "face_scan_failed", reason="too_dark")
    bank.clock.go_on(seconds=60)
    bank.ticks()
    assert bank.firings() == []


def test_the_gate_bars_at_opening_and_its_reasons_are_stored(bank: Bank) -> None:
    user = user_in_arm(RULE, held_out=False)
    customer = bank.knows(user)
    bank.bars(customer.id)
    _trouble(bank, user)
    bank.ticks()
    (firing,) = bank.firings()
    assert (firing.fate, firing.suppress_reason) == (FiringFate.SUPPRESSED, SuppressReason.BARRED)
    decision = bank.session.exec(select(ScreeningDecision)).one()
    assert decision.reasons == [BarReason.DO_NOT_CALL] and decision.policy_version.startswith("cn-bank@")


def test_a_task_outside_calling_hours_waits_for_them_and_says_so(bank: Bank) -> None:
    bank.clock.go_on(hours=10)  # 22:00 in Shanghai
    user = user_in_arm(RULE, held_out=False, at=bank.clock.now)
    _trouble(bank, user)
    bank.ticks()
    (task,) = bank.tasks()
    assert task.why_no_call == [BarReason.OUTSIDE_CALLING_HOURS]
    assert task.not_before_at.hour == 1  # 09:00 in Shanghai


def test_a_dial_barred_since_the_offer_is_not_made(bank: Bank) -> None:
    _, task = _reserved(bank)
    bank.bars(task.customer_id)
    result = bank.dials(task)
    assert isinstance(result, pipeline.NotDialed) and result.verdict is not None
    assert result.verdict.reasons == (BarReason.DO_NOT_CALL,)
    assert bank.attempts() == [] and task.state == TaskState.CANCELED
    assert _agent(bank).work_state == WorkState.IDLE


def test_an_offer_nobody_takes_goes_back_and_its_agent_is_not_ready(bank: Bank) -> None:
    _, task = _reserved(bank)
    bank.clock.go_on(seconds=31)
    assert pipeline.expire_offer(bank.session, task.id, bank.clock.now)
    assert (task.state, task.agent_id) == (TaskState.PENDING, None)
    assert _agent(bank).presence == Presence.NOT_READY


def test_a_refusal_is_effective_for_every_later_rule(bank: Bank) -> None:
    user, task = _reserved(bank)
    dialing = bank.dials(task)
    pipeline.note_placement(bank.session, dialing.attempt_id, Placed("CA1"), bank.clock.now)
    pipeline.answer_call(bank.session, bank.house, dialing.attempt_id, "CA1", bank.clock.now)
    bank.hears(dialing.attempt_id, AttemptState.ENDED, CallResult.COMPLETED)
    pipeline.close_call(
        bank.session, bank.house, task.id, WrapUp("do_not_call"), bank.agent_id, bank.clock.now
    )
    bank.clock.go_on(days=2)
    bank.sends(user, "bind_card")
    bank.sends(user, "card_refused", code="54")
    bank.clock.go_on(seconds=60)
    bank.ticks()
    assert bank.firings()[-1].suppress_reason == SuppressReason.BARRED


def test_events_sent_twice_are_stored_once(bank: Bank) -> None:
    first = bank.sends("u", "register", message_id="same")
    second = bank.sends("u", "register", message_id="same")
    assert (first.accepted, second.accepted, second.duplicate) == (1, 0, 1)


def test_an_anonymous_visit_and_its_clock_move_to_the_customer_at_identify(bank: Bank) -> None:
    user = user_in_arm("register-quiet", held_out=False)
    bank.sends(None, "register", device="d1")
    bank.takes(
        {
            "type": "identify",
            "userId": user,
            "anonymousId": "d1",
            "messageId": "i1",
            "traits": {"name": "陈伟", "phone": "+8613800138000", "time_zone": "Asia/Shanghai"},
        }
    )
    bank.clock.go_on(seconds=125)
    bank.ticks()
    (firing,) = bank.firings()
    assert firing.customer_id == bank.customer(user).id and firing.fate == FiringFate.TASK


def test_a_device_used_by_another_customer_starts_afresh(bank: Bank) -> None:
    bank.sends("first", "register", device="d1")
    bank.sends("second", "sign_in", device="d1")
    bank.clock.go_on(seconds=1)
    assert bank.customer("first").id != bank.customer("second").id
    from callcenter.models import Visit

    steps = {visit.customer_id: visit.step for visit in bank.session.exec(select(Visit))}
    assert steps == {bank.customer("first").id: "register", bank.customer("second").id: "sign_in"}


def test_a_paused_rule_calls_nobody_and_says_so(bank: Bank) -> None:
    user = user_in_arm(RULE, held_out=False)
    bank.agent_is_available()
    _trouble(bank, user)
    bank.ticks()
    (task,) = bank.tasks()
    acts.switch_rule(bank.session, RULE, bank.agent_id, bank.clock.now, live=False)
    assert isinstance(bank.offers(task), pipeline.NotOffered)
    assert task.why_no_call == ["rule_paused"]
    acts.switch_rule(bank.session, RULE, bank.agent_id, bank.clock.now, live=True)
    bank.clock.go_on(seconds=30)
    bank.agent_is_available()
    assert bank.offers(task) == pipeline.Reserved(bank.agent_id)


def test_a_rule_that_runs_again_calls_nobody_for_a_moment_gone_by(bank: Bank) -> None:
    user = user_in_arm("face-scan-quiet", held_out=False)
    bank.knows(user)
    bank.sends(user, "face_scan")
    acts.switch_rule(bank.session, "face-scan-quiet", bank.agent_id, bank.clock.now, live=False)
    bank.session.commit()
    bank.clock.go_on(minutes=10)
    acts.switch_rule(bank.session, "face-scan-quiet", bank.agent_id, bank.clock.now, live=True)
    bank.session.commit()
    bank.clock.go_on(minutes=5)
    bank.ticks()
    assert bank.firings() == []


def test_a_rule_that_no_longer_fits_its_journey_keeps_no_event_out(bank: Bank) -> None:
    from callcenter.models import TriggerRule

    for row in bank.session.exec(select(TriggerRule)):
        row.definition = {**row.definition, "step": "nowhere"}
        row.created_at = bank.clock.go_on(seconds=1)
    bank.session.commit()
    assert bank.sends("anybody", "register").accepted == 1


def test_a_personal_callback_waits_for_its_agent_and_then_for_anybody(bank: Bank) -> None:
    user, task = _reserved(bank)
    dialing = bank.dials(task)
    bank.hears(dialing.attempt_id, AttemptState.ENDED, CallResult.NO_ANSWER)
    at = bank.clock.now + timedelta(hours=3)
    wrap_up = WrapUp("callback", callback_at=at)
    pipeline.close_call(bank.session, bank.house, task.id, wrap_up, bank.agent_id, bank.clock.now)
    bank.session.commit()
    assert (task.state, task.not_before_at, task.agent_id) == (TaskState.PENDING, at, bank.agent_id)
    bank.sends(user, "photo_rejected", reason="glare")
    bank.clock.now = at
    bank.agent_is_available()
    assert bank.offers(task) == pipeline.Reserved(bank.agent_id)


def test_a_second_call_for_one_attempt_is_an_incident_and_its_customer_is_left_alone(bank: Bank) -> None:
    from callcenter.models import Incident

    user, task = _reserved(bank)
    dialing = bank.dials(task)
    bank.hears(dialing.attempt_id, AttemptState.RINGING, ref="CA1")
    bank.hears(dialing.attempt_id, AttemptState.RINGING, ref="CA2")
    incident = bank.session.exec(select(Incident)).one()
    assert (incident.kind, incident.detail) == ("second_call_for_attempt", {"ref": "CA2"})
    pipeline.freeze_after_incident(bank.session, dialing.attempt_id, bank.clock.now)
    bank.session.commit()
    customer = bank.customer(user)
    bank.session.refresh(customer)
    assert customer.frozen_at is not None
    assert incident.id is not None
    pipeline.resolve_incident(bank.session, incident.id, None, bank.clock.now)
    bank.session.commit()
    bank.session.refresh(customer)
    assert customer.frozen_at is None


def test_an_attempt_whose_job_never_ran_is_given_up(bank: Bank) -> None:
    _, task = _reserved(bank)
    result = pipeline.place_call(bank.session, bank.house, task.id, bank.agent_id, bank.clock.now)
    assert isinstance(result, pipeline.Dialing)
    bank.session.commit()
    bank.clock.go_on(minutes=2)
    pipeline.note_look(bank.session, result.attempt_id, None, bank.clock.now)
    bank.session.commit()
    assert bank.attempts()[0].result == CallResult.NOT_PLACED
    assert pipeline.begin_placing(bank.session, result.attempt_id, bank.clock.now) is None
    assert _agent(bank).work_state == WorkState.WRAPPING


def test_a_carrier_that_did_nothing_is_asked_again_and_not_for_ever(bank: Bank) -> None:
    from callcenter.domain.ports import NotProcessed

    _, task = _reserved(bank)
    dialing = bank.dials(task)
    busy = NotProcessed(timedelta(seconds=2))
    for _ in range(2):
        pipeline.note_placement(bank.session, dialing.attempt_id, busy, bank.clock.now)
        assert pipeline.begin_placing(bank.session, dialing.attempt_id, bank.clock.now) is not None
    pipeline.note_placement(bank.session, dialing.attempt_id, busy, bank.clock.now)
    bank.session.commit()
    assert bank.attempts()[0].result == CallResult.NOT_PLACED


def test_an_anonymous_phase_and_its_sign_in_may_come_in_one_batch(bank: Bank) -> None:
    from callcenter.models import JourneyEvent, Visit

    user = user_in_arm("register-quiet", held_out=False)

    def at(seconds: int, **raw: object) -> dict[str, object]:
        when = (bank.clock.now + timedelta(seconds=seconds)).isoformat()
        return {"messageId": f"b{seconds}", "timestamp": when, "anonymousId": "d1", **raw}

    page = {"type": "page", "name": "Loan", "properties": {"application_id": "a1", "step": "register"}}
    who = {"name": "陈伟", "phone": "+8613800138000", "time_zone": "Asia/Shanghai"}
    bank.takes(at(0, **page))
    bank.takes(at(1, **page), at(2, type="identify", userId=user, traits=who), at(3, userId=user, **page))
    customer = bank.customer(user)
    open_visits = bank.session.exec(select(Visit).where(Visit.closed_at == None)).all()  # noqa: E711
    assert [visit.customer_id for visit in open_visits] == [customer.id]
    assert {event.customer_id for event in bank.session.exec(select(JourneyEvent))} == {customer.id}
    bank.clock.go_on(seconds=130)
    bank.ticks()
    (firing,) = bank.firings()
    assert (firing.customer_id, firing.fate) == (customer.id, FiringFate.TASK)
