"""Back-tests that people ask for in the studio: kept, worked off by an errand, kept again with what they found."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlmodel import Session, col, select

from callcenter import outbox
from callcenter.backtest.load import load_of
from callcenter.backtest.report import Assumptions, Report, report_back_test
from callcenter.compliance.policies import Gate
from callcenter.domain.enums import OutboxKind
from callcenter.domain.ids import derived_id
from callcenter.errors import CallCenterError, Conflict
from callcenter.models import BackTestRun

Work = Callable[[], AbstractContextManager[Session]]
DAYS = 28
"""Of so many days the firings are counted."""
GIVEN_UP_AFTER = timedelta(minutes=20)
"""A back-test that has not ended by then never will; another may be asked for."""
MOST_OVERLAPS = 3


def ask(
    session: Session,
    rule_key: str,
    version: int,
    definition: Mapping[str, Any],
    zone: str,
    user_id: UUID,
    now: datetime,
) -> UUID:
    """Have a definition played back over the last four weeks; return the run's id.

    `zone` names whose days and hours count. Raises Conflict while one of this version is under way.
    """
    last = next(iter(runs_of(session, rule_key, version, limit=1)), None)
    if last is not None and is_under_way(last, now):
        raise Conflict("A back-test of this version is under way. Wait until it has ended.")
    run_id = derived_id("back-test", rule_key, version, user_id, now.isoformat())
    session.add(
        BackTestRun(
            id=run_id,
            rule_key=rule_key,
            version=version,
            definition=dict(definition),
            zone=zone,
            asked_at=now,
            asked_by=user_id,
        )
    )
    session.flush()
    outbox.hand_over(session, OutboxKind.BACK_TEST, run_id, now)
    return run_id


def is_under_way(run: BackTestRun, now: datetime) -> bool:
    """Whether its figures are still to come."""
    return run.ended_at is None and now - run.asked_at < GIVEN_UP_AFTER


def runs_of(session: Session, rule_key: str, version: int, limit: int = 2) -> Sequence[BackTestRun]:
    """Return the back-tests of a version, the latest first."""
    return session.exec(
        select(BackTestRun)
        .where(BackTestRun.rule_key == rule_key, BackTestRun.version == version)
        .order_by(col(BackTestRun.asked_at).desc(), col(BackTestRun.id))
        .limit(limit)
    ).all()


def work_off(
    session: Session, run_id: UUID, gate: Gate, archive: Path | None, now: datetime
) -> Mapping[str, Any] | None:
    """Play a back-test and return its figures; None where there is nothing left to do.

    The session must have read nothing of the events yet; its transaction becomes read-only. Raises what a
    definition that fits its journey no more raises.
    """
    run = session.get(BackTestRun, run_id)
    if run is None or run.ended_at is not None:
        return None
    report = report_back_test(
        session,
        run.definition,
        now=now,
        gate=gate,
        archive=archive,
        since=run.asked_at - timedelta(days=DAYS),
        until=run.asked_at,
        assumptions=Assumptions(ZoneInfo(run.zone)),
    )
    return figures_of(report) | {"load": load_of(session, report, gate, DAYS, run.asked_at)}


def play(
    reading: Work, unit_of_work: Work, run_id: UUID, gate: Gate, archive: Path, clock: Callable[[], datetime]
) -> None:
    """Play a back-test in a read of its own, then write down what it found, or why it found nothing."""
    figures: Mapping[str, Any] | None = {}
    error = None
    try:
        with reading() as session:
            figures = work_off(session, run_id, gate, archive, clock())
    except CallCenterError as refused:  # the definition fits its journey no more: that is the answer
        error = refused.message
    if figures is not None:
        with unit_of_work() as session:
            note_figures(session, run_id, figures, error, clock())


def note_figures(
    session: Session, run_id: UUID, figures: Mapping[str, Any], error: str | None, now: datetime
) -> None:
    """Write down what a back-test found, or why it found nothing; the first to end counts."""
    run = session.get(BackTestRun, run_id, with_for_update=True, populate_existing=True)
    if run is not None and run.ended_at is None:
        run.figures, run.error, run.ended_at = dict(figures), error, now
        outbox.ring(session, outbox.STUDIO)


def figures_of(report: Report) -> dict[str, Any]:
    """Return what the studio shows of a report, ready for JSON; spans are seconds, counts are of all the days."""
    screened, firings = report.screened, report.result.firings
    back, of = report.result.came_back(timedelta(hours=1))
    own = next((one for one in report.overlaps if one.is_own), None)
    others = sorted((one for one in report.overlaps if not one.is_own), key=lambda one: -one.nearby)
    return {
        "days": DAYS,
        "after_s": report.spec.after.total_seconds(),
        "holdout": report.spec.holdout,
        "events": report.result.extent.events,
        "fired": len(firings),
        "fired_live": own.fired if own else None,
        "allowed": screened.allowed,
        "waiting": screened.waiting,
        "barred": screened.barred,
        "reasons": {reason.value: count for reason, count in screened.reasons.items()},
        "agents": report.staffing.agents,
        "busiest_at": report.busiest[0].isoformat() if report.busiest else None,
        "busiest": report.busiest[1] if report.busiest else 0,
        "per_hour": list(report.per_hour),
        "back": back,
        "back_of": of,
        "also": [[one.rule, one.nearby] for one in others[:MOST_OVERLAPS] if one.nearby],
        "samples": [[one.firing.customer_id, one.firing.fired_at.isoformat()] for one in report.samples],
    }
