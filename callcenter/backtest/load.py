"""A back-test's calls by hour of the day, beside the agents who were on duty at these hours in the weeks before."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlmodel import Session

from callcenter.backtest.report import Report
from callcenter.backtest.screening import Screening, screen_firings
from callcenter.compliance.policies import Gate, current_book
from callcenter.domain.load import HOURS, hour_loads
from callcenter.reporting.duty import duty_of_days


def load_of(session: Session, report: Report, gate: Gate, days: int, now: datetime) -> dict[str, Any] | None:
    """Return the load as JSON: `days` of duty, `minutes` a call, whether these are assumed, and 24 `hours`.

    A call is made when the gate first allows it; those whom a version holds out it does not call. What the live
    version of the rule already does is part of what agents did, and counts as done. None where nobody has
    been on duty for a whole day.
    """
    assumed, live = report.assumptions, report.live
    duty = duty_of_days(session, days, assumed.zone, now)
    if duty is None or not any(duty.on_duty):
        return None
    made: Sequence[datetime] = ()
    if live is not None:
        screening = Screening(current_book(session, gate.home_packs), gate.number_key)
        made = screen_firings(
            session, report.run.others[live.key], live.purpose, live.journey, screening, now
        ).calls_at
    minutes = duty.minutes_a_call or assumed.handle_time.total_seconds() / 60
    hours = hour_loads(
        _a_day(report.screened.calls_at, assumed.zone, days, 1 - report.spec.holdout),
        _a_day(made, assumed.zone, days, 1 - live.holdout if live else 0.0),
        minutes,
        duty.on_duty,
        duty.busy,
    )
    return {
        "days": duty.days,
        "minutes": minutes,
        "is_assumed": duty.minutes_a_call is None,
        "hours": [asdict(one) for one in hours],
    }


def _a_day(calls_at: Sequence[datetime], zone: ZoneInfo, days: int, share: float) -> list[float]:
    """How many of these calls are made at each hour of the average day."""
    counts = [0.0] * HOURS
    for at in calls_at:
        counts[at.astimezone(zone).hour] += share / days
    return counts
