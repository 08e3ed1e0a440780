"""What is learned anew every night, step by step. Verbs as in the pipeline, and beside it.

Each step is a unit of work of its own and may be done twice; one that fails does not stop the others. A run is
carried out by a job from the outbox (`workers/jobs.py: learn`) or by `callcenter learn`.
"""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from datetime import datetime
from uuid import UUID

import structlog
from sqlmodel import Session

from callcenter import choosing, outbox, prioritizing, proposing
from callcenter.accounts import service as accounts
from callcenter.domain.enums import OutboxKind
from callcenter.errors import CallCenterError, Conflict
from callcenter.learning import nights
from callcenter.learning.learned import night_of
from callcenter.moves import House

log = structlog.get_logger()
Step = Callable[[Session, House, datetime], str]
STEPS: tuple[tuple[str, Step], ...] = (
    ("scripts", lambda session, house, now: choosing.allocate_scripts(session, now, house.catalog)),
    ("proposals", lambda session, house, now: proposing.propose(session, house.global_holdout, now)),
    ("propensity", lambda session, _, now: prioritizing.train_propensity(session, now)),
    ("priority", lambda session, _, now: prioritizing.learn_worth(session, now)),
)
"""In the order in which they are done: the name that the studio has words for, and what is done. The answer is a
sentence with its figures, which the studio translates by its words (`web/learning_view.py`)."""
BY_NIGHT, BY_HAND = "night", "asked"


def begin_night(session: Session, hour: int, now: datetime) -> bool:
    """Open tonight's run, once for all who ask, and have it carried out; `hour` is in UTC.

    A night that was missed is made up for until the next one is due.
    """
    night = night_of(hour, now)
    return _begin(session, nights.run_id_of(BY_NIGHT, night), now, None)


def ask_for_run(session: Session, user_id: UUID | None, now: datetime) -> UUID:
    """Have everything learned anew now. Raises Conflict while a run is under way."""
    run_id = nights.run_id_of(BY_HAND, now)
    if not _begin(session, run_id, now, user_id):
        raise Conflict("Learning is under way. Wait until its last step has ended.")
    accounts.record(session, user_id, "learning.asked", str(run_id), now)
    return run_id


def _begin(session: Session, run_id: UUID, now: datetime, user_id: UUID | None) -> bool:
    begun = nights.begin_run(session, run_id, [name for name, _ in STEPS], now, user_id)
    if begun:
        outbox.hand_over(session, OutboxKind.LEARN, run_id, now)
        outbox.ring(session, outbox.STUDIO)
    return begun


def do_next_step(
    unit_of_work: Callable[[], AbstractContextManager[Session]],
    house: House,
    run_id: UUID,
    clock: Callable[[], datetime],
) -> str | None:
    """Do the next step of a run; return its name, "" while another process is at it, None when all is done."""
    with unit_of_work() as session:
        claimed = nights.claim_step(session, run_id, clock())
        outbox.ring(session, outbox.STUDIO)
    if claimed is None or claimed.step is None:
        return None if claimed is None else ""
    work = dict(STEPS).get(claimed.step)
    try:
        if work is None:
            raise Conflict("This version of the product knows no such step.")
        with unit_of_work() as session:
            summary = work(session, house, clock())
            nights.end_step(session, run_id, claimed.step, clock(), summary=summary)
        log.info("learning.step_done", step=claimed.step, run=str(run_id))
    except Exception as error:  # the other steps shall still be done
        log.exception("learning.step_failed", step=claimed.step, run=str(run_id))
        said = error.message if isinstance(error, CallCenterError) else type(error).__name__
        with unit_of_work() as session:
            nights.end_step(session, run_id, claimed.step, clock(), error=said)
    return claimed.step


def carry_out(
    unit_of_work: Callable[[], AbstractContextManager[Session]],
    house: House,
    run_id: UUID,
    clock: Callable[[], datetime],
) -> Iterator[str]:
    """Do all steps that are left of a run, one after the other; yields the name of each as it ends."""
    while name := do_next_step(unit_of_work, house, run_id, clock):
        yield name
