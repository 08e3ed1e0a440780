"""The demo's past: two weeks of customers who stopped at sign-in, taken through the pipeline's own verbs.

A bank that has just begun has nothing to learn from. So the first start of a demo lives some days before it:
synthetic customers send their events, rules fire, the gate is asked, somebody is held out, the others are called,
some come back, some answer a survey, and the product learns from it, all with the times of those days. Only what
the outside would do (the app, the telephone, the agent) is made up, by the demo's own truth (`demo/past.py`).

It is done while nobody is called yet: the gate bars a call whose time lies before its newest record. A store that
has customers has a past of its own and is left alone.
"""

import threading
from datetime import timedelta

import structlog
from sqlmodel import Session, select

from callcenter import listening, nightly
from callcenter.accounts.service import user_of
from callcenter.commands.past_day import CAMPAIGN, Day
from callcenter.demo.past import OLDEST, days_before
from callcenter.errors import Conflict
from callcenter.intake.partitions import keep_partitions
from callcenter.models import Customer
from callcenter.runtime import Runtime

log = structlog.get_logger()
SEED = 1
STRATEGIST = "strategist"
WAITS_FOR_A_RUN_S = 60


def live_past(runtime: Runtime, stopping: threading.Event) -> int:
    """Live the days before now; return how many customers came in them, 0 in a store that has customers.

    Each day is a transaction, so nobody sees half a day. Ends early when `stopping` is set; what was lived by then
    stays.
    """
    now, lived = runtime.clock(), 0
    with runtime.unit_of_work() as session:
        if not _begin(session, runtime):
            return 0
    for stopped in days_before(SEED, now):
        if stopping.is_set():
            return lived
        with runtime.unit_of_work() as session:
            Day(session, runtime.house, runtime.survey_key, stopped).live()
        lived += len(stopped)
    _ask_to_learn(runtime, stopping)
    log.info("past.lived", customers=lived)
    return lived


def _begin(session: Session, runtime: Runtime) -> bool:
    """Have the campaign ask its customers, and make room for their events; False where somebody has come before."""
    if session.exec(select(Customer.id).limit(1)).first() is not None:
        return False
    now = runtime.clock()
    began = now - timedelta(days=OLDEST)
    keep_partitions(session, began, now)
    strategist = user_of(session, STRATEGIST)
    if strategist is not None:
        listening.set_survey(session, CAMPAIGN, "", True, strategist.id, began)
    return True


def _ask_to_learn(runtime: Runtime, stopping: threading.Event) -> None:
    """Have everything learned from those days, once a run that has begun meanwhile is over."""
    for _ in range(WAITS_FOR_A_RUN_S):
        try:
            with runtime.unit_of_work() as session:
                nightly.ask_for_run(session, None, runtime.clock())
        except Conflict:
            if stopping.wait(1.0):
                return
        else:
            return
