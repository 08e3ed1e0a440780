"""The job of the learning: a step a time, then the run stands in line again, until nothing is left."""

from sqlmodel import select

from callcenter import nightly
from callcenter.domain.enums import OutboxKind
from callcenter.learning import learned, nights
from callcenter.models import LearningRun, LearningStep, OutboxMessage
from tests.jobs.conftest import Floor
from workers import jobs


def _open_messages(floor: Floor) -> int:
    floor.bank.session.expire_all()
    found = floor.bank.session.exec(select(OutboxMessage).where(OutboxMessage.kind == OutboxKind.LEARN)).all()
    floor.bank.session.commit()
    return sum(one.done_at is None for one in found)


def test_each_job_does_one_step_until_the_run_is_over(floor: Floor) -> None:
    run_id = nightly.ask_for_run(floor.bank.session, None, floor.now)
    floor.bank.session.commit()
    for _ in range(len(nightly.STEPS) + 1):
        assert _open_messages(floor) == 1
        floor.runs(jobs.learn, OutboxKind.LEARN)
    assert _open_messages(floor) == 0
    floor.bank.session.expire_all()
    assert floor.bank.session.get_one(LearningRun, run_id).ended_at == floor.now
    steps = floor.bank.session.exec(select(LearningStep)).all()
    assert all((one.starts, one.error) == (1, None) for one in steps)


def test_a_job_that_comes_while_another_process_is_at_the_step_leaves_it_and_comes_again(
    floor: Floor,
) -> None:
    run_id = nightly.ask_for_run(floor.bank.session, None, floor.now)
    nights.claim_step(floor.bank.session, run_id, floor.now)
    message = floor.runs(jobs.learn, OutboxKind.LEARN)
    assert (message.done_at, message.due_at) == (None, floor.now + learned.STEP_LEASE)
    floor.bank.session.commit()
    floor.bank.clock.now += learned.STEP_LEASE
    message = floor.runs(jobs.learn, OutboxKind.LEARN)
    assert _open_messages(floor) == 1, "the rest of the run"
