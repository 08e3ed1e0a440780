"""Automatic dialing: impossible unless switched on, one agent each or ahead of agents."""

from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy.exc import IntegrityError
from sqlmodel import select

from callcenter import acts, dialer, moves, pipeline
from callcenter.calls import service as calls
from callcenter.dialing.queries import mode_of
from callcenter.domain.enums import (
    AttemptState,
    CallResult,
    DialingMode,
    NotReadyReason,
    OutboxKind,
    Presence,
    ReservationEnd,
    TaskState,
    WorkState,
)
from callcenter.domain.ids import derived_id
from callcenter.domain.ports import JoinRoom, Placed, SayAndHangUp
from callcenter.errors import Conflict
from callcenter.learning.service import draw_arm
from callcenter.models import (
    Agent,
    CallTask,
    ContactAttempt,
    Customer,
    OutboxMessage,
    PacingDecision,
    Reservation,
)
from callcenter.moves import room_of
from callcenter.routing import people
from tests.factories import Bank

RULE = "id-photo-trouble"


def _waiting(bank: Bank, how_many: int) -> list[CallTask]:
    """So many customers in trouble whose call tasks wait."""
    made = 0
    for number in range(200):
        user = f"auto-{number}"
        if draw_arm(RULE, derived_id("customer", user), 0.2, bank.clock.now).held_out:
            continue
        bank.knows(user)
        bank.sends(user, "id_photo_front")
        for attempt in (1, 2):
            bank.sends(user, "photo_rejected", reason="glare", attempt=attempt)
        made += 1
        if made == how_many:
            break
    bank.ticks()
    return bank.tasks()


def _dialed(bank: Bank, mode: DialingMode, *, allowed: bool = True) -> None:
    dialer.set_campaign(bank.session, "loan", mode, bank.agent_id, bank.clock.now, lines_per_agent=1.5)
    dialer.set_automatic(bank.session, bank.agent_id, bank.clock.now, allowed=allowed)
    bank.session.commit()


def _paced(bank: Bank) -> dialer.Paced:
    paced = dialer.pace_campaign(bank.session, bank.house, "loan", bank.clock.now)
    bank.session.commit()
    assert paced is not None
    return paced


def _placed(bank: Bank) -> list[ContactAttempt]:
    """Let the jobs place what was claimed."""
    live = [one for one in bank.attempts() if one.state == AttemptState.CLAIMED]
    for one in live:
        assert pipeline.begin_placing(bank.session, one.id, bank.clock.now)
        pipeline.note_placement(bank.session, one.id, Placed(f"CA-{one.id}"), bank.clock.now)
        bank.hears(one.id, AttemptState.RINGING, ref=f"CA-{one.id}")
    return live


def _ends(bank: Bank, attempt: ContactAttempt, result: CallResult) -> CallTask:
    """Let a call end, and the job close its task; twice, as jobs may run."""
    bank.hears(attempt.id, AttemptState.ENDED, result, ref=f"CA-{attempt.id}")
    (message,) = bank.session.exec(
        select(OutboxMessage)
        .where(OutboxMessage.kind == OutboxKind.CLOSE_UNATTENDED)
        .where(OutboxMessage.subject_id == attempt.id)
    )
    for _ in range(2):
        dialer.close_unattended(bank.session, bank.house, message.subject_id, bank.clock.now)
    bank.session.commit()
    return bank.session.get_one(CallTask, attempt.call_task_id, populate_existing=True)


def _crew(bank: Bank, how_many: int) -> list[UUID]:
    crew = []
    for number in range(how_many):
        crew.append(bank.another_agent(f"crew-{number}"))
        bank.clock.go_on(seconds=1)
    return crew


def _past_calls(bank: Bank, tasks: list[CallTask], answers: int, abandoned: int = 0) -> None:
    """Finished calls of the campaign, so that the pacing rule has a past to learn from and a budget."""
    began = bank.clock.now - timedelta(hours=2)
    for number in range(int(answers / 0.3)):
        answered = number < answers
        result = CallResult.NO_ANSWER
        if answered:
            result = CallResult.ABANDONED if number < abandoned else CallResult.COMPLETED
        bank.session.add(
            ContactAttempt(
                id=derived_id("past", number),
                call_task_id=tasks[0].id,
                customer_id=derived_id("customer", "past"),
                firing_id=tasks[0].firing_id,
                to_number=f"+8613900{number:06d}",
                caller_id="+15005550006",
                campaign="loan",
                mode=DialingMode.PREVIEW,
                state=AttemptState.ENDED,
                result=result,
                claimed_at=began,
                placing_at=began,
                ringing_at=began + timedelta(seconds=1),
                answered_at=began + timedelta(seconds=6 + number % 14) if answered else None,
                bridged_at=began + timedelta(seconds=6 + number % 14) if answered else None,
                ended_at=began + timedelta(seconds=26 + (number % 14) * 10),
                last_news_at=began,
                talk_seconds=60 + number % 60 if answered else None,
            )
        )
    bank.session.commit()


@pytest.fixture
def past(bank: Bank) -> None:
    """The person whom the past calls were to."""
    now = bank.clock.now
    bank.session.add(
        Customer(id=derived_id("customer", "past"), external_id="past", created_at=now, updated_at=now)
    )
    bank.session.commit()


def test_without_the_switch_the_database_itself_refuses_an_automatic_attempt(bank: Bank) -> None:
    (task,) = _waiting(bank, 1)
    _dialed(bank, DialingMode.PREDICTIVE, allowed=False)
    assert mode_of(bank.session, "loan") is DialingMode.PREVIEW
    assert dialer.pace_campaign(bank.session, bank.house, "loan", bank.clock.now) is None
    for mode in (DialingMode.PROGRESSIVE, DialingMode.POWER, DialingMode.PREDICTIVE):
        with pytest.raises(Conflict, match="switched off"):
            calls.claim(bank.session, task, None, "+8613800138111", "+15005550006", mode, bank.clock.now)
    with (
        pytest.raises(IntegrityError, match="automatic dialing is switched off"),
        bank.session.begin_nested(),
    ):
        bank.session.add(
            ContactAttempt(
                id=derived_id("attempt", "rogue"),
                call_task_id=task.id,
                customer_id=task.customer_id,
                firing_id=task.firing_id,
                to_number="+8613800138111",
                caller_id="+15005550006",
                campaign="loan",
                mode=DialingMode.POWER,
                claimed_at=bank.clock.now,
                last_news_at=bank.clock.now,
            )
        )
        bank.session.flush()
    assert bank.attempts() == []


def test_in_progressive_dialing_the_offer_is_the_dial(bank: Bank) -> None:
    (task,) = _waiting(bank, 1)
    bank.agent_is_available()
    bank.agent_line_is_up()
    _dialed(bank, DialingMode.PROGRESSIVE)
    assert bank.offers(task) == pipeline.Reserved(bank.agent_id)
    (attempt,) = bank.attempts()
    assert (attempt.mode, attempt.agent_id, task.state) == (
        DialingMode.PROGRESSIVE,
        bank.agent_id,
        TaskState.ASSIGNED,
    )
    agent = bank.session.get_one(Agent, bank.agent_id, populate_existing=True)
    assert agent.work_state == WorkState.DIALING


def test_an_agent_whose_line_is_down_previews_in_progressive_dialing(bank: Bank) -> None:
    (task,) = _waiting(bank, 1)
    bank.agent_is_available()
    _dialed(bank, DialingMode.PROGRESSIVE)
    bank.offers(task)
    assert bank.attempts() == [] and task.state == TaskState.RESERVED


def test_a_small_team_is_never_dialed_ahead_of_whatever_the_mode(bank: Bank, past: None) -> None:
    tasks = _waiting(bank, 6)
    _past_calls(bank, tasks, answers=60)
    _crew(bank, 2)
    _dialed(bank, DialingMode.PREDICTIVE)
    paced = _paced(bank)
    live = [one for one in bank.attempts() if one.state != AttemptState.ENDED]
    assert (paced.dialed, len(live)) == (2, 2)
    assert all(one.agent_id and one.mode == DialingMode.PROGRESSIVE for one in live)
    assert "one line for each agent" in paced.sentence and "15 agents" in paced.sentence
    assert _paced(bank).dialed == 0, "both agents have a call"


def test_two_customers_of_one_telephone_are_not_called_at_once_and_hold_up_nobody(bank: Bank) -> None:
    tasks = _waiting(bank, 3)
    first, second, _ = (bank.session.get_one(Customer, one.customer_id) for one in tasks)
    second.number = first.number
    bank.session.commit()
    _crew(bank, 3)
    _dialed(bank, DialingMode.POWER)
    assert _paced(bank).dialed == 2
    live = bank.attempts()
    assert len({one.to_number for one in live}) == len(live) == 2
    left = next(one for one in bank.tasks() if one.id not in {each.call_task_id for each in live})
    assert (left.state, left.attempts, left.agent_id) == (TaskState.PENDING, 0, None)
    agents = bank.session.exec(select(Agent).where(Agent.work_state == WorkState.DIALING)).all()
    assert {one.id for one in agents} == {one.agent_id for one in live}
    reservations = bank.session.exec(select(Reservation)).all()
    assert {(one.agent_id, one.end) for one in reservations} == {
        (one.agent_id, ReservationEnd.DIALED) for one in live
    }


def test_the_tasks_of_a_paused_rule_wait_in_automatic_dialing_too(bank: Bank) -> None:
    (task,) = _waiting(bank, 1)
    _crew(bank, 1)
    _dialed(bank, DialingMode.POWER)
    acts.switch_rule(bank.session, RULE, bank.agent_id, bank.clock.now, live=False)
    bank.session.commit()
    assert _paced(bank).dialed == 0 and bank.attempts() == []
    assert task.state == TaskState.PENDING and task.why_no_call == ["rule_paused"]
    assert task.not_before_at > bank.clock.now


def test_a_large_team_is_dialed_ahead_of_and_the_answer_finds_the_agent_idle_longest(
    bank: Bank, past: None
) -> None:
    tasks = _waiting(bank, 40)
    _past_calls(bank, tasks, answers=100)
    crew = _crew(bank, 16)
    _dialed(bank, DialingMode.PREDICTIVE)
    paced = _paced(bank)
    live = _placed(bank)
    assert paced.dialed == len(live) > 16, paced.sentence
    assert all(one.agent_id is None and one.mode == DialingMode.PREDICTIVE for one in live)
    assert len({one.customer_id for one in live}) == len(live)
    answer = bank.picks_up(live[0].id, f"CA-{live[0].id}")
    assert answer == JoinRoom(room_of(crew[0]), crew[0])
    assert bank.picks_up(live[0].id, f"CA-{live[0].id}") == answer, "asked twice, the same room"
    agent = bank.session.get_one(Agent, crew[0], populate_existing=True)
    assert (agent.work_state, agent.call_task_id) == (WorkState.TALKING, live[0].call_task_id)
    bank.hears(live[0].id, AttemptState.ENDED, CallResult.COMPLETED, ref=f"CA-{live[0].id}")
    assert bank.session.get_one(Agent, crew[0], populate_existing=True).work_state == WorkState.WRAPPING
    (decision,) = bank.session.exec(select(PacingDecision))
    assert decision.dialed == paced.dialed and decision.sentence == paced.sentence


def test_a_customer_who_finds_nobody_free_hears_the_banks_name_and_is_counted(bank: Bank, past: None) -> None:
    tasks = _waiting(bank, 30)
    _past_calls(bank, tasks, answers=100)
    crew = _crew(bank, 16)
    _dialed(bank, DialingMode.PREDICTIVE)
    _paced(bank)
    live = _placed(bank)
    for agent_id in crew:
        pipeline.set_presence(
            bank.session, agent_id, Presence.NOT_READY, NotReadyReason.BREAK, bank.clock.now
        )
    house = moves.House(bank.house.catalog, bank.house.gate, bank.house.caller_id, "Harbour Bank")
    ref = f"CA-{live[0].id}"
    answer = pipeline.answer_call(bank.session, house, live[0].id, ref, bank.clock.now)
    assert isinstance(answer, SayAndHangUp) and "Harbour Bank" in answer.message and answer.language == "zh"
    task = _ends(bank, live[0], CallResult.COMPLETED)
    row = bank.session.get_one(ContactAttempt, live[0].id, populate_existing=True)
    assert (row.result, row.agent_id) == (CallResult.ABANDONED, None)
    assert task.state == TaskState.PENDING, "called once more, with an agent waiting"
    bank.clock.now = task.not_before_at
    from callcenter.calltasks.dialable import tasks_to_dial
    from callcenter.calltasks.queries import tasks_of_campaign

    found = tasks_to_dial(bank.session, "loan", bank.clock.now, 100)
    assert found and task.id not in {one.id for one in found}
    assert task.id in tasks_of_campaign(bank.session, "loan", bank.clock.now, 100)


def test_when_agents_sign_out_in_the_middle_the_calls_placed_for_them_are_taken_back(
    bank: Bank, past: None
) -> None:
    tasks = _waiting(bank, 40)
    _past_calls(bank, tasks, answers=100)
    crew = _crew(bank, 16)
    _dialed(bank, DialingMode.PREDICTIVE)
    _paced(bank)
    ringing = len(_placed(bank))
    for agent_id in crew[2:]:
        pipeline.sign_off(bank.session, agent_id, bank.clock.now)
    bank.clock.go_on(seconds=1)
    paced = _paced(bank)
    left = [one for one in bank.attempts() if one.state != AttemptState.ENDED and not one.cancel_asked_at]
    assert paced.dialed == 0 and paced.canceled == ringing - len(left)
    assert len(left) <= 4, "two agents are left"
    taken_back = next(one for one in bank.attempts() if one.cancel_asked_at)
    task = _ends(bank, taken_back, CallResult.CANCELED)
    assert task.state == TaskState.PENDING
    for agent_id in crew[:2]:
        pipeline.sign_off(bank.session, agent_id, bank.clock.now)
    _paced(bank)
    assert all(one.state == AttemptState.ENDED or one.cancel_asked_at for one in bank.attempts())


def test_switching_off_takes_back_every_call_that_rings_for_nobody(bank: Bank, past: None) -> None:
    tasks = _waiting(bank, 30)
    _past_calls(bank, tasks, answers=100)
    _crew(bank, 16)
    _dialed(bank, DialingMode.PREDICTIVE)
    _paced(bank)
    live = _placed(bank)
    dialer.set_automatic(bank.session, bank.agent_id, bank.clock.now, allowed=False)
    bank.session.commit()
    assert all(bank.session.get_one(ContactAttempt, one.id).cancel_asked_at for one in live)


def test_a_spent_budget_means_one_agent_each(bank: Bank, past: None) -> None:
    tasks = _waiting(bank, 40)
    _past_calls(bank, tasks, answers=100, abandoned=3)
    _crew(bank, 16)
    _dialed(bank, DialingMode.PREDICTIVE)
    paced = _paced(bank)
    live = [one for one in bank.attempts() if one.state != AttemptState.ENDED]
    assert len(live) <= 16 and all(one.agent_id for one in live)
    assert "budget is spent" in paced.sentence


def test_an_automatic_call_nobody_answers_needs_no_wrap_up_and_is_tried_again(bank: Bank, past: None) -> None:
    tasks = _waiting(bank, 30)
    _past_calls(bank, tasks, answers=100)
    _crew(bank, 16)
    _dialed(bank, DialingMode.PREDICTIVE)
    _paced(bank)
    live = _placed(bank)
    task = _ends(bank, live[0], CallResult.NO_ANSWER)
    assert (task.state, task.agent_id) == (TaskState.PENDING, None)
    assert task.not_before_at == bank.clock.now + timedelta(hours=2)


def test_an_automatic_call_dies_with_its_reason_even_while_it_rings(bank: Bank, past: None) -> None:
    tasks = _waiting(bank, 30)
    _past_calls(bank, tasks, answers=100)
    _crew(bank, 16)
    _dialed(bank, DialingMode.PREDICTIVE)
    _paced(bank)
    live = _placed(bank)[0]
    user = bank.session.get_one(Customer, live.customer_id).external_id
    bank.sends(user, "face_scan")
    assert bank.session.get_one(ContactAttempt, live.id, populate_existing=True).cancel_asked_at
    task = _ends(bank, live, CallResult.CANCELED)
    assert task.state == TaskState.CANCELED, "nobody calls again for a reason that is gone"


def test_tasks_dialed_ahead_are_offered_to_nobody(bank: Bank) -> None:
    (task,) = _waiting(bank, 1)
    bank.agent_is_available()
    bank.agent_line_is_up()
    _dialed(bank, DialingMode.POWER)
    assert bank.offers(task) == pipeline.NotOffered("dialed ahead")
    assert pipeline.offer_to_agent(bank.session, bank.house, bank.agent_id, bank.clock.now) == (
        pipeline.NotOffered("nothing to call")
    )


def test_in_manual_dialing_agents_take_what_they_choose(bank: Bank) -> None:
    first, second = _waiting(bank, 2)
    bank.agent_is_available()
    _dialed(bank, DialingMode.MANUAL)
    assert bank.offers(first) == pipeline.NotOffered("agents choose")
    pipeline.take_call_task(bank.session, bank.house, second.id, bank.agent_id, bank.clock.now)
    (reservation,) = bank.session.exec(select(Reservation))
    assert reservation.call_task_id == second.id
    with pytest.raises(Conflict):
        pipeline.take_call_task(bank.session, bank.house, first.id, bank.agent_id, bank.clock.now)


def _speaks(bank: Bank, agent_id: UUID, *languages: str) -> None:
    agent = bank.session.get_one(Agent, agent_id, populate_existing=True)
    people.set_abilities(bank.session, agent, languages, {})


def test_no_more_is_dialed_ahead_than_free_agents_suit_and_the_answer_finds_one_who_does(
    bank: Bank, past: None
) -> None:
    tasks = _waiting(bank, 40)
    _past_calls(bank, tasks, answers=100)
    crew = _crew(bank, 20)
    for agent_id in crew:
        _speaks(bank, agent_id, "en")
    for agent_id in crew[18:]:
        _speaks(bank, agent_id, "zh", "en")
    for place, task in enumerate(tasks):
        task.language = "zh" if place < 30 else "en"
        bank.session.get_one(Customer, task.customer_id).language = task.language
    bank.session.commit()
    _dialed(bank, DialingMode.PREDICTIVE)
    paced = _paced(bank)
    live = _placed(bank)
    spoken = {one.id: one.language for one in bank.tasks()}
    in_chinese = [one for one in live if spoken[one.call_task_id] == "zh"]
    in_english = [one for one in live if one not in in_chinese]
    assert len(in_chinese) == 2, "one line for each of the two who speak it"
    assert len(in_english) == 10, "the many who wait for them hold up nobody else"
    assert paced.dialed == 12 and "as no more agents suit the customers who wait" in paced.sentence
    assert _paced(bank).dialed == 0, "both are spoken for while their calls ring"
    first = bank.picks_up(in_english[0].id, f"CA-{in_english[0].id}")
    assert first == JoinRoom(room_of(crew[0]), crew[0]), "who speaks both stays free for who needs it"
    for attempt, agent_id in zip(in_chinese, crew[18:], strict=True):
        answer = bank.picks_up(attempt.id, f"CA-{attempt.id}")
        assert answer == JoinRoom(room_of(agent_id), agent_id)
    bank.clock.go_on(seconds=5)
    for agent_id in crew:
        bank.session.get_one(Agent, agent_id, populate_existing=True).seen_at = bank.clock.now
    bank.session.commit()
    _paced(bank)
    assert all(spoken[one.call_task_id] == "en" for one in _placed(bank)), "the two talk"


def test_no_more_calls_are_claimed_in_a_tick_than_may_begin_in_its_second(bank: Bank) -> None:
    _waiting(bank, 8)
    _crew(bank, 8)
    _dialed(bank, DialingMode.POWER)
    bank.house = replace(bank.house, calls_per_second=3.0)
    paced = _paced(bank)
    assert paced.dialed == 3 and "as no more calls may begin in this second" in paced.sentence
    assert _paced(bank).dialed == 0, "those three have not begun"
    _placed(bank)
    assert _paced(bank).dialed == 3
