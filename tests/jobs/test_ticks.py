"""Ticks may run in any number of schedulers: what they do happens once, and a failing one is no end."""

import threading
from datetime import timedelta
from pathlib import Path

from sqlmodel import select

from callcenter.domain.enums import (
    AttemptState,
    CancelReason,
    OutboxKind,
    Presence,
    ReservationEnd,
    TaskState,
    WorkState,
)
from callcenter.models import Agent, CallTask, GhostTask, LearningRun, OutboxMessage, Reservation
from callcenter.runtime import Runtime
from tests.factories import user_in_arm
from tests.jobs.conftest import Floor
from tests.web.conftest import settings_for
from workers import ticks
from workers.scheduler import TICKS, _guarded


def _at_once(tick: object, runtime: Runtime, times: int = 3) -> None:
    threads = [threading.Thread(target=tick, args=(runtime,)) for _ in range(times)]  # type: ignore[arg-type]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)


def _offers(floor: Floor) -> int:
    statement = select(OutboxMessage).where(OutboxMessage.kind == OutboxKind.OFFER_TO_AGENT)
    return len(floor.bank.session.exec(statement).all())


def test_schedulers_that_fire_at_once_make_one_firing_and_one_task(floor: Floor) -> None:
    bank = floor.bank
    user = user_in_arm("face-scan-quiet", held_out=False, at=floor.now)
    bank.knows(user)
    bank.sends(user, "face_scan")
    bank.clock.go_on(minutes=3)
    _at_once(ticks.fire, floor.runtime)
    ticks.fire(floor.runtime)
    assert (len(bank.firings()), len(bank.tasks())) == (1, 1)


def test_an_offer_whose_lease_ran_out_is_ended_once(floor: Floor) -> None:
    bank = floor.bank
    bank.agent_is_available()
    floor.has_waiting_task()
    (task,) = bank.tasks()
    bank.offers(task)
    ticks.expire(floor.runtime)
    bank.session.expire_all()
    assert bank.session.exec(select(Reservation)).one().ended_at is None, "not before its time"
    bank.session.commit()
    bank.clock.go_on(seconds=31)
    _at_once(ticks.expire, floor.runtime)
    bank.session.expire_all()
    assert bank.session.exec(select(Reservation)).one().end == ReservationEnd.EXPIRED
    task = bank.session.get_one(CallTask, task.id)
    assert (task.state, task.agent_id) == (TaskState.PENDING, None)
    agent = bank.session.get_one(Agent, bank.agent_id)
    assert (agent.presence, agent.work_state) == (Presence.NOT_READY, WorkState.IDLE)


def test_a_task_nobody_called_in_time_dies_and_says_why(floor: Floor) -> None:
    floor.has_waiting_task()
    floor.bank.session.commit()
    floor.bank.clock.go_on(hours=5)
    _at_once(ticks.expire, floor.runtime)
    floor.bank.session.expire_all()
    (task,) = floor.bank.tasks()
    assert (task.state, task.cancel_reason) == (TaskState.CANCELED, CancelReason.EXPIRED)


def test_a_free_agent_and_a_waiting_task_whose_messages_were_lost_are_brought_together(floor: Floor) -> None:
    floor.bank.agent_is_available()
    for message in floor.bank.session.exec(select(OutboxMessage)):
        message.done_at = floor.now
    floor.bank.session.commit()
    before = _offers(floor)
    ticks.match(floor.runtime)
    assert _offers(floor) == before, "nothing waits"
    floor.bank.session.commit()
    floor.has_waiting_task()
    for _ in range(3):
        ticks.match(floor.runtime)
    assert _offers(floor) == before + 1


def test_nobody_is_matched_while_no_console_is_open(floor: Floor) -> None:
    floor.bank.agent_is_available()
    floor.has_waiting_task()
    before = _offers(floor)
    floor.bank.session.commit()
    floor.bank.clock.go_on(minutes=1)
    ticks.match(floor.runtime)
    assert _offers(floor) == before


def test_a_carrier_that_cannot_be_asked_is_not_taken_for_an_empty_list(floor: Floor, tmp_path: Path) -> None:
    attempt = floor.has_claimed_attempt()
    attempt.state, attempt.placing_at = AttemptState.UNKNOWN, floor.now
    floor.bank.session.commit()
    settings = settings_for(tmp_path, floor.runtime.database_url, floor.runtime.redis_url)
    blind = Runtime(settings, floor.bank.clock)
    for _ in range(8):
        floor.bank.clock.now += timedelta(minutes=2)
        ticks.reconcile(blind)
    blind.engine.dispose()
    after = floor.attempt()
    assert (after.state, after.empty_looks) == (AttemptState.UNKNOWN, 0)


def test_a_tick_that_fails_does_not_end_the_schedule(floor: Floor) -> None:
    def fails(_: Runtime) -> None:
        raise RuntimeError

    _guarded(fails, floor.runtime)()
    assert [tick.__name__ for tick, _ in TICKS] == [
        "fire",
        "match",
        "relax",
        "settle_transfers",
        "pace",
        "expire",
        "rescue",
        "reconcile",
        "look_at_lines",
        "compare_days",
        "announce",
        "seal",
        "keep_ledgers",
        "verify_ledgers",
        "tend",
        "tell",
        "alert",
        "watch_steps",
        "tidy",
        "learn",
        "look_at_ghosts",
        "watch_canaries",
        "weigh_proposals",
        "invite",
        "segment",
    ]


def test_a_nights_learning_begins_once_however_many_schedulers_ask(floor: Floor) -> None:
    floor.bank.clock.now = floor.now.replace(hour=18, minute=4)
    _at_once(ticks.learn, floor.runtime)
    ticks.learn(floor.runtime)
    floor.bank.session.expire_all()
    runs = floor.bank.session.exec(select(LearningRun)).all()
    messages = select(OutboxMessage).where(OutboxMessage.kind == OutboxKind.LEARN)
    assert (len(runs), len(floor.bank.session.exec(messages).all())) == (1, 1)
    floor.bank.session.commit()
    floor.bank.clock.go_on(hours=23)
    ticks.learn(floor.runtime)
    assert len(floor.bank.session.exec(select(LearningRun)).all()) == 1, "the next night is not there yet"


def test_held_out_customers_are_looked_at_once_by_however_many_schedulers(floor: Floor) -> None:
    bank = floor.bank
    user = user_in_arm("face-scan-quiet", held_out=True, at=floor.now)
    bank.knows(user)
    bank.sends(user, "face_scan")
    bank.clock.go_on(minutes=3)
    ticks.fire(floor.runtime)
    bank.clock.go_on(minutes=10)
    _at_once(ticks.look_at_ghosts, floor.runtime)
    bank.session.expire_all()
    (ghost,) = bank.session.exec(select(GhostTask)).all()
    assert (ghost.looked_at, ghost.was_there) == (floor.now, True)
