"""What must happen by the clock. Any number of schedulers may run these; each claims what it takes."""

from datetime import timedelta

import structlog

from callcenter import outbox, pipeline
from callcenter.calls import queries as call_queries
from callcenter.calls.policy import OVERDUE
from callcenter.calls.rules import News
from callcenter.calltasks import queries as task_queries
from callcenter.config import archive_folder
from callcenter.domain.enums import AttemptState, OutboxKind
from callcenter.domain.ports import CallSnapshot
from callcenter.errors import Unavailable
from callcenter.intake.archive import tend_partitions
from callcenter.models import ContactAttempt
from callcenter.routing import queries as routing_queries
from callcenter.runtime import Runtime

log = structlog.get_logger()
_CHUNK = 200


def fire(runtime: Runtime) -> None:
    """Fire the visits whose clock has run out and decide what becomes of each firing."""
    while True:
        with runtime.unit_of_work() as session:
            due = pipeline.fire_due_visits(session, runtime.clock(), _CHUNK)
        if due < _CHUNK:
            break
    while True:
        with runtime.unit_of_work() as session:
            decided = pipeline.decide_firings(session, runtime.house, runtime.clock())
        if not decided:
            break


def announce(runtime: Runtime) -> None:
    """Report the dates that rules wait for as events, page by page, each once a day; a stop loses no place."""
    with runtime.unit_of_work() as session:
        chapters = pipeline.dates_due(session, runtime.house, runtime.clock())
    for chapter in chapters:
        after = None
        while True:
            with runtime.unit_of_work() as session:
                after = pipeline.announce_dates(session, chapter, runtime.clock(), after)
            if after is None:
                break


def expire(runtime: Runtime) -> None:
    """End offers whose lease has run out and call tasks that nobody called in time."""
    with runtime.reading() as session:
        tasks = [one.call_task_id for one in routing_queries.reservations_expired(session, runtime.clock())]
    for call_task_id in tasks:
        with runtime.unit_of_work() as session:
            if pipeline.expire_offer(session, call_task_id, runtime.clock()):
                log.info("reservation.expired", call_task=str(call_task_id))
    with runtime.unit_of_work() as session:
        for task in task_queries.tasks_expired(session, runtime.clock(), _CHUNK):
            pipeline.expire_task(session, task, runtime.clock())


def match(runtime: Runtime) -> None:
    """Bring free agents and waiting call tasks together where a message about it was lost or came too early."""
    with runtime.unit_of_work() as session:
        now = runtime.clock()
        agents = list(routing_queries.agents_idle(session, now))
        waiting = task_queries.tasks_callable(session, now, len(agents), agents) if agents else []
        for agent_id in agents[: len(waiting)]:
            outbox.hand_over_once(session, OutboxKind.OFFER_TO_AGENT, agent_id, now)


def reconcile(runtime: Runtime) -> None:
    """Ask the carrier about attempts that have been quiet too long; the answer only moves them forward."""
    with runtime.reading() as session:
        quiet = call_queries.attempts_to_look_at(session, runtime.clock())
    for attempt in quiet:
        if attempt.carrier_ref and runtime.clock() - attempt.claimed_at >= OVERDUE:
            runtime.carrier.hang_up(attempt.carrier_ref)
        seen, could_ask = _look(runtime, attempt)
        if not could_ask:
            continue
        news = News(seen.ref, seen.state, seen.result, seen.talk_seconds) if seen else None
        with runtime.unit_of_work() as session:
            pipeline.note_look(session, attempt.id, news, runtime.clock())
        log.info("attempt.reconciled", attempt=str(attempt.id), found=seen is not None)


def tend(runtime: Runtime) -> None:
    """Make the coming weeks' partitions, and move the weeks past the retention to the archive."""
    retention = timedelta(days=runtime.settings.event_retention_days)
    try:
        folder = archive_folder(runtime.settings)
        for week in tend_partitions(runtime.unit_of_work, folder, retention, runtime.clock):
            log.info("events.archived", partition=week.path.name, events=week.events)
    except Unavailable as error:
        log.warning("archive.postponed", reason=error.message)


def _look(runtime: Runtime, attempt: ContactAttempt) -> tuple[CallSnapshot | None, bool]:
    """Find an attempt's call at the carrier: the call, if there is one, and whether we could ask at all."""
    if attempt.state == AttemptState.CLAIMED:
        return None, True  # the carrier was never asked
    if attempt.carrier_ref:
        seen = runtime.carrier.lookup(attempt.carrier_ref)
        return seen, seen is not None
    since = attempt.placing_at or attempt.claimed_at
    found = runtime.carrier.find(attempt.to_number, since)
    if found is None:
        return None, False
    with runtime.reading() as session:
        bound = call_queries.refs_bound(session, [one.ref for one in found])
    mine = [one for one in found if one.ref not in bound]
    return (min(mine, key=lambda one: one.created_at or since) if mine else None), True
