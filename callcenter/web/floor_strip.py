"""The floor's strip: what waits now, and what the day has brought, each with its denominator."""

from datetime import datetime, timedelta

from sqlmodel import Session

from callcenter.reporting.figures import ABANDONMENT_BUDGET, FloorDay, floor_day
from callcenter.reporting.floor import WaitingTasks
from callcenter.reporting.reports import Period, ReportCounts, occupied
from callcenter.web.edge import zone
from callcenter.web.kept import kept
from callcenter.web.pages import floor as page

LATE_ALLOWED = 0.1
"""Share of first rings that may miss their promise: a promise is kept at the 90th percentile."""


def spent_today(session: Session, now: datetime, days_ago: int = 0) -> ReportCounts:
    """Return how long agents were busy on a day, and available at all; asked anew each half minute at most."""
    day, until = day_start(now, days_ago), day_end(now, days_ago)
    return kept("spent_today", day, now, lambda: occupied(session, Period(day, until, zone().key, now)))


def day_start(now: datetime, days_ago: int = 0) -> datetime:
    """Return the viewer's last midnight, or one so many days before it."""
    then = now.astimezone(zone()) - timedelta(days=days_ago)
    return then.replace(hour=0, minute=0, second=0, microsecond=0)


def day_end(now: datetime, days_ago: int = 0) -> datetime:
    """Return until when such a day is told: now of today, its end of an earlier one."""
    return day_start(now, days_ago - 1) if days_ago else now


def day_figures(session: Session, now: datetime, days_ago: int, campaign: str | None) -> FloorDay:
    """Return the figures of the viewer's day; of an earlier one asked anew each half minute at most."""
    bounds = (day_start(now, days_ago), day_end(now, days_ago))
    if not days_ago:
        return floor_day(session, *bounds, campaign)
    return kept("earlier_day", (bounds, campaign), now, lambda: floor_day(session, *bounds, campaign))


def figures_of(
    day: FloorDay,
    tasks: WaitingTasks,
    spent: ReportCounts | None,
    now: datetime,
    day_from: datetime | None = None,
    until: datetime | None = None,
) -> tuple[page.Figure, ...]:
    """Return the strip: what waits, how quick the first ring is, what was reached, and the budget.

    What waits is as of `now`; the rest is of the day from `day_from` to `until`, today without them. `spent` is
    None where agents' time cannot be told apart, as of one campaign.
    """
    total, speed, lost = day.total, day.speed, day.abandonment
    hours = _attempts_by_hour(day, day_from or day_start(now), until or now)
    is_late = speed.rings > 0 and speed.late > speed.rings * LATE_ALLOWED
    is_over = lost.rate is not None and lost.rate > ABANDONMENT_BUDGET
    return (
        page.Figure("waiting", "count", tasks.pending, numerator=tasks.callable_now),
        _oldest(tasks, now),
        page.Figure(
            "speed_to_call",
            "clock",
            speed.p50,
            second=speed.p90,
            second_tone="warn" if is_late else "plain",
            denominator=speed.rings,
            threshold=speed.promise_seconds,
            trend=speed.p90_by_hour,
        ),
        page.Figure("attempts", "count", total.attempts, trend=hours),
        _share("reached", day, "reached", "attempts"),
        _share("right_party", day, "right_party", "reached"),
        _share("verified", day, "verified", "right_party"),
        page.Figure(
            "occupancy",
            "share",
            spent.share("busy_seconds", "available_seconds") if spent else None,
            base_seconds=(spent.available_seconds or None) if spent else None,
        ),
        page.Figure(
            "abandonment",
            "share",
            lost.rate,
            tone="bad" if is_over else "plain",
            numerator=lost.abandoned,
            denominator=lost.live_answers,
            threshold=ABANDONMENT_BUDGET,
        ),
    )


def _oldest(tasks: WaitingTasks, now: datetime) -> page.Figure:
    if tasks.oldest_at is None:
        return page.Figure("oldest", "clock", None)
    waited = (now - tasks.oldest_at).total_seconds()
    promise = tasks.oldest_promise_seconds or 0
    tone = "bad" if waited > 2 * promise else "warn" if waited > promise else "plain"
    return page.Figure("oldest", "clock", waited, tone=tone, since=tasks.oldest_at, threshold=promise)


def _share(code: str, day: FloorDay, part: str, whole: str) -> page.Figure:
    """A share of the day with its counts, and its course over the hours that have a base."""
    numerator, denominator = getattr(day.total, part), getattr(day.total, whole)
    hours = [(getattr(hour, part), getattr(hour, whole)) for _, hour in sorted(day.by_hour.items())]
    return page.Figure(
        code,
        "share",
        numerator / denominator if denominator else None,
        numerator=numerator,
        denominator=denominator,
        trend=tuple(some / of for some, of in hours if of),
    )


def _attempts_by_hour(day: FloorDay, day_from: datetime, until: datetime) -> tuple[float, ...]:
    """Attempts of each full hour since the first; the running hour would always look like a fall."""
    running = int((until - day_from).total_seconds() // 3600)
    if not day.by_hour:
        return ()
    hours = range(min(day.by_hour), running)
    return tuple(float(day.by_hour[hour].attempts) if hour in day.by_hour else 0.0 for hour in hours)
