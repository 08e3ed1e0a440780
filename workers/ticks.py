"""What must happen by the clock. Any number of schedulers may run these; each claims what it takes."""

import time
from datetime import timedelta

import structlog

from callcenter import (
    alerting,
    comparing,
    deciding,
    dialer,
    ledgers,
    listening,
    nightly,
    outbox,
    partner_acts,
    pipeline,
    proposing,
    pruning,
    segmenting,
    staffing,
    surging,
    talk,
    transferring,
)
from callcenter.calls import queries as call_queries
from callcenter.calls.policy import AGENT_BACK_WITHIN, DAY_MARGIN, OVERDUE
from callcenter.calls.rules import News, day_span
from callcenter.calltasks import queries as task_queries
from callcenter.config import archive_folder
from callcenter.dialing.queries import campaigns_to_pace
from callcenter.domain.enums import AttemptState, OutboxKind
from callcenter.domain.ports import CallSnapshot
from callcenter.errors import CallCenterError, Unavailable
from callcenter.intake.archive import tend_partitions
from callcenter.models import ContactAttempt
from callcenter.routing import queries as routing_queries
from callcenter.runtime import Runtime
from callcenter.segments.policy import CHANGED_AT_ONCE
from callcenter.segments.queries import segments_due
from callcenter.webhooks.queries import endpoints_due
from workers.lines import agent_is_there

log = structlog.get_logger()
_CHUNK = 200
_SEGMENT_SECONDS = 20.0
"""After so long a tick begins no further segment; the next one does."""


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
    """End offers whose lease has run out, call tasks nobody called in time, and what a closed console left."""
    with runtime.reading() as session:
        tasks = [one.call_task_id for one in routing_queries.reservations_expired(session, runtime.clock())]
    for call_task_id in tasks:
        with runtime.unit_of_work() as session:
            if pipeline.expire_offer(session, call_task_id, runtime.clock()):
                log.info("reservation.expired", call_task=str(call_task_id))
    with runtime.unit_of_work() as session:
        for task in task_queries.tasks_expired(session, runtime.clock(), _CHUNK):
            pipeline.expire_task(session, task, runtime.clock())
    with runtime.reading() as session:
        away = routing_queries.agents_away(session, runtime.clock())
    for agent_id in away:
        with runtime.unit_of_work() as session:
            if freed := pipeline.note_away(session, agent_id, runtime.clock()):
                log.info("agent.away", agent=str(agent_id), freed=freed)


def match(runtime: Runtime) -> None:
    """Bring free agents and waiting call tasks together where a message about it was lost or came too early."""
    with runtime.unit_of_work() as session:
        now = runtime.clock()
        for agent_id in pipeline.agents_to_offer(session, now):
            outbox.hand_over_once(session, OutboxKind.OFFER_TO_AGENT, agent_id, now)


def relax(runtime: Runtime) -> None:
    """Give up what call tasks ask of their agent where nobody who is signed on has met it for a while."""
    with runtime.unit_of_work() as session:
        relaxed = staffing.relax_needs(session, runtime.clock())
    if relaxed:
        log.info("needs.relaxed", call_tasks=relaxed)


def settle_transfers(runtime: Runtime) -> None:
    """End transfers of call tasks that somebody has taken, or nobody: those go back to whoever had them."""
    with runtime.reading() as session:
        waiting = transferring.transfers_to_settle(session, runtime.clock())
    for transfer_id in waiting:
        with runtime.unit_of_work() as session:
            became = transferring.settle_transfer(session, transfer_id, runtime.clock())
        if became is not None:
            log.info("transfer.ended", transfer=str(transfer_id), became=became.value)


def pace(runtime: Runtime) -> None:
    """Place the calls that the pacing rule wants, campaign by campaign."""
    with runtime.reading() as session:
        keys = campaigns_to_pace(session)
    for key in keys:
        with runtime.unit_of_work() as session:
            paced = dialer.pace_campaign(session, runtime.house, key, runtime.clock())
        if paced is not None and (paced.dialed or paced.canceled):
            log.info("campaign.paced", campaign=key, dialed=paced.dialed, canceled=paced.canceled)


def rescue(runtime: Runtime) -> None:
    """Find customers another agent whose agent's line dropped and did not come back."""
    with runtime.reading() as session:
        waiting = call_queries.attempts_without_agent(session, runtime.clock() - AGENT_BACK_WITHIN)
    for attempt_id in waiting:
        if agent_is_there(runtime, attempt_id):
            continue  # only the word about their line was lost
        with runtime.unit_of_work() as session:
            outcome = talk.rescue_call(session, attempt_id, runtime.clock())
        log.info("call.rescued", attempt=str(attempt_id), outcome=outcome)


def look_at_lines(runtime: Runtime) -> None:
    """Ask the carrier about agents' and supervisors' lines nothing was heard of for long."""
    with runtime.reading() as session:
        quiet = call_queries.legs_to_look_at(session, runtime.clock())
        watches = call_queries.watches_to_look_at(session, runtime.clock())
    for leg in quiet:
        seen = runtime.carrier.lookup(leg.carrier_ref or "")
        if seen is not None:
            with runtime.unit_of_work() as session:
                talk.note_agent_leg(session, leg.agent_id, seen.ref, seen.state, runtime.clock())
    for watch in watches:
        seen = runtime.carrier.lookup(watch.carrier_ref) if watch.carrier_ref else None
        # A line that was asked for and never heard of is given up: the answer gate ends it, should it be picked up.
        state = seen.state if seen else AttemptState.ENDED
        if seen is not None or watch.carrier_ref is None:
            with runtime.unit_of_work() as session:
                talk.note_watch(session, watch.id, watch.carrier_ref, state, runtime.clock())


def reconcile(runtime: Runtime) -> None:
    """Ask the carrier about attempts that have been quiet too long; the answer only moves them forward."""
    with runtime.reading() as session:
        quiet = call_queries.attempts_to_look_at(session, runtime.clock(), runtime.house.lost)
    for attempt in quiet:
        if attempt.carrier_ref and runtime.clock() - attempt.claimed_at >= OVERDUE:
            runtime.carrier.hang_up(attempt.carrier_ref)
        seen, could_ask = _look(runtime, attempt)
        if not could_ask:
            continue
        news = News(seen.ref, seen.state, seen.result, seen.talk_seconds) if seen else None
        with runtime.unit_of_work() as session:
            pipeline.note_look(session, attempt.id, news, runtime.clock(), runtime.house.lost)
        log.info("attempt.reconciled", attempt=str(attempt.id), found=seen is not None)


def compare_days(runtime: Runtime) -> None:
    """Lay yesterday's list of the carrier beside our attempts, once, when the carrier's list has caught up."""
    with runtime.reading() as session:
        day = call_queries.day_to_compare(session, runtime.clock())
    if day is None:
        return
    start, end = day_span(day)
    listed = runtime.carrier.calls_between(start - DAY_MARGIN, end + DAY_MARGIN)
    if listed is None:
        return  # the carrier could not be asked; the next tick does
    with runtime.reading() as session:
        unknown = [call.ref for call in call_queries.calls_unknown_to_us(session, listed)]
    named = [(ref, runtime.carrier.identify(ref)) for ref in unknown]
    with runtime.unit_of_work() as session:
        row = pipeline.compare_carrier_day(session, day, listed, named, runtime.clock())
        log.info(
            "carrier_day.compared",
            day=day.isoformat(),
            calls=row.carrier_calls,
            unknown_to_us=row.unknown_to_us,
            unknown_to_carrier=row.unknown_to_carrier,
        )


def tend(runtime: Runtime) -> None:
    """Make the coming weeks' partitions, and move the weeks past the retention to the archive."""
    retention = timedelta(days=runtime.settings.event_retention_days)
    try:
        folder = archive_folder(runtime.settings)
        for week in tend_partitions(runtime.unit_of_work, folder, retention, runtime.clock):
            log.info("events.archived", partition=week.path.name, events=week.events)
        with runtime.unit_of_work() as session:
            dialer.forget_old_decisions(session, runtime.clock())
    except Unavailable as error:
        log.warning("archive.postponed", reason=error.message)


def seal(runtime: Runtime) -> None:
    """Put what the ledgers have gained at the end of the chain over them; one scheduler at a time does."""
    while True:
        with runtime.unit_of_work() as session:
            if ledgers.seal_rows(session, runtime.clock()) < ledgers.PORTION:
                break


def keep_ledgers(runtime: Runtime) -> None:
    """Once a day: seal what lies far behind, remove what is past its keeping, write down the chain's head."""
    with runtime.reading() as session:
        if ledgers.is_day_kept(session, runtime.clock()):
            return
    seal(runtime)
    found = _seal_everywhere(runtime)
    keeping = timedelta(days=runtime.settings.screening_retention_days)
    while True:
        with runtime.unit_of_work() as session:
            removed = ledgers.remove_past_keeping(session, keeping, runtime.clock())
        if removed is None:
            break
        log.info("ledger.past_keeping", ledger=removed.ledger, rows=removed.rows)
    with runtime.unit_of_work() as session:
        day = ledgers.note_day_kept(session, found, runtime.clock())
    if day is not None:
        log.info("ledger.kept", found_behind=day.found_behind, head=str(day.head))


def verify_ledgers(runtime: Runtime) -> None:
    """Once a night: compare what was sealed since the last good night with its links; compliance reads of it."""
    with runtime.reading() as session:
        night = ledgers.night_to_verify(session, runtime.settings.learning_hour, runtime.clock())
    if night is None:
        return
    with runtime.reading() as session:
        session.connection(execution_options={"isolation_level": "REPEATABLE READ"})
        report, after = ledgers.verify_night(session, runtime.clock())
    with runtime.unit_of_work() as session:
        is_first = ledgers.note_verified(session, report, after, night, runtime.clock())
    if is_first and report.holds:
        log.info("ledger.verified", links=report.links, after=after)
    elif is_first:
        log.error("ledger.broken", faults=report.faults, findings=[one.text for one in report.findings[:5]])


def tell(runtime: Runtime) -> None:
    """Have each endpoint told that something is due for; the rows say when, so a lost message is found here."""
    with runtime.unit_of_work() as session:
        now = runtime.clock()
        for endpoint_id in endpoints_due(session, now):
            outbox.hand_over_once(session, OutboxKind.DELIVER_WEBHOOKS, endpoint_id, now)


def invite(runtime: Runtime) -> None:
    """Have the customers asked who were spoken with lately and whose rule or campaign asks."""
    while True:
        with runtime.unit_of_work() as session:
            if not listening.invite_after_calls(session, runtime.house, runtime.clock()):
                break


def segment(runtime: Runtime) -> None:
    """Work out the segments that are due, and say on the customers who is in them, portion by portion."""
    began = time.monotonic()
    with runtime.reading() as session:
        due = segments_due(session, runtime.clock())
    for key in due:
        if time.monotonic() - began > _SEGMENT_SECONDS:
            break
        with runtime.unit_of_work() as session:
            found = segmenting.work_out(session, key, runtime.clock(), time.monotonic)
        if found is not None:
            _change_members(runtime, found)


def _change_members(runtime: Runtime, found: segmenting.Found) -> None:
    changed, joined, left = 0, found.changes.joined, found.changes.left
    for ids, is_member in ((joined, True), (left, False)):
        for start in range(0, len(ids), CHANGED_AT_ONCE):
            with runtime.unit_of_work() as session:
                portion = ids[start : start + CHANGED_AT_ONCE]
                changed += segmenting.change_members(session, found.key, portion, is_member=is_member)
    if joined or left:
        with runtime.unit_of_work() as session:
            segmenting.note_settled(session, found, changed)
        log.info("segment.changed", segment=found.key, joined=len(joined), left=len(left), changed=changed)


def alert(runtime: Runtime) -> None:
    """Keep what needs a supervisor: since when, who has it, and whether it has got worse."""
    with runtime.unit_of_work() as session:
        alerting.note_alerts(session, runtime.clock())


def look_at_ghosts(runtime: Runtime) -> None:
    """Look whether held-out customers are still there when they would have been called."""
    while True:
        with runtime.unit_of_work() as session:
            if comparing.look_at_ghosts(session, runtime.clock(), _CHUNK) < _CHUNK:
                break


def learn(runtime: Runtime) -> None:
    """Have everything learned anew, once a night."""
    with runtime.unit_of_work() as session:
        if nightly.begin_night(session, runtime.settings.learning_hour, runtime.clock()):
            log.info("learning.begun")


def watch_canaries(runtime: Runtime) -> None:
    """Judge the versions on trial: what harms is stopped within minutes, and nobody needs to be awake for it."""
    with runtime.unit_of_work() as session:
        ended = deciding.watch_canaries(session, runtime.clock())
    for one in ended:
        log.warning("canary.stopped", rule=one.rule_key, version=one.version, reason=one.reason)


def weigh_proposals(runtime: Runtime) -> None:
    """Play back what load each open proposal would bring; it reads apart from what it writes."""
    while True:
        with runtime.reading() as session:
            proposal_id = proposing.proposal_without_load(session)
        if proposal_id is None:
            return
        with runtime.reading() as session:
            try:
                load = proposing.load_of(
                    session, proposal_id, archive_folder(runtime.settings), runtime.clock()
                )
            except CallCenterError as error:  # said on the page; the other proposals are not held up
                load = {"failed": error.message}
        with runtime.unit_of_work() as session:
            proposing.note_load(session, proposal_id, load)
        log.info("proposal.weighed", proposal=str(proposal_id))


def watch_steps(runtime: Runtime) -> None:
    """Look for steps whose traffic or loss has suddenly risen."""
    with runtime.unit_of_work() as session:
        if moved := surging.note_surges(session, runtime.clock()):
            log.info("surge.noted", moved=moved)


def tidy(runtime: Runtime) -> None:
    """Forget answers, deliveries and lists past their keeping, and what the floor and bands have of long ago."""
    with runtime.unit_of_work() as session:
        partner_acts.tidy(session, runtime.clock())
    keeping = _keeping_of(runtime)
    while True:
        with runtime.unit_of_work() as session:
            removed = pruning.prune(session, keeping, runtime.clock())
        if any(removed.values()):
            log.info("old_rows.removed", **removed)
        if max(removed.values()) < pruning.PORTION:
            break


def _keeping_of(runtime: Runtime) -> pruning.Keeping:
    settings = runtime.settings
    return pruning.Keeping(
        agent_states=timedelta(days=settings.agent_state_retention_days),
        floor=timedelta(days=settings.floor_retention_days),
        bands=timedelta(days=settings.band_retention_days),
    )


def _seal_everywhere(runtime: Runtime) -> int:
    found = 0
    while True:
        with runtime.unit_of_work() as session:
            sealed = ledgers.seal_everywhere(session, runtime.clock())
        found += sealed
        if sealed < ledgers.PORTION:
            return found


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
