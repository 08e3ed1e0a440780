"""Which agents were on duty at which hour of the day, and how long a call took them; read only."""

from dataclasses import dataclass
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import func
from sqlmodel import Session, select

from callcenter.domain.load import HOURS
from callcenter.models import AgentState
from callcenter.reporting.reports import Period, ReportBy, report


@dataclass(frozen=True, slots=True)
class Duty:
    """The average of the last `days`: agents on duty (at work, or ready for it) and at work, by hour of the day.

    `minutes_a_call` is agents' time at work over the calls they dialed; None without a call.
    """

    days: int
    on_duty: tuple[float, ...]
    busy: tuple[float, ...]
    minutes_a_call: float | None


def duty_of_days(session: Session, days: int, zone: ZoneInfo, now: datetime) -> Duty | None:
    """Return the average of at most so many whole days before today in a zone; None while no whole day is known."""
    first: datetime | None = session.exec(select(func.min(AgentState.at))).one()
    if first is None:
        return None
    today = now.astimezone(zone).date()
    days = min(days, (today - first.astimezone(zone).date()).days)
    if days < 1:
        return None
    since, until = (datetime.combine(today - timedelta(days=n), time(), zone) for n in (days, 0))
    found = report(session, ReportBy.HOUR, Period(since, until, zone.key, now))
    on_duty, busy = [0.0] * HOURS, [0.0] * HOURS
    for key, counts in found.items():
        on_duty[int(key[:2])] += counts.available_seconds / 3600 / days
        busy[int(key[:2])] += counts.busy_seconds / 3600 / days
    calls = sum(one.attempts for one in found.values())
    minutes = sum(one.busy_seconds for one in found.values()) / 60 / calls if calls else None
    return Duty(days, tuple(on_duty), tuple(busy), minutes)
